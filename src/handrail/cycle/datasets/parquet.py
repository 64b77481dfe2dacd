"""Items and label changes as Parquet files, and a version as one table. Pure: works on open files.

An item file has one column for each field of the schema, beside the item's id, external id, digest and salt. Items
whose person was erased keep their digest and lose everything else.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from handrail.cycle.datasets.delta import Row
from handrail.cycle.datasets.model import (
    Item,
    ReadyItem,
    item_content,
    item_digest,
)
from handrail.cycle.datasets.schema import STRUCTURED, Schema
from handrail.foundation.canonical import encode

_MOMENT = pa.timestamp("us", tz="UTC")
TYPES = {"number": pa.float64(), "rating": pa.int64(), "time": _MOMENT, "boolean": pa.bool_()}
"""Columns of every other type are text; those of structured values hold canonical JSON."""
_OWN = (
    ("item", pa.string()),
    ("digest", pa.binary(32)),
    ("salt", pa.binary()),
    ("external_id", pa.string()),
    ("subject", pa.string()),
    ("group", pa.string()),
    ("observed_at", _MOMENT),
)
_CHANGES = pa.schema(
    [
        ("item", pa.binary(32)),
        ("question", pa.string()),
        ("old", pa.string()),
        ("new", pa.string()),
        ("old_purpose", pa.string()),
        ("new_purpose", pa.string()),
        ("source", pa.string()),
        ("probability", pa.float64()),
        ("actor", pa.string()),
        ("reason", pa.string()),
        # Where the database of this home keeps the item: a hint for finding its name, no part of the change.
        ("seq", pa.int64()),
    ]
)
_SAID = [name for name in _CHANGES.names if name != "seq"]
_SET = ["item", "question", "new", "new_purpose"]
_ROW_GROUP = 100_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEVEL = 9  # a little slower to write, about a tenth smaller than the default level


class NotWhatItSays(ValueError):
    """A file does not hold what a file of its kind holds, or an item does not have the digest it is named by."""


def write_items(sink: Any, schema: Schema, batches: Iterable[Sequence[tuple[Item, bytes | None]]]) -> list[str]:
    """Write items with their salts to an open file, in row groups of bounded size; return their digests in order."""
    layout = _items_schema(schema)
    digests: list[str] = []
    waiting: list[pa.Table] = []
    with pq.ParquetWriter(sink, layout, compression="zstd", compression_level=_LEVEL) as writer:
        for batch in batches:
            waiting.append(_items_table(schema, layout, batch))
            digests.extend(item.digest for item, _ in batch)
            if sum(one.num_rows for one in waiting) >= _ROW_GROUP:
                writer.write_table(pa.concat_tables(waiting), row_group_size=2 * _ROW_GROUP)
                waiting = []
        if waiting:
            writer.write_table(pa.concat_tables(waiting), row_group_size=2 * _ROW_GROUP)
    return digests


def _items_schema(schema: Schema) -> pa.Schema:
    return pa.schema([*_OWN, *((field.name, TYPES.get(field.type, pa.string())) for field in schema.fields)])


def _items_table(schema: Schema, layout: pa.Schema, batch: Sequence[tuple[Item, bytes | None]]) -> pa.Table:
    items = [item for item, _ in batch]
    columns: list[list[Any]] = [
        [item.id for item in items],
        [bytes.fromhex(item.digest) for item in items],
        [salt for _, salt in batch],
        [item.external_id for item in items],
        [item.subject for item in items],
        [encode(item.group) for item in items],
        [item.observed_at for item in items],
    ]
    for field in schema.fields:
        values = [item.data.get(field.name) for item in items]
        if field.type == "time":
            values = [None if value is None else datetime.fromisoformat(value) for value in values]
        elif field.type in STRUCTURED:
            values = [None if value is None else encode(value) for value in values]
        columns.append(values)
    arrays = [pa.array(values, type=part.type) for values, part in zip(columns, layout, strict=True)]
    return pa.Table.from_arrays(arrays, schema=layout)


def write_snapshot(sink: Any, table: pa.Table) -> None:
    """Write the snapshot of a version's labels to an open file."""
    plain = pa.schema([(name, pa.string()) for name in table.column_names])
    pq.write_table(table.cast(plain), sink, compression="zstd", row_group_size=1 << 20, store_schema=False)


def read_snapshot(source: Any, columns: pa.Schema) -> pa.Table:
    """Return the snapshot in an open file; raises NotWhatItSays when it has other columns."""
    try:
        table = pq.ParquetFile(source, read_dictionary=columns.names).read()
        if not table.schema.equals(columns):
            raise NotWhatItSays("its columns are not those of the questions")
        return table
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(error) from error


def read_items(source: Any, schema: Schema, columns: Sequence[str] | None = None) -> pa.Table:
    """Return the items of an open file, all columns or some; raises NotWhatItSays."""
    try:
        table = pq.ParquetFile(source).read(columns=None if columns is None else list(columns))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise NotWhatItSays(f"it is no Parquet file that can be read ({type(error).__name__})") from error
    wanted = _items_schema(schema)
    if columns is not None:
        wanted = pa.schema([wanted.field(name) for name in columns])
    if not table.schema.equals(wanted):
        raise NotWhatItSays("its columns are not those of the schema")
    return table


def no_items(schema: Schema, columns: Sequence[str] | None = None) -> pa.Table:
    """Return a table of no items, with all columns or some."""
    table = _items_schema(schema).empty_table()
    return table if columns is None else table.select(list(columns))


def digests_of(table: pa.Table) -> list[str]:
    """Return the digests of a table of items, in hex."""
    return [digest.hex() for digest in table.column("digest").to_pylist()]


def names_in(table: pa.Table, digests: Collection[str] | None = None) -> dict[str, tuple[str, str]]:
    """Return digest -> (item, external id) of the items of a table, of all or of some; erased ones have none left."""
    if digests is not None:
        wanted = pa.array([bytes.fromhex(one) for one in digests], pa.binary(32))
        table = table.filter(pc.is_in(table.column("digest"), value_set=wanted))
    ids, external = (table.column(name).to_pylist() for name in ("item", "external_id"))
    return {
        digest: (item or "", name or "") for digest, item, name in zip(digests_of(table), ids, external, strict=True)
    }


def without(schema: Schema, tables: Sequence[pa.Table], digests: Collection[str]) -> pa.Table:
    """Return the items of the tables that are not among the digests, in order, with all their columns."""
    whole = pa.concat_tables(tables) if tables else _items_schema(schema).empty_table()
    held = pa.array([bytes.fromhex(one) for one in digests], pa.binary(32))
    return whole.filter(pc.invert(pc.is_in(whole.column("digest"), value_set=held)))


def write_item_table(sink: Any, schema: Schema, table: pa.Table) -> list[str]:
    """Write items that another version holds to an open file and return their digests in order."""
    with pq.ParquetWriter(sink, _items_schema(schema), compression="zstd", compression_level=_LEVEL) as writer:
        writer.write_table(table, row_group_size=2 * _ROW_GROUP)
    return digests_of(table)


def check_items(table: pa.Table, schema: Schema) -> Iterator[str]:
    """Yield the digest of each item, taken again from its content; raises NotWhatItSays for one that differs.

    An erased item has no salt and no content; its digest is all that is left, and stands.
    """
    names = [name for name in table.column_names if name != "digest"]
    times = {field.name for field in schema.fields if field.type == "time"} | {"observed_at"}
    # Microseconds as they stand: no zone database, no rounding.
    columns = {
        name: (table.column(name).cast(pa.int64()) if name in times else table.column(name)).to_pylist()
        for name in names
    }
    for place, digest in enumerate(digests_of(table)):
        values = {name: column[place] for name, column in columns.items()}
        salt = values.pop("salt")
        if salt is None:
            if any(value is not None for value in values.values()):
                raise NotWhatItSays(f"item {digest[:12]}… has content but no salt")
        elif _digest_of(values, salt, times, schema.structured) != digest:
            raise NotWhatItSays(f"the content of item {digest[:12]}… is not what its digest says")
        yield digest


def _digest_of(values: Mapping[str, Any], salt: bytes, times: set[str], structured: Collection[str]) -> str:
    own = {name for name, _ in _OWN}
    observed = values["observed_at"]
    try:
        data = {
            name: _time_text(value) if name in times else json.loads(value) if name in structured else value
            for name, value in values.items()
            if name not in own and value is not None
        }
        ready = ReadyItem(
            external_id=values["external_id"],
            data=data,
            subject=values["subject"],
            group=json.loads(values["group"]),
            observed_at=None if observed is None else _EPOCH + timedelta(microseconds=observed),
        )
        content = item_content(values["item"], ready, encode(data), encode(ready.group))
        return item_digest(salt, content)
    except (TypeError, ValueError, OverflowError) as error:
        raise NotWhatItSays(f"an item cannot be read ({type(error).__name__})") from error


def _time_text(count: int) -> str:
    return (_EPOCH + timedelta(microseconds=count)).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def write_changes(sink: Any, rows: Sequence[Row], seqs: Mapping[str, int] | None = None) -> None:
    """Write the label changes of one version to an open file, in the order given.

    `seqs`: digest -> seq of the item in the database, of those that are known.
    """
    hints = seqs or {}
    columns: dict[str, list[Any]] = {
        "item": [bytes.fromhex(row.item) for row in rows],
        "question": [row.question for row in rows],
        "old": [None if row.old is None else encode(row.old) for row in rows],
        "new": [None if row.new is None else encode(row.new) for row in rows],
        "old_purpose": [row.old_purpose for row in rows],
        "new_purpose": [row.new_purpose for row in rows],
        "source": [row.source for row in rows],
        "probability": [row.probability for row in rows],
        "actor": [row.actor for row in rows],
        "reason": [row.reason for row in rows],
        "seq": [hints.get(row.item) for row in rows],
    }
    table = pa.table(columns, schema=_CHANGES)
    # A digest is random and unlike every other: a dictionary or statistics of them would only cost bytes.
    pq.write_table(
        table,
        sink,
        compression="zstd",
        compression_level=_LEVEL,
        use_dictionary=[name for name in columns if name not in ("item", "seq")],
        column_encoding={"seq": "DELTA_BINARY_PACKED"},
        write_statistics=False,
        store_schema=False,
    )


def read_set(source: Any) -> pa.Table:
    """Return what the changes of an open file set: item, question, new, new_purpose; raises NotWhatItSays."""
    try:
        return _changes(source, _SET)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(error) from error


def _changes(source: Any, columns: Sequence[str]) -> pa.Table:
    file = pq.ParquetFile(source)
    layout = file.schema_arrow
    if layout.names != _CHANGES.names:
        raise NotWhatItSays("its columns are not those of label changes")
    wanted = pa.schema([_CHANGES.field(name) for name in columns])
    table = file.read(columns=list(columns), use_threads=False)
    return table if table.schema.equals(wanted) else table.cast(wanted)


def _unreadable(error: Exception) -> NotWhatItSays:
    if isinstance(error, NotWhatItSays):
        return error
    return NotWhatItSays(f"it is no Parquet file that can be read ({type(error).__name__})")


def read_changes(source: Any, seqs: dict[str, int] | None = None) -> list[Row]:
    """Return the label changes of an open file, in their order; raises NotWhatItSays.

    The seqs of the items, where the file has them, are put into `seqs`.
    """
    read: dict[str | None, Any] = {None: None}

    def value(text: str | None) -> Any:
        # Few different values stand in many rows: each is read once.
        if text not in read:
            read[text] = json.loads(str(text))
        return read[text]

    try:
        table = _changes(source, _CHANGES.names)
        items = [item.hex() for item in table.column("item").to_pylist()]
        if seqs is not None:
            places = zip(items, table.column("seq").to_pylist(), strict=True)
            seqs.update((item, seq) for item, seq in places if seq is not None)
        question, old, new, *rest = (table.column(name).to_pylist() for name in _SAID[1:])
        return list(map(Row, items, question, map(value, old), map(value, new), *rest))
    except (pa.ArrowException, OSError, ValueError, AttributeError) as error:
        raise _unreadable(error) from error


def write_table(sink: Any, table: pa.Table) -> None:
    """Write a checked-out version to an open file as Parquet."""
    pq.write_table(table, sink, compression="zstd")


def plain_rows(table: pa.Table, structured: Collection[str] = ()) -> Iterator[dict[str, Any]]:
    """Yield the rows of a checked-out version as JSON values; times as text in UTC, structured columns read."""
    times = [field.name for field in table.schema if pa.types.is_timestamp(field.type)]
    for name in times:
        place = table.column_names.index(name)
        table = table.set_column(place, name, table.column(name).cast(pa.int64()))
    for batch in table.to_batches(max_chunksize=1000):
        for row in batch.to_pylist():
            for name in times:
                row[name] = None if row[name] is None else _time_text(row[name])
            for name in structured:
                row[name] = None if row[name] is None else json.loads(row[name])
            yield row
