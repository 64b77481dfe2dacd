"""Decides cases that were not seen before, with a trained and certified model, in process.

One decision is everything that decide() does: the schema's check, the prediction, the routing with its audit draw, and
one durable transaction with the item, the decision, its task if a person is needed, and their journal entries. The
loop that follows the journal does not run meanwhile; bench/http measures a server with everything in it. It is measured
with automation on, when the model decides nearly all, and after a stop, when every item opens a task. Beside it: what
scikit-learn's own pipeline of a model of the same kind takes for the prediction of one row.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bench.decide.clinic import PERSON, cases, prepare, request, settings
from bench.report import Line, report
from bench.stopwatch import Stopwatch
from handrail.app import Handrail, running
from handrail.foundation.actors import Scope

CALLERS = 64
DECISIONS, ALONE, TURNS = 1280, 150, 5
PREDICTIONS = 200


def decide(
    loop: asyncio.Runner, system: Handrail, scope: Scope, callers: int, count: int, name: str
) -> tuple[Stopwatch, Counter[str]]:
    """Decide `count` new items for callers that wait for their own each; also returns how many went which way."""
    wanted = [request(name, number) for number in range(count)]
    routes: Counter[str] = Counter()

    async def one(number: int) -> None:
        for each in wanted[number::callers]:
            made = await system.review.decide(PERSON, scope, each)
            routes[made.route] += 1

    async def everybody() -> None:
        await asyncio.gather(*[one(number) for number in range(callers)])

    with Stopwatch() as taken:
        loop.run(everybody())
    return taken, routes


def pipeline_ms() -> float:
    """Return CPU milliseconds of scikit-learn's predict_proba of one row by a model of the same kind."""
    rows = np.array([list(data.values()) for data, _ in cases()])
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    pipeline.fit(rows[:60], [diagnosis for _, diagnosis in cases()[:60]])
    with Stopwatch() as taken:
        for number in range(PREDICTIONS):
            pipeline.predict_proba(rows[number : number + 1])
    return taken.cpu / PREDICTIONS * 1000


def main() -> int:
    """Measure and report."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="handrail-bench-")))
        system = stack.enter_context(running(settings(folder / "home"), seed=7))
        loop = stack.enter_context(asyncio.Runner())
        scope = prepare(system)
        decide(loop, system, scope, CALLERS, CALLERS * 4, "first caches")
        together = [decide(loop, system, scope, CALLERS, DECISIONS, f"turn {turn}") for turn in range(TURNS)]
        alone = [decide(loop, system, scope, 1, ALONE, f"alone {turn}")[0] for turn in range(TURNS)]
        system.storage.write(lambda uow: system.review.stop(uow, PERSON, scope, "the rest is for people"))
        people = [decide(loop, system, scope, CALLERS, DECISIONS, f"people {turn}") for turn in range(TURNS)]
    peer = f"scikit-learn's predict_proba: {pipeline_ms():.2f}"
    routes = sum((found for _, found in together), Counter())
    assert all(found["human"] == DECISIONS for _, found in people)
    cpu = median(taken.cpu for taken, _ in together) / DECISIONS * 1000
    people_cpu = median(taken.cpu for taken, _ in people) / DECISIONS * 1000
    alone_cpu = median(taken.cpu for taken in alone) / ALONE * 1000
    rate = DECISIONS / median(taken.wall for taken, _ in together)
    lines = [
        Line("CPU of decide(), 64 callers", cpu, "ms", at_most=0.5, peer=peer),
        Line("CPU of decide(), one caller", alone_cpu, "ms", at_most=3, peer=peer),
        Line("CPU of decide() after a stop, 64 callers", people_cpu, "ms", at_most=0.5, peer=peer),
        Line("decisions a second, 64 callers", rate, "/s"),
        Line("decided by the model", routes["auto"] / routes.total(), "of all", at_least=0.5),
        Line("sent to people", routes["human"] / routes.total(), "of all"),
    ]
    return report("decide", lines, facts={"decisions a turn": DECISIONS, "turns": TURNS, "routes": dict(routes)})


if __name__ == "__main__":
    sys.exit(main())
