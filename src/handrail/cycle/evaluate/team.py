"""Whether people and model together do better than the better of both alone, on the same items. Pure.

People and AI together were worse than the better one alone in most decision tasks of 106 experiments (Vaccaro et al.,
Nature Human Behaviour 2024), so it is measured and not assumed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from handrail.foundation.statistics import Interval, clopper_pearson, upper_limit

LEAST_ITEMS = 30
"""Items of known truth under which nothing is said."""
LEVEL = 0.95
_RESAMPLES = 4000
_SEED = 20_260_101  # of the resamples, so that the same answers give the same report


@dataclass(frozen=True)
class Case:
    """One item: what the person said alone, what the model said, what both came to, and what is true."""

    own: Any
    model: Any
    final: Any
    truth: Any


@dataclass(frozen=True)
class Team:
    """Three error rates over the same `n` items, and team minus the better one alone; None while n is too small.

    `better` names the one with fewer errors on these items, the person where they tie.
    """

    n: int
    needed: int
    person: Interval | None
    model: Interval | None
    team: Interval | None
    difference: Interval | None
    better: str | None
    said: str


def compare(cases: Sequence[Case]) -> Team:
    """Return the report. The interval of the difference resamples items and takes the better one anew each time, so
    that having chosen it on the same items is paid for.
    """
    n = len(cases)
    if n < LEAST_ITEMS:
        said = f"not enough yet: {n} of {LEAST_ITEMS} items of known truth that were answered blind first"
        return Team(n, LEAST_ITEMS, None, None, None, None, None, said)
    wrong = [(one.own != one.truth, one.model != one.truth, one.final != one.truth) for one in cases]
    person, model, team = (clopper_pearson(sum(one[who] for one in wrong), n, LEVEL) for who in range(3))
    better = "person" if person.value <= model.value else "model"
    difference = _difference(wrong)
    return Team(n, LEAST_ITEMS, person, model, team, difference, better, _sentence(difference))


def _difference(wrong: Sequence[tuple[bool, bool, bool]]) -> Interval:
    """Return team minus the better of person and model with the percentile interval of resampled items.

    Where no item tells team and better one apart in any resample, the exact limit of an unseen difference takes the
    place of an interval without width.
    """
    import numpy as np

    n = len(wrong)
    patterns, counts = zip(*sorted(Counter(wrong).items()), strict=True)
    errors = np.asarray(patterns, dtype=float)
    drawn = np.random.default_rng(_SEED).multinomial(n, np.asarray(counts) / n, size=_RESAMPLES) @ errors / n
    value = float(_gap(np.asarray(counts)[None, :] @ errors / n)[0])
    tail = (1.0 - LEVEL) / 2.0
    low, high = (float(one) for one in np.quantile(_gap(drawn), [tail, 1.0 - tail]))
    if low == high:
        room = upper_limit(0, n, 1.0 - tail)
        low, high = max(-1.0, value - room), min(1.0, value + room)
    return Interval(value, min(low, value), max(high, value), n, LEVEL)


def _gap(errors: Any) -> Any:
    """Return, for rows of (person, model, team) error rates, team minus the smaller of the first two."""
    return errors[:, 2] - errors[:, :2].min(axis=1)


def _sentence(difference: Interval) -> str:
    value = f"{100 * difference.value:+.1f} points ({100 * difference.low:+.1f} to {100 * difference.high:+.1f})"
    if difference.high < 0:
        return f"The team makes fewer errors than the better one alone: {value}, n = {difference.n}."
    if difference.low > 0:
        return f"The team makes more errors than the better one alone: {value}, n = {difference.n}."
    return f"Not told apart from the better one alone: {value}, n = {difference.n}."
