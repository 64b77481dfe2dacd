"""The error of automatic decisions over all audits so far, with an interval that holds at every number of audits. Pure.

For a block of audits in which the error may drift, and for many looks, see `interval`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from handrail.cycle.review.brake import BrakeInvalid
from handrail.foundation.statistics import clopper_pearson

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

# Bets for unequal probabilities, upwards and downwards.
_UP = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
_DOWN = (0.1, 0.2, 0.4, 0.6, 0.8, 0.95)
_POINTS = 800
_ROOM = 0.9


@dataclass(frozen=True)
class ErrorEstimate:
    """The error of automatic decisions as `n` audits show it: value, limits at confidence `level`, and the method."""

    value: float
    low: float
    high: float
    n: int
    level: float
    method: Literal["clopper-pearson", "betting"]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


def estimate(audits: Sequence[tuple[float, float]], *, level: float = 0.95, exact: bool = True) -> ErrorEstimate:
    """Return the error of automatic decisions from audits given as (wrong, audit probability).

    Equal probabilities: the share wrong with the exact Clopper-Pearson interval. Otherwise: the mean weighted by 1 /
    probability (Hajek) with a betting interval. Under error a the mean of (wrong - a) / probability over audits is 0,
    so a mixture of fixed bets on it is a fair game; the values of a that the game does not refute at 2 / (1 - level)
    form the interval. Both hold at every sample size for a block of audits with one error rate; wide is honest here.
    Without audits the interval is [0, 1]. A verdict that is still open must not be left out as if it were right.
    Where verdicts are losses from 0 to 1, say so by `exact=False`, whatever was seen: betting needs no more of them.
    Source: betting intervals after Waudby-Smith and Ramdas (2024).
    """
    return estimate_counted(
        Counter((float(wrong), probability) for wrong, probability in audits), level=level, exact=exact
    )


def with_overdue(
    answered: Mapping[tuple[float, float], int], overdue: Iterable[float], *, level: float = 0.95, exact: bool = True
) -> ErrorEstimate:
    """Return the estimate where audits are overdue: right in the lower limit, wrong in the upper one.

    `answered`: as in `estimate_counted`; `overdue`: the probability of each audit that should have its verdict by now.
    """
    found = estimate_counted(answered, level=level, exact=exact)
    missing = Counter(overdue)
    if not missing:
        return found
    low, high = (
        estimate_counted(
            Counter(answered) + Counter({(said, chance): number for chance, number in missing.items()}),
            level=level,
            exact=exact,
        )
        for said in (0.0, 1.0)
    )
    return replace(found, low=min(low.low, found.value), high=max(high.high, found.value), method=high.method)


def estimate_counted(
    audits: Mapping[tuple[float, float], int], *, level: float = 0.95, exact: bool = True
) -> ErrorEstimate:
    """Return the same as `estimate` for audits that were counted: (wrong, audit probability) -> how many.

    Fixed bets do not look at the order, so nothing is lost, and any number of audits takes no more memory. Without
    `exact` equal probabilities get the betting interval too, which needs numpy alone.
    """
    if not 0.0 < level < 1.0:
        raise BrakeInvalid(f"A level of {level} is impossible.", hint="Use 0.95.")
    if any(not 0.0 < probability <= 1.0 for _, probability in audits):
        raise BrakeInvalid("An audit probability lies outside 0 to 1.", hint="Give the probability that was logged.")
    if any(not 0.0 <= wrong <= 1.0 for wrong, _ in audits):
        raise BrakeInvalid("A verdict lies outside 0 to 1.", hint="It is 0, 1 or a loss between them.")
    if exact and any(wrong not in (0.0, 1.0) for wrong, _ in audits):
        raise BrakeInvalid("A verdict is neither right nor wrong.", hint="For losses use exact=False.")
    n = sum(audits.values())
    if not n:
        return ErrorEstimate(0.0, 0.0, 1.0, 0, level, "clopper-pearson" if exact else "betting")
    if exact and len({probability for _, probability in audits}) == 1:
        found = clopper_pearson(sum(number for (wrong, _), number in audits.items() if wrong), n, level)
        return ErrorEstimate(found.value, found.low, found.high, n, level, "clopper-pearson")
    import numpy as np

    wrong = np.array([float(one) for one, _ in audits])
    inverse = 1.0 / np.array([probability for _, probability in audits])
    counts = np.array([float(number) for number in audits.values()])
    value = float((wrong * inverse * counts).sum() / (inverse * counts).sum())
    low, high = _betting(wrong, inverse / inverse.max(), counts, 1.0 - level)
    return ErrorEstimate(value, min(low, value), max(high, value), n, level, "betting")


def _betting(
    wrong: NDArray[float64], weights: NDArray[float64], counts: NDArray[float64], miss: float
) -> tuple[float, float]:
    """Return the limits of the error that fixed bets do not refute; `weights` are 1 at most."""
    import numpy as np

    points = np.linspace(0.0, 1.0, _POINTS + 1) ** 2  # fine where errors are rare
    gains = (wrong - points[:, None]) * weights
    needed = np.log(2.0 / miss)

    def refuted(bets: tuple[float, ...], sign: float, room: NDArray[float64]) -> NDArray[np.bool_]:
        logs = []
        for bet in bets:
            # A bet too large for this point stays in cash: its wealth remains 1.
            stake = np.where(bet * room <= _ROOM if sign > 0 else bet * room < 1.0, sign * bet, 0.0)
            logs.append(np.log1p(stake[:, None] * gains) @ counts)
        found: NDArray[np.bool_] = np.logaddexp.reduce(logs, axis=0) - np.log(len(bets)) >= needed
        return found

    open_points = np.flatnonzero(~(refuted(_UP, 1.0, points) | refuted(_DOWN, -1.0, 1.0 - points)))
    if not len(open_points):
        return 0.0, 1.0  # the two games disagree on everything: the audits have no one error rate
    first, last = max(0, open_points[0] - 1), min(_POINTS, open_points[-1] + 1)
    return float(points[first]), float(points[last])
