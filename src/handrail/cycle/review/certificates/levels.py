"""Levels of the closed window test: how small a p-value must be when the best of several nested counts may speak.

Sort n calibration items by confidence and look after N_1 < ... < N_L of them. If errors were independent with
probability alpha, the errors seen so far would walk upwards at random. The level c_i of count i is the largest
attainable p-value c for which that walk has P(some count in the window of i has a p-value <= c) <= delta. The
probability comes from an exact recursion over the walk, not from simulation, so the same (n, alpha, delta, width)
always gives the same levels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from handrail.foundation.statistics import zero_error_labels

if TYPE_CHECKING:
    from numpy import float64, int64
    from numpy.typing import NDArray

    Floats = NDArray[float64]
    Ints = NDArray[int64]

COUNTS = 120
WHOLE = math.inf  # the width of a window that reaches to the last count
# Binomial mass further out than this many standard deviations is below 1e-18 and left out.
_FAR = 9.0
# A convolution with more steps than this costs less by Fourier transform.
_DIRECT = 32


@dataclass(frozen=True)
class Levels:
    """The counts N_i, the last index `reach` of each window, the levels c_i; indices from 0. Never changed."""

    labels: int
    alpha: float
    delta: float
    width: float
    counts: Ints
    reach: Ints
    level: Floats


@dataclass(frozen=True)
class _Walk:
    """What the recursion needs of each count: attainable p-values near the level, and the law of the errors there.

    `values[i]` are the p-values of `first[i]`, `first[i] + 1`, ... errors (infinite when above delta or not kept).
    `mass[i]` is the probability of `low[i]`, `low[i] + 1`, ... errors; `step[i]` that of 0, 1, ... errors between
    count i - 1 and count i.
    """

    values: Floats
    first: Ints
    mass: Floats
    low: Ints
    high: Ints
    step: Floats

    def bounds(self, at: Ints, level: Floats) -> Ints:
        """Return the most errors with a p-value <= level, for each pair of count and level; -1 for none."""
        most: Ints = self.first[at] + (self.values[at] <= level[:, None]).sum(axis=1) - 1
        return most


@lru_cache(maxsize=64)
def counts_of(labels: int, alpha: float, delta: float) -> Ints:
    """Return about 120 equally spaced counts, from the label floor to all labels; none below the floor."""
    import numpy as np

    floor = zero_error_labels(alpha, delta)
    if labels < floor:
        return np.zeros(0, dtype=np.int64)
    size = min(COUNTS, labels - floor + 1)
    counts = np.unique(np.rint(np.linspace(floor, labels, size)).astype(np.int64))
    counts.flags.writeable = False
    return counts


def reach_of(counts: Ints, width: float) -> Ints:
    """Return for each count the index of the last one that is at most (1 + width) times as large."""
    import numpy as np

    if width == WHOLE:
        return np.full(len(counts), len(counts) - 1, dtype=np.int64)
    # The smallest excess keeps a product such as 100 * 1.1, rounded down, from losing the count it should reach.
    last = np.searchsorted(counts, counts * (1.0 + width) + 1e-9, side="right")
    return np.asarray(last - 1, dtype=np.int64)


@lru_cache(maxsize=64)
def levels(labels: int, alpha: float, delta: float, width: float, stride: int = 1) -> Levels:
    """Return the levels of every count; with `stride` > 1 only every so manyth is exact, the rest lies between.

    Levels between are for designs, which may be rough; a test uses stride 1.
    """
    import numpy as np

    counts = counts_of(labels, alpha, delta)
    reach = reach_of(counts, width)
    rows = np.unique(np.append(np.arange(0, len(counts), stride), max(0, len(counts) - 1)))[: len(counts)]
    exact = _largest(_walk_of(labels, alpha, delta), rows, reach[rows], delta)
    found = exact if stride == 1 else np.exp(np.interp(np.arange(len(counts)), rows, np.log(exact)))
    for array in (found, reach):
        array.flags.writeable = False
    return Levels(labels, alpha, delta, width, counts, reach, found)


def crossing(labels: int, alpha: float, delta: float, width: float, level: float) -> Floats:
    """Return for each count P(some count of its window has a p-value <= level) when errors have probability alpha."""
    import numpy as np

    counts = counts_of(labels, alpha, delta)
    rows = np.arange(len(counts))
    return _crossing(_walk_of(labels, alpha, delta), rows, reach_of(counts, width), np.full(len(counts), level))


def _largest(walk: _Walk, rows: Ints, reach: Ints, delta: float) -> Floats:
    """Return the largest attainable level of each row's window, by bisection over all attainable p-values."""
    import numpy as np

    values = np.unique(walk.values[np.isfinite(walk.values)])
    # A window of one count needs no search. Elsewhere no level above delta / (number of counts) is safe without one.
    low = np.maximum(np.searchsorted(values, delta / (reach - rows + 1), side="right") - 1, 0)
    high = np.where(reach == rows, low + 1, len(values))
    while (open_ := np.flatnonzero(high - low > 1)).size:
        middle = (low[open_] + high[open_]) // 2
        safe = _crossing(walk, rows[open_], reach[open_], values[middle]) <= delta
        low[open_] = np.where(safe, middle, low[open_])
        high[open_] = np.where(safe, high[open_], middle)
    level = np.full(len(rows), delta)
    for at, (row, last) in enumerate(zip(rows, reach, strict=True)):
        if last > row:
            own = walk.values[row : last + 1]
            level[at] = own[own <= values[low[at]]].max(initial=0.0)
    return level


def _crossing(walk: _Walk, rows: Ints, reach: Ints, level: Floats) -> Floats:
    """Return P(the walk has a p-value <= level somewhere from `rows` to `reach`), for all rows at once.

    State: the probability that no count has crossed so far and that `bound + 1 + column` errors were seen. Errors
    only grow, so more than the last bound can never cross and are dropped, as is what lies too far out to matter.
    """
    import numpy as np

    bound, last = walk.bounds(rows, level), walk.bounds(reach, level)
    total = np.zeros(len(rows))
    columns = max(1, int(np.minimum(last - bound, walk.high[reach] - last).max()))
    known = (rows, bound + 1 - walk.low[rows])
    total += _before(walk.mass[rows], known[1])
    state = _shifted(walk.mass[rows], known[1], columns)
    active, lag = np.arange(len(rows)), 0
    while True:
        lag += 1
        keep = rows[active] + lag <= reach[active]
        if not keep.any():
            return total
        active, state = active[keep], state[keep]
        at = rows[active] + lag
        spread = _convolved(state, walk.step[at])
        following = walk.bounds(at, level[active])
        shift = following - bound[active]
        total[active] += _before(spread, shift)
        state = _shifted(spread, shift, columns)
        bound[active] = following


def _before(mass: Floats, start: Ints) -> Floats:
    """Return the mass of each row in the columns before `start`."""
    import numpy as np

    return np.asarray((mass * (np.arange(mass.shape[1]) < start[:, None])).sum(axis=1))


def _shifted(mass: Floats, start: Ints, columns: int) -> Floats:
    """Return `columns` columns of each row from `start` on; what lies outside the table is 0."""
    import numpy as np

    at = start[:, None] + np.arange(columns)
    inside = (at >= 0) & (at < mass.shape[1])
    return np.where(inside, np.take_along_axis(mass, np.clip(at, 0, mass.shape[1] - 1), axis=1), 0.0)


def _convolved(state: Floats, step: Floats) -> Floats:
    """Return the law of the sum of two independent counts, row by row."""
    import numpy as np

    size = state.shape[1] + step.shape[1] - 1
    if min(state.shape[1], step.shape[1]) > _DIRECT:
        from scipy import fft

        room = fft.next_fast_len(size, real=True)
        product = fft.irfft(fft.rfft(state, room) * fft.rfft(step, room), room)[:, :size]
        return np.maximum(product, 0.0)
    longer, shorter = (state, step) if state.shape[1] >= step.shape[1] else (step, state)
    spread = np.zeros((len(state), size))
    for column in range(shorter.shape[1]):
        spread[:, column : column + longer.shape[1]] += longer * shorter[:, column, None]
    return spread


@lru_cache(maxsize=16)
def _walk_of(labels: int, alpha: float, delta: float) -> _Walk:
    import numpy as np
    from scipy.special import bdtr

    counts = counts_of(labels, alpha, delta)
    values: list[Floats] = []
    first, masses, low = [], [], []
    for count in counts.tolist():
        start, mass = _binomial(count, alpha)
        start_p = max(start - 1, 0)
        tails = np.asarray(bdtr(np.arange(start_p, start + len(mass), dtype=float), count, alpha))
        if start_p + len(tails) > count:
            tails = tails[: count - start_p]  # all wrong: the p-value is 1
        # The p-values that can matter: from the largest that Bonferroni allows for all counts up to delta.
        begin = max(int(np.searchsorted(tails, delta / len(counts), side="right")) - 1, 0)
        values.append(tails[begin : int(np.searchsorted(tails, delta, side="right"))])
        first.append(start_p + begin)
        masses.append(mass)
        low.append(start)
    steps = [_binomial(int(size), alpha) for size in np.diff(counts, prepend=counts[:1])]
    return _Walk(
        values=_table(values, np.inf),
        first=np.asarray(first),
        mass=_table(masses, 0.0),
        low=np.asarray(low),
        high=np.asarray([start + len(mass) for start, mass in zip(low, masses, strict=True)]),
        step=_table([np.concatenate([np.zeros(start), mass]) for start, mass in steps], 0.0),
    )


def _table(rows: list[Floats], fill: float) -> Floats:
    import numpy as np

    table = np.full((len(rows), max(len(row) for row in rows)), fill)
    for row, values in zip(table, rows, strict=True):
        row[: len(values)] = values
    return table


def _binomial(n: int, alpha: float) -> tuple[int, Floats]:
    """Return (first, probabilities of first, first + 1, ... errors among n) by ratios from the mode outwards."""
    import numpy as np

    deviation = math.sqrt(n * alpha * (1 - alpha))
    mode = min(n, int((n + 1) * alpha))
    low = max(0, math.floor(mode - _FAR * deviation - 10))
    high = min(n, math.ceil(mode + _FAR * deviation + 10))
    odds = alpha / (1 - alpha)
    up, down = np.arange(mode, high, dtype=float), np.arange(mode, low, -1, dtype=float)
    above = np.cumprod((n - up) / (up + 1) * odds)
    below = np.cumprod(down / (n - down + 1) / odds)
    mass = np.concatenate([below[::-1], [1.0], above])
    return low, mass / mass.sum()
