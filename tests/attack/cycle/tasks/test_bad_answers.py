"""Answers made to harm, over HTTP: a clear stable code each time, and nothing changed."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from handrail.cycle.review.model import Decision
from handrail.cycle.tasks import NewTask
from tests.integration.cycle.breast_mass import PERSON
from tests.integration.cycle.review.ward import OTHER, Ward
from tests.integration.cycle.review.ward_client import client, ok, refused


async def send(service: httpx.AsyncClient, path: str, body: str | bytes) -> httpx.Response:
    return await service.post(path, content=body, headers={"Content-Type": "application/json"})


async def deferred(ward: Ward) -> Decision:
    ward.policy()
    ward.champion()
    return await ward.decide(260)


def left(ward: Ward) -> tuple[Any, ...]:
    """Return all that an answer could change."""
    tasks = ward.open_tasks()
    return (tasks, ward.decisions(), ward.labels(), len(ward.entries("tasks.answered")), ward.oversight())


BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "request.invalid"),
    ({"verb": None}, "request.invalid"),
    ({"verb": ""}, "request.invalid"),
    ({"verb": "fly"}, "request.invalid"),
    ({"verb": "APPROVE"}, "request.invalid"),
    ({"verb": ["label"]}, "request.invalid"),
    ({"verb": "label", "value": "benign", "surprise": 1}, "request.invalid"),
    ({"verb": "label", "value": "benign", "status": "answered"}, "request.invalid"),
    ({"verb": "label", "value": "benign", "actor_kind": "person"}, "request.invalid"),
    ({"verb": "label", "value": "benign", "reason": 7}, "request.invalid"),
    ({"verb": "label", "value": "benign", "reason": "x" * 10_001}, "request.invalid"),
    ({"verb": "label", "value": "benign", "shown_at": "yesterday"}, "request.invalid"),
    ({"verb": "label", "value": "benign", "shown_at": "2026-01-01T12:00:00"}, "request.invalid"),
    ({"verb": "sign"}, "tasks.verb_not_allowed"),
    ({"verb": "reverse", "value": "benign"}, "tasks.verb_not_allowed"),
    ({"verb": "reject", "value": "benign"}, "tasks.invalid"),
    ({"verb": "escalate", "value": "benign"}, "tasks.invalid"),
    ({"verb": "label"}, "tasks.invalid"),
    ({"verb": "correct", "value": None}, "tasks.invalid"),
    ({"verb": "label", "value": "purple"}, "datasets.answer_invalid"),
    ({"verb": "label", "value": "Benign"}, "datasets.answer_invalid"),
    ({"verb": "label", "value": " benign"}, "datasets.answer_invalid"),
    ({"verb": "label", "value": ""}, "datasets.answer_invalid"),
    ({"verb": "label", "value": 1}, "datasets.answer_invalid"),
    ({"verb": "label", "value": True}, "datasets.answer_invalid"),
    ({"verb": "label", "value": ["benign"]}, "datasets.answer_invalid"),
    ({"verb": "label", "value": {"benign": 1}}, "datasets.answer_invalid"),
    ({"verb": "label", "value": "x" * 600_000}, "datasets.answer_invalid"),
]


async def test_bad_answers_are_refused_and_change_nothing(ward: Ward) -> None:
    made = await deferred(ward)
    before = left(ward)
    path = f"/tasks/{made.task_id}/answer"
    async with client(ward, "anna") as anna:
        for body, code in BAD:
            answer = await anna.post(path, json=body)
            assert answer.status_code in (413, 422), (body, answer.text[:300])
            assert answer.json()["code"] in (code, "request.too_large", "http.body_too_large"), (
                body,
                answer.text[:300],
            )
            assert len(answer.text) < 5000
        assert made.prediction is not None
        other = {"verb": "approve", "value": OTHER[made.prediction["value"]]}
        refused(await anna.post(path, json=other), 422, "tasks.invalid")
        assert left(ward) == before
        ok(await anna.post(path, json={"verb": "label", "value": "benign"}))


@pytest.mark.parametrize(
    "value",
    ["NaN", "Infinity", "-Infinity", "1e999", '"\\u0000"', '"\\ud800"', "[" * 100_000, '{"a":' * 20_000, "9" * 10_000],
    ids=lambda one: one[:12],
)
async def test_values_that_json_or_a_database_cannot_hold(ward: Ward, value: str) -> None:
    ward.policy()
    made = await ward.decide(260)
    before = left(ward)
    async with client(ward, "anna") as anna:
        for body in (
            f'{{"verb": "label", "value": {value}}}',
            f'{{"verb": "label", "value": "benign", "reason": {value}}}',
        ):
            answer = await send(anna, f"/tasks/{made.task_id}/answer", body)
            assert answer.status_code in (400, 413, 422), answer.text[:300]
            assert answer.json()["code"].partition(".")[0] in ("request", "datasets", "tasks", "http")
            assert len(answer.text) < 5000
    assert left(ward) == before


async def test_a_machine_never_answers(ward: Ward) -> None:
    made = await deferred(ward)
    before = left(ward)
    async with client(ward, "owner") as owner, client(ward, "reader") as reader:
        body = {"verb": "label", "value": "benign"}
        refused(await owner.post(f"/tasks/{made.task_id}/answer", json=body), 403, "tasks.not_a_person")
        assert (await reader.post(f"/tasks/{made.task_id}/answer", json=body)).status_code == 403
    assert left(ward) == before


async def test_a_blind_task_takes_no_word_about_an_answer_that_was_not_shown(ward: Ward) -> None:
    ward.automatic(audit_rate=1.0)
    await ward.decide(260)
    (task,) = ward.open_tasks("audit")
    before = left(ward)
    async with client(ward, "anna") as anna:
        (shown,) = ok(await anna.get("/tasks"))["items"]
        assert "audit" not in json.dumps(shown)
        for verb in ("approve", "correct", "reject", "override"):
            value = None if verb in ("approve", "reject") else "benign"
            refused(
                await anna.post(f"/tasks/{task.id}/answer", json={"verb": verb, "value": value}),
                422,
                "tasks.verb_not_allowed",
            )
    assert left(ward) == before


async def test_tasks_that_are_not_there_or_ask_what_the_schema_does_not(ward: Ward) -> None:
    ward.policy()
    (item,) = ward.clinic.bring(300, 1)
    new = NewTask(kind="label", question="gone", item_id=item)
    task = ward.storage.write(lambda uow: ward.tasks.open(uow, PERSON, ward.scope, new))
    async with client(ward, "anna") as anna:
        body = {"verb": "label", "value": "benign"}
        refused(await anna.post(f"/tasks/{task.id}/answer", json=body), 422, "datasets.question_unknown")
        for other in ("none", "00000000-0000-7000-8000-000000000000", "x" * 2000, "%00", "..%2f.."):
            answer = await anna.post(f"/tasks/{other}/answer", json=body)
            assert answer.status_code in (400, 404, 405, 422), (other, answer.status_code)
    assert ward.labels() == {}
    assert ward.task(task.id).status == "open"
