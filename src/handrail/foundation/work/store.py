"""Our own rows beside the job engine's: which processes are alive, and how far each job is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Float,
    MetaData,
    Table,
    Text,
    create_engine,
    delete,
    event,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

_SCHEMA = "handrail_work"
_TABLES_LOCK = 0x48616E64_01
_TAKEOVER_LOCK = 0x48616E64_02


def open_engine(url: str) -> Engine:
    """Open the database of the jobs: `sqlite:///…` in WAL with durable commits, or `postgresql://…`."""
    if url.startswith("sqlite"):
        engine = create_engine(url, pool_size=20, max_overflow=0, pool_timeout=30)
        event.listen(engine, "connect", _on_sqlite)
        return engine
    engine = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        pool_size=20,
        max_overflow=0,
        pool_timeout=30,
        pool_pre_ping=True,
    )
    # Disposing closes what lies in the pool; a connection that a thread of the job library still holds would be left
    # open for the server to notice.
    opened: WeakSet[Any] = WeakSet()
    event.listen(engine, "connect", lambda connection, _record: opened.add(connection))
    event.listen(engine, "engine_disposed", lambda _engine: [connection.close() for connection in list(opened)])
    return engine


def _on_sqlite(connection: Any, _record: Any) -> None:
    # The engine relies on write transactions that take their lock at the start.
    connection.isolation_level = "IMMEDIATE"
    for setting in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {setting}")


class WorkStore:
    """Leases of processes and progress of jobs, in the database of the jobs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sqlite = engine.dialect.name == "sqlite"
        held = MetaData(schema=None if self._sqlite else _SCHEMA)
        self._lease = Table(
            "work_lease", held, Column("executor_id", Text, primary_key=True), Column("beat", Float(53), nullable=False)
        )
        self._progress = Table(
            "work_progress",
            held,
            Column("job_id", Text, primary_key=True),
            Column("fraction", Float(53), nullable=False),
            Column("note", Text, nullable=False),
            Column("changed", BigInteger, nullable=False),
        )
        self._metadata = held
        self._insert = sqlite_insert if self._sqlite else postgresql_insert
        self._write = threading.Lock()

    def create(self) -> None:
        """Create the tables when they are not there; safe when several processes start at once."""
        with self._begin() as connection:
            if not self._sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _TABLES_LOCK})
                connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {_SCHEMA}"))
            self._metadata.create_all(connection)

    def report(self, job_id: str, fraction: float, note: str, changed: int) -> None:
        """Keep how far a job is; `changed` in microseconds."""
        row = {"job_id": job_id, "fraction": fraction, "note": note, "changed": changed}
        with self._begin() as connection:
            connection.execute(
                self._insert(self._progress).values(row).on_conflict_do_update(index_elements=["job_id"], set_=row)
            )

    def progress(self, job_ids: list[str]) -> dict[str, tuple[float, str, int]]:
        """Return (fraction, note, microseconds) of each job that has reported."""
        progress = self._progress
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(progress.c.job_id, progress.c.fraction, progress.c.note, progress.c.changed).where(
                    progress.c.job_id.in_(job_ids)
                )
            ).all()
        return {row[0]: (row[1], row[2], row[3]) for row in rows}

    def beat(self, executor_id: str) -> None:
        """Say that a process is alive, by the clock of the database."""
        with self._begin() as connection:
            row = {"executor_id": executor_id, "beat": self._now(connection)}
            connection.execute(
                self._insert(self._lease).values(row).on_conflict_do_update(index_elements=["executor_id"], set_=row)
            )

    def let_go(self, executor_id: str) -> None:
        """Say that a process ends: others may take over what it left, at once."""
        with self._begin() as connection:
            connection.execute(update(self._lease).where(self._lease.c.executor_id == executor_id).values(beat=0.0))

    def dead(self, connection: Connection, older_than_s: float) -> list[str]:
        """Return the processes whose last sign of life is older than that."""
        before = self._now(connection) - older_than_s
        rows = connection.execute(select(self._lease.c.executor_id).where(self._lease.c.beat < before)).all()
        return sorted(row[0] for row in rows)

    def alive(self, within_s: float) -> list[str]:
        """Return the processes that gave a sign of life within that time."""
        with self._engine.connect() as connection:
            after = self._now(connection) - within_s
            rows = connection.execute(select(self._lease.c.executor_id).where(self._lease.c.beat >= after)).all()
        return sorted(row[0] for row in rows)

    def forget(self, connection: Connection, executor_id: str) -> None:
        """Drop the row of a process whose work has been taken over."""
        connection.execute(delete(self._lease).where(self._lease.c.executor_id == executor_id))

    @contextmanager
    def taking_over(self) -> Iterator[Connection | None]:
        """Hold the right to take over from dead processes; None when another process holds it."""
        with self._engine.begin() as connection:
            held = connection.execute(select(func.pg_try_advisory_xact_lock(_TAKEOVER_LOCK))).scalar()
            yield connection if held else None

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        with self._write, self._engine.begin() as connection:
            yield connection

    def _now(self, connection: Connection) -> float:
        query = "SELECT unixepoch('now')" if self._sqlite else "SELECT extract(epoch FROM clock_timestamp())"
        return float(connection.execute(text(query)).scalar_one())
