"""`connect`: one call for a server, a home that a server owns, and a home that nobody has open."""

from __future__ import annotations

from pathlib import Path

import httpx

from handrail.doors.sdk.aio.client import AsyncClient
from handrail.doors.sdk.embedded import ADDRESS, Embedded, InProcess
from handrail.doors.sdk.sync.client import Client
from handrail.doors.sdk.wire import AsyncWire, Wire
from handrail.foundation.home import running_server
from handrail.foundation.settings import Settings, load


def connect(
    target: str | Path | None = None, *, token: str | None = None, demo: bool | None = None, seed: int | None = None
) -> Client:
    """Return a client of a server (`http://…` or `https://…`) or of a home folder.

    Without a target: HANDRAIL_URL, else HANDRAIL_HOME. A home whose server runs is reached through it; any other is
    opened in this process, and the client acts as this computer: a machine, never a person. `token` (else
    HANDRAIL_TOKEN) says who calls a server. `demo` marks a new home as a demonstration; `seed` makes every random
    draw repeat, in demonstrations only. Raises HomeInUse, SettingsRefused, NotADemonstration, Unreachable.
    """
    settings, found = _resolve(target, token, demo)
    if found is not None:
        return Client(Wire(found[0], httpx.HTTPTransport(), _bearer(found[1]), close=_nothing))
    opened = Embedded(settings, seed=seed)
    transport = InProcess(opened.api)

    def close() -> None:
        transport.end()
        opened.close()

    return Client(Wire(ADDRESS, transport, _bearer(opened.token), tick=opened.tick, close=close))


def connect_async(
    target: str | Path | None = None, *, token: str | None = None, demo: bool | None = None, seed: int | None = None
) -> AsyncClient:
    """Return a client whose calls are awaited; see `connect`. Opening a home blocks for a second or two."""
    settings, found = _resolve(target, token, demo)
    if found is not None:
        return AsyncClient(AsyncWire(found[0], httpx.AsyncHTTPTransport(), _bearer(found[1]), close=_nothing))
    opened = Embedded(settings, seed=seed)
    transport = httpx.ASGITransport(app=opened.api)
    return AsyncClient(AsyncWire(ADDRESS, transport, _bearer(opened.token), tick=opened.tick, close=opened.close))


def _resolve(
    target: str | Path | None, token: str | None, demo: bool | None
) -> tuple[Settings, tuple[str, str | None] | None]:
    """Return the settings, and (address, token) when the target is a server."""
    named = isinstance(target, str) and target.startswith(("http://", "https://"))
    settings = load(home=None if target is None or named else Path(target), demo=demo)
    secret = token or (None if settings.token is None else settings.token.get_secret_value())
    if named or (target is None and settings.url is not None):
        return settings, (str(target or settings.url).rstrip("/"), secret)
    server = running_server(settings.home)
    return settings, None if server is None else (server.url, token or server.token)


def _nothing() -> None:
    """End nothing: a server goes on without this client."""


def _bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}
