"""SQL of entries, their places, and who has read how far."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import bindparam, func, insert, literal_column, select, text

from handrail.foundation.journal.store.tables import (
    ENTRY_COLUMNS,
    checkpoint,
    cursor,
    entry,
    leaf,
    named,
    names,
    node,
    payload,
)
from handrail.foundation.storage import PerDialect, RowInsert, UnitOfWork, upsert, with_list

_SEQUENCER = 0x4A4F5552  # any number that is ours alone: the advisory lock on PostgreSQL
_ENTRY = RowInsert(entry, "id time actor_kind actor_id actor_name project_id verb objects commitment leaf")
_PAYLOAD = RowInsert(payload, "entry_id salt content")
_SIZE = select(func.max(leaf.c.idx))
_ONE_AT_A_TIME = PerDialect(select(1), select(func.pg_advisory_xact_lock(_SEQUENCER)))
# On SQLite, with its one writer, entries are committed in the order of seq. On PostgreSQL they are not: there an entry
# waits until no transaction that began before its own can still commit, and the order is that of (transaction, seq).
# A database restored into another server brings higher transaction numbers than that server has given so far: then
# the place reached says nothing, and what has its place already is found by looking (rare and slow, never wrong).
_REACHED = PerDialect(
    select(func.max(leaf.c.seq), literal_column("'0'")),
    text(
        "SELECT e.seq, CASE WHEN e.xid >= pg_snapshot_xmax(pg_current_snapshot()) THEN '0' ELSE CAST(e.xid AS text) END"
        " FROM journal_leaf l JOIN journal_entry e ON e.seq = l.seq ORDER BY l.idx DESC LIMIT 1"
    ),
)
_PLACE = PerDialect(
    text(
        "INSERT INTO journal_leaf (idx, seq)"
        " SELECT :size + row_number() OVER (ORDER BY seq) - 1, seq"
        " FROM (SELECT seq FROM journal_entry WHERE seq > :seq ORDER BY seq LIMIT :most)"
    ),
    text(
        "INSERT INTO journal_leaf (idx, seq)"
        " SELECT CAST(:size AS bigint) + row_number() OVER (ORDER BY xid, seq) - 1, seq FROM ("
        "SELECT e.xid, e.seq FROM journal_entry e"
        " WHERE (e.xid, e.seq) > (CAST(:xid AS xid8), CAST(:seq AS bigint))"
        " AND (e.xid < pg_snapshot_xmin(pg_current_snapshot()) OR e.xid >= pg_snapshot_xmax(pg_current_snapshot()))"
        " AND NOT EXISTS (SELECT 1 FROM journal_leaf l WHERE l.seq = e.seq)"
        " ORDER BY e.xid, e.seq LIMIT CAST(:most AS bigint)) w"
    ),
)
_NAME = PerDialect(
    text(f"INSERT OR IGNORE INTO journal_object (kind, object_id, idx) {names('sqlite', ' AND l.idx >= :size')}"),
    text(
        "INSERT INTO journal_object (kind, object_id, idx)"
        f" {names('postgresql', ' AND l.idx >= CAST(:size AS bigint)')} ON CONFLICT DO NOTHING"
    ),
)
_INSERT_NODE = insert(node)
_NODE = select(node.c.hash).where(node.c.level == bindparam("of_level"), node.c.idx == bindparam("of_idx"))
_LEAVES = (
    select(entry.c.leaf)
    .join(leaf, leaf.c.seq == entry.c.seq)
    .where(leaf.c.idx >= bindparam("first"), leaf.c.idx < bindparam("end"))
    .order_by(leaf.c.idx)
)
_JOINED = leaf.join(entry, entry.c.seq == leaf.c.seq).outerjoin(payload, payload.c.entry_id == entry.c.id)
_AFTER = (
    select(*ENTRY_COLUMNS)
    .select_from(_JOINED)
    .where(leaf.c.idx > bindparam("last"))
    .order_by(leaf.c.idx)
    .limit(bindparam("most"))
)
_NAMED = _JOINED.join(named, named.c.idx == leaf.c.idx)
_IN_PROJECT = (
    select(*ENTRY_COLUMNS)
    .select_from(_NAMED)
    .where(
        named.c.kind == "project",
        named.c.object_id == bindparam("project"),
        named.c.idx < bindparam("before"),
        entry.c.project_id == bindparam("project"),
    )
    .limit(bindparam("most"))
)
_RECENT = _IN_PROJECT.order_by(named.c.idx.desc())
_OF_PROJECT = _IN_PROJECT.where(named.c.idx > bindparam("last")).order_by(named.c.idx)
_NAMED_BEFORE = select(named.c.object_id).where(named.c.kind == bindparam("of_kind"), named.c.idx < bindparam("before"))
_NAMED_AMONG = with_list("ids", lambda ids: _NAMED_BEFORE.where(named.c.object_id.in_(ids)).distinct())
_ABOUT = (
    select(*ENTRY_COLUMNS)
    .select_from(_NAMED)
    .where(
        named.c.kind == bindparam("of_kind"),
        named.c.object_id == bindparam("of_object"),
        entry.c.project_id == bindparam("project"),
    )
    .order_by(leaf.c.idx)
    .limit(bindparam("most"))
)
_BY_ID = select(*ENTRY_COLUMNS).select_from(_JOINED).where(entry.c.id == bindparam("by_id"))
_HOLD_READER = PerDialect(
    text("SELECT :of_reader"),
    select(func.pg_advisory_xact_lock(literal_column(str(_SEQUENCER)), func.hashtext(bindparam("of_reader")))),
)
_CURSOR = select(cursor.c.idx).where(cursor.c.reader == bindparam("of_reader"))
_PUT_CURSOR = upsert(cursor, key=["reader"], set=["idx"])
_PUT_CHECKPOINT = insert(checkpoint)
_CHECKPOINT_OF = select(checkpoint.c.note).where(checkpoint.c.size == bindparam("at_size"))
_CHECKPOINTS = select(checkpoint.c.size, checkpoint.c.note, checkpoint.c.time).order_by(checkpoint.c.size)
_UNPLACED = PerDialect(
    select(func.count()).where(entry.c.seq > bindparam("seq")),
    text(
        "SELECT count(*) FROM journal_entry e WHERE (e.xid, e.seq) > (CAST(:xid AS xid8), CAST(:seq AS bigint))"
        " AND NOT EXISTS (SELECT 1 FROM journal_leaf l WHERE l.seq = e.seq)"
    ),
)


def add_entry(
    uow: UnitOfWork,
    *,
    entry_id: str,
    time: int,
    actor: tuple[str, str, str],
    project_id: str | None,
    verb: str,
    objects: str,
    commitment: bytes,
    leaf: bytes,
    salt: bytes,
    content: str,
) -> None:
    """Insert one entry and its payload."""
    uow.later(_ENTRY, (entry_id, time, *actor, project_id, verb, objects, commitment, leaf))
    uow.later(_PAYLOAD, (entry_id, salt, content))


def size(uow: UnitOfWork) -> int:
    """Return how many entries have their place in the tree."""
    last = uow.run(_SIZE).scalar()
    return 0 if last is None else int(last) + 1


def place(uow: UnitOfWork, most: int) -> tuple[int, list[bytes]]:
    """Give at most `most` waiting entries their place; returns the size before and the leaves that were added.

    An entry gets its place when nothing can come before it any more.
    """
    uow.run(_ONE_AT_A_TIME)
    before = size(uow)
    seq, xid = uow.run(_REACHED).first() or (0, "0")
    if uow.run(_PLACE, size=before, seq=seq or 0, xid=xid, most=most).rowcount == 0:
        return before, []
    uow.add(_NAME, size=before)
    return before, get_leaves(uow, before, before + most)


def add_nodes(uow: UnitOfWork, nodes: list[tuple[int, int, bytes]]) -> None:
    """Keep complete subtrees (level, index, hash)."""
    uow.add_all(_INSERT_NODE, [{"level": level, "idx": index, "hash": value} for level, index, value in nodes])


def get_leaves(uow: UnitOfWork, first: int, end: int) -> list[bytes]:
    """Return the leaf hashes with index first to end - 1."""
    return [hashed for (hashed,) in uow.run(_LEAVES, first=first, end=end).all()]


def get_node(uow: UnitOfWork, level: int, index: int) -> bytes | None:
    """Return the hash of a complete subtree that is kept."""
    found = uow.run(_NODE, of_level=level, of_idx=index).scalar()
    return None if found is None else bytes(found)


def after(uow: UnitOfWork, last: int, most: int) -> list[tuple[Any, ...]]:
    """Return rows of entries after an index, in order."""
    return uow.run(_AFTER, last=last, most=most).all()


def recent(uow: UnitOfWork, project_id: str, before: int, most: int) -> list[tuple[Any, ...]]:
    """Return rows of a project's entries, newest first, below an index."""
    return uow.run(_RECENT, project=project_id, before=before, most=most).all()


def of_project(uow: UnitOfWork, project_id: str, last: int, before: int, most: int) -> list[tuple[Any, ...]]:
    """Return rows of a project's entries between two indices, both left out, in order."""
    return uow.run(_OF_PROJECT, project=project_id, last=last, before=before, most=most).all()


def named_among(uow: UnitOfWork, kind: str, ids: list[str], before: int) -> set[str]:
    """Return which of these objects an entry below an index names."""
    return {row[0] for row in uow.run(_NAMED_AMONG, of_kind=kind, ids=json.dumps(ids), before=before).all()}


def about(uow: UnitOfWork, project_id: str, kind: str, object_id: str, most: int) -> list[tuple[Any, ...]]:
    """Return rows of the entries that name an object, in order."""
    return uow.run(_ABOUT, project=project_id, of_kind=kind, of_object=object_id, most=most).all()


def by_id(uow: UnitOfWork, entry_id: str) -> tuple[Any, ...] | None:
    """Return the row of one entry that has its place."""
    return uow.run(_BY_ID, by_id=entry_id).first()


def unplaced(uow: UnitOfWork) -> int:
    """Return how many entries wait for their place."""
    seq, xid = uow.run(_REACHED).first() or (0, "0")
    return int(uow.run(_UNPLACED, seq=seq or 0, xid=xid).scalar() or 0)


def get_cursor(uow: UnitOfWork, reader: str) -> int:
    """Return the index of the last entry that a reader has acted on, -1 at first."""
    found = uow.run(_CURSOR, of_reader=reader).scalar()
    return -1 if found is None else int(found)


def hold_reader(uow: UnitOfWork, reader: str) -> None:
    """Wait until nobody else moves this reader, and keep it so until the unit ends; SQLite has one writer anyway."""
    uow.run(_HOLD_READER, of_reader=reader)


def put_cursor(uow: UnitOfWork, reader: str, index: int) -> None:
    """Remember how far a reader is."""
    uow.add(_PUT_CURSOR, reader=reader, idx=index)


def checkpoint_at(uow: UnitOfWork, at_size: int) -> str | None:
    """Return the signed checkpoint of a size."""
    found = uow.run(_CHECKPOINT_OF, at_size=at_size).scalar()
    return None if found is None else str(found)


def add_checkpoint(uow: UnitOfWork, at_size: int, note: str, time: int) -> None:
    """Keep the signed checkpoint of a size."""
    uow.add(_PUT_CHECKPOINT, size=at_size, note=note, time=time)


def checkpoints(uow: UnitOfWork) -> list[tuple[int, str, int]]:
    """Return (size, note, time) of every checkpoint, smallest first."""
    return [(int(at), note, int(time)) for at, note, time in uow.run(_CHECKPOINTS).all()]
