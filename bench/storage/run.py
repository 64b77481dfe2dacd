"""Writes decisions through the units of work and through plain sqlite3, in turns, on the same disk.

64 callers on one event loop each await their own decision: decision, task (with the count of open tasks), journal entry
and payload in one durable transaction. The limit writes the very rows that ours made, ready as they are, by plain
sqlite3 in transactions of 64, with the same tables, indexes, triggers and settings. The disk is uneven, so ours and the
limit take turns and the median of the turns counts.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from statistics import median

from bench.report import Line, report
from bench.stopwatch import Stopwatch
from bench.storage.decisions import GROUP, Bare, Decisions, by_callers, rows_of

CALLERS = GROUP
UNITS = 3200
TURNS = 9
ALONE = 400


def ours(decisions: Decisions, callers: int, units: int, name: str) -> Stopwatch:
    """Record decisions for callers that wait for their own each."""
    ready = decisions.units(name, units)
    with Stopwatch() as taken:
        asyncio.run(by_callers(decisions.storage, callers, ready))
    return taken


def in_turns(folder: Path) -> tuple[list[Stopwatch], list[Stopwatch], Stopwatch]:
    """Return what each turn of ours and of the limit took, and what one caller alone took."""
    path = folder / "handrail.db"
    decisions = Decisions(f"sqlite:///{path}", folder / "datasets")
    bare = Bare(folder / "bare.db")
    ours(decisions, CALLERS, UNITS, "first caches")
    made, limits = [], []
    for turn in range(TURNS):
        made.append(ours(decisions, CALLERS, UNITS, f"turn {turn}"))
        rows, columns = rows_of(path, UNITS)
        with Stopwatch() as limit:
            bare.write(rows, columns)
        limits.append(limit)
    alone = ours(decisions, 1, ALONE, "alone")
    bare.close()
    decisions.storage.close()
    return made, limits, alone


def main() -> int:
    """Measure and report."""
    with tempfile.TemporaryDirectory(prefix="handrail-bench-") as folder:
        made, limits, alone = in_turns(Path(folder))
    cpu = median(one.cpu for one in made) / UNITS * 1000
    limit_cpu = median(one.cpu for one in limits) / UNITS * 1000
    rate, limit_rate = (UNITS / median(one.wall for one in turns) for turns in (made, limits))
    share = median(limit.wall / one.wall for one, limit in zip(made, limits, strict=True))
    lines = [
        Line("CPU of a decision's rows, 64 callers", cpu, "ms", at_most=0.10, peer=f"plain sqlite3: {limit_cpu:.3f}"),
        Line("decisions a second, 64 callers", rate, "/s", peer=f"plain sqlite3: {limit_rate:,.0f}"),
        Line("throughput over plain sqlite3's", share, "", at_least=0.4),
        Line("CPU over plain sqlite3's", cpu / limit_cpu, "", at_most=3),
        Line("CPU of a decision's rows, one caller", alone.cpu / ALONE * 1000, "ms"),
    ]
    return report("storage", lines, facts={"decisions a turn": UNITS, "turns": TURNS, "callers": CALLERS})


if __name__ == "__main__":
    sys.exit(main())
