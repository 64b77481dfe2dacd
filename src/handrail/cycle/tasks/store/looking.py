"""SQL of how long people looked."""

from __future__ import annotations

from sqlalchemy import bindparam, func, select

from handrail.cycle.tasks.store.tables import answer, task
from handrail.foundation.actors import Scope
from handrail.foundation.storage import UnitOfWork

_LOOKS = (
    select(func.count(answer.c.seconds), func.sum(answer.c.seconds))
    .select_from(answer.join(task, (task.c.id == answer.c.task_id) & (task.c.project_id == answer.c.project_id)))
    .where(
        answer.c.project_id == bindparam("project"),
        answer.c.answered_at >= bindparam("since"),
        answer.c.seconds.is_not(None),
        task.c.question == bindparam("asked"),
        task.c.kind.in_(("review", "audit")),
    )
)


def looks(uow: UnitOfWork, scope: Scope, question: str, since: int) -> tuple[int, float]:
    """Return (number, sum of seconds) of the timed answers to reviews and audits of a question since a time."""
    number, seconds = uow.run(_LOOKS, project=scope.project_id, asked=question, since=since).one()
    return int(number), float(seconds or 0.0)
