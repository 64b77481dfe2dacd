"""One PostgreSQL connection, driven through libpq's pipeline: many statements, one round trip.

psycopg's cursors cost about five times as much (bench/storage), so psycopg opens the connection and we drive it through
its libpq wrapper, `psycopg.pq`. Every statement is prepared once for each connection; values go as text, bytes as they
are; rows come back through psycopg's own loaders.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import Loader, Transformer

from handrail.foundation.errors import HandrailError
from handrail.foundation.storage.failures import (
    AppendOnly,
    Damaged,
    Duplicate,
    Full,
    Lost,
    ReferenceBroken,
    StorageFailed,
    TryAgain,
    Unavailable,
    ValueRefused,
)
from handrail.foundation.storage.rows import Rows

Command = tuple[str, list[bytes | None] | None, list[int] | None]
"""SQL with $1, $2, .., its values, and 1 for each value that is in binary form."""

_MOST_PREPARED = 2000  # of one connection: a list of another length is another statement
_OPTIONS: dict[str, Any] = {
    "application_name": "handrail",
    "client_encoding": "UTF8",
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "options": "-c idle_in_transaction_session_timeout=60000 -c lock_timeout=30000 -c timezone=UTC"
    " -c synchronous_commit=on",
}
_SYNC = pq.ExecStatus.PIPELINE_SYNC
_ABORTED = pq.ExecStatus.PIPELINE_ABORTED
_FINE = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)


class ConnectionLost(Lost):
    """The connection went away."""

    tries = 3


class _Number(Loader):
    """A sum of whole numbers is `numeric` in PostgreSQL; here it is a whole number, as on SQLite."""

    def load(self, data: Any) -> int | float:
        text = bytes(data)
        return int(text) if text.lstrip(b"-").isdigit() else float(text)


class _Truth(Loader):
    """A comparison is 1 or 0, as on SQLite."""

    def load(self, data: Any) -> int:
        return int(bytes(data) == b"t")


class Wire:
    """One connection; not for two threads at once. `usable` is False once its state is not known any more."""

    def __init__(self, url: str) -> None:
        try:
            self._connection = psycopg.connect(url, autocommit=True, **_OPTIONS)
        except psycopg.OperationalError as error:
            raise Unavailable(
                f"The database does not answer: {str(error).strip()}", hint="Is the database's server running?"
            ) from None
        self._connection.adapters.register_loader("numeric", _Number)
        self._connection.adapters.register_loader("bool", _Truth)
        self._pg: Any = self._connection.pgconn
        self._pg.nonblocking = 0  # libpq then reads while it waits to write, so that neither side blocks for ever
        self._pg.enter_pipeline_mode()
        self._poll = select.poll()
        self._poll.register(self._pg.socket, select.POLLIN)
        self._prepared: dict[str, bytes] = {}
        self._names = 0
        self._owed: list[tuple[str, bool]] | None = None
        self.usable = True

    @property
    def in_transaction(self) -> bool:
        """True while the server holds a transaction open for us, sound or failed."""
        return bool(self._pg.transaction_status != pq.TransactionStatus.IDLE)

    def ready(self) -> bool:
        """Look at what was sent without waiting; False when the server ended the connection meanwhile."""
        try:
            if self._owed is not None:
                owed, self._owed = self._owed, None
                self._receive(owed)
        except (HandrailError, Lost):
            return False
        return not self._poll.poll(0)  # a server that speaks without being asked says good-bye

    def run(self, commands: Sequence[Command]) -> Rows:
        """Execute commands in order in one round trip and return the rows of the last.

        The first failure is raised as one of `failures`, and nothing after it was executed; Lost is raised when the
        same transaction may succeed if it is tried again.
        """
        return self._rows(self._receive(self._send(commands)))

    def send(self, command: Command) -> None:
        """Send a command without waiting; call `ready` before the next one."""
        self._owed = self._send([command])
        self.usable = True

    def close(self) -> None:
        """End the connection; the server rolls back what was open."""
        self.usable = False
        self._connection.close()

    def _send(self, commands: Sequence[Command]) -> list[tuple[str, bool]]:
        """Return what will be answered: for each message its SQL, and whether it only prepares."""
        pg, prepared = self._pg, self._prepared
        self.usable = False  # until all of it is answered
        expected: list[tuple[str, bool]] = []
        try:
            for sql, values, formats in commands:
                name = prepared.get(sql)
                if name is None and len(prepared) >= _MOST_PREPARED:
                    pg.send_query_params(sql.encode(), values, None, formats)
                    expected.append((sql, False))
                    continue
                if name is None:
                    self._names += 1
                    name = prepared[sql] = b"h%d" % self._names
                    pg.send_prepare(name, sql.encode())
                    expected.append((sql, True))
                pg.send_query_prepared(name, values, formats)
                expected.append((sql, False))
            pg.pipeline_sync()
            pg.flush()
        except psycopg.OperationalError as error:
            raise ConnectionLost(str(error)) from None
        return expected

    def _receive(self, expected: Sequence[tuple[str, bool]]) -> Any:
        """Return the last result; raises the first failure once everything was answered."""
        failed = last = None
        place = 0
        try:
            while (result := self._next()).status != _SYNC:
                if place == len(expected):
                    raise psycopg.OperationalError("the server ended the connection")  # it says so unasked
                sql, prepares = expected[place]
                place += 1
                if result.status in _FINE:
                    last = result
                    continue
                if prepares:
                    self._prepared.pop(sql, None)
                if result.status != _ABORTED and failed is None:
                    failed = result
        except psycopg.OperationalError as error:
            raise (told(failed) if failed is not None else ConnectionLost(str(error))) from None
        self.usable = True
        if failed is not None:
            raise told(failed)
        return last

    def _next(self) -> Any:
        """Wait for the next result; the other threads go on meanwhile."""
        pg = self._pg
        while True:
            while pg.is_busy():
                self._poll.poll()
                pg.consume_input()
            result = pg.get_result()
            if result is not None:
                return result
            if pg.status == pq.ConnStatus.BAD:
                raise psycopg.OperationalError("the connection is lost")

    def _rows(self, result: Any) -> Rows:
        if not result.nfields:
            tag = result.command_tuples
            return Rows([], -1 if tag is None else tag)
        transformer = Transformer(self._connection)
        transformer.set_pgresult(result)
        return Rows(transformer.load_rows(0, result.ntuples, tuple), result.ntuples)


def command(sql: str, values: Sequence[Any] = ()) -> Command:
    """Return a statement ready to be sent; raises ValueRefused, StorageFailed for a value of another type."""
    if not values:
        return sql, None, None
    sent = [_DUMPS[type(value)](value) if type(value) in _DUMPS else _dump(value) for value in values]
    return sql, sent, [type(value) is bytes for value in values]


def _text(value: str) -> bytes:
    if "\0" in value:
        raise ValueRefused("A text holds a zero character, which no database column can.", hint="Remove it.")
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise ValueRefused("A text holds half a character (a lone surrogate).", hint="Send valid UTF-8.") from None


def _whole(value: int) -> bytes:
    return b"%d" % value


def _float(value: float) -> bytes:
    return float.__repr__(value).encode()


_DUMPS: dict[type, Callable[[Any], bytes | None]] = {
    bool: _whole,
    int: _whole,
    str: _text,
    float: _float,
    bytes: lambda value: value,
    type(None): lambda _: None,
}


def _dump(value: Any) -> bytes | None:
    """Return a value of a subclass (an enumeration, a number of an array library) as its base class."""
    for kind in (str, int, float):
        if isinstance(value, kind):
            return _DUMPS[kind](value)
    raise StorageFailed(f"A value of the type {type(value).__name__} cannot be stored.")


def told(result: Any) -> HandrailError | Lost:
    """Return a failed result as the failure that both databases share. Codes: appendix A of PostgreSQL's manual."""
    field = pq.DiagnosticField

    def said(which: pq.DiagnosticField) -> str:
        found = result.error_field(which)
        return "" if found is None else bytes(found).decode("utf-8", "replace")

    code, sentence, table = said(field.SQLSTATE), said(field.MESSAGE_PRIMARY), said(field.TABLE_NAME)
    if code == "23505":
        columns = said(field.MESSAGE_DETAIL).partition("(")[2].partition(")=")[0]
        return Duplicate("A row with this key is there already.", table=table, columns=columns)
    if code == "23503":
        return ReferenceBroken("A row is named that is not there, or one may not go yet.", table=table)
    if code in ("40001", "40P01"):
        return Lost(sentence)
    if code in ("55P03", "57014"):
        return TryAgain("Another change holds what this one needs.", hint="Try again.")
    if code[:2] == "22":
        return ValueRefused(f"The database refuses a value: {sentence}.")
    if code == "53100":
        return Full("The disk of the database is full; nothing was kept.", hint="Make room, then try again.")
    if code[:2] == "53":
        return Unavailable(f"The database cannot take more work: {sentence}.", hint="Try again later.")
    if code in ("XX001", "XX002"):
        return Damaged(f"The database is damaged: {sentence}.", hint="Stop the server and restore a backup.")
    if code == APPEND_ONLY:
        return AppendOnly(f"{sentence}.", hint="Rows of this table are only ever added.")
    if not code or code[:2] == "08" or code[:3] == "57P" or code == "25P03":
        return ConnectionLost(sentence)
    return StorageFailed(f"The database refused a statement ({code}): {sentence}.")


APPEND_ONLY = "HR001"
"""The code that the guarding triggers raise."""
