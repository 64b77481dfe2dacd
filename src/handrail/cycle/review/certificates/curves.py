"""Where errors may lie, as training data suggest: bands of equal traffic, and 300 plausible error rates for each.

Designs choose by them what to test. They never touch a calibration label, so a curve that is wrong costs automation and
not the guarantee.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from handrail.foundation.statistics import nondecreasing, smallest_sample

if TYPE_CHECKING:
    from numpy import float64, int64
    from numpy.random import Generator
    from numpy.typing import NDArray

    from handrail.cycle.review.certificates.evidence import Evidence
    from handrail.cycle.review.certificates.plan import Frame

    Floats = NDArray[float64]
    Ints = NDArray[int64]

GRID = 100
DRAWS = 300
SPREAD = 0.25
# Stands for "no lower limit" where a score may be negative; JSON knows no minus infinity.
EVERYTHING = -sys.float_info.max
# The label estimate: wished probability of success, growth of the trial sizes, largest trial in label floors.
POWER, GROWTH, FARTHEST = 0.8, 1.2, 50


def grid(traffic: Floats) -> tuple[Floats, Floats]:
    """Return thresholds and the shares of `traffic` at or above them, for coverages 1/100 to 1.

    A threshold lies halfway between two neighbouring different scores, so that rounding of a score does not matter.
    The last one lets everything through. Equal scores stay together: then some thresholds repeat.
    """
    import numpy as np

    descending = np.sort(traffic)[::-1]
    ranks = -(-np.arange(1, GRID + 1) * len(traffic) // GRID)
    values = descending[ranks - 1]
    counts = np.searchsorted(-descending, -values, side="right")
    below = descending[np.minimum(counts, len(traffic) - 1)]
    middle = below + (values - below) / 2
    thresholds = np.where(middle > below, middle, values)
    thresholds[-1] = 0.0 if descending[-1] >= 0.0 else EVERYTHING
    return thresholds, counts / len(traffic)


def band_rates(known: Evidence, thresholds: Floats, masses: Floats, rng: Generator) -> Floats:
    """Return 300 plausible error rates for each band between thresholds, shape (300, 100).

    Isotonic fit of the known errors, Gamma draws around it, each draw scaled by exp(Normal(0, 0.25)), capped at 1.
    Bands without known items share the items of the next less confident band that has some (the last ones those of
    the band before), so that sixty items are enough; with items in every band nothing is shared.
    """
    import numpy as np

    band = np.minimum(np.searchsorted(-thresholds, -known.scores, side="left"), GRID - 1)
    items = np.bincount(band, weights=np.ones(len(band)), minlength=GRID)
    wrong = np.bincount(band, weights=known.errors, minlength=GRID)
    group, groups, filled, room = np.zeros(GRID, dtype=int), 0, 0.0, 0.0
    for j in range(GRID):
        group[j] = groups
        filled, room = filled + items[j], room + masses[j]
        if filled > 0 and room > 0 and items[j:].sum() > items[j] and masses[j + 1 :].sum() > 0:
            groups, filled, room = groups + 1, 0.0, 0.0
    share = masses / np.bincount(group, weights=masses)[group]
    real = np.flatnonzero(masses > 0)
    m = (np.bincount(group, weights=items)[group] * share)[real]
    e = (np.bincount(group, weights=wrong)[group] * share)[real]
    prior = 0.5 / GRID
    fitted = nondecreasing(((e + prior) / (m + prior)).tolist(), m.tolist())
    rates = np.zeros((DRAWS, GRID))
    rates[:, real] = rng.gamma(np.maximum(m * np.asarray(fitted), 1e-4), 1.0 / m, size=(DRAWS, len(real)))
    rates *= np.exp(rng.normal(0.0, SPREAD, size=(DRAWS, 1)))
    return np.minimum(rates, 1.0)


def errors_at(rates: Floats, masses: Floats, labels: int, counts: Ints, rng: Generator) -> Ints:
    """Draw a calibration set for each row of `rates`; return the errors among its N most confident, for N in `counts`.

    Items are never drawn one by one: between two neighbouring ends of bands and counts all have the same rate, so one
    binomial draw stands for them. Shape (len(rates), len(counts)).
    """
    import numpy as np

    rows = len(rates)
    ends = rng.multinomial(labels, masses / masses.sum(), size=rows).cumsum(axis=1)
    cuts = np.concatenate([ends, np.broadcast_to(counts, (rows, len(counts)))], axis=1)
    order = np.argsort(cuts, axis=1, kind="stable")
    cuts = np.take_along_axis(cuts, order, axis=1)
    # The band of a piece is the first one that ends at or after the piece does; every piece before it has ended.
    band = np.minimum((order < ends.shape[1]).cumsum(axis=1) - (order < ends.shape[1]), ends.shape[1] - 1)
    sizes = np.diff(cuts, axis=1, prepend=0)
    errors = rng.binomial(sizes, np.take_along_axis(rates, band, axis=1)).cumsum(axis=1)
    at = np.argsort(order, axis=1, kind="stable")[:, ends.shape[1] :]
    return np.asarray(np.take_along_axis(errors, at, axis=1))


def blind_start(frame: Frame) -> float:
    """Return at how many labels to begin where no training data could say: with room for an error."""
    return max(1.1 * smallest_sample(1, frame.alpha, frame.delta), 0.4 * frame.labels)


def smallest_size(power: Callable[[int], float], floor: int) -> tuple[int, float]:
    """Return (number of labels that would probably be certified somewhere, that probability).

    The smallest size, from the label floor up to 50 times that, with probability 0.8; where no size reaches it, the
    smallest that comes within 0.02 of the best.
    """
    sizes, powers = [floor], [power(floor)]
    while powers[-1] < POWER and sizes[-1] < FARTHEST * floor:
        sizes.append(int(sizes[-1] * GROWTH) + 1)
        powers.append(power(sizes[-1]))
    goal = min(POWER, max(powers) - 0.02)
    chosen = next(i for i, reached in enumerate(powers) if reached >= goal)
    return sizes[chosen], powers[chosen]
