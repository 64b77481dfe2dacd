"""Levels of the closed window test against the plainest possible computation of the same probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import bdtr
from scipy.stats import binom

from handrail.cycle.review.certificates.levels import COUNTS, WHOLE, counts_of, crossing, levels, reach_of
from handrail.foundation.statistics import zero_error_labels

WIDTHS = [0.0, 0.05, 0.2, WHOLE]


def plain_crossing(counts: np.ndarray, first: int, last: int, alpha: float, level: float) -> float:
    """Carry the whole law of the errors, item after item, and take out what crosses."""
    law = np.zeros(counts[-1] + 1)
    law[0] = 1.0
    crossed, at = 0.0, 0
    for index in range(last + 1):
        for _ in range(counts[index] - at):
            law = law * (1 - alpha) + np.concatenate([[0.0], law[:-1]]) * alpha
        at = counts[index]
        if index >= first:
            below = bdtr(np.arange(len(law), dtype=float), at, alpha) <= level
            below[at + 1 :] = False
            crossed += law[below].sum()
            law[below] = 0.0
    return float(crossed)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("labels", "alpha", "delta"), [(60, 0.05, 0.1), (150, 0.05, 0.05), (140, 0.02, 0.1)])
def test_a_level_is_the_largest_that_keeps_the_promise(labels: int, alpha: float, delta: float, width: float) -> None:
    law = levels(labels, alpha, delta, width)
    counts = law.counts
    assert counts[0] == zero_error_labels(alpha, delta)
    assert counts[-1] == labels
    for index in range(0, len(counts), 7):
        reach = int(law.reach[index])
        level = float(law.level[index])
        if reach == index:
            assert level == delta
            continue
        assert plain_crossing(counts, index, reach, alpha, level) <= delta * (1 + 1e-9)
        inside = np.concatenate([bdtr(np.arange(0.0, n + 1), n, alpha) for n in counts[index : reach + 1].tolist()])
        higher = inside[inside > level * (1 + 1e-9)].min()
        assert plain_crossing(counts, index, reach, alpha, float(higher)) > delta


@pytest.mark.parametrize("width", WIDTHS)
def test_crossing_is_exact(width: float) -> None:
    labels, alpha = 130, 0.05
    counts = counts_of(labels, alpha, 0.1)
    found = crossing(labels, alpha, 0.1, width, 0.03)
    reach = reach_of(counts, width)
    for index in (0, 5, len(counts) // 2, len(counts) - 1):
        assert found[index] == pytest.approx(plain_crossing(counts, index, int(reach[index]), alpha, 0.03), abs=1e-12)


def test_counts_and_windows() -> None:
    assert len(counts_of(44, 0.05, 0.1)) == 0
    assert counts_of(45, 0.05, 0.1).tolist() == [45]
    assert len(counts_of(5000, 0.02, 0.1)) == COUNTS
    counts = np.array([100, 105, 110, 111, 150])
    assert reach_of(counts, 0.1).tolist() == [2, 3, 3, 3, 4]
    assert reach_of(counts, WHOLE).tolist() == [4] * 5
    assert levels(45, 0.05, 0.1, WHOLE).level.tolist() == [0.1]


def test_the_same_question_gets_the_same_bits() -> None:
    first = levels(700, 0.02, 0.1, 0.2).level.tobytes()
    levels.cache_clear()
    assert levels(700, 0.02, 0.1, 0.2).level.tobytes() == first
    assert binom.cdf(0, 45, 0.05) <= 0.1 < binom.cdf(0, 44, 0.05)
