"""`make check`: everything that can be said in under 30 seconds, two things at a time, the longest first."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tools.tree import ROOT

LIMIT_S = 30
_PYTHON = (sys.executable, "-m")
_UNIT = ("pytest", "-q", "--no-header")
_REVIEW = "tests/unit/cycle/review"  # half of the time of all unit tests: each half has a core
_LINT_IMPORTS = str(Path(sys.executable).with_name("lint-imports"))

STEPS: tuple[tuple[str, Sequence[str]], ...] = (
    ("unit tests of review", (*_PYTHON, *_UNIT, _REVIEW)),
    ("unit tests of the rest", (*_PYTHON, *_UNIT, "tests/unit", f"--ignore={_REVIEW}")),
    ("types", (*_PYTHON, "mypy", "--no-error-summary")),
    ("own rules", (*_PYTHON, "tools.lint")),
    ("imports", (_LINT_IMPORTS, "--no-logo", "--cache-dir", ".cache/importlinter")),
    ("lint", (*_PYTHON, "ruff", "check", "--quiet")),
    ("format", (*_PYTHON, "ruff", "format", "--check", "--quiet")),
)


@dataclass(frozen=True)
class Outcome:
    """How one step ended."""

    name: str
    code: int
    seconds: float
    output: str


def run_step(name: str, command: Sequence[str]) -> Outcome:
    """Run one step from the root of the repository and keep what it prints."""
    started = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return Outcome(name, done.returncode, time.perf_counter() - started, done.stdout)


def main() -> int:
    """Run every step, print one line for each and the output of those that failed."""
    started = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda step: run_step(*step), STEPS))
    for outcome in outcomes:
        if outcome.code:
            print(f"--- {outcome.name}\n{outcome.output}")
    for outcome in outcomes:
        print(f"{'ok    ' if outcome.code == 0 else 'FAILED'}  {outcome.seconds:5.1f} s  {outcome.name}")
    seconds = time.perf_counter() - started
    print(f"        {seconds:5.1f} s  of {LIMIT_S}{'' if seconds <= LIMIT_S else ': too slow'}")
    return 1 if any(outcome.code for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
