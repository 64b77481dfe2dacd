"""Values of watching: a profile of each day, an alarm when a day differs. No I/O, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from handrail.foundation.errors import NotFound

AlarmKind = Literal["input_drift", "deferral"]
AlarmStatus = Literal["open", "answered"]


class NothingToProfile(NotFound):
    """No decision was made about this day."""

    code = "monitor.nothing_to_profile"


@dataclass(frozen=True)
class Profile:
    """What arrived on one day: number of decisions, how many went to people, and each field's distribution.

    `day` is written YYYYMMDD and is the day of observation, not of decision.
    """

    id: str
    project_id: str
    day: int
    decisions: int
    to_people: int
    fields: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True)
class Alarm:
    """A day that differs from the reference by more than chance allows; `false_alarm` is the stated level per day."""

    id: str
    project_id: str
    day: int
    kind: AlarmKind
    sentence: str
    findings: tuple[dict[str, Any], ...]
    false_alarm: float
    status: AlarmStatus
    campaign_id: str | None
    created_at: datetime
