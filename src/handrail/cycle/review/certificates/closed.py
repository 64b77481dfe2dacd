"""The closed window test: the default, with more power than a fixed sequence.

Calibration items are sorted by confidence, and after N_1 < ... < N_L of them the errors are counted. A count is
certified when its p-value is at most its level and no count before it speaks against it; a count may be vouched for by
a later one inside its window, and the exact law of the nested counts pays for that (`levels`). One unlucky error then
does not end the walk.

Claim: P(error above alpha at the certified threshold) <= delta, where beyond the first point at which the risk reaches
alpha the less confident items are not locally better than alpha. What happens before that point is free. Where this
cannot be assumed, mode strict needs no assumption.

Equal scores are put into a random order for the counts, but a threshold never splits them: when the certified count
ends inside a block of equal scores, the threshold lies above the whole block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.cycle.review.certificates.curves import band_rates, blind_start, errors_at, grid, smallest_size
from handrail.cycle.review.certificates.evidence import Evidence
from handrail.cycle.review.certificates.levels import WHOLE, Levels, counts_of, levels
from handrail.cycle.review.certificates.plan import Frame, Step, Windows
from handrail.foundation.statistics import zero_error_labels

if TYPE_CHECKING:
    from handrail.cycle.review.certificates.curves import Floats, Ints

WIDTHS = (0.0, 0.05, 0.1, 0.2, 0.5, WHOLE)
STARTS = 12
UNTRAINED = 0.2  # the width where no training data could choose one
# Above so many labels a window over everything costs seconds and gains nothing, and designs take every eighth level.
MANY, COARSE = 5000, 8


def design(frame: Frame, traffic: Floats, known: Evidence) -> tuple[Windows, float]:
    """Return width and start for scores `traffic` and training pairs `known` of the region, and the mean coverage."""
    import numpy as np

    counts = counts_of(frame.labels, frame.alpha, frame.delta)
    path = tuple(counts.tolist())
    if not path:
        return Windows(0, 0.0, ()), 0.0
    if not len(known.scores):
        return Windows(min(int(np.searchsorted(counts, blind_start(frame))), len(path) - 1), UNTRAINED, path), 0.0
    thresholds, coverages = grid(traffic)
    masses = np.diff(coverages, prepend=0.0)
    rng = np.random.default_rng([frame.seed, 1])
    rates = band_rates(known, thresholds, masses, rng)
    p_values = _p_values(errors_at(rates, masses, frame.labels, counts, rng), counts, frame.alpha)
    best, width, start = -1.0, UNTRAINED, 0
    for tried in WIDTHS[: -1 if frame.labels > MANY else None]:
        stride = COARSE if frame.labels > MANY else 1
        first, value, _ = _best_start(p_values, levels(frame.labels, frame.alpha, frame.delta, tried, stride))
        if value > best:
            best, width, start = value, tried, first
    return Windows(start, None if width == WHOLE else width, path), best


def walk(frame: Frame, test: Windows, calibration: Evidence, traffic: Floats | None) -> tuple[list[Step], Step | None]:
    """Return the tests up to the last one that could still matter, and the one that is certified.

    `traffic`: the unlabelled scores, for the coverage of each step (0 without them).
    """
    import numpy as np

    if not test.path:
        return [], None
    counts = np.asarray(test.path)
    order = np.lexsort((np.random.default_rng([frame.seed, 4]).random(len(calibration.scores)), -calibration.scores))
    errors = calibration.errors[order].cumsum()[counts - 1].astype(int)
    law = _levels(frame, test)
    p_values = _p_values(errors[None, :], counts, frame.alpha)
    last = int(_last_certified(p_values, law, _last_blocking(p_values, law), test.start)[0])
    failed = np.flatnonzero(p_values[0, test.start :] > law.level[test.start :]) + test.start
    ends = max(last, int(law.reach[failed[0]])) if len(failed) else len(counts) - 1
    tested = np.arange(test.start, ends + 1)
    thresholds = calibration.scores[order][counts[tested] - 1]
    known = np.sort(thresholds[:0] if traffic is None else traffic)
    coverage = 1.0 - np.searchsorted(known, thresholds) / max(len(known), 1) if len(known) else 0.0 * thresholds
    columns = (thresholds, coverage, counts[tested], errors[tested], p_values[0, tested], law.level[tested])
    rows = zip((tested + 1).tolist(), *(column.tolist() for column in columns), strict=True)
    steps = [Step(*row) for row in rows]
    return steps, steps[last - test.start] if last >= 0 else None


def threshold_of(step: Step, scores: Floats) -> float | None:
    """Return the threshold of a certified step: its own score, or the next higher one where a block is split."""
    inside = scores[scores >= step.threshold]
    if len(inside) <= step.labels:
        return step.threshold
    higher = scores[scores > step.threshold]
    return float(higher.min()) if len(higher) else None


def labels_needed(frame: Frame, test: Windows, known: Evidence, traffic: Floats) -> tuple[int, float]:
    """Return (size of a calibration set that would probably be certified somewhere, that probability)."""
    import numpy as np

    thresholds, coverages = grid(traffic)
    masses = np.diff(coverages, prepend=0.0)
    rates = band_rates(known, thresholds, masses, np.random.default_rng([frame.seed, 2]))
    width = WHOLE if test.width is None else test.width

    def power(size: int) -> float:
        counts = counts_of(size, frame.alpha, frame.delta)
        law = levels(size, frame.alpha, frame.delta, width, COARSE)
        rng = np.random.default_rng([frame.seed, 3])
        p_values = _p_values(errors_at(rates, masses, size, counts, rng), counts, frame.alpha)
        return _best_start(p_values, law)[2]

    return smallest_size(power, zero_error_labels(frame.alpha, frame.delta))


def _levels(frame: Frame, test: Windows) -> Levels:
    return levels(frame.labels, frame.alpha, frame.delta, WHOLE if test.width is None else test.width)


def _p_values(errors: Ints, counts: Ints, alpha: float) -> Floats:
    import numpy as np
    from scipy.special import bdtr

    return np.asarray(bdtr(errors.astype(float), counts, alpha))


def _best_start(p_values: Floats, law: Levels) -> tuple[int, float, float]:
    """Return the start with the best mean coverage, that coverage, and how often something is certified from it."""
    import numpy as np

    blocking = _last_blocking(p_values, law)
    best = (0, -1.0, 0.0)
    for start in np.unique(np.rint(np.linspace(0, len(law.counts) - 1, STARTS)).astype(int)).tolist():
        last = _last_certified(p_values, law, blocking, start)
        value = float(np.where(last >= 0, law.counts[last], 0).mean() / law.labels)
        if value > best[1]:
            best = (start, value, float((last >= 0).mean()))
    return best


def _last_blocking(p_values: Floats, law: Levels) -> Ints:
    """Return for each row and count b the last index i < b that speaks against b, -1 for none.

    i speaks against b when its own p-value is above its level and b, with a small enough one, is not in its window.
    """
    import numpy as np

    columns = np.arange(p_values.shape[1])
    own = p_values > law.level
    # Whoever's window ends before b speaks against it with no more said: the last of them.
    beyond = np.searchsorted(law.reach, columns, side="left") - 1
    latest = np.maximum.accumulate(np.where(own, columns, -1), axis=1)
    blocking = np.where(beyond >= 0, latest[:, beyond], -1)
    # Inside the windows, from the longest way down, so that a nearer one is written over a farther one.
    for lag in range(int((law.reach - columns).max(initial=0)), 0, -1):
        first = int(np.argmax(law.reach[:-lag] >= columns[lag:]))
        i = columns[first:-lag]
        against = own[:, i] & (law.reach[i] >= i + lag) & (p_values[:, i + lag] > law.level[i])
        blocking[:, i + lag] = np.where(against, i, blocking[:, i + lag])
    return np.asarray(blocking)


def _last_certified(p_values: Floats, law: Levels, blocking: Ints, start: int) -> Ints:
    """Return for each row the last certified index when the walk begins at `start`, -1 for none."""
    import numpy as np

    good = (p_values <= law.level) & (blocking < start)
    good[:, :start] = False
    found = good.shape[1] - 1 - good[:, ::-1].argmax(axis=1)
    return np.asarray(np.where(good.any(axis=1), found, -1))
