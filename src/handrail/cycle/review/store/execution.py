"""SQL of what follows a decision: who consumed it."""

from __future__ import annotations

import json

from sqlalchemy import bindparam, or_, select, update

from handrail.cycle.review.execution import Receipt
from handrail.cycle.review.store.tables import decision
from handrail.foundation.actors import Scope
from handrail.foundation.clock import from_micros
from handrail.foundation.storage import UnitOfWork

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
