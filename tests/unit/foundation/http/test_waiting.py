from __future__ import annotations

import asyncio
import threading
import time

import pytest

from handrail.foundation.http import waiting as module
from handrail.foundation.http.waiting import TooManyWait, Waiting


async def test_what_is_there_is_returned_at_once() -> None:
    async def look() -> int | None:
        return 3

    assert await Waiting().until("t", look, 55) == 3


async def test_a_wake_from_another_thread_ends_the_wait() -> None:
    waiting = Waiting(look_again_s=30)
    found: list[int] = []

    async def look() -> int | None:
        return found[0] if found else None

    def change() -> None:
        found.append(7)
        waiting.wake("t")

    timer = threading.Timer(0.05, change)
    timer.start()
    began = time.monotonic()
    assert await waiting.until("t", look, 20) == 7
    assert time.monotonic() - began < 5
    timer.join()
    assert waiting._waiting == {}


async def test_a_change_by_another_process_is_seen_without_a_wake() -> None:
    looks = 0

    async def look() -> int | None:
        nonlocal looks
        looks += 1
        return looks if looks == 3 else None

    assert await Waiting(look_again_s=0.01).until("t", look, 20) == 3


async def test_the_wait_ends_and_other_topics_do_not_wake() -> None:
    waiting = Waiting(look_again_s=30)
    looks = 0

    async def look() -> int | None:
        nonlocal looks
        looks += 1
        return None

    task = asyncio.create_task(waiting.until("t", look, 0.1))
    await asyncio.sleep(0.02)
    waiting.wake("other")
    assert await task is None
    assert looks == 2
    assert waiting._waiting == {}


async def test_no_more_wait_than_the_server_lets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 1)
    waiting = Waiting()

    async def look() -> int | None:
        return None

    first = asyncio.create_task(waiting.until("a", look, 10))
    await asyncio.sleep(0.01)
    with pytest.raises(TooManyWait):
        await waiting.until("b", look, 10)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await waiting.until("b", look, 0.01) is None
