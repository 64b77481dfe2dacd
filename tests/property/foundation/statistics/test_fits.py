"""Isotonic regression against its closed form, and the paired bootstrap's laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from handrail.foundation.statistics import kolmogorov_smirnov, nondecreasing, paired_bootstrap

points = st.lists(st.tuples(st.integers(-50, 50).map(float), st.integers(1, 20).map(float)), min_size=1, max_size=12)
pairs = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=2, max_size=60)
bins = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=2, max_size=8)


@given(points)
def test_isotonic_is_the_max_of_min_of_means(given_points: list[tuple[float, float]]) -> None:
    values, weights = (list(part) for part in zip(*given_points, strict=True))
    n = len(values)

    def mean(first: int, last: int) -> float:
        part = slice(first, last + 1)
        return float(np.average(values[part], weights=weights[part]))

    expected = [max(min(mean(low, high) for high in range(at, n)) for low in range(at + 1)) for at in range(n)]
    fitted = nondecreasing(values, weights)
    assert fitted == pytest.approx(expected, abs=1e-9)
    assert fitted == sorted(fitted)
    assert fitted == pytest.approx(optimize.isotonic_regression(values, weights=weights).x.tolist(), abs=1e-9)
    assert nondecreasing(fitted, weights) == pytest.approx(fitted), "what is in order stays"


@given(pairs, st.integers(0, 2**32 - 1))
def test_a_bootstrap_interval_holds_its_value_and_repeats(rows: list[tuple[int, int]], seed: int) -> None:
    first, second = ([float(one) for one in part] for part in zip(*rows, strict=True))
    made = paired_bootstrap(first, second, resamples=500, seed=seed)
    assert made == paired_bootstrap(first, second, resamples=500, seed=seed)
    assert made.value == pytest.approx(np.mean(second) - np.mean(first))
    assert -1 <= made.low <= made.value <= made.high <= 1
    assert made.low < made.high, "no amount of agreement is certainty"
    narrow = paired_bootstrap(first, second, level=0.5, resamples=500, seed=seed)
    assert made.low <= narrow.low
    assert narrow.high <= made.high


@given(bins, st.booleans())
def test_a_distance_has_a_chance_between_none_and_one(given_bins: list[tuple[int, int]], own: bool) -> None:
    today, known = (list(part) for part in zip(*given_bins, strict=True))
    distance, p_value = kolmogorov_smirnov(today, known, own=own)
    n, m = sum(today), sum(known)
    if not n or not m:
        assert (distance, p_value) == (0.0, 1.0)
        return
    gaps = np.abs(np.cumsum(today) / n - np.cumsum(known) / m)
    assert distance == pytest.approx(gaps.max(), abs=1e-12)
    assert 0 < p_value <= 1
    doubled = kolmogorov_smirnov([4 * one for one in today], [4 * one for one in known], own=own)
    assert doubled[0] == pytest.approx(distance)
    assert doubled[1] <= p_value + 1e-9, "the same distance among more values says more"
