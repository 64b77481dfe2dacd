"""SQL that reads decisions back with what people said of them, for a replay."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select

from handrail.cycle.review.model import Decision, State
from handrail.cycle.review.store.decisions import DECISION_COLUMNS, read_decision
from handrail.cycle.review.store.tables import audit, decision
from handrail.foundation.actors import Scope
from handrail.foundation.storage import UnitOfWork

_PAGE = (
    select(decision.c.day, decision.c.state, audit.c.wrong, audit.c.verdicts, *DECISION_COLUMNS)
    .select_from(
        decision.outerjoin(
            audit, (audit.c.decision_id == decision.c.id) & (audit.c.project_id == decision.c.project_id)
        )
    )
    .where(decision.c.project_id == bindparam("project"), decision.c.id < bindparam("before"))
    .order_by(decision.c.id.desc())
    .limit(bindparam("limit"))
)


@dataclass(frozen=True)
class RecordedDecision:
    """A decision with its day, the state of automation then, and the answer of its audit, None while open."""

    decision: Decision
    day: int
    state: State
    audit_said: Any


def recorded_decisions(uow: UnitOfWork, scope: Scope, *, before: str | None, limit: int) -> list[RecordedDecision]:
    """Return decisions, newest first, older than the id `before`."""
    rows = uow.run(_PAGE, project=scope.project_id, before=before or "g", limit=limit).all()
    return [_read(row) for row in rows]


def _read(row: tuple[Any, ...]) -> RecordedDecision:
    day, state, wrong, verdicts, *rest = row
    # The last person's answer is the one that settled it.
    said = None if wrong is None else json.loads(verdicts)[-1][1]
    return RecordedDecision(read_decision(tuple(rest)), day, state, said)
