"""Reading what a visitor sends: never more than the limit, never longer than the time, JSON that is JSON."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic_core import from_json
from starlette.requests import Request

from handrail.foundation.errors import Invalid
from handrail.foundation.http.problem import BodyTooLarge, BodyTooSlow, NotJson, WrongContentType

_PATIENCE_S = 30.0


class NulInText(Invalid):
    """A text holds the character NUL, which databases cannot keep."""

    code = "request.nul_in_text"


def _too_large(limit: int) -> BodyTooLarge:
    amount = f"{limit >> 20} MiB" if limit >= 1 << 20 else f"{limit} bytes"
    return BodyTooLarge(
        f"The request is larger than {amount}, the limit of this address.", hint="Send it in parts.", limit=limit
    )


def _check_length(request: Request, limit: int) -> None:
    stated = request.headers.get("content-length")
    if stated is not None and (not stated.isascii() or not stated.isdigit() or int(stated[:20]) > limit):
        raise _too_large(limit)


async def read(request: Request, limit: int, *, patience_s: float = _PATIENCE_S) -> bytes:
    """Return the whole body; raises BodyTooLarge once it is over `limit` bytes, BodyTooSlow after `patience_s`."""
    _check_length(request, limit)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(patience_s):
            async for chunk in request.stream():
                size += len(chunk)
                if size > limit:
                    raise _too_large(limit)
                chunks.append(chunk)
    except TimeoutError:
        raise BodyTooSlow(f"The request did not arrive within {patience_s:.0f} seconds.") from None
    body = b"".join(chunks)
    request._body = body  # Starlette's own place for a body that was read
    return body


def is_json(content_type: str | None) -> bool:
    """Return whether a Content-Type names JSON."""
    kind = (content_type or "").partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


async def read_json(request: Request, limit: int) -> bytes:
    """Read and parse a JSON body and leave the value where the framework looks for it; return the bytes.

    A form or plain text is refused: a page elsewhere can send those without asking. Raises WrongContentType, NotJson,
    NulInText, BodyTooLarge, BodyTooSlow.
    """
    content_type = request.headers.get("content-type")
    if not is_json(content_type):
        stated = request.headers.get("content-length", "")
        if content_type is None and (stated == "0" or (not stated and "transfer-encoding" not in request.headers)):
            request._body = b""
            return b""
        raise WrongContentType("This address takes application/json.", hint="Set Content-Type: application/json.")
    body = await read(request, limit)
    if not body:
        return body
    try:
        value = from_json(body, allow_inf_nan=False, cache_strings="keys")
    except ValueError as error:
        raise NotJson(f"The body is not JSON: {str(error)[:200]}.", hint="NaN and Infinity are not JSON.") from None
    if b"\\u0000" in body and _holds_nul(value):
        raise NulInText("A text holds the character NUL (\\u0000), which cannot be kept.", hint="Remove it.")
    request._json = value
    return body


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any("\x00" in key or _holds_nul(inner) for key, inner in value.items())
    return isinstance(value, list) and any(_holds_nul(inner) for inner in value)


async def arriving(request: Request, limit: int) -> AsyncIterator[bytes]:
    """Give the parts of a body as they arrive; each must arrive within 30 seconds.

    Raises BodyTooLarge as soon as it is over `limit` bytes, BodyTooSlow.
    """
    _check_length(request, limit)
    size = 0
    parts = request.stream().__aiter__()
    while True:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                part = await anext(parts, None)
        except TimeoutError:
            raise BodyTooSlow("The upload stood still for too long.") from None
        if part is None:
            return
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        yield part


@asynccontextmanager
async def received(request: Request, limit: int, folder: Path | None = None) -> AsyncIterator[Path]:
    """Keep an uploaded body in a private file for as long as the block lasts, and yield its path.

    Raises BodyTooLarge as soon as it is over `limit` bytes. Each part must arrive within 30 seconds.
    """
    _check_length(request, limit)
    handle, name = await asyncio.to_thread(tempfile.mkstemp, prefix="received-", dir=folder)
    place = Path(name)
    try:
        with os.fdopen(handle, "wb") as target:
            async for part in arriving(request, limit):
                await asyncio.to_thread(target.write, part)
        yield place
    finally:
        await asyncio.to_thread(place.unlink, missing_ok=True)
