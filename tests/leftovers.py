"""What a client leaves behind on PostgreSQL when it is killed: its server goes on with all that it had sent."""

from __future__ import annotations

import time

import psycopg

_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


def wait_for_leftovers(url: str, *, seconds: float = 30) -> None:
    """Wait until nobody else is connected to a PostgreSQL database; SQLite dies with its process."""
    if not url.startswith("postgresql://"):
        return
    ends = time.monotonic() + seconds
    with psycopg.connect(url, autocommit=True) as connection:
        while (left := connection.execute(_OTHERS).fetchone()) != (0,):
            assert time.monotonic() < ends, f"{left} connections of a dead client are still there"
            time.sleep(0.01)
