"""SQL of how the queue does: what came, what was answered and by whom, what waits longest, what is due.

Identifiers grow with time, so the rows since a time are found by the key; nothing walks over older ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Integer, bindparam, case, cast, func, select, text

from handrail.cycle.tasks.store.counts import open_skills
from handrail.cycle.tasks.store.tables import answer, task
from handrail.foundation.actors import Scope
from handrail.foundation.storage import UnitOfWork

MICROS_PER_HOUR = 3_600_000_000
MOST_DUE = 10_000
_SINCE = bindparam("since", type_=BigInteger)


def _hour(moment: Any) -> Any:
    return cast((moment - _SINCE) // MICROS_PER_HOUR, Integer).label("hour")


_ARRIVED = (
    select(_hour(task.c.opened_at), func.count(), func.sum(task.c.deadline - task.c.opened_at))
    .where(
        task.c.project_id == bindparam("project"),
        task.c.id >= bindparam("first_id"),
        task.c.opened_at >= _SINCE,
        task.c.deadline.is_not(None),
    )
    .group_by(text("1"))
)
_ANSWERED = (
    select(_hour(answer.c.answered_at), func.count())
    .where(
        answer.c.project_id == bindparam("project"),
        answer.c.id >= bindparam("first_id"),
        answer.c.answered_at >= _SINCE,
    )
    .group_by(text("1"))
)
_PEOPLE = (
    select(
        answer.c.actor_id,
        func.max(answer.c.actor_name),
        func.count(),
        func.sum(case((answer.c.answered_at > bindparam("hour_ago", type_=BigInteger), 1), else_=0)),
    )
    .where(
        answer.c.project_id == bindparam("project"),
        answer.c.id >= bindparam("first_id"),
        answer.c.answered_at > _SINCE,
    )
    .group_by(answer.c.actor_id)
)
# Few are claimed and many are open: the empty text keeps SQLite from walking over all tasks of the project.
# The empty text keeps SQLite from walking over all open tasks of the project: few are claimed (see staffing.py).
_HELD = (
    select(task.c.claimed_by, func.count())
    .where(
        task.c.project_id.concat("") == bindparam("project"),
        task.c.status == text("1"),
        task.c.claimed_until > bindparam("now"),
    )
    .group_by(task.c.claimed_by)
)
_FIRST_OPEN = select(func.min(task.c.id)).where(
    task.c.project_id == bindparam("project"), task.c.skill == bindparam("of_skill"), task.c.status == text("0")
)
_OPENED_AT = select(task.c.opened_at).where(task.c.project_id == bindparam("project"), task.c.id == bindparam("by_id"))
_DUE = (
    select(task.c.deadline)
    .where(
        task.c.project_id == bindparam("project"),
        task.c.status < text("2"),
        task.c.deadline.is_not(None),
        task.c.deadline > bindparam("now"),
        task.c.deadline < bindparam("until"),
    )
    .order_by(task.c.deadline)
    .limit(MOST_DUE)
)


def _first_id(since: int) -> str:
    """Return what sorts before every identifier that was given since a time, microseconds."""
    return f"{since // 1000:012x}"[:8] + "-" + f"{since // 1000:012x}"[8:]


def arrived(uow: UnitOfWork, scope: Scope, since: int) -> tuple[dict[int, int], float | None]:
    """Return (hour since -> tasks that came with a deadline, mean microseconds that they had), None for none."""
    rows = uow.run(_ARRIVED, project=scope.project_id, first_id=_first_id(since), since=since).all()
    number = sum(int(count) for _, count, _ in rows)
    return {int(hour): int(count) for hour, count, _ in rows}, (
        float(sum(int(had) for _, _, had in rows)) / number if number else None
    )


def answered(uow: UnitOfWork, scope: Scope, since: int) -> dict[int, int]:
    """Return hour since -> answers that people gave."""
    rows = uow.run(_ANSWERED, project=scope.project_id, first_id=_first_id(since), since=since).all()
    return {int(hour): int(count) for hour, count in rows}


def people(
    uow: UnitOfWork, scope: Scope, now: int, hour_ago: int, day_ago: int
) -> list[tuple[str, str, int, int, int]]:
    """Return (id, name, held now, answers in the last hour, in the last day) of who holds or answered, by id."""
    rows: Sequence[Any] = uow.run(
        _PEOPLE, project=scope.project_id, first_id=_first_id(day_ago), since=day_ago, hour_ago=hour_ago
    ).all()
    held = {who: int(count) for who, count in uow.run(_HELD, project=scope.project_id, now=now).all()}
    found = {who: (name, int(hour), int(day)) for who, name, day, hour in rows}
    for who in held:
        found.setdefault(who, (who, 0, 0))
    return [(who, name, held.get(who, 0), hour, day) for who, (name, hour, day) in sorted(found.items())]


def oldest_open(uow: UnitOfWork, scope: Scope) -> int | None:
    """Return when the oldest open task was opened."""
    firsts = [
        uow.run(_FIRST_OPEN, project=scope.project_id, of_skill=skill).scalar() for skill in open_skills(uow, scope)
    ]
    first = min((one for one in firsts if one is not None), default=None)
    return None if first is None else uow.run(_OPENED_AT, project=scope.project_id, by_id=first).scalar()


def due(uow: UnitOfWork, scope: Scope, now: int, until: int) -> list[int]:
    """Return the deadlines of unanswered tasks between two times (10,000 at most), the nearest first."""
    return [at for (at,) in uow.run(_DUE, project=scope.project_id, now=now, until=until).all()]
