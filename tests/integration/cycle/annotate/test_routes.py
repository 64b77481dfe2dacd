"""The routes of annotating over the real application, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import httpx
import pytest

from handrail.cycle.annotate import Annotate
from handrail.cycle.annotate.routes import routes
from handrail.foundation.actors import Actor
from handrail.foundation.clock import FixedClock
from handrail.foundation.http import Reach, application
from handrail.foundation.ids import Ids
from handrail.foundation.randomness import Randomness
from tests.integration.cycle.breast_mass import PERSON, QUESTION, Clinic

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
def annotate(clinic: Clinic, clock: FixedClock, ids: Ids, randomness: Randomness) -> Annotate:
    return Annotate(clinic.storage, clinic.journal, clock, ids, randomness, clinic.datasets, clinic.tasks)


@pytest.fixture
async def client(clinic: Clinic, annotate: Annotate, clock: FixedClock) -> AsyncIterator[httpx.AsyncClient]:
    api = application(
        [routes(clinic.storage, annotate, clinic.datasets)],
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


def _ok(response: httpx.Response, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json()


async def test_a_draw_opens_blind_tasks_and_names_no_item(client: httpx.AsyncClient, clinic: Clinic) -> None:
    clinic.bring(0, 8)
    made = _ok(await client.post("/draws", json={"question": QUESTION, "n": 4, "purpose": "holdout"}), 201)
    assert made == {"drawn": 4, "probability": 0.5}
    opened = clinic.storage.read(lambda uow: clinic.tasks.open_tasks(uow, clinic.scope)).items
    assert [(one.kind, one.blind) for one in opened] == [("label", True)] * 4
    few = _ok(await client.post("/draws", json={"question": QUESTION, "n": 5}), 409)
    assert few["facts"]["waiting"] == 4
    assert len(clinic.entries("annotate.drawn")) == 1


async def test_a_repeated_draw_with_its_key_is_one_draw(client: httpx.AsyncClient, clinic: Clinic) -> None:
    clinic.bring(0, 8)
    body, key = {"question": QUESTION, "n": 2}, {"Idempotency-Key": "k-1"}
    first = _ok(await client.post("/draws", json=body, headers=key), 201)
    assert _ok(await client.post("/draws", json=body, headers=key), 201) == first
    assert len(clinic.entries("annotate.drawn")) == 1


async def test_campaigns_are_listed_newest_first(
    client: httpx.AsyncClient, clinic: Clinic, annotate: Annotate, clock: FixedClock
) -> None:
    for reason in ("first", "second"):
        more: dict[str, Any] = {"reason": reason, "question": QUESTION, "target": 3}
        clinic.storage.write(partial(annotate.open_campaign, actor=PERSON, scope=clinic.scope, **more))
        clock.advance(seconds=1)
    found = _ok(await client.get("/campaigns"))["items"]
    assert [(one["reason"], one["answered"], one["target"], one["state"]) for one in found] == [
        ("second", 0, 3, "open"),
        ("first", 0, 3, "open"),
    ]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"question": QUESTION, "n": 0}, "request.invalid"),
        ({"question": QUESTION, "n": 1, "purpose": "certify"}, "request.invalid"),
        ({"question": "none", "n": 1}, "datasets.question_unknown"),
    ],
)
async def test_a_draw_that_breaks_a_rule_is_refused(client: httpx.AsyncClient, body: Any, code: str) -> None:
    assert _ok(await client.post("/draws", json=body), 422)["code"] == code


async def test_who_may_only_read_draws_nothing(client: httpx.AsyncClient) -> None:
    reader = {"Authorization": "Bearer reader"}
    assert (await client.get("/campaigns", headers=reader)).status_code == 200
    assert (await client.post("/draws", json={"question": QUESTION, "n": 1}, headers=reader)).status_code == 403


async def test_overlap_is_set_by_leads_and_agreement_is_theirs_to_read(client: httpx.AsyncClient) -> None:
    place = f"/overlap?question={QUESTION}"
    assert _ok(await client.get(place)) == {"question": QUESTION, "rule": None}
    rule = {"error": 0.1, "least": 2, "most": 4, "price": 0.0, "random_share": 0.2}
    assert _ok(await client.put(place, json=rule))["rule"] == rule
    assert _ok(await client.get(place))["rule"] == rule
    assert (await client.put(place, json={"least": 5, "most": 2})).json()["code"] == "annotate.overlap_invalid"
    reader = {"Authorization": "Bearer reader"}
    assert (await client.put(place, json=rule, headers=reader)).status_code == 403
    assert (await client.get(f"/agreement?question={QUESTION}", headers=reader)).status_code == 403
    found = _ok(await client.get(f"/agreement?question={QUESTION}"))
    assert (found["items"], found["answers"], found["agreement"], found["people"]) == (0, 0, None, [])
    assert (await client.delete(place)).status_code == 204
    assert _ok(await client.get(place))["rule"] is None
    assert (await client.get("/overlap?question=none")).status_code == 422
