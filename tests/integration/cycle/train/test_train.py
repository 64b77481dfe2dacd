from __future__ import annotations

import json
from pathlib import Path

import pytest

from handrail.cycle.datasets import Field, NewItem, Question, Schema
from handrail.cycle.train import ModelNotFound, NotACandidate, NoTrainingRows, RunHasEnded, RunNotFound
from handrail.cycle.train.model import QuestionNotLearned
from handrail.cycle.train.tabular import TooFewLabels
from handrail.foundation.actors import Scope
from handrail.foundation.blobs import BlobDamaged
from handrail.foundation.clock import FixedClock
from handrail.foundation.ids import Ids
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import Storage
from handrail.foundation.work.compute import Cancelled
from tests.integration.cycle.breast_mass import PERSON, QUESTION, Clinic


def trained(clinic: Clinic, start: int = 0, count: int = 60, **more: object):  # type: ignore[no-untyped-def]
    items = clinic.bring(start, count)
    clinic.label(items, "train")
    return clinic.train.fit(PERSON, clinic.scope, clinic.commit(), question=QUESTION, **more)  # type: ignore[arg-type]


def test_a_model_is_made_from_a_commit_and_predicts(clinic: Clinic) -> None:
    told: list[tuple[float, str]] = []
    model = trained(clinic, progress=lambda fraction, note: told.append((fraction, note)))
    assert (model.number, model.state, model.kind, model.classes) == (
        1,
        "candidate",
        "tabular",
        ("benign", "malignant"),
    )
    assert model.metrics["rows"] == 60
    assert told[0] == (0.0, "fold 1 of 10")
    assert [fraction for fraction, _ in told] == sorted(fraction for fraction, _ in told)
    new = clinic.bring(100, 200)
    rows = [
        dict(item.data)
        for item in clinic.storage.read(lambda uow: clinic.datasets.items_by_id(uow, clinic.scope, new)).values()
    ]
    made = clinic.train.predictor(model).predict(rows)
    assert sum(one.value == clinic.truth[item] for one, item in zip(made, new, strict=True)) / 200 > 0.9
    assert clinic.train.predictor(model) is clinic.train.predictor(model)
    scores, errors = clinic.train.out_of_fold(model)
    assert len(scores) == len(errors) == 60
    assert set(errors.tolist()) <= {0, 1}
    assert ((scores >= 0.5) & (scores <= 1)).all()
    assert len(set(clinic.train.training_items(model))) == 60
    said = clinic.entries("train.model_made")
    assert [(one["model"], one["commit"], one["artefact"], one["rows"]) for one in said] == [
        (model.id, model.commit_id, model.digest, 60)
    ]


def test_only_labels_given_for_training_are_learned_from(clinic: Clinic) -> None:
    items = clinic.bring(0, 120)
    clinic.label(items[:40], "train")
    clinic.label(items[40:60], "feedback")
    clinic.label(items[60:80], "certify")
    clinic.label(items[80:100], "holdout")
    model = clinic.train.fit(PERSON, clinic.scope, clinic.commit(), question=QUESTION)
    assert sorted(clinic.train.training_items(model)) == sorted(items[:60])


def test_the_same_commit_and_seed_give_the_same_artefact_and_another_commit_another(clinic: Clinic) -> None:
    first = trained(clinic)
    again = clinic.train.fit(PERSON, clinic.scope, first.commit_id, question=QUESTION)
    by_name = clinic.train.fit(PERSON, clinic.scope, "main", question=QUESTION)
    assert first.digest == again.digest == by_name.digest
    assert (again.number, by_name.commit_id) == (2, first.commit_id)
    clinic.label(clinic.bring(60, 1), "feedback")
    assert clinic.train.fit(PERSON, clinic.scope, clinic.commit(), question=QUESTION).digest != first.digest


def test_the_artefact_does_not_depend_on_ids_or_time(
    storage: Storage, clock: FixedClock, randomness: Randomness, tmp_path: Path
) -> None:
    digests = set()
    for name in ("one", "two"):
        clinic = Clinic.open(storage, clock, Ids(clock, randomness), randomness, tmp_path / name, name=name)
        digests.add(trained(clinic).digest)
        clock.advance(seconds=12345)
    assert len(digests) == 1


def test_a_run_makes_one_model_however_often_it_is_repeated(clinic: Clinic) -> None:
    first = trained(clinic, run_id="run-1")
    assert clinic.train.fit(PERSON, clinic.scope, "main", question=QUESTION, run_id="run-1") == first
    assert len(clinic.storage.read(lambda uow: clinic.train.models(uow, clinic.scope))) == 1
    assert len(clinic.entries("train.model_made")) == 1


def test_the_card_says_what_a_reader_needs(clinic: Clinic) -> None:
    model = trained(clinic)
    page = clinic.train.card_page(model)
    assert page.startswith("# model 1: diagnosis")
    for words in (
        model.commit_id,
        "60 labelled items",
        "10-fold cross-validation",
        model.digest,
        "60 of 60 labels were given by simulated",
    ):
        assert words in page
    assert model.card["data"]["simulated_labels"] == 60
    json.dumps(model.card, allow_nan=False)


def test_one_champion_and_the_way_there(clinic: Clinic) -> None:
    one, two = trained(clinic), trained(clinic, 60, 20)
    write, scope = clinic.storage.write, clinic.scope
    assert clinic.storage.read(lambda uow: clinic.train.champion(uow, scope, QUESTION)) is None
    write(lambda uow: clinic.train.set_champion(uow, PERSON, scope, one.id))
    write(lambda uow: clinic.train.set_champion(uow, PERSON, scope, one.id))
    made = write(lambda uow: clinic.train.set_champion(uow, PERSON, scope, two.id))
    assert made.state == "champion"
    states = {model.number: model.state for model in clinic.storage.read(lambda uow: clinic.train.models(uow, scope))}
    assert states == {1: "retired", 2: "champion"}
    assert [(said["model"], said.get("replaced")) for said in clinic.entries("train.promoted")] == [
        (one.id, None),
        (two.id, one.id),
    ]
    assert [said["reason"] for said in clinic.entries("train.retired")] == ["model 2 took its place"]
    write(lambda uow: clinic.train.set_champion(uow, PERSON, scope, one.id))
    champion = clinic.storage.read(lambda uow: clinic.train.champion(uow, scope, QUESTION))
    assert champion is not None
    assert champion.id == one.id, "a retired model may come back"
    with pytest.raises(NotACandidate):
        write(lambda uow: clinic.train.reject(uow, PERSON, scope, two.id, "no"))
    three = trained(clinic, 80, 20)
    write(lambda uow: clinic.train.reject(uow, PERSON, scope, three.id, "worse for small masses"))
    write(lambda uow: clinic.train.reject(uow, PERSON, scope, three.id, "again"))
    with pytest.raises(NotACandidate):
        write(lambda uow: clinic.train.set_champion(uow, PERSON, scope, three.id))
    with pytest.raises(NotACandidate):
        write(lambda uow: clinic.train.retire(uow, PERSON, scope, three.id, "x"))
    write(lambda uow: clinic.train.retire(uow, PERSON, scope, one.id, "withdrawn from use"))
    assert clinic.storage.read(lambda uow: clinic.train.champion(uow, scope, QUESTION)) is None
    assert [said["reason"] for said in clinic.entries("train.rejected")] == ["worse for small masses"]


def test_other_projects_see_nothing(clinic: Clinic) -> None:
    model = trained(clinic)
    other = Scope("00000000-0000-7000-8000-000000000000")
    with pytest.raises(ModelNotFound):
        clinic.storage.read(lambda uow: clinic.train.model(uow, other, model.id))
    with pytest.raises(ModelNotFound):
        clinic.storage.write(lambda uow: clinic.train.set_champion(uow, PERSON, other, model.id))
    assert clinic.storage.read(lambda uow: clinic.train.models(uow, other)) == []
    assert clinic.storage.read(lambda uow: clinic.train.champion(uow, other, QUESTION)) is None


def test_what_cannot_be_trained_is_said_and_leaves_nothing(clinic: Clinic) -> None:
    items = clinic.bring(0, 30)
    commit = clinic.commit("items alone")
    with pytest.raises(NoTrainingRows):
        clinic.train.fit(PERSON, clinic.scope, commit, question=QUESTION)
    same = [item for item in items if clinic.truth[item] == "benign"][:5]
    clinic.label(same, "train")
    with pytest.raises(TooFewLabels, match="same value"):
        clinic.train.fit(PERSON, clinic.scope, clinic.commit(), question=QUESTION)
    clinic.label([item for item in items if item not in same], "train")
    with pytest.raises(Cancelled):
        clinic.train.fit(PERSON, clinic.scope, clinic.commit(), question=QUESTION, cancelled=lambda: True)
    assert clinic.storage.read(lambda uow: clinic.train.models(uow, clinic.scope)) == []


def test_a_question_that_is_no_choice(clinic: Clinic) -> None:
    schema = Schema((Field(name="x", type="number"),), (Question(name="size", type="number"),))
    project = clinic.storage.write(lambda uow: clinic.datasets.create_project(uow, PERSON, "sizes", schema))
    scope = Scope(project.id)
    clinic.storage.write(
        lambda uow: clinic.datasets.put_items(uow, PERSON, scope, [NewItem(external_id="a", data={"x": 1.0})])
    )
    commit = clinic.datasets.commit(PERSON, scope, "one")
    assert commit is not None
    with pytest.raises(QuestionNotLearned):
        clinic.train.fit(PERSON, scope, commit.id, question="size")


def test_a_damaged_artefact_is_not_used(clinic: Clinic) -> None:
    model = trained(clinic)
    place = clinic.blobs.path(model.digest)
    content = bytearray(place.read_bytes())
    content[len(content) // 2] ^= 1
    place.write_bytes(bytes(content))
    with pytest.raises(BlobDamaged):
        clinic.train.predictor(model)


def test_a_run_from_asked_to_ended(clinic: Clinic) -> None:
    runs, scope, write = clinic.train.runs, clinic.scope, clinic.storage.write
    run = write(lambda uow: runs.ask(uow, PERSON, scope, workflow="retrain", question=QUESTION, args={"seed": 1}))
    assert (run.state, run.progress) == ("queued", 0.0)
    again = write(
        lambda uow: runs.ask(uow, PERSON, scope, workflow="retrain", question=QUESTION, args={}, run_id=run.id)
    )
    assert again == run
    assert clinic.storage.read(lambda uow: runs.under_way(uow, scope, "retrain", QUESTION)) == run
    assert clinic.storage.read(lambda uow: runs.under_way(uow, scope, "promote", QUESTION)) is None
    write(lambda uow: runs.report(uow, scope, run.id, 0.4, "training: fold 3 of 10"))
    seen = clinic.storage.read(lambda uow: runs.get(uow, scope, run.id))
    assert (seen.state, seen.progress, seen.step) == ("running", 0.4, "training: fold 3 of 10")
    assert [one.id for one in clinic.storage.read(runs.unfinished)] == [run.id]
    done = write(lambda uow: runs.end(uow, PERSON, scope, run.id, "done", result={"model_id": "m"}))
    assert (done.state, done.progress, done.result) == ("done", 1.0, {"model_id": "m"})
    write(lambda uow: runs.report(uow, scope, run.id, 0.1, "late"))
    assert write(lambda uow: runs.end(uow, PERSON, scope, run.id, "failed", error="late")) == done
    with pytest.raises(RunHasEnded):
        write(lambda uow: runs.cancel(uow, PERSON, scope, run.id))
    with pytest.raises(RunHasEnded):
        clinic.storage.read(lambda uow: runs.check_wanted(uow, scope, run.id))
    with pytest.raises(RunNotFound):
        clinic.storage.read(lambda uow: runs.get(uow, Scope("other"), run.id))
    assert [said["workflow"] for said in clinic.entries("train.started")] == ["retrain"]
    assert [(said["run"], said["state"]) for said in clinic.entries("train.ended")] == [(run.id, "done")]
    assert clinic.storage.read(runs.unfinished) == []
    other = write(lambda uow: runs.ask(uow, PERSON, scope, workflow="retrain", question=QUESTION, args={}))
    assert write(lambda uow: runs.cancel(uow, PERSON, scope, other.id)).state == "cancelled"
    assert {one.id for one in clinic.storage.read(lambda uow: runs.newest(uow, scope))} == {run.id, other.id}
