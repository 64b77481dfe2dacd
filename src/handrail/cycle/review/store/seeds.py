"""SQL of seeds: drawn beside a real review task, opened later as a task of their own, answered like any other."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, text, update

from handrail.cycle.review.seeds import Outcome, Shown
from handrail.cycle.review.store.tables import seed
from handrail.foundation.actors import Scope
from handrail.foundation.canonical import encode
from handrail.foundation.clock import from_micros, micros
from handrail.foundation.storage import UnitOfWork

_BATCH = 100  # seeds that one tick opens
_INSERT = insert(seed)
# every project: the loop acts for all of them and takes the scope from the row
_DUE = (
    select(seed.c.id, seed.c.project_id, seed.c.question, seed.c.share)
    .where(seed.c.task_id.is_(None), seed.c.due_at <= bindparam("now"))
    .order_by(seed.c.due_at, seed.c.id)
    .limit(_BATCH)
    .with_for_update(skip_locked=True)
)
_BY_ID = (seed.c.project_id == bindparam("project"), seed.c.id == bindparam("by_id"))
_OPEN = (
    update(seed)
    .where(*_BY_ID)
    .values(
        task_id=bindparam("of_task"),
        item_id=bindparam("about"),
        shown=bindparam("kind"),
        truth=bindparam("known"),
        shown_value=bindparam("said"),
        opened_at=bindparam("at"),
    )
)
_POSTPONE = update(seed).where(*_BY_ID).values(due_at=bindparam("later"))
_DROP = delete(seed).where(*_BY_ID)
_ANSWER = (
    update(seed)
    .where(*_BY_ID)
    .values(
        outcome=bindparam("shows"),
        value=bindparam("given"),
        own=bindparam("own_value"),
        person_id=bindparam("who"),
        person_name=bindparam("name"),
        seconds=bindparam("spent"),
        answered_at=bindparam("at"),
    )
)
_COLUMNS = [column for column in seed.c if column.name not in ("project_id", "due_at")]
_OF_TASK = select(*_COLUMNS).where(seed.c.project_id == bindparam("project"), seed.c.task_id == bindparam("of_task"))
_ANSWERED = (
    select(*_COLUMNS)
    .where(seed.c.project_id == bindparam("project"), seed.c.outcome.is_not(None))
    .order_by(seed.c.answered_at, seed.c.id)
)
_USED = (
    select(seed.c.item_id, seed.c.person_id)
    .where(seed.c.project_id == bindparam("project"), seed.c.item_id.is_not(None))
    .order_by(text("1"), text("2"))
)


@dataclass(frozen=True)
class SeedRow:
    """A seed that was opened; `outcome` and what follows are None until it is answered."""

    id: str
    question: str
    share: float
    task_id: str
    item_id: str
    shown: Shown
    truth: Any
    shown_value: Any
    opened_at: datetime
    outcome: Outcome | None
    value: Any
    own: Any
    person_id: str | None
    person_name: str | None
    seconds: float | None
    answered_at: datetime | None


def _read(row: tuple[Any, ...]) -> SeedRow:
    id_, question, share, task, item, shown, truth, said, opened, outcome, value, own, who, name, spent, at = row
    return SeedRow(
        id=id_,
        question=question,
        share=share,
        task_id=task,
        item_id=item,
        shown=shown,
        truth=json.loads(truth),
        shown_value=json.loads(said),
        opened_at=from_micros(opened),
        outcome=outcome,
        value=None if value is None else json.loads(value),
        own=None if own is None else json.loads(own),
        person_id=who,
        person_name=name,
        seconds=spent,
        answered_at=None if at is None else from_micros(at),
    )


def plan_seed(uow: UnitOfWork, scope: Scope, seed_id: str, *, question: str, share: float, due_at: int) -> None:
    """Insert a seed that was drawn; it is opened when it is due."""
    uow.add(_INSERT, id=seed_id, project_id=scope.project_id, question=question, share=share, due_at=due_at)


def seeds_due(uow: UnitOfWork, now: int) -> list[tuple[str, str, str, float]]:
    """Return (id, project id, question, share) of seeds of every project that are to be opened now."""
    return [tuple(row) for row in uow.run(_DUE, now=now).all()]


def open_seed(uow: UnitOfWork, scope: Scope, one: SeedRow) -> None:
    """Note the task that a seed became, and what it shows."""
    uow.add(
        _OPEN,
        project=scope.project_id,
        by_id=one.id,
        of_task=one.task_id,
        about=one.item_id,
        kind=one.shown,
        known=encode(one.truth),
        said=encode(one.shown_value),
        at=micros(one.opened_at),
    )


def postpone_seed(uow: UnitOfWork, scope: Scope, seed_id: str, later: int) -> None:
    """Let a seed be due later: the project has too little known truth yet."""
    uow.add(_POSTPONE, project=scope.project_id, by_id=seed_id, later=later)


def drop_seed(uow: UnitOfWork, scope: Scope, seed_id: str) -> None:
    """Forget a seed that nobody has seen: the policy wants none any more."""
    uow.add(_DROP, project=scope.project_id, by_id=seed_id)


def seed_of_task(uow: UnitOfWork, scope: Scope, task_id: str) -> SeedRow | None:
    """Return the seed that a task is, None for a real one."""
    row = uow.run(_OF_TASK, project=scope.project_id, of_task=task_id).first()
    return None if row is None else _read(tuple(row))


def answer_seed(uow: UnitOfWork, scope: Scope, one: SeedRow) -> None:
    """Write how a seed was answered, and by whom."""
    assert one.answered_at is not None
    uow.add(
        _ANSWER,
        project=scope.project_id,
        by_id=one.id,
        shows=one.outcome,
        given=None if one.value is None else encode(one.value),
        own_value=None if one.own is None else encode(one.own),
        who=one.person_id,
        name=one.person_name,
        spent=one.seconds,
        at=micros(one.answered_at),
    )


def answered_seeds(uow: UnitOfWork, scope: Scope) -> list[SeedRow]:
    """Return the answered seeds of a project, oldest answer first."""
    return [_read(tuple(row)) for row in uow.run(_ANSWERED, project=scope.project_id).all()]


def seeded_items(uow: UnitOfWork, scope: Scope) -> dict[str, set[str]]:
    """Return item id -> the people who answered a seed about it, for every item that was one."""
    found: dict[str, set[str]] = {}
    for item, person in uow.run(_USED, project=scope.project_id).all():
        found.setdefault(item, set()).update({person} if person else ())
    return found
