"""Parts of a version that share nobody, and items of a version that are alike; read from files."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pyarrow as pa

from handrail.cycle.datasets import duplicates, parquet
from handrail.cycle.datasets.history import History
from handrail.cycle.datasets.schema import GROUP_PREFIX, Schema, purpose_column
from handrail.cycle.datasets.splits import SplitInvalid, SplitWish, split

COLUMN = "split"
"""The column of a checkout that holds the part."""
_BESIDE = {"train": "train", "feedback": "train", "holdout": "holdout", "certify": "certify"}


@dataclass(frozen=True)
class AlikeItems:
    """Items that are the same or nearly, by their external ids, and where they stand: train, holdout, certify."""

    kind: duplicates.Kind
    external_ids: tuple[str, ...]
    sides: tuple[str, ...]


@dataclass(frozen=True)
class AlikeReport:
    """What is alike in a version; `leaks` counts the groups that stand on more than one side, which come first."""

    items: int
    leaks: int
    groups: tuple[AlikeItems, ...]


def parted(history: History, commit_id: str, wish: SplitWish) -> pa.Table:
    """Return a version as a table with the column `split` at its end; raises SplitInvalid, DatasetBroken."""
    table = history.checkout(commit_id)
    if COLUMN in table.column_names:
        raise SplitInvalid(f"The schema has a field or question named {COLUMN} already.")
    stand = history.stand(commit_id)
    fields = _fields(stand.last.schema, wish.by)
    items = history.items_of(stand, ("external_id", "subject", "group", *fields))
    keys = [_keys(row, wish.by) for row in items.to_pylist()]
    names = [str(one) for one in items.column("external_id").to_pylist()]
    parts = split(names, keys, seed=wish.seed, shares=wish.shares)
    return table.append_column(COLUMN, pa.array(parts, pa.string()))


def alike(history: History, commit_id: str) -> AlikeReport:
    """Return which items of a version are the same or nearly, by all their fields; raises DatasetBroken."""
    table = history.checkout(commit_id)
    schema = stand_schema(history, commit_id)
    by_type = {kind: [one.name for one in schema.fields if one.type == kind] for kind in ("text", "number")}
    fields = [one.name for one in schema.fields]
    rows = [
        {name: value for name, value in row.items() if value is not None}
        for row in parquet.plain_rows(table.select(fields))
    ]
    purposes = [table.column(purpose_column(one.name)).to_pylist() for one in schema.item_questions]
    sides = [next((_BESIDE[one] for one in some if one is not None), "") for some in zip(*purposes, strict=True)]
    names = [str(one) for one in table.column("external_id").to_pylist()]
    found = duplicates.find(rows, by_type["text"], by_type["number"], sides)
    groups = tuple(AlikeItems(one.kind, tuple(names[at] for at in one.places), one.sides) for one in found)
    return AlikeReport(table.num_rows, sum(one.leaks for one in found), groups)


def stand_schema(history: History, commit_id: str) -> Schema:
    """Return the schema of a version."""
    return history.stand(commit_id).last.schema


def _fields(schema: Schema, by: tuple[str, ...]) -> list[str]:
    fields = [one for one in by if one != "subject" and not one.startswith(GROUP_PREFIX)]
    for one in fields:
        if schema.field(one) is None:
            raise SplitInvalid(f"{one!r} is no field.", hint="Split by subject, group.NAME or a field.")
    return fields


def _keys(row: dict[str, object], by: tuple[str, ...]) -> list[str]:
    group = json.loads(str(row["group"])) if row["group"] is not None else {}
    found = []
    for one in by:
        value = group.get(one.removeprefix(GROUP_PREFIX)) if one.startswith(GROUP_PREFIX) else row[one]
        if value is not None:
            found.append(f"{one}={value}")
    return found
