"""What a hostile page or visitor may send: browser to localhost, CSRF, rebinding, fixation, sizes, paths."""

from __future__ import annotations

import hmac
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from handrail.foundation.clock import FixedClock
from handrail.foundation.http import csrf_of, reach
from handrail.foundation.http import guard as guard_module
from handrail.foundation.http.declared import UNSAFE
from handrail.foundation.http.guard import GuardedRoute
from handrail.foundation.storage import Storage
from tests.served import PASSWORD, Served

THINGS = "/api/v1/projects/first/things"
pytestmark = pytest.mark.parametrize("storage_url", ["sqlite"], indirect=True)


def _routes(served: Served) -> list[GuardedRoute]:
    return [route for route in served.api.routes if isinstance(route, GuardedRoute)]


def _path(route: GuardedRoute, project: str = "p1") -> str:
    return re.sub(r"\{\w+\}", "x", route.path.replace("{project}", project))


async def _signed_in(served: Served, **options: Any) -> httpx.AsyncClient:
    signed = await served.owner()
    client = served.client(cookies={served.reach.cookie: signed.secret}, **options)
    client.headers["X-CSRF-Token"] = csrf_of(signed.secret)
    return client


# Every route


async def test_every_route_that_is_not_public_refuses_nobody(served: Served) -> None:
    async with served.client() as client:
        for route in _routes(served):
            if route.declared.permission == "public":
                continue
            answer = await client.request(route.declared.method, _path(route))
            assert answer.status_code == 401, route.path


async def test_every_project_route_hides_foreign_projects(served: Served) -> None:
    async with served.machine("owner", frozenset({"p2"})) as client:
        routes = [route for route in _routes(served) if route.declared.in_project]
        assert len(routes) >= 6
        for route in routes:
            answers = [
                await client.request(route.declared.method, _path(route, name)) for name in ("p1", "first", "none")
            ]
            assert [answer.status_code for answer in answers] == [404, 404, 404], route.path
            assert answers[0].json() == answers[2].json(), "a foreign project must look like none"


async def test_every_unsafe_route_needs_the_token_of_the_session(served: Served) -> None:
    """DELETE and PUT included: they were forgotten elsewhere."""
    client = await _signed_in(served)
    right = client.headers.pop("X-CSRF-Token")
    wrong = ["", "x", right[:-1], right + "x", right.upper(), served.reach.cookie]
    async with client:
        unsafe = [route for route in _routes(served) if route.declared.method in UNSAFE]
        assert {"POST", "PUT", "DELETE"} <= {route.declared.method for route in unsafe}
        for route in unsafe:
            if route.declared.permission == "public":
                continue
            for token in [None, *wrong]:
                headers = {} if token is None else {"X-CSRF-Token": token}
                answer = await client.request(route.declared.method, _path(route), headers=headers)
                assert (answer.status_code, answer.json()["code"]) == (403, "request.cross_site"), (route.path, token)
    assert served.count() == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost:5173"},
        {"Origin": "https://localhost.evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": ""},
    ],
)  # fmt: skip
async def test_every_unsafe_route_refuses_pages_of_other_sites(served: Served, headers: dict[str, str]) -> None:
    async with await _signed_in(served) as client:
        for route in _routes(served):
            if route.declared.method in UNSAFE:
                answer = await client.request(route.declared.method, _path(route), headers=headers, json={"name": "a"})
                assert (answer.status_code, answer.json()["code"]) == (403, "request.cross_site"), route.path
    assert served.count() == 0


async def test_every_answer_carries_the_security_headers(served: Served) -> None:
    async with served.machine() as client:
        answers = [await client.request(route.declared.method, _path(route)) for route in _routes(served)]
        answers += [await client.get(path) for path in ("/", "/assets/none", "/api/none", "/%2e%2e/x")]
        answers.append(await client.get("/", headers={"Host": "evil.example"}))
        answers.append(await client.post(THINGS, json={"name": "break"}))
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert not any(name.startswith("access-control-") for name in answer.headers)
        assert answer.headers.get_list("content-security-policy", split_commas=False) == [
            answer.headers["content-security-policy"]
        ]


# Names and origins


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8731", "192.168.0.9", "", "localhost.evil.example", "x" * 5000]
)
async def test_a_name_that_was_pointed_at_this_computer_is_refused(served: Served, host: str) -> None:
    """DNS rebinding: the page's own name leads to 127.0.0.1, so the browser calls it same-origin."""
    async with await _signed_in(served) as client:
        for method, path in (("GET", "/"), ("GET", "/api/v1/session"), ("POST", THINGS), ("DELETE", "/api/v1/session")):
            answer = await client.request(method, path, headers={"Host": host, "Origin": f"http://{host}"})
            assert (answer.status_code, answer.json()["code"]) == (421, "request.bad_host")
    assert served.count() == 0


async def test_our_own_pages_may_work(served: Served) -> None:
    async with await _signed_in(served) as client:
        for headers in (
            {},
            {"Origin": "http://localhost:8731"},
            {"Sec-Fetch-Site": "same-origin"},
            {"Sec-Fetch-Site": "none"},
        ):
            assert (await client.post(THINGS, json={"name": "a"}, headers=headers)).status_code == 201


async def test_a_page_of_another_site_cannot_sign_a_visitor_in(served: Served) -> None:
    """Login CSRF: what the visitor then does would go to the attacker's account."""
    await served.owner()
    person = {"email": "ann@example.org", "password": PASSWORD}
    async with served.client() as client:
        forms = [
            {"data": person},
            {"content": json.dumps(person), "headers": {"Content-Type": "text/plain"}},
            {"content": json.dumps(person)},
            {
                "content": json.dumps(person),
                "headers": {"Content-Type": "application/x-www-form-urlencoded; a=application/json"},
            },
            {"json": person, "headers": {"Origin": "http://evil.example"}},
        ]
        for form in forms:
            answer = await client.post("/api/v1/session", **form)
            assert answer.status_code in (403, 415)
            assert "set-cookie" not in answer.headers


async def test_a_bearer_token_works_without_the_sessions_token_and_a_bad_one_hides_no_session(served: Served) -> None:
    async with served.machine() as machine:
        assert (await machine.post(THINGS, json={"name": "a"})).status_code == 201
    async with await _signed_in(served) as client:
        for value in ("Bearer x", "Bearer", "", "Basic YTpi", "bearer hr_" + "a" * 43):
            answer = await client.get(THINGS, headers={"Authorization": value})
            assert (answer.status_code, answer.json()["code"]) == (401, "identity.unknown_token"), value


# Sessions


async def test_a_session_that_an_attacker_planted_is_not_taken_over(served: Served) -> None:
    """Fixation: the secret after signing in is new, and never one that the browser brought along."""
    await served.owner()
    for planted in ("a" * 43, "", "hr_" + "a" * 43):
        async with served.client(cookies={served.reach.cookie: planted}) as client:
            answer = await client.post("/api/v1/session", json={"email": "ann@example.org", "password": PASSWORD})
            made = re.search(r"=([A-Za-z0-9_-]{43});", answer.headers["set-cookie"])
            assert made is not None
            assert made[1] != planted
    async with served.client(cookies={served.reach.cookie: "a" * 43}) as client:
        assert (await client.get("/api/v1/session")).json()["actor"] is None


async def test_signing_in_again_ends_the_session_before(served: Served) -> None:
    async with await _signed_in(served) as client:
        before = client.cookies[served.reach.cookie]
        await client.post("/api/v1/session", json={"email": "ann@example.org", "password": PASSWORD})
        assert await served.identity.by_session(before) is None


async def test_the_cookie_is_out_of_reach_of_scripts(served: Served) -> None:
    await served.owner()
    async with served.client() as client:
        answer = await client.post("/api/v1/session", json={"email": "ann@example.org", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie
    assert "domain" not in cookie


async def test_the_cookie_over_tls_is_bound_to_the_host(storage: Storage, clock: FixedClock, tmp_path: Path) -> None:
    served = Served(
        storage, clock, tmp_path, at=reach(host="0.0.0.0", port=1, tls=True, public_url="https://h.example")
    )
    await served.owner()
    async with served.client("https://h.example") as client:
        answer = await client.post("/api/v1/session", json={"email": "ann@example.org", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-")
    assert "secure" in cookie.lower()
    assert "path=/;" in cookie.lower()
    assert "domain" not in cookie.lower()
    served.identity.close()


async def test_the_sessions_token_does_not_lead_back_to_the_session(served: Served) -> None:
    async with await _signed_in(served) as client:
        shown = client.headers["X-CSRF-Token"]
        assert shown != client.cookies[served.reach.cookie]
        async with served.client(cookies={served.reach.cookie: shown}) as other:
            assert (await other.get("/api/v1/session")).json()["actor"] is None


async def test_secrets_are_compared_in_constant_time(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[Any, Any]] = []
    real = hmac.compare_digest

    def watched(a: Any, b: Any) -> bool:
        compared.append((a, b))
        return bool(real(a, b))

    client = await _signed_in(served)
    monkeypatch.setattr(guard_module.hmac, "compare_digest", watched)
    async with client:
        await client.post(THINGS, json={"name": "a"}, headers=[(b"X-CSRF-Token", "äöü".encode())])
        assert len(compared) == 1
        served.identity.trust_local("hr_" + "b" * 43)
        await served.identity.by_token("hr_" + "c" * 43)
        # Tokens are looked up by digest: what a comparison tells is about a hash that nobody can choose.
        assert len(compared) == 2
        assert all(len(one) == 64 for one in compared[1])


async def test_a_token_that_makes_secrets_is_not_kept_with_its_answer(served: Served) -> None:
    async with await _signed_in(served) as client:
        key = {"Idempotency-Key": "k"}
        first = (await client.post("/api/v1/tokens", json={"name": "a"}, headers=key)).json()
        second = (await client.post("/api/v1/tokens", json={"name": "a"}, headers=key)).json()
        assert first["secret"] != second["secret"]
        own_key = {route.path: route.declared.own_key for route in _routes(served) if route.declared.method == "POST"}
        for path in ("session", "setup", "tokens", "people", "people/{person_id}/link"):
            assert own_key[f"/api/v1/{path}"], path
