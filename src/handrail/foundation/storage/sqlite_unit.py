"""One SQLite connection with Handrail's settings, a unit of work on it, and its failures in the shared words."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping, Sequence
from typing import Any

from handrail.foundation.errors import HandrailError
from handrail.foundation.storage.compiled import Compiler
from handrail.foundation.storage.failures import (
    AppendOnly,
    Damaged,
    Duplicate,
    Full,
    ReferenceBroken,
    StorageFailed,
    TryAgain,
    Unavailable,
    ValueRefused,
)
from handrail.foundation.storage.model import Dialect
from handrail.foundation.storage.rows import Rows
from handrail.foundation.storage.statements import RowInsert, Statement

_WAIT_S = 10.0  # for another process that holds the file
WAIT = f"PRAGMA busy_timeout={_WAIT_S * 1000:.0f}"
_PRAGMAS = (
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA recursive_triggers=ON",  # else INSERT OR REPLACE walks past a delete trigger
    "PRAGMA secure_delete=ON",  # erased content must not stay in free pages
    "PRAGMA journal_size_limit=67108864",
)
_WRITER_CACHE = "PRAGMA cache_size=-65536"
_READER_CACHE = "PRAGMA cache_size=-16384"
_RESTORE = "Stop the server and restore a backup."
APPEND_ONLY = "append-only"
"""What the guarding triggers say."""


def connect(path: str, *, read_only: bool = False) -> sqlite3.Connection:
    """Open one connection; transactions are ours, never the driver's. Raises what `failures` names."""
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
        try:
            connection.execute(WAIT)
            _use_log(connection)
            for pragma in (*_PRAGMAS, _READER_CACHE if read_only else _WRITER_CACHE):
                connection.execute(pragma)
            if read_only:
                connection.execute("PRAGMA query_only=ON")
        except BaseException:
            connection.close()
            raise
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise told(error) from None
    return connection


def _use_log(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log.

    Two that switch a new file at once would wait for each other, so SQLite refuses one of them at once, whatever
    busy_timeout says: that one tries again.
    """
    until = time.monotonic() + _WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        time.sleep(0.005)


class SqliteUnit:
    """A unit of work on one raw cursor. After a failure it can only end, as on PostgreSQL.

    `wrote` is True once a statement was executed, or put off, that may have changed something. Rows of `later` wait for
    the end of the group or for a statement that must see them: all rows of a table at once cost half of what they cost
    one by one, between those of other tables (bench/storage). So do counts of `tally`, of which one row each is left.
    """

    dialect: Dialect = "sqlite"
    __slots__ = ("_compiler", "_cursor", "_put_off", "_tallies", "failure", "wrote")

    def __init__(self, connection: sqlite3.Connection, compiler: Compiler) -> None:
        self._cursor = connection.cursor()
        self._compiler = compiler
        self._put_off: dict[RowInsert, list[tuple[Any, ...]]] = {}
        self._tallies: dict[tuple[Any, ...], tuple[Statement, Mapping[str, Any], dict[str, int]]] = {}
        self.failure: HandrailError | None = None
        self.wrote = False

    def run(self, statement: Statement, **values: Any) -> Rows:
        """Execute now and return the rows."""
        if self._put_off or self._tallies:
            self.flush()
        return self.glance(statement, **values)

    def glance(self, statement: Statement, **values: Any) -> Rows:
        """Execute now and return the rows, without the rows that were put off."""
        cursor = self._execute(statement, values)
        try:
            return Rows(cursor.fetchall(), cursor.rowcount)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise self._failed(error) from None

    def add(self, statement: Statement, **values: Any) -> None:
        """Execute a write whose result nobody needs."""
        if self._put_off or self._tallies:
            self.flush()
        self._execute(statement, values)

    def later(self, row: RowInsert, values: tuple[Any, ...]) -> None:
        """Insert a row together with others."""
        if self.failure is not None:
            raise self.failure
        for value in values:
            if type(value) is str and "\0" in value:
                raise self._failed(_zero())
        waiting = self._put_off.get(row)
        if waiting is None:
            waiting = self._put_off[row] = []
        waiting.append(values)
        self.wrote = True

    def tally(self, statement: Statement, key: Mapping[str, Any], **amounts: int) -> None:
        """Add to the counts of one row, together with others."""
        if self.failure is not None:
            raise self.failure
        row = (id(statement), *key.values())
        known = self._tallies.get(row)
        if known is None:
            self._tallies[row] = (statement, key, amounts)
        else:
            sums = known[2]
            for name, amount in amounts.items():
                sums[name] = sums.get(name, 0) + amount
        self.wrote = True

    def flush(self) -> None:
        """Write what was put off; raises what one row fails with, and then keeps none."""
        if self.failure is not None:
            raise self.failure
        waiting, self._put_off = self._put_off, {}
        tallies, self._tallies = self._tallies, {}
        try:
            for row, rows in waiting.items():
                self._cursor.executemany(self._compiler.row(row), rows)
            for statement, key, amounts in tallies.values():
                compiled, arguments = self._compiler.bound(statement, {**key, **amounts})
                self._cursor.execute(compiled.sql, _checked(arguments))
        except (sqlite3.Error, OverflowError, UnicodeError, ValueRefused) as error:
            self.wrote = True  # it took rows of other units with it: the whole group has to run again
            raise self._failed(error) from None

    def forget(self) -> None:
        """Drop what was put off, of a unit that failed."""
        self._put_off.clear()
        self._tallies.clear()

    def add_all(self, statement: Statement, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute one write for each row; every row has the same names."""
        if self.failure is not None:
            raise self.failure
        if not rows:
            return
        if self._put_off or self._tallies:
            self.flush()
        compiled = self._compiler.compiled(statement, rows[0])
        self.wrote = True
        try:
            self._cursor.executemany(compiled.sql, [_checked(compiled.arguments(row)) for row in rows])
        except (sqlite3.Error, OverflowError, UnicodeError, ValueRefused) as error:
            raise self._failed(error) from None

    def _execute(self, statement: Statement, values: Mapping[str, Any]) -> sqlite3.Cursor:
        if self.failure is not None:
            # The failure may have ended the transaction: what follows would be kept on its own.
            raise self.failure
        compiled, arguments = self._compiler.bound(statement, values)
        try:
            for value in arguments:
                if type(value) is str and "\0" in value:
                    raise _zero()
            executed = self._cursor.execute(compiled.sql, arguments)
            if not compiled.reads:
                self.wrote = True  # a statement that fails undoes itself
            return executed
        except (sqlite3.Error, OverflowError, UnicodeError, ValueRefused) as error:
            raise self._failed(error) from None

    def _failed(self, error: Exception) -> HandrailError:
        self.failure = told(error)
        return self.failure


def _checked(arguments: Sequence[Any]) -> Sequence[Any]:
    """Return the arguments; raises ValueRefused for a text that PostgreSQL could not hold."""
    for value in arguments:
        if type(value) is str and "\0" in value:
            raise _zero()
    return arguments


def _zero() -> ValueRefused:
    return ValueRefused("A text holds a zero character, which no database column can.", hint="Remove it.")


def told(error: Exception) -> HandrailError:
    """Return a driver's exception as the failure that both databases share."""
    sentence = str(error)
    if isinstance(error, HandrailError):
        return error
    if isinstance(error, UnicodeEncodeError):
        return ValueRefused("A text holds half a character (a lone surrogate).", hint="Send valid UTF-8.")
    if isinstance(error, UnicodeDecodeError):  # the driver cannot even read the database's own complaint
        return Damaged("The database is damaged: it holds text that is none.", hint=_RESTORE)
    if isinstance(error, OverflowError):
        return ValueRefused("The database refuses a value: a whole number needs more than 64 bits.")
    if isinstance(error, sqlite3.IntegrityError):
        return _constraint(sentence)
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte; the rest tells more than anybody acts on
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return TryAgain("Another process is writing to the database.", hint="Let one process own a home.")
    if code == sqlite3.SQLITE_FULL:
        return Full("The disk of the database is full; nothing was kept.", hint="Make room, then try again.")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return Damaged(f"The database is damaged: {sentence}.", hint=_RESTORE)
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return Unavailable(f"The database cannot be opened: {sentence}.", hint="May this user write its folder?")
    if code == sqlite3.SQLITE_IOERR:
        return Unavailable(f"The disk of the database fails: {sentence}.", hint="Look at the disk, then try again.")
    if code == sqlite3.SQLITE_READONLY:
        return StorageFailed("A write was tried where only reading is allowed.")
    return StorageFailed(f"The database refused a statement: {sentence}.")


def _constraint(sentence: str) -> HandrailError:
    kind, _, places = sentence.partition(" constraint failed: ")
    if kind == "UNIQUE":
        columns = [place.strip().rpartition(".") for place in places.split(",")]
        named = ", ".join(column for _, _, column in columns)
        return Duplicate("A row with this key is there already.", table=columns[0][0], columns=named)
    if sentence.startswith("FOREIGN KEY"):
        return ReferenceBroken("A row is named that is not there, or one may not go yet.", table="")
    if sentence.endswith(APPEND_ONLY):
        return AppendOnly(f"{sentence}.", hint="Rows of this table are only ever added.")
    return StorageFailed(f"The database refused a row: {sentence}.")
