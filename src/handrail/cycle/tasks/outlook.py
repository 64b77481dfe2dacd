"""How a project's queue does: what waits, how fast people answer, who does, and what will miss its deadline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from handrail.cycle.tasks import store
from handrail.cycle.tasks.competence import Gate
from handrail.cycle.tasks.forecast import HOURS, MOST_DAYS, Forecast, Hour, forecast, withheld
from handrail.foundation.actors import Scope
from handrail.foundation.clock import from_micros, micros
from handrail.foundation.storage import UnitOfWork

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_NO_LEAD = HOURS


@dataclass(frozen=True)
class PersonLoad:
    """What one person holds now, and answered in the last hour and day."""

    person_id: str
    name: str
    held: int
    last_hour: int
    last_day: int


@dataclass(frozen=True)
class Outlook:
    """The state of a queue; `why` says why there is no forecast, "" when there is one."""

    open: int
    claimed: int
    oldest_at: datetime | None
    answers_last_hour: int
    answers_last_day: int
    due_next_day: int
    climb_next_hour: int
    forecast: Forecast | None
    why: str
    people: tuple[PersonLoad, ...]
    closed: tuple[Gate, ...] = ()


def outlook(uow: UnitOfWork, scope: Scope, now: datetime) -> Outlook:
    """Return how the project's queue does now."""
    counts = store.counts(uow, scope).values()
    people = [
        PersonLoad(*one) for one in store.people(uow, scope, micros(now), micros(now - _HOUR), micros(now - _DAY))
    ]
    oldest = store.oldest_open(uow, scope)
    due = store.due(uow, scope, micros(now), micros(now + _DAY))
    days, lead = _history(uow, scope, now)
    why = withheld(days)
    left = [int((from_micros(at) - now) / _HOUR) for at in due]
    return Outlook(
        open=sum(by_status.get("open", 0) for by_status in counts),
        claimed=sum(by_status.get("claimed", 0) for by_status in counts),
        oldest_at=None if oldest is None else from_micros(oldest),
        answers_last_hour=sum(one.last_hour for one in people),
        answers_last_day=sum(one.last_day for one in people),
        due_next_day=len(due),
        climb_next_hour=_climbing(uow, scope, now),
        forecast=None if why else forecast(days, left, lead),
        why=why,
        people=tuple(people),
        closed=tuple(store.closed_gates(uow, scope)),
    )


def _climbing(uow: UnitOfWork, scope: Scope, now: datetime) -> int:
    after = store.get_rules(uow, scope).climbs_after
    return 0 if after is None else store.unclaimed_number(uow, scope, micros(now + _HOUR - after))


def _history(uow: UnitOfWork, scope: Scope, now: datetime) -> tuple[list[list[Hour]], int]:
    """Return the whole past days since the first answer (14 at most), latest first, and the hours an arrival has."""
    since = now - MOST_DAYS * _DAY
    answered = store.answered(uow, scope, micros(since))
    arrived, lead = store.arrived(uow, scope, micros(since))
    if not answered:
        return [], _NO_LEAD
    whole = MOST_DAYS - -(-min(answered) // HOURS)
    days = [
        [
            Hour(arrived.get(start + hour, 0), answered.get(start + hour, 0))
            for hour in range(HOURS)
            for start in [(MOST_DAYS - 1 - back) * HOURS]
        ]
        for back in range(whole)
    ]
    return days, _NO_LEAD if lead is None else int(timedelta(microseconds=lead) / _HOUR)
