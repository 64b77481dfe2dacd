"""How a stage declares its routes: each one with the permission that it needs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from handrail.foundation.authorize import is_permission
from handrail.foundation.errors import Broken

PUBLIC = "public"
"""Anybody may call it, signed in or not."""
SIGNED_IN = "signed_in"
"""Every known actor may call it; the route itself keeps to what the actor reaches."""

DEFAULT_BODY = 2 << 20
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class RouteWithoutPermission(Broken):
    """A route does not say who may call it; the server does not start."""

    code = "http.route_without_permission"


@dataclass(frozen=True)
class Declared:
    """One route: `path` without the /api/v1 prefix, `body_limit` in bytes.

    `own_key` means that the verb itself makes a repeated call harmless, so an Idempotency-Key is not looked at.
    """

    method: str
    path: str
    endpoint: Callable[..., Any]
    permission: str
    tag: str
    status: int = 200
    own_key: bool = False
    body_limit: int = DEFAULT_BODY
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def in_project(self) -> bool:
        """Return whether the path names a project."""
        return "{project}" in self.path

    def wrong(self) -> str:
        """Return what is wrong with this declaration, or ""."""
        if not self.permission:
            return "declares no permission"
        if self.permission not in (PUBLIC, SIGNED_IN) and not is_permission(self.permission):
            return f"declares {self.permission!r}, which is not of the form stage.verb"
        if self.in_project and self.permission == PUBLIC:
            return "is public and names a project"
        if not re.fullmatch(r"(/[a-z0-9_.-]+|/\{[a-z_]+\})+", self.path):
            return "has a path that is not lower-case words and {names}"
        return ""


class Routes:
    """The routes of one stage. `tag` groups them in the API's description."""

    def __init__(self, tag: str, *, prefix: str = "") -> None:
        self.tag = tag
        self.prefix = prefix
        self.declared: list[Declared] = []

    def get(self, path: str, *, permission: str, **options: Any) -> Callable[[Endpoint], Endpoint]:
        """Declare a GET route."""
        return self._declare("GET", path, permission, 200, {"own_key": True, **options})

    def post(
        self,
        path: str,
        *,
        permission: str,
        status: int = 200,
        own_key: bool = False,
        body_limit: int = DEFAULT_BODY,
        **options: Any,
    ) -> Callable[[Endpoint], Endpoint]:
        """Declare a POST route; with an Idempotency-Key its answer is kept and given again, unless `own_key`."""
        return self._declare(
            "POST", path, permission, status, {"own_key": own_key, "body_limit": body_limit, **options}
        )

    def put(
        self, path: str, *, permission: str, status: int = 200, body_limit: int = DEFAULT_BODY, **options: Any
    ) -> Callable[[Endpoint], Endpoint]:
        """Declare a PUT route; a repeated PUT changes nothing by its nature."""
        return self._declare("PUT", path, permission, status, {"own_key": True, "body_limit": body_limit, **options})

    def patch(
        self, path: str, *, permission: str, status: int = 200, body_limit: int = DEFAULT_BODY, **options: Any
    ) -> Callable[[Endpoint], Endpoint]:
        """Declare a PATCH route."""
        return self._declare("PATCH", path, permission, status, {"own_key": True, "body_limit": body_limit, **options})

    def delete(
        self, path: str, *, permission: str, status: int = 204, **options: Any
    ) -> Callable[[Endpoint], Endpoint]:
        """Declare a DELETE route."""
        return self._declare("DELETE", path, permission, status, {"own_key": True, **options})

    def _declare(
        self, method: str, path: str, permission: str, status: int, options: dict[str, Any]
    ) -> Callable[[Endpoint], Endpoint]:
        own_key = bool(options.pop("own_key"))
        body_limit = int(options.pop("body_limit", DEFAULT_BODY))

        def keep(endpoint: Endpoint) -> Endpoint:
            self.declared.append(
                Declared(
                    method, self.prefix + path, endpoint, permission, self.tag, status, own_key, body_limit, options
                )
            )
            return endpoint

        return keep
