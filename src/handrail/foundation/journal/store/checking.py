"""SQL of the check of everything that is stored."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import bindparam, exists, select, text

from handrail.foundation.journal.store.tables import (
    ENTRY_COLUMNS,
    entry,
    leaf,
    names,
    node,
    payload,
)
from handrail.foundation.storage import PerDialect, UnitOfWork

_WHOLE_ENTRY = (*ENTRY_COLUMNS[1:], entry.c.leaf)
_PLACED = (
    select(leaf.c.idx, *_WHOLE_ENTRY)
    .select_from(leaf.outerjoin(entry, entry.c.seq == leaf.c.seq).outerjoin(payload, payload.c.entry_id == entry.c.id))
    .where(leaf.c.idx > bindparam("last"))
    .order_by(leaf.c.idx)
    .limit(bindparam("most"))
)
_HAS_PLACE = exists().where(leaf.c.seq == entry.c.seq)
_WITHOUT_PLACE = (
    select(entry.c.seq, *_WHOLE_ENTRY)
    .select_from(entry.outerjoin(payload, payload.c.entry_id == entry.c.id))
    .where(entry.c.seq > bindparam("last"), ~_HAS_PLACE)
    .order_by(entry.c.seq)
    .limit(bindparam("most"))
)
_ID_WITHOUT_PLACE = select(entry.c.id).where(~_HAS_PLACE).order_by(entry.c.seq).limit(1)
_ID_WITHOUT_ENTRY = (
    select(payload.c.entry_id)
    .where(~exists().where(entry.c.id == payload.c.entry_id))
    .order_by(payload.c.entry_id)
    .limit(1)
)
_LOST_PAYLOAD = (
    select(payload.c.salt, payload.c.content)
    .where(~exists().where(entry.c.id == payload.c.entry_id))
    .order_by(payload.c.entry_id)
    .limit(1)
)
_OF_COMMITMENT = (
    select(entry.c.id, leaf.c.idx)
    .select_from(entry.outerjoin(leaf, leaf.c.seq == entry.c.seq))
    .where(entry.c.commitment == bindparam("of_commitment"))
    .limit(1)
)
_ID_AT = select(entry.c.id).join(leaf, leaf.c.seq == entry.c.seq).where(leaf.c.idx == bindparam("of_idx"))
_NODES = (
    select(node.c.level, node.c.idx, node.c.hash)
    .where(
        (node.c.level > bindparam("after_level"))
        | ((node.c.level == bindparam("after_level")) & (node.c.idx > bindparam("after_idx")))
    )
    .order_by(node.c.level, node.c.idx)
    .limit(bindparam("most"))
)

_NAMES = tuple(names(dialect) for dialect in ("sqlite", "postgresql"))
_NOT_FOUND = PerDialect(
    *(
        text(
            f"SELECT n.idx FROM ({made}) n WHERE NOT EXISTS (SELECT 1 FROM journal_object o"  # noqa: S608 - our names
            " WHERE o.kind = n.kind AND o.object_id = n.object_id AND o.idx = n.idx) ORDER BY n.idx LIMIT 1"
        )
        for made in _NAMES
    )
)
_FOUND_TOO_OFTEN = PerDialect(
    *(
        text(f"SELECT (SELECT count(*) FROM journal_object) - (SELECT count(*) FROM ({made}) n)")  # noqa: S608
        for made in _NAMES
    )
)
_FOUND_BY_OTHER = PerDialect(
    *(
        text(
            f"SELECT o.idx FROM journal_object o WHERE NOT EXISTS (SELECT 1 FROM ({made}) n"  # noqa: S608
            " WHERE n.idx = o.idx AND n.kind = o.kind AND n.object_id = o.object_id) ORDER BY o.idx LIMIT 1"
        )
        for made in _NAMES
    )
)


def placed_rows(uow: UnitOfWork, last: int, most: int) -> list[tuple[Any, ...]]:
    """Return places after an index with the whole entry and its leaf hash; a missing entry is all None."""
    return uow.run(_PLACED, last=last, most=most).all()


def waiting_rows(uow: UnitOfWork, last: int, most: int) -> list[tuple[Any, ...]]:
    """Return whole entries that have no place, after a seq, which stands where an index would."""
    return uow.run(_WITHOUT_PLACE, last=last, most=most).all()


def id_without(uow: UnitOfWork, missing: Literal["place", "entry"]) -> str | None:
    """Return the id of the first entry that has no place, or of the first payload that has no entry."""
    found = uow.run(_ID_WITHOUT_PLACE if missing == "place" else _ID_WITHOUT_ENTRY).scalar()
    return None if found is None else str(found)


def lost_payload(uow: UnitOfWork) -> tuple[Any, Any] | None:
    """Return (salt, content) of the first payload whose entry is not there."""
    found = uow.run(_LOST_PAYLOAD).first()
    return None if found is None else (found[0], found[1])


def of_commitment(uow: UnitOfWork, commitment: bytes) -> tuple[str | None, int | None]:
    """Return (id, index) of the entry with this commitment, as far as there is one."""
    found = uow.run(_OF_COMMITMENT, of_commitment=commitment).first()
    return (None, None) if found is None else (str(found[0]), None if found[1] is None else int(found[1]))


def id_at(uow: UnitOfWork, index: int) -> str | None:
    """Return the id of the entry at an index."""
    found = uow.run(_ID_AT, of_idx=index).scalar()
    return None if found is None else str(found)


def all_nodes(uow: UnitOfWork, after_level: int, after_idx: int, most: int) -> list[tuple[int, int, bytes]]:
    """Return stored subtrees after a (level, index), in order."""
    rows = uow.run(_NODES, after_level=after_level, after_idx=after_idx, most=most).all()
    return [(int(level), int(index), bytes(value)) for level, index, value in rows]


def misnamed(uow: UnitOfWork) -> int | None:
    """Return the index of the first entry that is not found by something it names, or is found by something else."""
    missing = uow.run(_NOT_FOUND).scalar()
    if missing is None and uow.run(_FOUND_TOO_OFTEN).scalar():
        missing = uow.run(_FOUND_BY_OTHER).scalar()
    return None if missing is None else int(missing)
