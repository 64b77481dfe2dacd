"""The durable pipeline with the real job engine: commit, fit, evaluate, compare, propose; then sign and promote."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handrail.cycle.evaluate.jobs import PROMOTE, RETRAIN, Pipelines
from handrail.cycle.evaluate.model import NotSignedYet
from handrail.cycle.tasks.model import Answered
from handrail.cycle.train import Run, RunHasEnded
from handrail.foundation.clock import FixedClock
from handrail.foundation.work.jobs import Jobs
from tests.integration.cycle.breast_mass import PERSON, QUESTION, Clinic


class Works:
    """A clinic with its pipelines and the job engine under them."""

    def __init__(self, clinic: Clinic, url: str, clock: FixedClock) -> None:
        self.clinic = clinic
        self.jobs = Jobs(url, clock=clock)
        self.jobs.configure()
        self.pipelines = Pipelines(self.jobs, clinic.storage, clinic.feedback, clinic.train, clinic.evaluate)
        self.pipelines.register()

    def retrain(self, **more: Any) -> Run:
        return self.pipelines.retrain(PERSON, self.clinic.scope, QUESTION, **more)

    def ended(self, run: Run) -> Run:
        self.jobs.wait(run.id, timeout_s=60)
        return self.run(run.id)

    def run(self, run_id: str) -> Run:
        return self.clinic.storage.read(lambda uow: self.clinic.train.runs.get(uow, self.clinic.scope, run_id))

    def sign(self, task_id: str, verb: Any = "sign") -> None:
        given = Answered(value=None, verb=verb)
        self.clinic.storage.write(lambda uow: self.clinic.tasks.answer(uow, PERSON, self.clinic.scope, task_id, given))

    def sign_offs(self) -> int:
        counts = self.clinic.storage.read(lambda uow: self.clinic.tasks.counts(uow, self.clinic.scope))
        return sum(counts.get("sign_off", {}).values())


@pytest.fixture
def works(clinic: Clinic, clock: FixedClock, tmp_path: Path) -> Iterator[Works]:
    url = clinic.storage.url
    made = Works(clinic, f"sqlite:///{tmp_path / 'jobs.db'}" if url.startswith("sqlite") else url, clock)
    made.jobs.launch()
    yield made
    clinic.compute.close()
    made.jobs.destroy(forget_functions=True)


def test_from_labels_to_a_champion_and_on_to_the_next_one(works: Works) -> None:
    clinic = works.clinic
    clinic.label(clinic.bring(0, 60), "train")
    run = works.retrain(seed=7, note="first")
    done = works.ended(run)
    assert (done.state, done.error, done.progress) == ("done", "", 1.0)
    assert set(done.result) == {"commit_id", "model_id", "evaluation_id", "task_id"}
    assert done.result["evaluation_id"] is None, "nothing is held out yet"
    model = clinic.storage.read(lambda uow: clinic.train.model(uow, clinic.scope, done.result["model_id"]))
    assert (model.commit_id, model.run_id, model.seed, model.note) == (done.result["commit_id"], run.id, 7, "first")

    task_id = done.result["task_id"]
    with pytest.raises(NotSignedYet):
        works.pipelines.promote(PERSON, clinic.scope, task_id)
    works.sign(task_id)
    promoted = works.pipelines.promote(PERSON, clinic.scope, task_id)
    assert works.pipelines.promote(PERSON, clinic.scope, task_id).id == promoted.id
    assert works.ended(promoted).state == "done"
    champion = clinic.storage.read(lambda uow: clinic.train.champion(uow, clinic.scope, QUESTION))
    assert champion is not None
    assert champion.id == model.id

    clinic.label(clinic.bring(60, 200), "certify")
    clinic.label(clinic.bring(260, 80), "feedback")
    assert clinic.storage.read(lambda uow: clinic.feedback.waiting(uow, clinic.scope)) == 80
    second = works.ended(works.retrain(seed=7))
    assert second.state == "done"
    assert clinic.storage.read(lambda uow: clinic.feedback.waiting(uow, clinic.scope)) == 0
    task = clinic.storage.read(lambda uow: clinic.tasks.task(uow, clinic.scope, second.result["task_id"]))
    comparison = task.payload["comparison"]
    assert (comparison["champion_id"], comparison["rows"], comparison["excluded"]) == (model.id, 200, 0)
    assert task.payload["evaluation"]["id"] == second.result["evaluation_id"]
    assert task.payload["summary"] == comparison["sentence"]
    works.sign(task.id)
    assert works.ended(works.pipelines.promote(PERSON, clinic.scope, task.id)).state == "done"
    models = clinic.storage.read(lambda uow: clinic.train.models(uow, clinic.scope))
    assert [one.state for one in models] == ["retired", "champion"]
    assert [one["workflow"] for one in clinic.entries("train.started")] == [RETRAIN, PROMOTE, RETRAIN, PROMOTE]
    assert [(one["verdicts"], one["labels"]) for one in clinic.entries("feedback.verdicts_committed")] == [
        (0, 60),
        (80, 280),
    ]


def test_one_fact_starts_one_run_and_a_question_has_one_at_a_time(works: Works) -> None:
    clinic = works.clinic
    clinic.label(clinic.bring(0, 40), "train")
    first = works.retrain(run_id="00000000-0000-7000-8000-000000000001")
    assert works.retrain(run_id="00000000-0000-7000-8000-000000000002").id == first.id
    works.ended(first)
    assert works.retrain(run_id=first.id).id == first.id
    assert len(clinic.storage.read(lambda uow: clinic.train.models(uow, clinic.scope))) == 1
    assert works.sign_offs() == 1


def test_a_run_that_cannot_be_done_says_why(works: Works) -> None:
    nothing = works.ended(works.retrain())
    assert nothing.state == "failed"
    assert "no item and no label" in nothing.error
    same = [item for item in works.clinic.bring(0, 60) if works.clinic.truth[item] == "benign"]
    works.clinic.label(same, "train")
    failed = works.ended(works.retrain())
    assert failed.state == "failed"
    assert "All labels have the same value" in failed.error
    assert works.jobs.job(failed.id).state == "failed"
    assert works.sign_offs() == 0
    assert [(one["state"], one["error"] != "") for one in works.clinic.entries("train.ended")] == [("failed", True)] * 2


def test_a_cancelled_run_makes_nothing(works: Works) -> None:
    works.clinic.label(works.clinic.bring(0, 60), "train")
    run = works.retrain()
    for _ in range(200):
        if works.run(run.id).step.startswith("training"):
            break
        time.sleep(0.02)
    works.pipelines.cancel(PERSON, works.clinic.scope, run.id)
    assert works.jobs.wait(run.id, timeout_s=20).state == "cancelled"
    time.sleep(0.5)
    assert works.run(run.id).state == "cancelled"
    with pytest.raises(RunHasEnded):
        works.pipelines.cancel(PERSON, works.clinic.scope, run.id)
    assert works.sign_offs() == 0
    assert [one["state"] for one in works.clinic.entries("train.ended")] == ["cancelled"]
    assert works.ended(works.retrain()).state == "done", "another run may follow"


def test_a_run_that_was_asked_for_but_never_started_starts_with_the_server(works: Works) -> None:
    clinic = works.clinic
    clinic.label(clinic.bring(0, 40), "train")
    args = {"seed": 1, "note": "", "commit_id": None}
    run = clinic.storage.write(
        lambda uow: clinic.train.runs.ask(uow, PERSON, clinic.scope, workflow=RETRAIN, question=QUESTION, args=args)
    )
    assert works.pipelines.resume() == 1
    assert works.ended(run).state == "done"
    assert works.pipelines.resume() == 0


def test_progress_is_on_the_row(works: Works) -> None:
    works.clinic.label(works.clinic.bring(0, 60), "train")
    run = works.retrain()
    seen = []
    for _ in range(600):
        now = works.run(run.id)
        seen.append((now.progress, now.step))
        if now.state == "done":
            break
        time.sleep(0.02)
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert any(0 < fraction < 1 for fraction in fractions)
    assert any(step.startswith("training") for _, step in seen)


def test_the_figures_of_two_homes_with_one_seed_are_the_same(works: Works) -> None:
    clinic = works.clinic
    clinic.label(clinic.bring(0, 60), "train")
    clinic.label(clinic.bring(60, 100), "holdout")
    one = works.ended(works.retrain(seed=3))
    two = works.ended(works.retrain(seed=3, commit_id=one.result["commit_id"]))
    models = clinic.storage.read(lambda uow: clinic.train.models(uow, clinic.scope))
    assert [model.run_id for model in models] == [one.id, two.id]
    assert models[0].digest == models[1].digest
    assert models[0].metrics == models[1].metrics
