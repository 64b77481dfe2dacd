"""Tables of the journal."""

from __future__ import annotations

from typing import Literal, get_args

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, Text

from handrail.foundation.storage import metadata

entry = Table(
    "journal_entry",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("time", BigInteger, nullable=False),
    Column("actor_kind", String(16), nullable=False),
    Column("actor_id", String(64), nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("project_id", String(36)),
    Column("verb", String(64), nullable=False),
    Column("objects", Text, nullable=False),
    Column("commitment", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
)

payload = Table(
    "journal_payload",
    metadata,
    Column("entry_id", String(36), primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    Column("content", Text, nullable=False),
    sqlite_with_rowid=False,
)

leaf = Table(
    "journal_leaf",
    metadata,
    Column("idx", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False, unique=True),
)

node = Table(
    "journal_node",
    metadata,
    Column("level", Integer, primary_key=True),
    Column("idx", BigInteger, primary_key=True),
    Column("hash", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

named = Table(
    "journal_object",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("object_id", String(64), primary_key=True),
    Column("idx", BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)

checkpoint = Table(
    "journal_checkpoint",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
)

cursor = Table(
    "journal_cursor",
    metadata,
    Column("reader", String(64), primary_key=True),
    Column("idx", BigInteger, nullable=False),
)

ENTRY_COLUMNS = (
    leaf.c.idx,
    entry.c.id,
    entry.c.time,
    entry.c.actor_kind,
    entry.c.actor_id,
    entry.c.actor_name,
    entry.c.project_id,
    entry.c.verb,
    entry.c.objects,
    payload.c.content,
    entry.c.commitment,
    payload.c.salt,
)
"""What readers get of an entry that has its place."""

Kind = Literal["decision"]
FOUND_BY: tuple[Kind, ...] = get_args(Kind)
"""Kinds of objects by which an entry is found, beside its project. Each costs the sequencer a row for every entry that
names one, so only what somebody looks up stands here; a new kind needs a migration that lists what is there already."""

_PLACED = "FROM journal_leaf l JOIN journal_entry e ON e.seq = l.seq"
# Only what has a place is parsed (CASE): an entry that still waits may be damaged, and must not spoil the others' list.
_KEYS = {
    dialect: {"project": "e.project_id"}
    | {kind: f"CASE WHEN l.idx >= 0 THEN {parsed.format(kind)} END" for kind in FOUND_BY}
    for dialect, parsed in (
        ("sqlite", "json_extract(e.objects, '$.{}')"),
        ("postgresql", "CAST(e.objects AS jsonb) ->> '{}'"),
    )
}


def names(dialect: str, of: str = "") -> str:
    """Return SQL of every (kind, object_id, idx) by which placed entries are found; `of` is one more condition."""
    return " UNION ALL ".join(
        f"SELECT '{kind}' AS kind, {value} AS object_id, l.idx AS idx {_PLACED} WHERE {value} IS NOT NULL{of}"
        for kind, value in _KEYS[dialect].items()
    )
