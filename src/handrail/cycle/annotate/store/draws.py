"""Tables and SQL of draws and campaigns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    func,
    insert,
    select,
    update,
)

from handrail.cycle.annotate.model import Campaign, Draw, Lot, Sampled
from handrail.foundation.actors import Scope
from handrail.foundation.canonical import encode
from handrail.foundation.clock import from_micros, micros
from handrail.foundation.storage import UnitOfWork, metadata

draw_lot = Table(
    "draw_lot",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(36), nullable=False),
    Column("question", String(128), nullable=False),
    Column("number", Integer, nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("drawn", Integer, nullable=False),
    Column("among", Integer, nullable=False),
    Column("pool", String(64), nullable=False),
    Column("seed", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("campaign_id", String(36)),
    Column("drawn_at", BigInteger, nullable=False),
    # Two drawings of one pool at the same time would each log the wrong chance: the second finds its number taken.
    UniqueConstraint("project_id", "question", "number"),
)

draw = Table(
    "draw",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(36), nullable=False),
    Column("item_id", String(36), nullable=False),
    Column("question", String(128), nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("probability", Double, nullable=False),
    Column("position", Integer, nullable=False),
    Column("campaign_id", String(36)),
    Column("task_id", String(36), nullable=False, unique=True),
    Column("lot_id", String(36), nullable=False),
    Column("state", String(16), nullable=False),
    Column("value", Text),
    Column("labelled_at", BigInteger),
    UniqueConstraint("project_id", "question", "item_id"),
    Index("draw_lot_order", "project_id", "lot_id", "position"),
)

campaign = Table(
    "campaign",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(36), nullable=False),
    Column("question", String(128), nullable=False),
    Column("reason", Text, nullable=False),
    Column("target", Integer, nullable=False),
    Column("drawn", Integer, nullable=False),
    Column("answered", Integer, nullable=False),
    Column("state", String(8), nullable=False),
    Column("alarm_id", String(36)),
    Column("opened_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    Index("campaign_project", "project_id", "id"),
)

_INSERT_LOT = insert(draw_lot)
_LAST_LOT = select(func.max(draw_lot.c.number)).where(
    draw_lot.c.project_id == bindparam("project"), draw_lot.c.question == bindparam("of_question")
)
_LOTS = (
    select(draw_lot)
    .where(draw_lot.c.project_id == bindparam("project"), draw_lot.c.question == bindparam("of_question"))
    .order_by(draw_lot.c.number)
)
_INSERT_DRAW = insert(draw)
_DRAW_COLUMNS = [
    draw.c[name]
    for name in ("id project_id item_id question purpose probability position campaign_id task_id lot_id state".split())
]
_OF_TASK = select(*_DRAW_COLUMNS).where(
    draw.c.project_id == bindparam("project"), draw.c.task_id == bindparam("of_task")
)
_OF_LOT = (
    select(*_DRAW_COLUMNS)
    .where(draw.c.project_id == bindparam("project"), draw.c.lot_id == bindparam("of_lot"))
    .order_by(draw.c.position)
)
_OF_DRAW = draw.c.project_id == bindparam("project"), draw.c.id == bindparam("by_id")
_PASS_ON = update(draw).where(*_OF_DRAW).values(task_id=bindparam("new_task"), state="passed_on")
_LABEL = (
    update(draw).where(*_OF_DRAW).values(state="labelled", value=bindparam("new_value"), labelled_at=bindparam("at"))
)
_DRAWN_IDS = select(draw.c.item_id).where(
    draw.c.project_id == bindparam("project"), draw.c.question == bindparam("of_question")
)
_SAMPLE = (
    select(draw.c.item_id, draw.c.state, draw.c.value, draw.c.probability)
    .join_from(draw, draw_lot, draw_lot.c.id == draw.c.lot_id)
    .where(
        draw.c.project_id == bindparam("project"),
        draw_lot.c.project_id == bindparam("project"),
        draw.c.question == bindparam("of_question"),
        draw.c.purpose == bindparam("of_purpose"),
        draw_lot.c.drawn_at >= bindparam("since"),
    )
    .order_by(draw_lot.c.number, draw.c.position)
)
_INSERT_CAMPAIGN = insert(campaign)
_CAMPAIGN = select(campaign).where(campaign.c.project_id == bindparam("project"), campaign.c.id == bindparam("by_id"))
_CAMPAIGN_LOCKED = _CAMPAIGN.with_for_update()
_CAMPAIGNS = select(campaign).where(campaign.c.project_id == bindparam("project")).order_by(campaign.c.id.desc())
_PUT_CAMPAIGN = (
    update(campaign)
    .where(campaign.c.project_id == bindparam("project"), campaign.c.id == bindparam("by_id"))
    .values(
        drawn=bindparam("new_drawn"),
        answered=bindparam("new_answered"),
        state=bindparam("new_state"),
        closed_at=bindparam("new_closed"),
    )
)


def last_lot(uow: UnitOfWork, scope: Scope, question: str) -> int:
    """Return the number of a question's newest lot, 0 before the first."""
    return int(uow.run(_LAST_LOT, project=scope.project_id, of_question=question).scalar() or 0)


def add_lot(uow: UnitOfWork, scope: Scope, one: Lot, draws: Sequence[Draw]) -> None:
    """Insert a lot and its draws; a lot of the same number makes the unit fail with Duplicate."""
    uow.add(
        _INSERT_LOT,
        id=one.id,
        project_id=scope.project_id,
        question=one.question,
        number=one.number,
        purpose=one.purpose,
        drawn=one.drawn,
        among=one.among,
        pool=one.pool,
        seed=one.seed,
        reason=one.reason,
        campaign_id=one.campaign_id,
        drawn_at=micros(one.drawn_at),
    )
    rows: list[dict[str, Any]] = [
        {
            "id": draw.id,
            "project_id": scope.project_id,
            "item_id": draw.item_id,
            "question": draw.question,
            "purpose": draw.purpose,
            "probability": draw.probability,
            "position": draw.position,
            "campaign_id": draw.campaign_id,
            "task_id": draw.task_id,
            "lot_id": draw.lot_id,
            "state": draw.state,
        }
        for draw in draws
    ]
    uow.add_all(_INSERT_DRAW, rows)


def lots(uow: UnitOfWork, scope: Scope, question: str) -> list[Lot]:
    """Return the lots of a question, oldest first."""
    rows = uow.run(_LOTS, project=scope.project_id, of_question=question).all()
    return [Lot(*(*row[:-1], from_micros(row[-1]))) for row in rows]


def draws_of_lot(uow: UnitOfWork, scope: Scope, lot_id: str) -> list[Draw]:
    """Return the draws of a lot, in the order of the draw."""
    return [Draw(*row) for row in uow.run(_OF_LOT, project=scope.project_id, of_lot=lot_id).all()]


def draw_of_task(uow: UnitOfWork, scope: Scope, task_id: str) -> Draw | None:
    """Return the draw that a task is about."""
    row = uow.run(_OF_TASK, project=scope.project_id, of_task=task_id).first()
    return None if row is None else Draw(*row)


def pass_on(uow: UnitOfWork, scope: Scope, one: Draw, new_task: str) -> None:
    """Hand a draw on to another task."""
    uow.add(_PASS_ON, project=scope.project_id, by_id=one.id, new_task=new_task)


def label(uow: UnitOfWork, scope: Scope, one: Draw, value: Any, at: int) -> None:
    """Keep what was answered for a draw."""
    uow.add(_LABEL, project=scope.project_id, by_id=one.id, new_value=encode(value), at=at)


def drawn_ids(uow: UnitOfWork, scope: Scope, question: str) -> set[str]:
    """Return the items that were ever drawn for a question."""
    return {row[0] for row in uow.run(_DRAWN_IDS, project=scope.project_id, of_question=question).all()}


def sample(uow: UnitOfWork, scope: Scope, question: str, purpose: str, since: int) -> tuple[list[Sampled], int]:
    """Return what was answered for the draws of a purpose since a time, in order, and how many wait."""
    rows = uow.run(_SAMPLE, project=scope.project_id, of_question=question, of_purpose=purpose, since=since).all()
    found = [Sampled(item, json.loads(value), chance) for item, state, value, chance in rows if state == "labelled"]
    return found, len(rows) - len(found)


def _campaign(row: tuple[Any, ...]) -> Campaign:
    id_, project, question, reason, target, drawn, answered, state, alarm, opened, closed = row
    return Campaign(
        id=id_,
        project_id=project,
        question=question,
        reason=reason,
        target=target,
        drawn=drawn,
        answered=answered,
        state=state,
        alarm_id=alarm,
        opened_at=from_micros(opened),
        closed_at=None if closed is None else from_micros(closed),
    )


def add_campaign(uow: UnitOfWork, scope: Scope, one: Campaign) -> None:
    """Insert an open campaign."""
    uow.add(
        _INSERT_CAMPAIGN,
        id=one.id,
        project_id=scope.project_id,
        question=one.question,
        reason=one.reason,
        target=one.target,
        drawn=one.drawn,
        answered=one.answered,
        state=one.state,
        alarm_id=one.alarm_id,
        opened_at=micros(one.opened_at),
    )


def get_campaign(uow: UnitOfWork, scope: Scope, campaign_id: str, *, lock: bool = False) -> Campaign | None:
    """Return a campaign; with `lock` nobody else changes it until the unit ends."""
    row = uow.run(_CAMPAIGN_LOCKED if lock else _CAMPAIGN, project=scope.project_id, by_id=campaign_id).first()
    return None if row is None else _campaign(row)


def campaigns(uow: UnitOfWork, scope: Scope) -> list[Campaign]:
    """Return the project's campaigns, newest first."""
    return [_campaign(row) for row in uow.run(_CAMPAIGNS, project=scope.project_id).all()]


def put_campaign(uow: UnitOfWork, scope: Scope, one: Campaign) -> None:
    """Store a campaign's counts and state."""
    uow.add(
        _PUT_CAMPAIGN,
        project=scope.project_id,
        by_id=one.id,
        new_drawn=one.drawn,
        new_answered=one.answered,
        new_state=one.state,
        new_closed=None if one.closed_at is None else micros(one.closed_at),
    )
