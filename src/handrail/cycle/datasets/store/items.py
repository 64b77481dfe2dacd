"""SQL of items."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, bindparam, cast, func, literal_column, select, update

from handrail.cycle.datasets.model import Item
from handrail.cycle.datasets.store.tables import item, label_current
from handrail.foundation.actors import Scope
from handrail.foundation.clock import from_micros
from handrail.foundation.storage import UnitOfWork, insert_or_ignore, with_list

_COLUMNS = [
    item.c[name]
    for name in ["id", "seq", "external_id", "digest", "data", "subject", "groups", "observed_at", "created_at", "salt"]
]
_IN_PROJECT = item.c.project_id == bindparam("project")
# Written out, not bound: only so does the planner see that the small index of waiting rows serves.
_IS_WAITING = item.c.committed == literal_column("0")
_LABELLED = (
    select(label_current.c.item_seq)
    .where(
        label_current.c.project_id == bindparam("project"),
        label_current.c.question == bindparam("asked"),
        label_current.c.item_seq == item.c.seq,
        label_current.c.label_id != literal_column("''"),
    )
    .exists()
)

_INSERT = insert_or_ignore(item, returning=[item.c.seq])
_INSERT_MANY = insert_or_ignore(item)
_BY_ID = select(*_COLUMNS).where(_IN_PROJECT, item.c.id == bindparam("item_id"))
_BY_NAME = select(*_COLUMNS).where(_IN_PROJECT, item.c.external_id == bindparam("name"))
_PLACES = with_list(
    "names",
    lambda names: select(item.c.external_id, item.c.id, item.c.seq).where(
        item.c.project_id == bindparam("project"), item.c.external_id.in_(names)
    ),
)
_BY_IDS = with_list(
    "ids", lambda ids: select(*_COLUMNS).where(item.c.project_id == bindparam("project"), item.c.id.in_(ids))
)
_SEQS = with_list(
    "ids",
    lambda ids: select(item.c.id, item.c.seq).where(item.c.project_id == bindparam("project"), item.c.id.in_(ids)),
)
_NAMES = with_list(
    "seqs",
    lambda seqs: select(item.c.digest, item.c.id, item.c.external_id).where(
        item.c.project_id == bindparam("project"), item.c.seq.in_(select(cast(seqs.subquery().c.value, BigInteger)))
    ),
)
_PAGE = (
    select(*_COLUMNS).where(_IN_PROJECT, item.c.seq > bindparam("after")).order_by(item.c.seq).limit(bindparam("limit"))
)
_WAITING = (
    select(*_COLUMNS)
    .where(_IN_PROJECT, _IS_WAITING, item.c.seq > bindparam("after"), item.c.seq <= bindparam("until"))
    .order_by(item.c.seq)
    .limit(bindparam("limit"))
)
_SEQ_OF = select(item.c.seq).where(_IN_PROJECT, item.c.id == bindparam("item_id"))
_LAST_SEQ = select(func.max(item.c.seq)).where(_IN_PROJECT)
_LAST_WAITING = select(func.max(item.c.seq)).where(_IN_PROJECT, _IS_WAITING)
_COUNT = select(func.count()).select_from(item).where(_IN_PROJECT)
_COUNT_WAITING = select(func.count()).select_from(item).where(_IN_PROJECT, _IS_WAITING)
_UNLABELLED = (
    select(*_COLUMNS)
    .where(_IN_PROJECT, item.c.seq > bindparam("after"), item.c.seq <= bindparam("until"), ~_LABELLED)
    .order_by(item.c.seq)
)
_UNLABELLED_IDS = (
    select(item.c.id).where(_IN_PROJECT, item.c.seq <= bindparam("until"), ~_LABELLED).order_by(item.c.seq)
)
_MARK = (
    update(item)
    .where(_IN_PROJECT, _IS_WAITING, item.c.seq <= bindparam("until"))
    .values(committed=bindparam("now_committed"))
)

_END = (1 << 63) - 1


def read_item(row: tuple[Any, ...]) -> Item:
    """Return the item of a row of the item columns."""
    id_, seq, external_id, digest, data, subject, groups, observed, created, _ = row
    return Item(
        id=id_,
        seq=seq,
        external_id=external_id,
        digest=digest,
        data=json.loads(data),
        subject=subject,
        group={} if groups == "{}" else json.loads(groups),
        observed_at=None if observed is None else from_micros(observed),
        created_at=from_micros(created),
    )


def insert_item(uow: UnitOfWork, row: dict[str, Any]) -> int | None:
    """Insert one item and return its seq, or None when its external id is taken."""
    seq: int | None = uow.run(_INSERT, **row).scalar()
    return seq


def keep_item(uow: UnitOfWork, row: dict[str, Any]) -> bool:
    """Insert one item; False when its external id is taken. Asking for its seq as well costs half as much again."""
    return uow.glance(_INSERT_MANY, **row).rowcount == 1


def insert_items(uow: UnitOfWork, rows: Sequence[dict[str, Any]]) -> None:
    """Insert the items whose external id is not taken."""
    uow.add_all(_INSERT_MANY, rows)


def get_item(uow: UnitOfWork, scope: Scope, item_id: str) -> Item | None:
    """Return the item of this id."""
    row = uow.run(_BY_ID, project=scope.project_id, item_id=item_id).first()
    return None if row is None else read_item(row)


def item_named(uow: UnitOfWork, scope: Scope, external_id: str) -> Item | None:
    """Return the item of this external id."""
    row = uow.run(_BY_NAME, project=scope.project_id, name=external_id).first()
    return None if row is None else read_item(row)


def places_of(uow: UnitOfWork, scope: Scope, names: Sequence[str]) -> dict[str, tuple[str, int]]:
    """Return external id -> (id, seq) of those items that are there."""
    text = json.dumps(list(names), ensure_ascii=False)
    return {row[0]: (row[1], row[2]) for row in uow.run(_PLACES, project=scope.project_id, names=text).all()}


def items_of(uow: UnitOfWork, scope: Scope, ids: Sequence[str]) -> dict[str, Item]:
    """Return id -> item of those that are there."""
    rows = uow.run(_BY_IDS, project=scope.project_id, ids=json.dumps(list(ids))).all()
    return {row[0]: read_item(row) for row in rows}


def page_of_items(uow: UnitOfWork, scope: Scope, after: int, limit: int) -> list[Item]:
    """Return items in the order of insertion, those behind seq `after`."""
    return [read_item(row) for row in uow.run(_PAGE, project=scope.project_id, after=after, limit=limit).all()]


def seq_of(uow: UnitOfWork, scope: Scope, item_id: str) -> int | None:
    """Return the seq of an item, or None."""
    seq: int | None = uow.run(_SEQ_OF, project=scope.project_id, item_id=item_id).scalar()
    return seq


def seqs_of(uow: UnitOfWork, scope: Scope, ids: Sequence[str]) -> dict[str, int]:
    """Return id -> seq of those items that are there."""
    return {row[0]: row[1] for row in uow.run(_SEQS, project=scope.project_id, ids=json.dumps(list(ids))).all()}


def names_at(uow: UnitOfWork, scope: Scope, seqs: Sequence[int]) -> dict[str, tuple[str, str]]:
    """Return digest -> (id, external id) of the items of these seqs."""
    rows = uow.run(_NAMES, project=scope.project_id, seqs=json.dumps(list(seqs))).all()
    return {row[0]: (row[1], row[2]) for row in rows}


def last_seq(uow: UnitOfWork, scope: Scope) -> int:
    """Return the seq of the newest item, 0 when there is none."""
    return int(uow.run(_LAST_SEQ, project=scope.project_id).scalar() or 0)


def unlabelled(uow: UnitOfWork, scope: Scope, question: str, until: int | None) -> list[Item]:
    """Return the items without a label for the question, in the order of insertion, up to seq `until`."""
    last = _END if until is None else until
    rows = uow.run(_UNLABELLED, project=scope.project_id, asked=question, after=0, until=last).all()
    return [read_item(row) for row in rows]


def unlabelled_ids(uow: UnitOfWork, scope: Scope, question: str, until: int | None) -> list[str]:
    """Return the ids of those items, in the order of insertion."""
    last = _END if until is None else until
    return [row[0] for row in uow.run(_UNLABELLED_IDS, project=scope.project_id, asked=question, until=last).all()]


def count_items(uow: UnitOfWork, scope: Scope) -> tuple[int, int]:
    """Return (all items, those that the branch main does not hold yet)."""
    total = uow.run(_COUNT, project=scope.project_id).scalar()
    return int(total), int(uow.run(_COUNT_WAITING, project=scope.project_id).scalar())


# For commits


def last_waiting_seq(uow: UnitOfWork, scope: Scope) -> int:
    """Return the seq of the newest item that the branch main does not hold, 0 when it holds all."""
    return int(uow.run(_LAST_WAITING, project=scope.project_id).scalar() or 0)


def waiting_items(uow: UnitOfWork, scope: Scope, after: int, until: int, limit: int) -> list[tuple[Item, bytes | None]]:
    """Return (item, salt) of items that the branch main does not hold, in the order of insertion."""
    rows = uow.run(_WAITING, project=scope.project_id, after=after, until=until, limit=limit).all()
    return [(read_item(row), row[9]) for row in rows]


def salted_items(uow: UnitOfWork, scope: Scope, after: int, limit: int) -> list[tuple[Item, bytes | None]]:
    """Return (item, salt) of all items, in the order of insertion."""
    rows = uow.run(_PAGE, project=scope.project_id, after=after, limit=limit).all()
    return [(read_item(row), row[9]) for row in rows]


def mark_items(uow: UnitOfWork, scope: Scope, until: int) -> int:
    """Mark the waiting items up to seq `until` as committed and return how many there were."""
    return uow.run(_MARK, project=scope.project_id, until=until, now_committed=1).rowcount
