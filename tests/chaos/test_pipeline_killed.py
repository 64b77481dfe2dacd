"""kill -9 inside every step of the pipeline, after its effect and before anybody heard of it: each is there once."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from handrail.foundation.clock import FixedClock
from handrail.foundation.ids import Ids
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import open_storage
from tests.integration.cycle.breast_mass import QUESTION, Clinic

PLACES = ("commit", "while fitting", "fit", "measure", "compare", "propose", "end", "make champion")
_numbers = itertools.count()


def run(home: Path, storage_url: str, jobs_url: str, place: str) -> subprocess.CompletedProcess[str]:
    code = (
        "import sys;sys.path[:0]=['src','.'];import runpy;"
        "runpy.run_module('tests.chaos.pipeline_process', run_name='__main__', alter_sys=False)"
    )
    executor = f"process-{next(_numbers)}" if jobs_url.startswith("postgresql") else "local"
    return subprocess.run(
        [sys.executable, "-c", code, str(home), storage_url, jobs_url, executor, place],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_each_effect_is_there_once(
    storage_url: str, clock: FixedClock, ids: Ids, randomness: Randomness, tmp_path: Path
) -> None:
    jobs_url = f"sqlite:///{tmp_path / 'jobs.db'}" if storage_url.startswith("sqlite") else storage_url
    storage = open_storage(storage_url)
    clinic = Clinic.open(storage, clock, ids, randomness, tmp_path)
    clinic.label(clinic.bring(0, 60), "train")
    clinic.label(clinic.bring(60, 40), "holdout")
    storage.close()

    for place in PLACES:
        killed = run(tmp_path, storage_url, jobs_url, place)
        assert killed.returncode == -signal.SIGKILL, (place, killed.stderr)
    finished = run(tmp_path, storage_url, jobs_url, "")
    assert (finished.returncode, finished.stdout) == (0, "finished\n"), finished.stderr

    storage = open_storage(storage_url)
    clinic = Clinic.open(storage, clock, ids, randomness, tmp_path)
    scope = clinic.scope
    models = storage.read(lambda uow: clinic.train.models(uow, scope))
    assert [(model.number, model.state) for model in models] == [(1, "champion")]
    assert len(storage.read(lambda uow: clinic.datasets.log(uow, scope))) == 1
    assert storage.read(lambda uow: clinic.tasks.counts(uow, scope))["sign_off"]["answered"] == 1
    assert len(storage.read(lambda uow: clinic.evaluate.proposals(uow, scope))) == 1
    assert len(storage.read(lambda uow: clinic.evaluate.evaluations(uow, scope, models[0].id))) == 1
    for verb in ("datasets.commit_made", "feedback.verdicts_committed", "train.model_made", "evaluate.evaluated",
                 "evaluate.proposed", "evaluate.signed", "train.promoted"):  # fmt: skip
        assert len(clinic.entries(verb)) == 1, verb
    runs = storage.read(lambda uow: clinic.train.runs.newest(uow, scope))
    assert sorted((one.workflow, one.state) for one in runs) == [("promote", "done"), ("retrain", "done")]
    champion = storage.read(lambda uow: clinic.train.champion(uow, scope, QUESTION))
    assert champion is not None
    clinic.train.predictor(champion)
    storage.close()
