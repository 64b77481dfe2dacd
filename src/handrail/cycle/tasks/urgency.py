"""How urgent a task is: the expected value of a look now, as a whole number. Pure.

    worth    = 100 x cost of an error x chance of one (1 - score)
    priority = worth x urgency(time to the deadline) + 10 for each day that the task has waited, up to 30

`urgency` doubles as the deadline comes near: within a day, four hours, an hour, a quarter of an hour. Nothing else
moves a priority, so that it changes at a few known times, and a queue of any length is brought up to date by looking
at those tasks alone whose time has come. docs/explanation/queue.md has an example.

A blind task has the worth of every other blind task and heeds no deadline: whoever could tell an audit from a draw by
its place in the queue would answer it differently.
"""

from __future__ import annotations

from datetime import datetime, timedelta

POINTS = 100
"""Worth of a look at an item of ordinary cost on which the model is certainly wrong."""
MOST_COST = 100.0
"""The highest cost of an error; 1 is an ordinary one."""
BLIND_WORTH = 50
"""Worth of a look at any blind task: an ordinary item on which the model may as well be wrong as right."""
LEAST_CHANCE = 0.01
"""No model is so sure that a look is worth nothing."""
AGE_POINTS = 10
MOST_DAYS = 30
BANDS: tuple[tuple[timedelta, int], ...] = (
    (timedelta(minutes=15), 16),
    (timedelta(hours=1), 8),
    (timedelta(hours=4), 4),
    (timedelta(days=1), 2),
)
"""(time to the deadline, factor) from the nearest; further away the factor is 1."""
_DAY = timedelta(days=1)


def worth_of_look(cost: float, score: float | None) -> int:
    """Return the worth of a look at an item: 100 x cost x (1 - score), at least 1.

    `cost` of an error is relative to an ordinary one (1), above 0 and at most 100; `score` is the model's calibrated
    confidence, None where no model answers.
    """
    chance = 1.0 if score is None else max(LEAST_CHANCE, 1.0 - score)
    return max(1, round(POINTS * cost * chance))


def passed_on(worth: int, *, escalated: bool) -> int:
    """Return the worth of a task that goes on to another person: twice as much when one asked for help."""
    return max(2 * worth, worth + 1) if escalated else worth + 1


def priority(worth: int, opened_at: datetime, deadline: datetime | None, now: datetime) -> int:
    """Return the place in the queue that a task has at `now`; a worth below 0 stays last whatever the deadline."""
    waited = min(max((now - opened_at) // _DAY, 0), MOST_DAYS) * AGE_POINTS
    factor = _factor(deadline, now)
    return (max(worth, 1) * factor if factor > 1 and worth >= 0 else worth) + waited


def changes_at(opened_at: datetime, deadline: datetime | None, now: datetime) -> datetime | None:
    """Return the first time after `now` at which the priority is another one, None when it stays."""
    days = max((now - opened_at) // _DAY, 0)
    coming = [] if days >= MOST_DAYS else [opened_at + (days + 1) * _DAY]
    if deadline is not None:
        coming += [deadline - before for before, _ in BANDS if deadline - before > now]
    return min(coming, default=None)


def first_change(opened_at: datetime, deadline: datetime | None) -> datetime:
    """Return when the priority of a task that is opened changes for the first time."""
    following = opened_at + _DAY
    if deadline is not None:  # most tasks have none
        following = changes_at(opened_at, deadline, opened_at) or following
    return following


def _factor(deadline: datetime | None, now: datetime) -> int:
    if deadline is None:
        return 1
    left = deadline - now
    return next((factor for before, factor in BANDS if left <= before), 1)
