"""The designed fixed sequence: no assumption on where errors lie.

Thresholds come from unlabelled scores, the path through them from training data, and both are fixed before the first
calibration label counts: the first true null on the path is then one fixed test at level delta.
Source: fixed-sequence testing after Angelopoulos et al., Learn then Test (2021); the design is our own.

Items with equal scores stay together: a threshold lies between two different scores, never inside a block of equal
ones. So the claim is about exactly the rule that routing applies, `score >= threshold`, and no item depends on a
tie-breaking draw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handrail.cycle.review.certificates.curves import GRID, band_rates, blind_start, grid, smallest_size
from handrail.cycle.review.certificates.evidence import Evidence
from handrail.cycle.review.certificates.plan import FixedSequence, Frame, Step
from handrail.foundation.statistics import lower_tail, zero_error_labels

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from handrail.cycle.review.certificates.curves import Floats

STRIDES = (1, 2, 3, 4, 6, 9, 13)


def design(frame: Frame, traffic: Floats, known: Evidence) -> tuple[FixedSequence, float]:
    """Return grid and path for scores `traffic` and training pairs `known` of the region, and the mean coverage of it.

    Without training pairs the path begins where there is room for an error, and tests everything after.
    """
    import numpy as np

    thresholds, coverages = grid(traffic)
    masses = np.diff(coverages, prepend=0.0)
    floor = zero_error_labels(frame.alpha, frame.delta)
    start, stride, value = 0, 0, 0.0
    path: tuple[int, ...] = ()
    if frame.labels >= floor:
        earliest = _earliest(coverages, frame.labels, frame)
        rng = np.random.default_rng([frame.seed, 1])
        if len(known.scores):
            rates = band_rates(known, thresholds, masses, rng)
            passed = _passed(rates, masses, frame.labels, frame, rng)
        else:
            passed = np.zeros((1, GRID), dtype=bool)
            earliest = int(np.searchsorted(coverages * frame.labels, blind_start(frame))) - 2
        start, stride, path, value = _best_path(passed, coverages, earliest)
    test = FixedSequence(tuple(thresholds.tolist()), tuple(coverages.tolist()), start, stride, path)
    return test, value


def walk(frame: Frame, test: FixedSequence, calibration: Evidence) -> tuple[list[Step], Step | None]:
    """Return the tests made, the first failure last, and the last one that was passed."""
    steps: list[Step] = []
    certified: Step | None = None
    for index in test.path:
        threshold = test.thresholds[index - 1]
        inside = calibration.scores >= threshold
        labels, errors = int(inside.sum()), int(calibration.errors[inside].sum())
        p_value = lower_tail(errors, labels, frame.alpha)
        coverage = test.coverages[index - 1] * frame.share
        steps.append(Step(index, threshold, coverage, labels, errors, p_value, frame.delta))
        if p_value > frame.delta:
            break
        certified = steps[-1]
    return steps, certified


def labels_needed(frame: Frame, test: FixedSequence, known: Evidence) -> tuple[int, float]:
    """Return (size of a calibration set that would probably be certified somewhere, that probability)."""
    import numpy as np

    coverages = np.asarray(test.coverages)
    masses = np.diff(coverages, prepend=0.0)
    rates = band_rates(known, np.asarray(test.thresholds), masses, np.random.default_rng([frame.seed, 2]))

    def power(size: int) -> float:
        passed = _passed(rates, masses, size, frame, np.random.default_rng([frame.seed, 3]))
        path = _best_path(passed, coverages, _earliest(coverages, size, frame))[2]
        return float(passed[:, path[0] - 1].mean())  # a path that begins well is certified somewhere

    return smallest_size(power, zero_error_labels(frame.alpha, frame.delta))


def _passed(rates: Floats, masses: Floats, labels: int, frame: Frame, rng: Generator) -> NDArray[Any]:
    """Return which grid tests pass in each simulated calibration set, shape (300, 100)."""
    import numpy as np
    from scipy.special import bdtr

    counts = rng.multinomial(labels, masses / masses.sum(), size=len(rates))
    errors = rng.binomial(counts, rates).cumsum(axis=1)
    seen = counts.cumsum(axis=1)
    p_values = bdtr(errors.astype(float), seen, frame.alpha)
    return np.asarray(np.where(seen == 0, 1.0, p_values) <= frame.delta)


def _earliest(coverages: Floats, labels: int, frame: Frame) -> int:
    """Return the first start worth a look, from 1: a little before enough labels lie there to certify without error."""
    import numpy as np

    first = int(np.searchsorted(coverages * labels, zero_error_labels(frame.alpha, frame.delta))) + 1
    return max(1, min(first, GRID) - 3)


def _best_path(passed: NDArray[Any], coverages: Floats, earliest: int) -> tuple[int, int, tuple[int, ...], float]:
    """Return start, stride, path and mean coverage of the best path; `earliest` is the first start, from 1."""
    import numpy as np

    best: tuple[float, int, int, tuple[int, ...]] = (0.0, 0, 0, ())
    # The last index always counts as a start: with labels near the floor nothing else can pass.
    for start in sorted({*range(earliest, GRID + 1, 2), GRID}):
        for stride in STRIDES:
            path = (*range(start, GRID, stride), GRID)
            at = np.asarray(path) - 1
            reached = np.logical_and.accumulate(passed[:, at], axis=1).sum(axis=1)
            value = float(np.concatenate([[0.0], coverages[at]])[reached].mean())
            if value > best[0]:
                best = (value, start, stride, path)
    if not best[3]:
        # No simulated set passed anywhere: keep a chance by testing the range where most labels will lie first.
        start = min(GRID, earliest + 3)
        return start, 1, tuple(range(start, GRID + 1)), 0.0
    return best[1], best[2], best[3], best[0]
