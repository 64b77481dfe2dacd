"""What was braked is opened by a person: a plan of a machine that was open ends with the brake, on both databases."""

from __future__ import annotations

from tests.integration.cycle.breast_mass import MACHINE, PERSON
from tests.integration.cycle.review.test_brake import audits, certificate, check
from tests.integration.cycle.review.test_brake_groups import automatic, cases, check_all, mixed
from tests.integration.cycle.review.ward import Ward


async def test_a_plan_that_no_person_asked_for_ends_with_the_brake(ward: Ward) -> None:
    ward.automatic(audit_rate=1.0, brake_lifetime=100)
    await cases(ward, 40, None)
    planned = ward.review.plan_certificate(MACHINE, ward.scope, labels=12, alpha=0.2, source="stream")
    for task in audits(ward):
        check(ward, task, wrong=True)
    assert ward.state() == "braked"
    assert certificate(ward, planned.id).ended_why.startswith("braked: no person asked for it")
    assert (await ward.decide(300, "after")).reasons == ("the brake holds automation",)


async def test_a_plan_that_no_person_asked_for_ends_when_a_group_stops(ward: Ward) -> None:
    """Else its labels, asked for before the stop, would open the group again without a person."""
    row = automatic(ward)
    await mixed(ward, 40)
    ward.clinic.bring(460, 60)
    planned = ward.review.plan_certificate(MACHINE, ward.scope, labels=40, alpha=0.1)
    check_all(ward)
    ward.label_drawn()
    ended = ward.review.complete_certificate(MACHINE, ward.scope, planned.id)
    assert (ended.status, ended.ended_why.partition(":")[0]) == ("ended", "braked")
    assert ward.oversight().control.certificate_id == row.id
    assert (await cases(ward, 1, "south", 430))[0].by_kind == "brake"
    assert (await cases(ward, 1, "north", 430))[0].route == "auto"


async def test_a_plan_that_a_person_asked_for_goes_on_when_a_group_stops(ward: Ward) -> None:
    automatic(ward)
    await mixed(ward, 40)
    ward.clinic.bring(460, 60)
    planned = ward.review.plan_certificate(PERSON, ward.scope, labels=40, alpha=0.1)
    check_all(ward)
    ward.label_drawn()
    assert ward.review.complete_certificate(PERSON, ward.scope, planned.id).status == "certified"
    assert (await cases(ward, 1, "south", 430))[0].route == "auto"
