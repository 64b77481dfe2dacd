"""Tables and SQL of profiles and alarms."""

from __future__ import annotations

import json
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
    select,
    update,
)

from handrail.cycle.monitor.model import Alarm, Profile
from handrail.foundation.actors import Scope
from handrail.foundation.canonical import encode
from handrail.foundation.clock import from_micros, micros
from handrail.foundation.storage import UnitOfWork, insert_or_ignore, metadata, upsert

profile = Table(
    "monitor_profile",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(36), nullable=False),
    Column("day", Integer, nullable=False),
    Column("decisions", Integer, nullable=False),
    Column("to_people", Integer, nullable=False),
    Column("fields", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("project_id", "day"),
)

alarm = Table(
    "alarm",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(36), nullable=False),
    Column("day", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("sentence", Text, nullable=False),
    Column("findings", Text, nullable=False),
    Column("false_alarm", Double, nullable=False),
    Column("status", String(16), nullable=False),
    Column("campaign_id", String(36)),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("project_id", "day", "kind"),
    Index("alarm_project", "project_id", "id"),
)

newest = Table(
    "monitor_day",
    metadata,
    Column("project_id", String(36), primary_key=True),
    Column("day", Integer, nullable=False),
)

_NEWEST = select(newest.c.day).where(newest.c.project_id == bindparam("project"))
_PUT_NEWEST = upsert(newest, key=["project_id"], set=["day"])
_INSERT_PROFILE = insert_or_ignore(profile)
_PROFILE = select(profile).where(profile.c.project_id == bindparam("project"), profile.c.day == bindparam("at_day"))
_PROFILES = (
    select(profile)
    .where(profile.c.project_id == bindparam("project"), profile.c.day < bindparam("before"))
    .order_by(profile.c.day.desc())
    .limit(bindparam("limit"))
)
_INSERT_ALARM = insert_or_ignore(alarm)
_ALARMS = select(alarm).where(alarm.c.project_id == bindparam("project")).order_by(alarm.c.id.desc())
_ALARM = select(alarm).where(alarm.c.project_id == bindparam("project"), alarm.c.id == bindparam("by_id"))
_ANSWER_ALARM = (
    update(alarm)
    .where(alarm.c.project_id == bindparam("project"), alarm.c.id == bindparam("by_id"))
    .values(status="answered", campaign_id=bindparam("campaign"))
)


def _profile(row: tuple[Any, ...]) -> Profile:
    id_, project, day, decisions, to_people, fields, created = row
    return Profile(id_, project, day, decisions, to_people, json.loads(fields), from_micros(created))


def _alarm(row: tuple[Any, ...]) -> Alarm:
    id_, project, day, kind, sentence, findings, level, status, campaign, created = row
    found = tuple(json.loads(findings))
    return Alarm(id_, project, day, kind, sentence, found, level, status, campaign, from_micros(created))


def put_profile(uow: UnitOfWork, scope: Scope, one: Profile) -> None:
    """Insert a profile; a day that has one keeps it."""
    uow.add(
        _INSERT_PROFILE,
        id=one.id,
        project_id=scope.project_id,
        day=one.day,
        decisions=one.decisions,
        to_people=one.to_people,
        fields=encode(one.fields),
        created_at=micros(one.created_at),
    )


def get_profile(uow: UnitOfWork, scope: Scope, day: int) -> Profile | None:
    """Return the profile of a day."""
    row = uow.run(_PROFILE, project=scope.project_id, at_day=day).first()
    return None if row is None else _profile(row)


def profiles(uow: UnitOfWork, scope: Scope, *, before: int = 99_999_999, limit: int = 60) -> list[Profile]:
    """Return profiles, newest day first."""
    rows = uow.run(_PROFILES, project=scope.project_id, before=before, limit=limit).all()
    return [_profile(row) for row in rows]


def put_alarm(uow: UnitOfWork, scope: Scope, one: Alarm) -> None:
    """Insert an alarm; a day has at most one of each kind."""
    uow.add(
        _INSERT_ALARM,
        id=one.id,
        project_id=scope.project_id,
        day=one.day,
        kind=one.kind,
        sentence=one.sentence,
        findings=encode(list(one.findings)),
        false_alarm=one.false_alarm,
        status=one.status,
        campaign_id=one.campaign_id,
        created_at=micros(one.created_at),
    )


def alarms(uow: UnitOfWork, scope: Scope) -> list[Alarm]:
    """Return the project's alarms, newest first."""
    return [_alarm(row) for row in uow.run(_ALARMS, project=scope.project_id).all()]


def get_alarm(uow: UnitOfWork, scope: Scope, alarm_id: str) -> Alarm | None:
    """Return one alarm."""
    row = uow.run(_ALARM, project=scope.project_id, by_id=alarm_id).first()
    return None if row is None else _alarm(row)


def answer_alarm(uow: UnitOfWork, scope: Scope, alarm_id: str, campaign_id: str) -> None:
    """Record the campaign that an alarm opened."""
    uow.add(_ANSWER_ALARM, project=scope.project_id, by_id=alarm_id, campaign=campaign_id)


def newest_day(uow: UnitOfWork, scope: Scope) -> int | None:
    """Return the newest day that a decision was about."""
    found = uow.run(_NEWEST, project=scope.project_id).scalar()
    return None if found is None else int(found)


def put_newest_day(uow: UnitOfWork, scope: Scope, day: int) -> None:
    """Remember the newest day."""
    uow.add(_PUT_NEWEST, project_id=scope.project_id, day=day)
