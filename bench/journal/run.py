"""Fills a journal with a million entries and measures the sequencer, proofs and the check of everything that is stored.

The entries are those of automatic decisions, appended as decide() appends them, a thousand in a unit. The sequencer
gives them their place, grows the tree, keeps its subtrees and notes what each entry names; it works a thousand at a
time, and its last hundred thousand entries count, when the tables are large. A proof is made from the database, one
caller at a time, for entries drawn at random, and is checked by pymerkle as well as by our own check. The peer,
pymerkle's tree in memory, holds the same leaves; it keeps nothing on a disk and knows no entries.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pymerkle import InmemoryTree, verify_inclusion

from bench.report import Line, report
from bench.stopwatch import Stopwatch
from handrail.cycle.review.events import Decided
from handrail.foundation.actors import Actor
from handrail.foundation.clock import SystemClock
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal, merkle, store
from handrail.foundation.journal.checkpoint import Signer
from handrail.foundation.journal.proofs import Prover
from handrail.foundation.journal.tree import BATCH, integrate, stored
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import Storage, UnitOfWork, open_storage

ENTRIES = 1_000_000
COUNTED = 100_000
PROOFS = 2000
PEER_LEAVES, PEER_PROOFS = 1 << 16, 50
SERVICE = Actor(kind="machine", id="0190cccc-0000-7000-8000-000000000000", name="clinic service")


class Filled:
    """A home's journal."""

    def __init__(self, folder: Path) -> None:
        self.clock, randomness = SystemClock(), Randomness(seed=7)
        self.ids = Ids(self.clock, randomness)
        self.journal = Journal(self.clock, self.ids, randomness)
        self.path = folder / "handrail.db"
        self.storage: Storage = open_storage(f"sqlite:///{self.path}")
        (folder / "keys").mkdir()
        self.prover = Prover(self.storage, self.journal, self.clock, Signer.of_home(folder / "keys"))
        self._same = {name: self.ids.new() for name in ("policy_id", "model_id", "certificate_id")}
        self._project = self.ids.new()

    def append(self, count: int) -> None:
        """Append entries of automatic decisions in one unit."""

        def unit(uow: UnitOfWork) -> None:
            for number in range(count):
                event = Decided(
                    decision_id=self.ids.new(),
                    item_id=self.ids.new(),
                    task_id=None,
                    commit_id="0" * 64,
                    status="auto",
                    route="auto",
                    value="benign",
                    by="policy:1",
                    score=0.97,
                    reasons=["the score 0.970 is at or above the certified threshold 0.954"],
                    audit_probability=0.1,
                    day=20260301 + number % 3,
                    **self._same,
                )
                self.journal.append(uow, SERVICE, self._project, event)

        self.storage.write(unit)

    def sequenced(self) -> Stopwatch:
        """Let the sequencer place one batch."""
        with Stopwatch() as taken:
            placed = self.storage.write(integrate)
        assert placed == BATCH
        return taken


def fill(filled: Filled) -> tuple[float, float]:
    """Fill the journal; return CPU microseconds of an append and of the sequencer for each of the last entries."""
    appending, sequencing = [], []
    for _ in range(ENTRIES // BATCH):
        with Stopwatch() as taken:
            filled.append(BATCH)
        appending.append(taken.cpu)
        sequencing.append(filled.sequenced().cpu)
    last = COUNTED // BATCH
    return tuple(sum(part[-last:]) / COUNTED * 1e6 for part in (appending, sequencing))  # type: ignore[return-value]


def timed(calls: int, call: Callable[[int], object]) -> tuple[float, list[float]]:
    """Return CPU milliseconds of a call and how long each took, in milliseconds."""
    waited: list[float] = []
    with Stopwatch() as taken:
        for number in range(calls):
            began = time.perf_counter()
            call(number)
            waited.append((time.perf_counter() - began) * 1000)
    return taken.cpu / calls * 1000, sorted(waited)


def proofs(filled: Filled) -> list[Line]:
    """Make proofs of entries drawn at random and check each."""
    drawn = random.Random(7)
    places = [drawn.randrange(ENTRIES) for _ in range(PROOFS)]
    made: dict[int, list[bytes]] = {}

    def include(number: int) -> None:
        made[places[number]] = filled.storage.read(lambda uow: merkle.inclusion(places[number], ENTRIES, stored(uow)))

    def consist(number: int) -> None:
        filled.storage.read(lambda uow: merkle.consistency(places[number] + 1, ENTRIES, stored(uow)))

    inclusion, waited = timed(PROOFS, include)
    consistency, _ = timed(PROOFS, consist)
    root = filled.storage.read(lambda uow: merkle.root(ENTRIES, stored(uow)))
    leaves = {place: filled.storage.read(lambda uow: store.get_leaves(uow, place, place + 1))[0] for place in made}  # noqa: B023
    checked, _ = timed(
        PROOFS, lambda number: _check(leaves[places[number]], places[number], made[places[number]], root)
    )
    return [
        Line("inclusion proof at 1,000,000 entries, CPU", inclusion, "ms", at_most=1),
        Line("inclusion proof, 99 of 100 wait at most", waited[int(0.99 * (PROOFS - 1))], "ms"),
        Line("consistency proof at 1,000,000 entries, CPU", consistency, "ms", at_most=1),
        Line("check of an inclusion proof, CPU", checked, "ms"),
    ]


def _check(leaf: bytes, place: int, path: list[bytes], root: bytes) -> None:
    assert merkle.verify_inclusion(leaf, place, ENTRIES, path, root)


def against_pymerkle() -> list[Line]:
    """Compare roots and proofs with pymerkle's over the first leaves, and what each takes."""
    entries = [f"entry {number}".encode() for number in range(PEER_LEAVES)]
    peer = InmemoryTree(algorithm="sha256")
    with Stopwatch() as theirs:
        for entry in entries:
            peer.append_entry(entry)
    kept: dict[tuple[int, int], bytes] = {}

    def node(level: int, index: int) -> bytes:
        return kept[level, index]

    with Stopwatch() as grown:
        for start in range(0, PEER_LEAVES, BATCH):
            leaves = [merkle.leaf_hash(entry) for entry in entries[start : start + BATCH]]
            kept |= {(0, start + place): leaf for place, leaf in enumerate(leaves)}
            for level, index, value in merkle.grown(start, leaves, node):
                kept[level, index] = value

    assert merkle.root(PEER_LEAVES, node) == peer.get_root()
    drawn = random.Random(7)
    places = [drawn.randrange(PEER_LEAVES) for _ in range(PEER_PROOFS)]
    their_ms, _ = timed(PEER_PROOFS, lambda number: peer.prove_inclusion(places[number] + 1, PEER_LEAVES))
    our_ms, _ = timed(PEER_PROOFS, lambda number: merkle.inclusion(places[number], PEER_LEAVES, node))
    for place in places:
        proof = peer.prove_inclusion(place + 1, PEER_LEAVES)
        assert list(proof.path[1:]) == merkle.inclusion(place, PEER_LEAVES, node)
        verify_inclusion(kept[0, place], peer.get_root(), proof)
    return [
        Line(
            f"tree in memory, {PEER_LEAVES:,} leaves: CPU of a leaf",
            grown.cpu / PEER_LEAVES * 1e6,
            "us",
            peer=f"pymerkle: {theirs.cpu / PEER_LEAVES * 1e6:.1f}",
        ),
        Line(
            f"tree in memory, {PEER_LEAVES:,} leaves: CPU of an inclusion proof",
            our_ms,
            "ms",
            peer=f"pymerkle: {their_ms:.3f}",
        ),
    ]


def main() -> int:
    """Measure and report."""
    with tempfile.TemporaryDirectory(prefix="handrail-bench-") as folder:
        filled = Filled(Path(folder))
        append, sequencer = fill(filled)
        lines = [
            Line("sequencer: CPU of an entry", sequencer, "us", at_most=10),
            Line("append of an entry in a unit of 1,000: CPU", append, "us"),
            *proofs(filled),
        ]
        with Stopwatch() as signed:
            filled.prover.checkpoint()
        with Stopwatch() as taken:
            found = filled.prover.verify()
        assert found.ok, found
        assert found.entries == ENTRIES
        filled.storage.close()
        size = filled.path.stat().st_size / ENTRIES
    lines += [
        Line("checkpoint of 1,000,000 entries, CPU", signed.cpu * 1000, "ms"),
        Line("check of 1,000,000 entries with all that is kept, CPU", taken.cpu, "s"),
        Line("database for each entry", size, "bytes"),
        *against_pymerkle(),
    ]
    return report("journal", lines, facts={"entries": ENTRIES, "counted": COUNTED, "proofs": PROOFS})


if __name__ == "__main__":
    sys.exit(main())
