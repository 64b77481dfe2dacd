"""Storage: tables' registry, units of work, SQLite by default and PostgreSQL by URL."""

from handrail.foundation.storage.model import Result, Storage, UnitOfWork
from handrail.foundation.storage.opening import open_storage, sqlite_version
from handrail.foundation.storage.statements import (
    PerDialect,
    RowInsert,
    Statement,
    insert_or_ignore,
    metadata,
    upsert,
    with_list,
)

__all__ = [
    "PerDialect",
    "Result",
    "RowInsert",
    "Statement",
    "Storage",
    "UnitOfWork",
    "insert_or_ignore",
    "metadata",
    "open_storage",
    "sqlite_version",
    "upsert",
    "with_list",
]
