"""The most memory that this process and those it started held at the same time."""

from __future__ import annotations

import os
import resource
import sys
import threading
from pathlib import Path
from typing import Self

_EVERY_S = 0.05


class PeakMemory:
    """Looks twenty times a second while the block runs; `megabytes` is the largest sum of resident memory seen.

    What the system itself calls the peak of a child process is of no use: between fork and exec a child still has its
    parent's pages, and they count as its own. Where there is no /proc, only this process is measured.
    """

    def __init__(self) -> None:
        self._most = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="peak-memory", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    @property
    def megabytes(self) -> int:
        """Return the peak so far, in MiB."""
        return max(self._most >> 20, own_peak() >> 20)

    def _watch(self) -> None:
        me = os.getpid()
        while not self._stopping.wait(_EVERY_S):
            self._most = max(self._most, _tree(me, _command(me)))


def own_peak() -> int:
    """Return the most bytes that this process alone has held since it became itself."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return int(status.partition("VmHWM:")[2].split()[0]) << 10
    except (OSError, IndexError, ValueError):
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most << 10


def _tree(process: int, parent: bytes) -> int:
    """Return the resident bytes of a process and its descendants, without those that have not become themselves yet."""
    try:
        held = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()
        children = [
            int(child)
            for thread in os.listdir(f"/proc/{process}/task")
            for child in Path(f"/proc/{process}/task/{thread}/children").read_text(encoding="ascii").split()
        ]
    except (OSError, IndexError, ValueError):
        return 0
    return held + sum(_tree(child, command) for child in children if (command := _command(child)) != parent)


def _command(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""
