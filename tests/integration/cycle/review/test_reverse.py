"""A decision is taken back, and those who acted on it must say that they know; on both databases."""

from __future__ import annotations

import pytest

from handrail.cycle.review.execution import ReversalNotFound, StillPending, WasReversed
from handrail.cycle.review.model import Decision, DecisionNotFound, NotAPerson
from handrail.cycle.tasks.model import LEAD
from handrail.foundation.actors import Actor
from handrail.foundation.clock import FixedClock
from handrail.foundation.errors import Invalid
from tests.integration.cycle.breast_mass import MACHINE
from tests.integration.cycle.review.test_consume import take
from tests.integration.cycle.review.test_routes import asked
from tests.integration.cycle.review.ward import ANNA, BEN, OTHER, Ward
from tests.integration.cycle.review.ward_client import client, ok, refused

SURE = 260


def reverse(
    ward: Ward, one: Decision, who: Actor = ANNA, reason: str = "the wrong patient", **more: object
) -> Decision:
    return ward.storage.write(
        lambda uow: ward.review.reversing.reverse(uow, who, ward.scope, one.id, reason=reason, **more)  # type: ignore[arg-type]
    )


def incidents(ward: Ward) -> int:
    now = ward.clock.now()
    return ward.storage.write(lambda uow: ward.review.reversing.open_incidents(uow, now))


async def test_a_consumed_decision_is_taken_back_and_acknowledged(ward: Ward, clock: FixedClock) -> None:
    ward.automatic()
    made = await ward.decide(SURE)
    take(ward, made)
    after = reverse(ward, made, value=OTHER[made.value])
    assert (after.status, after.value, after.by_kind, after.by_id) == ("reversed", OTHER[made.value], "person", ANNA.id)
    assert ward.decision(made.id) == ward.decision(after.id)
    (told,) = ward.entries("review.reversed")
    assert (told["old"], told["new"], told["reason"]) == (made.value, after.value, "the wrong patient")
    assert told["acknowledge_by"] is not None
    with pytest.raises(WasReversed):
        take(ward, made)
    with pytest.raises(WasReversed):
        reverse(ward, made)
    assert incidents(ward) == 0
    acknowledge = ward.review.reversing.acknowledge
    first = ward.storage.write(lambda uow: acknowledge(uow, MACHINE, ward.scope, made.id, "refunded"))
    assert (first.acknowledged_by, first.note) == (MACHINE.id, "refunded")
    assert ward.storage.write(lambda uow: acknowledge(uow, MACHINE, ward.scope, made.id, "again")) == first
    clock.advance(seconds=10_000)
    assert incidents(ward) == 0, "who has acknowledged in time is left alone"
    assert [one["note"] for one in ward.entries("review.reversal_acknowledged")] == ["refunded"]


async def test_where_nobody_acknowledges_leads_get_a_task(ward: Ward, clock: FixedClock) -> None:
    ward.automatic()
    made = await ward.decide(SURE)
    take(ward, made)
    reverse(ward, made, acknowledge_s=60.0)
    clock.advance(seconds=59)
    assert incidents(ward) == 0
    clock.advance(seconds=2)
    assert incidents(ward) == 1
    assert incidents(ward) == 0, "an incident opens once"
    (task,) = ward.open_tasks("appeal")
    assert (task.skill, task.decision_id, task.payload["reason"]) == (LEAD, made.id, "the wrong patient")
    (told,) = ward.entries("review.incident_opened")
    assert (told["decision"], told["task"]) == (made.id, task.id)
    (row,) = ward.storage.read(lambda uow: ward.review.reversing.reversals(uow, ward.scope))
    assert row.task_id == task.id
    ward.storage.write(lambda uow: ward.review.reversing.acknowledge(uow, MACHINE, ward.scope, made.id))
    assert ward.task(task.id).status == "withdrawn", "a late acknowledgement closes the incident"


async def test_an_audit_that_takes_a_consumed_decision_back_asks_for_it_too(ward: Ward, clock: FixedClock) -> None:
    ward.automatic(audit_rate=1.0)
    used, unused = await ward.decide(SURE), await ward.decide(SURE + 1)
    take(ward, used)
    for task in ward.open_tasks("audit"):
        ward.answer(task.id, OTHER[ward.decision(str(task.decision_id)).value], "label", BEN)
    told = {one["decision"]: one["acknowledge_by"] for one in ward.entries("review.reversed")}
    assert (told[used.id] is None, told[unused.id]) == (False, None)
    clock.advance(seconds=3601)
    assert incidents(ward) == 1


async def test_a_reversal_before_the_audit_is_recorded_once(ward: Ward) -> None:
    ward.automatic(audit_rate=1.0)
    made = await ward.decide(SURE)
    (task,) = ward.open_tasks("audit")
    reverse(ward, made)
    ward.answer(task.id, OTHER[made.value], "label", BEN)
    assert len(ward.entries("review.reversed")) == 1
    assert ward.decision(made.id).by_id == ANNA.id
    assert [one["wrong"] for one in ward.entries("review.audited")] == [True], "the audit counts all the same"


async def test_only_a_person_takes_back_and_only_what_is_settled(ward: Ward) -> None:
    ward.policy()
    made = await ward.decide(SURE)
    with pytest.raises(StillPending):
        reverse(ward, made)
    ward.answer(str(made.task_id), "benign", "label")
    with pytest.raises(NotAPerson):
        reverse(ward, made, who=MACHINE)
    for more in ({"reason": "  "}, {"acknowledge_s": 0.0}, {"acknowledge_s": float("nan")}, {"value": "purple"}):
        with pytest.raises(Invalid):
            reverse(ward, made, **more)  # type: ignore[arg-type]
    assert ward.decision(made.id).status == "decided"
    reverse(ward, made)
    assert incidents(ward) == 0
    with pytest.raises(ReversalNotFound):  # nobody acted on it, so nobody must know
        ward.storage.write(lambda uow: ward.review.reversing.acknowledge(uow, MACHINE, ward.scope, made.id))
    with pytest.raises(DecisionNotFound):
        ward.storage.write(lambda uow: ward.review.reversing.reverse(uow, ANNA, ward.scope, "no", reason="why"))


async def test_over_http(ward: Ward) -> None:
    ward.automatic()
    async with client(ward) as service, client(ward, "anna") as anna:
        made = ok(await service.post("/decisions", json=asked(SURE)))
        ok(await service.post(f"/decisions/{made['id']}/consume", json={"caller": "r"}))
        place = f"/decisions/{made['id']}/reverse"
        refused(await service.post(place, json={"reason": "why"}), 403, "review.not_a_person")
        said = ok(await anna.post(place, json={"reason": "why"}, headers={"Idempotency-Key": "one"}))
        assert (said["status"], said["value"]) == ("reversed", None)
        assert ok(await anna.post(place, json={"reason": "why"}, headers={"Idempotency-Key": "one"})) == said
        refused(await anna.post(place, json={"reason": "why"}), 409, "review.reversed")
        (row,) = ok(await service.get("/reversals"))["items"]
        assert (row["decision_id"], row["acknowledged_at"]) == (made["id"], None)
        place = f"/reversals/{made['id']}/acknowledge"
        assert ok(await service.post(place, json={"note": "undone"}))["note"] == "undone"
        refused(await service.post("/reversals/no/acknowledge", json={}), 404, "review.reversal_not_found")
