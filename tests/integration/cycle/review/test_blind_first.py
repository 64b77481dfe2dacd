"""Blind-first: a person's own answer comes before the model's is shown, and both are kept. On both databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from handrail.cycle.govern.pack import verify_pack
from handrail.cycle.review.model import Decision
from handrail.cycle.tasks import Answered, Task
from handrail.cycle.tasks.model import (
    AlreadyAnswered,
    ClaimedByOther,
    FirstAnswerGiven,
    FirstAnswerNeeded,
    NotAPerson,
    NotBlindFirst,
)
from handrail.foundation.actors import Actor
from handrail.foundation.clock import FixedClock
from tests.integration.cycle.breast_mass import MACHINE
from tests.integration.cycle.review.ward import ANNA, BEN, OTHER, Ward


async def waiting(ward: Ward, case: int = 260, **policy: Any) -> Decision:
    ward.policy(**{"blind_first": True, **policy})
    ward.champion()
    made = await ward.decide(case)
    assert (made.status, made.sealed, made.prediction is None) == ("pending", True, False)
    return made


def predicted(one: Decision) -> str:
    assert one.prediction is not None
    return str(one.prediction["value"])


def first(ward: Ward, task_id: str | None, value: Any, who: Actor = ANNA) -> Task:
    assert task_id is not None
    given = Answered(value, "label", shown_at=ward.clock.now())
    return ward.storage.write(lambda uow: ward.tasks.first(uow, who, ward.scope, task_id, given))


def claim(ward: Ward, who: Actor = ANNA) -> Task:
    (one,) = ward.storage.write(lambda uow: ward.tasks.claim(uow, who, ward.scope))
    return one


@pytest.mark.parametrize("switches", [False, True])
async def test_both_answers_and_their_times_are_kept(ward: Ward, clock: FixedClock, switches: bool) -> None:
    made = await waiting(ward)
    own = OTHER[predicted(made)]
    sealed = claim(ward)
    assert (sealed.payload, sealed.prediction, "score" in sealed.reason) == ({}, None, False)
    assert all(one.payload == {} for one in ward.open_tasks())
    clock.advance(seconds=20)
    given = Answered(own, "label", shown_at=made.created_at)
    task_id = str(made.task_id)
    opened = ward.storage.write(lambda uow: ward.tasks.first(uow, ANNA, ward.scope, task_id, given))
    assert opened.prediction == made.prediction
    assert opened.own is not None
    assert (opened.own.value, opened.own.seconds) == (own, 20.0)
    assert first(ward, task_id, own) == opened, "the same again is the stored one"
    with pytest.raises(FirstAnswerGiven):
        first(ward, task_id, predicted(made))
    clock.advance(seconds=5)
    final = predicted(made) if switches else own
    ward.answer(task_id, None if switches else own, "approve" if switches else "correct")
    assert ward.decision(made.id).value == final
    (told,) = ward.entries("tasks.answered")
    assert (told["own"], told["value"], told["switched"]) == (own, final, switches)
    (before,) = ward.entries("tasks.first_answered")
    assert (before["value"], before["decision"]) == (own, made.id)
    work = ward.govern.dossier(ward.scope, made.id).to_dict()["work"][0]["answer"]
    assert (work["own"]["value"], work["own"]["switched"], work["value"]) == (own, switches, final)
    assert work["own"]["at"] < work["at"]


async def test_the_final_answer_needs_ones_own(ward: Ward) -> None:
    made = await waiting(ward)
    task_id = str(made.task_id)
    for verb in ("approve", "correct", "label", "override", "reject"):
        with pytest.raises(FirstAnswerNeeded):
            ward.answer(task_id, None if verb in ("approve", "reject") else "benign", verb)
    first(ward, task_id, "benign", BEN)
    with pytest.raises(ClaimedByOther):
        first(ward, task_id, "benign", ANNA)
    ward.storage.write(lambda uow: ward.tasks.release(uow, BEN, ward.scope, task_id))
    with pytest.raises(FirstAnswerNeeded):
        ward.answer(task_id, "benign", "label", ANNA)
    with pytest.raises(NotAPerson):
        first(ward, task_id, "benign", MACHINE)
    assert ward.decision(made.id) == made
    ward.answer(task_id, "benign", "label", BEN)
    for who in (ANNA, BEN):
        with pytest.raises(AlreadyAnswered):
            first(ward, task_id, "benign", who)
    with pytest.raises(AlreadyAnswered):
        ward.answer(task_id, "benign", "label", ANNA)


async def test_who_cannot_say_hands_on_a_task_that_stays_sealed(ward: Ward) -> None:
    made = await waiting(ward)
    ward.answer(str(made.task_id), None, "abstain", ANNA)
    again = ward.decision(made.id).task_id
    taken = claim(ward, BEN)
    assert (taken.id, taken.blind_first, taken.payload) == (again, True, {})
    with pytest.raises(FirstAnswerNeeded):
        ward.answer(taken.id, "benign", "label", BEN)


async def test_other_queues_ask_for_no_answer_before(ward: Ward) -> None:
    ward.policy()
    ward.champion()
    one = await ward.decide(261)
    assert not one.sealed
    with pytest.raises(NotBlindFirst):
        first(ward, one.task_id, "benign")
    ward.answer(str(one.task_id), "benign", "label")
    (told,) = ward.entries("tasks.answered")
    assert (told["own"], told["switched"]) == (None, None)


async def test_the_journal_tells_the_score_with_the_verdict_and_a_pack_still_verifies(
    ward: Ward, tmp_path: Path
) -> None:
    made = await waiting(ward)
    later = await ward.decide(261)
    (told, _) = ward.entries("review.decided")
    assert (told["sealed"], told["score"]) == (True, None)
    first(ward, made.task_id, "benign")
    ward.answer(str(made.task_id), "benign", "label")
    (verdict,) = ward.entries("review.verdict_given")
    assert (verdict["score"], verdict["reasons"]) == (made.score, list(made.reasons))
    place = tmp_path / "pack.zip"
    ward.govern.evidence(ward.scope, place)
    found = verify_pack(place)
    assert (found.ok, found.decisions) == (True, 2), found.problem
    assert ward.decision(later.id).status == "pending"
