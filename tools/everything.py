"""The second half of `make test`: every test that `make check` does not run, slowest last."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

from tools.tree import ROOT

_PYTEST = (sys.executable, "-m", "pytest", "-q", "--no-header", "--durations=5")
_NPM = (str(ROOT / "tools" / "with-node"), "npm", "--prefix", "web", "run", "--silent")

# Two processes where tests wait for a database; one where a test measures time or drives a browser.
STEPS: tuple[tuple[str, Sequence[str]], ...] = (
    ("web: lint and types", (*_NPM, "lint")),
    ("web: unit tests", (*_NPM, "test")),
    ("property, integration, attack", (*_PYTEST, "-n", "2", "tests/property", "tests/integration", "tests/attack")),
    ("documentation", (*_PYTEST, "tests/docs")),
    ("chaos", (*_PYTEST, "tests/chaos")),
    ("end to end", (*_PYTEST, "tests/e2e")),
)


def main() -> int:
    """Run every step, also after one has failed, and say at the end which did."""
    outcomes = []
    for name, command in STEPS:
        print(f"=== {name}", flush=True)
        started = time.perf_counter()
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        outcomes.append((name, code, time.perf_counter() - started))
    print("=== all")
    for name, code, seconds in outcomes:
        print(f"{'ok    ' if code == 0 else 'FAILED'}  {seconds:6.1f} s  {name}")
    return 1 if any(code for _, code, _ in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
