"""What a hostile visitor may send as a body or a path: kinds, sizes, silence, NUL, depth, ways around a project."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

import pytest

from handrail.foundation.http import body as bodies
from tests.served import Served

THINGS = "/api/v1/projects/first/things"
JSON = {"Content-Type": "application/json"}
pytestmark = pytest.mark.parametrize("storage_url", ["sqlite"], indirect=True)


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
        "",
        "application/jsonp",
        "json",
    ],
)
async def test_another_kind_of_content_is_refused(served: Served, kind: str) -> None:
    async with served.machine() as client:
        answer = await client.post(THINGS, content=b'{"name":"a"}', headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()["code"]) == (415, "request.wrong_content_type")
        answer = await client.post(THINGS, content=b'{"name":"a"}')
        assert answer.status_code == 415
    assert served.count() == 0


async def test_a_huge_body_is_refused_before_it_is_read(served: Served) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1 << 16
            yield b" " * (1 << 16)

    async with served.machine() as client:
        for size in (str(1 << 40), "9" * 60, "-1", "1e9"):
            answer = await client.post(THINGS, content=b"{}", headers={**JSON, "Content-Length": size})
            assert (answer.status_code, answer.json()["code"]) == (413, "request.body_too_large"), size
        answer = await client.post(THINGS, content=endless(), headers=JSON)
        assert answer.status_code == 413
        assert read < 4 << 20
        read = 0
        answer = await client.post(THINGS + "/upload", content=endless())
        assert answer.status_code == 413
        assert read < 1 << 20
    assert list(served.folder.iterdir()) == []


async def test_a_body_that_does_not_come_is_given_up(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "_PATIENCE_S", 0.05)
    monkeypatch.setattr(bodies.read, "__kwdefaults__", {"patience_s": 0.05})

    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(30)
        yield b"}"

    async with served.machine() as client:
        for path, headers in ((THINGS, JSON), (THINGS + "/upload", {})):
            answer = await client.post(path, content=slow(), headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (408, "request.body_too_slow")
    assert list(served.folder.iterdir()) == []


@pytest.mark.parametrize(
    "path", ["/api/v1/projects/%00/things", "/api/v1/projects/p1%00/things", THINGS + "?after=%00"]
)
async def test_the_character_nul_in_an_address_is_refused(served: Served, path: str) -> None:
    async with served.machine() as client:
        assert (await client.get(path)).status_code in (404, 422)


async def test_the_character_nul_in_a_text_is_refused(served: Served) -> None:
    async with served.machine() as client:
        for body in (r'{"name":"a\u0000"}', r'{"name":"a","parts":[{"\u0000":1}]}'):
            answer = await client.post(THINGS, content=body, headers=JSON)
            assert (answer.status_code, answer.json()["code"]) == (422, "request.nul_in_text")
        answer = await client.post(THINGS, content=r'{"name":"a\\u0000"}', headers=JSON)
        assert answer.status_code == 201


async def test_deep_and_wide_json_is_answered(served: Served) -> None:
    async with served.machine() as client:
        for body in ('{"name":' * 100_000, '{"parts":' + "[" * 500_000, '{"name":' + "9" * 500_000 + "}"):
            answer = await client.post(THINGS, content=body, headers=JSON)
            assert answer.status_code == 422


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/projects/p1/../p2/things", "/api/v1/projects/p1%2f..%2fp2/things", "/api/v1/projects/..%2fp2/things",
        "/api/v1//projects/p2/things", "/api/v1/projects/%2e%2e/p2/things", "/api/v1/projects/p2;x/things",
        "//api/v1/projects/p2/things",
    ],
)  # fmt: skip
async def test_no_way_of_writing_a_path_leads_to_a_foreign_project(served: Served, path: str) -> None:
    _, secret = served.identity.tokens.make(served.identity.local(), "test", "owner", projects=frozenset({"p1"}))
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    # Below the client, which would tidy the path up.
    headers = [(b"host", b"localhost"), (b"authorization", f"Bearer {secret}".encode())]
    scope = {"type": "http", "method": "GET", "path": unquote(path), "raw_path": path.encode(), "headers": headers}
    await served.api({**scope, "query_string": b"", "http_version": "1.1", "scheme": "http"}, receive, send)
    assert sent[0]["status"] in (404, 503)
    assert b'"project_id":"p2"' not in sent[1]["body"]


async def test_hostile_texts_come_back_as_data(served: Served) -> None:
    hostile = "<script>alert(1)</script>\"'\r\nSet-Cookie: a=b"
    async with served.machine() as client:
        answer = await client.post(THINGS, json={"name": hostile})
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["name"] == hostile
        assert "sandbox" in answer.headers["content-security-policy"]
        answer = await client.post(THINGS, json={"name": "taken", hostile: 1})
        assert answer.headers["content-type"] == "application/problem+json"
        assert "set-cookie" not in answer.headers


async def test_a_web_socket_is_closed(served: Served) -> None:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await served.api(
        {"type": "websocket", "path": "/api/v1/session", "headers": [], "query_string": b""}, receive, send
    )
    assert [message["type"] for message in sent] == ["websocket.close"]
