"""What follows when nobody answers in time, and what a request says beside its item, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from handrail.cycle.datasets.schema import AnswerInvalid
from handrail.cycle.review.model import Decision, KeyReused
from handrail.cycle.review.policy import PolicyInvalid, Rule
from handrail.cycle.tasks.model import LEAD, SkillMissing
from handrail.foundation.clock import FixedClock
from handrail.foundation.errors import Invalid
from tests.integration.cycle.breast_mass import PERSON
from tests.integration.cycle.review.ward import ANNA, BEN, OTHER, UNSURE, Ward

SURE = 260


def over(ward: Ward, clock: FixedClock) -> None:
    clock.advance(seconds=61)
    ward.expire()


async def stopped_and_waiting(ward: Ward, answers: tuple[Any, ...], *, other: bool = False) -> Decision:
    """Return a covered item that waits because automation was stopped for a moment, with a default on its deadline."""
    ward.automatic(deadline_defaults=answers)
    first = await ward.decide(SURE, "look")
    assert first.route == "auto"
    ward.storage.write(lambda uow: ward.review.stop(uow, ANNA, ward.scope, "a look"))
    said = OTHER[first.value] if other else first.value
    made = await ward.decide(SURE, "waits", deadline_s=60.0, on_deadline="default", default=said)
    assert (made.status, made.default) == ("pending", said)
    return made


async def test_a_covered_default_is_given_and_written_as_a_deadline(ward: Ward, clock: FixedClock) -> None:
    made = await stopped_and_waiting(ward, ("benign", "malignant"))
    ward.storage.write(lambda uow: ward.review.restart(uow, BEN, ward.scope, "all well"))
    over(ward, clock)
    one = ward.decision(made.id)
    assert (one.status, one.value, one.by_kind, one.by_id) == ("decided", made.default, "deadline", made.task_id)
    (told,) = ward.entries("review.deadline_passed")
    certificate = ward.oversight().certificate
    assert certificate is not None
    assert (told["then"], told["value"], told["certificate"]) == ("default", made.default, certificate.id)
    assert made.item_id not in ward.labels(), "nobody looked, so there is no label"


@pytest.mark.parametrize("why", ["stopped", "not named", "another answer", "braked"])
async def test_a_default_that_is_not_covered_is_held_for_a_person(ward: Ward, clock: FixedClock, why: str) -> None:
    answers = () if why == "not named" else ("benign", "malignant")
    made = await stopped_and_waiting(ward, answers, other=why == "another answer")
    if why != "stopped":
        ward.storage.write(lambda uow: ward.review.restart(uow, BEN, ward.scope, "all well"))
    if why == "braked":
        ward.storage.write(lambda uow: ward.review._steering.change(uow, PERSON, ward.scope, "braked", "test"))
    over(ward, clock)
    one = ward.decision(made.id)
    assert (one.status, one.value, one.by_kind) == ("pending", None, made.by_kind)
    (told,) = ward.entries("review.deadline_passed")
    assert (told["then"], told["status"], "certificate" in told) == ("hold", "pending", False)
    again = ward.task(one.task_id)
    assert (again.status, again.deadline, again.payload) == ("open", None, ward.task(made.task_id).payload)
    ward.answer(again.id, "benign", "label")
    assert ward.decision(made.id).by_kind == "person"


async def test_an_item_that_a_rule_keeps_for_people_is_never_answered_by_a_deadline(
    ward: Ward, clock: FixedClock
) -> None:
    rule = Rule(name="dear", when="cost > 100.0", then="human")
    ward.automatic(rules=(rule,), deadline_defaults=("benign", "malignant"))
    sure = await ward.decide(SURE, "cheap", cost=5)
    made = await ward.decide(SURE, "dear", cost=500, deadline_s=60.0, on_deadline="default", default=sure.value)
    assert (sure.route, made.route, made.by_id) == ("auto", "human", "dear")
    over(ward, clock)
    assert ward.decision(made.id).status == "pending"


async def test_escalation_goes_to_a_lead(ward: Ward, clock: FixedClock) -> None:
    ward.policy()
    made = await ward.decide(SURE, deadline_s=60.0, on_deadline="escalate")
    over(ward, clock)
    one = ward.decision(made.id)
    again = ward.task(one.task_id)
    assert (one.status, again.skill, again.deadline) == ("pending", LEAD, None)
    with pytest.raises(SkillMissing):
        ward.storage.write(lambda uow: ward.tasks.claim_one(uow, ANNA, ward.scope, again.id, skills=("",)))
    ward.answer(again.id, "benign", "label", BEN)
    assert ward.decision(made.id).by_id == BEN.id
    assert [one["then"] for one in ward.entries("review.deadline_passed")] == ["escalate"]


async def test_what_cannot_be_undone_is_denied(ward: Ward, clock: FixedClock) -> None:
    ward.policy()
    at = clock.now() + timedelta(seconds=60)
    made = await ward.decide(SURE, deadline=at, irreversible=True)
    held = await ward.decide(SURE + 1, deadline=at)
    assert (made.on_deadline, made.expires_at, held.on_deadline, held.expires_at) == ("deny", at, "hold", None)
    over(ward, clock)
    assert ward.decision(made.id).status == "expired"
    assert ward.decision(held.id).status == "pending"


async def test_risk_and_cost_steer_and_are_kept(ward: Ward) -> None:
    rules = (
        Rule(name="risky", when="risk_class == 'high'", then="human"),
        Rule(name="dear", when="cost > 100.0", then="block"),
    )
    ward.automatic(rules=rules)
    low = await ward.decide(SURE, "low", risk_class="low", cost=1)
    high = await ward.decide(SURE, "high", risk_class="high", cost=1)
    dear = await ward.decide(SURE, "dear", risk_class="low", cost=100.5)
    unsaid = await ward.decide(SURE, "unsaid")
    assert [one.route for one in (low, high, dear, unsaid)] == ["auto", "human", "blocked", "human"]
    assert "could not be evaluated" in unsaid.reasons[0], "what was not said cannot be judged, so a person decides"
    kept = ward.decision(low.id)
    assert (kept.risk_class, kept.cost, kept) == ("low", 1.0, low)
    assert (await ward.decide(SURE, "low", risk_class="low", cost=1)).id == low.id
    with pytest.raises(KeyReused):
        await ward.decide(SURE, "low", risk_class="high", cost=1)
    with pytest.raises(KeyReused):
        await ward.decide(SURE, "low", risk_class="low", cost=2)


async def test_bad_terms_are_refused_and_leave_nothing(ward: Ward) -> None:
    with pytest.raises(PolicyInvalid):
        ward.policy(deadline_defaults=("purple",))
    ward.policy()
    for more, kind in (
        ({"on_deadline": "default"}, Invalid),
        ({"on_deadline": "default", "default": "purple"}, AnswerInvalid),
        ({"default": "benign"}, Invalid),
        ({"cost": float("inf")}, Invalid),
        ({"risk_class": "two words"}, Invalid),
    ):
        with pytest.raises(kind):
            await ward.decide(UNSURE[0], **more)  # type: ignore[arg-type]
    assert ward.decisions() == []
