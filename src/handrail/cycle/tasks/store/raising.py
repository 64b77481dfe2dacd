"""SQL of priorities that change with time: the timekeeper reads those tasks whose time has come, and no other."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, select, update

from handrail.cycle.tasks.store.tables import ANSWERED, task
from handrail.cycle.tasks.urgency import changes_at, priority
from handrail.foundation.clock import from_micros, micros
from handrail.foundation.storage import UnitOfWork

MOST_RAISED = 500
"""Tasks that one turn raises: a claim waits behind it for a few milliseconds."""
# every project: the timekeeper acts for all of them, and nothing but the id is needed to write
_DUE = (
    select(
        task.c.id,
        task.c.project_id,
        task.c.status,
        task.c.worth,
        task.c.priority,
        task.c.opened_at,
        task.c.deadline,
        task.c.blind,
    )
    .where(task.c.raise_at.is_not(None), task.c.raise_at <= bindparam("now"))
    .order_by(task.c.raise_at)
    .limit(MOST_RAISED)
    .with_for_update(skip_locked=True)
)
_RAISE = (
    update(task)
    .where(task.c.project_id == bindparam("project"), task.c.id == bindparam("by_id"))
    .values(priority=bindparam("new_priority"), raise_at=bindparam("next_at"))
)


def raise_due(uow: UnitOfWork, now: datetime) -> int:
    """Write the new priority of tasks whose time has come, and when it changes next; a closed one is left for good."""
    changed = []
    for id_, project, status, worth, before, opened, deadline, blind in uow.run(_DUE, now=micros(now)).all():
        opened_at = from_micros(opened)
        heeded = None if deadline is None or blind else from_micros(deadline)
        following = None if status >= ANSWERED else changes_at(opened_at, heeded, now)
        changed.append(
            {
                "project": project,
                "by_id": id_,
                "new_priority": before if status >= ANSWERED else priority(worth, opened_at, heeded, now),
                "next_at": None if following is None else micros(following),
            }
        )
    uow.add_all(_RAISE, changed)
    return len(changed)
