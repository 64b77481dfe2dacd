"""Audits without a verdict when it is due: the clock sees them, escalates each once, warns, and never brakes."""

from __future__ import annotations

from typing import Any

from handrail.cycle.review import store
from handrail.foundation.clock import FixedClock
from tests.integration.cycle.breast_mass import QUESTION
from tests.integration.cycle.review.test_brake import audits, certificate, check, stream
from tests.integration.cycle.review.test_controls import opened, planted
from tests.integration.cycle.review.ward import ANNA, BEN, Ward

DAY = 86_400


def turn(ward: Ward) -> int:
    return ward.review.escalating.turn(ward.clock.now())


async def late(ward: Ward, clock: FixedClock, **policy: Any) -> str:
    """Let audits be drawn and left alone until they are due; returns the certificate's id."""
    row = ward.automatic(**{"audit_rate": 1.0, "audit_due_days": 3, **policy})
    await stream(ward, 40)
    assert turn(ward) == 0
    clock.advance(seconds=3 * DAY)
    return row.id


async def test_the_clock_escalates_each_once_and_warns(ward: Ward, clock: FixedClock) -> None:
    row_id = await late(ward, clock)
    before = {one.decision_id: one for one in audits(ward)}
    assert ward.state() == "auto", "nothing happens before anybody looks, but the clock looks"
    assert turn(ward) == len(before)
    assert turn(ward) == 0
    after = {one.decision_id: one for one in audits(ward)}
    assert set(after) == set(before)
    for decision, one in after.items():
        assert (one.skill, one.blind, one.payload) == ("lead", True, {})
        assert one.id != before[decision].id
        assert ward.decision(str(decision)).task_id == one.id
    told = ward.entries("review.audit_overdue")
    assert {one["decision"] for one in told} == set(before)
    assert {one["certificate"] for one in told} == {row_id}
    assert ward.state() == "warned"
    assert ward.oversight().control.note == "more than 5% of the audits that are due have no verdict"


async def test_overdue_audits_never_brake_and_their_verdicts_end_the_warning(ward: Ward, clock: FixedClock) -> None:
    row_id = await late(ward, clock)
    turn(ward)
    kept = certificate(ward, row_id).brake or {}
    assert (kept["audits"], kept["wrong"], kept["braked"], kept["warned"]) == (0, 0, False, True)
    for task in audits(ward):
        check(ward, task, wrong=False, who=BEN)
    assert ward.state() == "auto"
    assert (certificate(ward, row_id).brake or {})["wrong"] == 0


async def test_a_few_are_escalated_without_a_warning(ward: Ward, clock: FixedClock) -> None:
    await late(ward, clock)
    for task in audits(ward)[1:]:
        check(ward, task, wrong=False)
    assert turn(ward) == 1
    assert (len(audits(ward)), audits(ward)[0].skill, ward.state()) == (1, "lead", "auto")


async def test_what_somebody_holds_waits_until_they_give_it_back(ward: Ward, clock: FixedClock) -> None:
    await late(ward, clock)
    held = audits(ward)[0]
    ward.storage.write(lambda uow: ward.tasks.claim_one(uow, ANNA, ward.scope, held.id))
    turn(ward)
    assert ward.task(held.id).claimed_by == ANNA.id
    check(ward, held, wrong=False)
    assert str(held.decision_id) not in {one["decision"] for one in ward.entries("review.audit_overdue")}


async def test_what_leads_have_already_stays_with_them(ward: Ward, clock: FixedClock) -> None:
    await late(ward, clock)
    first = audits(ward)[0]
    ward.answer(first.id, None, "escalate", BEN)
    theirs = next(one for one in audits(ward) if one.decision_id == first.decision_id)
    turn(ward)
    assert theirs.id in {one.id for one in audits(ward)}
    (told,) = [one for one in ward.entries("review.audit_overdue") if one["decision"] == first.decision_id]
    assert told["task"] == told["next_task"] == theirs.id


async def test_an_overdue_audit_counts_as_wrong_in_the_upper_limit_alone(ward: Ward, clock: FixedClock) -> None:
    await late(ward, clock)
    for task in audits(ward)[5:]:
        check(ward, task, wrong=False)
    found = ward.storage.read(lambda uow: ward.review.audit_estimate(uow, ward.scope))
    ward.storage.write(lambda uow: ward.review.stop(uow, ANNA, ward.scope, "a look"))
    assert found is not None
    assert (found.value, found.low) == (0.0, 0.0)
    open_ = audits(ward)
    for task in open_:
        check(ward, task, wrong=True)
    answered = ward.storage.read(lambda uow: ward.review.audit_estimate(uow, ward.scope))
    assert answered is not None
    assert found.high == answered.high, "as high as if all of them had been wrong"


async def test_a_control_item_is_handed_on_as_an_audit_is(ward: Ward, clock: FixedClock) -> None:
    ward.automatic(audit_rate=1.0, audit_due_days=3, control_share=0.2)
    await stream(ward, 60)
    clock.advance(seconds=3601)
    assert planted(ward) >= 3
    clock.advance(seconds=3 * DAY)
    number = len(audits(ward))
    assert turn(ward) == number
    assert turn(ward) == 0
    assert {one.skill for one in audits(ward)} == {"lead"}
    rows = {one.id: one for one in opened(ward)}
    assert {one.task_id for one in rows.values()} <= {one.id for one in audits(ward)}
    found = ward.storage.read(
        lambda uow: ward.review.controlling.measured(uow, ward.scope, QUESTION, second_opinion=False, delta=0.05)
    )
    assert found.late == found.n == len(rows), "late verdicts count against the reviewers"
    assert len(ward.entries("review.audit_overdue")) == number - len(rows)
    assert ward.storage.read(lambda uow: store.overdue_controls(uow, ward.scope, 1 << 60)) == []
