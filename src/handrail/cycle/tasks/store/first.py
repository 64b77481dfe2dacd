"""SQL of the answers that people give before the model's is shown."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import bindparam, insert, select

from handrail.cycle.tasks.model import FirstAnswer
from handrail.cycle.tasks.store.tables import answer, first_answer, task
from handrail.foundation.actors import Scope
from handrail.foundation.canonical import encode
from handrail.foundation.clock import from_micros, micros
from handrail.foundation.storage import UnitOfWork, with_list

_COLUMNS = [first_answer.c[name] for name in ("task_id", "actor_id", "value", "shown_at", "answered_at", "seconds")]
_INSERT = insert(first_answer)
_OF_TASK = select(*_COLUMNS).where(
    first_answer.c.project_id == bindparam("project"), first_answer.c.task_id == bindparam("of_task")
)
_BY_ACTOR = _OF_TASK.where(first_answer.c.actor_id == bindparam("actor"))
_FIRST_ABOUT = with_list(
    "decisions",
    lambda decisions: (
        select(task.c.decision_id)
        .join_from(task, first_answer, first_answer.c.task_id == task.c.id)
        .where(
            task.c.project_id == bindparam("project"),
            first_answer.c.project_id == bindparam("project"),
            first_answer.c.actor_id == bindparam("actor"),
            task.c.decision_id.in_(decisions),
        )
    ),
)
_FINAL_ABOUT = with_list(
    "decisions",
    lambda decisions: (
        select(task.c.decision_id)
        .join_from(task, answer, answer.c.task_id == task.c.id)
        .where(
            task.c.project_id == bindparam("project"),
            answer.c.project_id == bindparam("project"),
            answer.c.actor_id == bindparam("actor"),
            answer.c.value.is_not(None),
            task.c.decision_id.in_(decisions),
        )
    ),
)


def _read(row: Sequence[Any]) -> FirstAnswer:
    task_id, actor_id, value, shown, at, seconds = row
    return FirstAnswer(
        task_id=task_id,
        actor_id=actor_id,
        value=json.loads(value),
        shown_at=None if shown is None else from_micros(shown),
        answered_at=from_micros(at),
        seconds=seconds,
    )


def add_first(uow: UnitOfWork, scope: Scope, one: FirstAnswer) -> None:
    """Insert a person's own answer; one for each task and person."""
    uow.add(
        _INSERT,
        project_id=scope.project_id,
        task_id=one.task_id,
        actor_id=one.actor_id,
        value=encode(one.value),
        shown_at=None if one.shown_at is None else micros(one.shown_at),
        answered_at=micros(one.answered_at),
        seconds=one.seconds,
    )


def first_of(uow: UnitOfWork, scope: Scope, task_id: str, actor_id: str) -> FirstAnswer | None:
    """Return what a person said of a task before the model's answer was shown to them."""
    row = uow.run(_BY_ACTOR, project=scope.project_id, of_task=task_id, actor=actor_id).first()
    return None if row is None else _read(row)


def judged(uow: UnitOfWork, scope: Scope, actor_id: str, decisions: Collection[str]) -> set[str]:
    """Return those of the decisions of which an actor has said a value, first or final."""
    values = {"project": scope.project_id, "actor": actor_id, "decisions": encode(sorted(decisions))}
    return {one for statement in (_FIRST_ABOUT, _FINAL_ABOUT) for (one,) in uow.run(statement, **values).all()}
