"""The labels of one version beside its items, column by column. Pure.

A snapshot has for each question two columns of text, one row for each item of the version in order: the value in
canonical JSON, and the purpose; both null where there is no label. It is what a version's changes add up to, kept so
that reading a late version does not read every change before it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from handrail.cycle.datasets.parquet import TYPES
from handrail.cycle.datasets.schema import Question, Schema, purpose_column

SHOWN = ("item", "external_id", "observed_at")


_TEXT = pa.dictionary(pa.int32(), pa.string())


def columns_of(schema: Schema) -> pa.Schema:
    """Return the columns of a snapshot."""
    names = [name for one in schema.item_questions for name in (one.name, purpose_column(one.name))]
    return pa.schema([(name, _TEXT) for name in names])


def snapshot(
    schema: Schema, digests: pa.ChunkedArray, before: pa.Table | None, changes: Sequence[pa.Table]
) -> pa.Table:
    """Return the snapshot of a version.

    `digests`: those of all its items, in order, 32 bytes each. `before`: the snapshot of an earlier version, whose
    items are the first of these. `changes`: the tables of label changes since then, the newest first.
    """
    layout = columns_of(schema)
    old = layout.empty_table() if before is None else before
    changed = pa.concat_tables(changes) if changes else None
    columns: dict[str, pa.DictionaryArray] = {}
    for question in schema.item_questions:
        names = (question.name, purpose_column(question.name))
        about = None if changed is None else changed.filter(pc.equal(changed.column("question"), question.name))
        if about is None or not about.num_rows:
            places, which = np.empty(0, np.int64), np.empty(0, np.int64)
        else:
            places, which = _found(digests, about.column("item").combine_chunks())
        for name, source in zip(names, ("new", "new_purpose"), strict=True):
            texts = None if about is None else about.column(source).take(pa.array(which))
            columns[name] = _with(_one(old.column(name)), len(digests), places, texts)
    return pa.table(columns, schema=layout)


def _found(digests: pa.ChunkedArray, wanted: pa.FixedSizeBinaryArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return at which rows wanted digests stand, and which of the wanted each of them is: the first of equal ones.

    Digests are random, so that twenty bits of each tell nearly all others apart: hashing all 32 bytes of every row
    would cost a third of what reading the whole version does.
    """
    is_wanted = np.zeros(1 << 20, np.bool_)
    is_wanted[_begin(wanted)] = True
    begins = [_begin(chunk) for chunk in digests.chunks if len(chunk)]
    maybe = np.flatnonzero(is_wanted[np.concatenate(begins)]) if begins else np.empty(0, np.int64)
    at = pc.fill_null(pc.index_in(digests.take(pa.array(maybe)), value_set=wanted), -1).to_numpy()
    is_one = at >= 0
    return maybe[is_one], at[is_one]


def _begin(digests: pa.FixedSizeBinaryArray) -> NDArray[np.uint32]:
    """Return the first twenty bits of each digest."""
    words = np.frombuffer(digests.buffers()[1], np.uint32).reshape(-1, 8)
    return words[digests.offset : digests.offset + len(digests), 0] & np.uint32((1 << 20) - 1)


def _one(column: pa.ChunkedArray) -> pa.DictionaryArray:
    if column.num_chunks == 1:
        return column.chunk(0)
    return column.unify_dictionaries().combine_chunks() if column.num_chunks else pa.array([], _TEXT)


def _with(
    column: pa.DictionaryArray, rows: int, places: NDArray[np.int64], texts: pa.ChunkedArray | None
) -> pa.DictionaryArray:
    """Return a column of `rows` rows, null behind the end of the old one, with the texts put in at their places."""
    if rows == len(column) and not len(places):
        return column
    codes = np.full(rows, -1, np.int32)
    codes[: len(column)] = pc.fill_null(column.indices, -1).to_numpy(zero_copy_only=False)
    known = column.dictionary
    if texts is not None and len(places):
        new = texts.combine_chunks().dictionary_encode()
        fresh = pc.fill_null(new.indices, -1).to_numpy(zero_copy_only=False)
        codes[places] = np.where(fresh < 0, -1, fresh + len(known))
        known = pa.concat_arrays([known, new.dictionary])
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), known)


def version_table(schema: Schema, items: pa.Table, labels: pa.Table) -> pa.Table:
    """Return a version as one table: item, external_id, observed_at, the fields, then each question and its purpose.

    Rows stand in the order in which the items came in; a label that is not there is null.
    """
    table = items.select([*SHOWN, *(one.name for one in schema.fields)])
    for question in schema.item_questions:
        table = table.append_column(question.name, typed(question, labels.column(question.name)))
        name = purpose_column(question.name)
        table = table.append_column(name, _one(labels.column(name)).dictionary_decode())
    return table.combine_chunks()


def typed(question: Question, texts: pa.ChunkedArray) -> pa.Array:
    """Return answers in their own type from their canonical JSON; each different text is read once."""
    kind = TYPES.get(question.type, pa.string())
    coded = _one(texts)
    values: list[Any] = coded.dictionary.to_pylist()
    if not question.is_structured:
        values = [json.loads(one) for one in values]
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
