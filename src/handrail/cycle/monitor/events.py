"""Facts that monitoring publishes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from handrail.foundation.journal import Event


@dataclass(frozen=True, kw_only=True)
class DayOver(Event):
    """The first decision about a later day arrived, so this day can be judged."""

    verb: ClassVar[str] = "monitor.day_over"
    day: int


@dataclass(frozen=True, kw_only=True)
class DayProfiled(Event):
    """A day's profile was made."""

    verb: ClassVar[str] = "monitor.day_profiled"
    profile_id: str
    day: int
    decisions: int
    to_people: int


@dataclass(frozen=True, kw_only=True)
class AlarmRaised(Event):
    """A day differs from the reference; people are brought in."""

    verb: ClassVar[str] = "monitor.alarm_raised"
    alarm_id: str
    day: int
    kind: str
    sentence: str
    findings: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class AlarmAnswered(Event):
    """A campaign was opened because of an alarm."""

    verb: ClassVar[str] = "monitor.alarm_answered"
    alarm_id: str
    campaign_id: str
