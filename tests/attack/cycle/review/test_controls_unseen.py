"""A reviewer reads all that a reviewer may, and cannot tell a control item from an audit before their own answer."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from handrail.cycle.annotate.routes import routes as annotate_routes
from handrail.cycle.datasets.routes import routes as datasets_routes
from handrail.cycle.evaluate.people import People
from handrail.cycle.evaluate.routes import routes as evaluate_routes
from handrail.cycle.govern.routes import routes as govern_routes
from handrail.cycle.monitor.routes import routes as monitor_routes
from handrail.cycle.review import store
from handrail.cycle.review.routes import routes as review_routes
from handrail.cycle.tasks import Task
from handrail.cycle.tasks.routes import routes as task_routes
from handrail.cycle.train.routes import routes as train_routes
from handrail.foundation.actors import Actor
from handrail.foundation.clock import FixedClock
from handrail.foundation.http import Reach, Waiting, application
from handrail.foundation.http.guard import GuardedRoute
from handrail.foundation.identity import BUILT_IN
from handrail.foundation.journal.routes import routes as journal_routes
from tests.integration.cycle.breast_mass import QUESTION
from tests.integration.cycle.review.ward import OTHER, Ward

REVIEWER = next(one.permissions for one in BUILT_IN if one.name == "reviewer")
PEOPLE = {
    "eve": Actor(kind="person", id="p-Eve", name="Eve", permissions=REVIEWER),
    "finn": Actor(kind="person", id="p-Finn", name="Finn", permissions=REVIEWER),
    "owner": Actor(kind="machine", id="m-1", name="Owner", permissions=frozenset({"*"})),
}
ENDLESS = "/events"
BY_DATE = "/api/v1/projects/{project}/items"
"""Lists items as they came, in pages: that a control item is about an older case is a known limit (docs)."""
NAMES = re.compile(r"case-\d{4}")
TIMES = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)")
NUMBERS = re.compile(r"-?\d+\.\d+(e-?\d+)?|\b\d+\b")
IDS = re.compile(r"[0-9a-f]{64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Onlooker:
    """The application over a ward, for people with the roles of the product."""

    def __init__(self, ward: Ward) -> None:
        clinic = ward.clinic
        people = People(clinic.datasets, clinic.tasks, ward.review)
        none = cast("Any", SimpleNamespace())  # nothing that is read needs it
        self.ward = ward
        self.api = application(
            [
                review_routes(ward.storage, ward.review, Waiting()),
                task_routes(ward.storage, ward.tasks, clinic.datasets),
                datasets_routes(ward.storage, clinic.datasets),
                annotate_routes(ward.storage, ward.annotate, clinic.datasets),
                train_routes(ward.storage, clinic.train),
                evaluate_routes(ward.storage, clinic.datasets, clinic.evaluate, none, people),
                monitor_routes(ward.storage, ward.monitor),
                govern_routes(ward.govern, ward.storage, ward.recalling, clinic.datasets),
                journal_routes(ward.prover),
            ],
            gate=cast("Any", self),
            storage=ward.storage,
            clock=ward.clock,
            find_project=lambda uow, name: clinic.datasets.project(uow, name).id,
            reach=Reach(),
        )
        self.paths = [
            route.path
            for route in self.api.routes
            if isinstance(route, GuardedRoute) and route.declared.method == "GET" and not route.path.endswith(ENDLESS)
        ]

    async def by_token(self, secret: str) -> Actor | None:
        return PEOPLE.get(secret)

    async def by_session(self, secret: str) -> Actor | None:
        return None

    def client(self, who: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.api)
        headers = {"Authorization": f"Bearer {who}"}
        return httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers)

    async def reads(self, who: str, task: Task) -> dict[str, tuple[int, str]]:
        """Return path -> (status, text) of all that can be read with what is known of a task: its id and its item."""
        known = {"project": "clinic", "task_id": task.id, "item_id": str(task.item_id), "decision_id": task.id}
        found = {}
        async with self.client(who) as client:
            for path in self.paths:
                place = re.sub(r"\{(\w+)\}", lambda match: known.get(match[1], str(task.item_id)), path)
                answer = await client.get(place, params={"question": QUESTION, "limit": 200, "b": "main"})
                found[path] = answer.status_code, answer.text
        return found


def plain(text: str) -> str:
    """Return a text without what differs from item to item: ids, names, times, numbers."""
    for pattern, word in ((IDS, "ID"), (NAMES, "NAME"), (TIMES, "TIME"), (NUMBERS, "N")):
        text = pattern.sub(word, text)
    return text


@pytest.fixture
async def onlooker(ward: Ward, clock: FixedClock) -> Onlooker:
    ward.automatic(audit_rate=1.0, control_share=0.2, second_opinion=True)
    for case in range(260, 320):
        await ward.decide(case)
    clock.advance(seconds=3601)
    now = ward.clock.now()
    assert ward.storage.write(lambda uow: ward.review.controlling.plant_due(uow, now)) >= 3
    return Onlooker(ward)


def split(ward: Ward) -> tuple[list[Task], list[Task]]:
    """Return (audits, control items) that are open."""
    tasks = ward.open_tasks("audit")
    planted = {one.task_id for one in ward.storage.read(lambda uow: store.controls(uow, ward.scope, QUESTION))}
    return [one for one in tasks if one.id not in planted], [one for one in tasks if one.id in planted]


async def test_nothing_that_a_reviewer_reads_tells_them_apart(onlooker: Onlooker) -> None:
    audits, controls = split(onlooker.ward)
    audit, control = await onlooker.reads("eve", audits[0]), await onlooker.reads("eve", controls[0])
    assert sum(status == 200 for status, _ in audit.values()) >= 10
    for path in onlooker.paths:
        assert audit[path][0] == control[path][0], path
        alone = "{task_id}" in path or "{item_id}" in path or "{decision_id}" in path
        assert plain(audit[path][1]) == plain(control[path][1]) or not alone, path
        for name in ("id", "item_id") if path != BY_DATE else ():
            own, other = str(getattr(audits[0], name)), str(getattr(controls[0], name))
            assert (own in audit[path][1]) == (other in control[path][1]), (path, name)
            assert (other in audit[path][1]) == (own in control[path][1]), (path, name)
    denied = {"/api/v1/projects/{project}/audits", "/api/v1/projects/{project}/items/{item_id}/labels"}
    assert {path for path in denied if control[path][0] == 403} == denied


async def test_an_owner_can_tell_them_apart_so_the_test_can_fail(onlooker: Onlooker) -> None:
    audits, controls = split(onlooker.ward)
    audit, control = await onlooker.reads("owner", audits[0]), await onlooker.reads("owner", controls[0])
    path = "/api/v1/projects/{project}/items/{item_id}/labels"
    assert plain(audit[path][1]) != plain(control[path][1]), "the known truth"


async def test_no_decision_tells_a_reviewer_its_item(onlooker: Onlooker) -> None:
    """The stream names every decision; with their items it would tell which tasks have none behind them."""
    items = {str(one.item_id) for part in split(onlooker.ward) for one in part}
    async with onlooker.client("eve") as eve:
        for one in onlooker.ward.decisions():
            answer = await eve.get(f"/api/v1/projects/clinic/decisions/{one.id}")
            assert answer.status_code == 200
            assert not any(item in answer.text for item in items)
        assert (await eve.get("/api/v1/projects/clinic/decisions")).json()["items"] == []


async def test_claims_and_answers_look_alike(onlooker: Onlooker) -> None:
    """Also the second look, which an error of either asks for."""
    audits, controls = split(onlooker.ward)
    kept = onlooker.ward.storage.read(lambda uow: store.controls(uow, onlooker.ward.scope, QUESTION))
    given = {one.task_id: one.given for one in kept}
    control = next(one for one in controls if PEOPLE["eve"].id not in one.not_by)
    said = {
        audits[0].id: OTHER[str((onlooker.ward.decision(str(audits[0].decision_id)).prediction or {})["value"])],
        control.id: OTHER[given[control.id]],
    }
    seen: dict[str, list[tuple[int, str]]] = {}
    async with onlooker.client("eve") as eve:
        for one, value in said.items():
            place = f"/api/v1/projects/clinic/tasks/{one}"
            answers = [
                await eve.post(f"{place}/claim"),
                await eve.post(f"{place}/renew"),
                await eve.post(f"{place}/answer", json={"verb": "approve", "value": value}),
                await eve.post(f"{place}/answer", json={"verb": "label", "value": value}),
                await eve.post(f"{place}/answer", json={"verb": "label", "value": value}),
                await eve.post(f"{place}/claim"),
            ]
            texts = [re.sub(r"malignant|benign", "VALUE", plain(answer.text)) for answer in answers]
            seen[one] = [(answer.status_code, text) for answer, text in zip(answers, texts, strict=True)]
    first, second = seen.values()
    assert first == second
    assert [status for status, _ in first] == [200, 200, 422, 200, 200, 409]
    audits, controls = split(onlooker.ward)
    again = [one for one in (*audits, *controls) if PEOPLE["eve"].id in one.not_by]
    assert len(again) == 2, "a second person looks at both"
    audit, other = again
    looks = [await onlooker.reads("finn", one) for one in (audit, other)]
    path = "/api/v1/projects/{project}/tasks"
    rows = [
        next(plain(part) for part in looks[place][path][1].split("},{") if one.id in part)
        for place, one in enumerate(again)
    ]
    assert rows[0] == rows[1]
