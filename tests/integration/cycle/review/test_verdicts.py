"""What people's answers and deadlines do to a deferred decision, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from handrail.cycle.review import store
from handrail.cycle.review.model import Decision, DecisionNotFound
from handrail.cycle.tasks.model import AlreadyAnswered, NotAPerson, SecondLook, TaskClosed, TaskInvalid
from handrail.foundation.clock import FixedClock
from tests.integration.cycle.breast_mass import MACHINE
from tests.integration.cycle.review.ward import ANNA, BEN, CARA, OTHER, PERSON, Ward


async def pending(ward: Ward, case: int = 260, key: str | None = None, **more: Any) -> Decision:
    """Decide a case that a person must look at, with the model's answer in sight."""
    if not ward.storage.read(lambda uow: ward.review.oversight(uow, ward.scope)):
        ward.policy()
        ward.champion()
    made = await ward.decide(case, key, **more)
    assert (made.status, made.prediction is None) == ("pending", False)
    return made


def predicted(one: Decision) -> str:
    assert one.prediction is not None
    return str(one.prediction["value"])


@pytest.mark.parametrize("verb", ["approve", "correct", "override", "label"])
async def test_a_verdict_makes_a_deferred_decision_final(ward: Ward, verb: str, clock: FixedClock) -> None:
    made = await pending(ward)
    value = predicted(made) if verb == "approve" else OTHER[predicted(made)]
    clock.advance(seconds=90)
    ward.answer(str(made.task_id), None if verb == "approve" else value, verb, reason="seen twice")
    one = ward.decision(made.id)
    assert (one.status, one.route, one.value, one.by_kind, one.by_id) == ("decided", "human", value, "person", ANNA.id)
    assert one.decided_at is not None
    assert (one.decided_at - one.created_at).total_seconds() == 90
    (told,) = ward.entries("review.verdict_given")
    assert (told["verdict"], told["value"], told["agreed"], told["reason"]) == (
        verb,
        value,
        verb == "approve",
        "seen twice",
    )
    label = ward.labels()[made.item_id]
    assert (label.value, label.source, label.purpose, label.actor_id) == (value, "review", "feedback", ANNA.id)
    assert label.probability is None, "nobody drew this item: it estimates nothing"


async def test_a_rejected_item_is_blocked_and_has_no_label(ward: Ward) -> None:
    made = await pending(ward)
    ward.answer(str(made.task_id), None, "reject", reason="not a mass")
    one = ward.decision(made.id)
    assert (one.status, one.value, one.by_kind) == ("blocked", None, "person")
    assert made.item_id not in ward.labels()


@pytest.mark.parametrize(
    ("verb", "priority"), [("abstain", lambda worth: worth + 1), ("escalate", lambda worth: 2 * worth)]
)
async def test_who_cannot_say_hands_on_to_somebody_else(ward: Ward, verb: str, priority: Callable[[int], int]) -> None:
    made = await pending(ward)
    first = ward.task(made.task_id)
    ward.answer(first.id, None, verb)
    one = ward.decision(made.id)
    again = ward.task(one.task_id)
    assert (one.status, again.status) == ("pending", "open")
    assert (again.not_by, again.priority, again.payload) == ((ANNA.id,), priority(first.worth), first.payload)
    with pytest.raises(SecondLook):
        ward.answer(again.id, "benign", "label", ANNA)
    ward.answer(again.id, "benign", "label", BEN)
    assert ward.decision(made.id).by_id == BEN.id
    assert [one["verdict"] for one in ward.entries("review.verdict_given")] == [verb, "label"]


async def test_a_decision_has_one_verdict(ward: Ward) -> None:
    made = await pending(ward)
    task_id = str(made.task_id)
    first = ward.answer(task_id, "benign", "label", ANNA)
    assert ward.answer(task_id, "benign", "label", ANNA) == first, "the same again is the same answer"
    for who, value in ((ANNA, "malignant"), (BEN, "benign"), (BEN, "malignant")):
        with pytest.raises(AlreadyAnswered):
            ward.answer(task_id, value, "label", who)
    assert ward.decision(made.id).value == "benign"
    assert len(ward.entries("review.verdict_given")) == 1


async def test_of_many_people_at_once_one_decides(ward: Ward) -> None:
    made = await pending(ward)

    def say(number: int) -> str:
        who, value = (ANNA, BEN, CARA)[number % 3], ("benign", "malignant")[number % 2]
        try:
            return ward.answer(str(made.task_id), value, "label", who).actor_id
        except AlreadyAnswered:
            return ""

    said = [one for one in await asyncio.gather(*(asyncio.to_thread(say, number) for number in range(12))) if one]
    one = ward.decision(made.id)
    assert set(said) == {one.by_id}
    assert len(ward.entries("review.verdict_given")) == 1
    assert ward.labels()[made.item_id].value == one.value


async def test_bad_answers_change_nothing(ward: Ward) -> None:
    made = await pending(ward)
    other = OTHER[predicted(made)]
    for who, value, verb, code in (
        (ANNA, other, "approve", "tasks.invalid"),
        (ANNA, None, "correct", "tasks.invalid"),
        (ANNA, "purple", "correct", "datasets.answer_invalid"),
        (ANNA, 7, "label", "datasets.answer_invalid"),
        (ANNA, "benign", "sign", "tasks.verb_not_allowed"),
        (MACHINE, "benign", "label", "tasks.not_a_person"),
    ):
        with pytest.raises((TaskInvalid, NotAPerson, Exception)) as caught:
            ward.answer(str(made.task_id), value, verb, who)
        assert caught.value.code == code  # type: ignore[union-attr]
    assert ward.decision(made.id) == made
    assert ward.task(made.task_id).status == "open"
    assert ward.entries("tasks.answered") == []


async def test_a_deadline_is_written_as_a_deadline(ward: Ward, clock: FixedClock) -> None:
    made = await pending(ward, deadline_s=60.0, on_deadline="deny")
    assert made.expires_at is not None
    assert (made.expires_at - made.created_at).total_seconds() == 60
    clock.advance(seconds=59)
    ward.expire()
    assert ward.decision(made.id).status == "pending"
    clock.advance(seconds=1)
    with pytest.raises(TaskClosed):
        ward.answer(str(made.task_id), "benign", "label")
    assert ward.expire() == 1
    one = ward.decision(made.id)
    assert (one.status, one.value, one.by_kind, one.by_id) == ("expired", None, "deadline", made.task_id)
    (told,) = ward.entries("review.deadline_passed")
    assert (told["decision"], told["status"]) == (made.id, "expired")
    assert ward.expire() == 0
    with pytest.raises(TaskClosed):
        ward.answer(str(made.task_id), "benign", "label")
    assert ward.decision(made.id) == one
    assert made.item_id not in ward.labels()
    assert len(ward.entries("review.deadline_passed")) == 1


async def test_a_decision_that_may_wait_does(ward: Ward, clock: FixedClock) -> None:
    made = await pending(ward, deadline_s=60.0, on_deadline="hold")
    assert made.expires_at is None
    clock.advance(seconds=10_000)
    assert ward.expire() == 0
    ward.answer(str(made.task_id), "benign", "label")
    assert ward.decision(made.id).status == "decided"


async def test_an_answer_in_time_beats_the_deadline(ward: Ward, clock: FixedClock) -> None:
    made = await pending(ward, deadline_s=60.0, on_deadline="deny")
    ward.answer(str(made.task_id), "benign", "label")
    clock.advance(seconds=61)
    ward.expire()
    assert ward.decision(made.id).status == "decided"
    assert ward.entries("review.deadline_passed") == []


async def test_handing_on_does_not_move_the_deadline(ward: Ward, clock: FixedClock) -> None:
    made = await pending(ward, deadline_s=60.0, on_deadline="deny")
    ward.answer(str(made.task_id), None, "abstain")
    assert ward.task(ward.decision(made.id).task_id).deadline == made.expires_at
    clock.advance(seconds=61)
    ward.expire()
    assert ward.decision(made.id).status == "expired"


async def test_a_drawn_item_that_expires_still_gets_its_label(ward: Ward, clock: FixedClock) -> None:
    """Or the certificate would wait for ever; the decision stays as the deadline left it."""
    ward.policy()
    ward.champion()
    ward.clinic.bring(120, 140)
    planned = ward.review.plan_certificate(PERSON, ward.scope, labels=12, alpha=0.2, source="stream", lazy=False)
    made = [await ward.decide(case, deadline_s=60.0, on_deadline="deny") for case in range(260, 272)]
    clock.advance(seconds=61)
    ward.expire()
    assert {ward.decision(one.id).status for one in made} == {"expired"}
    tasks = ward.open_tasks("review")
    assert [task.decision_id for task in tasks] == [one.id for one in made]
    assert all(task.blind and task.deadline is None for task in tasks)
    ward.answer(tasks[0].id, None, "abstain")
    for task in ward.open_tasks("review"):
        assert task.item_id is not None
        ward.answer(task.id, ward.clinic.truth[task.item_id], "label", BEN)
    for one in made:
        after = ward.decision(one.id)
        assert (after.status, after.value, after.by_kind) == ("expired", None, "deadline")
        assert ward.labels()[one.item_id].purpose == "certify"
    assert [one["certificate"] for one in ward.entries("review.certificate_ready")] == [planned.id]
    assert ward.review.complete_certificate(PERSON, ward.scope, planned.id).status in ("certified", "refused")


async def test_a_decision_of_another_project_is_not_found(ward: Ward) -> None:
    made = await pending(ward)
    with pytest.raises(DecisionNotFound):
        ward.decision("00000000-0000-7000-8000-000000000000")
    found = ward.storage.read(lambda uow: store.decisions_of_item(uow, ward.scope, made.item_id))
    assert found == [made]
