"""Parameters that the guard fills are not the framework's."""

from __future__ import annotations

import inspect
from typing import Annotated, Any

import pytest
from fastapi import Path
from starlette.requests import Request

from handrail.foundation.actors import Actor, Scope
from handrail.foundation.http.call import Call, In, NotSignedIn, Once, OutsideRequest, Visit, Who, filled, remember
from handrail.foundation.http.call import takes_once as takes

ANNA = Actor(kind="person", id="anna", name="Anna")


def _request(call: Call | None) -> Request:
    request = Request({"type": "http", "headers": []})
    if call is not None:
        remember(request, call)
    return request


async def awaited(n: int, who: Who, scope: In, visit: Visit, m: int = 2) -> tuple[Any, ...]:
    """Say what was given."""
    return n, m, who.id, scope.project_id, visit.session


def plain(request: Request, who: Who) -> tuple[str, str]:
    return request["type"], who.id


def own_project(project: Annotated[str, Path()], scope: In) -> tuple[str, str]:
    return project, scope.project_id


def keeps(once: Once) -> Once:
    return once


async def test_the_framework_sees_the_rest_and_the_endpoint_gets_everything() -> None:
    made = filled(awaited)
    seen = inspect.signature(made).parameters
    assert list(seen) == ["n", "m", "project", "guarded_request"]
    assert seen["m"].default == 2
    assert (made.__name__, made.__doc__) == ("awaited", "Say what was given.")
    assert inspect.iscoroutinefunction(made)
    request = _request(Call(ANNA, Scope("p-1"), "secret"))
    assert await made(n=1, m=3, project="first", guarded_request=request) == (1, 3, "anna", "p-1", "secret")


def test_what_an_endpoint_asks_for_itself_it_gets() -> None:
    request = _request(Call(ANNA, Scope("p-1"), None))
    made = filled(plain)
    assert list(inspect.signature(made).parameters) == ["request"]
    assert made(request=request) == ("http", "anna")
    made = filled(own_project)
    assert list(inspect.signature(made).parameters) == ["project", "guarded_request"]
    assert made(project="first", guarded_request=request) == ("first", "p-1")
    assert filled(_request) is _request


def test_what_is_not_there_is_refused() -> None:
    nobody = Call(None, None, None)
    with pytest.raises(NotSignedIn):
        filled(plain)(request=_request(nobody))
    with pytest.raises(OutsideRequest, match="without a project"):
        filled(own_project)(project="first", guarded_request=_request(nobody))
    with pytest.raises(OutsideRequest, match="keeps no answers"):
        filled(keeps)(guarded_request=_request(nobody))
    with pytest.raises(OutsideRequest, match="without passing the guard"):
        filled(plain)(request=_request(None))


def test_who_commits_through_once() -> None:
    assert takes(keeps)
    assert not takes(awaited)
