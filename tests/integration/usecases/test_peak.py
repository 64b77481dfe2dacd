"""The peak counts what a child process holds, and not its parent's pages while it is being born."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from handrail.usecases.peak import PeakMemory

_HOLD = "import sys, time; held = bytearray(200 << 20); held[::4096] = b'x' * len(held[::4096]); time.sleep(0.5)"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="children are measured where there is /proc")
def test_what_a_child_holds_counts() -> None:
    with PeakMemory() as peak:
        subprocess.run([sys.executable, "-c", _HOLD], check=True)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    assert 200 <= peak.megabytes - own < 300


def test_many_births_do_not_double_what_the_parent_holds() -> None:
    held = bytearray(150 << 20)
    held[::4096] = b"x" * len(held[::4096])
    with PeakMemory() as peak:
        for _ in range(40):
            subprocess.run([sys.executable, "-I", "-S", "-c", "pass"], check=True)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    del held
    assert peak.megabytes - own < 60
