"""Opens the database that a URL names."""

from __future__ import annotations

import sqlite3

from handrail.foundation.storage.failures import UnknownDatabase
from handrail.foundation.storage.migrations import migrate
from handrail.foundation.storage.model import Storage
from handrail.foundation.storage.postgres import PostgresStorage
from handrail.foundation.storage.sqlite import SqliteStorage

_OLDEST_SQLITE = (3, 35, 0)  # RETURNING


def sqlite_version() -> tuple[str, bool]:
    """Return the version of SQLite in this Python, and whether it is new enough."""
    return sqlite3.sqlite_version, sqlite3.sqlite_version_info >= _OLDEST_SQLITE


def open_storage(url: str) -> Storage:
    """Return the storage for `sqlite:///PATH` or `postgresql://...`, with its tables brought up to date.

    Raises UnknownDatabase for another kind of URL, NewerDatabase when a later version of Handrail has used it.
    """
    storage: Storage
    if url.startswith("sqlite:///"):
        storage = SqliteStorage(url)
    elif url.startswith("postgresql://"):
        storage = PostgresStorage(url)
    else:
        raise UnknownDatabase(
            "The database URL is not known.", hint="Use sqlite:///PATH or postgresql://USER@HOST/NAME."
        )
    try:
        migrate(storage)
    except BaseException:
        storage.close()
        raise
    return storage
