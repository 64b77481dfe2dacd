"""The two-sample Kolmogorov-Smirnov test on binned counts, with its exact law at every sample size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

# Above this many new values the exact law takes too long and its limit is as good.
_EXACT_ROWS = 3000
# Two distances closer than this are the same distance.
_SAME = 1e-12
# What is left of a sum of all paths is not known more finely than this.
_FINEST = 1e-12


def kolmogorov_smirnov(today: Sequence[int], known: Sequence[int], *, own: bool) -> tuple[float, float]:
    """Return the largest difference of cumulative shares at the bin edges, and its exact p-value.

    `own`: the edges are ranks of the reference's own values; then the number of new values between two of them has a
    known law for any continuous feature. Otherwise the law given the pooled counts of the bins is used. Both by summing
    over all ways to stay under the distance, bin by bin. Above 3000 new values the limit 2 exp(-2 n m d^2 / (n + m)).
    Bins are in order, counts of new values and of the reference; without values or edges the answer is (0, 1).
    """
    n, m = sum(today), sum(known)
    if not (n and m and len(today) > 1):
        return 0.0, 1.0
    seen, before, distance = 0, 0, 0.0
    for a, b in zip(today, known, strict=True):
        seen, before = seen + a, before + b
        distance = max(distance, abs(seen / n - before / m))
    if distance <= _SAME:
        return 0.0, 1.0
    if n > _EXACT_ROWS:
        return distance, min(1.0, 2 * math.exp(-2 * n * m * distance**2 / (n + m)))
    return distance, _stays_under(today, known, n, m, distance, own=own)


def _stays_under(today: Sequence[int], known: Sequence[int], n: int, m: int, distance: float, *, own: bool) -> float:
    """Return P(distance >= the seen one): one minus the mass of the paths that stay under it at every edge."""
    import numpy as np

    at = np.arange(n + 1)
    ways = np.zeros(n + 1)
    ways[0] = 1.0
    total = before = 0
    for place, (a, b) in enumerate(zip(today, known, strict=True)):
        last = place == len(today) - 1
        weights = _between(n, m, b + last) if own else _among(n, m, a + b)
        ways = np.convolve(ways, weights)[: n + 1]
        total, before = total + a + b, before + b
        if not last:
            share = before / m if own else (total - at) / m
            ways[np.abs(at / n - share) >= distance - _SAME] = 0.0
    whole = _between(n, m, m + 1) if own else _among(n, m, n + m)
    return float(min(1.0, max(_FINEST, 1.0 - ways[n] / whole[n])))


def _between(n: int, m: int, gaps: int) -> NDArray[float64]:
    """Return weights of 0..n new values falling into `gaps` gaps between reference values (negative binomial)."""
    import numpy as np
    from scipy.special import gammaln

    at = np.arange(n + 1)
    if gaps == 0:
        return np.asarray(at == 0, dtype=float)
    p = n / (n + m + 1)
    logs = gammaln(at + gaps) - gammaln(gaps) - gammaln(at + 1) + at * math.log(p) + gaps * math.log1p(-p)
    return np.asarray(np.exp(logs))


def _among(n: int, m: int, pooled: int) -> NDArray[float64]:
    """Return weights of 0..min(n, pooled) new values among the pooled values of a bin (binomial)."""
    import numpy as np
    from scipy.special import gammaln

    at = np.arange(min(n, pooled) + 1)
    p = n / (n + m)
    logs = gammaln(pooled + 1) - gammaln(at + 1) - gammaln(pooled - at + 1)
    return np.asarray(np.exp(logs + at * math.log(p) + (pooled - at) * math.log1p(-p)))
