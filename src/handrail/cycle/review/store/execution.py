"""SQL of what follows a decision: who consumed it, and whether they know that it was taken back."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import bindparam, or_, select, update

from handrail.cycle.review.execution import Receipt, Reversal
from handrail.cycle.review.store.tables import decision, reversal
from handrail.foundation.actors import Scope
from handrail.foundation.clock import from_micros, micros
from handrail.foundation.storage import UnitOfWork, insert_or_ignore

_CONSUME = (
    update(decision)
    .where(
        decision.c.project_id == bindparam("project"),
        decision.c.id == bindparam("of_decision"),
        decision.c.status.in_(("auto", "decided")),
        decision.c.consumed_at.is_(None),
        or_(decision.c.action_hash.is_(None), decision.c.action_hash == bindparam("for_action")),
    )
    .values(
        consumed_at=bindparam("at"),
        consumed_by=bindparam("actor"),
        consumed_key=bindparam("caller"),
        consumed_hash=bindparam("for_action"),
    )
)
_RECEIPT = select(
    decision.c.value,
    decision.c.consumed_key,
    decision.c.consumed_by,
    decision.c.consumed_hash,
    decision.c.consumed_at,
).where(decision.c.project_id == bindparam("project"), decision.c.id == bindparam("of_decision"))

_REVERSAL_COLUMNS = [
    reversal.c[name]
    for name in (
        "decision_id project_id reason reversed_by reversed_at acknowledge_by acknowledged_at acknowledged_by note "
        "task_id"
    ).split()
]
_ADD_REVERSAL = insert_or_ignore(reversal)
_REVERSAL = select(*_REVERSAL_COLUMNS).where(
    reversal.c.project_id == bindparam("project"), reversal.c.decision_id == bindparam("of_decision")
)
_REVERSAL_LOCKED = _REVERSAL.with_for_update()
_REVERSALS = (
    select(*_REVERSAL_COLUMNS)
    .where(reversal.c.project_id == bindparam("project"), reversal.c.decision_id < bindparam("before"))
    .order_by(reversal.c.decision_id.desc())
    .limit(bindparam("most"))
)
# every project: the timekeeper acts for all of them and takes the scope from the row
_DUE = (
    select(*_REVERSAL_COLUMNS)
    .where(
        reversal.c.acknowledge_by <= bindparam("now"),
        reversal.c.acknowledged_at.is_(None),
        reversal.c.task_id.is_(None),
    )
    .order_by(reversal.c.acknowledge_by)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_ACKNOWLEDGE = (
    update(reversal)
    .where(reversal.c.project_id == bindparam("project"), reversal.c.decision_id == bindparam("of_decision"))
    .values(acknowledged_at=bindparam("at"), acknowledged_by=bindparam("actor"), note=bindparam("what"))
)
_INCIDENT = (
    update(reversal)
    .where(reversal.c.project_id == bindparam("project"), reversal.c.decision_id == bindparam("of_decision"))
    .values(task_id=bindparam("task"))
)


def consume(
    uow: UnitOfWork, scope: Scope, decision_id: str, *, caller: str, actor_id: str, action_hash: str | None, at: int
) -> bool:
    """Take a settled decision for one caller, in one statement; False when that is not possible, or not any more."""
    taken = uow.run(
        _CONSUME,
        project=scope.project_id,
        of_decision=decision_id,
        for_action=action_hash,
        at=at,
        actor=actor_id,
        caller=caller,
    )
    return taken.rowcount == 1


def receipt(uow: UnitOfWork, scope: Scope, decision_id: str) -> Receipt | None:
    """Return the receipt of a consumed decision."""
    row = uow.run(_RECEIPT, project=scope.project_id, of_decision=decision_id).first()
    if row is None or row[4] is None:
        return None
    value, caller, actor_id, action_hash, at = row
    return Receipt(
        decision_id, None if value is None else json.loads(value), caller, actor_id, action_hash, from_micros(at)
    )


def _reversal(row: tuple[Any, ...]) -> Reversal:
    decision_id, project, reason, by, at, until, acknowledged_at, acknowledged_by, note, task_id = row
    return Reversal(
        decision_id=decision_id,
        project_id=project,
        reason=reason,
        reversed_by=by,
        reversed_at=from_micros(at),
        acknowledge_by=from_micros(until),
        acknowledged_at=None if acknowledged_at is None else from_micros(acknowledged_at),
        acknowledged_by=acknowledged_by,
        note=note,
        task_id=task_id,
    )


def add_reversal(uow: UnitOfWork, scope: Scope, one: Reversal) -> None:
    """Note that a consumed decision was taken back; the first time counts."""
    uow.add(
        _ADD_REVERSAL,
        decision_id=one.decision_id,
        project_id=scope.project_id,
        reason=one.reason,
        reversed_by=one.reversed_by,
        reversed_at=micros(one.reversed_at),
        acknowledge_by=micros(one.acknowledge_by),
        acknowledged_at=None,
        acknowledged_by=None,
        note="",
        task_id=None,
    )


def get_reversal(uow: UnitOfWork, scope: Scope, decision_id: str, *, lock: bool = False) -> Reversal | None:
    """Return what is known of a reversal; with `lock` nobody else changes it until the unit ends."""
    statement = _REVERSAL_LOCKED if lock else _REVERSAL
    row = uow.run(statement, project=scope.project_id, of_decision=decision_id).first()
    return None if row is None else _reversal(row)


def reversals(uow: UnitOfWork, scope: Scope, *, before: str | None, limit: int) -> list[Reversal]:
    """Return reversals of consumed decisions, newest decision first, older than the decision `before`."""
    rows = uow.run(_REVERSALS, project=scope.project_id, before=before or "g", most=limit).all()
    return [_reversal(row) for row in rows]


def reversals_due(uow: UnitOfWork, now: int, most: int) -> list[Reversal]:
    """Return reversals of every project that nobody acknowledged in time and that have no incident yet."""
    return [_reversal(row) for row in uow.run(_DUE, now=now, most=most).all()]


def acknowledge_reversal(uow: UnitOfWork, scope: Scope, decision_id: str, *, at: int, actor_id: str, note: str) -> None:
    """Write who acknowledged a reversal."""
    uow.add(_ACKNOWLEDGE, project=scope.project_id, of_decision=decision_id, at=at, actor=actor_id, what=note)


def put_incident(uow: UnitOfWork, scope: Scope, decision_id: str, task_id: str) -> None:
    """Write which task opened because nobody acknowledged."""
    uow.add(_INCIDENT, project=scope.project_id, of_decision=decision_id, task=task_id)
