"""Two people about one decision, on both databases: blind to each other, settled by agreement or by a lead."""

from __future__ import annotations

import pytest

from handrail.cycle.review.model import Decision
from handrail.cycle.tasks import LEAD, Task
from handrail.cycle.tasks.model import SecondLook
from handrail.foundation.actors import Actor
from handrail.foundation.clock import FixedClock
from tests.integration.cycle.breast_mass import PERSON
from tests.integration.cycle.review.ward import ANNA, BEN, CARA, OTHER, Ward


async def _asked(ward: Ward, **more: object) -> tuple[Decision, Task]:
    """Decide a case that two must look at and let Anna answer first."""
    ward.policy(eyes=2, **more)
    ward.champion()
    made = await ward.decide(260)
    assert (made.status, made.eyes) == ("pending", 2)
    ward.answer(str(made.task_id), "benign", "label", ANNA)
    one = ward.decision(made.id)
    assert (one.status, one.value) == ("pending", None)
    assert one.task_id != made.task_id
    assert made.item_id not in ward.labels()
    return one, ward.task(one.task_id)


async def test_two_who_agree_settle_it(ward: Ward) -> None:
    made, second = await _asked(ward)
    with pytest.raises(SecondLook):
        ward.answer(second.id, "benign", "label", ANNA)
    ward.answer(second.id, "benign", "label", BEN)
    one = ward.decision(made.id)
    assert (one.status, one.value, one.by_id) == ("decided", "benign", BEN.id)
    label = ward.labels()[made.item_id]
    assert (label.value, label.purpose, label.probability) == ("benign", "feedback", None)
    assert len(ward.entries("review.verdict_given")) == 1
    (asked,) = ward.entries("review.second_look_asked")
    assert asked is not None


async def test_the_second_sees_neither_the_first_nor_the_model(ward: Ward) -> None:
    _, second = await _asked(ward)
    assert (second.kind, second.blind, second.payload, second.prediction) == ("review", True, {}, None)
    assert second.not_by == (ANNA.id,)


async def test_the_second_sees_the_model_where_the_policy_says_so(ward: Ward) -> None:
    made, second = await _asked(ward, second_look="shown")
    assert (second.blind, second.payload) == (False, {"prediction": made.prediction})


async def test_two_who_differ_go_to_a_lead_who_has_not_looked(ward: Ward) -> None:
    made, second = await _asked(ward)
    ward.answer(second.id, "malignant", "label", BEN, reason="spiculated")
    one = ward.decision(made.id)
    third = ward.task(one.task_id)
    assert (one.status, third.kind, third.skill) == ("pending", "adjudicate", LEAD)
    assert set(third.not_by) == {ANNA.id, BEN.id}
    assert [told["value"] for told in third.payload["answers"]] == ["benign", "malignant"]
    assert ANNA.id not in str(third.payload)
    for who in (ANNA, BEN):
        with pytest.raises(SecondLook):
            ward.answer(third.id, "benign", "label", who)
    ward.answer(third.id, "malignant", "label", CARA)
    settled = ward.decision(made.id)
    assert (settled.status, settled.value, settled.by_id) == ("decided", "malignant", CARA.id)
    assert len(ward.entries("review.looks_differ")) == 1


async def test_who_cannot_say_is_not_one_of_the_two(ward: Ward) -> None:
    made, second = await _asked(ward)
    ward.answer(second.id, None, "abstain", BEN)
    again = ward.task(ward.decision(made.id).task_id)
    assert set(again.not_by) == {ANNA.id, BEN.id}
    assert again.blind
    ward.answer(again.id, "benign", "label", CARA)
    assert ward.decision(made.id).status == "decided"


async def test_two_who_reject_block_and_a_lead_may_reject_too(ward: Ward) -> None:
    ward.policy(eyes=2, second_look="shown")
    ward.champion()
    made = await ward.decide(260)
    ward.answer(str(made.task_id), None, "reject", ANNA)
    ward.answer(str(ward.decision(made.id).task_id), None, "reject", BEN)
    assert ward.decision(made.id).status == "blocked"
    other = await ward.decide(261)
    ward.answer(str(other.task_id), None, "reject", ANNA)
    ward.answer(str(ward.decision(other.id).task_id), "benign", "label", BEN)
    ward.answer(str(ward.decision(other.id).task_id), None, "reject", CARA)
    assert ward.decision(other.id).status == "blocked"


async def test_the_deadline_holds_for_the_second_too(ward: Ward, clock: FixedClock) -> None:
    ward.policy(eyes=2)
    ward.champion()
    made = await ward.decide(260, deadline_s=60, on_deadline="deny")
    ward.answer(str(made.task_id), "benign", "label", ANNA)
    clock.advance(seconds=61)
    assert ward.expire() == 1
    one = ward.decision(made.id)
    assert (one.status, one.by_kind) == ("expired", "deadline")


async def test_a_draw_for_a_certificate_takes_two_blind_looks_and_counts_once(ward: Ward) -> None:
    ward.policy(eyes=2)
    ward.champion()
    ward.review.plan_certificate(PERSON, ward.scope, labels=40, source="stream", alpha=0.1)
    made = await ward.decide(260)
    first = ward.task(made.task_id)
    assert first.blind
    ward.answer(first.id, "benign", "label", ANNA)
    assert ward.oversight().planned_labels_in == 0
    ward.answer(str(ward.decision(made.id).task_id), OTHER["benign"], "label", BEN)
    third = ward.task(ward.decision(made.id).task_id)
    assert (third.kind, third.shown_kind, third.blind, third.payload) == ("adjudicate", "label", True, {})
    ward.answer(third.id, "benign", "label", CARA)
    assert ward.oversight().planned_labels_in == 1
    label = ward.labels()[made.item_id]
    assert (label.purpose, label.probability) == ("certify", 1.0)


async def test_a_caller_may_demand_two_and_an_automatic_decision_needs_none(ward: Ward) -> None:
    ward.automatic()
    auto = await ward.decide(300, eyes=2)
    assert (auto.route, auto.eyes) == ("auto", 1)
    unsure = await ward.decide(273, eyes=2)
    assert (unsure.route, unsure.eyes) == ("human", 2)


async def test_who_asked_may_not_answer_where_the_policy_parts_them(ward: Ward) -> None:
    ward.policy(author_answers=False)
    ward.champion()
    made = await ward.decide(260, author=ANNA.id)
    with pytest.raises(SecondLook):
        ward.answer(str(made.task_id), "benign", "label", ANNA)
    ward.answer(str(made.task_id), "benign", "label", BEN)
    own = await ward.review.decide(CARA, ward.scope, ward.request(261))
    with pytest.raises(SecondLook):
        ward.answer(str(own.task_id), "benign", "label", CARA)


@pytest.mark.parametrize(("verb", "by"), [("abstain", CARA), ("escalate", CARA), ("skip_ai", ANNA)])
async def test_who_says_nothing_of_the_item_before_the_two_is_none_of_them(ward: Ward, verb: str, by: Actor) -> None:
    ward.policy(eyes=2)
    ward.champion()
    made = await ward.decide(260)
    ward.answer(str(made.task_id), None, verb, by)
    first = ward.decision(made.id)
    assert (first.status, ward.entries("review.second_look_asked")) == ("pending", [])
    ward.answer(str(first.task_id), "benign", "label", ANNA)
    second = ward.decision(made.id)
    assert second.status == "pending", "one look is not two"
    assert len(ward.entries("review.second_look_asked")) == 1
    assert ward.entries("review.looks_differ") == []
    ward.answer(str(second.task_id), "benign", "label", BEN)
    assert (ward.decision(made.id).status, ward.decision(made.id).by_id) == ("decided", BEN.id)
