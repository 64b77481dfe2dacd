"""Applies the steps that a database lacks, in one transaction, one process at a time."""

from __future__ import annotations

from typing import Any

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from handrail.foundation.storage.failures import StorageFailed
from handrail.foundation.storage.migrations import first
from handrail.foundation.storage.migrations.known import KNOWN, check_known

_LOCK = 0x48414E44  # any number that is ours alone: the advisory lock on PostgreSQL
STEPS: dict[str, Any] = dict(zip(KNOWN, (first,), strict=True))


def upgrade(url: str) -> None:
    """Bring the database to the newest step, or leave it as it was; another process may have done it meanwhile.

    Raises NewerDatabase, and StorageFailed when a step cannot be done (tables of somebody else are in the way).
    """
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                # The driver opens transactions by itself at some statements; ours is BEGIN IMMEDIATE.
                driver: Any = connection.connection.driver_connection
                driver.isolation_level = None
                driver.execute("PRAGMA busy_timeout=30000")
                driver.execute("BEGIN IMMEDIATE")
                _apply(connection)
                driver.execute("COMMIT")
            else:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
                _apply(connection)
            connection.commit()
    except SQLAlchemyError as error:
        raise StorageFailed(
            f"The tables of the database cannot be brought up to date: {getattr(error, 'orig', error)}",
            hint="Give Handrail a database of its own.",
        ) from None
    finally:
        engine.dispose()


def _apply(connection: Connection) -> None:
    context = MigrationContext.configure(connection, opts={"transactional_ddl": True})
    now = context.get_current_revision()
    check_known(now)
    context._ensure_version_table()
    for step in KNOWN[0 if now is None else KNOWN.index(now) + 1 :]:
        STEPS[step].upgrade(Operations(context))
        connection.execute(text("DELETE FROM alembic_version"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:step)"), {"step": step})
