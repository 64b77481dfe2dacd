"""What the guard knows of a request, and the parameters by which endpoints ask for it.

The framework could hand these over as dependencies, but it solves each of them anew for every request, a good part of
what a small request costs. So they are taken out of the signature that the framework sees.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, cast, get_origin

from fastapi import Path
from starlette.requests import Request

from handrail.foundation.actors import Actor, Scope
from handrail.foundation.errors import Broken, Unauthenticated
from handrail.foundation.http.once import OnceOnly

_KEY = "handrail.call"
_PROJECT = Annotated[str, Path(description="Id or name of the project.")]


class NotSignedIn(Unauthenticated):
    """The route is not public and the visitor is nobody known."""

    code = "identity.not_signed_in"


class OutsideRequest(Broken):
    """A route asked for what only a declared route has."""

    code = "http.outside_request"


@dataclass(slots=True)
class Call:
    """What the guard knows of one request; `session` is the secret of the cookie it came with, if that was valid."""

    actor: Actor | None
    scope: Scope | None
    session: str | None
    once: OnceOnly | None = None


def remember(request: Request, call: Call) -> None:
    """Keep what the guard knows with the request."""
    request.scope[_KEY] = call


def _call(request: Request) -> Call:
    call = request.scope.get(_KEY)
    if not isinstance(call, Call):
        raise OutsideRequest("A route was reached without passing the guard.")
    return call


def _who(call: Call) -> Actor:
    if call.actor is None:
        raise NotSignedIn("Nobody is signed in.")
    return call.actor


def _scope(call: Call) -> Scope:
    if call.scope is None:
        raise OutsideRequest("A route without a project asked for one.")
    return call.scope


def _once(call: Call) -> OnceOnly:
    if call.once is None:
        raise OutsideRequest("A route that keeps no answers asked to.")
    return call.once


@dataclass(frozen=True)
class Given:
    """Marks a parameter that the guard fills, with what takes its value out of the call."""

    of: Callable[[Call], Any]


Who = Annotated[Actor, Given(_who)]
"""Parameter type: the actor who calls."""
In = Annotated[Scope, Given(_scope)]
"""Parameter type: the project in the path, checked to be in the actor's reach."""
Once = Annotated[OnceOnly, Given(_once)]
"""Parameter type: commits this request's unit together with its kept answer."""
Visit = Annotated[Call, Given(lambda call: call)]
"""Parameter type: what is known of the visitor, who may be nobody; for public routes."""


def takes_once(endpoint: Callable[..., Any]) -> bool:
    """Return whether an endpoint commits through `Once`."""
    return any(given.of is _once for given in _given(inspect.signature(endpoint, eval_str=True)).values())


def filled(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Return the endpoint as the framework calls it: without the parameters that the guard fills.

    A path that names a project goes on being described as one, though only the guard reads it.
    """
    signature = inspect.signature(endpoint, eval_str=True)
    given = {name: one.of for name, one in _given(signature).items()}
    if not given:
        return endpoint
    shown = {name: one for name, one in signature.parameters.items() if name not in given}
    if _scope in given.values() and "project" not in shown:
        shown["project"] = inspect.Parameter("project", inspect.Parameter.KEYWORD_ONLY, annotation=_PROJECT)
    request = next((name for name, one in shown.items() if one.annotation is Request), None)
    request_name = request or "guarded_request"
    if request is None:
        shown[request_name] = inspect.Parameter(request_name, inspect.Parameter.KEYWORD_ONLY, annotation=Request)
    unknown = [name for name in (request_name, "project") if name not in signature.parameters and name in shown]

    def values_of(sent: dict[str, Any]) -> dict[str, Any]:
        call = _call(sent[request_name])
        for name in unknown:
            del sent[name]
        for name, of in given.items():
            sent[name] = of(call)
        return sent

    made: Any
    if inspect.iscoroutinefunction(endpoint):

        async def awaited(**sent: Any) -> Any:
            return await endpoint(**values_of(sent))

        made = awaited
    else:

        def called(**sent: Any) -> Any:
            return endpoint(**values_of(sent))

        made = called
    for name in ("__name__", "__qualname__", "__doc__", "__module__"):
        setattr(made, name, getattr(endpoint, name))
    by_name = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in shown.values()]
    made.__signature__ = signature.replace(parameters=by_name)
    return cast("Callable[..., Any]", made)


def _given(signature: inspect.Signature) -> dict[str, Given]:
    return {
        name: mark
        for name, one in signature.parameters.items()
        if get_origin(one.annotation) is Annotated
        for mark in one.annotation.__metadata__
        if isinstance(mark, Given)
    }
