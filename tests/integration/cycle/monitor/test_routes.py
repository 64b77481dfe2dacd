"""The routes of monitoring over the real application, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from handrail.cycle.annotate import Annotate
from handrail.cycle.monitor import Monitor, store
from handrail.cycle.monitor.model import Profile
from handrail.cycle.monitor.routes import routes
from handrail.cycle.review import Review
from handrail.foundation.actors import Actor
from handrail.foundation.clock import FixedClock
from handrail.foundation.http import Reach, application
from handrail.foundation.ids import Ids
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import UnitOfWork
from tests.integration.cycle.breast_mass import Clinic

ACTORS = {
    "owner": Actor(kind="machine", id="m-1", name="Owner", permissions=frozenset({"*"})),
    "reader": Actor(kind="machine", id="m-2", name="Reader", permissions=frozenset({"*.read"})),
}


class Gate:
    async def by_token(self, secret: str) -> Actor | None:
        return ACTORS.get(secret)

    async def by_session(self, secret: str) -> Actor | None:
        return None


@pytest.fixture
async def client(
    clinic: Clinic, clock: FixedClock, ids: Ids, randomness: Randomness
) -> AsyncIterator[httpx.AsyncClient]:
    below = (clinic.storage, clinic.journal, clock, ids, randomness, clinic.datasets, clinic.tasks)
    review = Review(*below, Annotate(*below), clinic.train, clinic.blobs)
    monitor = Monitor(clinic.storage, clinic.journal, clock, ids, clinic.datasets, review)
    api = application(
        [routes(clinic.storage, monitor)],
        gate=Gate(),
        storage=clinic.storage,
        clock=clock,
        find_project=lambda uow, name: clinic.datasets.project(uow, name).id,
        reach=Reach(),
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(api),
        base_url="http://localhost/api/v1/projects/clinic",
        headers={"Authorization": "Bearer owner"},
    ) as made:
        yield made


async def test_profiles_come_newest_day_first_in_pages(
    client: httpx.AsyncClient, clinic: Clinic, clock: FixedClock, ids: Ids
) -> None:
    def unit(uow: UnitOfWork) -> None:
        for day in (20260101, 20260102):
            made = Profile(ids.new(), clinic.scope.project_id, day, 5, 2, {}, clock.now())
            store.put_profile(uow, clinic.scope, made)

    clinic.storage.write(unit)
    first = (await client.get("/profiles", params={"limit": 1})).json()
    second = (await client.get("/profiles", params={"before": first["next"]})).json()
    assert [one["day"] for one in first["items"] + second["items"]] == [20260102, 20260101]
    assert second["next"] is None


async def test_a_day_without_decisions_is_not_found_and_readers_do_not_watch(client: httpx.AsyncClient) -> None:
    missing = await client.post("/watch", json={"day": 20260101})
    assert (missing.status_code, missing.json()["code"]) == (404, "monitor.nothing_to_profile")
    assert (await client.post("/watch", json={"day": 1})).status_code == 422
    reader = {"Authorization": "Bearer reader"}
    assert (await client.get("/alarms", headers=reader)).json()["items"] == []
    assert (await client.post("/watch", json={"day": 20260101}, headers=reader)).status_code == 403
