"""SQL of tasks that nobody claimed in time: the timekeeper reads those whose time has come, and no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select, text, update

from handrail.cycle.tasks.store.counts import count
from handrail.cycle.tasks.store.tables import OPEN, task
from handrail.foundation.actors import Scope
from handrail.foundation.storage import UnitOfWork

MOST_COUNTED = 10_000
# The two conditions with their values are those of the index.
_WAITING = (
    task.c.project_id == bindparam("project"),
    task.c.status == text("0"),
    task.c.skill != text("'lead'"),
    task.c.waits_since <= bindparam("until"),
)
_DUE = (
    select(task.c.id, task.c.kind, task.c.skill, task.c.decision_id, task.c.waits_since)
    .where(*_WAITING)
    .order_by(task.c.waits_since)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_NUMBER = select(func.count()).select_from(select(task.c.id).where(*_WAITING).limit(MOST_COUNTED).subquery())
_CLIMB = (
    update(task)
    .where(task.c.project_id == bindparam("project"), task.c.id == bindparam("by_id"))
    .values(skill=bindparam("new_skill"), waits_since=bindparam("at"))
)


@dataclass(frozen=True)
class Unclaimed:
    """An open task that has waited for a claim since a time, microseconds."""

    id: str
    kind: str
    skill: str
    decision_id: str | None
    waits_since: int


def unclaimed(uow: UnitOfWork, scope: Scope, until: int, most: int) -> list[Unclaimed]:
    """Return open tasks, not yet with leads, that wait since `until` or longer, the longest first; locked."""
    return [Unclaimed(*row) for row in uow.run(_DUE, project=scope.project_id, until=until, most=most).all()]


def unclaimed_number(uow: UnitOfWork, scope: Scope, until: int) -> int:
    """Return how many open tasks, not yet with leads, wait since `until` or longer; 10,000 at most."""
    return int(uow.run(_NUMBER, project=scope.project_id, until=until).scalar())


def climb(uow: UnitOfWork, scope: Scope, tasks: Sequence[Unclaimed], skill: str, at: int) -> None:
    """Let open tasks ask for another skill; they wait for a claim anew from `at` on."""
    uow.add_all(_CLIMB, [{"project": scope.project_id, "by_id": one.id, "new_skill": skill, "at": at} for one in tasks])
    moved: dict[tuple[str, str], int] = {}
    for one in tasks:
        moved[one.kind, one.skill] = moved.get((one.kind, one.skill), 0) + 1
    for (kind, before), number in sorted(moved.items()):
        count(uow, scope, kind, before, OPEN, -number)
        count(uow, scope, kind, skill, OPEN, number)
