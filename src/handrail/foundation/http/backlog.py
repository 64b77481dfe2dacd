"""Answers in parts, which may be made faster than they are read."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

_PART = 1 << 16


class Stream(StreamingResponse):
    """An answer in parts that leaves the rest of the request to whoever makes them.

    The framework's own would read it, to see whether the visitor is gone.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send every part."""
        del scope, receive
        await self.stream_response(send)


class Backlog:
    """Bytes that were made and not sent yet, in a private file: memory stays the same however slowly they are read.

    Whoever sends a whole request before reading the answer would wait for ever for a server that stops reading until
    its answer is read; so nothing waits here.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="backlog-", buffering=0)  # noqa: SIM115  closed when all is sent
        self._made = 0
        self._sent = 0
        self._ended = False
        self._more = asyncio.Event()

    def add(self, part: bytes) -> None:
        """Keep bytes to send."""
        self._file.seek(self._made)
        left = memoryview(part)
        while left:
            left = left[self._file.write(left) :]
        self._made += len(part)
        self._more.set()

    def end(self) -> None:
        """Say that nothing more comes."""
        self._ended = True
        self._more.set()

    async def parts(self) -> AsyncIterator[bytes]:
        """Give what was made, in order, until the end."""
        try:
            while True:
                if self._sent < self._made:
                    self._file.seek(self._sent)
                    part = self._file.read(min(_PART, self._made - self._sent))
                    self._sent += len(part)
                    yield part
                elif self._ended:
                    return
                else:
                    self._made = self._sent = 0
                    self._file.truncate(0)
                    self._more.clear()
                    await self._more.wait()
        finally:
            self._file.close()
