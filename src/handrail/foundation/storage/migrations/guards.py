"""What the journal's tables need beside columns: rows that stay as they are, and an order of commits."""

from __future__ import annotations

from collections.abc import Sequence

from alembic.operations import Operations
from sqlalchemy import Text, text

from handrail.foundation.storage.postgres_wire import APPEND_ONLY as CODE
from handrail.foundation.storage.sqlite_unit import APPEND_ONLY as WORDS

TEXT = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that sorts by its bytes on both databases, and is as long as it is."""

_FUNCTION = f"""
CREATE OR REPLACE FUNCTION handrail_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is {WORDS}', TG_TABLE_NAME USING ERRCODE = '{CODE}'; END $$
"""


def append_only(op: Operations, table: str, *keys: Sequence[str], erasable: bool = False) -> None:
    """Refuse every change of a row, its removal unless it is `erasable`, and an INSERT over it.

    `keys` are the sets of columns by which SQLite's INSERT OR REPLACE finds a row: it removes that row without asking
    the delete trigger where `recursive_triggers` is off. On PostgreSQL an INSERT over a row is an UPDATE.
    """
    verbs = ("UPDATE",) if erasable else ("UPDATE", "DELETE")
    if op.get_bind().dialect.name == "postgresql":
        each = f"BEFORE {' OR '.join(verbs)} ON {table} FOR EACH ROW"
        op.execute(text(_FUNCTION))
        op.execute(text(f"CREATE TRIGGER {table}_guard {each} EXECUTE FUNCTION handrail_append_only()"))
        if not erasable:
            whole = f"BEFORE TRUNCATE ON {table} FOR EACH STATEMENT"
            op.execute(text(f"CREATE TRIGGER {table}_guard_all {whole} EXECUTE FUNCTION handrail_append_only()"))
        return
    # ABORT and not ROLLBACK: the other units of the same transaction must live.
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is {WORDS}'); END"
    for verb in verbs:
        op.execute(text(f"CREATE TRIGGER {table}_guard_{verb.lower()} BEFORE {verb} ON {table} {refuse}"))
    if keys:
        same = [" AND ".join(f"{column} = NEW.{column}" for column in key) for key in keys]
        there = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {one})" for one in same)  # noqa: S608 - our own names
        op.execute(text(f"CREATE TRIGGER {table}_guard_insert BEFORE INSERT ON {table} WHEN {there} {refuse}"))


def commit_order(op: Operations, table: str, key: str) -> None:
    """Let a reader follow a table in an order in which nothing appears behind it, on PostgreSQL.

    There the order of keys is not the order of commits. A row keeps the transaction that wrote it, `xid`; all rows of
    transactions below pg_snapshot_xmin are there for good. SQLite has one writer and needs none of this.
    """
    if op.get_bind().dialect.name == "postgresql":
        op.execute(text(f"ALTER TABLE {table} ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id()"))
        op.execute(text(f"CREATE INDEX {table}_commit_order ON {table} (xid, {key})"))
