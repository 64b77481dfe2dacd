"""SQL of changing many tasks at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select, text, update

from handrail.cycle.tasks.model import Task
from handrail.cycle.tasks.store.counts import count
from handrail.cycle.tasks.store.rows import read_task
from handrail.cycle.tasks.store.tables import OPEN, task
from handrail.cycle.tasks.working.bulk import Action
from handrail.foundation.actors import Scope
from handrail.foundation.storage import UnitOfWork

# The queue's index holds what is open; a bulk action reads over all of it, a person does few a day.
_OPEN = (
    select(task)
    .where(task.c.project_id == bindparam("project"), task.c.status == text("0"))
    .order_by(task.c.id)
    .limit(bindparam("most"))
)
_OF_CAMPAIGN = (
    select(task)
    .where(
        task.c.project_id == bindparam("project"),
        task.c.status < text("2"),
        task.c.campaign_id == bindparam("campaign"),
    )
    .order_by(task.c.id)
    .limit(bindparam("most"))
)
_NOT_BLIND = _OPEN.where(task.c.question == bindparam("of_question"), task.c.blind == text("0"))
_WITH_SKILL = _OPEN.where(task.c.question == bindparam("of_question"), task.c.skill == bindparam("of_skill"))
_CHOSEN = {"withdraw": _OF_CAMPAIGN, "set_priority": _NOT_BLIND, "assign_skill": _WITH_SKILL}
_LOCKED = {does: query.with_for_update() for does, query in _CHOSEN.items()}
_BY_ID = (task.c.project_id == bindparam("project"), task.c.id == bindparam("by_id"))
_SET_WORTH = update(task).where(*_BY_ID).values(worth=bindparam("new_worth"), priority=bindparam("new_priority"))
_SET_SKILL = update(task).where(*_BY_ID).values(skill=bindparam("new_skill"), waits_since=bindparam("at"))


def chosen(uow: UnitOfWork, scope: Scope, action: Action, most: int, *, lock: bool) -> list[Task]:
    """Return the tasks that an action changes, `most` at most; with `lock` nobody else changes them meanwhile."""
    values: dict[str, Any] = {"project": scope.project_id, "most": most}
    if action.does == "withdraw":
        values["campaign"] = action.campaign_id
    else:
        values["of_question"] = action.question
    if action.does == "assign_skill":
        values["of_skill"] = action.skill
    return [read_task(row) for row in uow.run((_LOCKED if lock else _CHOSEN)[action.does], **values).all()]


def set_worth(uow: UnitOfWork, scope: Scope, worth: int, places: Sequence[tuple[str, int]]) -> None:
    """Give tasks another worth; `places` are their ids, each with its place in the queue now."""
    rows = [{"project": scope.project_id, "by_id": id_, "new_worth": worth, "new_priority": at} for id_, at in places]
    uow.add_all(_SET_WORTH, rows)


def set_skill(uow: UnitOfWork, scope: Scope, tasks: Sequence[Task], skill: str, at: int) -> None:
    """Let open tasks ask for another skill; those that wait for a claim wait anew from `at` on."""
    rows = [
        {
            "project": scope.project_id,
            "by_id": one.id,
            "new_skill": skill,
            "at": None if one.waits_since is None else at,
        }
        for one in tasks
    ]
    uow.add_all(_SET_SKILL, rows)
    moved: dict[tuple[str, str], int] = {}
    for one in tasks:
        moved[one.kind, one.skill] = moved.get((one.kind, one.skill), 0) + 1
    for (kind, before), number in sorted(moved.items()):
        count(uow, scope, kind, before, OPEN, -number)
        count(uow, scope, kind, skill, OPEN, number)
