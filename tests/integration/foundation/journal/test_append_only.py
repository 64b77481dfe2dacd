"""The guards of the journal's tables: what is written stays, by whatever statement somebody tries."""

from __future__ import annotations

import sqlite3
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from handrail.foundation.storage.failures import AppendOnly, Duplicate
from tests.integration.foundation.journal.log import Log

KEYS = {"entry": ("seq", "id"), "leaf": ("idx", "seq"), "node": ("level", "idx"), "checkpoint": ("size",)}
COLUMNS = {
    "entry": "seq, id, time, actor_kind, actor_id, actor_name, project_id, verb, objects, commitment, leaf",
    "leaf": "idx, seq",
    "node": "level, idx, hash",
    "checkpoint": "size, note, time",
    "payload": "entry_id, salt, content",
}
CHANGED = {"entry": "verb", "leaf": "seq", "node": "hash", "checkpoint": "note", "payload": "content"}


@pytest.fixture
def full(log: Log) -> Log:
    """Return a journal with rows in every table."""
    log.fill(40)
    log.prover.checkpoint()
    return log


def _content(log: Log) -> dict[str, Any]:
    return {
        table: log.execute(f"SELECT {columns} FROM journal_{table} ORDER BY {columns}")
        for table, columns in COLUMNS.items()
    }


def _over(table: str) -> str:
    """Return the tail of an INSERT of a row that is there, in everything but what its table keeps."""
    values = ", ".join(
        f"{column} || {column}" if column in ("verb", "note", "content") else column
        for column in COLUMNS[table].split(", ")
    )
    return f"INTO journal_{table} ({COLUMNS[table]}) SELECT {values} FROM journal_{table} LIMIT 1"


@pytest.mark.parametrize("table", ["entry", "leaf", "node", "checkpoint"])
def test_rows_cannot_be_changed_removed_or_written_over(full: Log, table: str) -> None:
    before = _content(full)
    assert before[table]
    changed, key = CHANGED[table], KEYS[table][-1]
    tried = [
        f"UPDATE journal_{table} SET {changed} = {changed}",
        f"UPDATE journal_{table} SET {key} = {key} + 1000" if table != "entry" else "UPDATE journal_entry SET id = 'x'",
        f"DELETE FROM journal_{table}",
        f"INSERT {_over(table)}",
    ]
    conflict = ", ".join(KEYS[table][:1] if table in ("entry", "leaf") else KEYS[table])
    upsert = f"ON CONFLICT ({conflict}) DO UPDATE SET {changed} = EXCLUDED.{changed}"
    if full.storage.dialect == "sqlite":
        tried += [f"INSERT OR REPLACE {_over(table)}", f"REPLACE {_over(table)}", f"INSERT {_over(table)} {upsert}"]
        tried[-1] = tried[-1].replace(" LIMIT 1", " WHERE true LIMIT 1")  # else ON is taken for a join
    else:
        tried += [f"TRUNCATE journal_{table}", f"INSERT {_over(table)} {upsert}"]
    for statement in tried:
        with pytest.raises((AppendOnly, Duplicate)) as caught:
            full.storage.write(lambda uow, statement=statement: uow.run(text(statement)))  # type: ignore[misc]
        plain = statement == f"INSERT {_over(table)}"
        assert plain or isinstance(caught.value, AppendOnly), statement
        assert _content(full) == before, statement
    assert full.prover.verify().ok


@pytest.mark.parametrize("storage_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("table", ["entry", "leaf", "node", "checkpoint"])
def test_a_connection_that_forgot_its_settings_cannot_either(full: Log, table: str) -> None:
    """REPLACE removes a row without asking the delete guard where recursive_triggers is off, as it is by default."""
    before = _content(full)
    beside = sqlite3.connect(full.storage.url.removeprefix("sqlite:///"), isolation_level=None)
    assert beside.execute("PRAGMA recursive_triggers").fetchone() == (0,)
    changed = CHANGED[table]
    tried = [f"INSERT OR {how} {_over(table)}" for how in ("REPLACE", "FAIL", "ABORT", "ROLLBACK")]
    tried += [f"UPDATE OR REPLACE journal_{table} SET {changed} = {changed}", f"DELETE FROM journal_{table}"]
    for other in KEYS[table]:
        # The same row under another key: found by its other unique columns alone.
        if len(KEYS[table]) == 2 and table in ("entry", "leaf"):
            shifted = _over(table).replace(f"SELECT {other},", f"SELECT {other} + 1000,", 1)
            tried.append(f"INSERT OR REPLACE {shifted}")
    for statement in tried:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            beside.execute(statement)
        assert _content(full) == before, statement
    beside.close()


def test_a_payload_can_be_erased_but_not_changed(full: Log) -> None:
    before = _content(full)
    for statement in ("UPDATE journal_payload SET content = 'x'", "UPDATE journal_payload SET salt = salt"):
        with pytest.raises(AppendOnly):
            full.storage.write(lambda uow, statement=statement: uow.run(text(statement)))  # type: ignore[misc]
    assert _content(full) == before
    full.storage.write(lambda uow: uow.run(text("DELETE FROM journal_payload")))
    assert full.prover.verify().ok


def test_a_payload_that_is_written_anew_is_found(full: Log) -> None:
    """Erasing must be possible, so no guard can see a new content come; the commitment in the entry does."""
    entry_id, salt = full.execute("SELECT entry_id, salt FROM journal_payload ORDER BY entry_id LIMIT 1")[0]
    full.execute("DELETE FROM journal_payload WHERE entry_id = :id", id=entry_id)
    full.execute(
        "INSERT INTO journal_payload (entry_id, salt, content) VALUES (:id, :salt, :content)",
        id=entry_id,
        salt=bytes(salt),
        content='{"note":"","number":1}',
    )
    found = full.prover.verify()
    assert (found.ok, found.entry_id, found.index) == (False, entry_id, 0)


@pytest.mark.parametrize("storage_url", ["postgresql"], indirect=True)
def test_the_guards_hold_on_a_connection_of_somebody_else(full: Log) -> None:
    with psycopg.connect(full.storage.url, autocommit=True) as beside:
        for table in KEYS:
            for verb in (
                f"DELETE FROM journal_{table}",
                f"TRUNCATE journal_{table}",
                f"TRUNCATE journal_{table} CASCADE",
            ):
                with pytest.raises(psycopg.Error, match="append-only"):
                    beside.execute(verb.encode())
