"""SQL of the rules of a queue and of what one person has taken."""

from __future__ import annotations

import json
from functools import lru_cache

from sqlalchemy import bindparam, func, select, text

from handrail.cycle.tasks.staffing import NO_RULES, QueueRules
from handrail.cycle.tasks.store.tables import answer, queue_rules, task
from handrail.foundation.actors import Scope
from handrail.foundation.canonical import encode
from handrail.foundation.storage import PerDialect, UnitOfWork, upsert

_RULES = select(queue_rules.c.document).where(queue_rules.c.project_id == bindparam("project"))
# every project: the timekeeper acts for all of them and takes the scope from the row
_CLIMBING = (
    select(queue_rules.c.project_id, queue_rules.c.document, queue_rules.c.climb_seen)
    .where(queue_rules.c.climb_minutes.is_not(None))
    .order_by(queue_rules.c.project_id)
)
_PUT = upsert(queue_rules, key=["project_id"], set=["document", "climb_minutes", "changed_at", "changed_by"])
# One claim of a person at a time: two that count at the same moment would both find room. SQLite has one writer.
_HOLD = PerDialect(
    text("SELECT :project, :actor"),
    text(
        "SELECT pg_advisory_xact_lock(hashtextextended(CAST(:project AS TEXT) || '/' || CAST(:actor AS TEXT), 0))::text"
    ),
)
# Few are claimed and many are open: the empty text keeps SQLite from walking over all tasks of the project.
_HELD = select(func.count()).where(
    task.c.project_id.concat("") == bindparam("project"),
    task.c.status == text("1"),
    task.c.claimed_by == bindparam("actor"),
    task.c.claimed_until > bindparam("now"),
)
_BY_PERSON = (
    answer.c.project_id == bindparam("project"),
    answer.c.actor_id == bindparam("actor"),
    answer.c.answered_at > bindparam("since"),
)
_ANSWERED = select(func.count()).select_from(answer).where(*_BY_PERSON)
_NTH_LATEST = (
    select(answer.c.answered_at)
    .where(*_BY_PERSON)
    .order_by(answer.c.answered_at.desc())
    .limit(1)
    .offset(bindparam("before"))
)


def get_rules(uow: UnitOfWork, scope: Scope) -> QueueRules:
    """Return the rules of the project's queue; those that limit nothing when none were set."""
    document = uow.run(_RULES, project=scope.project_id).scalar()
    return NO_RULES if document is None else _read(document)


def climbing_projects(uow: UnitOfWork) -> list[tuple[Scope, QueueRules, str | None]]:
    """Return the projects whose tasks climb by themselves, with their rules and the newest task that was looked at."""
    return [(Scope(project), _read(document), seen) for project, document, seen in uow.run(_CLIMBING).all()]


@lru_cache(maxsize=256)
def _read(document: str) -> QueueRules:
    return QueueRules.from_dict(json.loads(document))


def put_rules(uow: UnitOfWork, scope: Scope, rules: QueueRules, *, at: int, by: str) -> None:
    """Write the rules of the project's queue."""
    uow.add(
        _PUT,
        project_id=scope.project_id,
        document=encode(rules.to_dict()),
        climb_minutes=rules.climb_minutes,
        changed_at=at,
        changed_by=by,
    )


def hold_person(uow: UnitOfWork, scope: Scope, actor_id: str) -> None:
    """Let no other claim of this person count until the unit ends."""
    uow.run(_HOLD, project=scope.project_id, actor=actor_id)


def held_number(uow: UnitOfWork, scope: Scope, actor_id: str, now: int) -> int:
    """Return how many tasks a person holds now."""
    return int(uow.run(_HELD, project=scope.project_id, actor=actor_id, now=now).scalar() or 0)


def answered_number(uow: UnitOfWork, scope: Scope, actor_id: str, since: int) -> int:
    """Return how many answers a person gave after a time."""
    return int(uow.run(_ANSWERED, project=scope.project_id, actor=actor_id, since=since).scalar() or 0)


def nth_latest_answer(uow: UnitOfWork, scope: Scope, actor_id: str, since: int, n: int) -> int | None:
    """Return when a person gave the n-th of their latest answers after a time, counted from 1 back from now."""
    found = uow.run(_NTH_LATEST, project=scope.project_id, actor=actor_id, since=since, before=n - 1).scalar()
    return None if found is None else int(found)
