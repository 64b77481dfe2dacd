from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from handrail.foundation.clock import FixedClock
from handrail.foundation.http import Routes, RouteWithoutPermission, reach, refuse_unguarded
from handrail.foundation.storage import Storage
from tests.served import PASSWORD, Served

THINGS = "/api/v1/projects/first/things"
# What the databases do differently is tested with the kept answers and with identity.
pytestmark = pytest.mark.parametrize("storage_url", ["sqlite"], indirect=True)


def _problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert body["code"] == code
    assert body["title"]
    assert body["detail"]
    assert body["detail"][-1] in ".!"
    return body


class Out(BaseModel):
    """Nothing."""


def _routes(permission: str, path: str = "/x", name: str = "endpoint") -> Routes:
    routes = Routes("test")

    async def endpoint() -> Out:
        return Out()

    endpoint.__name__ = name
    routes.get(path, permission=permission)(endpoint)
    return routes


@pytest.mark.parametrize("permission", ["", "everything", "tasks.*", "Tasks.read", "tasks.read@p1"])
def test_a_route_without_a_permission_stops_the_server(served: Served, tmp_path: Path, permission: str) -> None:
    with pytest.raises(RouteWithoutPermission) as refused:
        Served(served.storage, FixedClock(served.identity._clock.now()), tmp_path, routes=[_routes(permission)])
    assert "GET /x" in refused.value.sentence


@pytest.mark.parametrize(
    ("path", "permission"), [("/x/{project}", "public"), ("/X", "test.read"), ("/x/", "test.read"), ("", "test.read")]
)
def test_other_wrong_declarations_stop_the_server(
    served: Served, clock: FixedClock, path: str, permission: str
) -> None:
    with pytest.raises(RouteWithoutPermission):
        Served(served.storage, clock, served.folder, routes=[_routes(permission, path)])


def test_the_same_route_or_name_twice_stops_the_server(served: Served, clock: FixedClock) -> None:
    twice = [_routes("test.read", name="a"), _routes("test.read", name="b")]
    with pytest.raises(RouteWithoutPermission, match="GET /x is declared twice"):
        Served(served.storage, clock, served.folder, routes=twice)
    twice = [_routes("test.read", "/x"), _routes("test.read", "/y")]
    with pytest.raises(RouteWithoutPermission, match="test_endpoint is declared twice"):
        Served(served.storage, clock, served.folder, routes=twice)


async def _bare(request: Any) -> PlainTextResponse:
    return PlainTextResponse("")


@pytest.mark.parametrize("way", ["route", "decorator", "mount", "websocket"])
async def test_a_route_past_the_guard_stops_the_server(served: Served, way: str) -> None:
    api: FastAPI = served.api
    if way == "route":
        api.router.routes.append(Route("/bare", _bare))
    elif way == "decorator":
        api.get("/bare")(lambda: "")
    elif way == "mount":
        api.router.routes.append(Mount("/bare", _bare))
    else:
        api.websocket("/bare")(_bare)
    with pytest.raises(RouteWithoutPermission, match="/bare"):
        refuse_unguarded(api)
    with pytest.raises(RouteWithoutPermission, match="/bare"):
        async with api.router.lifespan_context(api):
            pass


async def test_who_is_not_known_is_refused_before_the_body_is_read(served: Served) -> None:
    async def body() -> Any:
        raise AssertionError("the body was read")
        yield b""

    async with served.client() as client:
        _problem(await client.post(THINGS, content=body()), 401, "identity.not_signed_in")
        response = await client.get(THINGS, headers={"Authorization": "Bearer hr_" + "a" * 43})
        _problem(response, 401, "identity.unknown_token")
        assert response.headers["www-authenticate"] == "Bearer"


async def test_a_role_opens_what_it_names_and_nothing_else(served: Served) -> None:
    async with served.machine("auditor") as client:
        assert (await client.get(THINGS)).status_code == 200
        body = _problem(await client.post(THINGS, json={"name": "a"}), 403, "identity.permission_missing")
        assert body["facts"] == {"permission": "things.make"}
        _problem(await client.delete(THINGS + "/x"), 403, "identity.permission_missing")


async def test_projects_by_id_or_name_and_others_do_not_exist(served: Served) -> None:
    async with served.machine("owner", frozenset({"p1"})) as client:
        for name in ("p1", "first"):
            found = (await client.get(f"/api/v1/projects/{name}/things")).json()["items"][0]
            assert found["project_id"] == "p1"
        answers = [await client.get(f"/api/v1/projects/{name}/things") for name in ("p2", "second", "none")]
        bodies = [_problem(answer, 404, "projects.unknown") for answer in answers]
        assert bodies[0] == bodies[1] == bodies[2]


async def test_fields_that_are_wrong_are_named(served: Served) -> None:
    async with served.machine() as client:
        wrong = {"name": 3, "amount": "much", "parts": [{"a": 1}, {"a": "b"}], "more": 1}
        body = _problem(await client.post(THINGS, json=wrong), 422, "request.invalid")
        assert {one["field"] for one in body["errors"]} == {"name", "amount", "parts.1.a", "more"}
        assert {one["place"] for one in body["errors"]} == {"body"}
        assert "much" not in json.dumps(body)
        body = _problem(await client.get(THINGS + "?limit=0"), 422, "request.invalid")
        assert (body["errors"][0]["field"], body["errors"][0]["place"]) == ("limit", "query")
        _problem(await client.post(THINGS), 422, "request.invalid")
    assert served.count() == 0


@pytest.mark.parametrize(
    "text",
    ["", "{", "[1,]", '{"name": NaN}', '{"name": "a", "amount": Infinity}', "\xff", "[" * 5000, '{"name":"\\ud800"}'],
)
async def test_what_is_not_json_is_refused(served: Served, text: str) -> None:
    async with served.machine() as client:
        response = await client.post(
            THINGS, content=text.encode("latin-1"), headers={"Content-Type": "application/json"}
        )
        assert response.status_code == 422
        assert response.json()["code"] in ("request.not_json", "request.invalid")


async def test_errors_of_a_stage_become_problems(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    async with served.machine() as client:
        for path in (THINGS, THINGS + "/slow", THINGS + "/own"):
            body = _problem(await client.post(path, json={"name": "taken"}), 409, "things.taken")
            assert (body["hint"], body["facts"]) == ("Take another one.", {"name": "taken"})
            response = await client.post(path, json={"name": "busy"})
            _problem(response, 503, "system.busy")
            assert response.headers["retry-after"] == "7"
            with caplog.at_level(logging.ERROR):
                response = await client.post(path, json={"name": "break"})
            body = _problem(response, 500, "system.broken")
            assert "secret" not in response.text
            assert "ZeroDivision" not in response.text
            assert body["facts"]["incident"] in caplog.text
            assert "an internal secret" in caplog.text
    assert served.count() == 0


async def test_unknown_addresses_and_methods(served: Served) -> None:
    async with served.machine() as client:
        for path in ("/api", "/api/v1", "/api/v1/none", "/api/v2/session", "/api/v1/session/"):
            _problem(await client.get(path), 404, "request.no_such_path")
        response = await client.put(THINGS)
        _problem(response, 405, "request.method_not_allowed")
        assert response.headers["allow"]
        _problem(await client.request("TRACE", "/api/v1/session"), 405, "request.method_not_allowed")
        _problem(await client.options(THINGS), 405, "request.method_not_allowed")
        assert (await client.get("/api/v1/health")).json() == {"status": "ok", "version": "1.2.3"}


async def test_a_person_signs_up_works_and_signs_out(served: Served) -> None:
    async with served.client() as client:
        assert (await client.get("/api/v1/session")).json() == {
            "actor": None, "setup_needed": True, "csrf": None, "demo": False,
        }  # fmt: skip
        link = served.identity.first_link()
        person = {"token": link, "name": "Ann", "email": "ann@example.org", "password": PASSWORD}
        made = (await client.post("/api/v1/setup", json=person)).json()
        assert made["actor"]["kind"] == "person"
        session = (await client.get("/api/v1/session")).json()
        assert session == made
        assert not session["setup_needed"]
        csrf = {"X-CSRF-Token": session["csrf"]}
        assert (await client.post(THINGS, json={"name": "a"}, headers=csrf)).status_code == 201
        assert (await client.delete("/api/v1/session", headers=csrf)).status_code == 204
        assert not client.cookies
        assert (await client.get("/api/v1/session")).json()["actor"] is None
        _problem(await client.get(THINGS), 401, "identity.not_signed_in")
        signed = await client.post("/api/v1/session", json={"email": "ann@example.org", "password": PASSWORD})
        assert signed.json()["actor"]["name"] == "Ann"
        assert signed.json()["csrf"] != session["csrf"]
    _problem(await served.client().post("/api/v1/setup", json=person), 403, "identity.link_not_valid")


async def test_people_and_tokens_over_http(served: Served) -> None:
    signed = await served.owner()
    async with served.client(cookies={served.reach.cookie: signed.secret}) as client:
        client.headers["X-CSRF-Token"] = (await client.get("/api/v1/session")).json()["csrf"]
        bea = {"name": "Bea", "email": "bea@example.org", "role": "reviewer", "project": "first"}
        invited = (await client.post("/api/v1/people", json=bea)).json()
        assert invited["person"]["roles"] == [{"role": "reviewer", "project_id": "p1"}]
        person_id = invited["person"]["id"]
        join = {"token": invited["token"], "name": "Bea", "email": "bea@example.org", "password": PASSWORD}
        assert (await served.client().post("/api/v1/setup", json=join)).status_code == 200
        listed = (await client.get("/api/v1/people")).json()["items"]
        assert [one["name"] for one in listed] == ["Ann Berg", "Bea"]
        given = {"role": "lead", "project": "second"}
        assert (await client.put(f"/api/v1/people/{person_id}/roles", json=given)).status_code == 204
        taken = await client.delete(f"/api/v1/people/{person_id}/roles/reviewer", params={"project": "p1"})
        assert taken.status_code == 204
        listed = (await client.get("/api/v1/people?limit=1")).json()
        listed = (await client.get("/api/v1/people", params={"after": listed["next"]})).json()
        assert listed["items"][0]["roles"] == [{"role": "lead", "project_id": "p2"}]
        assert (await client.post(f"/api/v1/people/{person_id}/link")).json()["token"]
        assert (await client.delete(f"/api/v1/people/{person_id}")).status_code == 204
        _problem(await client.delete(f"/api/v1/people/{person_id}"), 404, "identity.person_unknown")
        _problem(await client.post("/api/v1/people", json={**bea, "project": "none"}), 404, "projects.unknown")

        made = (await client.post("/api/v1/tokens", json={"name": "ci", "projects": ["first"], "days": 3})).json()
        assert made["token"]["projects"] == ["p1"]
        async with served.client(headers={"Authorization": f"Bearer {made['secret']}"}) as machine:
            assert (await machine.get("/api/v1/session")).json()["actor"]["kind"] == "machine"
            assert (await machine.get("/api/v1/projects/p2/things")).status_code == 404
            _problem(await machine.get("/api/v1/tokens"), 403, "identity.permission_missing")
        assert (await client.delete(f"/api/v1/tokens/{made['token']['id']}")).status_code == 204
        assert made["secret"] not in (await client.get("/api/v1/tokens")).text
        roles = (await client.get("/api/v1/roles")).json()["items"]
        assert "reviewer" in [one["name"] for one in roles]


async def test_an_upload_is_received_to_a_private_file_that_goes_again(served: Served) -> None:
    async with served.machine() as client:
        assert (await client.post(THINGS + "/upload", content=b"x" * 1000)).json() == {"length": 1000}
        assert (await client.post(THINGS + "/upload", content=b"")).json() == {"length": 0}
    assert list(served.folder.iterdir()) == []


async def test_a_route_without_a_body_takes_any_content_type(served: Served) -> None:
    async with served.machine() as client:
        assert (await client.post(THINGS + "/empty")).status_code == 200
        assert (await client.post(THINGS + "/empty", json={"x": 1})).status_code == 200


async def test_under_a_prefix(storage: Storage, storage_url: str, clock: FixedClock, tmp_path: Path) -> None:
    ui = tmp_path / "ui"
    ui.mkdir()
    (ui / "index.html").write_text('<base href="/" /><script src="./assets/a.js"></script>')
    at = reach(host="127.0.0.1", port=1, prefix="/review", public_url="https://handrail.example/review")
    served = Served(storage, clock, tmp_path, at=at, ui=ui)
    link = served.identity.first_link()
    person = {"token": link, "name": "Ann", "email": "ann@example.org", "password": PASSWORD}
    async with served.client("https://handrail.example") as client:
        for path in (
            "/review/api/v1/health",
            "/api/v1/health",
        ):  # with a proxy that keeps the prefix, and one that strips it
            assert (await client.get(path)).status_code == 200
        for path in ("/review", "/review/", "/review/projects/p1", "/"):
            assert '<base href="/review/" />' in (await client.get(path)).text
        made = await client.post("/review/api/v1/setup", json=person)
        cookie = made.headers["set-cookie"].lower()
        assert "path=/review" in cookie
        assert "secure" in cookie
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert made.headers["strict-transport-security"]
        assert (await client.get("/review/api/v1/session")).json()["actor"]["name"] == "Ann"
        assert (await client.get("/reviewer/api/v1/session")).headers["content-type"].startswith("text/html")
    served.identity.close()


async def test_the_description_names_every_route_its_permission_and_its_problems(served: Served) -> None:
    async with served.client() as client:
        document = (await client.get("/api/v1/openapi.json")).json()
    names = set()
    for path, operations in document["paths"].items():
        assert path.startswith("/api/v1/")
        for operation in operations.values():
            names.add(operation["operationId"])
            assert operation["x-permission"]
            assert operation["summary"]
            assert operation["description"]
            assert "application/problem+json" in operation["responses"]["default"]["content"]
            assert "HTTPValidationError" not in json.dumps(operation)
            assert ("security" in operation) == (operation["x-permission"] != "public")
            assert ("{project}" in path) == (
                "project" in [one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"]
            )
    assert {"things_make_once", "identity_sign_in", "server_health"} <= names
    post = document["paths"]["/api/v1/projects/{project}/things"]["post"]
    assert "Idempotency-Key" in [one["name"] for one in post["parameters"]]
    assert document["components"]["schemas"]["Problem"]["properties"]["code"]


async def test_many_callers_share_the_server(served: Served) -> None:
    async with served.machine() as client:
        answers = await asyncio.gather(*(client.post(THINGS, json={"name": str(n)}) for n in range(64)))
    assert {answer.status_code for answer in answers} == {201}
    assert served.count() == 64
