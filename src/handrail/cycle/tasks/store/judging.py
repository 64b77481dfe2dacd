"""SQL of answers to cases of known truth, and of who gets no more tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, func, insert, select

from handrail.cycle.tasks.competence import Gate, Tally
from handrail.cycle.tasks.model import Answer, Task
from handrail.cycle.tasks.store.tables import gate, known_answer
from handrail.foundation.actors import Scope
from handrail.foundation.clock import from_micros, micros
from handrail.foundation.storage import UnitOfWork, upsert

_INSERT = insert(known_answer)
_TALLY = (
    select(known_answer.c.kind, func.sum(known_answer.c.was_right), func.count())
    .where(
        known_answer.c.project_id == bindparam("project"),
        known_answer.c.actor_id == bindparam("actor"),
        known_answer.c.answered_at > bindparam("since"),
    )
    .group_by(known_answer.c.kind)
)
_PEOPLE = (
    select(known_answer.c.actor_id, func.max(known_answer.c.actor_name))
    .where(known_answer.c.project_id == bindparam("project"), known_answer.c.answered_at > bindparam("since"))
    .group_by(known_answer.c.actor_id)
    .order_by(known_answer.c.actor_id)
)
_COLUMNS = (
    gate.c.actor_id,
    gate.c.actor_name,
    gate.c.was_right,
    gate.c.answers,
    gate.c.least,
    gate.c.closed_at,
    gate.c.admitted_at,
)
_GATE = select(*_COLUMNS).where(gate.c.project_id == bindparam("project"), gate.c.actor_id == bindparam("actor"))
_CLOSED = (
    select(*_COLUMNS)
    .where(gate.c.project_id == bindparam("project"), gate.c.closed_at.is_not(None))
    .order_by(gate.c.closed_at, gate.c.actor_id)
)
_KEY = ["project_id", "actor_id"]
_CLOSE = upsert(gate, key=_KEY, set=["actor_name", "was_right", "answers", "least", "closed_at"])
_ADMIT = upsert(gate, key=_KEY, set=["closed_at", "admitted_at", "admitted_by"])


def add_known(uow: UnitOfWork, scope: Scope, task: Task, made: Answer, *, right: bool) -> None:
    """Keep whether an answer to a case of known truth was right."""
    uow.add(
        _INSERT,
        project_id=scope.project_id,
        task_id=task.id,
        kind=task.kind,
        actor_id=made.actor_id,
        actor_name=made.actor_name,
        was_right=int(right),
        answered_at=micros(made.answered_at),
    )


def tally(uow: UnitOfWork, scope: Scope, actor_id: str, kinds: Sequence[str], since: int) -> Tally:
    """Return how many answers of a person to tasks of these kinds after a time were right."""
    rows = uow.run(_TALLY, project=scope.project_id, actor=actor_id, since=since).all()
    return Tally(
        sum(int(right) for kind, right, _ in rows if kind in kinds), sum(int(n) for kind, _, n in rows if kind in kinds)
    )


def known_people(uow: UnitOfWork, scope: Scope, since: int) -> list[tuple[str, str]]:
    """Return (id, name) of the people with an answer of known truth after a time."""
    return [(who, name) for who, name in uow.run(_PEOPLE, project=scope.project_id, since=since).all()]


def gate_of(uow: UnitOfWork, scope: Scope, actor_id: str) -> Gate | None:
    """Return what stands about a person, None when the gate was never closed and nobody admitted them."""
    row = uow.run(_GATE, project=scope.project_id, actor=actor_id).first()
    return None if row is None else _read(row)


def closed_gates(uow: UnitOfWork, scope: Scope) -> list[Gate]:
    """Return the people of a project for whom the gate is closed, the longest first."""
    return [_read(row) for row in uow.run(_CLOSED, project=scope.project_id).all()]


def close_gate(uow: UnitOfWork, scope: Scope, made: Gate) -> None:
    """Close the gate for a person; when they were admitted before stays known."""
    assert made.closed_at is not None
    uow.run(
        _CLOSE,
        project_id=scope.project_id,
        actor_id=made.person_id,
        actor_name=made.name,
        was_right=made.tally.right,
        answers=made.tally.n,
        least=made.least,
        closed_at=micros(made.closed_at),
        admitted_at=None,
        admitted_by=None,
    )


def admit(uow: UnitOfWork, scope: Scope, actor_id: str, at: int, by: str) -> None:
    """Open the gate for a person."""
    uow.run(
        _ADMIT,
        project_id=scope.project_id,
        actor_id=actor_id,
        actor_name=actor_id,
        was_right=0,
        answers=0,
        least=0.0,
        closed_at=None,
        admitted_at=at,
        admitted_by=by,
    )


def _read(row: Sequence[Any]) -> Gate:
    who, name, right, n, least, closed, admitted = row
    return Gate(
        person_id=who,
        name=name,
        tally=Tally(int(right), int(n)),
        least=float(least),
        closed_at=None if closed is None else from_micros(closed),
        admitted_at=None if admitted is None else from_micros(admitted),
    )
