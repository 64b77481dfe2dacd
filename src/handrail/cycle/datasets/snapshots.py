"""The labels of one version beside its items, column by column. Pure.

A snapshot has for each question two columns of text, one row for each item of the version in order: the value in
canonical JSON, and the purpose; both null where there is no label. It is what a version's changes add up to, kept so
that reading a late version does not read every change before it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from handrail.cycle.datasets.parquet import TYPES
from handrail.cycle.datasets.schema import Question, Schema, purpose_column

SHOWN = ("item", "external_id", "observed_at")


def columns_of(schema: Schema) -> pa.Schema:
    """Return the columns of a snapshot."""
    names = [name for one in schema.questions for name in (one.name, purpose_column(one.name))]
    return pa.schema([(name, pa.string()) for name in names])


def snapshot(
    schema: Schema, digests: pa.ChunkedArray, before: pa.Table | None, changes: Sequence[pa.Table]
) -> pa.Table:
    """Return the snapshot of a version.

    `digests`: those of all its items, in order, 32 bytes each. `before`: the snapshot of an earlier version, whose
    items are the first of these. `changes`: the tables of label changes since then, the newest first.
    """
    layout = columns_of(schema)
    table = layout.empty_table() if before is None else before
    if (added := len(digests) - table.num_rows) > 0:
        empty = pa.table([pa.nulls(added, part.type) for part in layout], schema=layout)
        table = pa.concat_tables([table, empty])
    if not changes:
        return table
    changed = pa.concat_tables(changes)
    for question in schema.questions:
        about = changed.filter(pc.equal(changed.column("question"), question.name))
        if not about.num_rows:
            continue
        # Where an item was changed twice, the first one found is the newest.
        place = pc.index_in(digests, value_set=about.column("item").combine_chunks())
        is_old = pc.is_null(place)
        for name, source in ((question.name, "new"), (purpose_column(question.name), "new_purpose")):
            taken = about.column(source).combine_chunks().take(place)
            column = pc.if_else(is_old, table.column(name), taken)
            table = table.set_column(table.column_names.index(name), name, column)
    return table


def version_table(schema: Schema, items: pa.Table, labels: pa.Table) -> pa.Table:
    """Return a version as one table: item, external_id, observed_at, the fields, then each question and its purpose.

    Rows stand in the order in which the items came in; a label that is not there is null.
    """
    table = items.select([*SHOWN, *(one.name for one in schema.fields)])
    for question in schema.questions:
        table = table.append_column(question.name, typed(question, labels.column(question.name)))
        name = purpose_column(question.name)
        table = table.append_column(name, labels.column(name))
    return table.combine_chunks()


def typed(question: Question, texts: pa.ChunkedArray) -> pa.Array:
    """Return answers in their own type from their canonical JSON; each different text is read once."""
    kind = TYPES[question.type]
    if pa.types.is_floating(kind):
        return pc.cast(texts, kind).combine_chunks()
    coded = texts.combine_chunks().dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    values: list[Any] = [json.loads(one) for one in coded.dictionary.to_pylist()]
    return pa.array(values, type=kind).take(coded.indices)


def labels_of(labels: pa.Table, digests: Sequence[str]) -> dict[tuple[str, str], tuple[Any, str]]:
    """Return (digest, question) -> (value, purpose) of a snapshot beside the digests of its items."""
    found: dict[tuple[str, str], tuple[Any, str]] = {}
    for name in labels.column_names[::2]:
        texts, purposes = labels.column(name).to_pylist(), labels.column(purpose_column(name)).to_pylist()
        for digest, text, purpose in zip(digests, texts, purposes, strict=True):
            if text is not None:
                found[digest, name] = (json.loads(text), purpose)
    return found
