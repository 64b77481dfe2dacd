"""SQL of labels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import and_, bindparam, case, func, literal_column, select, update

from handrail.cycle.datasets.model import (
    Label,
)
from handrail.cycle.datasets.store.held import hold, let_go, told_by_recall
from handrail.cycle.datasets.store.tables import item, label, label_current
from handrail.foundation.actors import Scope
from handrail.foundation.canonical import encode
from handrail.foundation.clock import from_micros, micros
from handrail.foundation.storage import RowInsert, UnitOfWork, upsert

_COLUMNS = [
    label.c[name]
    for name in [
        "id",
        "item_id",
        "question",
        "value",
        "source",
        "purpose",
        "probability",
        "task_id",
        "actor_kind",
        "actor_id",
        "actor_name",
        "reason",
        "created_at",
    ]
]
_old = label.alias("old_label")
_CURRENT = label_current.c.project_id == bindparam("project")
# Written out, not bound: only so does the planner see that the small index of waiting rows serves.
_IS_WAITING = label_current.c.waiting == literal_column("1")
_NEW_OF = and_(label.c.project_id == label_current.c.project_id, label.c.id == label_current.c.label_id)
_OLD_OF = and_(_old.c.project_id == label_current.c.project_id, _old.c.id == label_current.c.committed_id)

_INSERT = RowInsert(
    label,
    "id project_id item_id question value source purpose probability task_id actor_kind actor_id actor_name reason"
    " created_at",
)
_PUT_CURRENT = upsert(label_current, key=["project_id", "question", "item_seq"], set=["label_id", "waiting"])
_ALL = (
    select(*_COLUMNS)
    .join_from(label_current, label, _NEW_OF)
    .where(_CURRENT, label_current.c.question == bindparam("asked"))
    .order_by(label_current.c.item_seq)
)
_FOR = _ALL.where(label.c.purpose == bindparam("wanted"))
_ONE = (
    select(*_COLUMNS)
    .join_from(label_current, label, _NEW_OF)
    .join(item, item.c.seq == label_current.c.item_seq)
    .where(_CURRENT, label_current.c.question == bindparam("asked"), item.c.id == bindparam("item_id"))
)
_OF_ITEMS = (
    select(label_current.c.item_seq, label_current.c.question, label.c.value)
    .join_from(label_current, label, _NEW_OF)
    .where(
        _CURRENT,
        label_current.c.question == bindparam("asked"),
        label_current.c.item_seq > bindparam("after"),
        label_current.c.item_seq <= bindparam("until"),
    )
)
_PAGE = (
    select(label_current.c.item_seq, *_COLUMNS)
    .join_from(label_current, label, _NEW_OF)
    .where(
        _CURRENT,
        label_current.c.question == bindparam("asked"),
        label_current.c.item_seq > bindparam("after"),
    )
    .order_by(label_current.c.item_seq)
    .limit(bindparam("limit"))
)
_HISTORY = (
    select(*_COLUMNS)
    .where(
        label.c.project_id == bindparam("project"),
        label.c.item_id == bindparam("item_id"),
        label.c.question == bindparam("asked"),
    )
    .order_by(label.c.id)
)
_COUNT = (
    select(label_current.c.question, func.count())
    .where(_CURRENT, label_current.c.label_id != "")
    .group_by(label_current.c.question)
)
_COUNT_WAITING = (
    select(label_current.c.question, label.c.purpose, func.count())
    .join_from(label_current, label, _NEW_OF)
    .where(_CURRENT, _IS_WAITING)
    .group_by(label_current.c.question, label.c.purpose)
)
_DELTA_COLUMNS = [
    item.c.digest,
    label_current.c.item_seq,
    label_current.c.question,
    label_current.c.label_id,
    label_current.c.committed_id,
    label.c.value,
    label.c.purpose,
    label.c.source,
    label.c.probability,
    label.c.actor_kind,
    label.c.actor_id,
    label.c.reason,
    _old.c.value,
    _old.c.purpose,
]
_DELTA = (
    select(*_DELTA_COLUMNS)
    .join_from(label_current, item, item.c.seq == label_current.c.item_seq)
    .outerjoin(label, _NEW_OF)
    .outerjoin(_old, _OLD_OF)
    .order_by(label_current.c.question, label_current.c.item_seq)
)
_WAITING = _DELTA.where(_CURRENT, _IS_WAITING)
_EVERY = _DELTA.where(_CURRENT)
_MARK = (
    update(label_current)
    .where(
        _CURRENT,
        label_current.c.question == bindparam("asked"),
        label_current.c.item_seq == bindparam("seq"),
    )
    .values(
        committed_id=bindparam("now_committed"),
        # A label that came in meanwhile goes on waiting.
        waiting=case((label_current.c.label_id == bindparam("now_committed"), 0), else_=1),
    )
)


@dataclass(frozen=True, slots=True)
class Standing:
    """A current label as a commit needs it, with the value and purpose that the branch main holds.

    Where all labels were withdrawn, `label_id` is empty, the value is None, and actor and reason are the recall's.
    """

    digest: str
    item_seq: int
    question: str
    label_id: str
    committed_id: str | None
    value: Any
    purpose: str | None
    source: str
    probability: float | None
    actor_kind: str
    actor_id: str
    reason: str
    old: Any
    old_purpose: str | None


def _label(row: tuple[Any, ...]) -> Label:
    id_, item_id, question, value, source, purpose, probability, task_id, kind, actor, name, reason, created = row
    return Label(
        id=id_,
        item_id=item_id,
        question=question,
        value=json.loads(value),
        source=source,
        purpose=purpose,
        probability=probability,
        task_id=task_id,
        actor_kind=kind,
        actor_id=actor,
        actor_name=name,
        reason=reason,
        created_at=from_micros(created),
    )


def _standing(row: tuple[Any, ...]) -> Standing:
    digest, seq, question, label_id, committed, value, purpose, source, chance, kind, actor, reason, *before = row
    old, old_purpose = before
    return Standing(
        digest=digest,
        item_seq=seq,
        question=question,
        label_id=label_id,
        committed_id=committed,
        value=None if value is None else json.loads(value),
        purpose=purpose,
        source=source or "recall",
        probability=chance,
        actor_kind=kind or "",
        actor_id=actor or "",
        reason=reason or "",
        old=None if old is None else json.loads(old),
        old_purpose=old_purpose,
    )


def told(uow: UnitOfWork, scope: Scope, found: list[Standing]) -> list[Standing]:
    """Return the labels, with who withdrew them where none is left, and why."""
    for place, one in enumerate(found):
        if not one.label_id:
            kind, actor, reason = told_by_recall(uow, scope, one.item_seq, one.question)
            found[place] = replace(one, actor_kind=kind, actor_id=actor, reason=reason)
    return found


def insert_label(uow: UnitOfWork, scope: Scope, one: Label, item_seq: int) -> None:
    """Append a label and make it the current one of its item and question."""
    insert_labels(uow, scope, [(one, item_seq)])


def insert_labels(uow: UnitOfWork, scope: Scope, labels: Sequence[tuple[Label, int]]) -> None:
    """Append labels, each with the seq of its item, and make them the current ones."""
    append_labels(uow, scope, [one for one, _ in labels])
    uow.add_all(
        _PUT_CURRENT,
        [
            {
                "project_id": scope.project_id,
                "question": one.question,
                "item_seq": seq,
                "label_id": one.id,
                "waiting": 1,
            }
            for one, seq in labels
        ],
    )


def append_labels(uow: UnitOfWork, scope: Scope, labels: Sequence[Label]) -> None:
    """Append labels; which of them hold is not said here."""
    for one in labels:
        uow.later(_INSERT, _row(scope, one))


def _row(scope: Scope, one: Label) -> tuple[Any, ...]:
    """Return the values of the columns that `_INSERT` names."""
    return (
        one.id,
        scope.project_id,
        one.item_id,
        one.question,
        encode(one.value),
        one.source,
        one.purpose,
        one.probability,
        one.task_id,
        one.actor_kind,
        one.actor_id,
        one.actor_name,
        one.reason,
        micros(one.created_at),
    )


def current_labels(uow: UnitOfWork, scope: Scope, question: str, purpose: str | None) -> list[Label]:
    """Return the current labels of a question, in the order in which their items came in."""
    if purpose is None:
        rows = uow.run(_ALL, project=scope.project_id, asked=question).all()
    else:
        rows = uow.run(_FOR, project=scope.project_id, asked=question, wanted=purpose).all()
    return [_label(row) for row in rows]


def page_of_labels(uow: UnitOfWork, scope: Scope, question: str, after: int, limit: int) -> list[tuple[int, Label]]:
    """Return (seq of the item, its current label), for items behind seq `after`."""
    rows = uow.run(_PAGE, project=scope.project_id, asked=question, after=after, limit=limit).all()
    return [(row[0], _label(row[1:])) for row in rows]


def current_label(uow: UnitOfWork, scope: Scope, item_id: str, question: str) -> Label | None:
    """Return the current label of one item and question."""
    row = uow.run(_ONE, project=scope.project_id, asked=question, item_id=item_id).first()
    return None if row is None else _label(row)


def values_between(uow: UnitOfWork, scope: Scope, question: str, after: int, until: int) -> dict[int, Any]:
    """Return seq -> current value for the items behind seq `after`, up to `until`."""
    rows = uow.run(_OF_ITEMS, project=scope.project_id, asked=question, after=after, until=until).all()
    return {row[0]: json.loads(row[2]) for row in rows}


def label_history(uow: UnitOfWork, scope: Scope, item_id: str, question: str) -> list[Label]:
    """Return every label that one item and question ever had, oldest first."""
    return [_label(row) for row in uow.run(_HISTORY, project=scope.project_id, item_id=item_id, asked=question).all()]


def count_labels(uow: UnitOfWork, scope: Scope) -> dict[str, int]:
    """Return question -> how many items have a label."""
    return {row[0]: row[1] for row in uow.run(_COUNT, project=scope.project_id).all()}


def count_waiting(uow: UnitOfWork, scope: Scope) -> dict[tuple[str, str], int]:
    """Return (question, purpose) -> how many labels the branch main does not hold yet."""
    return {(row[0], row[1]): row[2] for row in uow.run(_COUNT_WAITING, project=scope.project_id).all()}


# For commits


def waiting_labels(uow: UnitOfWork, scope: Scope) -> list[Standing]:
    """Return the current labels that the branch main does not hold yet."""
    return told(uow, scope, [_standing(row) for row in uow.run(_WAITING, project=scope.project_id).all()])


def every_label(uow: UnitOfWork, scope: Scope) -> list[Standing]:
    """Return every current label."""
    return told(uow, scope, [_standing(row) for row in uow.run(_EVERY, project=scope.project_id).all()])


def mark_labels(uow: UnitOfWork, scope: Scope, labels: Sequence[Standing], number: int) -> None:
    """Note that the branch main holds these labels now, from its commit of this number on."""
    uow.add_all(
        _MARK,
        [
            {"project": scope.project_id, "asked": one.question, "seq": one.item_seq, "now_committed": one.label_id}
            for one in labels
        ],
    )
    let_go(uow, scope, [one.committed_id for one in labels if one.committed_id], number)
    hold(uow, scope, [one.label_id for one in labels if one.label_id], number)
