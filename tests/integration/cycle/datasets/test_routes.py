from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from handrail.cycle.datasets.routes import routes
from handrail.foundation.actors import Actor
from handrail.foundation.authorize import ProjectUnknown
from handrail.foundation.clock import FixedClock
from handrail.foundation.http import Reach, application
from handrail.foundation.storage import Storage, UnitOfWork
from tests.integration.cycle.datasets.world import SCHEMA, World, make

ACTORS = {
    "owner": Actor(kind="machine", id="m-1", name="Owner", permissions=frozenset({"*"})),
    "reader": Actor(kind="machine", id="m-2", name="Reader", permissions=frozenset({"*.read"})),
    "stranger": Actor(kind="machine", id="m-3", name="Stranger", permissions=frozenset({"*"}), projects=frozenset()),
}


class Gate:
    async def by_token(self, secret: str) -> Actor | None:
        return ACTORS.get(secret)

    async def by_session(self, secret: str) -> Actor | None:
        return None


@pytest.fixture
def world(storage: Storage, clock: FixedClock, tmp_path: Path) -> World:
    return make(storage, clock, tmp_path / "datasets")


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    def find(uow: UnitOfWork, name: str) -> str | None:
        try:
            return world.datasets.project(uow, name).id
        except ProjectUnknown:
            return None

    api = application(
        [routes(world.storage, world.datasets)],
        gate=Gate(),
        storage=world.storage,
        clock=world.clock,
        find_project=find,
        reach=Reach(),
    )
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://localhost/api/v1", headers={"Authorization": "Bearer owner"}
    ) as made:
        yield made


async def _ok(response: httpx.Response, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json()


async def test_a_project_from_its_schema_to_a_verified_version(client: httpx.AsyncClient) -> None:
    body = {"name": "skin", "description": "Moles", "schema": SCHEMA.to_dict()}
    made = await _ok(await client.post("/projects", json=body), 201)
    assert (await _ok(await client.get("/projects/skin")))["id"] == made["id"]
    assert (await _ok(await client.get("/projects/skin/schema")))["fields"] == SCHEMA.to_dict()["fields"]
    assert [one["name"] for one in (await _ok(await client.get("/projects")))["items"]] == ["breast", "skin"]

    items = [{"external_id": f"m{n}", "data": {"area": n}} for n in range(3)]
    key = {"Idempotency-Key": "k-1"}
    put = await _ok(await client.post("/projects/skin/items", json={"items": items}, headers=key), 201)
    assert await _ok(await client.post("/projects/skin/items", json={"items": items}, headers=key), 201) == put
    content = "external_id,area,diagnosis\nm3,3,benign\nm4,4,malignant\n"
    report = await _ok(await client.post("/projects/skin/items/import", content=content))
    assert (report["kept"], report["labels"], report["complete"]) == (2, 2, True)

    first = await _ok(await client.get("/projects/skin/items", params={"limit": 3}))
    second = await _ok(await client.get("/projects/skin/items", params={"limit": 3, "after": first["next"]}))
    assert [one["external_id"] for one in first["items"] + second["items"]] == [f"m{n}" for n in range(5)]
    assert second["next"] is None
    labels = await _ok(await client.get("/projects/skin/labels", params={"question": "diagnosis"}))
    assert [one["value"] for one in labels["items"]] == ["benign", "malignant"]
    history = f"/projects/skin/items/{labels['items'][0]['item_id']}/labels"
    assert len((await _ok(await client.get(history, params={"question": "diagnosis"})))["items"]) == 1

    assert (await _ok(await client.get("/projects/skin/counts")))["labels_waiting"] == 2
    commit = (await _ok(await client.post("/projects/skin/commits", json={"message": "first"})))["commit"]
    assert (commit["items"], commit["labels"], commit["number"]) == (5, 2, 1)
    assert (await _ok(await client.post("/projects/skin/commits", json={"message": "none"})))["commit"] is None
    assert (await _ok(await client.get("/projects/skin/commits")))["items"] == [commit]
    assert (await _ok(await client.get("/projects/skin/diff", params={"b": "main", "limit": 2})))["total"] == 7
    assert (await _ok(await client.get("/projects/skin/verify")))["verified"] is True
    pointer = {"name": "v1", "at": commit["id"][:10]}
    assert await _ok(await client.post("/projects/skin/tags", json=pointer), 201) == {
        "name": "v1",
        "commit_id": commit["id"],
    }
    await _ok(await client.post("/projects/skin/branches", json={"name": "trial"}), 201)
    assert len((await _ok(await client.get("/projects/skin/branches")))["items"]) == 2
    assert len((await _ok(await client.get("/projects/skin/tags")))["items"]) == 1


async def test_files_come_out_as_csv_json_lines_and_parquet(client: httpx.AsyncClient, world: World) -> None:
    content = "id,area,note,diagnosis\na,1,=cmd(),benign\nb,2,,\n"
    await _ok(await client.post("/projects/breast/items/import", content=content, params={"name": "cases.csv"}))
    await _ok(await client.post("/projects/breast/commits", json={"message": "first"}))
    checkout = "/projects/breast/checkout"
    table = await client.get(checkout)
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert table.headers["content-disposition"] == 'attachment; filename="dataset.csv"'
    assert table.text.splitlines()[1].split(",")[1:] == "a,,1.0,'=cmd(),,,,benign,train,,,,".split(",")
    lines = await client.get(checkout, params={"format": "jsonl"})
    assert len(lines.text.splitlines()) == 2
    columns = await client.get(checkout, params={"format": "parquet", "version": "main"})
    assert pq.read_table(io.BytesIO(columns.content)).column("diagnosis").to_pylist() == ["benign", None]
    exported = await client.get("/projects/breast/items/export", params={"format": "jsonl"})
    assert exported.text.splitlines()[0].startswith('{"external_id":"a"')


async def test_a_refused_file_lists_its_rows(client: httpx.AsyncClient) -> None:
    content = "external_id,area\na,1\nb,NaN\n"
    problem = await _ok(await client.post("/projects/breast/items/import", content=content), 422)
    assert problem["code"] == "datasets.import_refused"
    assert problem["facts"]["bad"] == [
        {"line": 3, "field": "area", "reason": "is NaN; leave it empty when it is missing"}
    ]
    assert (await _ok(await client.get("/projects/breast/items")))["items"] == []
    kept = await _ok(await client.post("/projects/breast/items/import", content=content, params={"on_error": "keep"}))
    assert (kept["kept"], kept["bad_rows"]) == (1, 1)


async def test_a_broken_file_is_named(client: httpx.AsyncClient, world: World) -> None:
    world.put(1.0)
    await _ok(await client.post("/projects/breast/commits", json={"message": "first"}))
    (place,) = (world.files / "items").iterdir()
    place.write_bytes(b"broken")
    found = await _ok(await client.get("/projects/breast/verify"))
    assert (found["verified"], found["file"]) == (False, f"items/{place.name}")
    assert (await _ok(await client.get("/projects/breast/checkout"), 500))["code"] == "datasets.file_broken"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/projects", {"name": "breast", "schema": SCHEMA.to_dict()}, 409, "datasets.project_exists"),
        ("POST", "/projects", {"name": "No!", "schema": SCHEMA.to_dict()}, 422, "datasets.name_invalid"),
        ("POST", "/projects", {"name": "x", "schema": {"fields": []}}, 422, "datasets.schema_invalid"),
        ("POST", "/projects", {"name": "x", "schema": SCHEMA.to_dict(), "admin": True}, 422, "request.invalid"),
        ("GET", "/projects/other", None, 404, "projects.unknown"),
        ("GET", "/projects/breast/items/none", None, 404, "datasets.item_not_found"),
        ("GET", "/projects/breast/items?after=x", None, 422, "request.bad_cursor"),
        ("GET", "/projects/breast/items?after=WzEwMDAwMDAwMDAwMDAwMDAwMDAwMF0", None, 422, "request.bad_cursor"),
        ("GET", "/projects/breast/labels?question=none", None, 422, "datasets.question_unknown"),
        ("GET", "/projects/breast/commits?branch=none", None, 404, "datasets.branch_not_found"),
        ("GET", "/projects/breast/diff?b=none", None, 404, "datasets.commit_not_found"),
        ("GET", "/projects/breast/checkout?version=..%2f..", None, 404, "datasets.commit_not_found"),
        ("POST", "/projects/breast/items", {"items": [{"external_id": "a", "data": {}}]}, 422, "datasets.item_invalid"),
    ],
)
async def test_errors_have_their_code(
    client: httpx.AsyncClient, method: str, path: str, body: Any, status: int, code: str
) -> None:
    problem = await _ok(await client.request(method, path, json=body), status)
    assert problem["code"] == code


async def test_who_may_only_read_cannot_write_or_take_files_out(client: httpx.AsyncClient, world: World) -> None:
    reader = {"Authorization": "Bearer reader"}
    for path in ("", "/schema", "/counts", "/items", "/commits", "/branches", "/tags"):
        assert (await client.get(f"/projects/breast{path}", headers=reader)).status_code == 200
    for method, path in (
        ("POST", "/projects"),
        ("POST", "/projects/breast/items"),
        ("POST", "/projects/breast/items/import"),
        ("POST", "/projects/breast/commits"),
        ("POST", "/projects/breast/branches"),
        ("POST", "/projects/breast/tags"),
        ("GET", "/projects/breast/items/export"),
        ("GET", "/projects/breast/checkout"),
    ):
        assert (await client.request(method, path, headers=reader, json={})).status_code == 403, path
    stranger = {"Authorization": "Bearer stranger"}
    assert (await client.get("/projects/breast/items", headers=stranger)).status_code == 404
    assert (await client.get("/projects", headers=stranger)).json()["items"] == []
    assert (await client.get("/projects", headers={"Authorization": ""})).status_code == 401
    assert world.storage.read(lambda uow: world.datasets.counts(uow, world.scope)).items == 0
