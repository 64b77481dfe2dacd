"""One server process of the chaos test: carries out the pipeline and, when told so, kills itself at a given place.

Usage: pipeline_process.py HOME STORAGE_URL JOBS_URL EXECUTOR PLACE
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from handrail.cycle.evaluate.jobs import Pipelines
from handrail.cycle.tasks.model import Answered
from handrail.foundation.clock import SystemClock
from handrail.foundation.ids import Ids
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import open_storage
from handrail.foundation.work.jobs import Jobs
from tests.integration.cycle.breast_mass import PERSON, QUESTION, Clinic

RETRAIN_ID = "00000000-0000-7000-8000-00000000000a"


def dies_after(function: Callable[..., Any]) -> Callable[..., Any]:
    """Do it, durably, and die before anybody hears of it."""

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        function(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    return wrapped


def main() -> None:
    home, storage_url, jobs_url, executor, place = sys.argv[1:6]
    clock, randomness = SystemClock(), Randomness(seed=7)
    storage = open_storage(storage_url)
    clinic = Clinic.open(storage, clock, Ids(clock, randomness), randomness, Path(home))
    jobs = Jobs(jobs_url, clock=clock, executor_id=executor)
    jobs.configure()
    pipelines = Pipelines(jobs, storage, clinic.feedback, clinic.train, clinic.evaluate)
    if place == "while fitting":
        run_step = clinic.compute.run

        def dying(*args: Any, **kwargs: Any) -> Any:
            return run_step(*args, **(kwargs | {"on_progress": dies_after(lambda _fraction, _note: None)}))

        clinic.compute.run = dying  # type: ignore[method-assign]
    elif place:
        name = f"_{place.replace(' ', '_')}"
        setattr(pipelines, name, dies_after(getattr(pipelines, name)))
    pipelines.register()
    jobs.launch()
    if not jobs_url.startswith("sqlite"):
        jobs.take_over(older_than_s=0)
    pipelines.resume()
    run = pipelines.retrain(PERSON, clinic.scope, QUESTION, run_id=RETRAIN_ID)
    jobs.wait(run.id, timeout_s=60)
    done = storage.read(lambda uow: clinic.train.runs.get(uow, clinic.scope, run.id))
    task_id = done.result["task_id"]
    given = Answered(value=None, verb="sign")
    storage.write(lambda uow: clinic.tasks.answer(uow, PERSON, clinic.scope, task_id, given))
    jobs.wait(pipelines.promote(PERSON, clinic.scope, task_id).id, timeout_s=60)
    clinic.compute.close()
    jobs.destroy()
    storage.close()
    print("finished")  # noqa: T201


if __name__ == "__main__":
    main()
