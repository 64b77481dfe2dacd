"""SQL of decisions, policies, the control row and the tallies."""

from __future__ import annotations

import json
from typing import Any, Literal

from sqlalchemy import bindparam, func, insert, select, update

from handrail.cycle.review.audit_terms import Draw
from handrail.cycle.review.model import Control, Decision, State
from handrail.cycle.review.store.tables import control, decision, policy, tally
from handrail.foundation.actors import Scope
from handrail.foundation.canonical import encode
from handrail.foundation.clock import from_micros, micros
from handrail.foundation.storage import RowInsert, UnitOfWork, upsert

DECISION_COLUMNS = [
    decision.c[name]
    for name in (
        "id project_id item_id question status route value by_kind by_id score prediction reasons certificate_id "
        "policy_id model_id commit_id audit_probability audited task_id created_at decided_at expires_at on_deadline "
        "default_value irreversible risk_class cost action_hash consumed_at eyes sealed"
    ).split()
]
_USUAL = (
    "id project_id item_id question idem_key request_hash status route value by_kind by_id score prediction reasons"
    " certificate_id policy_id model_id commit_id audit_probability audited task_id day created_at decided_at"
    " expires_at on_deadline irreversible eyes state sealed"
)
_RARE = "default_value risk_class cost action_hash audit_rate audit_control audit_group audit_mean_q"
_INSERT_USUAL = RowInsert(decision, _USUAL)
"""Of a decision without what most have none of: an insert of its own for those spares naming it (bench/storage)."""
_INSERT_DECISION = RowInsert(decision, f"{_USUAL} {_RARE}")
_BY_KEY = select(decision.c.request_hash, *DECISION_COLUMNS).where(
    decision.c.project_id == bindparam("project"), decision.c.idem_key == bindparam("key")
)
_BY_ID = select(*DECISION_COLUMNS).where(
    decision.c.project_id == bindparam("project"), decision.c.id == bindparam("decision_id")
)
_BY_ID_LOCKED = _BY_ID.with_for_update()
_OF_ITEM = (
    select(*DECISION_COLUMNS)
    .where(decision.c.project_id == bindparam("project"), decision.c.item_id == bindparam("item"))
    .order_by(decision.c.id)
)
_RECENT = (
    select(*DECISION_COLUMNS)
    .where(decision.c.project_id == bindparam("project"), decision.c.id < bindparam("before"))
    .order_by(decision.c.id.desc())
    .limit(bindparam("limit"))
)
_AUTOMATIC_OF = select(decision.c.item_id, decision.c.value, decision.c.prediction).where(
    decision.c.project_id == bindparam("project"), decision.c.route == "auto"
)
_BY_MODEL = (
    select(decision.c.model_id, decision.c.route, func.count())
    .where(decision.c.project_id == bindparam("project"), decision.c.model_id.is_not(None))
    .group_by(decision.c.model_id, decision.c.route)
)
_DECIDED_ON = (
    select(decision.c.item_id, decision.c.route)
    .where(decision.c.project_id == bindparam("project"), decision.c.day == bindparam("at_day"))
    .order_by(decision.c.id)
    .limit(bindparam("most"))
)
_ROUTES_ON = (
    select(decision.c.route, func.count())
    .where(decision.c.project_id == bindparam("project"), decision.c.day == bindparam("at_day"))
    .group_by(decision.c.route)
)
_SETTLE = (
    update(decision)
    .where(decision.c.project_id == bindparam("project"), decision.c.id == bindparam("decision_id"))
    .values(
        status=bindparam("new_status"),
        value=bindparam("new_value"),
        by_kind=bindparam("new_by_kind"),
        by_id=bindparam("new_by_id"),
        decided_at=bindparam("at"),
        task_id=bindparam("new_task"),
    )
)

_CONTROL = select(control).where(control.c.project_id == bindparam("project"))
# Shared with other decisions, exclusive with the brake: no automatic decision follows the brake's commit.
_CONTROL_SHARED = _CONTROL.with_for_update(read=True)
_CONTROL_LOCKED = _CONTROL.with_for_update()
_ENTER = (
    select(control.c.epoch, decision.c.id)
    .select_from(
        control.outerjoin(
            decision, (decision.c.project_id == control.c.project_id) & (decision.c.idem_key == bindparam("key"))
        )
    )
    .where(control.c.project_id == bindparam("project"))
)
_ENTER_SHARED = _ENTER.with_for_update(read=True, of=control)
_ENTER_LOCKED = _ENTER.with_for_update(of=control)
_PUT_CONTROL = upsert(
    control,
    key=["project_id"],
    set=[one.name for one in control.c if one.name != "project_id"],
)

_RAISE_EPOCH = update(control).where(control.c.project_id == bindparam("project")).values(epoch=control.c.epoch + 1)

_INSERT_POLICY = insert(policy)
_POLICY = select(policy.c.version, policy.c.document).where(
    policy.c.project_id == bindparam("project"), policy.c.id == bindparam("policy_id")
)
_LAST_VERSION = select(func.max(policy.c.version)).where(policy.c.project_id == bindparam("project"))

_TALLY = select(tally.c.day, tally.c.route, tally.c.n).where(tally.c.project_id == bindparam("project"))
_ONE_TALLY = select(tally.c.n).where(
    tally.c.project_id == bindparam("project"), tally.c.day == bindparam("at_day"), tally.c.route == bindparam("way")
)
_PUT_TALLY = upsert(tally, key=["project_id", "day", "route"], set=["n"])


def read_decision(row: tuple[Any, ...]) -> Decision:
    """Return the decision of a row of the decision columns."""
    (id_, project, item, question, status, way, value, by_kind, by_id, score, prediction, reasons, *rest) = row
    certificate_id, policy_id, model_id, commit_id, probability, audited, task, created, at, expires, *rest = rest
    on, default, irreversible, risk_class, cost, action_hash, consumed, eyes, sealed = rest
    return Decision(
        id=id_,
        project_id=project,
        item_id=item,
        question=question,
        status=status,
        route=way,
        value=None if value is None else json.loads(value),
        by_kind=by_kind,
        by_id=by_id,
        score=score,
        prediction=None if prediction is None else json.loads(prediction),
        reasons=tuple(json.loads(reasons)),
        certificate_id=certificate_id,
        policy_id=policy_id,
        model_id=model_id,
        commit_id=commit_id,
        audit_probability=probability,
        audited=bool(audited),
        task_id=task,
        created_at=from_micros(created),
        decided_at=None if at is None else from_micros(at),
        expires_at=None if expires is None else from_micros(expires),
        on_deadline=on,
        default=None if default is None else json.loads(default),
        irreversible=bool(irreversible),
        risk_class=risk_class,
        cost=cost,
        action_hash=action_hash,
        consumed_at=None if consumed is None else from_micros(consumed),
        eyes=eyes,
        sealed=bool(sealed),
    )


# Decisions


def insert_decision(
    uow: UnitOfWork,
    scope: Scope,
    one: Decision,
    *,
    key: str,
    request_hash: str,
    day: int,
    prediction: str | None,
    state: State,
    draw: Draw | None = None,
) -> None:
    """Insert a new decision; a second one with the same key is a Duplicate.

    `prediction` is its prediction in JSON, `state` that of automation when it was made, `draw` the terms of the audit
    draw that was made, of an automatic one.
    """
    usual = _usual(scope, one, key, request_hash, day, prediction, state)
    if draw is None and one.default is None and one.risk_class is None and one.cost is None and one.action_hash is None:
        uow.later(_INSERT_USUAL, usual)
    else:
        uow.later(_INSERT_DECISION, (*usual, *_rare(one, draw)))


def _usual(
    scope: Scope, one: Decision, key: str, request_hash: str, day: int, prediction: str | None, state: State
) -> tuple[Any, ...]:
    """Return the values of what every decision has, in the order of `_USUAL`."""
    return (
        one.id,
        scope.project_id,
        one.item_id,
        one.question,
        key,
        request_hash,
        one.status,
        one.route,
        None if one.value is None else encode(one.value),
        one.by_kind,
        one.by_id,
        one.score,
        prediction,
        encode(one.reasons),
        one.certificate_id,
        one.policy_id,
        one.model_id,
        one.commit_id,
        one.audit_probability,
        int(one.audited),
        one.task_id,
        day,
        micros(one.created_at),
        None if one.decided_at is None else micros(one.decided_at),
        None if one.expires_at is None else micros(one.expires_at),
        one.on_deadline,
        int(one.irreversible),
        one.eyes,
        state,
        int(one.sealed),
    )


def _rare(one: Decision, draw: Draw | None) -> tuple[Any, ...]:
    """Return the values of what most decisions have none of."""
    terms = (None, None, None, None) if draw is None else (draw.rate, draw.control, draw.group, draw.mean_q)
    default = None if one.default is None else encode(one.default)
    return (default, one.risk_class, None if one.cost is None else float(one.cost), one.action_hash, *terms)


def decision_by_key(uow: UnitOfWork, scope: Scope, key: str) -> tuple[str, Decision] | None:
    """Return (request hash, decision) recorded under an idempotency key."""
    row = uow.run(_BY_KEY, project=scope.project_id, key=key).first()
    return None if row is None else (row[0], read_decision(row[1:]))


def get_decision(uow: UnitOfWork, scope: Scope, decision_id: str, *, lock: bool = False) -> Decision | None:
    """Return a decision; with `lock` nobody else changes it until the unit ends."""
    row = uow.run(_BY_ID_LOCKED if lock else _BY_ID, project=scope.project_id, decision_id=decision_id).first()
    return None if row is None else read_decision(row)


def decisions_of_item(uow: UnitOfWork, scope: Scope, item_id: str) -> list[Decision]:
    """Return the decisions about an item, oldest first."""
    return [read_decision(row) for row in uow.run(_OF_ITEM, project=scope.project_id, item=item_id).all()]


def recent_decisions(uow: UnitOfWork, scope: Scope, *, before: str | None, limit: int) -> list[Decision]:
    """Return decisions, newest first, older than the id `before`."""
    rows = uow.run(_RECENT, project=scope.project_id, before=before or "g", limit=limit).all()
    return [read_decision(row) for row in rows]


def automatic_answers(uow: UnitOfWork, scope: Scope) -> list[tuple[str, Any]]:
    """Return (item id, value the model gave) of every item that was answered without a person."""
    rows = uow.run(_AUTOMATIC_OF, project=scope.project_id).all()
    return [(item, json.loads(prediction)["value"]) for item, _, prediction in rows]


def counts_by_model(uow: UnitOfWork, scope: Scope) -> dict[str, dict[str, int]]:
    """Return model -> route -> number of the decisions that it was asked about."""
    found: dict[str, dict[str, int]] = {}
    for model_id, way, number in uow.run(_BY_MODEL, project=scope.project_id).all():
        found.setdefault(model_id, {})[way] = int(number)
    return found


def decided_on(uow: UnitOfWork, scope: Scope, day: int, most: int) -> list[tuple[str, str]]:
    """Return (item id, route) of the decisions about a day, oldest first."""
    rows = uow.run(_DECIDED_ON, project=scope.project_id, at_day=day, most=most).all()
    return [(item, way) for item, way in rows]


def routes_on(uow: UnitOfWork, scope: Scope, day: int) -> dict[str, int]:
    """Return route -> number of the decisions about a day."""
    return {way: int(number) for way, number in uow.run(_ROUTES_ON, project=scope.project_id, at_day=day).all()}


def settle(uow: UnitOfWork, scope: Scope, one: Decision) -> None:
    """Write the new status, value, author, time and task of a decision."""
    uow.add(
        _SETTLE,
        project=scope.project_id,
        decision_id=one.id,
        new_status=one.status,
        new_value=None if one.value is None else encode(one.value),
        new_by_kind=one.by_kind,
        new_by_id=one.by_id,
        at=None if one.decided_at is None else micros(one.decided_at),
        new_task=one.task_id,
    )


# Control


def get_control(uow: UnitOfWork, scope: Scope, *, lock: str = "") -> tuple[Control, str | None] | None:
    """Return (control row, id of the planned certificate); `lock` is "", "shared" or "exclusive"."""
    statement = {"": _CONTROL, "shared": _CONTROL_SHARED, "exclusive": _CONTROL_LOCKED}[lock]
    row = uow.run(statement, project=scope.project_id).first()
    if row is None:
        return None
    project, state, epoch, policy_id, model_id, certificate_id, planned, since, by, note = row
    made = Control(project, state, epoch, policy_id, model_id, certificate_id, from_micros(since), by, note)
    return made, planned


def enter(uow: UnitOfWork, scope: Scope, key: str, *, lock: Literal["shared", "exclusive"]) -> tuple[int, bool] | None:
    """Return (epoch, whether a decision has this key) in one go and hold the epoch; None without a control row."""
    row = uow.glance(_ENTER_SHARED if lock == "shared" else _ENTER_LOCKED, project=scope.project_id, key=key).first()
    return None if row is None else (int(row[0]), row[1] is not None)


def put_control(uow: UnitOfWork, scope: Scope, one: Control, planned_id: str | None) -> None:
    """Write the control row."""
    uow.add(
        _PUT_CONTROL,
        project_id=scope.project_id,
        state=one.state,
        epoch=one.epoch,
        policy_id=one.policy_id,
        model_id=one.model_id,
        certificate_id=one.certificate_id,
        planned_id=planned_id,
        since=micros(one.since),
        changed_by=one.changed_by,
        note=one.note,
    )


def raise_epoch(uow: UnitOfWork, scope: Scope) -> None:
    """Make every snapshot of the project out of date."""
    uow.add(_RAISE_EPOCH, project=scope.project_id)


# Policies


def insert_policy(uow: UnitOfWork, scope: Scope, *, policy_id: str, document: dict[str, Any], at: int, by: str) -> int:
    """Insert the next version and return its number."""
    version = int(uow.run(_LAST_VERSION, project=scope.project_id).scalar() or 0) + 1
    uow.add(
        _INSERT_POLICY,
        id=policy_id,
        project_id=scope.project_id,
        version=version,
        document=encode(document),
        created_at=at,
        created_by=by,
    )
    return version


def get_policy(uow: UnitOfWork, scope: Scope, policy_id: str) -> tuple[int, dict[str, Any]] | None:
    """Return (version, document)."""
    row = uow.run(_POLICY, project=scope.project_id, policy_id=policy_id).first()
    return None if row is None else (row[0], json.loads(row[1]))


# Tallies of decisions by day and route


def tallies(uow: UnitOfWork, scope: Scope) -> dict[int, dict[str, int]]:
    """Return day -> route -> number of decisions, as far as the loop has counted."""
    found: dict[int, dict[str, int]] = {}
    for day, way, number in uow.run(_TALLY, project=scope.project_id).all():
        found.setdefault(day, {})[way] = int(number)
    return found


def add_to_tally(uow: UnitOfWork, scope: Scope, day: int, way: str, more: int) -> None:
    """Count `more` decisions of a day and route; one counter reads the journal, so nobody else writes here."""
    now = int(uow.run(_ONE_TALLY, project=scope.project_id, at_day=day, way=way).scalar() or 0)
    uow.add(_PUT_TALLY, project_id=scope.project_id, day=day, route=way, n=now + more)
