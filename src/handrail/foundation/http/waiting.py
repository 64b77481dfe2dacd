"""Long poll: a request waits for a change, at most 55 seconds, without asking the database all the time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

from handrail.foundation.errors import Busy

T = TypeVar("T")
_LONGEST_S = 55.0
_LOOK_AGAIN_S = 1.0
_MOST = 2000


class TooManyWait(Busy):
    """As many requests wait as the server lets wait."""

    code = "http.too_many_wait"


class Waiting:
    """Requests that wait, by topic (`decision:ID`). One for a server; `wake` may be called from any thread."""

    def __init__(self, *, look_again_s: float = _LOOK_AGAIN_S) -> None:
        self._look_again_s = look_again_s
        self._lock = threading.Lock()
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._count = 0

    def wake(self, topic: str) -> None:
        """Let every request that waits on `topic` look again; call it after the commit."""
        with self._lock:
            events = list(self._waiting.get(topic, ()))
            loop = self._loop
        if events and loop is not None and not loop.is_closed():
            for event in events:
                loop.call_soon_threadsafe(event.set)

    async def until(self, topic: str, look: Callable[[], Awaitable[T | None]], wait_s: float) -> T | None:
        """Return what `look` finds, as soon as it finds something, or None after `wait_s` seconds (at most 55).

        It looks at once, when `topic` is woken, and every second, for changes that another process made.
        Raises TooManyWait.
        """
        found = await look()
        if found is not None or wait_s <= 0:
            return found
        loop = asyncio.get_running_loop()
        end = loop.time() + min(wait_s, _LONGEST_S)
        event = asyncio.Event()
        self._enter(topic, event, loop)
        try:
            while found is None and (left := end - loop.time()) > 0:
                try:
                    async with asyncio.timeout(min(left, self._look_again_s)):
                        await event.wait()
                except TimeoutError:
                    pass
                event.clear()
                found = await look()
        finally:
            self._leave(topic, event)
        return found

    def _enter(self, topic: str, event: asyncio.Event, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            if self._count >= _MOST:
                raise TooManyWait("Too many requests wait for a change.", hint="Ask again without wait_s.")
            self._count += 1
            self._loop = loop
            self._waiting.setdefault(topic, set()).add(event)

    def _leave(self, topic: str, event: asyncio.Event) -> None:
        with self._lock:
            self._count -= 1
            events = self._waiting[topic]
            events.discard(event)
            if not events:
                del self._waiting[topic]
