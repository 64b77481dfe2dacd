"""SQL of single tasks and their answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, text, update

from handrail.cycle.tasks.model import Answer, Task
from handrail.cycle.tasks.store.counts import count, move
from handrail.cycle.tasks.store.tables import CLAIMED, OPEN, STATUSES, answer, draft, task
from handrail.cycle.tasks.urgency import first_change
from handrail.foundation.actors import Scope
from handrail.foundation.canonical import encode
from handrail.foundation.clock import from_micros, micros
from handrail.foundation.storage import RowInsert, UnitOfWork

MOST_SKIPPED = 50  # people remembered as having given a task back
_BATCH = 1000  # tasks that the timekeeper takes in hand at a time
_INSERT = RowInsert(
    task,
    "id project_id kind status question item_id decision_id subject_id payload priority skill reason blind campaign_id"
    " not_by opened_at deadline worth raise_at skipped blind_first",
)
_BY_ID = select(task).where(task.c.project_id == bindparam("project"), task.c.id == bindparam("by_id"))
_BY_ID_LOCKED = _BY_ID.with_for_update()
_OF_DECISION = (
    select(task)
    .where(task.c.project_id == bindparam("project"), task.c.decision_id == bindparam("decision"))
    .order_by(task.c.id)
)
_HELD = (
    task.c.project_id.concat("") == bindparam("project"),  # the empty text: by person, never by project (staffing.py)
    task.c.status == text("1"),
    task.c.claimed_by == bindparam("actor"),
    task.c.claimed_until > bindparam("now"),
)
_MOST_URGENT = (task.c.priority.desc(), task.c.id)
_HELD_BY = select(task).where(*_HELD).order_by(*_MOST_URGENT)
_FIRST_HELD = select(task.c.id).where(*_HELD).order_by(*_MOST_URGENT).limit(1)
_LEASE = (
    update(task)
    .where(task.c.project_id == bindparam("project"), task.c.id == bindparam("by_id"))
    .values(status=CLAIMED, claimed_by=bindparam("actor"), claimed_until=bindparam("until"))
)
_SET_STATUS = (
    update(task)
    .where(task.c.project_id == bindparam("project"), task.c.id == bindparam("by_id"))
    .values(status=bindparam("new_status"), claimed_by=bindparam("actor"), claimed_until=None)
)
_GIVE_BACK = (
    update(task)
    .where(task.c.project_id == bindparam("project"), task.c.id == bindparam("by_id"))
    .values(
        status=OPEN,
        claimed_by=None,
        claimed_until=None,
        skipped=bindparam("by_whom"),
        skipped_until=bindparam("until"),
        waits_since=bindparam("at"),
    )
)
# every project: the timekeeper acts for all of them and takes the scope from the row
_LEASES_OVER = (
    select(task.c.id)
    .where(task.c.status == text("1"), task.c.claimed_until <= bindparam("now"))
    .limit(_BATCH)
    .with_for_update(skip_locked=True)
)
# every project: the timekeeper acts for all of them and takes the scope from the row
_TAKE_BACK = (
    update(task)
    .where(task.c.id.in_(_LEASES_OVER))
    .values(status=OPEN, claimed_by=None, claimed_until=None, waits_since=task.c.claimed_until)
    .returning(task.c.project_id, task.c.kind, task.c.skill)
)
# every project: the timekeeper acts for all of them and takes the scope from the row
_DEADLINES_OVER = (
    select(task)
    .where(task.c.status < text("2"), task.c.deadline.is_not(None), task.c.deadline <= bindparam("now"))
    .order_by(task.c.deadline, task.c.id)
    .limit(_BATCH)
    .with_for_update(skip_locked=True)
)
_INSERT_ANSWER = insert(answer)
_DROP_DRAFTS = delete(draft).where(draft.c.project_id == bindparam("project"), draft.c.task_id == bindparam("of_task"))
_ANSWER_OF = select(answer).where(answer.c.project_id == bindparam("project"), answer.c.task_id == bindparam("of_task"))
_ANSWERED_BY = (
    select(answer.c.actor_id)
    .distinct()
    .join_from(task, answer, answer.c.task_id == task.c.id)
    .where(
        task.c.project_id == bindparam("project"),
        task.c.decision_id == bindparam("decision"),
        answer.c.project_id == bindparam("project"),
    )
    .order_by(answer.c.actor_id)
)


def read_task(row: Sequence[Any]) -> Task:
    """Return the task of a row."""
    (id_, project, kind, status, question, item, decision, subject, payload, priority, skill, reason, *rest) = row
    blind, campaign, not_by, opened, deadline, by, until, worth, _, skipped, _, blind_first, waits = rest
    return Task(
        id=id_,
        project_id=project,
        kind=kind,
        status=STATUSES[status],
        question=question,
        item_id=item,
        decision_id=decision,
        subject_id=subject,
        payload=json.loads(payload),
        priority=priority,
        skill=skill,
        reason=reason,
        blind=bool(blind),
        campaign_id=campaign,
        not_by=() if not_by == "[]" else tuple(json.loads(not_by)),
        opened_at=from_micros(opened),
        deadline=None if deadline is None else from_micros(deadline),
        claimed_by=by,
        claimed_until=None if until is None else from_micros(until),
        worth=worth,
        skipped=() if skipped == "[]" else tuple(json.loads(skipped)),
        blind_first=bool(blind_first),
        waits_since=None if waits is None else from_micros(waits),
    )


def _values(scope: Scope, one: Task, payload: str) -> tuple[Any, ...]:
    """Return the values of the columns that `_INSERT` names."""
    return (
        one.id,
        scope.project_id,
        one.kind,
        OPEN,
        one.question,
        one.item_id,
        one.decision_id,
        one.subject_id,
        payload,
        one.priority,
        one.skill,
        one.reason,
        int(one.blind),
        one.campaign_id,
        encode(one.not_by) if one.not_by else "[]",
        micros(one.opened_at),
        None if one.deadline is None else micros(one.deadline),
        one.worth,
        micros(first_change(one.opened_at, one.heeded_deadline)),
        "[]",
        int(one.blind_first),
    )


def add(uow: UnitOfWork, scope: Scope, one: Task, payload: str) -> None:
    """Insert an open task; `payload` is its payload in JSON."""
    uow.later(_INSERT, _values(scope, one, payload))
    count(uow, scope, one.kind, one.skill, OPEN, 1)


def add_many(uow: UnitOfWork, scope: Scope, tasks: Sequence[tuple[Task, str]]) -> None:
    """Insert open tasks, each with its payload in JSON."""
    numbers: dict[tuple[str, str], int] = {}
    for one, payload in tasks:
        uow.later(_INSERT, _values(scope, one, payload))
        numbers[one.kind, one.skill] = numbers.get((one.kind, one.skill), 0) + 1
    for (kind, skill), number in sorted(numbers.items()):
        count(uow, scope, kind, skill, OPEN, number)


def get(uow: UnitOfWork, scope: Scope, task_id: str, *, lock: bool = False) -> Task | None:
    """Return a task; with `lock` nobody else changes it until the unit ends."""
    row = uow.run(_BY_ID_LOCKED if lock else _BY_ID, project=scope.project_id, by_id=task_id).first()
    return None if row is None else read_task(row)


def of_decision(uow: UnitOfWork, scope: Scope, decision_id: str) -> list[Task]:
    """Return the tasks that a decision opened, oldest first."""
    return [read_task(row) for row in uow.run(_OF_DECISION, project=scope.project_id, decision=decision_id).all()]


def answered_by(uow: UnitOfWork, scope: Scope, decision_id: str) -> list[str]:
    """Return the people who answered a task about a decision."""
    return [actor for (actor,) in uow.glance(_ANSWERED_BY, project=scope.project_id, decision=decision_id).all()]


def held_by(uow: UnitOfWork, scope: Scope, actor_id: str, now: int) -> list[Task]:
    """Return the tasks that an actor holds now."""
    rows = uow.run(_HELD_BY, project=scope.project_id, actor=actor_id, now=now).all()
    return [read_task(row) for row in rows]


def first_held(uow: UnitOfWork, scope: Scope, actor_id: str, now: int) -> str | None:
    """Return the most urgent task that an actor holds now, None when they hold none."""
    found: str | None = uow.run(_FIRST_HELD, project=scope.project_id, actor=actor_id, now=now).scalar()
    return found


def lease(uow: UnitOfWork, scope: Scope, one: Task, actor_id: str, until: int) -> None:
    """Give a task to an actor until a time, or lengthen the lease."""
    uow.add(_LEASE, project=scope.project_id, by_id=one.id, actor=actor_id, until=until)
    if one.status == "open":
        move(uow, scope, [(one.kind, one.skill)], OPEN, CLAIMED)


def set_status(uow: UnitOfWork, scope: Scope, one: Task, status: int, actor_id: str | None = None) -> None:
    """Set a task's status and end its lease; `actor_id` is who answered it."""
    uow.add(_SET_STATUS, project=scope.project_id, by_id=one.id, new_status=status, actor=actor_id)
    move(uow, scope, [(one.kind, one.skill)], STATUSES.index(one.status), status)


def give_back(uow: UnitOfWork, scope: Scope, one: Task, actor_id: str, at: int, until: int) -> None:
    """Reopen a claimed task; until then no claim gives it to those who gave it back."""
    by_whom = encode([*(person for person in one.skipped if person != actor_id), actor_id][-MOST_SKIPPED:])
    uow.add(_GIVE_BACK, project=scope.project_id, by_id=one.id, by_whom=by_whom, at=at, until=until)
    move(uow, scope, [(one.kind, one.skill)], CLAIMED, OPEN)


def take_back(uow: UnitOfWork, now: int) -> int:
    """Reopen the tasks of every project whose lease ran out and return how many there were."""
    taken = uow.run(_TAKE_BACK, now=now).all()
    by_project: dict[str, list[tuple[str, str]]] = {}
    for project, kind, skill in taken:
        by_project.setdefault(project, []).append((kind, skill))
    for project, moved in sorted(by_project.items()):
        move(uow, Scope(project), moved, CLAIMED, OPEN)
    return len(taken)


def deadlines_over(uow: UnitOfWork, now: int) -> list[Task]:
    """Return the unanswered tasks of every project whose deadline has passed, the earliest first."""
    return [read_task(row) for row in uow.run(_DEADLINES_OVER, now=now).all()]


def add_answer(uow: UnitOfWork, scope: Scope, one: Answer) -> None:
    """Insert an answer; a task has one at most. The drafts of it go."""
    uow.add(_DROP_DRAFTS, project=scope.project_id, of_task=one.task_id)
    uow.add(
        _INSERT_ANSWER,
        id=one.id,
        project_id=scope.project_id,
        task_id=one.task_id,
        verb=one.verb,
        value=None if one.value is None else encode(one.value),
        reason=one.reason,
        actor_kind=one.actor_kind,
        actor_id=one.actor_id,
        actor_name=one.actor_name,
        shown_at=None if one.shown_at is None else micros(one.shown_at),
        answered_at=micros(one.answered_at),
        seconds=one.seconds,
    )


def answer_of(uow: UnitOfWork, scope: Scope, task_id: str) -> Answer | None:
    """Return the answer of a task."""
    row = uow.run(_ANSWER_OF, project=scope.project_id, of_task=task_id).first()
    if row is None:
        return None
    id_, _, of_task, verb, value, reason, kind, actor, name, shown, at, seconds = row
    return Answer(
        id=id_,
        task_id=of_task,
        verb=verb,
        value=None if value is None else json.loads(value),
        reason=reason,
        actor_kind=kind,
        actor_id=actor,
        actor_name=name,
        shown_at=None if shown is None else from_micros(shown),
        answered_at=from_micros(at),
        seconds=seconds,
    )
