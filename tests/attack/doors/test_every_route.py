"""Every route of the real application against every attack that can be made from its declaration alone.

A new route is covered the moment it is declared: nobody, a role that lacks the permission, a stranger to the project,
ids of another project, a page of another site, nonsense in path, query and body.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from handrail.app import Handrail, running
from handrail.cycle.datasets import Field, NewItem, Question, Schema
from handrail.doors.api import create
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.authorize import allowed
from handrail.foundation.home import write_private
from handrail.foundation.http import PUBLIC, SIGNED_IN, csrf_of, reach
from handrail.foundation.http.declared import UNSAFE
from handrail.foundation.http.guard import GuardedRoute
from handrail.foundation.identity import BUILT_IN
from handrail.foundation.settings import Settings

SCHEMA = Schema(
    fields=(Field(name="size", type="number"),), questions=(Question(name="kind", type="choice", choices=("a", "b")),)
)
NOWHERE = "0197f000-0000-7000-8000-000000000000"
LONG = "x" * 3000


class Target:
    """The real application with two projects, and what the second one holds."""

    def __init__(self, system: Handrail) -> None:
        self.system = system
        self.reach = reach(host="127.0.0.1", port=8731)
        self.api = create(system, self.reach)
        self.routes = [route for route in self.api.routes if isinstance(route, GuardedRoute)]
        rule = Actor.rule("test")
        self.own, self.foreign = (
            system.storage.write(lambda uow, name=name: system.datasets.create_project(uow, rule, name, SCHEMA)).id
            for name in ("own", "foreign")
        )
        scope = Scope(self.foreign)
        new = [NewItem(external_id="case-1", data={"size": 1.0})]
        self.item = system.storage.write(lambda uow: system.datasets.put_items(uow, rule, scope, new))[0].id

    def client(self, **options: Any) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.api, raise_app_exceptions=True)
        return httpx.AsyncClient(transport=transport, base_url="http://localhost:8731", **options)

    def machine(self, role: str = "owner", *projects: str) -> httpx.AsyncClient:
        reached = frozenset(projects) if projects else None
        _, secret = self.system.identity.tokens.make(self.system.identity.local(), "test", role, projects=reached)
        return self.client(headers={"Authorization": f"Bearer {secret}"})

    def path(self, route: GuardedRoute, project: str, other: str = NOWHERE, **named: str) -> str:
        def value(match: re.Match[str]) -> str:
            return project if match[1] == "project" else named.get(match[1], other)

        return re.sub(r"\{(\w+)\}", value, route.path)

    async def foreign_ids(self) -> dict[str, str]:
        """Return an id of the foreign project for each kind of object that one decision makes."""
        project = f"/api/v1/projects/{self.foreign}"
        async with self.machine("owner") as client:
            policy = (await client.put(f"{project}/policy", json={"question": "kind"})).raise_for_status()
            asked = {"external_id": "case-2", "data": {"size": 2.0}, "idempotency_key": "k"}
            decided = (await client.post(f"{project}/decisions", json=asked)).raise_for_status().json()
        made = {"decision_id": decided["id"], "task_id": decided["task_id"], "policy_id": policy.json()["id"]}
        return {"item_id": self.item, **made}


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with running(Settings(home=tmp_path_factory.mktemp("home") / "home")) as system:
        yield Target(system)


def _code(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json", answer.text[:200]
    return str(answer.json()["code"])


async def test_nobody_gets_in(target: Target) -> None:
    async with target.client() as client:
        for route in target.routes:
            if route.declared.permission != PUBLIC:
                answer = await client.request(route.declared.method, target.path(route, target.own))
                assert (answer.status_code, _code(answer)) == (401, "identity.not_signed_in"), route.path


def test_few_routes_are_public_or_for_everybody_signed_in(target: Target) -> None:
    """A new entry here is a decision, not an accident."""
    public = {(route.declared.method, route.path) for route in target.routes if route.declared.permission == PUBLIC}
    assert public == {
        ("GET", "/api/v1/health"),
        ("GET", "/api/v1/openapi.json"),
        ("GET", "/api/v1/session"),
        ("POST", "/api/v1/session"),
        ("POST", "/api/v1/setup"),
    }
    signed_in = {
        (route.declared.method, route.path) for route in target.routes if route.declared.permission == SIGNED_IN
    }
    assert signed_in <= {
        ("DELETE", "/api/v1/people/{person_id}/roles/{role}"),
        ("DELETE", "/api/v1/session"),
        ("GET", "/api/v1/projects"),
        ("POST", "/api/v1/people"),
        ("PUT", "/api/v1/people/{person_id}/roles"),
    }


async def test_a_foreign_project_looks_like_none_on_every_route(target: Target) -> None:
    async with target.machine("owner", target.own) as client:
        for route in target.routes:
            if not route.declared.in_project:
                continue
            for name in (target.foreign, "foreign", NOWHERE, "none"):
                answer = await client.request(route.declared.method, target.path(route, name))
                assert (answer.status_code, _code(answer)) == (404, "projects.unknown"), (route.path, name)


async def test_ids_of_a_foreign_project_lead_to_nothing(target: Target) -> None:
    ids = await target.foreign_ids()
    assert all(ids.values())
    async with target.machine("owner", target.own) as client:
        for route in target.routes:
            # A question is a word of one's own schema, no id of anything.
            names = set(re.findall(r"\{(\w+)\}", route.path)) - {"project", "question"}
            if not route.declared.in_project or not names:
                continue
            path = target.path(route, target.own, **ids)
            answer = await client.request(route.declared.method, path, params={"question": "kind"}, json={})
            if route.declared.method == "GET":
                nothing = answer.status_code == 404 or answer.json().get("items") == []
                assert nothing, (route.path, answer.text)
            else:
                assert answer.status_code in (403, 404, 422), (route.path, answer.text)


async def test_a_role_without_the_permission_is_refused(target: Target) -> None:
    for role in BUILT_IN:
        held = Actor("machine", "m", "m", role.permissions)
        async with target.machine(role.name) as client:
            for route in target.routes:
                wanted = route.declared.permission
                if wanted in (PUBLIC, SIGNED_IN) or allowed(held, wanted, target.own):
                    continue
                answer = await client.request(route.declared.method, target.path(route, target.own))
                assert (answer.status_code, _code(answer)) == (403, "identity.permission_missing"), (
                    role.name,
                    route.path,
                )


def test_every_permission_is_held_by_a_role_that_is_not_the_owner(target: Target) -> None:
    """A permission that only `*` matches is most likely a misspelt one."""
    owners_own = {"tokens.list", "tokens.make", "tokens.revoke", "people.change"}
    others = [Actor("machine", "m", "m", role.permissions) for role in BUILT_IN if "*" not in role.permissions]
    for route in target.routes:
        wanted = route.declared.permission
        if wanted not in (PUBLIC, SIGNED_IN, *owners_own):
            assert any(allowed(one, wanted, target.own) for one in others), (wanted, route.path)


async def test_a_session_needs_its_token_and_our_own_page(target: Target) -> None:
    link = target.system.identity.first_link()
    assert link is not None
    signed = await target.system.identity.join(link, "Ann", "ann@example.org", "four quiet green doors")
    cookies = {target.reach.cookie: signed.secret}
    right = {"X-CSRF-Token": csrf_of(signed.secret)}
    async with target.client(cookies=cookies) as client:
        for route in target.routes:
            if route.declared.method not in UNSAFE:
                continue
            path = target.path(route, target.own)
            wrong: list[dict[str, str]] = [
                {**right, "Origin": "http://evil.example"},
                {**right, "Sec-Fetch-Site": "cross-site"},
            ]
            if route.declared.permission != PUBLIC:
                wrong += [{}, {"X-CSRF-Token": "x"}]
            for headers in wrong:
                answer = await client.request(route.declared.method, path, headers=headers)
                assert (answer.status_code, _code(answer)) == (403, "request.cross_site"), (route.path, headers)


NONSENSE: tuple[Any, ...] = (
    None, [], "x", 1, {}, {"": ""}, {"value": {"a": [None]}}, {"name": LONG}, {"items": [{}] * 3, "labels": 1e308},
    {"name": "a\u202e", "data": {"size": "NaN"}, "external_id": "", "idempotency_key": ""}, [[[[[[1]]]]]],
)  # fmt: skip
ODD = ("x", "..", "%2e%2e", "%00", "%ff", "'%20OR%201=1--", "%F0%9F%92%A9", LONG, "-1", "9" * 40)
QUERIES = (
    "after=x", "after=%00", "limit=-1", "limit=9999999999999999999999", "limit=x", "wait_s=1e9", "a=b&a=c", "day=x",
    "state=x", "question=%F0%9F%92%A9", "at=x", "left=x&right=y", "%ff=%ff", "status=x", "kinds=x", "before=-1",
)  # fmt: skip


@pytest.fixture
def _no_incidents(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.ERROR, logger="handrail.http"):
        yield
    assert [record.getMessage() for record in caplog.records if record.name == "handrail.http"] == []


@pytest.mark.usefixtures("_no_incidents")
async def test_nonsense_is_answered_and_breaks_nothing(target: Target) -> None:
    async with target.machine("owner") as client:
        for route in target.routes:
            method, path = route.declared.method, target.path(route, target.own)
            sent = [{"json": body} for body in NONSENSE] if method in UNSAFE else [{}]
            answers = [await client.request(method, path, **one) for one in sent]
            answers += [await client.request(method, f"{path}?{query}") for query in QUERIES]
            if "{" in route.declared.path.replace("{project}", ""):
                answers += [await client.request(method, target.path(route, target.own, odd)) for odd in ODD]
            if route.declared.in_project:
                answers += [await client.request(method, target.path(route, odd)) for odd in ODD]
            for answer in answers:
                assert answer.status_code < 500, (method, str(answer.url)[:120], answer.text[:300])
                if answer.status_code >= 400:
                    problem = answer.json()
                    assert problem["code"]
                    assert "Traceback" not in answer.text


async def test_what_a_hostile_home_could_hold_is_not_served(target: Target) -> None:
    home: Path = target.system.home.folder
    write_private(home / "keys" / "probe", "PROBE-SECRET\n")
    async with target.machine("owner") as client:
        for path in (
            "/keys/probe",
            "/../keys/probe",
            "/..%2fkeys/probe",
            "/assets/..%2f..%2fkeys/probe",
            "/server.json",
        ):
            answer = await client.get(path)
            assert "PROBE-SECRET" not in answer.text
            assert "hr_" not in answer.text
