"""Are certificates right as often as they say, how much do they automate, and how many labels do they take?

Populations are lists of items with known errors, so whether a certified threshold is wrong is known exactly. Every
method sees the same draws. A violation is a threshold whose true error is above alpha; at most delta of them may be.

    python -m bench certificates [--keep] [--verbose] [--repeats=1000] [--six]

`--repeats` is the number of calibration sets in each setting. More than 100 hold for the six real populations whose
figures are known from before; `--six` leaves the other populations out.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.certificates import shapes
from bench.certificates.labels import Labels, count_labels
from bench.certificates.lines import automation, controls, facts, label_lines, table, violations, wrong_curves
from bench.certificates.measure import ALPHAS, CURVES, SIZES, Setting, measure
from bench.certificates.populations import CORE, MODELLED, Population, modelled
from bench.report import Line, report
from bench.stopwatch import Stopwatch
from handrail.cycle.review.certificates import certify

if TYPE_CHECKING:
    Task = tuple[str, str, int, float, int, int]

WORKERS = 2
USUAL = 100
CURVE_POPULATIONS = (*CORE[:1], *CORE[2:5], "smooth, square")
CURVE_SIZES, CURVE_REPEATS = (500, 1000), 400
LABEL_DRAWS, STREAMS = 3, 100
_built: dict[str, Population] = {}  # filled before the worker processes are forked


def population(name: str, alpha: float) -> Population:
    """Return a population; hostile shapes are made for their alpha."""
    return _built[name] if name in _built else shapes.hostile(name, alpha)


def build() -> None:
    """Fit all models, two at a time, in processes of their own."""
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("fork")) as pool:
        found = list(pool.map(modelled, MODELLED))
    _built.update({one.name: one for one in [*found, *map(shapes.ordinary, shapes.NAMES)]})


def grid(repeats: int, six: bool) -> Iterator[Task]:
    """Every population, size and alpha; what shares its levels comes together."""
    names = CORE if six else (*_built, *shapes.HOSTILE_NAMES)
    for size in SIZES:
        for alpha in ALPHAS:
            for name in names:
                count = repeats if name in CORE else min(repeats, USUAL)
                yield "grid", name, size, alpha, count, min(10, max(4, count // 100))


def plateaus() -> Iterator[Task]:
    """The control: the plateau that is built against the envelope."""
    for size in SIZES[-2:]:
        for alpha in ALPHAS:
            yield "plateau", shapes.PLATEAU, size, alpha, CURVE_REPEATS, 4


def curves() -> Iterator[Task]:
    """Every wrong training curve."""
    for size in CURVE_SIZES:
        for alpha in ALPHAS:
            for name in CURVE_POPULATIONS:
                for curve in CURVES:
                    yield curve, name, size, alpha, CURVE_REPEATS, 4


def run_task(task: Task) -> Setting:
    """Measure one setting, in a worker."""
    what, name, size, alpha, repeats, draws = task
    one = population(name, alpha)
    if what == "grid":
        return measure(one, size, alpha, repeats, draws, mapie=20 if name in CORE and size >= 500 else 0)
    if what == "plateau":
        return measure(one, size, alpha, repeats, draws, modes=())
    return measure(one, size, alpha, repeats, draws, modes=("closed",), curve=CURVES[what])


def run_labels(task: tuple[str, float]) -> Labels | None:
    """Count labels for one population and alpha, in a worker."""
    return count_labels(_built[task[0]], task[1], LABEL_DRAWS, STREAMS)


def watched(what: str, found: Iterable[Any], total: int) -> list[Any]:
    """Collect results, and say how far it is on the error stream."""
    results: list[Any] = []
    for one in found:
        results.append(one)
        if len(results) % 50 == 0 or len(results) == total:
            print(f"{what}: {len(results)} of {total}", file=sys.stderr, flush=True)
    return results


def seconds_of_many() -> Line:
    """Measure one certificate from 100,000 labels."""
    rng = np.random.default_rng(7)

    def drawn(count: int) -> tuple[np.ndarray, np.ndarray]:
        scores = rng.random(count)
        return scores, (rng.random(count) < 0.3 * (1.0 - scores) ** 2).astype(float)

    unlabelled, training = drawn(1000)[0], drawn(1000)
    certify(*drawn(200), unlabelled=unlabelled, training=training, alpha=0.05)  # libraries are loaded
    labels = drawn(100_000)
    with Stopwatch() as taken:
        made = certify(*labels, unlabelled=unlabelled, training=training, alpha=0.02)
    assert made.status == "certified"
    return Line("certify from 100,000 labels, with its design: CPU", taken.cpu, "s", at_most=1)


def main() -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=USUAL)
    parser.add_argument("--six", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    with Stopwatch() as taken:
        build()
        tasks, others = list(grid(options.repeats, options.six)), list(curves())
        wanted = [(name, alpha) for alpha in ALPHAS for name in _built]
        with ProcessPoolExecutor(WORKERS, mp_context=get_context("fork")) as pool:
            settings = watched("settings", pool.map(run_task, tasks), len(tasks))
            wrong = watched("wrong training curves", pool.map(run_task, others), len(others))
            level = list(pool.map(run_task, plateaus()))
            counted = [one for one in watched("labels", pool.map(run_labels, wanted), len(wanted)) if one is not None]
    if options.verbose:
        print(table(settings, counted))
    kinds = [task[0] for task in others]
    lines = [
        *violations(settings),
        *automation(settings),
        *label_lines(counted),
        *controls(settings, level),
        *wrong_curves(kinds, wrong),
        seconds_of_many(),
        Line("the whole benchmark", taken.wall / 60, "min"),
    ]
    return report("certificates", lines, facts=facts(settings, counted, list(_built.values()), options.repeats))


if __name__ == "__main__":
    sys.exit(main())
