"""Statements written once and compiled once per dialect."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import JSON, ColumnElement, MetaData, Table, Text, bindparam, cast, func, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.sql.elements import ClauseElement

metadata = MetaData()
"""Every stage declares its tables here."""


class PerDialect:
    """One statement in the words of each dialect."""

    def __init__(self, sqlite: ClauseElement, postgresql: ClauseElement) -> None:
        self.sqlite = sqlite
        self.postgresql = postgresql


Statement = ClauseElement | PerDialect


class RowInsert:
    """An insert of one row whose values come as a tuple in the order of `names`; a column not named stays empty.

    For what every decision writes: values by name cost more than inserting the row does (bench/storage). `names` are
    parted by spaces. Raises TypeError for one that is no column or stands twice.
    """

    __slots__ = ("names", "table")

    def __init__(self, table: Table, names: str) -> None:
        self.table = table
        self.names = tuple(names.split())
        wrong = [name for name in self.names if name not in table.c or self.names.count(name) > 1]
        if wrong:
            raise TypeError(f"a row of {table.name} cannot name {wrong[0]}")


def insert_or_ignore(table: Table, *, returning: Sequence[ColumnElement[Any]] = ()) -> PerDialect:
    """Return an insert that does nothing when a unique key is already there; then `returning` gives no row."""
    on_sqlite: Any = sqlite_insert(table).on_conflict_do_nothing()
    on_postgresql: Any = postgresql_insert(table).on_conflict_do_nothing()
    if returning:
        return PerDialect(on_sqlite.returning(*returning), on_postgresql.returning(*returning))
    return PerDialect(on_sqlite, on_postgresql)


def with_list(name: str, make: Callable[[Any], ClauseElement]) -> PerDialect:
    """Return the statement that `make` builds around a list of texts, bound by `name` as the text of a JSON array.

    `make` gets what stands after IN: `lambda names: select(..).where(table.c.name.in_(names))`.
    """
    given = bindparam(name, type_=Text)
    on_sqlite = select(func.json_each(given).table_valued("value").c.value)
    on_postgresql = select(func.json_array_elements_text(cast(given, JSON)).column_valued("value"))
    return PerDialect(make(on_sqlite), make(on_postgresql))


def upsert(table: Table, *, key: Sequence[str], set: Sequence[str]) -> PerDialect:  # noqa: A002
    """Return an insert that sets the columns in `set` when a row with the same `key` is there."""
    made: list[ClauseElement] = []
    for insert in (sqlite_insert, postgresql_insert):
        statement: Any = insert(table)
        excluded = {name: getattr(statement.excluded, name) for name in set}
        made.append(statement.on_conflict_do_update(index_elements=list(key), set_=excluded))
    return PerDialect(made[0], made[1])
