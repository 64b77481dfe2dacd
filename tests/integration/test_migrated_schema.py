"""The migrations make the tables that the stores declare, on both databases, and stores declare only plain columns."""

from __future__ import annotations

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import BigInteger, Double, Float, Integer, LargeBinary, String, Text, create_engine

from handrail.foundation.storage import metadata
from tools.docs_reference import load_everything

PLAIN = (BigInteger, Double, Float, Integer, LargeBinary, String, Text)


@pytest.fixture(scope="module", autouse=True)
def _every_table() -> None:
    load_everything()


# Made by the migration for PostgreSQL alone: the order of commits, which no store names as a column.
_COMMIT_ORDER = {"xid", "journal_entry_commit_order"}


def _ours(thing: Any, name: str | None, kind: str, _reflected: bool, _compared: Any) -> bool:
    table = thing if kind == "table" else getattr(thing, "table", None)
    is_test = table is not None and table.info.get("test")
    return name != "alembic_version" and name not in _COMMIT_ORDER and not is_test


def _other_type(_context: Any, _found: Any, _declared: Any, found: Any, declared: Any) -> bool | None:
    """Every text column is TEXT in the database, whatever length its store allows."""
    return False if isinstance(found, String) and isinstance(declared, String) else None


@pytest.mark.filterwarnings("ignore:Did not recognize type 'xid8'")
def test_opening_makes_every_declared_table(storage_url: str) -> None:
    engine = create_engine(storage_url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.connect() as connection:
        options = {"include_object": _ours, "compare_type": _other_type}
        context = MigrationContext.configure(connection, opts=options)
        # A change of a column comes in a list of its own; adding and removing come as they are.
        found = [
            one
            for group in compare_metadata(context, metadata)
            for one in (group if isinstance(group, list) else [group])
        ]
    engine.dispose()
    # SQLite does not tell the order of an index over an expression, so that one seems to be removed and added again.
    again = {"add_index", "remove_index"} if storage_url.startswith("sqlite") else set()
    assert [one for one in found if not (one[0] in again and one[1].name == "task_queue")] == []


def test_columns_are_such_that_the_driver_takes_and_gives_values_as_they_are() -> None:
    wrong = [
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if not isinstance(column.type, PLAIN)
    ]
    assert len(metadata.tables) > 20
    assert wrong == []
