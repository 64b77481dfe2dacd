"""Do audits stop automation soon after its error rises, and hardly ever before?

Every certificate says 2 %; the error is exactly that until audit 1000 of 4,000, and doubles then (a small group worse:
1.75 times). Each figure is taken from hundreds of simulated certificates; the truth is known, the arithmetic is the
product's own, and one stream of each setting is played through the product's brake as it logs it.

    python -m bench oversight [--quick] [--keep] [--verbose] [--part=B]

`--quick` takes the first population alone, with fewer streams. This is part B of three: `--part=A` is the benchmark
`certificates`, `--part=C` the benchmark `crash`, with their own options.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import Any

import numpy as np

from bench.oversight.certifying import certify
from bench.oversight.controls import detector_figures, window_false_alarms
from bench.oversight.populations import KNOWN, LEVEL, RECIPES, SHIFTS, Population, population
from bench.oversight.streams import CHANGE, DELTA, Setting, compare, limit_of, simulate
from bench.report import Line, report
from bench.stopwatch import Stopwatch

WORKERS = 2
PARTS = {"A": "certificates", "C": "crash"}
LEVELS = {False: "one level", True: "group levels"}
PRINTED = ("label", "concept", "group")  # the other shifts are in the table of the result file
AT_MOST_LABEL = {False: 400, True: 280}  # of the population whose classes differ enough in difficulty
AT_MOST_CONCEPT = {False: 480, True: 320}
BOUND = 0.01


@dataclass(frozen=True)
class Sizes:
    """How much is simulated."""

    names: tuple[str, ...]
    delays: int
    falses: int
    controls: int


FULL = Sizes(tuple(RECIPES), 300, 1500, 100)
QUICK = Sizes((KNOWN,), 150, 400, 30)


@dataclass(frozen=True)
class Delay:
    """Audits from the change to the brake, and how far the product's brake was from the simulation.

    `limit`: what a test needs that knows when the change comes and how far the error rises, with uniform audits.
    """

    shift: str
    groups: bool
    median: float
    ninth: float
    differs: float
    limit: float


def allowed(streams: int) -> float:
    """Return the most false alarms that `streams` may show when the true share is delta: three standard errors."""
    return DELTA + 3 * (DELTA * (1 - DELTA) / streams) ** 0.5


def measure(name: str, sizes: Sizes) -> dict[str, Any]:
    """Measure one population, in a worker."""
    one = population(name)
    shifts = [*SHIFTS, *(shift for shift in one.after if shift not in SHIFTS and name == KNOWN)]
    delays = [
        _delay(one, shift, groups, sizes.delays, seed) for seed, shift in enumerate(shifts) for groups in (False, True)
    ]
    false = {groups: simulate(one, Setting(groups=groups, streams=sizes.falses, seed=1)) for groups in (False, True)}
    erring = Setting(reviewer_error=BOUND, streams=sizes.falses, seed=2)
    certified = certify(one, level=2 * LEVEL, planned=LEVEL, streams=sizes.falses, seed=3)
    wrongly = certify(one, level=LEVEL, planned=LEVEL / 2, streams=sizes.falses, seed=4)
    return {
        "name": name,
        "cells": len(one.risks),
        "groups": len(one.names),
        "after": {shift: one.after[shift].error for shift in SHIFTS},
        "delays": delays,
        "false": {groups: found.false_alarms for groups, found in false.items()},
        "named": float(false[True].named.any(axis=1).mean()),
        "uncorrected": simulate(one, erring).false_alarms,
        "corrected": simulate(one, _corrected(BOUND, second=False, streams=sizes.falses)).false_alarms,
        "second": simulate(one, _corrected(BOUND**2 * 2, second=True, streams=sizes.falses)).false_alarms,
        "certify": (float(np.median(certified)), float(np.quantile(certified, 0.9, method="higher"))),
        "wrongly": float(np.isfinite(wrongly).mean()),
    }


def _corrected(bound: float, *, second: bool, streams: int) -> Setting:
    return Setting(reviewer_error=BOUND, bound=bound, second_opinion=second, streams=streams, seed=5)


def _delay(one: Population, shift: str, groups: bool, streams: int, seed: int) -> Delay:
    found = simulate(one, Setting(shift=shift, groups=groups, streams=streams, seed=10 + seed))
    differs = compare(found, one.group_levels() if groups else {})
    return Delay(shift, groups, found.delay(0.5), found.delay(0.9), differs, limit_of(one.after[shift].error))


def lines_of(found: dict[str, Any], sizes: Sizes) -> list[Line]:
    """Return the figures of one population; delays have limits where they are known from before."""
    name, most, lines = found["name"], allowed(sizes.falses), []
    for one in found["delays"]:
        if one.shift in PRINTED:
            what = f"{name}: median audits to the brake, {one.shift} shift, {LEVELS[one.groups]}"
            limit = AT_MOST_LABEL[one.groups] if (name, one.shift) == (KNOWN, "label") else None
            lines.append(Line(what, one.median, at_most=limit, peer=f"p90 {one.ninth:.0f}"))
    for groups, level in LEVELS.items():
        each = [one.median for one in found["delays"] if one.shift not in SHIFTS and one.groups == groups]
        if each:
            peer = f"from {min(each):.0f} to {max(each):.0f}"
            what = f"{name}: the same, concept, mean over which class it is, {level}"
            lines.append(Line(what, float(np.mean(each)), at_most=AT_MOST_CONCEPT[groups], peer=peer))
    for groups, level in LEVELS.items():
        lines.append(Line(f"{name}: false alarms in a lifetime, {level}", found["false"][groups], at_most=most))
    return [
        *lines,
        Line(f"{name}: innocent group named", found["named"], at_most=most),
        Line(f"{name}: false alarms, 1 % reviewer error corrected", found["corrected"], at_most=most),
        Line(f"{name}: false alarms, 1 % reviewer error, second opinion", found["second"], at_most=most),
        Line(
            f"{name}: audits to certify 4 % at an error of 2 %, p90",
            found["certify"][1],
            at_most=750 if name == KNOWN else None,
            peer=f"median {found['certify'][0]:.0f}",
        ),
        Line(f"{name}: false certificates at the level", found["wrongly"], at_most=most),
        Line(f"{name}: must fail, 1 % reviewer error not corrected: false alarms", found["uncorrected"], at_least=0.8),
    ]


def concept_lines(delays: list[Delay]) -> list[Line]:
    """Return the delays after a concept shift over all populations, which have limits."""
    lines = []
    for groups, level in LEVELS.items():
        each = [one.median for one in delays if (one.shift, one.groups) == ("concept", groups)]
        what = f"median audits to the brake, concept shift, {level}, geometric mean of {len(each)}"
        lines.append(
            Line(
                what, geometric(each), at_most=AT_MOST_CONCEPT[groups], peer=f"from {min(each):.0f} to {max(each):.0f}"
            )
        )
    return lines


def geometric(values: list[float]) -> float:
    """Return the geometric mean; infinite as soon as one value is."""
    return float(np.exp(np.mean(np.log(values))))


def relative_lines(delays: list[Delay]) -> list[Line]:
    """Return the medians relative to their limits, geometric means over populations, for each shift and for all."""
    lines = []
    for groups, level in LEVELS.items():
        by_shift = {
            shift: [one.median / one.limit for one in delays if (one.shift, one.groups) == (shift, groups)]
            for shift in SHIFTS
        }
        every = [ratio for ratios in by_shift.values() for ratio in ratios]
        peer = ", ".join(f"{shift} {geometric(ratios):.2f}" for shift, ratios in by_shift.items())
        what = f"median audits to the brake over the limit, {level}, geometric mean of {len(every)}"
        lines.append(Line(what, geometric(every), peer=peer))
    return lines


def table(delays: list[Delay]) -> dict[str, str]:
    """Return "median / p90 (limit)" for each shift and level of a population."""
    return {
        f"{one.shift}, {LEVELS[one.groups]}": f"{one.median:.0f} / {one.ninth:.0f} ({one.limit:.0f})" for one in delays
    }


def control_lines(streams: int) -> list[Line]:
    """What has no guarantee must break here; if it does not, the benchmark is broken."""
    figures = detector_figures(streams, 7)
    false, missed = (lambda name: figures[name][0]), (lambda name: figures[name][1])
    return [
        Line("must fail, window of 500 at 5 %: false alarms", window_false_alarms(10 * streams, 6), at_least=0.5),
        Line("must fail, ADWIN 0.002: misses", missed("ADWIN 0.002"), at_least=0.8),
        Line("must fail, Page-Hinkley default: misses", missed("Page-Hinkley default"), at_least=0.8),
        Line("must fail, Page-Hinkley threshold 5: false alarms", false("Page-Hinkley threshold 5"), at_least=0.7),
        Line("must fail, DDM: false alarms", false("DDM"), at_least=0.5),
    ]


def main() -> int:
    """Measure and report, or hand over to the benchmark that holds another part."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--part", choices=("A", "B", "C"), default="B")
    part = parser.parse_known_args()[0].part
    if part != "B":
        others = [option for option in sys.argv[1:] if not option.startswith("--part")]
        command = [sys.executable, "-m", f"bench.{PARTS[part]}.run", *others]
        return subprocess.run(command, check=False).returncode
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    sizes = QUICK if options.quick else FULL
    lines: list[Line] = []
    delays: list[Delay] = []
    populations: dict[str, Any] = {}
    with Stopwatch() as taken, ProcessPoolExecutor(WORKERS, mp_context=get_context("fork")) as pool:
        controls = pool.submit(control_lines, sizes.controls)
        for found in pool.map(partial(measure, sizes=sizes), sizes.names):
            print(f"measured {found['name']}", file=sys.stderr, flush=True)
            lines += lines_of(found, sizes)
            differs = max(one.differs for one in found["delays"])
            lines.append(Line(f"{found['name']}: product's brake from the simulation", differs, at_most=1e-9))
            populations[found["name"]] = {"source": RECIPES[found["name"]][0]} | {
                key: found[key] for key in ("cells", "groups", "after")
            }
            populations[found["name"]]["audits from the change to the brake"] = table(found["delays"])
            delays += found["delays"]
            if options.verbose:
                print(*found["delays"], sep="\n")
        lines += controls.result()
    if not options.quick:
        lines += concept_lines(delays) + relative_lines(delays)
    lines.append(Line("the whole benchmark", taken.wall / 60, "min"))
    facts = {"delta": DELTA, "level": LEVEL, "change": CHANGE, "sizes": str(sizes), "populations": populations}
    return report("oversight", lines, facts=facts)


if __name__ == "__main__":
    sys.exit(main())
