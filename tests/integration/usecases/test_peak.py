"""The peak counts what a child process holds, and not its parent's pages while it is being born.

Each measure is taken in a process of its own: what earlier tests once held would count as the peak of this one.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="children are measured where there is /proc"
)

_MEASURE = """
import subprocess, sys
from handrail.usecases.peak import PeakMemory, own_peak
{before}
with PeakMemory() as peak:
    {during}
print(peak.megabytes - (own_peak() >> 20))
"""
_HOLD = "import time; held = bytearray(200 << 20); held[::4096] = b'x' * len(held[::4096]); time.sleep(2)"


def _above_own(before: str, during: str) -> int:
    """Return by how many MiB the peak is above what the measuring process alone has held."""
    code = _MEASURE.format(before=before, during=during)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(run.stdout)


def test_what_a_child_holds_counts() -> None:
    assert 190 <= _above_own("", f"subprocess.run([sys.executable, '-c', {_HOLD!r}], check=True)") < 300


def test_many_births_do_not_double_what_the_parent_holds() -> None:
    hold = "held = bytearray(150 << 20); held[::4096] = b'x' * len(held[::4096])"
    births = "[subprocess.run([sys.executable, '-I', '-S', '-c', 'pass'], check=True) for _ in range(40)]"
    assert _above_own(hold, births) < 60
