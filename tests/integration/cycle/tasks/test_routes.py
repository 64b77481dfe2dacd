"""The routes of the tasks over the real application, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from handrail.cycle.datasets import Datasets, Field, NewItem, Question, Schema
from handrail.cycle.tasks import NewTask, Tasks
from handrail.cycle.tasks.routes import routes
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.authorize import ProjectUnknown
from handrail.foundation.clock import FixedClock
from handrail.foundation.http import Reach, application
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import Storage, UnitOfWork

ALL = frozenset({"tasks.read", "tasks.answer"})
RULES = "/projects/triage/queue/rules"
RULE = Actor.rule("test")
ACTORS = {
    "anna": Actor(kind="simulated", id="anna", name="Anna", permissions=ALL),
    "ben": Actor(kind="simulated", id="ben", name="Ben", permissions=ALL),
    "reader": Actor(kind="simulated", id="reader", name="Reader", permissions=frozenset({"tasks.read"})),
    "lead": Actor(kind="simulated", id="lead", name="Lead", permissions=ALL | {"tasks.lead"}),
    "service": Actor(kind="machine", id="m-1", name="Service", permissions=ALL),
}
QUEUE = "/projects/triage/tasks"
PREDICTION = {"value": "b", "score": 0.874, "scores": {"a": 0.126, "b": 0.874}, "top": [["size", 1.5]]}


class Gate:
    async def by_token(self, secret: str) -> Actor | None:
        return ACTORS.get(secret)

    async def by_session(self, secret: str) -> Actor | None:
        return None


class Queue:
    """A project with one item and the tasks about it."""

    def __init__(self, storage: Storage, clock: FixedClock, ids: Ids, randomness: Randomness, folder: Path) -> None:
        journal = Journal(clock, ids, randomness)
        self.storage, self.clock = storage, clock
        self.datasets = Datasets(storage, journal, clock, ids, randomness, folder)
        self.tasks = Tasks(journal, clock, ids, self.datasets)
        schema = Schema(
            fields=(Field(name="size", type="number", title="Size", unit="mm", low=1.0, high=9.0),),
            questions=(Question(name="kind", type="choice", choices=("a", "b"), instructions="Look twice."),),
        )
        project = storage.write(lambda uow: self.datasets.create_project(uow, RULE, "triage", schema))
        self.scope = Scope(project.id)
        new = [NewItem(external_id="case-1", data={"size": 4.0})]
        self.item = storage.write(lambda uow: self.datasets.add_items(uow, RULE, self.scope, new))[0].id

    def open(self, **more: Any) -> str:
        new = NewTask(**{"kind": "label", "question": "kind", "item_id": self.item, **more})
        return self.storage.write(lambda uow: self.tasks.open(uow, RULE, self.scope, new)).id


@pytest.fixture
def queue(storage: Storage, clock: FixedClock, ids: Ids, randomness: Randomness, tmp_path: Path) -> Queue:
    return Queue(storage, clock, ids, randomness, tmp_path / "datasets")


@pytest.fixture
async def client(queue: Queue) -> AsyncIterator[httpx.AsyncClient]:
    def find(uow: UnitOfWork, name: str) -> str | None:
        try:
            return queue.datasets.project(uow, name).id
        except ProjectUnknown:
            return None

    api = application(
        [routes(queue.storage, queue.tasks, queue.datasets)],
        gate=Gate(),
        storage=queue.storage,
        clock=queue.clock,
        find_project=find,
        reach=Reach(),
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(api),
        base_url="http://localhost/api/v1",
        headers={"Authorization": "Bearer anna"},
    ) as made:
        yield made


def _ok(response: httpx.Response, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json() if response.content else None


def _as(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


async def test_from_the_queue_to_the_answer(client: httpx.AsyncClient, queue: Queue) -> None:
    later = queue.open(kind="review", reason="unsure", payload={"prediction": PREDICTION, "rule": "r-1"})
    first = queue.open(kind="review", reason="urgent", priority=5)
    page = _ok(await client.get(QUEUE, params={"status": "open", "limit": 1}))
    assert [(one["id"], one["item_name"], one["reason"]) for one in page["items"]] == [(first, "case-1", "urgent")]
    assert page["counts"]["open"] == 2
    rest = _ok(await client.get(QUEUE, params={"after": page["next"]}))
    assert [one["id"] for one in rest["items"]] == [later]

    claimed = _ok(await client.post(f"{QUEUE}/claim", json={"n": 1}))
    assert [one["id"] for one in claimed["items"]] == [first]
    detail = _ok(await client.post(f"{QUEUE}/{later}/claim"))
    assert detail["question"]["options"] == [{"value": "a", "title": "a"}, {"value": "b", "title": "b"}]
    assert detail["item"] == {"id": detail["item"]["id"], "name": "case-1", "values": {"size": 4.0}}
    assert detail["fields"] == [
        {"name": "size", "title": "Size", "type": "number", "unit": "mm", "reference_low": 1.0, "reference_high": 9.0}
    ]
    assert claimed["fields"] == detail["fields"]
    assert detail["prediction"] == {
        "value": "b",
        "score": 0.874,
        "words": "about 87 in 100 like this",
        "top": [{"feature": "size", "contribution": 1.5}],
    }
    assert (detail["payload"], detail["guideline"], detail["blind"]) == ({"rule": "r-1"}, "Look twice.", False)

    body = {"value": "b", "verb": "label", "reason": "clear", "shown_at": "2026-01-01T12:00:00Z"}
    stored = _ok(await client.post(f"{QUEUE}/{later}/answer", json=body))
    assert stored["next_task_id"] == first
    assert _ok(await client.post(f"{QUEUE}/{later}/answer", json=body)) == stored
    last = _ok(await client.post(f"{QUEUE}/{first}/answer", json={"value": "a", "verb": "label"}))
    assert last["next_task_id"] is None
    assert _ok(await client.get(QUEUE))["items"] == []


async def test_the_queue_says_what_needs_another_person(client: httpx.AsyncClient, queue: Queue) -> None:
    free, second, skilled = queue.open(), queue.open(not_by=("anna",)), queue.open(skill="lead")
    seen = {}
    for person in ("anna", "ben"):
        listed = await client.get(QUEUE, headers={"Authorization": f"Bearer {person}"})
        seen[person] = {one["id"]: one["for_you"] for one in listed.json()["items"]}
    assert seen["anna"] == {free: True, second: False, skilled: False}
    assert seen["ben"] == {free: True, second: True, skilled: False}


async def test_a_claim_is_renewed_and_given_back(client: httpx.AsyncClient, queue: Queue) -> None:
    task = queue.open()
    until = _ok(await client.post(f"{QUEUE}/{task}/claim"))["claim_until"]
    taken = _ok(await client.post(f"{QUEUE}/{task}/claim", headers=_as("ben")), 409)
    assert taken["code"] == "tasks.claimed_by_other"
    queue.clock.advance(seconds=60)
    assert _ok(await client.post(f"{QUEUE}/{task}/renew"))["claim_until"] > until
    _ok(await client.post(f"{QUEUE}/{task}/release"), 204)
    assert _ok(await client.post(f"{QUEUE}/{task}/renew"), 409)["code"] == "tasks.claim_over"
    assert _ok(await client.post(f"{QUEUE}/{task}/claim", headers=_as("ben")))["id"] == task


async def test_blind_tasks_cannot_be_told_apart(client: httpx.AsyncClient, queue: Queue) -> None:
    soon = queue.clock.now() + timedelta(hours=1)
    opened = [
        queue.open(kind="label", blind=True, reason="for the certificate"),
        queue.open(kind="audit", blind=True, reason="audit of what was automatic"),
        queue.open(kind="review", blind=True, reason="guard", payload={"rule": "r-1"}, deadline=soon),
    ]
    listed = _ok(await client.get(QUEUE))
    assert "audit" not in str(listed)
    rows = [{name: held for name, held in one.items() if name != "id"} for one in listed["items"]]
    assert len(rows) == 3
    assert rows[1:] == rows[:-1]
    details = [_ok(await client.post(f"{QUEUE}/{task}/claim")) | {"id": ""} for task in opened]
    assert details[1:] == details[:-1]
    assert (details[0]["kind"], details[0]["prediction"], details[0]["payload"]) == ("label", None, {})
    body = {"value": "a", "verb": "correct"}
    problems = [_ok(await client.post(f"{QUEUE}/{task}/answer", json=body), 422) for task in opened]
    assert {one["code"] for one in problems} == {"tasks.verb_not_allowed"}
    assert len({one["detail"] for one in problems}) == 1
    for task in opened:
        _ok(await client.post(f"{QUEUE}/{task}/answer", json={"value": "a", "verb": "label"}))


async def test_a_lead_sets_the_rules_and_a_claim_over_them_is_told_so(client: httpx.AsyncClient, queue: Queue) -> None:
    assert _ok(await client.get(RULES))["most_held"] is None
    wanted = {"most_held": 1, "most_an_hour": None, "most_a_day": 9, "chain": ["senior"], "skills": {"senior": ["ben"]}}
    asked = {"least_agreement": 0.8, "least_answers": 20, "window_days": 30, "of": ["review"], "admit_first": False}
    wanted |= {"climb_minutes": 30, "competence": asked}
    assert _ok(await client.put(RULES, json=wanted), 403)["code"] == "identity.permission_missing"
    assert _ok(await client.put(RULES, json=wanted, headers=_as("lead"))) == wanted
    assert _ok(await client.get(RULES)) == wanted
    wrong = await client.put(RULES, json={"chain": ["lead"]}, headers=_as("lead"))
    assert _ok(wrong, 422)["code"] == "tasks.rules_invalid"
    task, other = queue.open(), queue.open(skill="senior", priority=-1)
    listed = _ok(await client.get(QUEUE))["items"]
    assert [one["for_you"] for one in listed] == [True, False]
    for one in listed:
        waited = datetime.fromisoformat(one["climbs_at"]) - datetime.fromisoformat(one["opened_at"])
        assert waited == timedelta(minutes=30)
    assert [one["skill"] for one in _ok(await client.get(QUEUE, headers=_as("ben")))["items"]] == ["", "senior"]
    _ok(await client.post(f"{QUEUE}/{task}/claim", headers=_as("ben")))
    refused = _ok(await client.post(f"{QUEUE}/claim", json={"n": 1}, headers=_as("ben")), 409)
    assert (refused["code"], "You hold 1 task" in refused["detail"]) == ("tasks.limit_reached", True)
    _ok(await client.post(f"{QUEUE}/{task}/release", headers=_as("ben")), 204)
    assert _ok(await client.post(f"{QUEUE}/claim", json={"n": 2}, headers=_as("ben")))["items"][0]["id"] == other


async def test_a_lead_sees_how_the_queue_does(client: httpx.AsyncClient, queue: Queue) -> None:
    task = queue.open()
    queue.open(deadline=queue.clock.now() + timedelta(hours=3))
    _ok(await client.post(f"{QUEUE}/{task}/answer", json={"value": "a", "verb": "label"}))
    assert _ok(await client.get("/projects/triage/queue"), 403)["code"] == "identity.permission_missing"
    found = _ok(await client.get("/projects/triage/queue", headers=_as("lead")))
    assert (found["open"], found["claimed"], found["due_next_day"], found["answers_last_hour"]) == (1, 0, 1, 1)
    assert found["climb_next_hour"] == 0
    assert (found["forecast"], "5 whole days" in found["why_no_forecast"]) == (None, True)
    assert found["people"] == [{"person_id": "anna", "name": "Anna", "held": 0, "last_hour": 1, "last_day": 1}]


async def test_a_lead_admits_whom_the_queue_keeps_out(client: httpx.AsyncClient, queue: Queue) -> None:
    task = queue.open()
    rules = {"competence": {"least_agreement": 0.8, "admit_first": True}}
    _ok(await client.put(RULES, json=rules, headers=_as("lead")))
    refused = _ok(await client.post(f"{QUEUE}/claim", json={}), 403)
    assert (refused["code"], refused["facts"]) == ("tasks.gate_closed", {"n": 0, "least_answers": 20})
    body = {"person_id": "anna", "reason": "has been here for years"}
    place = "/projects/triage/queue/admissions"
    assert _ok(await client.post(place, json=body), 403)["code"] == "identity.permission_missing"
    own = await client.post(place, json=body | {"person_id": "lead"}, headers=_as("lead"))
    assert _ok(own, 403)["code"] == "tasks.own_admission"
    made = _ok(await client.post(place, json=body, headers=_as("lead")))
    assert (made["person_id"], "admitted_at" in made) == ("anna", True)
    assert [one["id"] for one in _ok(await client.post(f"{QUEUE}/claim", json={}))["items"]] == [task]
    assert _ok(await client.get("/projects/triage/queue", headers=_as("lead")))["closed"] == []


async def test_only_people_with_the_permission_answer(client: httpx.AsyncClient, queue: Queue) -> None:
    task = queue.open()
    assert len(_ok(await client.get(QUEUE, headers=_as("reader")))["items"]) == 1
    for path in ("claim", f"{task}/claim", f"{task}/renew", f"{task}/release", f"{task}/answer"):
        body = {"value": "a", "verb": "label"} if path.endswith("answer") else {}
        refused = await client.post(f"{QUEUE}/{path}", json=body, headers=_as("reader"))
        assert refused.status_code == 403, path
    refused = await client.post(f"{QUEUE}/{task}/claim", headers=_as("service"))
    assert _ok(refused, 403)["code"] == "tasks.not_a_person"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "?status=answered", None, 422, "request.invalid"),
        ("POST", "/claim", {"n": 6}, 422, "request.invalid"),
        ("POST", "/none/claim", None, 404, "tasks.not_found"),
        ("POST", "/none/answer", {"verb": "shout"}, 422, "request.invalid"),
        ("POST", "/none/answer", {"verb": "label", "value": "a"}, 404, "tasks.not_found"),
    ],
)
async def test_errors_have_their_code(
    client: httpx.AsyncClient, method: str, path: str, body: Any, status: int, code: str
) -> None:
    assert _ok(await client.request(method, f"{QUEUE}{path}", json=body), status)["code"] == code
