"""SQL of the queue: the next tasks for a person, claimed in one statement of each dialect.

A claim takes the most urgent open tasks over all skills of the person, from the front of each skill's part of the
index. SQLite has one writer, so a plain update is enough; the plus before a project says that the id finds the row,
else SQLite may walk over all tasks of the project by another index. On PostgreSQL a row that another claim holds is
passed over, so nobody waits and nobody gets it twice; the front is read by LATERAL, because `skill IN (..)` would sort
every open task, and in a CTE, because an inner query may be run again for each row and then claims more than was asked
for.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import bindparam, select, text

from handrail.cycle.tasks.model import Task
from handrail.cycle.tasks.store.counts import move, open_skills
from handrail.cycle.tasks.store.rows import read_task
from handrail.cycle.tasks.store.tables import CLAIMED, OPEN, task
from handrail.foundation.actors import Scope
from handrail.foundation.canonical import encode
from handrail.foundation.storage import PerDialect, UnitOfWork, with_list

_FREE = """q.project_id = :project AND q.skill = wanted.value AND q.status = 0
    AND (q.deadline IS NULL OR q.deadline > :now)
    AND (q.not_by = '[]' OR NOT EXISTS (SELECT 1 FROM {not_by} WHERE person.value = CAST(:actor AS TEXT)))
    AND (q.skipped_until IS NULL OR q.skipped_until <= :now
        OR NOT EXISTS (SELECT 1 FROM {skipped} WHERE person.value = CAST(:actor AS TEXT)))"""
_OF_KIND = " AND q.kind IN (SELECT value FROM {kinds})"
_FIRST = "ORDER BY q.priority DESC, q.id LIMIT :most"
_SQLITE = {
    "skills": "json_each(:skills) AS wanted",
    "kinds": "json_each(:kinds)",
    "not_by": "json_each(q.not_by) AS person",
    "skipped": "json_each(q.skipped) AS person",
}
_POSTGRESQL = {
    "skills": "json_array_elements_text(CAST(:skills AS JSON)) AS wanted(value)",
    "kinds": "json_array_elements_text(CAST(:kinds AS JSON)) AS kind(value)",
    "not_by": "json_array_elements_text(CAST(q.not_by AS JSON)) AS person(value)",
    "skipped": "json_array_elements_text(CAST(q.skipped AS JSON)) AS person(value)",
}
_SET = "UPDATE task SET status = 1, claimed_by = CAST(:actor AS TEXT), claimed_until = :until"
_CHOSEN = "(SELECT id FROM chosen)"
_COLUMNS = ", ".join(f"task.{column.name}" for column in task.c)


def _front_on_sqlite(*, by_kind: bool) -> str:
    free = (_FREE + _OF_KIND * by_kind).format(**_SQLITE)
    return f"""SELECT t.id FROM {_SQLITE["skills"]} CROSS JOIN task AS t
        WHERE +t.project_id = :project AND t.id IN (SELECT q.id FROM task AS q WHERE {free} {_FIRST})
        ORDER BY t.priority DESC, t.id LIMIT :most"""  # noqa: S608 - put together from constants


def _front_on_postgresql(*, by_kind: bool, lock: bool) -> str:
    free = (_FREE + _OF_KIND * by_kind).format(**_POSTGRESQL)
    locked = "FOR UPDATE OF q SKIP LOCKED" if lock else ""
    return f"""SELECT front.id FROM {_POSTGRESQL["skills"]} CROSS JOIN LATERAL (
            SELECT q.id, q.priority FROM task AS q WHERE {free} {_FIRST} {locked}
        ) AS front ORDER BY front.priority DESC, front.id LIMIT :most"""  # noqa: S608 - put together from constants


def _peek(*, by_kind: bool) -> PerDialect:
    return PerDialect(text(_front_on_sqlite(by_kind=by_kind)), text(_front_on_postgresql(by_kind=by_kind, lock=False)))


def _claim(*, by_kind: bool) -> PerDialect:
    chosen = _front_on_postgresql(by_kind=by_kind, lock=True)
    by_id = "task.project_id = :project AND task.id IN"
    front = _front_on_sqlite(by_kind=by_kind)
    return PerDialect(
        text(f"{_SET} WHERE +{by_id} ({front}) RETURNING {_COLUMNS}"),
        text(f"WITH chosen AS MATERIALIZED ({chosen}) {_SET} WHERE {by_id} {_CHOSEN} RETURNING {_COLUMNS}"),
    )


_CLAIM, _CLAIM_BY_KIND = _claim(by_kind=False), _claim(by_kind=True)
_PEEK, _PEEK_BY_KIND = _peek(by_kind=False), _peek(by_kind=True)

_OPEN_OF = select(task).where(
    task.c.project_id == bindparam("project"), task.c.skill == bindparam("of_skill"), task.c.status == text("0")
)
# Two steps, each a range of the index: one condition over both would walk over all tasks of the same priority.
_SAME = _OPEN_OF.where(task.c.priority == bindparam("after_priority"), task.c.id > bindparam("after_id")).order_by(
    task.c.id
)
_BELOW = _OPEN_OF.where(task.c.priority < bindparam("after_priority")).order_by(task.c.priority.desc(), task.c.id)
_PAGE = _SAME.limit(bindparam("most")), _BELOW.limit(bindparam("most"))
_PAGE_BY_KIND = (
    with_list("kinds", lambda kinds: _SAME.where(task.c.kind.in_(kinds)).limit(bindparam("most"))),
    with_list("kinds", lambda kinds: _BELOW.where(task.c.kind.in_(kinds)).limit(bindparam("most"))),
)


def _order(one: Task) -> tuple[int, str]:
    return -one.priority, one.id


def claim(
    uow: UnitOfWork,
    scope: Scope,
    *,
    actor_id: str,
    most: int,
    skills: Sequence[str],
    kinds: Collection[str] | None,
    now: int,
    until: int,
) -> list[Task]:
    """Give an actor up to `most` open tasks of these skills (and kinds) until a time; the most urgent first."""
    values: dict[str, Any] = {} if kinds is None else {"kinds": encode(sorted(kinds))}
    rows = uow.run(
        _CLAIM if kinds is None else _CLAIM_BY_KIND,
        project=scope.project_id,
        actor=actor_id,
        most=most,
        skills=encode(list(skills)),
        now=now,
        until=until,
        **values,
    ).all()
    claimed = sorted(map(read_task, rows), key=_order)
    move(uow, scope, [(one.kind, one.skill) for one in claimed], OPEN, CLAIMED)
    return claimed


def peek(
    uow: UnitOfWork, scope: Scope, *, actor_id: str, skills: Sequence[str], kinds: Collection[str] | None, now: int
) -> str | None:
    """Return the id of the task that a claim by the actor would give first, or None."""
    values: dict[str, Any] = {} if kinds is None else {"kinds": encode(sorted(kinds))}
    found: str | None = uow.run(
        _PEEK if kinds is None else _PEEK_BY_KIND,
        project=scope.project_id,
        actor=actor_id,
        most=1,
        skills=encode(list(skills)),
        now=now,
        **values,
    ).scalar()
    return found


def page(
    uow: UnitOfWork, scope: Scope, after: tuple[int, str], most: int, kinds: Collection[str] | None = None
) -> list[Task]:
    """Return open tasks of all skills in the order of the queue, after a (priority, id)."""
    skills = open_skills(uow, scope)
    return list(islice(merge(*[_of_skill(uow, scope, one, after, most, kinds) for one in skills], key=_order), most))


def _of_skill(
    uow: UnitOfWork, scope: Scope, skill: str, after: tuple[int, str], most: int, kinds: Collection[str] | None
) -> list[Task]:
    same, below = _PAGE if kinds is None else _PAGE_BY_KIND
    values: dict[str, Any] = {"project": scope.project_id, "of_skill": skill, "after_priority": after[0]}
    if kinds is not None:
        values["kinds"] = encode(sorted(kinds))
    rows = uow.run(same, after_id=after[1], most=most, **values).all()
    if len(rows) < most:
        rows = rows + uow.run(below, most=most - len(rows), **values).all()
    return [read_task(row) for row in rows]
