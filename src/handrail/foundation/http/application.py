"""Puts the routes of all stages together into one application, and refuses to when one of them is not guarded."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response

from handrail.foundation.clock import Clock
from handrail.foundation.errors import HandrailError
from handrail.foundation.http import problem as problems
from handrail.foundation.http.declared import PUBLIC, Declared, Routes, RouteWithoutPermission
from handrail.foundation.http.guard import API, FindProject, Gate, Guard, GuardedRoute
from handrail.foundation.http.reach import Reach
from handrail.foundation.http.shield import Shield
from handrail.foundation.http.ui import Ui
from handrail.foundation.storage import Storage

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_DEFAULT: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "Why the request was not carried out.",
        "content": {problems.MEDIA_TYPE: {"schema": _PROBLEM}},
    }
}
_KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Makes a repeated call harmless: the first answer is given again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


class Health(BaseModel):
    """The server is up."""

    status: str
    version: str


class Api(FastAPI):
    """The application, with the exact description of its API."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document: every route, its permission, its problems."""
        if self.openapi_schema is None:
            document = super().openapi()
            components = document.setdefault("components", {})
            schema = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas = components.setdefault("schemas", {})
            schemas.update(schema.pop("$defs", {}))
            schemas["Problem"] = schema
            components["securitySchemes"] = {
                "session": {"type": "apiKey", "in": "cookie", "name": "handrail_session"},
                "token": {"type": "http", "scheme": "bearer"},
            }
            self.openapi_schema = document
        return self.openapi_schema


def application(
    routes: Sequence[Routes],
    *,
    gate: Gate,
    storage: Storage,
    clock: Clock,
    find_project: FindProject,
    reach: Reach,
    ui: Path | None = None,
    version: str = "0",
    lifespan: Lifespan | None = None,
) -> FastAPI:
    """Return the ASGI application with every declared route under /api/v1 and the pages everywhere else.

    Raises RouteWithoutPermission when a route does not say who may call it; `lifespan` runs around serving.
    """
    api = Api(
        title="Handrail",
        version=version,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[Middleware(Shield, reach=reach)],
        exception_handlers={
            HandrailError: problems.on_handrail_error,
            RequestValidationError: problems.on_fields,
            HTTPException: problems.on_http,
        },
        lifespan=_checked(lifespan),
        **_no_telemetry(),
    )
    guard = Guard(gate=gate, storage=storage, clock=clock, find_project=find_project, reach=reach)
    declared = [one for part in [*routes, _own(api, version)] for one in part.declared]
    _refuse_wrong(declared)
    api.router.routes.extend(GuardedRoute(one, guard, **_options(one)) for one in declared)
    api.router.default = Ui(ui, reach.prefix)
    refuse_unguarded(api)
    return api


def refuse_unguarded(api: FastAPI) -> None:
    """Raise RouteWithoutPermission when the application has a route that does not stand behind the guard."""
    bare = [getattr(route, "path", repr(route)) for route in api.routes if not isinstance(route, GuardedRoute)]
    if bare:
        raise RouteWithoutPermission(
            f"These routes do not pass the guard: {', '.join(bare)}.", hint="Declare them with Routes, permission=…"
        )


def _refuse_wrong(declared: Sequence[Declared]) -> None:
    wrong = [f"{one.method} {one.path} {what}" for one in declared if (what := one.wrong())]
    seen: set[tuple[str, str]] = set()
    for one in declared:
        for place in ((one.method, one.path), ("operation", _operation(one))):
            if place in seen:
                wrong.append(f"{' '.join(place)} is declared twice")
            seen.add(place)
    if wrong:
        raise RouteWithoutPermission(f"The server does not start: {'; '.join(wrong)}.", hint="See foundation/http.")


def _operation(one: Declared) -> str:
    return f"{one.tag}_{one.endpoint.__name__}"


def _options(one: Declared) -> dict[str, Any]:
    extra: dict[str, Any] = {"x-permission": one.permission}
    if one.permission != PUBLIC:
        extra["security"] = [{"session": []}, {"token": []}]
    if not one.own_key:
        extra["parameters"] = [_KEY_HEADER]
    options = {"responses": _DEFAULT, "operation_id": _operation(one), **one.options}
    options["openapi_extra"] = {**extra, **options.get("openapi_extra", {})}
    return options


def _own(api: Api, version: str) -> Routes:
    routes = Routes("server")

    @routes.get("/health", permission=PUBLIC)
    async def health() -> Health:
        """Tell that the server is up."""
        return Health(status="ok", version=version)

    @routes.get("/openapi.json", permission=PUBLIC, include_in_schema=False)
    async def describe() -> Response:
        """Return the description of this API."""
        return problems.json_response(api.openapi())

    return routes


def _checked(lifespan: Lifespan | None) -> Lifespan:
    """Check the routes once more when serving begins: code may have added one in between."""

    @asynccontextmanager
    async def checked(api: FastAPI) -> AsyncIterator[None]:
        refuse_unguarded(api)
        if lifespan is None:
            yield
        else:
            async with lifespan(api):
                yield

    return checked


def _no_telemetry() -> dict[str, Any]:
    """Turn off the framework's own tracing, in the versions that have it."""
    if "telemetry" not in inspect.signature(FastAPI.__init__).parameters:
        return {}
    off = dict.fromkeys(("tracing", "metrics", "logs", "operation_spans", "auto_configure"), False)
    return {"telemetry": off}


__all__ = ["API", "application", "refuse_unguarded"]
