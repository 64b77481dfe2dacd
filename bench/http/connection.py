"""One kept-open HTTP/1.1 connection that costs next to nothing, so that the client does not take the server's cores."""

from __future__ import annotations

import asyncio

from handrail.foundation.http import Reach
from handrail.foundation.http.guard import csrf_of


class Connection:
    """Sends one request at a time and reads the whole answer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> Connection:
        """Connect to this computer."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def send(self, request: bytes) -> bytes:
        """Return the body of the answer; anything but 200 is an error."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        status, *headers = head.decode("latin-1").split("\r\n")
        length = next(int(one.partition(":")[2]) for one in headers if one.lower().startswith("content-length:"))
        body = await self._reader.readexactly(length)
        if status.split()[1] != "200":
            raise RuntimeError(f"{status}: {body[:500]!r}")
        return body

    async def close(self) -> None:
        """End the connection."""
        self._writer.close()
        await self._writer.wait_closed()


def post(port: int, path: str, token: str, content: str, media_type: str, *, session: str = "") -> bytes:
    """Return the bytes of a POST by a machine's `token`, or by the person of a `session`."""
    body = content.encode()
    who = f"Authorization: Bearer {token}"
    if session:
        who = f"Cookie: {Reach(port=port).cookie}={session}\r\nX-CSRF-Token: {csrf_of(session)}"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{who}\r\n"
        f"Content-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
