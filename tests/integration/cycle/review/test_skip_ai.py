"""A person answers without the model's answer: it is hidden for this item, and that is on record."""

from __future__ import annotations

import pytest

from handrail.cycle.review.verdict import ReasonNotListed
from handrail.cycle.tasks.model import TaskInvalid, VerbNotAllowed
from handrail.foundation.clock import FixedClock
from tests.integration.cycle.review.test_verdicts import pending, predicted
from tests.integration.cycle.review.ward import ANNA, OTHER, Ward
from tests.integration.cycle.review.ward_client import client, ok


async def test_the_model_s_answer_is_hidden_and_the_person_answers(ward: Ward, clock: FixedClock) -> None:
    made = await pending(ward, deadline_s=600.0, on_deadline="deny")
    other = await pending(ward, 261)
    ward.answer(str(made.task_id), None, "skip_ai", reason="I want to see for myself")
    one = ward.decision(made.id)
    assert (one.status, one.task_id == made.task_id) == ("pending", False)
    again = ward.task(one.task_id)
    assert (again.prediction, again.payload, again.deadline) == (None, {"answered_without_ai": True}, made.expires_at)
    async with client(ward, "anna") as anna:
        (held,) = ok(await anna.post("/tasks/claim", json={"n": 1}))["items"]
        assert (held["id"], held["prediction"]) == (again.id, None), "it is the next one of who asked for it"
        assert "malignant" not in str(held["payload"])
    with pytest.raises(VerbNotAllowed):
        ward.answer(again.id, None, "approve")
    with pytest.raises(VerbNotAllowed):
        ward.answer(again.id, None, "skip_ai")
    ward.answer(again.id, "benign", "label")
    assert (ward.decision(made.id).value, ward.decision(made.id).by_id) == ("benign", ANNA.id)
    told = [(entry["verdict"], entry["reason"]) for entry in ward.entries("review.verdict_given")]
    assert told == [("skip_ai", "I want to see for myself"), ("label", "")]
    assert ward.task(other.task_id).prediction is not None, "other items keep theirs"


async def test_it_carries_no_value_and_needs_an_answer_to_hide(ward: Ward) -> None:
    made = await pending(ward)
    with pytest.raises(TaskInvalid):
        ward.answer(str(made.task_id), "benign", "skip_ai")
    assert ward.decision(made.id) == made


async def test_where_no_model_answers_there_is_nothing_to_hide(ward: Ward) -> None:
    ward.policy()
    made = await ward.decide(260)
    with pytest.raises(VerbNotAllowed):
        ward.answer(str(made.task_id), None, "skip_ai")


async def test_a_verdict_chooses_from_the_project_s_reasons(ward: Ward) -> None:
    ward.policy(reasons=("poor image", "wrong model"))
    ward.champion()
    made = await pending(ward)
    value = OTHER[predicted(made)]
    for verb, said in (("correct", value), ("reject", None), ("escalate", None), ("skip_ai", None)):
        with pytest.raises(ReasonNotListed) as caught:
            ward.answer(str(made.task_id), said, verb, reason="because")
        assert (caught.value.status, caught.value.facts["reasons"]) == (422, ["poor image", "wrong model"])
    assert ward.task(made.task_id).status == "open"
    assert ward.entries("tasks.answered") == []
    ward.answer(str(made.task_id), value, "correct", reason="wrong model: an old one")
    assert ward.decision(made.id).value == value
    second = await pending(ward, 261)
    ward.answer(str(second.task_id), None, "approve")
    assert ward.decision(second.id).status == "decided"
