"""SQL of how many tasks there are."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from handrail.cycle.tasks.model import Status
from handrail.cycle.tasks.store.tables import OPEN, STATUSES, task_count
from handrail.foundation.actors import Scope
from handrail.foundation.storage import PerDialect, UnitOfWork

_KEY = ["project_id", "kind", "skill", "status", "slot"]
_on_sqlite = sqlite_insert(task_count).values(slot=literal_column("0"))
_on_postgresql = postgresql_insert(task_count).values(slot=literal_column("pg_backend_pid() % 16"))
_ADD = PerDialect(
    _on_sqlite.on_conflict_do_update(
        index_elements=_KEY, set_={"tasks": task_count.c.tasks + _on_sqlite.excluded.tasks}
    ),
    _on_postgresql.on_conflict_do_update(
        index_elements=_KEY, set_={"tasks": task_count.c.tasks + _on_postgresql.excluded.tasks}
    ),
)
_ALL = (
    select(task_count.c.kind, task_count.c.status, func.sum(task_count.c.tasks))
    .where(task_count.c.project_id == bindparam("project"))
    .group_by(task_count.c.kind, task_count.c.status)
)
_SKILLS = (
    select(task_count.c.skill)
    .where(task_count.c.project_id == bindparam("project"), task_count.c.status == bindparam("of_status"))
    .group_by(task_count.c.skill)
    .having(func.sum(task_count.c.tasks) > 0)
    .order_by(task_count.c.skill)
)


def count(uow: UnitOfWork, scope: Scope, kind: str, skill: str, status: int, tasks: int) -> None:
    """Count `tasks` more of a kind, skill and status; fewer when negative. Sums come out the same in any order."""
    uow.tally(_ADD, {"project_id": scope.project_id, "kind": kind, "skill": skill, "status": status}, tasks=tasks)


def move(uow: UnitOfWork, scope: Scope, moved: Iterable[tuple[str, str]], old: int, new: int) -> None:
    """Count tasks, each a (kind, skill), that went from one status to another."""
    numbers: dict[tuple[str, str], int] = {}
    for one in moved:
        numbers[one] = numbers.get(one, 0) + 1
    for (kind, skill), number in sorted(numbers.items()):
        count(uow, scope, kind, skill, old, -number)
        count(uow, scope, kind, skill, new, number)


def counts(uow: UnitOfWork, scope: Scope) -> dict[str, dict[Status, int]]:
    """Return kind -> status -> number of tasks, without what there is none of."""
    found: dict[str, dict[Status, int]] = {}
    for kind, status, number in uow.run(_ALL, project=scope.project_id).all():
        if number:
            found.setdefault(kind, {})[STATUSES[status]] = int(number)
    return found


def open_skills(uow: UnitOfWork, scope: Scope) -> list[str]:
    """Return the skills that open tasks ask for."""
    return [skill for (skill,) in uow.run(_SKILLS, project=scope.project_id, of_status=OPEN).all()]
