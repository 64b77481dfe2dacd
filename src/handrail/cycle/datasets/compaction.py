"""Gives versions a base, so that a late one is read without all that came before it.

Every eighth version on the way to a version gets one. Large item files are named, not copied; small ones are put
together sixteen at a time, then sixteen of those, so that a row is copied four times at most, however many versions
follow. No id changes, and without its bases every version is still there.
"""

from __future__ import annotations

from dataclasses import dataclass

from handrail.cycle.datasets import parquet
from handrail.cycle.datasets.delta import Base, Part
from handrail.cycle.datasets.history import History, Stand
from handrail.cycle.datasets.model import EVERY

_FILES = 16
_SIZES = (16, 256, 4_096, 65_536)
"""Rows under which files are put together, the smallest first; larger ones stay as they are."""


@dataclass(frozen=True)
class Compacted:
    """What compaction did: bases made, and how many the way to the version has now."""

    made: int
    bases: int


def compact(history: History, commit_id: str) -> Compacted:
    """Make the bases that are missing on the way to a version; raises DatasetBroken."""
    history.files.prepare()
    made = bases = 0
    for one in history.chain(commit_id)[EVERY - 1 :: EVERY]:
        bases += 1
        if history.files.base(one.id) is None:
            history.files.keep_base(one.id, _base(history, one.id))
            made += 1
    return Compacted(made, bases)


def _base(history: History, commit_id: str) -> Base:
    stand = history.stand(commit_id)
    items = history.items_of(stand, ("digest",))
    labels = history.snapshot(stand, items)
    name, _ = history.files.keep("snapshots", lambda sink: parquet.write_snapshot(sink, labels))
    return Base(tuple(_together(history, stand)), Part(name, labels.num_rows))


def _together(history: History, stand: Stand) -> list[Part]:
    """Return the item files of a version, those at the end put together where enough are of one size."""
    parts = [one for one, _ in stand.parts]
    for size in _SIZES:
        run = 0
        while run < len(parts) and parts[-1 - run].rows < size:
            run += 1
        if run >= _FILES:
            parts = [*parts[:-run], _one_file(history, stand, parts[-run:])]
    return parts


def _one_file(history: History, stand: Stand, parts: list[Part]) -> Part:
    schema = stand.last.schema
    table = history.items_of(Stand(stand.last, Base(tuple(parts), Part("", 0)), stand.last.id, []))
    name, _ = history.files.keep("items", lambda sink: parquet.write_item_table(sink, schema, table))
    return Part(name, table.num_rows)
