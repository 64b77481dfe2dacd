"""SQL of tasks that nobody claimed in time: the timekeeper reads those whose time has come, and no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select, text, update

from handrail.cycle.tasks.store.counts import count
from handrail.cycle.tasks.store.tables import OPEN, queue_rules, task
from handrail.foundation.actors import Scope
from handrail.foundation.storage import UnitOfWork

MOST_COUNTED = 10_000
MOST_SEEN = 5000
"""New tasks that one turn looks at for a project."""
_MOST_SKEW_MS = 50_000  # a task is looked at when it is as old as this, so that none is committed behind the look
_FIRST = select(func.min(task.c.id)).where(task.c.project_id == bindparam("project"), task.c.status == text("0"))
# every project: tasks are read in the order in which they were opened, and those of the project are picked out
_NEW = (
    select(task.c.id, task.c.project_id)
    .where(task.c.id > bindparam("after"), task.c.id < bindparam("before"))
    .order_by(task.c.id)
    .limit(MOST_SEEN)
)
_WAIT = (
    update(task)
    .where(
        task.c.project_id == bindparam("project"),
        task.c.id == bindparam("by_id"),
        task.c.status == text("0"),
        task.c.waits_since.is_(None),
    )
    .values(waits_since=task.c.opened_at)
)
_SEEN = update(queue_rules).where(queue_rules.c.project_id == bindparam("project")).values(climb_seen=bindparam("seen"))
# The conditions with their values are those of the index, which holds no empty `waits_since`.
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
_SEEN_LAST = select(queue_rules.c.climb_seen).where(queue_rules.c.project_id == bindparam("project"))
_UNSEEN = select(func.count()).select_from(
    select(task.c.id)
    .where(
        task.c.id > bindparam("after"),
        task.c.project_id == bindparam("project"),
        task.c.status == text("0"),
        task.c.skill != text("'lead'"),
        task.c.waits_since.is_(None),
        task.c.opened_at <= bindparam("until"),
    )
    .limit(MOST_COUNTED)
    .subquery()
)
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


def first_open(uow: UnitOfWork, scope: Scope) -> str:
    """Return what comes right before the id of the project's oldest open task, "" without one."""
    found = uow.run(_FIRST, project=scope.project_id).scalar()
    return "" if found is None else str(found)[:-1]


def look_at_new(uow: UnitOfWork, scope: Scope, seen: str, now: int) -> None:
    """Let the project's open tasks that are newer than `seen` wait for a claim since they were opened.

    Identifiers begin with the time at which they were given, in milliseconds; `now` is in microseconds.
    """
    before = f"{max(0, now // 1000 - _MOST_SKEW_MS):012x}"
    rows = uow.run(_NEW, after=seen, before=f"{before[:8]}-{before[8:]}").all()
    if rows:
        own = [{"project": project, "by_id": id_} for id_, project in rows if project == scope.project_id]
        uow.add_all(_WAIT, own)
        uow.add(_SEEN, project=scope.project_id, seen=rows[-1][0])


def unclaimed(uow: UnitOfWork, scope: Scope, until: int, most: int) -> list[Unclaimed]:
    """Return open tasks, not yet with leads, that wait since `until` or longer, the longest first; locked."""
    return [Unclaimed(*row) for row in uow.run(_DUE, project=scope.project_id, until=until, most=most).all()]


def unclaimed_number(uow: UnitOfWork, scope: Scope, until: int) -> int:
    """Return how many open tasks, not yet with leads, wait since `until` or longer; 10,000 at most.

    Those that nobody has looked at yet wait since they were opened.
    """
    seen = uow.run(_SEEN_LAST, project=scope.project_id).scalar()
    after = first_open(uow, scope) if seen is None else str(seen)
    unseen = int(uow.run(_UNSEEN, project=scope.project_id, after=after, until=until).scalar())
    return min(MOST_COUNTED, unseen + int(uow.run(_NUMBER, project=scope.project_id, until=until).scalar()))


def climb(uow: UnitOfWork, scope: Scope, tasks: Sequence[Unclaimed], skill: str, at: int) -> None:
    """Let open tasks ask for another skill; they wait for a claim anew from `at` on."""
    uow.add_all(_CLIMB, [{"project": scope.project_id, "by_id": one.id, "new_skill": skill, "at": at} for one in tasks])
    moved: dict[tuple[str, str], int] = {}
    for one in tasks:
        moved[one.kind, one.skill] = moved.get((one.kind, one.skill), 0) + 1
    for (kind, before), number in sorted(moved.items()):
        count(uow, scope, kind, before, OPEN, -number)
        count(uow, scope, kind, skill, OPEN, number)
