"""SQL of the answers to review tasks on which a model's answer was shown."""

from __future__ import annotations

import json

from sqlalchemy import and_, bindparam, select, text

from handrail.cycle.tasks.reviewed import Reviewed
from handrail.cycle.tasks.store.tables import answer, first_answer, task
from handrail.foundation.actors import Scope
from handrail.foundation.storage import UnitOfWork

_REVIEWED = (
    select(
        task.c.id,
        task.c.item_id,
        answer.c.actor_id,
        answer.c.actor_name,
        task.c.payload,
        first_answer.c.value,
        answer.c.value,
        answer.c.seconds,
    )
    .join_from(task, answer, answer.c.task_id == task.c.id)
    .outerjoin(
        first_answer,
        and_(
            first_answer.c.project_id == task.c.project_id,
            first_answer.c.task_id == task.c.id,
            first_answer.c.actor_id == answer.c.actor_id,
        ),
    )
    .where(
        task.c.project_id == bindparam("project"),
        answer.c.project_id == bindparam("project"),
        task.c.question == bindparam("asked"),
        task.c.kind == text("'review'"),
        task.c.blind == text("0"),
        task.c.item_id.is_not(None),
        task.c.decision_id.is_not(None),  # a seed has none, and is told of by review
        answer.c.verb != text("'abstain'"),
        answer.c.verb != text("'escalate'"),
    )
    .order_by(task.c.id.desc())
    .limit(bindparam("most"))
)


def reviewed(uow: UnitOfWork, scope: Scope, question: str, most: int) -> list[Reviewed]:
    """Return the newest answers to review tasks on which a model's answer was shown."""
    found = []
    for task_id, item, person, name, payload, own, final, seconds in uow.run(
        _REVIEWED, project=scope.project_id, asked=question, most=most
    ).all():
        shown = json.loads(payload).get("prediction")
        if isinstance(shown, dict):
            first, last = (None if one is None else json.loads(one) for one in (own, final))
            found.append(Reviewed(task_id, item, person, name, shown["value"], first, last, seconds))
    return found
