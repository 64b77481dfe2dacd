"""SQL of control items: drawn beside an audit, opened later as a blind audit of their own, answered like any other."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from handrail.cycle.review.controls import Stands
from handrail.cycle.review.store.tables import control_item, seed
from handrail.foundation.actors import Scope
from handrail.foundation.canonical import encode
from handrail.foundation.clock import from_micros, micros
from handrail.foundation.storage import UnitOfWork

_BATCH = 100  # control items that one tick opens
_MOST_OVERDUE = 500
_INSERT = insert(control_item)
# every project: the loop acts for all of them and takes the scope from the row
_TO_OPEN = (
    select(control_item.c.id, control_item.c.project_id, control_item.c.question, control_item.c.share)
    .where(control_item.c.task_id.is_(None), control_item.c.open_at <= bindparam("now"))
    .order_by(control_item.c.open_at, control_item.c.id)
    .limit(_BATCH)
    .with_for_update(skip_locked=True)
)
_BY_ID = (control_item.c.project_id == bindparam("project"), control_item.c.id == bindparam("by_id"))
_OPEN = (
    update(control_item)
    .where(*_BY_ID)
    .values(
        task_id=bindparam("of_task"),
        item_id=bindparam("about"),
        stands=bindparam("kind"),
        truth=bindparam("known"),
        given=bindparam("said"),
        second_opinion=bindparam("second"),
        opened_at=bindparam("at"),
        due_at=bindparam("due"),
    )
)
_POSTPONE = update(control_item).where(*_BY_ID).values(open_at=bindparam("later"))
_DROP = delete(control_item).where(*_BY_ID)
_HEAR = (
    update(control_item)
    .where(*_BY_ID)
    .values(verdicts=bindparam("new_verdicts"), wrong=bindparam("new_wrong"), settled_at=bindparam("at"))
)
_MOVE = update(control_item).where(*_BY_ID).values(task_id=bindparam("of_task"))
_MARK = update(control_item).where(*_BY_ID).values(overdue_at=bindparam("at"))
_COLUMNS = [
    control_item.c[name]
    for name in (
        "id question share task_id item_id stands truth given second_opinion opened_at due_at verdicts wrong settled_at"
    ).split()
]
_OF_TASK = select(*_COLUMNS).where(
    control_item.c.project_id == bindparam("project"), control_item.c.task_id == bindparam("of_task")
)
_OPENED = (
    select(*_COLUMNS)
    .where(
        control_item.c.project_id == bindparam("project"),
        control_item.c.question == bindparam("asked"),
        control_item.c.task_id.is_not(None),
    )
    .order_by(control_item.c.opened_at, control_item.c.id)
)
_LATE = (
    control_item.c.wrong.is_(None),
    control_item.c.overdue_at.is_(None),
    control_item.c.due_at <= bindparam("now"),
)
# every project: who keeps time takes the scope from the row
_OVERDUE_PROJECTS = select(control_item.c.project_id).where(*_LATE).distinct().order_by(control_item.c.project_id)
_OVERDUE_OF = (
    select(*_COLUMNS)
    .where(control_item.c.project_id == bindparam("project"), *_LATE)
    .order_by(control_item.c.due_at, control_item.c.id)
    .limit(_MOST_OVERDUE)
)
_ABOUT = select(control_item.c.verdicts).where(
    control_item.c.project_id == bindparam("project"), control_item.c.item_id == bindparam("about")
)
_SEEDS_ABOUT = select(seed.c.person_id).where(
    seed.c.project_id == bindparam("project"), seed.c.item_id == bindparam("about"), seed.c.person_id.is_not(None)
)


@dataclass(frozen=True)
class ControlRow:
    """A control item that was opened; `verdicts` are (person, value), `wrong` is None until there is a verdict."""

    id: str
    question: str
    share: float
    task_id: str
    item_id: str
    stands: Stands
    truth: Any
    given: Any
    second_opinion: bool
    opened_at: datetime
    due_at: datetime
    verdicts: tuple[tuple[str, Any], ...]
    wrong: bool | None
    settled_at: datetime | None


def _read(row: tuple[Any, ...]) -> ControlRow:
    id_, question, share, task, item, stands, truth, given, second, opened, due, verdicts, wrong, settled = row
    return ControlRow(
        id=id_,
        question=question,
        share=share,
        task_id=task,
        item_id=item,
        stands=stands,
        truth=json.loads(truth),
        given=json.loads(given),
        second_opinion=bool(second),
        opened_at=from_micros(opened),
        due_at=from_micros(due),
        verdicts=tuple((who, value) for who, value in json.loads(verdicts)),
        wrong=None if wrong is None else bool(wrong),
        settled_at=None if settled is None else from_micros(settled),
    )


def plan_control(uow: UnitOfWork, scope: Scope, control_id: str, *, question: str, share: float, open_at: int) -> None:
    """Insert a control item that was drawn; it is opened when its time comes."""
    uow.add(
        _INSERT,
        id=control_id,
        project_id=scope.project_id,
        question=question,
        share=share,
        open_at=open_at,
        verdicts="[]",
    )


def controls_to_open(uow: UnitOfWork, now: int) -> list[tuple[str, str, str, float]]:
    """Return (id, project id, question, share) of control items of every project that are to be opened now."""
    return [tuple(row) for row in uow.run(_TO_OPEN, now=now).all()]


def open_control(uow: UnitOfWork, scope: Scope, one: ControlRow) -> None:
    """Note the task that a control item became, and what it stands for."""
    uow.add(
        _OPEN,
        project=scope.project_id,
        by_id=one.id,
        of_task=one.task_id,
        about=one.item_id,
        kind=one.stands,
        known=encode(one.truth),
        said=encode(one.given),
        second=int(one.second_opinion),
        at=micros(one.opened_at),
        due=micros(one.due_at),
    )


def postpone_control(uow: UnitOfWork, scope: Scope, control_id: str, later: int) -> None:
    """Let a control item be opened later: the project has no case of known truth left for it."""
    uow.add(_POSTPONE, project=scope.project_id, by_id=control_id, later=later)


def drop_control(uow: UnitOfWork, scope: Scope, control_id: str) -> None:
    """Forget a control item that nobody has seen: the policy wants none any more."""
    uow.add(_DROP, project=scope.project_id, by_id=control_id)


def control_of_task(uow: UnitOfWork, scope: Scope, task_id: str) -> ControlRow | None:
    """Return the control item that a task is, None for an audit."""
    row = uow.run(_OF_TASK, project=scope.project_id, of_task=task_id).first()
    return None if row is None else _read(tuple(row))


def hear_control(
    uow: UnitOfWork,
    scope: Scope,
    control_id: str,
    *,
    verdicts: tuple[tuple[str, Any], ...],
    wrong: bool | None,
    at: datetime,
) -> None:
    """Record what people said, and the confirmed verdict once there is one."""
    uow.add(
        _HEAR,
        project=scope.project_id,
        by_id=control_id,
        new_verdicts=encode([list(one) for one in verdicts]),
        new_wrong=None if wrong is None else int(wrong),
        at=None if wrong is None else micros(at),
    )


def move_control(uow: UnitOfWork, scope: Scope, control_id: str, task_id: str) -> None:
    """Note the task in which a control item goes on."""
    uow.add(_MOVE, project=scope.project_id, by_id=control_id, of_task=task_id)


def mark_control_overdue(uow: UnitOfWork, scope: Scope, control_id: str, at: int) -> None:
    """Note that a control item was seen to be overdue, so that it is seen once."""
    uow.add(_MARK, project=scope.project_id, by_id=control_id, at=at)


def controls(uow: UnitOfWork, scope: Scope, question: str) -> list[ControlRow]:
    """Return the control items of a question that were opened, oldest first."""
    return [_read(tuple(row)) for row in uow.run(_OPENED, project=scope.project_id, asked=question).all()]


def projects_with_overdue_controls(uow: UnitOfWork, now: int) -> list[str]:
    """Return the projects in which a control item is overdue that nobody has seen to be."""
    return [str(row[0]) for row in uow.run(_OVERDUE_PROJECTS, now=now).all()]


def overdue_controls(uow: UnitOfWork, scope: Scope, now: int) -> list[ControlRow]:
    """Return the control items of a project that are overdue and were not seen to be, the longest due first."""
    return [_read(tuple(row)) for row in uow.run(_OVERDUE_OF, project=scope.project_id, now=now).all()]


def people_who_know(uow: UnitOfWork, scope: Scope, item_id: str) -> set[str]:
    """Return the people who answered a seed or a control item about an item."""
    found = {str(row[0]) for row in uow.run(_SEEDS_ABOUT, project=scope.project_id, about=item_id).all()}
    for (verdicts,) in uow.run(_ABOUT, project=scope.project_id, about=item_id).all():
        found |= {str(who) for who, _ in json.loads(verdicts)}
    return found
