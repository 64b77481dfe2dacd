"""SQLite: one writer thread with group commit, short readers.

All units that wait are put into one transaction, and their callers hear of it when the one COMMIT is durable (WAL,
synchronous=FULL). A savepoint for each unit would cost half of what the unit itself does (bench/storage), so there is
none at first: when a unit fails that has written something, the group is run again, each unit in its savepoint, and the
failure spoils nobody. What it means for a unit: see docs/explanation/architecture.md.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.dialects import sqlite as sqlite_dialect

from handrail.foundation.storage.compiled import Compiler
from handrail.foundation.storage.failures import Unavailable, WriterStopped
from handrail.foundation.storage.model import Dialect, UnitOfWork
from handrail.foundation.storage.sqlite_unit import WAIT, SqliteUnit, connect, told

T = TypeVar("T")

_GROUP = 512  # units in one transaction at most: bounds the wait of the first of them
_IDLE_S = 5.0  # an idle writer folds the log back into the database after this
_READERS = 4
_LOG_LIMIT = 256 * 2**20  # bytes of log after which a busy writer folds it back, if no reader is in the way
_LOOK_EVERY = 1000  # groups between two looks at the size of the log


class _Waiting:
    """One caller's unit and what became of it."""

    __slots__ = ("done", "error", "future", "loop", "result", "unit")

    def __init__(self, unit: Callable[[UnitOfWork], Any]) -> None:
        self.unit = unit
        self.result: Any = None
        self.error: BaseException | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.future: asyncio.Future[Any] | None = None
        self.done: threading.Lock | None = None

    def settle(self) -> None:
        """Tell an event-loop caller; runs on its loop."""
        future = self.future
        if future is None or future.done():
            return  # the caller was cancelled while the unit ran; the unit stands
        if self.error is not None:
            future.set_exception(self.error)
        else:
            future.set_result(self.result)


class _Part(_Waiting):
    """One of several units whose caller waits for all of them with one future."""

    __slots__ = ("_left",)

    def __init__(self, unit: Callable[[UnitOfWork], Any], future: asyncio.Future[Any], left: list[None]) -> None:
        super().__init__(unit)
        self.loop, self.future, self._left = future.get_loop(), future, left

    def settle(self) -> None:
        """Count down; the last one tells the caller."""
        self._left.pop()
        if not self._left and self.future is not None and not self.future.done():
            self.future.set_result(None)


def _settle_all(waiting: Sequence[_Waiting]) -> None:
    for one in waiting:
        one.settle()


class SqliteStorage:
    """One SQLite database file, owned by this process."""

    dialect: Dialect = "sqlite"

    def __init__(self, url: str) -> None:
        self.url = url
        self._path = url.removeprefix("sqlite:///")
        Path(self._path).parent.mkdir(parents=True, exist_ok=True)
        self._compiler = Compiler(sqlite_dialect.dialect(paramstyle="qmark"))
        self._connection = connect(self._path)
        self._unit = SqliteUnit(self._connection, self._compiler)
        self._queue: deque[_Waiting] = deque()
        self._lock = threading.Lock()
        self._arrived = threading.Condition(self._lock)
        self._closing = False
        self._ringing: asyncio.AbstractEventLoop | None = None
        self._dead: BaseException | None = None
        self._dirty = False
        self._groups = 0
        self._readers: list[sqlite3.Connection] = []
        self._readers_lock = threading.Lock()
        self._here = threading.local()
        self._read_pool: ThreadPoolExecutor | None = None
        self._thread = threading.Thread(target=self._write_until_closed, name="handrail-writer", daemon=True)
        self._thread.start()

    # Callers

    def write(self, unit: Callable[[UnitOfWork], T]) -> T:
        """Run `unit` in the next group and return once it is durable."""
        self._refuse_nested()
        one = _Waiting(unit)
        done = one.done = threading.Lock()
        done.acquire()
        self._put(one)
        done.acquire()
        if one.error is not None:
            raise one.error
        result: T = one.result
        return result

    async def awrite(self, unit: Callable[[UnitOfWork], T]) -> T:
        """Run `unit` in the next group; the event loop goes on meanwhile. Cancelled before its turn, it never runs."""
        self._refuse_nested()
        one = _Waiting(unit)
        one.loop = asyncio.get_running_loop()
        one.future = one.loop.create_future()
        self._put(one)
        result: T = await one.future
        return result

    async def awrite_each(self, units: Sequence[Callable[[UnitOfWork], T]]) -> list[T | Exception]:
        """Run units one after the other; a future for each of them would cost a tenth of a decision (bench/http)."""
        self._refuse_nested()
        if not units:
            return []
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        left = [None] * len(units)
        parts = [_Part(unit, future, left) for unit in units]
        self._put(*parts)
        await future
        for one in parts:
            if one.error is not None and not isinstance(one.error, Exception):
                raise one.error
        return [one.result if one.error is None else one.error for one in parts]  # type: ignore[misc]

    def read(self, unit: Callable[[UnitOfWork], T]) -> T:
        """Run `unit` on one consistent state, in the calling thread."""
        self._refuse_nested()
        with self._readers_lock:
            if self._closing:
                raise _closed()
            connection = self._readers.pop() if self._readers else None
        if connection is None:
            connection = connect(self._path, read_only=True)
        self._here.busy = True
        try:
            connection.execute("BEGIN")
            running = SqliteUnit(connection, self._compiler)
            result = unit(running)
            if running.failure is not None:
                raise running.failure
            return result
        finally:
            self._here.busy = False
            self._give_back(connection)

    async def aread(self, unit: Callable[[UnitOfWork], T]) -> T:
        """Run `unit` on one consistent state in a reader thread."""
        if self._read_pool is None:
            self._read_pool = ThreadPoolExecutor(_READERS, thread_name_prefix="handrail-reader")
        try:
            reading = asyncio.get_running_loop().run_in_executor(self._read_pool, self.read, unit)
        except RuntimeError:  # the threads were sent home
            raise _closed() from None
        return await reading

    def close(self) -> None:
        """Finish every unit that waits, fold the log back and close the file."""
        with self._arrived:
            if self._closing:
                return
            self._closing = True
            self._arrived.notify()
        self._thread.join()
        if self._read_pool is not None:
            self._read_pool.shutdown(wait=True)
        with self._readers_lock:
            for connection in self._readers:
                connection.close()
            self._readers.clear()
        self._connection.close()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        """End a read, whatever happened in it: an open one keeps the log from being folded back."""
        keep = False
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            with self._readers_lock:
                keep = len(self._readers) < _READERS and not self._closing
                if keep:
                    self._readers.append(connection)
        finally:
            if not keep:
                connection.close()

    def _refuse_nested(self) -> None:
        if getattr(self._here, "busy", False):
            raise RuntimeError("a unit of work may not open another one")

    def _put(self, *waiting: _Waiting) -> None:
        with self._arrived:
            if self._dead is not None:
                raise WriterStopped(
                    f"The writer of the database has stopped: {self._dead}", hint="Start the server again."
                )
            if self._closing:
                raise _closed()
            self._queue.extend(waiting)
            loop = waiting[0].loop
            if loop is None:
                self._arrived.notify()
            elif loop is not self._ringing:
                # A writer that is woken at once takes the interpreter from the loop at its next system call, and
                # commits nearly every unit alone. Woken when this turn ends, it takes all that the turn brought.
                self._ringing = loop
                loop.call_soon(self._ring)

    def _ring(self) -> None:
        with self._arrived:
            self._ringing = None
            self._arrived.notify()

    # The writer thread

    def _write_until_closed(self) -> None:
        self._here.busy = True
        group: list[_Waiting] = []
        try:
            while group := self._next_group():
                self._write(group)
                self._tell(group)
        except BaseException as error:  # noqa: BLE001 - nobody may wait for a writer that is gone
            with self._arrived:
                self._dead = error
                left = [*group, *self._queue]
                self._queue.clear()
            for one in left:
                one.error = WriterStopped(
                    f"The writer of the database has stopped: {error}", hint="Start the server again."
                )
            self._tell(left)

    def _next_group(self) -> list[_Waiting]:
        """Wait for units and return them; none when the storage is being closed."""
        while True:
            with self._arrived:
                if not self._queue and not self._closing:
                    self._arrived.wait(_IDLE_S if self._dirty else None)
                if self._queue:
                    self._dirty = True
                    return [self._queue.popleft() for _ in range(min(len(self._queue), _GROUP))]
                if self._closing:
                    return []
            if self._dirty:
                self._dirty = False
                self._fold()

    def _write(self, group: list[_Waiting]) -> None:
        group[:] = [one for one in group if one.future is None or not one.future.cancelled()]
        if not self._commit(group, self._run_together):
            self._write_again(group)
        self._groups += 1
        if self._groups % _LOOK_EVERY == 0:
            log = Path(self._path + "-wal")
            if log.exists() and log.stat().st_size > _LOG_LIMIT:
                self._fold()

    def _write_again(self, group: Sequence[_Waiting]) -> None:
        if len(group) > 1 and self._commit(group, self._run_apart):
            return
        # The transaction was lost with units that had not failed by themselves: each again, on its own.
        for one in group:
            if not self._commit([one], self._run_apart):
                assert one.error is not None

    def _commit(self, group: Sequence[_Waiting], run: Callable[[Sequence[_Waiting]], None]) -> bool:
        """Run a group in one transaction; False when nothing of it was kept though units of it could have been."""
        execute = self._connection.execute
        try:
            execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            for one in group:
                one.error = told(error)
            return True  # another try would wait as long again
        try:
            run(group)
            execute("COMMIT")
        except BaseException as error:  # noqa: BLE001 - a unit's SystemExit is its caller's, not the writer's
            if self._connection.in_transaction:
                execute("ROLLBACK")
            self._unit.forget()
            for one in group:
                one.error = told(error) if isinstance(error, sqlite3.Error) else error
            return len(group) == 1 and not isinstance(error, sqlite3.Error)
        return True

    def _run_together(self, group: Sequence[_Waiting]) -> None:
        """Run units without savepoints; raises the failure of one that has written something."""
        unit = self._unit
        for one in group:
            one.error = unit.failure = None
            unit.wrote = False
            try:
                one.result = one.unit(unit)
                if unit.failure is not None:
                    raise unit.failure  # the unit went on as if nothing had happened
            except Exception as error:
                if unit.wrote or not self._connection.in_transaction:
                    raise
                one.error = error  # it leaves nothing behind
        unit.failure = None
        unit.flush()

    def _run_apart(self, group: Sequence[_Waiting]) -> None:
        """Run units in a savepoint each; raises the failure that ended the whole transaction."""
        execute, unit = self._connection.execute, self._unit
        for one in group:
            one.error = unit.failure = None
            execute("SAVEPOINT unit")
            try:
                one.result = one.unit(unit)
                unit.flush()
            except Exception as error:
                unit.forget()
                # Some failures (disk full) end the whole transaction, not the savepoint.
                if not self._connection.in_transaction:
                    raise
                one.error = error
                execute("ROLLBACK TO unit")
            execute("RELEASE unit")

    def _fold(self) -> None:
        """Fold the log back into the database, unless a reader is in the way: there is a next time."""
        execute = self._connection.execute
        try:
            execute("PRAGMA busy_timeout=100")
            busy = execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            self._dirty = self._dirty or bool(busy)
        except sqlite3.Error:
            self._dirty = True
        finally:
            execute(WAIT)

    def _tell(self, group: Sequence[_Waiting]) -> None:
        loops: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}
        for one in group:
            if one.done is not None:
                one.done.release()
            elif one.loop is not None:
                loops.setdefault(one.loop, []).append(one)
        for loop, waiting in loops.items():
            try:
                loop.call_soon_threadsafe(_settle_all, waiting)
            except RuntimeError:
                continue  # the loop was closed: nobody is left to tell


def _closed() -> Unavailable:
    return Unavailable("The database is being closed.", hint="Start the server again.")
