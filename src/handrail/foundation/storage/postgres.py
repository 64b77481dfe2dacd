"""PostgreSQL behind the same units of work: one connection and one transaction for each.

Nothing is sent before it is needed: a unit's writes wait for its next `run` or its end, and go with it in one round
trip, BEGIN and COMMIT too. A unit runs at READ COMMITTED: what it reads to decide on must be locked by the read
(`with_for_update`), which SQLite with its single writer does not need and leaves out.
"""

from __future__ import annotations

import asyncio
import threading
import time
from asyncio import Future
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy.dialects import postgresql as postgresql_dialect

from handrail.foundation.errors import HandrailError
from handrail.foundation.storage.compiled import Compiler
from handrail.foundation.storage.failures import Lost, OutcomeUnknown, TryAgain, Unavailable
from handrail.foundation.storage.model import Dialect, UnitOfWork
from handrail.foundation.storage.places import Places
from handrail.foundation.storage.postgres_wire import Command, ConnectionLost, Wire, command
from handrail.foundation.storage.rows import Rows
from handrail.foundation.storage.statements import RowInsert, Statement

T = TypeVar("T")

_CONNECTIONS = 8
_WAIT_S = 30.0  # for a free connection
_TOGETHER = 256  # commands in one round trip at most: bounds what either side must buffer
_BEGIN = command("BEGIN")
_READ = command("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
_COMMIT = command("COMMIT")
_ROLLBACK = command("ROLLBACK")


class PostgresUnit:
    """A unit of work on one connection. After a failure it can only end: PostgreSQL refuses every further statement."""

    dialect: Dialect = "postgresql"
    __slots__ = ("_compiler", "_waiting", "_wire", "failure")

    def __init__(self, wire: Wire, compiler: Compiler, begin: Command) -> None:
        self._wire = wire
        self._compiler = compiler
        self._waiting: list[Command] = [begin]
        self.failure: HandrailError | Lost | None = None

    def run(self, statement: Statement, **values: Any) -> Rows:
        """Execute now and return the rows; everything added before is executed first."""
        compiled, arguments = self._compiler.bound(statement, values)
        self._waiting.append(command(compiled.sql, arguments))
        return self.flush()

    def add(self, statement: Statement, **values: Any) -> None:
        """Execute a write at the next `run` or when the unit ends; a failure shows there."""
        compiled, arguments = self._compiler.bound(statement, values)
        self._waiting.append(command(compiled.sql, arguments))
        if len(self._waiting) >= _TOGETHER:
            self.flush()

    def later(self, row: RowInsert, values: tuple[Any, ...]) -> None:
        """Insert a row; one round trip carries all of them anyhow."""
        self._waiting.append(command(self._compiler.row(row), values))
        if len(self._waiting) >= _TOGETHER:
            self.flush()

    glance = run

    def tally(self, statement: Statement, key: Mapping[str, Any], **amounts: int) -> None:
        """Add to the counts of one row."""
        self.add(statement, **key, **amounts)

    def add_all(self, statement: Statement, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute one write for each row; every row has the same names."""
        if not rows:
            return
        compiled = self._compiler.compiled(statement, rows[0])
        for row in rows:
            self._waiting.append(command(compiled.sql, compiled.arguments(row)))
            if len(self._waiting) >= _TOGETHER:
                self.flush()

    def flush(self) -> Rows:
        """Send what waits."""
        if self.failure is not None:
            raise self.failure
        waiting, self._waiting = self._waiting, []
        try:
            return self._wire.run(waiting)
        except (HandrailError, Lost) as error:
            self.failure = error
            raise

    def commit(self) -> None:
        """Keep everything; a unit that did nothing costs nothing."""
        if self.failure is not None:
            raise self.failure  # the unit went on as if nothing had happened
        if len(self._waiting) == 1 and not self._wire.in_transaction:
            return
        self._waiting.append(_COMMIT)
        try:
            self.flush()
        except ConnectionLost:
            self.failure = OutcomeUnknown(
                "The connection was lost while the change was being kept.", hint="Look whether it is there."
            )
            raise self.failure from None

    def leave(self) -> None:
        """Keep nothing."""
        if self._wire.usable and self._wire.in_transaction:
            self._wire.send(_ROLLBACK)


class PostgresStorage:
    """One PostgreSQL database, shared with other processes."""

    dialect: Dialect = "postgresql"

    def __init__(self, url: str, *, connections: int = _CONNECTIONS) -> None:
        self.url = url
        self._compiler = Compiler(postgresql_dialect.dialect(paramstyle="numeric_dollar"))  # type: ignore[no-untyped-call]
        # A place for each connection, opened when it is first needed; the one used last is used next.
        self._places: Places[Wire | None] = Places([None] * connections)
        self._connections = connections
        self._here = threading.local()
        self._closed = False
        self._threads = ThreadPoolExecutor(connections, thread_name_prefix="handrail-postgres")

    def write(self, unit: Callable[[UnitOfWork], T]) -> T:
        """Run `unit` in a transaction and return once it is durable; run it again when it lost against another."""
        return self._insist(unit, _BEGIN)

    async def awrite(self, unit: Callable[[UnitOfWork], T]) -> T:
        """Run `unit` in a transaction in a thread."""
        return await self._in_thread(self.write, unit)

    async def awrite_each(self, units: Sequence[Callable[[UnitOfWork], T]]) -> list[T | Exception]:
        """Run each unit in its own transaction, as many at once as there are threads."""
        made = await asyncio.gather(*[self.awrite(unit) for unit in units], return_exceptions=True)
        for one in made:
            if isinstance(one, BaseException) and not isinstance(one, Exception):
                raise one
        return made  # type: ignore[return-value]  # only exceptions are left

    def read(self, unit: Callable[[UnitOfWork], T]) -> T:
        """Run `unit` on one consistent state; the database refuses a write in it."""
        return self._insist(unit, _READ)

    async def aread(self, unit: Callable[[UnitOfWork], T]) -> T:
        """Run `unit` on one consistent state in a thread."""
        return await self._in_thread(self.read, unit)

    def close(self) -> None:
        """Finish what runs and close every connection."""
        if self._closed:
            return
        self._closed = True
        self._threads.shutdown(wait=True)
        for _ in range(self._connections):
            wire = self._places.take(_WAIT_S)
            if wire is not None:
                wire.close()

    def _in_thread(self, verb: Callable[[Callable[[UnitOfWork], T]], T], unit: Callable[[UnitOfWork], T]) -> Future[T]:
        try:
            return asyncio.get_running_loop().run_in_executor(self._threads, verb, unit)
        except RuntimeError:  # the threads were sent home
            raise _closed() from None

    def _insist(self, unit: Callable[[UnitOfWork], T], begin: Command) -> T:
        tried = 0
        while True:
            try:
                return self._once(unit, begin)
            except Lost as lost:
                tried += 1
                if tried >= lost.tries:
                    if isinstance(lost, ConnectionLost):
                        raise Unavailable(
                            f"The connection to the database is lost: {lost}", hint="Try again."
                        ) from None
                    raise TryAgain("Too many changes meet at once.", hint="Try again.") from None
            time.sleep(0.001 * 2**tried)

    def _once(self, unit: Callable[[UnitOfWork], T], begin: Command) -> T:
        if getattr(self._here, "busy", False):
            raise RuntimeError("a unit of work may not open another one")
        wire = self._take()
        self._here.busy = True
        running = PostgresUnit(wire, self._compiler, begin)
        try:
            result = unit(running)
            if begin is _BEGIN:
                running.commit()
            elif running.failure is not None:
                raise running.failure
            return result
        except Exception:
            if isinstance(running.failure, Lost):
                raise running.failure from None  # whatever the unit made of it, it is worth another try
            raise
        finally:
            self._here.busy = False
            self._give_back(wire, running)

    def _take(self) -> Wire:
        if self._closed:
            raise _closed()
        try:
            wire = self._places.take(_WAIT_S)
        except TimeoutError:
            raise TryAgain("Every connection to the database is in use.", hint="Try again.") from None
        try:
            if wire is not None and wire.ready():
                return wire
            if wire is not None:
                wire.close()
            return Wire(self.url)
        except BaseException:
            self._places.give(None)
            raise

    def _give_back(self, wire: Wire, running: PostgresUnit) -> None:
        kept = None
        try:
            running.leave()
            if wire.usable:
                kept = wire
        except Lost:
            pass
        finally:  # a place is given back whatever happens: one that is lost is lost until the server starts again
            if kept is None:
                wire.close()
            self._places.give(kept)


def _closed() -> Unavailable:
    return Unavailable("The database is being closed.", hint="Start the server again.")
