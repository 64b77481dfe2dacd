"""A history of versions at scale: commits, differences, merges, reading any version; DVC beside it in the same run.

`--rows=N` (1,000,000) and `--versions=N` (1,000) make it smaller; `--no-peer` leaves DVC out. DVC gets the same table
as one Parquet file in a git repository: its version of a change is that file again. What is limited is measured on
1,000 changed labels; the rest of the long history changes 200 in each version.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pyarrow.parquet as pq

from bench.datasets.run import ANNA, CHANGES, added, change, files, home, least, rows_file
from bench.history.dvc import Dvc
from bench.report import Line, report
from bench.stopwatch import Stopwatch
from handrail.cycle.datasets import Datasets, Edit
from handrail.cycle.datasets.history import History
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.storage import Storage

T = TypeVar("T")
EDITS, REPEATS = 10_000, 5
BEN = Actor(kind="person", id="p-ben", name="Ben")


def _option(name: str, default: int) -> int:
    given = [one.partition("=")[2] for one in sys.argv[1:] if one.startswith(f"--{name}=")]
    return int(given[0]) if given else default


@contextmanager
def _step(what: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    print(f"  {what}: {time.perf_counter() - started:.1f} s", file=sys.stderr, flush=True)


def _timed(work: Callable[[], T]) -> tuple[T, Stopwatch]:
    with Stopwatch() as watch:
        made = work()
    return made, watch


def _middle(watches: list[Stopwatch], kind: str = "cpu") -> float:
    return float(statistics.median(getattr(one, kind) for one in watches))


class Subject:
    """One project with its rows and versions."""

    def __init__(self, folder: Path, rows: int) -> None:
        self.storage: Storage
        self.datasets: Datasets
        self.scope: Scope
        self.storage, self.datasets, self.scope = home(folder)
        self.place = folder / "datasets"
        source = folder / "items.jsonl"
        with _step(f"{rows:,} rows in"):
            rows_file(source, rows)
            self.datasets.import_file(ANNA, self.scope, source)
        source.unlink()
        with _step("the first version"):
            first = self.datasets.commit(ANNA, self.scope, "first")
        assert first is not None
        self.versions = [first.id]
        with _step("names of the rows"):
            self.ids = self.storage.read(
                lambda uow: [one.id for one in self.datasets.items(uow, self.scope, None, rows).items]
            )

    def corrected(self, seed: int, labels: int = CHANGES) -> tuple[int, Stopwatch]:
        """Change labels and commit; return the bytes that came and the time of the commit."""
        change(self.storage, self.datasets, self.scope, self.ids, seed, labels)
        before = files(self.place)
        made, watch = _timed(lambda: self.datasets.commit(ANNA, self.scope, "corrections"))
        assert made is not None
        self.versions.append(made.id)
        return added(self.place, before), watch


def _commits(subject: Subject) -> list[Line]:
    done = [subject.corrected(seed) for seed in range(REPEATS)]
    history = History(subject.place, subject.scope)
    rows = history.rows(history.chain(subject.versions[-1])[-1])
    ratio = done[-1][0] / least(rows)
    pairs = list(zip(subject.versions[:-1], subject.versions[1:], strict=True))[-REPEATS:]
    diffs = [_timed(lambda: subject.datasets.diff(subject.scope, a, b))[1] for a, b in pairs * 3]  # noqa: B023
    return [
        Line("commit of 1,000 changed labels, CPU", 1000 * _middle([one[1] for one in done]), "ms", at_most=100),
        Line("commit of 1,000 changed labels, wall", 1000 * _middle([one[1] for one in done], "wall"), "ms"),
        Line("its bytes over the compressed change", ratio, "", at_most=2),
        Line("row diff of two versions, CPU", 1000 * min(one.cpu for one in diffs), "ms", at_most=10),
    ]


def _merge(subject: Subject) -> tuple[Line, int, int]:
    source = random.Random(99)
    chosen = source.sample(range(len(subject.ids)), 2 * EDITS - EDITS // 10)
    for name, part in (("left", chosen[:EDITS]), ("right", chosen[-EDITS:])):
        subject.storage.write(lambda uow, name=name: subject.datasets.branch(uow, ANNA, subject.scope, name))  # type: ignore[misc]
        edits = [Edit(subject.ids[at], "diagnosis", source.choice(("benign", "malignant"))) for at in part]
        subject.datasets.edit(BEN, subject.scope, name, f"edits of {name}", edits)
    merged, watch = _timed(lambda: subject.datasets.merge(ANNA, subject.scope, "right", into="left"))
    line = Line(f"merge of two branches of {EDITS:,} edits, CPU", watch.cpu, "s", at_most=1)
    return line, merged.commit.labels, len(merged.conflicts)


def _reading(subject: Subject, folder: Path) -> list[Line]:
    """Read versions from the whole history, each beside the same version as a plain Parquet file, in turns."""
    source = random.Random(5)
    last = len(subject.versions) - 1
    chosen = sorted({0, last, last - 1, *(source.randrange(last) for _ in range(8))})
    ratios, ours, plain = [], [], []
    for at in chosen:
        place = folder / "plain.parquet"
        pq.write_table(subject.datasets.checkout(subject.scope, subject.versions[at]), place, compression="zstd")
        mine, theirs = [], []
        for _ in range(5):
            mine.append(_timed(lambda: subject.datasets.checkout(subject.scope, subject.versions[at]))[1])  # noqa: B023
            theirs.append(_timed(lambda: pq.read_table(place))[1])  # noqa: B023
        ours.append(min(one.cpu for one in mine))
        plain.append(min(one.cpu for one in theirs))
        ratios.append(ours[-1] / plain[-1])
    return [
        Line("reading a version, CPU, the middle one", statistics.median(ours), "s"),
        Line("the same as a plain Parquet file", statistics.median(plain), "s"),
        Line("reading over the plain file, the middle one", statistics.median(ratios), "", at_most=1.3),
        Line("reading over the plain file, the slowest one", max(ratios), ""),
    ]


def main() -> int:
    """Measure and report."""
    rows, versions = _option("rows", 1_000_000), _option("versions", 1_000)
    facts: dict[str, Any] = {"rows": rows, "versions": versions}
    with tempfile.TemporaryDirectory(prefix="handrail-bench-") as name:
        folder = Path(name)
        subject = Subject(folder, rows)
        with _step("commits and differences"):
            lines = _commits(subject)
        with _step("two branches and their merge"):
            merging, facts["merged"], facts["conflicts"] = _merge(subject)
        with _step(f"{versions:,} versions"):
            while len(subject.versions) < versions:
                subject.corrected(len(subject.versions), CHANGES // 5)
        before = files(subject.place)
        with _step("compaction"):
            done, compacting = _timed(lambda: subject.datasets.compact(subject.scope))
        lines += [merging, *_reading(subject, folder)]
        deltas = sum(one.stat().st_size for one in before if one.parent.name == "labels")
        lines += [
            Line("compaction, CPU for each base", compacting.cpu / max(done.made, 1), "s"),
            Line("bytes of all bases over those of all changes", added(subject.place, before) / deltas, ""),
        ]
        facts |= {"bases": done.bases}
        if "--no-peer" not in sys.argv:
            with _step("DVC"):
                lines = Dvc(folder / "dvc").beside(lines, subject.datasets.checkout(subject.scope, "main"))
        subject.storage.close()
    return report("history", lines, facts=facts)


if __name__ == "__main__":
    sys.exit(main())
