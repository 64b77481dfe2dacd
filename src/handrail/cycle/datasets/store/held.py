"""SQL of which labels the branch main held when, whose they are, and which were withdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, bindparam, case, func, insert, or_, select, update

from handrail.cycle.datasets.provenance import Affected, Given, Recall, Span
from handrail.cycle.datasets.store.tables import item, label, label_current, label_held, recall, withdrawn
from handrail.foundation.actors import Scope
from handrail.foundation.clock import from_micros, micros
from handrail.foundation.storage import UnitOfWork, insert_or_ignore

_END = (1 << 63) - 1
_HOLD = insert_or_ignore(label_held)
_LET_GO = (
    update(label_held)
    .where(
        label_held.c.project_id == bindparam("project"),
        label_held.c.label_id == bindparam("old_label"),
        label_held.c.until.is_(None),
    )
    .values(until=bindparam("number"))
)
_LET_GO_AT = (
    update(label_held)
    .where(
        label_held.c.project_id == bindparam("project"),
        label_held.c.until.is_(None),
        label_held.c.label_id
        == select(label_current.c.committed_id)
        .where(
            label_current.c.project_id == bindparam("project"),
            label_current.c.question == bindparam("asked"),
            label_current.c.item_seq == bindparam("seq"),
        )
        .scalar_subquery(),
    )
    .values(until=bindparam("number"))
)
_AT = and_(
    label_held.c.project_id == bindparam("project"),
    label_held.c.since <= bindparam("number"),
    or_(label_held.c.until.is_(None), label_held.c.until > bindparam("number")),
)
_OF_LABEL = and_(label.c.project_id == label_held.c.project_id, label.c.id == label_held.c.label_id)
_GIVEN = (
    select(
        label.c.actor_kind,
        label.c.actor_id,
        func.max(label.c.actor_name),
        label.c.question,
        label.c.purpose,
        label.c.source,
        func.count(),
        func.count(label.c.task_id),
        func.min(label.c.created_at),
        func.max(label.c.created_at),
    )
    .join_from(label_held, label, _OF_LABEL)
    .where(_AT)
    .group_by(label.c.actor_kind, label.c.actor_id, label.c.question, label.c.purpose, label.c.source)
    .order_by(label.c.actor_kind, label.c.actor_id, label.c.question, label.c.purpose, label.c.source)
)
_WITHDRAWN = (
    select(withdrawn.c.label_id)
    .where(withdrawn.c.project_id == label.c.project_id, withdrawn.c.label_id == label.c.id)
    .exists()
)
_SPAN = and_(
    label.c.project_id == bindparam("project"),
    label.c.actor_kind == bindparam("kind"),
    label.c.actor_id == bindparam("who"),
    label.c.created_at >= bindparam("begin"),
    label.c.created_at < bindparam("end"),
    or_(bindparam("asked") == "", label.c.question == bindparam("asked")),
)
_HELD_OF_SPAN = (
    select(func.count())
    .select_from(label_held)
    .join(label, _OF_LABEL)
    .where(_AT, _SPAN, label.c.purpose.in_(("train", "feedback")))
)
_COMMITS_OF_SPAN = (
    select(func.min(label_held.c.since), func.max(func.coalesce(label_held.c.until, _END)))
    .select_from(label_held)
    .join(label, _OF_LABEL)
    .where(label_held.c.project_id == bindparam("project"), _SPAN)
)
_IDS_OF_SPAN = (
    select(label.c.id, label.c.purpose).where(_SPAN, ~_WITHDRAWN).order_by(label.c.id).limit(bindparam("most"))
)
_earlier = label.alias("earlier")
_EARLIER = (
    select(func.max(_earlier.c.id))
    .where(
        _earlier.c.project_id == label.c.project_id,
        _earlier.c.item_id == label.c.item_id,
        _earlier.c.question == label.c.question,
        ~and_(
            _earlier.c.actor_kind == bindparam("kind"),
            _earlier.c.actor_id == bindparam("who"),
            _earlier.c.created_at >= bindparam("begin"),
            _earlier.c.created_at < bindparam("end"),
        ),
        ~select(withdrawn.c.label_id)
        .where(withdrawn.c.project_id == _earlier.c.project_id, withdrawn.c.label_id == _earlier.c.id)
        .exists(),
    )
    .scalar_subquery()
)
_CURRENT_OF_SPAN = (
    select(label.c.id, label.c.item_id, item.c.seq, label.c.question, _EARLIER)
    .join_from(label, item, item.c.id == label.c.item_id)
    .join(
        label_current,
        and_(
            label_current.c.project_id == label.c.project_id,
            label_current.c.question == label.c.question,
            label_current.c.item_seq == item.c.seq,
            label_current.c.label_id == label.c.id,
        ),
    )
    .where(_SPAN)
    .order_by(item.c.seq, label.c.question)
)
_WITHDRAW = insert(withdrawn)
_STEP_BACK = (
    update(label_current)
    .where(
        label_current.c.project_id == bindparam("project"),
        label_current.c.question == bindparam("asked"),
        label_current.c.item_seq == bindparam("seq"),
        label_current.c.label_id == bindparam("old_label"),
    )
    .values(
        label_id=bindparam("now_current"),
        waiting=case((func.coalesce(label_current.c.committed_id, "") == bindparam("now_current"), 0), else_=1),
    )
)
_RECALL_COLUMNS = [one for one in recall.c if one.name != "project_id"]
_INSERT_RECALL = insert(recall)
_RECALLS = select(*_RECALL_COLUMNS).where(recall.c.project_id == bindparam("project")).order_by(recall.c.id.desc())
_TOLD = (
    select(recall.c.by_kind, recall.c.by_id, recall.c.reason)
    .join_from(item, label, and_(label.c.project_id == item.c.project_id, label.c.item_id == item.c.id))
    .join(withdrawn, and_(withdrawn.c.project_id == label.c.project_id, withdrawn.c.label_id == label.c.id))
    .join(recall, recall.c.id == withdrawn.c.recall_id)
    .where(
        item.c.project_id == bindparam("project"),
        item.c.seq == bindparam("seq"),
        label.c.question == bindparam("asked"),
    )
    .order_by(recall.c.id.desc())
    .limit(1)
)


def hold(uow: UnitOfWork, scope: Scope, labels: Sequence[str], number: int) -> None:
    """Note that the branch main holds these labels from its commit of this number on."""
    uow.add_all(
        _HOLD, [{"project_id": scope.project_id, "label_id": one, "since": number, "until": None} for one in labels]
    )


def let_go(uow: UnitOfWork, scope: Scope, labels: Sequence[str], number: int) -> None:
    """Note that the branch main holds these labels no more from its commit of this number on."""
    uow.add_all(_LET_GO, [{"project": scope.project_id, "old_label": one, "number": number} for one in labels])


def let_go_at(uow: UnitOfWork, scope: Scope, keys: Sequence[tuple[str, int]], number: int) -> None:
    """Do so for what main holds of these (question, seq of the item)."""
    rows = [{"project": scope.project_id, "asked": asked, "seq": seq, "number": number} for asked, seq in keys]
    uow.add_all(_LET_GO_AT, rows)


def given_at(uow: UnitOfWork, scope: Scope, number: int) -> list[Given]:
    """Return whose labels the branch main held at its commit of this number."""
    rows = uow.run(_GIVEN, project=scope.project_id, number=number).all()
    return [
        Given(f"{kind}:{who}", name, asked, purpose, source, labels, answers, from_micros(first), from_micros(last))
        for kind, who, name, asked, purpose, source, labels, answers, first, last in rows
    ]


def held_of(uow: UnitOfWork, scope: Scope, span: Span, number: int) -> int:
    """Return how many labels of a span that may be learned from main held at its commit of this number."""
    return int(uow.run(_HELD_OF_SPAN, number=number, **_bound(scope, span)).scalar() or 0)


def commits_of(uow: UnitOfWork, scope: Scope, span: Span) -> tuple[int, int | None] | None:
    """Return the numbers of the first commit of main that held a label of a span and of the first without any; the
    second is None while one is held.
    """
    first, end = uow.run(_COMMITS_OF_SPAN, **_bound(scope, span)).one()
    return None if first is None else (int(first), None if end >= _END else int(end))


def labels_of(uow: UnitOfWork, scope: Scope, span: Span, most: int) -> list[tuple[str, str]]:
    """Return (id, purpose) of the labels of a span that nobody withdrew, `most` at most."""
    return [(row[0], row[1]) for row in uow.run(_IDS_OF_SPAN, most=most, **_bound(scope, span)).all()]


def current_of(uow: UnitOfWork, scope: Scope, span: Span) -> list[Affected]:
    """Return those of a span that hold now, each with the label that holds instead without it."""
    rows = uow.run(_CURRENT_OF_SPAN, **_bound(scope, span)).all()
    return [Affected(label_id, item_id, seq, asked, old or "") for label_id, item_id, seq, asked, old in rows]


def withdraw(uow: UnitOfWork, scope: Scope, made: Recall, labels: Sequence[str], found: Sequence[Affected]) -> None:
    """Withdraw labels, and let what was before them hold, or nothing."""
    span = made.span
    uow.add(
        _INSERT_RECALL,
        id=made.id,
        project_id=scope.project_id,
        actor=span.actor,
        since=None if span.since is None else micros(span.since),
        until=None if span.until is None else micros(span.until),
        question=span.question,
        reason=made.reason,
        labels=made.labels,
        restored=made.restored,
        emptied=made.emptied,
        certifying=made.certifying,
        created_at=micros(made.created_at),
        by_kind=made.by_kind,
        by_id=made.by_id,
        by_name=made.by_name,
    )
    uow.add_all(_WITHDRAW, [{"project_id": scope.project_id, "label_id": one, "recall_id": made.id} for one in labels])
    uow.add_all(
        _STEP_BACK,
        [
            {
                "project": scope.project_id,
                "asked": one.question,
                "seq": one.seq,
                "old_label": one.label_id,
                "now_current": one.earlier,
            }
            for one in found
        ],
    )


def recalls(uow: UnitOfWork, scope: Scope) -> list[Recall]:
    """Return every recall, newest first."""
    return [_recall(row) for row in uow.run(_RECALLS, project=scope.project_id).all()]


def told_by_recall(uow: UnitOfWork, scope: Scope, seq: int, question: str) -> tuple[str, str, str]:
    """Return (kind, id, reason) of the last recall that withdrew a label of this item and question."""
    row = uow.run(_TOLD, project=scope.project_id, seq=seq, asked=question).first()
    return ("rule", "recall", "") if row is None else (row[0], row[1], row[2])


def _recall(row: tuple[Any, ...]) -> Recall:
    id_, actor, since, until, question, reason, labels, restored, emptied, certifying, created, kind, by, name = row
    begin, end = (None if one is None else from_micros(one) for one in (since, until))
    span = Span(actor, begin, end, question)
    return Recall(id_, span, reason, labels, restored, emptied, certifying, from_micros(created), kind, by, name)


def _bound(scope: Scope, span: Span) -> dict[str, Any]:
    kind, _, who = span.actor.partition(":")
    return {
        "project": scope.project_id,
        "kind": kind,
        "who": who,
        "begin": 0 if span.since is None else micros(span.since),
        "end": _END if span.until is None else micros(span.until),
        "asked": span.question or "",
    }
