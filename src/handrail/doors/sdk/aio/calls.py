"""What every group of calls stands on: a wire and a place under which its addresses lie."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, TypeVar

from handrail.doors.sdk.wire import AsyncWire, parsed
from handrail.foundation.http import Page

T = TypeVar("T")


class AsyncCalls:
    """Sends calls to addresses under `place` and returns typed answers."""

    def __init__(self, wire: AsyncWire, place: str = "") -> None:
        self._wire = wire
        self._place = place

    async def _get(self, kind: type[T], path: str, **params: Any) -> T:
        answer: T = parsed(kind, await self._wire.send("GET", self._place + path, params=params))
        return answer

    async def _get_any(self, kind: type[T], path: str, **params: Any) -> T | None:
        answer: T | None = parsed(kind | None, await self._wire.send("GET", self._place + path, params=params))
        return answer

    async def _list(self, kind: type[T], path: str, **params: Any) -> list[T]:
        answer: Page[T] = parsed(
            Page[kind],  # type: ignore[valid-type]  # made at run time
            await self._wire.send("GET", self._place + path, params=params),
        )
        return answer.items

    async def _pages(self, kind: type[T], path: str, cursor: str = "after", **params: Any) -> AsyncIterator[T]:
        """Give every entry of a list, page by page; `cursor` names the parameter that takes a page's `next`."""
        following: str | None = None
        while True:
            asked = {**params, "limit": 200, cursor: following}
            page: Page[T] = parsed(
                Page[kind],  # type: ignore[valid-type]  # made at run time
                await self._wire.send("GET", self._place + path, params=asked),
            )
            for one in page.items:
                yield one
            following = page.next
            if following is None:
                return

    async def _post(self, kind: type[T], path: str, body: Any = None, *, key: str | None = None) -> T:
        sent: dict[str, Any] = {} if body is None else {"json": body}
        answer: T = parsed(kind, await self._wire.send("POST", self._place + path, key=key, **sent))
        return answer

    async def _save(self, place: str | Path, path: str, **params: Any) -> int:
        """Write a file that the server gives, complete or not at all, and return its size in bytes."""
        target = Path(place)
        incoming = target.with_name(f".{target.name}.part")
        size = 0
        try:
            with incoming.open("wb") as file:
                async with self._wire.stream(self._place + path, params) as parts:
                    async for part in parts:
                        size += file.write(part)
            incoming.replace(target)
        finally:
            incoming.unlink(missing_ok=True)
        return size
