"""Runs `handrail demo medical --headless` twice with one seed: seconds, the most memory held, the same figures again.

Seconds are of the whole command, from its start to its end. Memory is what the demo prints and, because a program that
measures itself may be wrong, also the largest sum of resident sets of the command and what it started, seen from here.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bench.report import Line, report

COMMAND = [str(Path(sys.executable).with_name("handrail")), "demo", "medical", "--headless", "--json", "--seed", "7"]
EVERY_S = 0.05
OF_THE_RUN = frozenset({"commits", "home", "journal", "models", "peak_mb", "seconds"})
"""What two runs may not share: ids that hold real times and salts, the place, and what was measured."""


@dataclass(frozen=True)
class Ran:
    """One run: what it printed, wall seconds, and the most MB seen from outside."""

    printed: dict[str, Any]
    seconds: float
    seen_mb: float


def resident(process: psutil.Process) -> int:
    """Return the resident bytes of a process and its descendants, counting none that has ended."""
    held = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            held += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return held


def ran(home: Path) -> Ran:
    """Run the demo in a new home."""
    most, began = 0, time.perf_counter()
    with subprocess.Popen([*COMMAND, "--home", str(home)], stdout=subprocess.PIPE, text=True) as started:
        process = psutil.Process(started.pid)
        while started.poll() is None:
            try:
                most = max(most, resident(process))
            except psutil.NoSuchProcess:
                break
            time.sleep(EVERY_S)
        seconds = time.perf_counter() - began
        assert started.stdout is not None
        printed = json.loads(started.stdout.read())
    assert started.returncode == 0
    return Ran(printed, seconds, most / 2**20)


def main() -> int:
    """Measure and report."""
    with tempfile.TemporaryDirectory(prefix="handrail-bench-") as folder:
        first, again = (ran(Path(folder) / name) for name in ("first", "again"))
    figures = [{name: value for name, value in one.printed.items() if name not in OF_THE_RUN} for one in (first, again)]
    differing = [name for name in figures[0].keys() | figures[1].keys() if figures[0].get(name) != figures[1].get(name)]
    shown = first.printed
    lines = [
        Line("whole command", first.seconds, "s", at_most=45),
        Line("whole command, again", again.seconds, "s", at_most=45),
        Line("most memory, as printed", max(first.printed["peak_mb"], again.printed["peak_mb"]), "MB", at_most=600),
        Line("most memory, seen from outside", max(first.seen_mb, again.seen_mb), "MB"),
        Line("figures that differ between two runs of one seed", len(differing), at_most=0),
        Line(
            "journal verified", int(shown["journal"]["verified"] and again.printed["journal"]["verified"]), at_least=1
        ),
        Line("automatic decisions", shown["decisions"]["auto"], at_least=1),
        Line("commits", len(shown["commits"]), at_least=2),
        Line("model versions", len(shown["models"]), at_least=2),
        Line("promotions", shown["promotions"], at_least=1),
        Line("alerts", shown["alerts"], at_least=1),
        Line("campaigns", shown["campaigns"], at_least=1),
    ]
    return report("demo", lines, facts={"differing": differing, "printed": figures[0]})


if __name__ == "__main__":
    sys.exit(main())
