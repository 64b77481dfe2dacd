"""How many tasks will miss their deadline in the next 24 hours, at the rate of the last days. Exact and pure.

Each past day is lived again from now on, hour by hour: what came with a deadline comes again, and people answer as many
tasks as they did in that hour, those that are due first. A day is taken as a whole because its hours belong together:
who is ill at nine is ill at ten.

The interval runs from the best to the worst of D days. If the next day is like these, in any order, it is a new one
among D + 1 that are alike, and is neither the best nor the worst of all with probability (D - 1)/(D + 1): that is the
level of the interval, however days are distributed. Weekdays and Sundays are not alike; a day unlike all of these is
not foreseen.

People are taken to answer in the order of the deadlines, the best that anybody can do: no order of equal tasks lets
fewer miss theirs. In that sense the forecast is a bound from below. It counts in whole hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HOURS = 24
LEAST_DAYS = 5
"""Whole days of history without which nothing is said."""
MOST_DAYS = 14
LEAST_ANSWERS = 30


@dataclass(frozen=True)
class Hour:
    """What happened in one past hour: tasks that came with a deadline, answers that people gave."""

    arrived: int = 0
    answered: int = 0


@dataclass(frozen=True)
class Forecast:
    """Tasks that will miss their deadline in the next 24 hours: the median of `n` past days lived again, and the best
    and worst of them. `level` is the chance that a day like these lies between.
    """

    missing: int
    low: int
    high: int
    level: float
    n: int

    @property
    def sentence(self) -> str:
        """The forecast in words."""
        told = f"({self.low} to {self.high}, {self.level:.0%} interval, n = {self.n} days)"
        if self.missing == 0:
            return f"At this rate no task misses its deadline in the next 24 hours {told}."
        tasks = "1 task misses its deadline" if self.missing == 1 else f"{self.missing} tasks miss their deadline"
        return f"At this rate {tasks} in the next 24 hours {told}."


def withheld(days: Sequence[Sequence[Hour]]) -> str:
    """Return why no forecast can be made of so little history, "" when it can."""
    answers = sum(hour.answered for day in days for hour in day)
    if len(days) >= LEAST_DAYS and answers >= LEAST_ANSWERS:
        return ""
    return (
        f"No forecast: it needs {LEAST_DAYS} whole days of history with {LEAST_ANSWERS} answers,"
        f" and there {'is' if len(days) == 1 else 'are'} {len(days)} with {answers}."
    )


def forecast(days: Sequence[Sequence[Hour]], due: Sequence[int], lead: int) -> Forecast:
    """Return how many tasks will miss their deadline.

    `days`: past days of 24 hours each, that start at the same time of day as the forecast; at least one. `due`: how
    many whole hours are left to each open deadline, 0 for one that ends within the hour. `lead`: whole hours that an
    arriving task has.
    """
    waiting = [0] * HOURS
    for hours in due:
        if 0 <= hours < HOURS:
            waiting[hours] += 1
    found = sorted(missed(day, waiting, lead) for day in days)
    n = len(found)
    return Forecast(missing=found[n // 2], low=found[0], high=found[-1], level=(n - 1) / (n + 1), n=n)


def missed(day: Sequence[Hour], waiting: Sequence[int], lead: int) -> int:
    """Return how many miss their deadline when the next hours are like this day; `waiting`: tasks by hours left."""
    due, count = list(waiting), 0
    for now, hour in enumerate(day):
        if now + lead < len(due):
            due[now + lead] += hour.arrived
        room, at = hour.answered, now
        while room and at < len(due):
            taken = min(room, due[at])
            due[at] -= taken
            room -= taken
            at += 1
        count += due[now]
    return count
