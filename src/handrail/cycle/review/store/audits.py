"""SQL of audits: drawn with the decision, answered later, folded into the brake in the order of the decisions."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import bindparam, func, select, update

from handrail.cycle.review.audit_terms import Draw
from handrail.cycle.review.model import Audit, AuditRow
from handrail.cycle.review.store.tables import audit, decision
from handrail.foundation.actors import Scope
from handrail.foundation.canonical import encode
from handrail.foundation.storage import RowInsert, UnitOfWork

_COLUMNS = [
    audit.c[name]
    for name in (
        "decision_id certificate_id probability rate control audit_group mean_q risk idle verdicts wrong folded "
        "drawn_at due_at"
    ).split()
]
_MOST_LATE = 500  # audits that one turn of the timekeeper hands on
_INSERT = RowInsert(
    audit,
    "decision_id project_id certificate_id probability rate control audit_group mean_q risk verdicts folded drawn_at"
    " due_at",
)
_ONE = select(*_COLUMNS).where(audit.c.project_id == bindparam("project"), audit.c.decision_id == bindparam("of"))
_HEAR = (
    update(audit)
    .where(audit.c.project_id == bindparam("project"), audit.c.decision_id == bindparam("of"))
    .values(verdicts=bindparam("new_verdicts"), wrong=bindparam("new_wrong"), settled_at=bindparam("at"))
)
_LAST_SETTLED = select(func.max(audit.c.decision_id)).where(
    audit.c.project_id == bindparam("project"),
    audit.c.certificate_id == bindparam("by_id"),
    audit.c.folded == 0,
    audit.c.wrong.is_not(None),
)
_RING = (
    select(*_COLUMNS)
    .where(
        audit.c.project_id == bindparam("project"),
        audit.c.certificate_id == bindparam("by_id"),
        audit.c.folded == 0,
        audit.c.decision_id <= bindparam("until"),
    )
    .order_by(audit.c.decision_id)
)
_LAST_FOLDED = select(func.max(audit.c.decision_id)).where(
    audit.c.project_id == bindparam("project"), audit.c.certificate_id == bindparam("by_id"), audit.c.folded == 1
)
_LAST_DRAWN = select(func.max(audit.c.decision_id)).where(
    audit.c.project_id == bindparam("project"), audit.c.certificate_id == bindparam("by_id")
)
_FROM_BEGINNING = (
    select(*_COLUMNS)
    .where(
        audit.c.project_id == bindparam("project"),
        audit.c.certificate_id == bindparam("by_id"),
        audit.c.decision_id <= bindparam("until"),
    )
    .order_by(audit.c.decision_id)
)
_FOLD = (
    update(audit)
    .where(
        audit.c.project_id == bindparam("project"),
        audit.c.certificate_id == bindparam("by_id"),
        audit.c.decision_id <= bindparam("until"),
    )
    .values(folded=1)
)
_PUT_IDLE = (
    update(audit)
    .where(audit.c.project_id == bindparam("project"), audit.c.decision_id == bindparam("of"))
    .values(idle=bindparam("new_idle"))
)
_GAIN = decision.c.audit_rate * (decision.c.audit_control - bindparam("null"))
_GROUP_GAIN = decision.c.audit_probability - decision.c.audit_rate * decision.c.audit_mean_q
# Identifiers grow with time, so the decisions between two audits lie between theirs.
_IDLE = (
    select(
        decision.c.audit_group,
        func.sum(_GAIN),
        func.sum(_GAIN * _GAIN),
        func.sum(_GROUP_GAIN),
        func.sum(_GROUP_GAIN * _GROUP_GAIN),
    )
    .where(
        decision.c.project_id == bindparam("project"),
        decision.c.certificate_id == bindparam("by_id"),
        decision.c.id > bindparam("after"),
        decision.c.id < bindparam("until"),
        decision.c.audited == 0,
        decision.c.audit_rate.is_not(None),
    )
    .group_by(decision.c.audit_group)
    .order_by(decision.c.audit_group)
)
_SETTLED = (
    select(audit.c.decision_id, audit.c.probability, audit.c.wrong)
    .where(audit.c.project_id == bindparam("project"), audit.c.wrong.is_not(None))
    .order_by(audit.c.decision_id)
)
_SETTLED_OF = _SETTLED.where(audit.c.certificate_id == bindparam("by_id"))
_OVERDUE = select(func.count(), func.count(audit.c.wrong)).where(
    audit.c.project_id == bindparam("project"),
    audit.c.certificate_id == bindparam("by_id"),
    audit.c.due_at <= bindparam("due"),
)
_LATE = (audit.c.wrong.is_(None), audit.c.overdue_at.is_(None), audit.c.due_at <= bindparam("now"))
# every project: who keeps time takes the scope from the row
_LATE_PROJECTS = select(audit.c.project_id).where(*_LATE).distinct().order_by(audit.c.project_id)
_LATE_OF = (
    select(*_COLUMNS)
    .where(audit.c.project_id == bindparam("project"), *_LATE)
    .order_by(audit.c.due_at, audit.c.decision_id)
    .limit(_MOST_LATE)
)
_MARK = (
    update(audit)
    .where(audit.c.project_id == bindparam("project"), audit.c.decision_id == bindparam("of"))
    .values(overdue_at=bindparam("at"))
)
_OVERDUE_OPEN = (
    select(audit.c.certificate_id, audit.c.probability)
    .where(audit.c.project_id == bindparam("project"), audit.c.wrong.is_(None), audit.c.due_at <= bindparam("due"))
    .order_by(audit.c.decision_id)
)


def _row(row: tuple[Any, ...]) -> AuditRow:
    (decision_id, certificate_id, probability, rate, control, group, mean_q, risk, idle, verdicts, wrong, *rest) = row
    folded, drawn_at, due_at = rest
    sums = {} if idle is None else {name: (one[0], one[1]) for name, one in json.loads(idle).items()}
    return AuditRow(
        decision_id=decision_id,
        certificate_id=certificate_id,
        draw=Draw(probability, rate, control, group, mean_q, risk, sums),
        measured=idle is not None,
        verdicts=tuple((who, value) for who, value in json.loads(verdicts)),
        wrong=None if wrong is None else float(wrong),
        folded=bool(folded),
        drawn_at=drawn_at,
        due_at=due_at,
    )


def add_audit(
    uow: UnitOfWork, scope: Scope, certificate_id: str, decision_id: str, draw: Draw, *, at: int, due: int
) -> None:
    """Record that an audit was drawn, on which terms; its verdict is open, and overdue from `due` on."""
    terms = (draw.probability, draw.rate, draw.control, draw.group, draw.mean_q, draw.risk)
    uow.later(_INSERT, (decision_id, scope.project_id, certificate_id, *terms, "[]", 0, at, due))


def get_audit(uow: UnitOfWork, scope: Scope, decision_id: str) -> AuditRow | None:
    """Return the audit of a decision, None when none was drawn."""
    row = uow.run(_ONE, project=scope.project_id, of=decision_id).first()
    return None if row is None else _row(row)


def hear(
    uow: UnitOfWork,
    scope: Scope,
    decision_id: str,
    *,
    verdicts: tuple[tuple[str, Any], ...],
    wrong: float | None,
    at: int,
) -> None:
    """Record what people said, and the confirmed verdict once there is one."""
    uow.add(
        _HEAR,
        project=scope.project_id,
        of=decision_id,
        new_verdicts=encode([list(one) for one in verdicts]),
        new_wrong=wrong,
        at=None if wrong is None else at,
    )


def ring(uow: UnitOfWork, scope: Scope, certificate_id: str) -> list[AuditRow]:
    """Return the audits that are not folded into the brake, up to the last one with a verdict, in decision order."""
    until = uow.run(_LAST_SETTLED, project=scope.project_id, by_id=certificate_id).scalar()
    if until is None:
        return []
    return [_row(row) for row in uow.run(_RING, project=scope.project_id, by_id=certificate_id, until=until).all()]


def last_folded(uow: UnitOfWork, scope: Scope, certificate_id: str) -> str:
    """Return the decision of the last audit that is folded into the brake, "" before the first."""
    return str(uow.run(_LAST_FOLDED, project=scope.project_id, by_id=certificate_id).scalar() or "")


def last_drawn(uow: UnitOfWork, scope: Scope, certificate_id: str) -> str:
    """Return the decision of the last audit that was drawn, "" before the first."""
    return str(uow.run(_LAST_DRAWN, project=scope.project_id, by_id=certificate_id).scalar() or "")


def from_beginning(uow: UnitOfWork, scope: Scope, certificate_id: str, until: str) -> list[AuditRow]:
    """Return every audit of a certificate up to a decision, in decision order, those that are folded included."""
    rows = uow.run(_FROM_BEGINNING, project=scope.project_id, by_id=certificate_id, until=until).all()
    return [_row(row) for row in rows]


def fold(uow: UnitOfWork, scope: Scope, certificate_id: str, until: str) -> None:
    """Mark the audits up to this decision as part of the brake's state."""
    uow.add(_FOLD, project=scope.project_id, by_id=certificate_id, until=until)


def idle(
    uow: UnitOfWork,
    scope: Scope,
    certificate_id: str,
    *,
    after: str,
    until: str,
    null: float,
    levels: Mapping[str, float],
) -> dict[str, tuple[float, float]]:
    """Return (gains, squared gains) of the decisions between two that were not audited: of all under "", and by group.

    `levels`: the nulls of the certified groups. Source: `detector.idle_gain`, `detector.idle_group_gain`.
    """
    rows = uow.run(_IDLE, project=scope.project_id, by_id=certificate_id, after=after, until=until, null=null).all()
    found = {"": (sum(float(row[1]) for row in rows), sum(float(row[2]) for row in rows))}
    for group, _, _, gains, squares in rows:
        if group in levels:
            found[group] = float(gains) * levels[group], float(squares) * levels[group] ** 2
    return found


def put_idle(uow: UnitOfWork, scope: Scope, decision_id: str, sums: Mapping[str, tuple[float, float]]) -> None:
    """Keep what `idle` found with the audit, so that the brake can be rebuilt bit for bit."""
    kept = {name: list(one) for name, one in sums.items()}
    uow.add(_PUT_IDLE, project=scope.project_id, of=decision_id, new_idle=encode(kept))


def audits(uow: UnitOfWork, scope: Scope, certificate_id: str | None = None) -> list[Audit]:
    """Return the audits with a verdict of a certificate, or of the whole project, in the order of the decisions."""
    if certificate_id is None:
        rows = uow.run(_SETTLED, project=scope.project_id).all()
    else:
        rows = uow.run(_SETTLED_OF, project=scope.project_id, by_id=certificate_id).all()
    return [Audit(decision_id, probability, float(wrong)) for decision_id, probability, wrong in rows]


def projects_with_overdue_audits(uow: UnitOfWork, now: int) -> list[str]:
    """Return the projects in which an audit is overdue that nobody has seen to be."""
    return [str(row[0]) for row in uow.run(_LATE_PROJECTS, now=now).all()]


def overdue_audits(uow: UnitOfWork, scope: Scope, now: int) -> list[AuditRow]:
    """Return the audits of a project that are overdue and were not seen to be, the longest due first."""
    return [_row(row) for row in uow.run(_LATE_OF, project=scope.project_id, now=now).all()]


def mark_overdue(uow: UnitOfWork, scope: Scope, decision_id: str, at: int) -> None:
    """Note that an audit was seen to be overdue, so that it is seen once."""
    uow.add(_MARK, project=scope.project_id, of=decision_id, at=at)


def overdue_chances(uow: UnitOfWork, scope: Scope, certificate_ids: Collection[str], now: int) -> list[float]:
    """Return the audit probability of every audit of these certificates that is overdue."""
    rows = uow.run(_OVERDUE_OPEN, project=scope.project_id, due=now).all()
    return [float(chance) for certificate_id, chance in rows if certificate_id in certificate_ids]


def due(uow: UnitOfWork, scope: Scope, certificate_id: str, *, before: int) -> tuple[int, int]:
    """Return (audits that are due by then, those of them without a verdict)."""
    row = uow.run(_OVERDUE, project=scope.project_id, by_id=certificate_id, due=before).first()
    return (0, 0) if row is None else (int(row[0]), int(row[0]) - int(row[1]))
