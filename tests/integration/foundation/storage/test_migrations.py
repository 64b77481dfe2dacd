"""A database that was opened has exactly the tables that the code declares."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, create_engine, inspect, text

from handrail.foundation.storage import metadata, open_storage
from handrail.foundation.storage.failures import StorageFailed
from handrail.foundation.storage.migrations import NewerDatabase
from handrail.foundation.storage.migrations.known import KNOWN
from handrail.foundation.storage.migrations.upgrading import STEPS
from handrail.foundation.storage.sqlite_unit import connect
from tools.first_migration import load_tables
from tools.postgres import Server

_ADDED = {"journal_entry": {"xid"}}  # on PostgreSQL, by the step itself: the order of commits


def _engine(url: str) -> Any:
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))


def _shape(url: str, names: list[str]) -> dict[str, Any]:
    """Describe tables as the database itself sees them; text is text, however long it may be."""
    engine = _engine(url)
    seen = inspect(engine)
    found = {}
    for name in names:
        added = _ADDED.get(name, set())
        columns = {
            column["name"]: (
                "TEXT" if "CHAR" in str(column["type"]) or "TEXT" in str(column["type"]) else str(column["type"]),
                column["nullable"],
                column.get("identity") is not None or column.get("autoincrement") is True,
            )
            for column in seen.get_columns(name)
            if column["name"] not in added
        }
        found[name] = {
            "columns": columns,
            "key": seen.get_pk_constraint(name)["constrained_columns"],
            "unique": sorted(tuple(one["column_names"]) for one in seen.get_unique_constraints(name)),
            "foreign": sorted(
                (tuple(one["constrained_columns"]), one["referred_table"], tuple(one["referred_columns"]))
                for one in seen.get_foreign_keys(name)
            ),
            "indexes": sorted(
                (one["name"], tuple(map(str, one.get("expressions", one["column_names"]))), bool(one["unique"]))
                for one in seen.get_indexes(name)
                if not added & set(one["column_names"]) and not one.get("duplicates_constraint")
            ),
            "options": {key: value for key, value in seen.get_table_options(name).items() if "sqlite" in key},
        }
    engine.dispose()
    return found


@pytest.fixture
def declared() -> list[Table]:
    load_tables()
    return [table for table in metadata.sorted_tables if not table.info.get("test")]


@pytest.fixture(params=["sqlite", "postgresql"])
def two(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Name two databases that do not exist or are empty."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/migrated.db", f"sqlite:///{tmp_path}/declared.db"
    running: Server = request.getfixturevalue("postgres_server")
    names = [f"two_{request.node.name.split('[')[0][-30:]}_{which}" for which in ("a", "b")]
    for name in names:
        running.drop(name)
        request.addfinalizer(lambda name=name: running.drop(name))  # noqa: PT021
    first, second = (running.create(name) for name in names)
    return first, second


@pytest.mark.filterwarnings("ignore:Did not recognize type 'xid8'")
def test_the_migrated_tables_are_the_declared_ones(two: tuple[str, str], declared: list[Table]) -> None:
    migrated, plain = two
    open_storage(migrated).close()
    engine = _engine(plain)
    metadata.create_all(engine, tables=declared)
    engine.dispose()
    names = [table.name for table in declared]
    there = _engine(migrated)
    assert set(inspect(there).get_table_names()) == {*names, "alembic_version"}
    there.dispose()
    assert _shape(migrated, names) == _shape(plain, names), "run: python -m tools.first_migration"


def test_text_sorts_by_its_bytes_and_may_be_long(two: tuple[str, str]) -> None:
    open_storage(two[0]).close()
    if two[0].startswith("postgresql"):
        engine = _engine(two[0])
        with engine.connect() as connection:
            found = connection.execute(
                text(
                    "SELECT table_name, column_name, data_type, collation_name FROM information_schema.columns"
                    " WHERE table_schema = 'public' AND table_name <> 'alembic_version'"
                    " AND data_type IN ('text', 'character varying')"
                )
            ).all()
        engine.dispose()
        assert len(found) > 50
        assert {(kind, collation) for _, _, kind, collation in found} == {("text", "C")}


def test_opening_again_changes_nothing_and_loads_no_alembic(two: tuple[str, str]) -> None:
    open_storage(two[0]).close()
    program = (
        "import sys; from handrail.foundation.storage import open_storage;"
        "open_storage(sys.argv[1]).close(); print(sorted(name for name in sys.modules if name == 'alembic'))"
    )
    done = subprocess.run([sys.executable, "-c", program, two[0]], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_two_processes_open_a_new_database_at_once(two: tuple[str, str]) -> None:
    program = "import sys; from handrail.foundation.storage import open_storage; open_storage(sys.argv[1]).close()"
    started = [
        subprocess.Popen([sys.executable, "-c", program, two[0]], stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    told = [process.communicate(timeout=60)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], told


def test_a_new_file_is_opened_many_times_at_once(tmp_path: Path) -> None:
    barrier = threading.Barrier(8)

    def opened(path: str) -> None:
        barrier.wait()
        connect(path).close()

    with ThreadPoolExecutor(8) as pool:
        for n in range(60):  # SQLite refuses one of them in some thirteen files
            list(pool.map(opened, [str(tmp_path / f"{n}.db")] * 8))


def test_a_newer_database_is_refused_and_left_alone(two: tuple[str, str]) -> None:
    open_storage(two[0]).close()
    engine = _engine(two[0])
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerDatabase, match="9999") as caught:
        open_storage(two[0])
    assert caught.value.hint
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"
    engine.dispose()


def test_tables_of_somebody_else_are_refused_and_left_alone(two: tuple[str, str]) -> None:
    engine = _engine(two[0])
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE journal_entry (mine INTEGER)"))
    with pytest.raises(StorageFailed, match="journal_entry"):
        open_storage(two[0])
    assert inspect(engine).get_table_names() == ["journal_entry"]  # all of the step or nothing
    engine.dispose()


def test_every_known_step_is_there() -> None:
    assert tuple(STEPS) == KNOWN
