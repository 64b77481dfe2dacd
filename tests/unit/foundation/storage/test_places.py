"""Places in the order of those who came: nobody is overtaken, and no place is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from random import Random

import pytest

from handrail.foundation.storage import places as module
from handrail.foundation.storage.places import Places

SOON_S, LONG_S = 0.01, 30.0


def waits(places: Places[str], number: int) -> None:
    """Return once so many stand in line."""
    ends = time.monotonic() + LONG_S
    while len(places._line) < number:
        assert time.monotonic() < ends
        time.sleep(0.0005)


def test_every_place_once_and_the_one_used_last_first() -> None:
    places = Places(["a", "b"])
    assert {places.take(0), places.take(0)} == {"a", "b"}
    with pytest.raises(TimeoutError):
        places.take(SOON_S)
    places.give("a")
    places.give("b")
    assert places.take(0) == "b"


def test_who_came_first_goes_first() -> None:
    places = Places(["only"])
    places.take(0)
    order: list[int] = []

    def one(number: int) -> None:
        place = places.take(LONG_S)
        order.append(number)
        places.give(place)

    with ThreadPoolExecutor(20) as threads:
        told = []
        for number in range(20):
            told.append(threads.submit(one, number))
            waits(places, number + 1)
        places.give("only")
        for each in told:
            each.result(LONG_S)
    assert order == list(range(20))
    assert places.take(0) == "only"


def test_who_gives_back_and_wants_again_stands_behind_who_waits() -> None:
    places = Places(["only"])
    mine = places.take(0)
    with ThreadPoolExecutor(1) as thread:
        other = thread.submit(places.take, LONG_S)
        waits(places, 1)
        places.give(mine)
        with pytest.raises(TimeoutError):
            places.take(0)  # free for nobody but who waited, awake or not
        assert other.result(LONG_S) == "only"


def test_who_does_not_wait_any_longer_is_passed_over() -> None:
    places = Places(["only"])
    mine = places.take(0)
    with ThreadPoolExecutor(2) as threads:
        short = threads.submit(places.take, SOON_S)
        waits(places, 1)
        patient = threads.submit(places.take, LONG_S)
        with pytest.raises(TimeoutError):
            short.result(LONG_S)
        places.give(mine)
        assert patient.result(LONG_S) == "only"


class _Interrupted:
    """Stands in for the lock of one who waits: a signal arrives there, before or after the place does."""

    def __init__(self, before: Callable[[], None]) -> None:
        self._before = before

    def acquire(self, timeout: float) -> bool:
        """Be interrupted."""
        self._before()
        raise KeyboardInterrupt

    def release(self) -> None:
        """Wake nobody."""


@pytest.mark.parametrize("given", [False, True])
def test_an_interrupt_loses_no_place(monkeypatch: pytest.MonkeyPatch, given: bool) -> None:
    places = Places(["only"])
    mine = places.take(0)

    class Waiting(module._Waiting[str]):
        def __init__(self) -> None:
            super().__init__()
            self.woken = _Interrupted(lambda: places.give(mine) if given else None)  # type: ignore[assignment]

    monkeypatch.setattr(module, "_Waiting", Waiting)
    with pytest.raises(KeyboardInterrupt):
        places.take(LONG_S)
    if not given:
        places.give(mine)
    assert places.take(0) == "only"
    assert not places._line


def test_many_with_little_patience_lose_no_place_and_share_none() -> None:
    """Waits that end just as a place comes are where one would be lost or given twice."""
    places = Places(list(range(3)))
    working: set[int] = set()
    guard = threading.Lock()
    got = [0] * 12

    def one(number: int) -> None:
        random = Random(number)
        for _ in range(150):
            try:
                place = places.take(random.random() * 0.002)
            except TimeoutError:
                continue
            with guard:
                assert place not in working
                working.add(place)
            time.sleep(random.random() * 0.001)
            with guard:
                working.remove(place)
            places.give(place)
            got[number] += 1

    with ThreadPoolExecutor(12) as threads:
        told: list[Future[None]] = [threads.submit(one, number) for number in range(12)]
        for each in told:
            each.result(LONG_S)
    assert sum(got) > 100
    assert {places.take(0) for _ in range(3)} == {0, 1, 2}
    assert not places._line
