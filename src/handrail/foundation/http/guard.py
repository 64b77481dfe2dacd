"""What stands before every route: who is it, is it really them, may they, in which project, how much do they send."""

from __future__ import annotations

import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Coroutine
from hashlib import sha256
from typing import Any, Protocol

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope as Received

from handrail.foundation.actors import Actor, Scope
from handrail.foundation.authorize import authorize, project_unknown
from handrail.foundation.clock import Clock
from handrail.foundation.errors import Forbidden, Invalid, NotFound, Unauthenticated
from handrail.foundation.http import body as bodies
from handrail.foundation.http.call import Call, NotSignedIn, filled, remember, takes_once
from handrail.foundation.http.declared import PUBLIC, SIGNED_IN, UNSAFE, Declared
from handrail.foundation.http.once import Afterwards, OnceOnly, digest, key_of
from handrail.foundation.http.reach import Reach
from handrail.foundation.storage import Storage, UnitOfWork

API = "/api/v1"
_PROJECTS_KEPT_S = 5.0
_PROJECTS_KEPT = 4096


class UnknownToken(Unauthenticated):
    """The Authorization header holds no token that is valid now."""

    code = "identity.unknown_token"


class CrossSite(Forbidden):
    """A page that is not of this server sent the request."""

    code = "request.cross_site"


class Gate(Protocol):
    """Tells who a visitor is. Both are on the path of every request and answer from memory when they can."""

    async def by_token(self, secret: str) -> Actor | None:
        """Return the actor of a token, None when it is not valid now."""
        ...

    async def by_session(self, secret: str) -> Actor | None:
        """Return the person of a session cookie, None when it is not valid now."""
        ...


FindProject = Callable[[UnitOfWork, str], str | None]
"""Returns the id of the project with this id or name, or None."""


def csrf_of(session: str) -> str:
    """Return what pages must send as X-CSRF-Token: it follows from the session's secret, not the other way round."""
    return urlsafe_b64encode(sha256(b"handrail csrf\x00" + session.encode()).digest()).decode().rstrip("=")


class Guard:
    """Lets requests in. One for a server."""

    def __init__(self, *, gate: Gate, storage: Storage, clock: Clock, find_project: FindProject, reach: Reach) -> None:
        self._gate = gate
        self._storage = storage
        self._clock = clock
        self._find_project = find_project
        self._reach = reach
        self._projects: dict[str, tuple[str, float]] = {}
        self._afterwards = Afterwards(storage, clock)

    async def enter(self, request: Request, declared: Declared) -> Call:
        """Return who calls, for which project.

        Raises NotSignedIn, UnknownToken, CrossSite, ProjectUnknown, PermissionMissing.
        """
        if b"%00" in request.scope.get("raw_path", b"") or b"%00" in request.scope["query_string"]:
            raise Invalid("The address holds the character NUL.")
        call = await self._visitor(request, declared)
        if declared.permission == PUBLIC:
            return call
        if call.actor is None:
            raise NotSignedIn("Nobody is signed in.", hint="Sign in, or send a token: Authorization: Bearer hr_…")
        if declared.in_project:
            project_id = await self._project(request.path_params["project"])
            call.scope = Scope(project_id)
            if declared.permission == SIGNED_IN:
                if call.actor.projects is not None and project_id not in call.actor.projects:
                    raise project_unknown()
            else:
                authorize(call.actor, declared.permission, project_id)
        elif declared.permission != SIGNED_IN:
            authorize(call.actor, declared.permission)
        return call

    async def _visitor(self, request: Request, declared: Declared) -> Call:
        headers = request.headers
        authorization = headers.get("authorization")
        if authorization is not None:
            kind, _, secret = authorization.partition(" ")
            actor = await self._gate.by_token(secret.strip()) if kind.lower() == "bearer" else None
            if actor is None:
                raise UnknownToken(
                    "This token is not known, or not valid any more.", hint="Make a new one under Tokens."
                )
            return Call(actor, None, None)
        unsafe = declared.method in UNSAFE
        if unsafe:
            self._refuse_other_pages(request)
        session = request.cookies.get(self._reach.cookie) if "cookie" in headers else None
        actor = await self._gate.by_session(session) if session else None
        if actor is None or session is None:
            return Call(None, None, None)
        # A public route (signing in) acts for nobody, so that a stale page can still use it.
        if unsafe and declared.permission != PUBLIC:
            shown = headers.get("x-csrf-token", "")
            if not hmac.compare_digest(shown.encode(), csrf_of(session).encode()):
                raise CrossSite(
                    "The request does not carry the token of this session.", hint="Load the page again and repeat."
                )
        return Call(actor, None, session)

    def _refuse_other_pages(self, request: Request) -> None:
        headers = request.headers
        origin = headers.get("origin")
        other = headers.get("sec-fetch-site") == "cross-site"
        if other or (origin is not None and not self._reach.is_own_origin(origin, headers.get("host", ""))):
            raise CrossSite("The request was sent by a page of another site.", hint="Use Handrail's own pages.")

    async def _project(self, name: str) -> str:
        known = self._projects.get(name)
        now = time.monotonic()
        if known is not None and known[1] > now:
            return known[0]
        try:
            found = await self._storage.aread(lambda uow: self._find_project(uow, name))
        except NotFound:
            found = None
        if found is None:
            self._projects.pop(name, None)
            raise project_unknown()
        if len(self._projects) >= _PROJECTS_KEPT:
            self._projects.clear()
        self._projects[name] = (found, now + _PROJECTS_KEPT_S)
        return found

    async def repeat(
        self, request: Request, call: Call, route: GuardedRoute, body: bytes, handle: Callable[[], Awaitable[Response]]
    ) -> Response:
        """Carry the request out, or give the kept answer when its Idempotency-Key was used before."""
        declared = route.declared
        key = None if declared.own_key or call.actor is None else key_of(request)
        if route.takes_once:
            actor_id = call.actor.id if call.actor is not None else ""
            request_digest = digest(request, body) if key is not None else b""
            call.once = OnceOnly(
                self._storage, self._clock, key=key, actor_id=actor_id, request=request_digest, status=declared.status
            )
        elif key is not None and call.actor is not None:
            return await self._afterwards.answer(call.actor.id, key, digest(request, body), handle)
        return await handle()


class GuardedRoute(APIRoute):
    """A route behind the guard. The only kind that the server starts with."""

    def __init__(self, declared: Declared, guard: Guard, **options: Any) -> None:
        self.declared = declared
        self._guard = guard
        # Every route is asked about every request: two looks at the path tell most of them apart without a pattern.
        self._slashes = (API + declared.path).count("/")
        self.takes_once = takes_once(declared.endpoint)
        last = declared.path.rpartition("/")[2]
        self._last = "" if last.startswith("{") else f"/{last}"
        super().__init__(
            API + declared.path,
            filled(declared.endpoint),
            methods=[declared.method],
            status_code=declared.status,
            tags=[declared.tag],
            **options,
        )

    def matches(self, scope: Received) -> tuple[Match, Received]:
        """Return whether this route is meant."""
        if not scope.get("root_path"):
            path: str = scope["path"]
            if path.count("/") != self._slashes or not path.endswith(self._last):
                return Match.NONE, {}
        return super().matches(scope)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the framework's handler with the guard before it."""
        handle = super().get_route_handler()
        guard, declared = self._guard, self.declared
        reads_json = self.body_field is not None
        plain = declared.own_key and not self.takes_once

        async def guarded(request: Request) -> Response:
            call = await guard.enter(request, declared)
            remember(request, call)
            content = await bodies.read_json(request, declared.body_limit) if reads_json else b""
            if plain:
                return await handle(request)
            return await guard.repeat(request, call, self, content, lambda: handle(request))

        return guarded
