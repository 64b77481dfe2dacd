"""Idempotency-Key: a repeated call gets the first answer and changes nothing again.

Two ways. A route that takes `once: Once` commits through `once.write(unit)`: the answer is kept in the transaction of
the change, so no crash comes in between. Any other POST keeps its answer in a transaction of its own, right after the
change; a crash between the two lets a repeated call through, so its verb must bear that (a unique name, a state).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import TypeVar, cast

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from handrail.foundation.clock import Clock, micros
from handrail.foundation.errors import Conflict, Invalid
from handrail.foundation.http import store
from handrail.foundation.storage import Storage, UnitOfWork

Made = TypeVar("Made", bound=BaseModel)
_KEY = re.compile(r"[!-~]{1,255}")
KEPT_S = 24 * 3600
_LARGEST = 1 << 20


class KeyReused(Conflict):
    """The Idempotency-Key was used for another call."""

    code = "request.key_reused"


class BadKey(Invalid):
    """The Idempotency-Key is not 1 to 255 visible ASCII characters."""

    code = "request.bad_key"


def key_of(request: Request) -> str | None:
    """Return the Idempotency-Key of a request, or None without one; raises BadKey."""
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise BadKey("An Idempotency-Key is 1 to 255 visible ASCII characters.", hint="Use a new UUID for each call.")
    return key


def digest(request: Request, body: bytes) -> bytes:
    """Return what tells one call from another: method, path, query and body."""
    seen = sha256()
    for part in (
        request.method.encode(),
        request.scope["path"].encode("utf-8", "surrogateescape"),
        request.scope["query_string"],
        body,
    ):
        seen.update(len(part).to_bytes(8, "big"))
        seen.update(part)
    return seen.digest()


def _replay(known: store.KeptAnswer, request: bytes) -> Response:
    if known.request != request:
        raise KeyReused(
            "This Idempotency-Key was used for another call.",
            hint="Use a new key for each call; use the old one only to repeat exactly the same call.",
        )
    return Response(known.body, known.status, {"Idempotency-Replayed": "true"}, "application/json")


class OnceOnly:
    """Commits the unit of one request, and keeps its answer with it when the visitor gave a key."""

    __slots__ = ("_actor_id", "_clock", "_key", "_request", "_status", "_storage")

    def __init__(
        self, storage: Storage, clock: Clock, *, key: str | None, actor_id: str, request: bytes, status: int
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._key = key
        self._actor_id = actor_id
        self._request = request
        self._status = status

    async def write(self, unit: Callable[[UnitOfWork], Made]) -> Made:
        """Run `unit` in one transaction and return the answer it makes.

        With a key that was used for the same call, nothing is run and the first answer is returned as it was sent.
        Raises KeyReused, and what `unit` raises.
        """
        if self._key is None:
            return await self._storage.awrite(unit)
        found = await self._storage.awrite(lambda uow: self._keyed(uow, unit))
        # A Response in place of the model is passed on by the framework untouched.
        return cast("Made", _replay(found, self._request)) if isinstance(found, store.KeptAnswer) else found

    def _keyed(self, uow: UnitOfWork, unit: Callable[[UnitOfWork], Made]) -> Made | store.KeptAnswer:
        assert self._key is not None
        known = store.reserve(
            uow,
            actor_id=self._actor_id,
            key=self._key,
            request=self._request,
            status=self._status,
            body=b"",
            time=micros(self._clock.now()),
        )
        if known is not None:
            return known
        made = unit(uow)
        store.fill(uow, actor_id=self._actor_id, key=self._key, body=made.model_dump_json().encode())
        return made


class Afterwards:
    """Keeps answers right after their change, for routes that do not commit through `Once`."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._running: dict[tuple[str, str], asyncio.Event] = {}

    async def answer(
        self, actor_id: str, key: str, request: bytes, handle: Callable[[], Awaitable[Response]]
    ) -> Response:
        """Return the kept answer of the same call, or that of `handle`, which is kept when it is a success.

        A second call that arrives while the first still runs waits for it. Raises KeyReused.
        """
        place = (actor_id, key)
        while (running := self._running.get(place)) is not None:
            await running.wait()
        done = self._running[place] = asyncio.Event()
        try:
            known = await self._storage.aread(lambda uow: store.find(uow, actor_id, key))
            if known is not None:
                return _replay(known, request)
            response = await handle()
            await self._keep(place, request, response)
            return response
        finally:
            del self._running[place]
            done.set()

    async def _keep(self, place: tuple[str, str], request: bytes, response: Response) -> None:
        body = bytes(getattr(response, "body", b""))
        streams = hasattr(response, "body_iterator") or hasattr(response, "path")
        if not 200 <= response.status_code < 300 or streams or len(body) > _LARGEST:
            return
        time = micros(self._clock.now())
        status = response.status_code
        await self._storage.awrite(
            lambda uow: store.reserve(
                uow, actor_id=place[0], key=place[1], request=request, status=status, body=body, time=time
            )
        )


def forget_old(uow: UnitOfWork, clock: Clock) -> int:
    """Delete kept answers older than a day and return how many; for the server's start and a daily job."""
    return store.forget(uow, micros(clock.now()) - KEPT_S * 1_000_000)
