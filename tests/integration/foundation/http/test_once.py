from __future__ import annotations

import asyncio

import httpx
import pytest

from handrail.foundation.clock import FixedClock
from handrail.foundation.http import forget_old
from tests.served import Served

THINGS = "/api/v1/projects/first/things"
BOTH = pytest.mark.parametrize("path", [THINGS, THINGS + "/slow"])


async def _post(client: httpx.AsyncClient, path: str, name: str, key: str = "k") -> httpx.Response:
    return await client.post(path, json={"name": name}, headers={"Idempotency-Key": key})


@BOTH
async def test_a_repeated_call_gets_the_first_answer(served: Served, path: str) -> None:
    async with served.machine() as client:
        first = await _post(client, path, "a")
        second = await _post(client, path, "a")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert served.count() == 1


@BOTH
async def test_another_call_with_the_key_is_a_conflict(served: Served, path: str) -> None:
    async with served.machine() as client:
        await _post(client, path, "a")
        for other in (await _post(client, path, "b"), await _post(client, path.replace("first", "second"), "a")):
            assert other.status_code == 409
            assert other.json()["code"] == "request.key_reused"
        assert (await _post(client, path, "b", "k2")).status_code == 201
    assert served.count() == 2


@BOTH
async def test_two_actors_do_not_share_keys(served: Served, path: str) -> None:
    async with served.machine() as one, served.machine() as two:
        first, second = await _post(one, path, "a"), await _post(two, path, "a")
    assert first.json()["id"] != second.json()["id"]
    assert served.count() == 2


@BOTH
async def test_many_at_the_same_moment_do_it_once(served: Served, path: str) -> None:
    async with served.machine() as client:
        answers = await asyncio.gather(*(_post(client, path, "a") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert served.count() == 1


@BOTH
async def test_an_error_keeps_nothing_and_the_key_stays_free(served: Served, path: str) -> None:
    async with served.machine() as client:
        assert (await _post(client, path, "taken")).status_code == 409
        assert (await _post(client, path, "break")).status_code == 500
        assert (await _post(client, path, "a")).status_code == 201
    assert served.count() == 1


async def test_without_a_key_every_call_counts(served: Served) -> None:
    async with served.machine() as client:
        for _ in range(2):
            await client.post(THINGS, json={"name": "a"})
    assert served.count() == 2


async def test_a_verb_with_its_own_way_does_not_look_at_the_key(served: Served) -> None:
    async with served.machine() as client:
        for name in ("a", "a", "b"):
            assert (await _post(client, THINGS + "/own", name)).status_code == 200
    assert served.count() == 3


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "\x7f"])
async def test_a_bad_key_is_refused(served: Served, key: str) -> None:
    async with served.machine() as client:
        response = await _post(client, THINGS, "a", key)
        assert response.status_code == 422
        assert response.json()["code"] == "request.bad_key"
    assert served.count() == 0


@BOTH
async def test_answers_are_kept_for_a_day(served: Served, clock: FixedClock, path: str) -> None:
    async with served.machine() as client:
        await _post(client, path, "a")
        clock.advance(seconds=24 * 3600)
        assert served.storage.write(lambda uow: forget_old(uow, clock)) == 0
        clock.advance(seconds=1)
        assert served.storage.write(lambda uow: forget_old(uow, clock)) == 1
        assert (await _post(client, path, "b")).status_code == 201
