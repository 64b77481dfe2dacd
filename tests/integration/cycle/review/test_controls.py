"""Control items: heard like audits, seen by no other part, and what a new certificate's brake takes from them."""

from __future__ import annotations

from typing import Any

import pytest

from handrail.cycle.review import brake, store
from handrail.cycle.review.controls import least_controls
from handrail.cycle.review.policy import Policy, PolicyInvalid
from handrail.cycle.review.seeds import LEAST_KNOWN
from handrail.cycle.review.store.controls import ControlRow
from handrail.cycle.tasks.model import SecondLook
from handrail.foundation.clock import FixedClock
from tests.integration.cycle.breast_mass import PERSON, QUESTION
from tests.integration.cycle.review.test_seeding import figures
from tests.integration.cycle.review.ward import ANNA, BEN, CARA, OTHER, Ward

HOUR = 3601


def opened(ward: Ward) -> list[ControlRow]:
    return ward.storage.read(lambda uow: store.controls(uow, ward.scope, QUESTION))


def planted(ward: Ward) -> int:
    now = ward.clock.now()
    return ward.storage.write(lambda uow: ward.review.controlling.plant_due(uow, now))


async def controlled(ward: Ward, clock: FixedClock, number: int = 60, **policy: Any) -> list[ControlRow]:
    """Decide under a certificate until control items were drawn, let their times come, and return them."""
    ward.automatic(**{"audit_rate": 1.0, "control_share": 0.2, **policy})
    for case in range(260, 260 + number):
        await ward.decide(case)
    clock.advance(seconds=HOUR)
    planted(ward)
    found = opened(ward)
    assert len(found) >= 4
    return found


async def test_a_control_item_is_a_blind_audit_of_known_truth(ward: Ward, clock: FixedClock) -> None:
    made = await controlled(ward, clock)
    tasks = {one.id: one for one in ward.open_tasks("audit")}
    real = next(one for one in tasks.values() if one.decision_id is not None)
    assert ward.entries("tasks.opened") == [], "no entry says that they were opened"
    assert len({one.item_id for one in made}) == len(made), "each case once"
    for one in made:
        task = tasks[one.task_id]
        assert one.truth == ward.clinic.truth[one.item_id]
        assert (one.given == one.truth) == (one.stands == "right")
        for name in ("kind", "question", "payload", "worth", "priority", "skill", "reason", "blind", "deadline"):
            assert getattr(task, name) == getattr(real, name), name
        assert PERSON.id not in real.not_by


async def test_nobody_gets_a_control_item_of_a_case_that_they_know(ward: Ward, clock: FixedClock) -> None:
    made = await controlled(ward, clock)
    labels = ward.labels()
    for one in made:
        assert labels[one.item_id].actor_id in ward.task(one.task_id).not_by
    with pytest.raises(SecondLook):
        ward.answer(made[0].task_id, made[0].truth, "label", ANNA)  # Anna labelled what was drawn to certify


async def test_the_journal_reveals_it_with_its_verdict(ward: Ward, clock: FixedClock) -> None:
    made = await controlled(ward, clock, second_opinion=True)
    one = next(each for each in made if each.stands == "right")
    ward.answer(one.task_id, OTHER[one.truth], "label", BEN)
    assert ward.entries("review.control_answered") == [], "one person alone is no verdict"
    again = next(each for each in opened(ward) if each.id == one.id)
    assert again.task_id != one.task_id
    assert BEN.id in ward.task(again.task_id).not_by
    ward.answer(again.task_id, OTHER[one.truth], "label", CARA)
    (told,) = ward.entries("review.control_answered")
    assert (told["control"], told["truth"], told["outcome"]) == (one.id, one.truth, "false_alarm")
    assert told["values"] == [OTHER[one.truth]] * 2
    assert next(each for each in opened(ward) if each.id == one.id).wrong is True


async def test_a_second_person_who_says_the_truth_clears_it_with_a_third(ward: Ward, clock: FixedClock) -> None:
    made = await controlled(ward, clock, second_opinion=True)
    one = next(each for each in made if each.stands == "right")
    dora = BEN.__class__(kind="person", id="p-Dora", name="Dr. Dora", permissions=BEN.permissions)
    for who, value in ((BEN, OTHER[one.truth]), (CARA, one.truth), (dora, one.truth)):
        task = next(each.task_id for each in opened(ward) if each.id == one.id)
        ward.answer(task, value, "label", who)
    (told,) = ward.entries("review.control_answered")
    assert told["outcome"] == "upheld"


async def test_who_cannot_say_hands_it_on_as_an_audit(ward: Ward, clock: FixedClock) -> None:
    one = (await controlled(ward, clock))[0]
    ward.answer(one.task_id, None, "abstain", BEN)
    again = next(each for each in opened(ward) if each.id == one.id)
    assert (ward.task(again.task_id).skill, BEN.id in ward.task(again.task_id).not_by) == ("", True)
    ward.answer(again.task_id, None, "escalate", CARA)
    last = next(each for each in opened(ward) if each.id == one.id)
    assert ward.task(last.task_id).skill == "lead"
    assert ward.entries("review.control_answered") == []


async def test_no_figure_label_certificate_or_brake_sees_a_control_item(ward: Ward, clock: FixedClock) -> None:
    made = await controlled(ward, clock)
    ward.clinic.commit()
    before = figures(ward)
    for place, one in enumerate(made):
        ward.answer(one.task_id, one.given if place % 2 else OTHER[one.given], "label", BEN)
    assert len(ward.entries("review.control_answered")) == len(made)
    after = figures(ward)
    for name, was in before.items():
        assert after[name] == was, name
    assert ward.clinic.datasets.commit(PERSON, ward.scope, "nothing new") is None
    assert ward.entries("review.audited") == []


async def test_they_wait_for_known_truth_and_end_with_the_policy(ward: Ward, clock: FixedClock) -> None:
    ward.automatic(audit_rate=1.0)
    ward.policy(audit_rate=1.0)
    for case in range(260, 280):
        await ward.decide(case)
    clock.advance(seconds=HOUR)
    assert planted(ward) == 0, "without a share nothing is drawn"
    ward.policy(audit_rate=1.0, control_share=0.2)
    for case in range(280, 320):
        await ward.decide(case)
    ward.policy(audit_rate=1.0)
    clock.advance(seconds=HOUR)
    assert planted(ward) == 0
    ward.policy(audit_rate=1.0, control_share=0.2)
    clock.advance(seconds=HOUR)
    assert planted(ward) == 0, "those that were drawn before are forgotten"
    for share in (-0.1, 0.21, True, "0.1"):
        with pytest.raises(PolicyInvalid):
            Policy.from_dict({"question": QUESTION, "control_share": share})


async def test_a_case_is_a_control_item_once(ward: Ward, clock: FixedClock) -> None:
    """The cases that fool everybody would count again and again."""
    ward.policy(control_share=0.2)
    ward.clinic.label(ward.clinic.bring(120, LEAST_KNOWN), "holdout")

    def draw(uow: Any) -> None:
        for place in range(LEAST_KNOWN + 5):
            store.plan_control(uow, ward.scope, f"c-{place:02}", question=QUESTION, share=0.2, open_at=0)

    ward.storage.write(draw)
    assert planted(ward) == LEAST_KNOWN
    assert len({one.item_id for one in opened(ward)}) == LEAST_KNOWN
    assert planted(ward) == 0, "the others wait an hour for new cases"
    clock.advance(seconds=HOUR)
    ward.clinic.label(ward.clinic.bring(150, 3), "holdout")
    assert planted(ward) == 3


def answered(ward: Ward, number: int, *, alarms: int = 0) -> None:
    """Let people answer control items that stand for a right answer, `alarms` of them wrongly."""
    ward.clinic.label(ward.clinic.bring(300, max(LEAST_KNOWN, 2 * number)), "holdout")
    done, place = 0, 0
    while done < number:
        control_id = f"c-{place:03}"
        place += 1
        ward.storage.write(
            lambda uow: store.plan_control(uow, ward.scope, control_id, question=QUESTION, share=0.2, open_at=0)  # noqa: B023
        )
        planted(ward)
        one = next(each for each in opened(ward) if each.id == control_id)
        if one.stands == "right":
            ward.answer(one.task_id, OTHER[one.truth] if done < alarms else one.truth, "label", BEN)
            done += 1


async def test_a_new_certificate_takes_the_reviewers_error_from_control_items(ward: Ward) -> None:
    terms = {"control_share": 0.1, "brake_delta": 0.2, "reviewer_error": 0.02}
    ward.policy(**terms)
    ward.champion()
    needed = least_controls(0.1, 0.2)
    answered(ward, needed + 2, alarms=1)
    row = ward.certified(labels=80)
    assert row.status == "certified", row.document
    said = row.document["reviewers"]
    assert said["source"] == "controls"
    assert (said["n"], said["false_alarms"], said["needed"]) == (needed + 2, 1, needed)
    state = brake.BrakeState.from_dict(row.brake or {})
    assert state.reviewer_error == said["reviewer_error"] > 1 / (needed + 2)
    assert state.null == pytest.approx(0.1 + 0.9 * said["reviewer_error"])
    assert state.delta == pytest.approx(0.16)
    assert row.document["audit_plan"]["null"] == pytest.approx(state.null)
    (spent,) = ward.storage.read(lambda uow: ward.review.spending(uow, ward.scope)).certificates
    assert spent.brake_delta == pytest.approx(0.2), "the bound's part and the detector's are spent together"
    answered_later = ward.labels()
    assert all(one.source != "audit" for one in answered_later.values())


async def test_with_too_few_the_policy_speaks_and_says_so(ward: Ward) -> None:
    ward.policy(control_share=0.1, reviewer_error=0.02)
    ward.champion()
    answered(ward, 3)
    row = ward.certified(labels=80)
    assert row.status == "certified", row.document
    said = row.document["reviewers"]
    assert (said["source"], said["reviewer_error"], said["n"]) == ("policy", 0.02, 3)
    assert "44 are needed" in said["said"]
    state = brake.BrakeState.from_dict(row.brake or {})
    assert (state.reviewer_error, state.delta) == (0.02, 0.05)
    (issued,) = ward.entries("review.certificate_issued")
    assert issued["document"]["reviewers"] == said, "the journal holds the terms"


async def test_what_others_heard_by_other_steps_does_not_count(ward: Ward) -> None:
    """Two people confirm an error under the new policy; how often one alone errs says something else."""
    terms = {"control_share": 0.1, "brake_delta": 0.2}
    ward.policy(**terms)
    ward.champion()
    answered(ward, least_controls(0.1, 0.2))
    ward.policy(**terms, second_opinion=True)
    said = ward.certified(labels=80).document["reviewers"]
    assert (said["source"], said["n"]) == ("policy", 0)
