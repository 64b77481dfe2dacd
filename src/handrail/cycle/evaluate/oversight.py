"""What answers show of how people look at a model's answers: shares with intervals, never a bare percentage. Pure.

A share that rests on too few cases is withheld and says how many are missing. Shares have exact intervals (Clopper and
Pearson 1934), the median of a time that of two order statistics (David and Nagaraja, Order Statistics, 7.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from handrail.foundation.statistics import Interval, clopper_pearson, lower_tail, upper_tail

LEVEL = 0.95
LEAST = 20
"""Cases under which a share or a time is withheld: with fewer, no interval is narrower than half of everything."""
STAMPER, CAREFUL, MISTAKE = 0.20, 0.80, 0.05
"""Catch rates that seeds are to tell apart, and the highest chance of either mistake."""
_MOST_SEEDS = 10_000

Outcome = Literal["caught", "missed", "let_stand", "overridden"]


@dataclass(frozen=True)
class Look:
    """One answer of a person to a review task on which a model's answer was shown.

    `own` is what they said before it was shown, None where the queue is not blind-first. `final` is None for a
    rejection. `truth` is None where it is not known. `outcome` is set for a seed. `groups` are texts like "sex: f".
    """

    person_id: str
    person_name: str
    item_id: str
    shown: Any
    own: Any
    final: Any
    truth: Any = None
    outcome: Outcome | None = None
    seconds: float | None = None
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Share:
    """A share of `n` cases with its interval; None while n is under `needed`, and `said` says so."""

    interval: Interval | None
    n: int
    needed: int
    said: str


@dataclass(frozen=True)
class Median:
    """The median of `n` times in seconds, with the interval of two order statistics; None while n is too small."""

    interval: Interval | None
    n: int
    needed: int
    said: str


@dataclass(frozen=True)
class Told:
    """Whether the seeds tell a person who catches 20 in 100 from one who catches 80 in 100.

    `more`: seeds with a wrong answer that are still needed. `verdict`: "careful" (20 in 100 is ruled out, 80 is not),
    "stamper" (the other way round), "between" (both are ruled out), "cannot tell".
    """

    caught: int
    n: int
    needed: int
    more: int
    verdict: Literal["careful", "stamper", "between", "cannot tell"]
    said: str


@dataclass(frozen=True)
class Figures:
    """What the looks of a person, of a group or of all show; `about` names whose they are."""

    about: str
    name: str
    looks: int
    told: Told
    caught: Share
    overridden_right: Share
    switched: Share
    switched_to_wrong: Share
    accepted_wrong: Share
    override_precision: Share
    seconds: Median


@cache
def seeds_to_tell(low: float = STAMPER, high: float = CAREFUL, mistake: float = MISTAKE) -> int:
    """Return the smallest number of seeds that tells a catch rate of `low` from one of `high`.

    There is a number of catches from which on `low` is believed with a chance of at most `mistake`, and below which
    `high` is; both by exact binomial tails.
    """
    for n in range(1, _MOST_SEEDS + 1):
        least = next((k for k in range(n + 1) if upper_tail(k, n, low) <= mistake), None)
        if least is not None and lower_tail(least - 1, n, high) <= mistake:
            return n
    return _MOST_SEEDS


def told_apart(caught: int, n: int) -> Told:
    """Return what `caught` of `n` seeds with a wrong answer say about the person."""
    needed = seeds_to_tell()
    more = max(0, needed - n)
    if more:
        said = f"not enough yet: {n} of {needed} seeds; needs {more} more to tell {STAMPER:.0%} from {CAREFUL:.0%}"
        return Told(caught, n, needed, more, "cannot tell", said)
    no_stamper, not_careful = upper_tail(caught, n, STAMPER) <= MISTAKE, lower_tail(caught, n, CAREFUL) <= MISTAKE
    seen = f"{caught} of {n} wrong answers caught"
    if no_stamper and not_careful:
        return Told(caught, n, needed, 0, "between", f"{seen}: more than {STAMPER:.0%}, less than {CAREFUL:.0%}")
    if no_stamper:
        return Told(caught, n, needed, 0, "careful", f"{seen}: more than {STAMPER:.0%}")
    if not_careful:
        return Told(caught, n, needed, 0, "stamper", f"{seen}: less than {CAREFUL:.0%}")
    return Told(caught, n, needed, 0, "cannot tell", f"{seen}: fits both {STAMPER:.0%} and {CAREFUL:.0%}")


def share(outcomes: Iterable[bool], needed: int = LEAST) -> Share:
    """Return the share of true outcomes with its exact interval, withheld under `needed` cases."""
    seen = list(outcomes)
    n, hits = len(seen), sum(seen)
    if n < needed:
        return Share(None, n, needed, f"not enough yet: {n} of {needed}")
    found = clopper_pearson(hits, n, LEVEL)
    said = f"{found.value:.0%} ({found.low:.0%} to {found.high:.0%}, {hits} of {n})"
    return Share(found, n, needed, said)


def median(times: Iterable[float], needed: int = LEAST) -> Median:
    """Return the median with the narrowest pair of order statistics, the same rank from either end, that covers it."""
    seen = sorted(times)
    n = len(seen)
    if n < needed:
        return Median(None, n, needed, f"not enough yet: {n} of {needed}")
    rank = max(k for k in range(1, n // 2 + 1) if lower_tail(k - 1, n, 0.5) <= (1 - LEVEL) / 2)
    middle = (seen[(n - 1) // 2] + seen[n // 2]) / 2
    found = Interval(middle, seen[rank - 1], seen[n - rank], n, LEVEL)
    return Median(found, n, needed, f"{middle:.0f} s ({found.low:.0f} to {found.high:.0f} s, n = {n})")


def figures(about: str, name: str, looks: Sequence[Look]) -> Figures:
    """Return what these looks show."""
    wrong_seeds = [one.outcome == "caught" for one in looks if one.outcome in ("caught", "missed")]
    right_seeds = [one.outcome == "overridden" for one in looks if one.outcome in ("let_stand", "overridden")]
    known = [one for one in looks if one.truth is not None]
    own = [one for one in looks if one.own is not None]
    misled = [one for one in known if one.shown != one.truth]
    return Figures(
        about=about,
        name=name,
        looks=len(looks),
        told=told_apart(sum(wrong_seeds), len(wrong_seeds)),
        caught=share(wrong_seeds, seeds_to_tell()),
        overridden_right=share(right_seeds),
        switched=share(one.final == one.shown for one in own if one.own != one.shown),
        switched_to_wrong=share(one.final == one.shown for one in misled if one.own == one.truth),
        accepted_wrong=share(one.final == one.shown for one in misled),
        override_precision=share(one.final == one.truth for one in known if one.final != one.shown),
        seconds=median(one.seconds for one in looks if one.seconds is not None),
    )


def by_person(looks: Sequence[Look]) -> tuple[Figures, ...]:
    """Return the figures of each person, by name."""
    people: dict[str, list[Look]] = {}
    for one in looks:
        people.setdefault(one.person_id, []).append(one)
    made = [figures(person, found[-1].person_name, found) for person, found in people.items()]
    return tuple(sorted(made, key=lambda one: (one.name, one.about)))


def by_group(looks: Sequence[Look]) -> tuple[Figures, ...]:
    """Return the figures of each group of items; an item is in every group that it names."""
    groups: dict[str, list[Look]] = {}
    for one in looks:
        for group in one.groups:
            groups.setdefault(group, []).append(one)
    return tuple(figures(group, group, found) for group, found in sorted(groups.items()))
