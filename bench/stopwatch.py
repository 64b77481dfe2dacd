"""CPU and wall time of what a benchmark measures."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Self


class Stopwatch:
    """CPU seconds of this process, all threads, and wall seconds, from the beginning of a block to its end."""

    cpu: float = 0.0
    wall: float = 0.0

    def __enter__(self) -> Self:
        self._began = time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu, self.wall = time.process_time() - self._began[0], time.perf_counter() - self._began[1]


def cpu_of(pid: int) -> float:
    """Return CPU seconds that another process has used so far, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
