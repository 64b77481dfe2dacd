"""Audits whose verdict is late: when one is overdue, when too many are, and what they count as. Pure.

An open audit counts as right in the brake, so that a late verdict can never stop automation falsely, only later. In the
upper limit of the error it counts as wrong once it is overdue: leaving out what nobody answered would make the limit
too low. Who is slow cannot blind the brake unseen: over 5 % of the due audits without a verdict warn, and each is
escalated.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

MOST_OVERDUE = 0.05
"""The share of audits without a verdict when they are due that warns."""
WORDS = f"more than {MOST_OVERDUE:.0%} of the audits that are due have no verdict"


class Dated(Protocol):
    """An audit with the time at which its verdict is due, in microseconds; `wrong` is None while there is none."""

    @property
    def wrong(self) -> float | None:
        """The confirmed verdict."""

    @property
    def due_at(self) -> int:
        """When the verdict is due."""


_Dated = TypeVar("_Dated", bound=Dated)


def due_at(drawn_at: datetime, days: int) -> datetime:
    """Return when the verdict of an audit is due; fixed with its draw, whatever the policy says later."""
    return drawn_at + timedelta(days=days)


def is_overdue(one: Dated, now: int) -> bool:
    """Return whether the verdict should be there by `now` (microseconds) and is not."""
    return one.wrong is None and one.due_at <= now


def too_many(due: int, overdue: int) -> bool:
    """Return whether `overdue` of `due` audits are so many that automation is warned."""
    return overdue > MOST_OVERDUE * due


def settled(audits: Sequence[_Dated], now: int) -> Sequence[_Dated]:
    """Return the audits, in the order of their decisions, before the first that may still be answered in time.

    What is left out are the last ones, whatever their verdicts, so nothing is chosen by its outcome.
    """
    for place, one in enumerate(audits):
        if one.wrong is None and not is_overdue(one, now):
            return audits[:place]
    return audits
