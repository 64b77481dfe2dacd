"""Prints what a benchmark measured beside its limits, and keeps it with the machine and the versions."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
_PACKAGES = ("handrail", "numpy", "scikit-learn", "sqlalchemy", "psycopg", "fastapi", "dbos")


@dataclass(frozen=True)
class Line:
    """One figure; with a limit it can fail. `peer` is the comparable figure of something else, with its source."""

    what: str
    value: float
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None
    peer: str = ""

    @property
    def holds(self) -> bool:
        """True unless a limit is broken; a value that is no number breaks every limit."""
        if self.at_most is not None and not self.value <= self.at_most:
            return False
        return self.at_least is None or self.value >= self.at_least

    @property
    def limit(self) -> str:
        """The limit in words."""
        if self.at_most is not None:
            return f"<= {self.at_most:g}"
        return f">= {self.at_least:g}" if self.at_least is not None else ""


def machine() -> dict[str, Any]:
    """Describe what the figures were measured on."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "packages": {name: _version(name) for name in _PACKAGES},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def report(claim: str, lines: Sequence[Line], *, facts: Mapping[str, Any] | None = None) -> int:
    """Print the figures, write the result file, return 1 when a limit is broken and 0 otherwise."""
    rows = [
        (line.what, f"{line.value:,.4g} {line.unit}".strip(), line.limit, line.peer, "" if line.holds else "BROKEN")
        for line in lines
    ]
    head = (claim, "ours", "limit", "peer", "")
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    result = {
        "claim": claim,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "lines": [{**asdict(line), "holds": line.holds} for line in lines],
        "facts": dict(facts or {}),
    }
    RESULTS.mkdir(exist_ok=True)
    name = f"{claim}.summary.json" if "--keep" in sys.argv else f"{claim}.json"
    (RESULTS / name).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0 if all(line.holds for line in lines) else 1
