"""Commits 1,000 changed labels over 100,000 items: CPU time, bytes per label, and the least that the change can take.

The least is the change itself, column by column and compressed with the strongest setting: 32 bytes of digest, which
nothing compresses, and what little the values, actors and reasons add. Also: import, checkout, diff and verify.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import create_engine

from bench.report import Line, report
from handrail.cycle.datasets import Commit, Datasets, Field, NewLabel, Question, Schema
from handrail.cycle.datasets.delta import Row
from handrail.cycle.datasets.history import History
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import SystemClock
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import Storage, metadata, open_storage

ITEMS, CHANGES, FIELDS = 100_000, 1_000, 10
PEER = "Lance 14: {} (measured before, 1M rows, not in this run)"
ANNA = Actor(kind="person", id="p-anna", name="Anna")
SCHEMA = Schema(
    fields=tuple(Field(name=f"feature {number}", type="number") for number in range(FIELDS)),
    questions=(Question(name="diagnosis", type="choice", choices=("benign", "malignant")),),
)


@dataclass(frozen=True)
class Cost:
    """CPU and wall seconds of one call."""

    cpu: float
    wall: float


def cost(work: Callable[[], Any]) -> tuple[Any, Cost]:
    """Run `work` once and return what it returns, and what it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    made = work()
    return made, Cost(time.process_time() - cpu, time.perf_counter() - wall)


def home(folder: Path) -> tuple[Storage, Datasets, Scope]:
    """Make an empty project."""
    url = f"sqlite:///{folder / 'handrail.db'}"
    storage = open_storage(url)
    engine = create_engine(url)
    metadata.create_all(engine)
    engine.dispose()
    clock, randomness = SystemClock(), Randomness(seed=7)
    ids = Ids(clock, randomness)
    datasets = Datasets(storage, Journal(clock, ids, randomness), clock, ids, randomness, folder / "datasets")
    project = storage.write(lambda uow: datasets.create_project(uow, ANNA, "bench", SCHEMA))
    return storage, datasets, Scope(project.id)


def rows_file(place: Path, rows: int = ITEMS) -> None:
    """Write the items as JSON Lines, a fifth of them with a label."""
    source = random.Random(7)
    with place.open("w", encoding="utf-8") as out:
        for number in range(rows):
            data = {f"feature {one}": round(source.gauss(0, 1), 6) for one in range(FIELDS)}
            labels = {"labels": {"diagnosis": source.choice(("benign", "malignant"))}} if number % 5 == 0 else {}
            out.write(json.dumps({"external_id": f"case-{number}", "data": data, **labels}) + "\n")


def change(
    storage: Storage, datasets: Datasets, scope: Scope, ids: list[str], seed: int, labels: int = CHANGES
) -> None:
    """Let a person change labels of random items."""
    source = random.Random(seed)

    def unit(uow: Any) -> None:
        for item in source.sample(ids, labels):
            value = source.choice(("benign", "malignant"))
            reason = source.choice(("", "", "second look", "audit"))
            new = NewLabel(item, "diagnosis", value, "review", "feedback", None, None, reason)
            datasets.put_label(uow, ANNA, scope, new)

    storage.write(unit)


def added(folder: Path, before: set[Path]) -> int:
    """Return the bytes of the files that are new."""
    return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file() and one not in before)


def files(folder: Path) -> set[Path]:
    """Return every file."""
    return {one for one in folder.rglob("*") if one.is_file()}


def least(rows: list[Row]) -> int:
    """Return the bytes of the change itself, each column on its own, compressed as strongly as zstd can."""
    codec = pa.Codec("zstd", compression_level=22)
    columns: list[bytes] = [b"".join(bytes.fromhex(row.item) for row in rows)]
    for name in Row._fields:
        if name != "item":
            columns.append("\n".join(json.dumps(getattr(row, name)) for row in rows).encode())
    return sum(len(codec.compress(column, asbytes=True)) for column in columns)


def fsync_seconds(folder: Path) -> float:
    """Return the seconds of one durable small write, the middle of 21."""
    taken = []
    for number in range(21):
        start = time.perf_counter()
        handle = os.open(folder / f"probe-{number}", os.O_WRONLY | os.O_CREAT)
        os.write(handle, b"x" * 4096)
        os.fsync(handle)
        os.close(handle)
        taken.append(time.perf_counter() - start)
    return sorted(taken)[10]


def main() -> int:
    """Measure and report."""
    with tempfile.TemporaryDirectory(prefix="handrail-bench-") as name:
        folder = Path(name)
        source = folder / "items.jsonl"
        rows_file(source)
        storage, datasets, scope = home(folder)
        _, importing = cost(lambda: datasets.import_file(ANNA, scope, source))
        root, first = cost(lambda: datasets.commit(ANNA, scope, "first"))
        ids = storage.read(lambda uow: [item.id for item in datasets.items(uow, scope, None, ITEMS).items])
        commits: list[tuple[Commit, Cost, int]] = []
        place = folder / "datasets"
        for seed in range(5):
            change(storage, datasets, scope, ids, seed)
            before = files(place)
            made, taken = cost(lambda: datasets.commit(ANNA, scope, "corrections"))
            commits.append((made, taken, added(place, before)))
        last = commits[-1][0]
        history = History(place, scope)
        rows = history.rows(history.chain(last.id)[-1])
        limit = least(rows) / len(rows)
        typical = sorted(one[1].cpu for one in commits)[2]
        wall = sorted(one[1].wall for one in commits)[2]
        per_label = sum(one[2] for one in commits) / sum(one[0].labels for one in commits)
        table, checking_out = cost(lambda: datasets.checkout(scope, last.id))
        changes, differing = cost(lambda: datasets.diff(scope, root.id, last.id))
        _, verifying = cost(lambda: datasets.verify(scope, last.id))
        probe = fsync_seconds(folder)
        storage.close()
    lines = [
        Line("commit of 1,000 labels, CPU", typical * 1000, "ms", at_most=100, peer=PEER.format("160 ms wall")),
        Line("commit of 1,000 labels, wall", wall * 1000, "ms"),
        Line("one durable write of 4 KiB, this disk", probe * 1000, "ms"),
        Line("bytes on disk for each label", per_label, "B", peer=PEER.format("341 B")),
        Line("the change itself, compressed", limit, "B"),
        Line("ours over the change itself", per_label / limit, "", at_most=1.25),
        Line("import of 100,000 items, CPU each", importing.cpu / ITEMS * 1e6, "us", at_most=200),
        Line("first commit, 100,000 items, CPU each", first.cpu / ITEMS * 1e6, "us", at_most=100),
        Line("checkout of 100,000 rows, CPU", checking_out.cpu, "s", at_most=2),
        Line("diff over five commits, CPU", differing.cpu * 1000, "ms"),
        Line("verify of six commits, CPU", verifying.cpu, "s"),
    ]
    facts = {"rows": table.num_rows, "changes": len(changes), "labels": [one[0].labels for one in commits]}
    return report("datasets", lines, facts=facts)


if __name__ == "__main__":
    sys.exit(main())
