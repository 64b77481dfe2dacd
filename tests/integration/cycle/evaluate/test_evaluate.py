from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from handrail.cycle.datasets import NewItem, NewLabel
from handrail.cycle.evaluate import Comparison, NothingHeldOut, ProposalClosed, ProposalNotFound, ProposalStale
from handrail.cycle.evaluate.model import NotAPerson, NotSignedYet
from handrail.cycle.tasks.model import Answered, Task
from handrail.cycle.tasks.model import NotAPerson as MachineAnswered
from handrail.cycle.train import ModelVersion, NotACandidate
from tests.integration.cycle.breast_mass import MACHINE, PERSON, QUESTION, Clinic, cases


def train_on(clinic: Clinic, start: int, count: int, *, wrong: int = 0) -> ModelVersion:
    clinic.label(clinic.bring(start, count), "train", wrong=wrong)
    return clinic.train.fit(PERSON, clinic.scope, clinic.commit(), question=QUESTION)


def propose(clinic: Clinic, model: ModelVersion, comparison: Comparison | None = None) -> Task:
    return clinic.storage.write(lambda uow: clinic.evaluate.propose(uow, PERSON, clinic.scope, model.id, comparison))


def answer(clinic: Clinic, task: Task, verb: Any, reason: str = "") -> None:
    given = Answered(value=None, verb=verb, reason=reason)
    clinic.storage.write(lambda uow: clinic.tasks.answer(uow, PERSON, clinic.scope, task.id, given))


def promote(clinic: Clinic, task: Task) -> ModelVersion:
    return clinic.storage.write(lambda uow: clinic.evaluate.promote(uow, PERSON, clinic.scope, task.id))


def test_a_model_is_measured_on_held_out_items(clinic: Clinic) -> None:
    model = train_on(clinic, 0, 60)
    with pytest.raises(NothingHeldOut):
        clinic.evaluate.evaluate(PERSON, clinic.scope, model.id)
    held = clinic.bring(60, 200)
    clinic.label(held[:150], "certify")
    clinic.label(held[150:], "holdout")
    found = clinic.evaluate.evaluate(PERSON, clinic.scope, model.id)
    assert (found.rows, found.excluded) == (200, 0)
    items = clinic.storage.read(lambda uow: clinic.datasets.items_by_id(uow, clinic.scope, held))
    made = clinic.train.predictor(model).predict([items[item].data for item in held])
    right = sum(one.value == clinic.truth[item] for one, item in zip(made, held, strict=True))
    assert found.accuracy["value"] == pytest.approx(right / 200)
    assert found.accuracy["low"] < right / 200 < found.accuracy["high"]
    curve = found.figures["coverage_risk"]
    assert curve[-1]["coverage"] == 1.0
    assert curve[-1]["risk"]["value"] == pytest.approx(1 - right / 200)
    assert curve[0]["risk"]["value"] <= curve[-1]["risk"]["value"]
    json.dumps(found.figures, allow_nan=False)
    assert clinic.evaluate.evaluate(PERSON, clinic.scope, model.id) == found, "the same labels, the same evaluation"
    clinic.label(held[:1], "certify", wrong=1)
    again = clinic.evaluate.evaluate(PERSON, clinic.scope, model.id)
    assert again.id != found.id
    assert len(clinic.entries("evaluate.evaluated")) == 2
    listed = clinic.storage.read(lambda uow: clinic.evaluate.evaluations(uow, clinic.scope, model.id))
    assert {one.id for one in listed} == {found.id, again.id}


def test_rows_that_a_model_learned_from_are_never_held_out(clinic: Clinic) -> None:
    items = clinic.bring(0, 100)
    clinic.label(items[:60], "train")
    model = clinic.train.fit(PERSON, clinic.scope, clinic.commit(), question=QUESTION)
    clinic.label(items[50:], "holdout")
    found = clinic.evaluate.evaluate(PERSON, clinic.scope, model.id)
    assert (found.rows, found.excluded) == (40, 10)
    assert found.labels_digest == clinic.evaluate.evaluate(PERSON, clinic.scope, model.id).labels_digest


def test_people_that_a_model_learned_from_are_never_held_out(clinic: Clinic) -> None:
    data = [case for case, _ in cases()[1][:80]]
    words = [word for _, word in cases()[1][:80]]
    new = [
        NewItem(external_id=f"p-{place:03}", data=one, subject=f"person-{place % 50}") for place, one in enumerate(data)
    ]
    made = clinic.storage.write(lambda uow: clinic.datasets.put_items(uow, PERSON, clinic.scope, new))

    def unit(uow: Any) -> None:
        for place, (item, word) in enumerate(zip(made, words, strict=True)):
            purpose: Any = "train" if place < 40 else "holdout"
            label = NewLabel(item_id=item.id, question=QUESTION, value=word, source="draw", purpose=purpose)
            clinic.datasets.put_label(uow, PERSON, clinic.scope, label)

    clinic.storage.write(unit)
    model = clinic.train.fit(PERSON, clinic.scope, clinic.commit(), question=QUESTION)
    found = clinic.evaluate.evaluate(PERSON, clinic.scope, model.id)
    assert (found.rows, found.excluded) == (10, 30), "people 0 to 39 were learned from, 40 to 49 were not"


def test_champion_and_challenger_on_the_same_rows(clinic: Clinic) -> None:
    champion = train_on(clinic, 0, 30, wrong=8)
    challenger = train_on(clinic, 30, 150)
    held = clinic.bring(200, 200)
    clinic.label(held, "holdout")
    found = clinic.evaluate.compare(PERSON, clinic.scope, champion.id, challenger.id)
    one = clinic.evaluate.evaluate(PERSON, clinic.scope, champion.id)
    two = clinic.evaluate.evaluate(PERSON, clinic.scope, challenger.id)
    assert (found.champion_accuracy, found.challenger_accuracy) == (one.accuracy, two.accuracy)
    gain = found.difference["value"]
    assert gain == pytest.approx(two.accuracy["value"] - one.accuracy["value"])
    assert (found.only_challenger - found.only_champion) / 200 == pytest.approx(gain)
    assert found.verdict == "better"
    assert found.p_value < 0.05
    assert "better: +" in found.sentence
    assert "on the same 200 held-out items" in found.sentence
    back = clinic.evaluate.compare(PERSON, clinic.scope, challenger.id, champion.id)
    assert (back.verdict, back.difference["value"]) == ("worse", pytest.approx(-gain))
    same = clinic.evaluate.compare(PERSON, clinic.scope, champion.id, champion.id)
    assert (same.verdict, same.p_value) == ("no difference shown", 1.0)
    assert Comparison.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_a_signed_proposal_is_promoted(clinic: Clinic) -> None:
    model = train_on(clinic, 0, 60)
    task = propose(clinic, model)
    assert (task.kind, task.status, task.subject_id) == ("sign_off", "open", model.id)
    assert task.payload["model"]["digest"] == model.digest
    assert task.payload["comparison"] is None
    assert "Nothing is held out yet" in task.payload["summary"]
    assert propose(clinic, model) == task, "proposing again opens no second task"
    with pytest.raises(NotSignedYet):
        promote(clinic, task)
    with pytest.raises(MachineAnswered):
        clinic.storage.write(
            lambda uow: clinic.tasks.answer(uow, MACHINE, clinic.scope, task.id, Answered(value=None, verb="sign"))
        )
    with pytest.raises(NotAPerson):
        clinic.storage.write(lambda uow: clinic.evaluate.on_sign_off(uow, MACHINE, clinic.scope, task, _signed(task)))
    answer(clinic, task, "sign", "figures are fine")
    champion = clinic.storage.read(lambda uow: clinic.train.champion(uow, clinic.scope, QUESTION))
    assert champion is None, "the signature itself promotes nothing; its event starts the promotion"
    assert [(said["model"], said["task"]) for said in clinic.entries("evaluate.signed")] == [(model.id, task.id)]
    assert promote(clinic, task).state == "champion"
    assert promote(clinic, task).state == "champion"
    assert len(clinic.entries("train.promoted")) == 1
    with pytest.raises(ProposalClosed):
        clinic.storage.write(lambda uow: clinic.evaluate.on_sign_off(uow, PERSON, clinic.scope, task, _signed(task)))


def _signed(task: Task) -> Any:
    return Answered(value=None, verb="sign")


def test_a_refused_candidate_is_rejected(clinic: Clinic) -> None:
    model = train_on(clinic, 0, 60)
    task = propose(clinic, model)
    answer(clinic, task, "refuse", "too few small masses")
    seen = clinic.storage.read(lambda uow: clinic.train.model(uow, clinic.scope, model.id))
    assert seen.state == "rejected"
    assert [said["reason"] for said in clinic.entries("evaluate.refused")] == ["too few small masses"]
    with pytest.raises(NotSignedYet):
        promote(clinic, task)
    with pytest.raises(NotACandidate):
        clinic.storage.write(lambda uow: clinic.train.set_champion(uow, PERSON, clinic.scope, model.id))


def test_a_newer_candidate_overtakes_one_that_waits(clinic: Clinic) -> None:
    first, second = train_on(clinic, 0, 40), train_on(clinic, 40, 40)
    old = propose(clinic, first)
    new = propose(clinic, second)
    states = {
        task.id: clinic.storage.read(partial(clinic.tasks.task, scope=clinic.scope, task_id=task.id)).status
        for task in (old, new)
    }
    assert states == {old.id: "withdrawn", new.id: "open"}
    assert clinic.storage.read(lambda uow: clinic.train.model(uow, clinic.scope, first.id)).state == "rejected"
    proposals = clinic.storage.read(lambda uow: clinic.evaluate.proposals(uow, clinic.scope))
    assert [one.state for one in proposals] == ["superseded", "open"]


def test_a_comparison_with_a_champion_that_is_gone_cannot_be_signed(clinic: Clinic) -> None:
    first, second, third = (train_on(clinic, 40 * place, 40) for place in range(3))
    clinic.storage.write(lambda uow: clinic.train.set_champion(uow, PERSON, clinic.scope, first.id))
    task = propose(clinic, third)
    clinic.storage.write(lambda uow: clinic.train.set_champion(uow, PERSON, clinic.scope, second.id))
    with pytest.raises(ProposalStale):
        answer(clinic, task, "sign")
    seen = clinic.storage.read(lambda uow: clinic.tasks.task(uow, clinic.scope, task.id))
    assert seen.status == "open", "the answer and what it causes are one unit"
    answer(clinic, task, "refuse")


def test_a_task_that_is_no_proposal(clinic: Clinic) -> None:
    with pytest.raises(ProposalNotFound):
        clinic.storage.read(lambda uow: clinic.evaluate.proposal_of_task(uow, clinic.scope, "none"))
    other = replace(clinic.scope, project_id="other")
    model = train_on(clinic, 0, 40)
    task = propose(clinic, model)
    with pytest.raises(ProposalNotFound):
        clinic.storage.write(lambda uow: clinic.evaluate.promote(uow, PERSON, other, task.id))
