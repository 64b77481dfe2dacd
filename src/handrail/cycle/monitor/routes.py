"""HTTP routes of monitoring: profiles by day, alarms, a look at a day. Permissions: monitor.read, monitor.watch."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from handrail.cycle.monitor.model import Alarm, Profile
from handrail.cycle.monitor.service import Monitor
from handrail.foundation.http import In, Limit, Page, Routes, Who
from handrail.foundation.storage import Storage

_FIRST, _LAST = 19_000_101, 99_991_231


class ProfileOut(BaseModel):
    """What arrived on one day."""

    id: str
    day: int = Field(description="YYYYMMDD, the day of observation.")
    decisions: int
    to_people: int
    fields: dict[str, Any] = Field(description="Each field's distribution.")
    created_at: datetime

    @classmethod
    def of(cls, one: Profile) -> ProfileOut:
        """Return what callers see."""
        return cls(
            id=one.id,
            day=one.day,
            decisions=one.decisions,
            to_people=one.to_people,
            fields=one.fields,
            created_at=one.created_at,
        )


class AlarmOut(BaseModel):
    """A day that differs from the reference by more than chance allows."""

    id: str
    day: int
    kind: str
    sentence: str
    findings: list[dict[str, Any]]
    false_alarm: float = Field(description="Chance of an alarm on a day that is like the reference.")
    status: str
    campaign_id: str | None
    created_at: datetime

    @classmethod
    def of(cls, one: Alarm) -> AlarmOut:
        """Return what callers see."""
        return cls(
            id=one.id,
            day=one.day,
            kind=one.kind,
            sentence=one.sentence,
            findings=list(one.findings),
            false_alarm=one.false_alarm,
            status=one.status,
            campaign_id=one.campaign_id,
            created_at=one.created_at,
        )


class WatchIn(BaseModel):
    """Which day to look at."""

    model_config = ConfigDict(extra="forbid")
    day: int = Field(ge=_FIRST, le=_LAST, description="YYYYMMDD.")


def routes(storage: Storage, monitor: Monitor) -> Routes:
    """Return the routes of monitoring."""
    routes = Routes("monitor", prefix="/projects/{project}")

    @routes.get("/profiles", permission="monitor.read")
    async def list_profiles(
        scope: In,
        limit: Limit = 60,
        before: Annotated[int, Query(ge=_FIRST, le=99_999_999, description="Only days before this one.")] = 99_999_999,
    ) -> Page[ProfileOut]:
        """List the profiles, newest day first; go on with `before` = the page's `next`."""
        found = await storage.aread(lambda uow: monitor.profiles(uow, scope, before=before, limit=limit))
        following = str(found[-1].day) if len(found) == limit else None
        return Page(items=[ProfileOut.of(one) for one in found], next=following)

    @routes.get("/alarms", permission="monitor.read")
    async def list_alarms(scope: In) -> Page[AlarmOut]:
        """List the alarms, newest first."""
        found = await storage.aread(lambda uow: monitor.alarms(uow, scope))
        return Page(items=[AlarmOut.of(one) for one in found], next=None)

    @routes.post("/watch", permission="monitor.watch")
    def watch(body: WatchIn, who: Who, scope: In) -> Page[AlarmOut]:
        """Compare a day with the reference and return the alarms that it raised; again changes nothing."""
        return Page(items=[AlarmOut.of(one) for one in monitor.watch(who, scope, body.day)], next=None)

    return routes
