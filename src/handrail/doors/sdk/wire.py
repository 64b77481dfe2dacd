"""How calls travel to a server, over the network or inside this process, and how its refusals come back as errors."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import httpx
from pydantic import TypeAdapter

from handrail.foundation.errors import (
    Broken,
    Busy,
    Conflict,
    Forbidden,
    HandrailError,
    Invalid,
    NotFound,
    TooLarge,
    Unauthenticated,
)

API: Final = "/api/v1"
# A call may wait 55 s for a decision, and a large import takes its time.
TIMEOUT: Final = httpx.Timeout(120.0, connect=5.0)
_TRIES = 4
_LONGEST_WAIT_S = 5.0
_REPEATABLE = frozenset({"GET", "PUT", "DELETE"})
_FAMILIES: dict[int, type[HandrailError]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    429: Busy,
    503: Busy,
}


class Unreachable(Busy):
    """The server does not answer."""

    code = "client.unreachable"


class NotHandrail(Invalid):
    """Something answers at the address, and it is no Handrail server."""

    code = "client.not_handrail"


class StillRunning(Busy):
    """A run did not end in time; it goes on."""

    code = "client.still_running"


class DidNotSettle(Busy):
    """What was started did not end in time."""

    code = "client.did_not_settle"


def refusal(status: int, content: bytes) -> HandrailError:
    """Return the error for a response that is no success: of the family of its status, with the code that was sent."""
    try:
        said: Any = json.loads(content)
        return coded(status, str(said["code"]), str(said["detail"]), str(said["hint"]), said.get("facts", {}))
    except (ValueError, KeyError, TypeError):
        return NotHandrail(
            f"The answer {status} is none of Handrail's.", hint="Check the address and what stands in between."
        )


def coded(status: int, code: str, sentence: str, hint: str, facts: Mapping[str, Any]) -> HandrailError:
    """Return an error of the family of an HTTP status that carries `code`."""
    family = _FAMILIES.get(status, Broken if status >= 500 else Invalid)
    clear = {str(name): value for name, value in facts.items() if name not in ("sentence", "hint")}
    error = family(sentence, hint=hint, **clear)
    vars(error)["code"] = code
    return error


@lru_cache(maxsize=256)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def parsed(kind: Any, content: bytes) -> Any:
    """Return a response as values of a type."""
    return _adapter(kind).validate_json(content)


def query(values: Mapping[str, Any]) -> dict[str, str]:
    """Return query parameters without those that are None."""
    return {name: _text(value) for name, value in values.items() if value is not None}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _headers(method: str, key: str | None) -> dict[str, str]:
    # One key for all tries of a call: a repeated POST gets the first answer and changes nothing again.
    return {"Idempotency-Key": key or secrets.token_hex(16)} if method == "POST" else {}


def _pause(tried: int, repeat: bool, response: httpx.Response | None) -> float | None:
    """Return how many seconds to wait before the next try, or None when there is none."""
    if tried >= _TRIES:
        return None
    if response is None:
        return 0.1 * 2**tried if repeat else None
    if response.status_code != 503:
        return None
    told = response.headers.get("retry-after", "")
    return min(float(told) if told.isdigit() else 1.0, _LONGEST_WAIT_S)


def _unreachable(http: httpx.Client | httpx.AsyncClient, error: httpx.TransportError) -> Unreachable:
    return Unreachable(f"No answer from {http.base_url}: {error}.", hint="Is the server running? `handrail serve`")


class Wire:
    """Calls that block."""

    def __init__(
        self,
        address: str,
        transport: httpx.BaseTransport,
        headers: Mapping[str, str],
        *,
        tick: Callable[[], object] | None = None,
        close: Callable[[], None] | None = None,
    ) -> None:
        self._address = address
        self._transport = transport
        self.http = httpx.Client(base_url=address, headers=dict(headers), timeout=TIMEOUT, transport=transport)
        self._tick = tick
        self._close = close

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        key: str | None = None,
        repeat: bool = True,
        **body: Any,
    ) -> bytes:
        """Return the content of the answer; raises the error it stands for, Unreachable, NotHandrail."""
        headers = {**_headers(method, key), **body.pop("headers", {})}
        repeat = repeat or method in _REPEATABLE
        tried = 0
        while True:
            tried += 1
            response = None
            try:
                response = self.http.request(method, API + path, params=query(params or {}), headers=headers, **body)
            except httpx.TransportError as error:
                pause = _pause(tried, repeat, None)
                if pause is None:
                    raise _unreachable(self.http, error) from None
            else:
                pause = _pause(tried, repeat, response)
                if pause is None:
                    if response.is_success:
                        return response.content
                    raise refusal(response.status_code, response.content)
            self.sleep(pause)

    @contextmanager
    def stream(self, path: str, params: Mapping[str, Any]) -> Iterator[Iterator[bytes]]:
        """Give the content of a file in parts."""
        try:
            with self.http.stream("GET", API + path, params=query(params)) as response:
                if not response.is_success:
                    raise refusal(response.status_code, response.read())
                yield response.iter_bytes()
        except httpx.TransportError as error:
            raise _unreachable(self.http, error) from None

    def tick(self) -> None:
        """Let the loop of an embedded, seeded home react; a server's loop does so by itself."""
        if self._tick is not None:
            self._tick()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def content(self, file: Path) -> bytes:
        """Return what a file holds."""
        return file.read_bytes()

    def acting(self, headers: Mapping[str, str]) -> Wire:
        """Return a wire to the same place for somebody else."""
        return Wire(self._address, self._transport, headers, tick=self._tick)

    def close(self) -> None:
        """End the connections and, when it is embedded, the system; for a wire of somebody else nothing ends."""
        if self._close is not None:
            self.http.close()
            self._close()


class AsyncWire:
    """Calls that are awaited."""

    def __init__(
        self,
        address: str,
        transport: httpx.AsyncBaseTransport,
        headers: Mapping[str, str],
        *,
        tick: Callable[[], object] | None = None,
        close: Callable[[], None] | None = None,
    ) -> None:
        self._address = address
        self._transport = transport
        self.http = httpx.AsyncClient(base_url=address, headers=dict(headers), timeout=TIMEOUT, transport=transport)
        self._tick = tick
        self._close = close

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        key: str | None = None,
        repeat: bool = True,
        **body: Any,
    ) -> bytes:
        """Return the content of the answer; raises the error it stands for, Unreachable, NotHandrail."""
        headers = {**_headers(method, key), **body.pop("headers", {})}
        repeat = repeat or method in _REPEATABLE
        tried = 0
        while True:
            tried += 1
            response = None
            try:
                response = await self.http.request(
                    method, API + path, params=query(params or {}), headers=headers, **body
                )
            except httpx.TransportError as error:
                pause = _pause(tried, repeat, None)
                if pause is None:
                    raise _unreachable(self.http, error) from None
            else:
                pause = _pause(tried, repeat, response)
                if pause is None:
                    if response.is_success:
                        return response.content
                    raise refusal(response.status_code, response.content)
            await self.sleep(pause)

    @asynccontextmanager
    async def stream(self, path: str, params: Mapping[str, Any]) -> AsyncIterator[AsyncIterator[bytes]]:
        """Give the content of a file in parts."""
        try:
            async with self.http.stream("GET", API + path, params=query(params)) as response:
                if not response.is_success:
                    raise refusal(response.status_code, await response.aread())
                yield response.aiter_bytes()
        except httpx.TransportError as error:
            raise _unreachable(self.http, error) from None

    async def tick(self) -> None:
        """Let the loop of an embedded, seeded home react; a server's loop does so by itself."""
        if self._tick is not None:
            await asyncio.to_thread(self._tick)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def content(self, file: Path) -> bytes:
        """Return what a file holds."""
        return await asyncio.to_thread(file.read_bytes)

    def acting(self, headers: Mapping[str, str]) -> AsyncWire:
        """Return a wire to the same place for somebody else."""
        return AsyncWire(self._address, self._transport, headers, tick=self._tick)

    async def close(self) -> None:
        """End the connections and, when it is embedded, the system; for a wire of somebody else nothing ends."""
        if self._close is not None:
            await self.http.aclose()
            await asyncio.to_thread(self._close)
