"""Copies a whole database into an empty one of the other kind: SQLite to PostgreSQL, or back.

The tables are those that the database itself names, so nothing that a stage keeps can be forgotten here. Everything is
copied in one transaction: the target holds all of it or nothing. The order in which PostgreSQL's entries were committed
(`xid`) has no meaning in another database: every copied row gets the transaction of the copy, and what is written
later gets a greater one. So every entry must have its place in the journal's tree before the copy.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import psycopg
from psycopg import sql

from handrail.foundation.errors import Broken, Conflict
from handrail.foundation.storage.opening import open_storage
from handrail.foundation.storage.sqlite_unit import connect, told

_BATCH = 2000
_OWN = frozenset({"alembic_version"})  # the target has its own
_UNMOVED = "xid"
_OPTIONS = "-c idle_in_transaction_session_timeout=0 -c lock_timeout=10000 -c timezone=UTC"

Columns = Mapping[str, tuple[str, ...]]
"""Table -> its columns, in order."""


class MoveRefused(Conflict):
    """The database cannot be copied there; nothing was copied."""

    code = "storage.move_refused"


class MoveFailed(Broken):
    """The copy was given up; the target holds nothing of it."""

    code = "storage.move_failed"


def move(source_url: str, target_url: str, say: Callable[[str], None]) -> dict[str, int]:
    """Copy every table and return how many rows each has. Nobody else may write to either database meanwhile.

    Raises MoveRefused: both are of one kind, the target has rows or other tables, or entries of the journal wait for
    their place in the tree; MoveFailed for anything that the drivers say.
    """
    if source_url.partition(":")[0] == target_url.partition(":")[0]:
        raise MoveRefused(
            "Both databases are of the same kind.", hint="Copy a SQLite home as files, a PostgreSQL one with pg_dump."
        )
    if source_url.startswith("sqlite:") and not Path(source_url.removeprefix("sqlite:///")).is_file():
        raise MoveRefused("There is no database to copy.", hint="Name the home that holds it.")
    open_storage(source_url).close()
    open_storage(target_url).close()
    try:
        with closing(_open(source_url)) as source, closing(_open(target_url)) as target:
            source.begin_reading()
            columns = _compared(source.columns(), target.columns())
            target.begin_writing(list(columns))
            _refuse_rows(target, columns)
            if source.waiting():
                raise MoveRefused(
                    "Entries of the journal wait for their place in the tree.", hint="Run handrail journal checkpoint."
                )
            moved = {table: _copy(source, target, table, names, say) for table, names in columns.items()}
            target.put_counters(source.counters())
            target.commit()
    except sqlite3.Error as error:
        raise MoveFailed(f"The copy was given up: {told(error).sentence}") from None
    except psycopg.Error as error:
        raise MoveFailed(f"The copy was given up: {str(error).strip()}") from None
    return moved


class _Side(Protocol):
    """One database, as far as a copy needs it; one transaction."""

    def begin_reading(self) -> None: ...

    def begin_writing(self, tables: Sequence[str]) -> None: ...

    def columns(self) -> dict[str, tuple[str, ...]]: ...

    def count(self, table: str) -> int: ...

    def waiting(self) -> int: ...

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[list[tuple[Any, ...]]]: ...

    def put(self, table: str, columns: Sequence[str], batches: Iterator[list[tuple[Any, ...]]]) -> int: ...

    def counters(self) -> dict[str, int]: ...

    def put_counters(self, highest: Mapping[str, int]) -> None: ...

    def commit(self) -> None: ...

    def close(self) -> None: ...


def _open(url: str) -> _Side:
    return _Sqlite(url.removeprefix("sqlite:///")) if url.startswith("sqlite:") else _Postgres(url)


def _compared(source: Columns, target: Columns) -> dict[str, tuple[str, ...]]:
    """Return the tables to copy with their columns; raises MoveRefused when the two databases differ."""
    if more := sorted(set(target) - set(source)):
        raise MoveRefused(f"The target holds other tables: {', '.join(more[:5])}.", hint="Name an empty database.")
    for table, names in source.items():
        if set(names) != set(target.get(table, ())):
            raise MoveRefused(f"The table {table} is not the same in both databases.", table=table)
    return dict(sorted(source.items()))


def _refuse_rows(target: _Side, columns: Columns) -> None:
    for table in columns:
        if target.count(table):
            raise MoveRefused(
                f"The target is not empty: its table {table} has rows.", hint="Name an empty database.", table=table
            )


def _copy(source: _Side, target: _Side, table: str, columns: tuple[str, ...], say: Callable[[str], None]) -> int:
    put = target.put(table, columns, source.rows(table, columns))
    there, here = target.count(table), source.count(table)
    if not put == there == here:
        raise MoveFailed(f"The table {table} has {here} rows, {there} of them arrived.", table=table)
    if put:
        say(f"{table}: {put:,} rows")
    return put


_WAITING = "SELECT count(*) FROM journal_entry e WHERE NOT EXISTS (SELECT 1 FROM journal_leaf l WHERE l.seq = e.seq)"


class _Sqlite:
    """A SQLite file. Names come from its own catalogue and are quoted."""

    def __init__(self, path: str) -> None:
        self._connection = connect(path)

    def begin_reading(self) -> None:
        self._connection.execute("BEGIN")

    def begin_writing(self, tables: Sequence[str]) -> None:
        del tables  # one writer at a time
        self._connection.execute("BEGIN IMMEDIATE")

    def columns(self) -> dict[str, tuple[str, ...]]:
        found = self._all("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        return {
            table: tuple(name for (name,) in self._all("SELECT name FROM pragma_table_info(?)", table))
            for (table,) in found
            if table not in _OWN
        }

    def count(self, table: str) -> int:
        return int(self._all(f"SELECT count(*) FROM {_quoted(table)}")[0][0])  # noqa: S608

    def waiting(self) -> int:
        return int(self._all(_WAITING)[0][0])

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[list[tuple[Any, ...]]]:
        names = ", ".join(map(_quoted, columns))
        cursor = self._connection.execute(f"SELECT {names} FROM {_quoted(table)}")  # noqa: S608
        while batch := cursor.fetchmany(_BATCH):
            yield batch

    def put(self, table: str, columns: Sequence[str], batches: Iterator[list[tuple[Any, ...]]]) -> int:
        names, marks = ", ".join(map(_quoted, columns)), ", ".join("?" * len(columns))
        insert = f"INSERT INTO {_quoted(table)} ({names}) VALUES ({marks})"  # noqa: S608
        count = 0
        for batch in batches:
            self._connection.executemany(insert, batch)
            count += len(batch)
        return count

    def counters(self) -> dict[str, int]:
        """Return the highest number that each counting table ever gave, also to rows that are gone."""
        return {str(table): int(highest) for table, highest in self._all("SELECT name, seq FROM sqlite_sequence")}

    def put_counters(self, highest: Mapping[str, int]) -> None:
        for table, number in highest.items():
            # A table without a row in here counts from its highest number on, or has none.
            raise_it = "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?"
            if not self._connection.execute(raise_it, (number, table)).rowcount and self._counts(table):
                self._connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, number))

    def commit(self) -> None:
        self._connection.execute("COMMIT")

    def close(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._connection.close()

    def _counts(self, table: str) -> bool:
        written = self._all("SELECT sql FROM sqlite_master WHERE name = ?", table)
        return "AUTOINCREMENT" in str(written[0][0]).upper()

    def _all(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement, values).fetchall()


class _Postgres:
    """A PostgreSQL database: the tables in the schema that is used first."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, application_name="handrail move", options=_OPTIONS)

    def begin_reading(self) -> None:
        tables = list(self.columns())
        self._connection.rollback()
        self._connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        # The lock comes before the first look, so that the look sees everything; writers wait meanwhile.
        self._lock(tables, "SHARE")

    def begin_writing(self, tables: Sequence[str]) -> None:
        self._lock(tables, "ACCESS EXCLUSIVE")

    def columns(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        rows = self._connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables"
            " USING (table_schema, table_name) WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
            " ORDER BY table_name, ordinal_position"
        ).fetchall()
        for table, name in rows:
            if table not in _OWN and name != _UNMOVED:
                found.setdefault(table, []).append(name)
        return {table: tuple(names) for table, names in found.items()}

    def count(self, table: str) -> int:
        return self._number(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))

    def waiting(self) -> int:
        return self._number(sql.SQL(_WAITING))

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[list[tuple[Any, ...]]]:
        query = sql.SQL("SELECT {} FROM {}").format(_listed(columns), sql.Identifier(table))
        with self._connection.cursor(name="handrail_move") as cursor:  # named: rows come in parts
            cursor.execute(query)
            while batch := cursor.fetchmany(_BATCH):
                yield batch

    def put(self, table: str, columns: Sequence[str], batches: Iterator[list[tuple[Any, ...]]]) -> int:
        query = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), _listed(columns))
        count = 0
        with self._connection.cursor() as cursor, cursor.copy(query) as copy:
            for batch in batches:
                for row in batch:
                    copy.write_row(row)
                count += len(batch)
        return count

    def counters(self) -> dict[str, int]:
        """Return the highest number that each counting table ever gave, also to rows that are gone."""
        last = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM "
        return {table: self._number(sql.SQL(last + name)) for table, (_, name) in self._counting().items()}

    def put_counters(self, highest: Mapping[str, int]) -> None:
        for table, (column, sequence) in self._counting().items():
            last = sql.SQL("SELECT coalesce(max({}), 0) FROM {}").format(sql.Identifier(column), sql.Identifier(table))
            if reached := max(self._number(last), highest.get(table, 0)):
                self._connection.execute("SELECT setval(%s::regclass, %s)", (sequence, reached))

    def commit(self) -> None:
        self._connection.commit()

    def close(self) -> None:
        self._connection.close()

    def _counting(self) -> dict[str, tuple[str, str]]:
        """Return table -> (column that counts, its sequence as the database writes the name)."""
        rows = self._connection.execute(
            "SELECT table_name, column_name, pg_get_serial_sequence(quote_ident(table_name), column_name)"
            " FROM information_schema.columns WHERE table_schema = current_schema()"
            " AND (is_identity = 'YES' OR column_default LIKE 'nextval(%') ORDER BY table_name"
        ).fetchall()
        return {table: (column, sequence) for table, column, sequence in rows if sequence is not None}

    def _lock(self, tables: Sequence[str], mode: str) -> None:
        named = sql.SQL(", ").join(map(sql.Identifier, tables))
        self._connection.execute(sql.SQL("LOCK TABLE {} IN " + mode + " MODE").format(named))

    def _number(self, query: sql.SQL | sql.Composed) -> int:
        row = self._connection.execute(query).fetchone()
        return 0 if row is None else int(row[0])


def _listed(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
