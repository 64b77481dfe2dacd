"""Starts the server on a new home and again on the same home: seconds to the first page, memory after ten idle seconds.

Memory is the resident set of the server and its child processes together, from /proc. The peer's figure would need its
own installation, so there is none; the limit is ours.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import psutil

from bench.report import Line, report
from tools.serving import Running, serving

IDLE_S = 10
HANDRAIL = [str(Path(sys.executable).with_name("handrail"))]


def memory_mb(running: Running) -> float:
    """Return the resident memory of the server and of what it started, in MB."""
    server = psutil.Process(running.process.pid)
    return sum(process.memory_info().rss for process in [server, *server.children(recursive=True)]) / 1e6


def idle_cpu(running: Running) -> float:
    """Return the share of one core, in percent, that the server uses while nobody calls."""
    process = psutil.Process(running.process.pid)
    before = sum(process.cpu_times()[:2])
    time.sleep(IDLE_S)
    return 100 * (sum(process.cpu_times()[:2]) - before) / IDLE_S


def start(home: Path) -> tuple[float, float, float]:
    """Return (seconds to the first page, MB when idle, percent of a core when idle)."""
    began = time.perf_counter()
    with serving(HANDRAIL, home) as running:
        seconds = time.perf_counter() - began
        share = idle_cpu(running)
        return seconds, memory_mb(running), share


def main() -> int:
    """Measure and report."""
    with tempfile.TemporaryDirectory(prefix="handrail-start-") as folder:
        home = Path(folder) / "home"
        first, first_mb, _ = start(home)
        again, again_mb, share = start(home)
    lines = [
        Line("start to first page, new home", first, "s", at_most=3),
        Line("start to first page, same home again", again, "s", at_most=3),
        Line("memory when idle, new home", first_mb, "MB", at_most=150),
        Line("memory when idle, same home again", again_mb, "MB", at_most=150),
        Line("processor when idle", share, "% of a core", at_most=3),
    ]
    return report("server_start", lines)


if __name__ == "__main__":
    sys.exit(main())
