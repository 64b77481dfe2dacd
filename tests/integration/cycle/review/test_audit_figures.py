"""The figures of audits, over the application and on both databases, and who may read them."""

from __future__ import annotations

from handrail.cycle.review.brake import BrakeState
from handrail.cycle.review.interval import block_error
from handrail.foundation.clock import FixedClock
from tests.integration.cycle.review.test_brake import audits, certificate, check, drawn, stream
from tests.integration.cycle.review.test_controls import opened, planted
from tests.integration.cycle.review.ward import BEN, Ward
from tests.integration.cycle.review.ward_client import client, ok, refused

DAY = 86_400


async def test_the_figures_of_audits(ward: Ward, clock: FixedClock) -> None:
    row = ward.automatic(audit_rate=0.5, audit_due_days=3, control_share=0.2)
    made = await stream(ward, 120)
    clock.advance(seconds=3601)
    planted(ward)
    tasks = [one for one in audits(ward) if one.decision_id is not None]
    for place, task in enumerate(tasks[5:-3]):
        check(ward, task, wrong=place == 4)
    for one in opened(ward)[:2]:
        ward.answer(one.task_id, one.truth, "label", BEN)
    async with client(ward) as owner:
        before = ok(await owner.get("/audits"))
        clock.advance(seconds=3 * DAY)
        found = ok(await owner.get("/audits"))
    number = sum(one.audited for one in made)
    assert (before["drawn"], before["answered"], before["open"], before["overdue"]) == (number, number - 8, 8, 0)
    assert (before["error"]["n"], before["error"]["high"]) == (0, 1.0), "the first audit may still be answered"
    assert (found["open"], found["overdue"], found["wrong"]) == (0, 8, 1)
    assert found["certificate_id"] == row.id
    block = found["error"]
    assert (block["n"], block["first"], block["overdue"], block["complete"]) == (number, 1, 8, False)
    assert block["low"] <= block["value"] < block["high"]
    state = certificate(ward, row.id).brake or {}
    assert (found["brake"]["n"], found["brake"]["lifetime"]) == (state["audits"], 4000)
    assert found["brake"]["brakes_at"] == 1 / state["delta"]
    shown = found["controls"]
    assert (shown["opened"], shown["answered"]) == (len(opened(ward)), 2)
    assert shown["right"] + shown["wrong"] == len(opened(ward)), "those that are late count too"
    assert found["reviewers_said"].startswith("0 control items with a right answer have counted")


async def test_a_block_is_the_same_before_and_after_the_brake_has_taken_it(ward: Ward) -> None:
    """Sums between audits that nobody has written yet are those that will be written."""
    row = ward.automatic(audit_rate=0.5)
    await stream(ward, 80)
    for task in audits(ward):
        check(ward, task, wrong=False)
    found = ward.storage.read(lambda uow: ward.review.watching.figures(uow, ward.scope))
    kept = drawn(ward, row)
    state = found.brake
    assert state is not None
    assert found.error is not None
    assert found.error.n == len(kept)
    assert found.error == block_error(BrakeState.from_dict(certificate(ward, row.id).brake or {}), kept)


async def test_before_a_certificate_there_is_nothing_to_tell(ward: Ward) -> None:
    async with client(ward) as owner:
        refused(await owner.get("/audits"), 409, "review.wrong_state")
        ward.policy()
        found = ok(await owner.get("/audits"))
    assert (found["certificate_id"], found["error"], found["brake"], found["drawn"]) == (None, None, None, 0)


async def test_who_may_not_export_reads_none_of_it(ward: Ward) -> None:
    ward.policy()
    async with client(ward, "reader") as reader:
        refused(await reader.get("/audits"), 403, "identity.permission_missing")
