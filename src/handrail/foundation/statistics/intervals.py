"""Confidence intervals for shares and for paired differences; none uses the normal approximation of a share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from handrail.foundation.statistics.binomial import StatisticsRefused, check_count, check_share


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence limits: `value` in [low, high], from `n` observations, at `level` (0.95)."""

    value: float
    low: float
    high: float
    n: int
    level: float

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"value": self.value, "low": self.low, "high": self.high, "n": self.n, "level": self.level}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Interval:
        """Read what `to_dict` wrote."""
        return cls(
            value=float(values["value"]),
            low=float(values["low"]),
            high=float(values["high"]),
            n=int(values["n"]),
            level=float(values["level"]),
        )


def upper_limit(successes: int, n: int, level: float = 0.95) -> float:
    """Return the exact one-sided upper limit of a share: the p with P(Bin(n, p) <= successes) = 1 - level."""
    check_count(successes, n)
    check_share("level", level)
    if successes == n:
        return 1.0
    from scipy.special import betaincinv

    return float(betaincinv(successes + 1, n - successes, level))


def lower_limit(successes: int, n: int, level: float = 0.95) -> float:
    """Return the exact one-sided lower limit of a share: the p with P(Bin(n, p) >= successes) = 1 - level."""
    check_count(successes, n)
    check_share("level", level)
    if successes == 0:
        return 0.0
    from scipy.special import betaincinv

    return float(betaincinv(successes, n - successes + 1, 1.0 - level))


def clopper_pearson(successes: int, n: int, level: float = 0.95) -> Interval:
    """Return the exact interval of a share: it covers with probability >= level for every share and n.

    With n = 0 the interval is [0, 1] and the value 0.
    Source: Clopper and Pearson, Biometrika 26 (1934).
    """
    check_share("level", level)
    side = 1.0 - (1.0 - level) / 2.0
    low, high = lower_limit(successes, n, side), upper_limit(successes, n, side)
    return Interval(successes / n if n else 0.0, low, high, n, level)


def wilson(successes: int, n: int, level: float = 0.95) -> Interval:
    """Return Wilson's score interval of a share: narrower than the exact one, covers `level` only on average.

    For displays with many small groups; never for a guarantee. With n = 0 the interval is [0, 1].
    Source: Wilson, JASA 22 (1927).
    """
    check_count(successes, n)
    check_share("level", level)
    if n == 0:
        return Interval(0.0, 0.0, 1.0, 0, level)
    z = NormalDist().inv_cdf(1.0 - (1.0 - level) / 2.0)
    share = successes / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * ((share * (1 - share) + z * z / (4 * n)) / n) ** 0.5
    low = 0.0 if successes == 0 else middle - half
    high = 1.0 if successes == n else middle + half
    return Interval(share, low, high, n, level)


def paired_bootstrap(
    first: Sequence[float], second: Sequence[float], *, level: float = 0.95, resamples: int = 4000, seed: int = 0
) -> Interval:
    """Return mean(second) - mean(first) with the percentile interval of resampled pairs.

    `first` and `second` hold one number per row, of the same rows in the same order (errors as 0/1, or losses).
    Resampling whole pairs keeps their correlation, which is what makes a small difference visible. Where all
    differences are equal the bootstrap sees no spread; yes/no outcomes then get the exact limit of an unseen
    disagreement on either side instead of an interval without width. Raises `StatisticsRefused`.
    """
    import numpy as np

    check_share("level", level)
    if len(first) != len(second) or not len(first):
        raise StatisticsRefused(
            f"Paired values need the same rows: {len(first)} against {len(second)}.", hint="Give at least one pair."
        )
    differences = np.asarray(second, dtype=float) - np.asarray(first, dtype=float)
    if not np.isfinite(differences).all():
        raise StatisticsRefused("Paired values must be finite numbers.")
    n, value = len(differences), float(differences.mean())
    # Resampling rows is the same as a multinomial draw over the distinct differences: fast, and equal in law.
    values, counts = np.unique(differences, return_counts=True)
    if len(values) == 1:
        room = upper_limit(0, n, 1.0 - (1.0 - level) / 2.0) if set(values) <= {-1.0, 0.0, 1.0} else 0.0
        return Interval(value, max(-1.0, value - room), min(1.0, value + room), n, level)
    drawn = np.random.default_rng(seed).multinomial(n, counts / n, size=resamples) @ values / n
    low, high = np.quantile(drawn, [(1 - level) / 2, 1 - (1 - level) / 2])
    return Interval(value, min(float(low), value), max(float(high), value), n, level)
