"""The stream of events of a project: what the journal says about decisions and automation, as it says it.

Server-sent events. The id of an event is its place in the journal, so who comes back goes on where they were. A stream
ends after five minutes, and its reader comes back as somebody who is let in anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from handrail.cycle.review.outgoing.telling import shown
from handrail.foundation.actors import Scope
from handrail.foundation.canonical import encode
from handrail.foundation.errors import Busy, Invalid
from handrail.foundation.journal import Journal
from handrail.foundation.storage import Storage

MOST = 200
_LOOK_S = 0.5
_HEARTBEAT_S = 15.0
_LONGEST_S = 300.0
_BATCH = 200
_DIGITS = 18


class TooManyStreams(Busy):
    """As many streams are open as the server keeps open."""

    code = "review.too_many_streams"


def place_of(last_event_id: str) -> int:
    """Return the place in the journal that a reader has come to; raises Invalid."""
    if not last_event_id.isascii() or not last_event_id.isdigit() or len(last_event_id) > _DIGITS:
        raise Invalid("This is no id of an event.", hint="Send the id of the last event that you have seen.")
    return int(last_event_id)


class Streams:
    """Keeps the streams of every project. One for a server."""

    def __init__(
        self,
        storage: Storage,
        journal: Journal,
        *,
        most: int = MOST,
        look_s: float = _LOOK_S,
        heartbeat_s: float = _HEARTBEAT_S,
        longest_s: float = _LONGEST_S,
    ) -> None:
        self._storage = storage
        self._journal = journal
        self._most = most
        self._look_s = look_s
        self._heartbeat_s = heartbeat_s
        self._longest_s = longest_s
        self._open = 0
        self._closing = False
        self._size = 0
        self._looked = float("-inf")

    @property
    def open(self) -> int:
        """How many streams are open."""
        return self._open

    def close(self) -> None:
        """End every stream within a moment; may be called from a signal handler."""
        self._closing = True

    async def begin(self, after: int | None) -> int:
        """Return the place after which a stream tells: `after`, or now. Raises TooManyStreams."""
        if self._open >= self._most:
            raise TooManyStreams(f"{self._most} streams are open.", hint="Ask again later, or ask with wait_s.")
        return await self._storage.aread(self._journal.size) - 1 if after is None else after

    async def follow(
        self,
        scope: Scope,
        last: int,
        *,
        gone: Callable[[], Awaitable[bool]],
        wait_s: float | None = None,
    ) -> AsyncIterator[bytes]:
        """Give the events after a place as they come.

        It ends when the reader is `gone`, when the server stops, after five minutes, or with `wait_s` after so many
        seconds or the first events.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + (self._longest_s if wait_s is None else wait_s)
        spoke = loop.time()
        self._looked = float("-inf")
        self._open += 1
        try:
            if wait_s is None:
                yield b"retry: 2000\n\n"
            while True:
                last, text = await self._news(scope, last)
                if text or loop.time() - spoke >= self._heartbeat_s:
                    spoke = loop.time()
                    yield (text or f": still here\nid: {last}\n\n").encode()
                if self._closing or loop.time() >= end or (text and wait_s is not None) or await gone():
                    return
                await asyncio.sleep(min(self._look_s, max(0.0, end - loop.time())))
        finally:
            self._open -= 1

    async def _news(self, scope: Scope, last: int) -> tuple[int, str]:
        """Return the place that was read up to and the events on the way; all streams share one look at the size."""
        now = asyncio.get_running_loop().time()
        if now - self._looked >= self._look_s / 2:
            self._looked, self._size = now, await self._storage.aread(self._journal.size)
        told: list[str] = []
        while last < self._size - 1:
            start = last
            entries = await self._storage.aread(
                lambda uow: self._journal.following(uow, scope.project_id, start, _BATCH)  # noqa: B023
            )
            for one in entries:
                found = shown(one.index, one.time, one.verb, one.objects, one.payload)
                if found is not None:
                    told.append(f"id: {found[0]}\nevent: {found[1]}\ndata: {encode(found[2])}\n\n")
            if len(entries) < _BATCH:
                last = max(self._size - 1, *(one.index for one in entries[-1:]), last)
                break
            last = entries[-1].index
        return last, "".join(told)
