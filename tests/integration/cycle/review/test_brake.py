"""Audits and the brake on both databases: drawn with a logged probability, counted once, and stopping at once."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from sqlalchemy import bindparam, select

from handrail.cycle.review import audit_draw, brake, store
from handrail.cycle.review.certificates.row import CertificateRow
from handrail.cycle.review.model import AuditRow, Decision
from handrail.cycle.tasks import Task
from handrail.cycle.tasks.model import AlreadyAnswered, VerbNotAllowed
from handrail.foundation.clock import FixedClock
from handrail.foundation.journal.store import entry
from tests.integration.cycle.review.ward import ANNA, BEN, CARA, OTHER, PERSON, Ward


def certificate(ward: Ward, certificate_id: str) -> CertificateRow:
    found = ward.storage.read(lambda uow: store.get_certificate(uow, ward.scope, certificate_id))
    assert found is not None
    return found[0]


async def stream(ward: Ward, count: int, start: int = 260) -> list[Decision]:
    """Decide cases, from `start` on and round again, each under its own key."""
    cases = [260 + (start - 260 + place) % 200 for place in range(count)]
    return list(await asyncio.gather(*(ward.decide(case, f"{start + place}") for place, case in enumerate(cases))))


def audits(ward: Ward) -> list[Task]:
    """Return open audits in the order of their decisions, which is that of the brake."""
    return sorted(ward.open_tasks("audit"), key=lambda task: str(task.decision_id))


def check(ward: Ward, task: Task, *, wrong: bool, who: Any = ANNA) -> None:
    """Answer an audit: as the model said, or the other way round."""
    one = ward.decision(str(task.decision_id))
    assert one.prediction is not None
    value = one.prediction["value"]
    ward.answer(task.id, OTHER[value] if wrong else value, "label", who)


def drawn(ward: Ward, row: CertificateRow) -> list[AuditRow]:
    """Return every audit that was drawn under a certificate, in the order of the decisions."""
    made = sorted(one.id for one in ward.decisions() if one.certificate_id == row.id and one.audited)
    found = ward.storage.read(lambda uow: [store.get_audit(uow, ward.scope, one) for one in made])
    return [one for one in found if one is not None]


def rebuilt(ward: Ward, row: CertificateRow) -> dict[str, Any]:
    """Return the brake's state as the log of its audits gives it, up to the last one with a verdict."""
    kept = drawn(ward, row)
    last = max(place for place, one in enumerate(kept) if one.wrong is not None)
    begun = brake.start(alpha=row.alpha, delta=0.05, lifetime=4000, reviewer_error=0.0)
    return brake.replay(begun, [(bool(one.wrong), one.draw) for one in kept[: last + 1]]).to_dict()


async def break_it(ward: Ward) -> int:
    """Answer audits as wrong until the brake holds; returns how many it took."""
    for number, task in enumerate(audits(ward), start=1):
        check(ward, task, wrong=True)
        if ward.state() == "braked":
            return number
    raise AssertionError("the brake did not trip")


async def test_audits_are_drawn_at_the_probability_that_is_written(ward: Ward) -> None:
    row = ward.automatic(audit_rate=0.3)
    made = [one for one in await stream(ward, 190) if one.route == "auto"]
    plan = audit_draw.AuditPlan.from_dict(row.document["audit_plan"])
    for one in made:
        assert one.score is not None
        assert one.prediction is not None
        assert one.audit_probability == audit_draw.probability(plan, one.score, one.prediction["value"])
        assert (one.task_id is not None) == one.audited
    expected = sum(one.audit_probability for one in made)
    spread = sum(one.audit_probability * (1 - one.audit_probability) for one in made) ** 0.5
    drawn = sum(one.audited for one in made)
    assert abs(drawn - expected) < 4 * spread
    assert len(audits(ward)) == drawn > 0


async def test_an_audit_is_blind_and_a_right_answer_leaves_the_decision(ward: Ward) -> None:
    row = ward.automatic(audit_rate=1.0)
    made = await ward.decide(260)
    (task,) = audits(ward)
    assert (task.blind, task.payload, task.prediction) == (True, {}, None)
    assert (task.shown_kind, made.audited, made.audit_probability) == ("label", True, 1.0)
    for verb in ("approve", "reject"):
        with pytest.raises(VerbNotAllowed):
            ward.answer(task.id, None, verb)
    check(ward, task, wrong=False)
    assert ward.decision(made.id) == made
    (audit,) = ward.storage.read(lambda uow: store.audits(uow, ward.scope, row.id))
    assert (audit.decision_id, audit.probability, audit.wrong) == (made.id, 1.0, False)
    label = ward.labels()[made.item_id]
    assert (label.source, label.purpose, label.probability) == ("audit", "feedback", 1.0)
    state = brake.BrakeState.from_dict(certificate(ward, row.id).brake or {})
    assert (state.audits, state.wrong) == (1, 0)


async def test_a_wrong_answer_is_reversed_by_the_person_who_checked(ward: Ward) -> None:
    ward.automatic(audit_rate=1.0)
    made = await ward.decide(260)
    (task,) = audits(ward)
    check(ward, task, wrong=True, who=BEN)
    one = ward.decision(made.id)
    assert one.prediction is not None
    assert (one.status, one.route, one.by_kind, one.by_id) == ("reversed", "auto", "person", BEN.id)
    assert one.value == OTHER[one.prediction["value"]]
    (told,) = ward.entries("review.reversed")
    assert (told["old"], told["new"], told["decision"]) == (one.prediction["value"], one.value, one.id)
    with pytest.raises(AlreadyAnswered):
        check(ward, task, wrong=False, who=ANNA)
    assert len(ward.entries("review.audited")) == 1


async def test_who_cannot_say_hands_the_audit_on_and_it_counts_once(ward: Ward) -> None:
    ward.automatic(audit_rate=1.0)
    made = await ward.decide(260)
    (task,) = audits(ward)
    ward.answer(task.id, None, "abstain", ANNA)
    (again,) = audits(ward)
    assert (again.blind, again.decision_id, again.not_by) == (True, made.id, (ANNA.id,))
    assert ward.entries("review.audited") == []
    check(ward, again, wrong=False, who=BEN)
    assert len(ward.entries("review.audited")) == 1


async def test_the_stored_brake_is_what_replaying_the_audits_gives(ward: Ward) -> None:
    row = ward.automatic(audit_rate=0.5)
    await stream(ward, 60)
    for place, task in enumerate(audits(ward)):
        check(ward, task, wrong=place % 9 == 0)
    now = certificate(ward, row.id)
    assert rebuilt(ward, row) == now.brake


async def test_the_brake_stops_automation_in_the_unit_of_the_audit(ward: Ward) -> None:
    row = ward.automatic(audit_rate=1.0, brake_lifetime=100)
    await stream(ward, 60)
    number = await break_it(ward)
    ended = certificate(ward, row.id)
    assert ended.status == "ended"
    assert ended.ended_why.startswith(f"braked: audit {number} took the e-value to ")
    assert ended.brake is not None
    assert (ended.brake["braked"], ended.brake["braked_at"]) == (True, number)
    after = await ward.decide(400, "after")
    assert (after.route, after.by_kind, after.reasons) == ("human", "brake", ("the brake holds automation",))

    query = (
        select(entry.c.verb, entry.c.objects)
        .where(entry.c.verb.like(bindparam("like")), entry.c.project_id == bindparam("project"))
        .order_by(entry.c.seq.desc())
        .limit(5)
    )
    rows = ward.storage.read(lambda uow: uow.run(query, like="review.%", project=ward.scope.project_id).all())
    assert [verb for verb, _ in rows] == [
        "review.decided",
        "review.reversed",
        "review.state_changed",
        "review.certificate_ended",
        "review.audited",
    ], "one unit: the audit, the end of the certificate, the state, the reversal"
    changes = [(one["old"], one["new"]) for one in ward.entries("review.state_changed")]
    assert changes[-2:] == [("auto", "warned"), ("warned", "braked")]


async def test_no_automatic_decision_follows_the_brake_with_many_callers(ward: Ward) -> None:
    """Callers decide without pause while audits trip the brake from another thread."""
    row = ward.automatic(audit_rate=1.0, brake_lifetime=100)
    await stream(ward, 60)
    braked, stop = threading.Event(), asyncio.Event()

    def trip() -> None:
        for task in audits(ward):
            check(ward, task, wrong=True)
            if ward.state() == "braked":
                break
        braked.set()

    async def caller(name: int) -> int:
        done = 0
        while not stop.is_set():
            await ward.decide(260 + done % 200, f"{name}-{done}")
            done += 1
        return done

    callers = [asyncio.create_task(caller(name)) for name in range(8)]
    await asyncio.to_thread(trip)
    for _ in range(200):
        await asyncio.sleep(0.005)
    stop.set()
    counts = await asyncio.gather(*callers)
    assert all(counts)
    assert braked.is_set()
    assert ward.state() == "braked"

    ward.clinic.journal.integrate(ward.storage)
    order = ward.storage.read(lambda uow: ward.clinic.journal.read_after(uow, -1, 1_000_000))
    end = next(one.index for one in order if one.verb == "review.certificate_ended")
    late = [one for one in order if one.index > end and one.verb == "review.decided" and one.payload["route"] == "auto"]
    assert late == []
    assert sum(one.verb == "review.decided" and one.index > end for one in order) > 0, "callers went on"
    assert sum(one.verb == "review.decided" and one.payload["route"] == "auto" for one in order) >= 60
    assert certificate(ward, row.id).status == "ended"


async def test_a_warning_raises_the_audit_rate(ward: Ward) -> None:
    row = ward.automatic(audit_rate=0.2, brake_lifetime=100)
    before = await stream(ward, 190)
    plan = audit_draw.AuditPlan.from_dict(row.document["audit_plan"])
    for task in audits(ward):
        check(ward, task, wrong=True)
        if ward.state() == "warned":
            break
    assert ward.state() == "warned"
    after = await ward.decide(260, "after")
    assert after.route == "auto"
    assert after.score is not None
    assert after.prediction is not None
    state = brake.BrakeState.from_dict(certificate(ward, row.id).brake or {})
    now = plan.with_multipliers(state.multipliers).at_rate(0.4)
    assert after.audit_probability == audit_draw.probability(now, after.score, after.prediction["value"])
    assert after.audit_probability > next(one for one in before if one.item_id == after.item_id).audit_probability


async def test_a_late_audit_of_an_old_certificate_stops_nothing_new(ward: Ward) -> None:
    old = ward.automatic(audit_rate=1.0, brake_lifetime=100)
    await stream(ward, 40)
    late = audits(ward)
    ward.promote(ward.model(1))
    new = ward.certified(alpha=0.2, start=460, pool=100)
    assert (new.status, ward.state()) == ("certified", "auto")
    for task in late:
        check(ward, task, wrong=True)
    assert (ward.state(), certificate(ward, new.id).status) == ("auto", "certified")
    assert certificate(ward, old.id).ended_why == "another model was promoted"
    assert (certificate(ward, old.id).brake or {})["braked"] is True, "its own brake still counts"


async def test_a_brake_that_trips_while_a_person_has_stopped_automation_holds_after_the_restart(ward: Ward) -> None:
    row = ward.automatic(audit_rate=1.0, brake_lifetime=100)
    await stream(ward, 40)
    ward.storage.write(lambda uow: ward.review.stop(uow, ANNA, ward.scope, "a look at the scanner"))
    for task in audits(ward):
        check(ward, task, wrong=True, who=BEN)
    assert ward.state() == "stopped"
    assert certificate(ward, row.id).status == "ended"
    ward.storage.write(lambda uow: ward.review.restart(uow, BEN, ward.scope, "the scanner works"))
    assert ward.state() == "braked"
    assert (await ward.decide(300, "after")).route == "human"


async def test_a_warning_outlives_a_stop(ward: Ward) -> None:
    ward.automatic(audit_rate=1.0, brake_lifetime=100)
    await stream(ward, 40)
    for task in audits(ward):
        check(ward, task, wrong=True)
        if ward.state() == "warned":
            break
    ward.storage.write(lambda uow: ward.review.stop(uow, ANNA, ward.scope, "a look at the scanner"))
    ward.storage.write(lambda uow: ward.review.restart(uow, BEN, ward.scope, "the scanner works"))
    assert ward.state() == "warned"


async def test_a_certificate_ends_with_the_audits_that_its_brake_watches(ward: Ward) -> None:
    row = ward.automatic(audit_rate=1.0, brake_lifetime=100)
    await stream(ward, 110)
    for task in audits(ward)[:100]:
        check(ward, task, wrong=False)
    ended = certificate(ward, row.id)
    assert (ended.status, ended.ended_why) == ("ended", "the brake watches over 100 audits, and they are done")
    assert (ward.state(), (await ward.decide(300, "after")).route) == ("shadow", "human")
    check(ward, audits(ward)[0], wrong=False)
    assert len(ward.entries("review.certificate_ended")) == 1


async def test_what_the_brake_wrote_stays_when_another_model_comes(ward: Ward) -> None:
    row = ward.automatic(audit_rate=1.0, brake_lifetime=100)
    await stream(ward, 40)
    await break_it(ward)
    before = certificate(ward, row.id)
    ward.promote(ward.model(1))
    assert certificate(ward, row.id) == before
    assert before.ended_why.startswith("braked: ")
    assert len(ward.entries("review.certificate_ended")) == 1


async def test_a_plan_that_was_open_goes_on_after_the_brake(ward: Ward) -> None:
    ward.automatic(audit_rate=1.0, brake_lifetime=100)
    await stream(ward, 40)
    planned = ward.review.plan_certificate(PERSON, ward.scope, labels=12, alpha=0.2, source="stream")
    for task in audits(ward):
        check(ward, task, wrong=True)
    assert ward.state() == "certifying"
    assert (await ward.decide(300, "drawn")).certificate_id == planned.id


async def test_the_error_of_automatic_decisions_is_estimated_from_the_audits(ward: Ward) -> None:
    ward.automatic(audit_rate=1.0)
    assert ward.storage.read(lambda uow: ward.review.audit_estimate(uow, ward.scope)) is None
    await stream(ward, 30)
    for place, task in enumerate(audits(ward)):
        check(ward, task, wrong=place in (3, 8))
    found = ward.storage.read(lambda uow: ward.review.audit_estimate(uow, ward.scope))
    assert found is not None
    n = len([one for one in ward.decisions() if one.route == "auto"])
    assert (found.n, found.value) == (n, 2 / n)
    assert found.low < 2 / n < found.high


async def test_a_verdict_that_comes_late_finds_its_place(ward: Ward) -> None:
    """Answers in another order give the same brake; meanwhile what is open counts as right."""
    row = ward.automatic(audit_rate=0.5, brake_lifetime=4000)
    await stream(ward, 60)
    tasks = audits(ward)
    late, rest = tasks[:3], tasks[3:12]
    for place, task in enumerate(rest):
        check(ward, task, wrong=place == 4)
    waiting = certificate(ward, row.id).brake or {}
    assert (waiting["audits"], waiting["wrong"]) == (12, 1)
    assert rebuilt(ward, row) == waiting
    for task in reversed(late):
        check(ward, task, wrong=True)
    now = certificate(ward, row.id).brake or {}
    assert (now["audits"], now["wrong"]) == (12, 4)
    assert rebuilt(ward, row) == now
    assert max(now["wealths"]) > max(waiting["wealths"])
    folded = [one.folded for one in drawn(ward, row)]
    assert folded == [True] * 12 + [False] * (len(folded) - 12)


async def test_what_is_decided_between_two_audits_counts_through_its_sums(ward: Ward) -> None:
    row = ward.automatic(audit_rate=0.3)
    await stream(ward, 80)
    for task in audits(ward):
        check(ward, task, wrong=False)
    plan = audit_draw.AuditPlan.from_dict(row.document["audit_plan"])
    made = sorted((one for one in ward.decisions() if one.route == "auto"), key=lambda one: one.id)
    gains, sums = 0.0, []
    for one in made:
        if one.audited:
            sums.append(gains)
            gains = 0.0
            continue
        assert one.score is not None
        assert one.prediction is not None
        terms = plan.draw(one.score, one.prediction["value"])
        assert terms.control is not None
        gains += terms.rate * (terms.control - row.alpha)
    assert [one.draw.idle[""][0] for one in drawn(ward, row)] == pytest.approx(sums, abs=1e-12)
    assert any(sums)


async def test_an_error_counts_when_a_second_person_confirms_it(ward: Ward) -> None:
    row = ward.automatic(audit_rate=1.0, second_opinion=True)
    made = await ward.decide(260)
    (first,) = audits(ward)
    check(ward, first, wrong=True, who=ANNA)
    assert (ward.decision(made.id).status, ward.entries("review.audited")) == ("auto", [])
    (second,) = audits(ward)
    assert (second.blind, second.payload, second.not_by) == (True, {}, (ANNA.id,))
    check(ward, second, wrong=True, who=BEN)
    assert (ward.decision(made.id).status, ward.decision(made.id).by_id) == ("reversed", BEN.id)
    assert (certificate(ward, row.id).brake or {})["wrong"] == 1
    assert [who for who, _ in drawn(ward, row)[0].verdicts] == [ANNA.id, BEN.id]


@pytest.mark.parametrize("wrong", [True, False])
async def test_a_third_person_decides_where_two_differ(ward: Ward, wrong: bool) -> None:
    row = ward.automatic(audit_rate=1.0, second_opinion=True)
    made = await ward.decide(260)
    for who, says in ((ANNA, True), (BEN, False), (CARA, wrong)):
        (task,) = audits(ward)
        check(ward, task, wrong=says, who=who)
    assert audits(ward) == []
    assert (certificate(ward, row.id).brake or {})["wrong"] == int(wrong)
    assert ward.decision(made.id).status == ("reversed" if wrong else "auto")


async def test_audits_left_without_a_verdict_warn(ward: Ward) -> None:
    ward.automatic(audit_rate=1.0, audit_due_days=3)
    await stream(ward, 40)
    tasks = audits(ward)
    for task in tasks[:10]:
        check(ward, task, wrong=False)
    assert ward.state() == "auto"
    assert isinstance(ward.clock, FixedClock)
    ward.clock.advance(seconds=4 * 86_400)
    check(ward, tasks[10], wrong=False)
    assert ward.state() == "warned"
    assert ward.oversight().control.note == "more than 5% of the audits that are due have no verdict"
    for task in tasks[11:]:
        check(ward, task, wrong=False)
    assert ward.state() == "auto"
