"""Brings a database up to date when it is opened, under a lock, by numbered forward steps (Alembic).

The step in force is read with one SELECT; Alembic, which costs 0.25 s and 50 MB, loads only when there is work.
"""

from __future__ import annotations

from sqlalchemy import text

from handrail.foundation.storage.migrations.known import KNOWN, NewerDatabase, check_known
from handrail.foundation.storage.model import Storage, UnitOfWork
from handrail.foundation.storage.statements import PerDialect

__all__ = ["NewerDatabase", "migrate"]

_THERE = PerDialect(
    text("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"),
    text("SELECT count(*) FROM pg_class WHERE oid = to_regclass('alembic_version')"),
)
_VERSION = text("SELECT version_num FROM alembic_version")


def migrate(storage: Storage) -> None:
    """Apply the steps that are missing; raises NewerDatabase for a step that this version does not know."""
    version = storage.read(_version)
    if version == KNOWN[-1]:
        return
    check_known(version)
    from handrail.foundation.storage.migrations import upgrading  # loads Alembic

    upgrading.upgrade(storage.url)


def _version(uow: UnitOfWork) -> str | None:
    found = uow.run(_VERSION).scalar() if uow.run(_THERE).scalar() else None
    return None if found is None else str(found)
