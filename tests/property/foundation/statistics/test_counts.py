"""Tests and intervals on counts against exact sums, every arrangement of small samples, and scipy."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from handrail.foundation.statistics import (
    Interval,
    clopper_pearson,
    fisher,
    holm,
    lower_limit,
    lower_tail,
    mcnemar,
    smallest_sample,
    upper_limit,
    upper_tail,
    wilson,
)

counts = st.integers(0, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
seen = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
large = st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
shares = st.integers(1, 999).map(lambda thousandths: Fraction(thousandths, 1000))
levels = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99, 0.999])
p_values = st.lists(st.integers(0, 1000).map(lambda thousandths: thousandths / 1000), max_size=6)


def exact_lower(k: int, n: int, p: Fraction) -> Fraction:
    return sum((math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k + 1)), Fraction(0))


@given(counts, shares)
def test_tails_are_the_exact_sums(count: tuple[int, int], p: Fraction) -> None:
    k, n = count
    assert lower_tail(k, n, float(p)) == pytest.approx(float(exact_lower(k, n, p)), rel=1e-10, abs=1e-300)
    above = 1 - exact_lower(k - 1, n, p) if k else Fraction(1)
    assert upper_tail(k, n, float(p)) == pytest.approx(float(above), rel=1e-10, abs=1e-300)


@given(seen, levels)
def test_exact_limits_invert_the_tails(count: tuple[int, int], level: float) -> None:
    k, n = count
    high, low = upper_limit(k, n, level), lower_limit(k, n, level)
    if k < n:
        assert lower_tail(k, n, high) == pytest.approx(1 - level, rel=1e-8)
    if k:
        assert upper_tail(k, n, low) == pytest.approx(1 - level, rel=1e-8)
    assert low == pytest.approx(1 - upper_limit(n - k, n, level), abs=1e-12), "errors and hits change places"
    assert 0 <= low < high <= 1


@given(seen, levels)
def test_both_intervals_are_scipys(count: tuple[int, int], level: float) -> None:
    k, n = count
    test = stats.binomtest(k, n)
    for ours, method in ((clopper_pearson(k, n, level), "exact"), (wilson(k, n, level), "wilson")):
        theirs = test.proportion_ci(level, method)
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
        assert ours.low <= ours.value <= ours.high
        assert Interval.from_dict(ours.to_dict()) == ours


@given(large, levels)
def test_intervals_stay_inside_and_move_with_the_count(count: tuple[int, int], level: float) -> None:
    k, n = count
    for make in (clopper_pearson, wilson):
        one = make(k, n, level)
        assert 0 <= one.low <= k / n <= one.high <= 1
        if k < n:
            more = make(k + 1, n, level)
            assert one.low <= more.low
            assert one.high <= more.high
        wider = make(k, n, 0.9999)
        assert wider.low <= one.low
        assert one.high <= wider.high


@given(st.integers(0, 4), st.sampled_from([0.02, 0.05, 0.1, 0.3, 0.5]), st.sampled_from([0.01, 0.05, 0.1, 0.4]))
def test_the_smallest_sample_is_found_by_counting_up(errors: int, alpha: float, delta: float) -> None:
    n = errors + 1
    while lower_tail(errors, n, alpha) > delta:
        n += 1
    assert smallest_sample(errors, alpha, delta) == n


@given(st.integers(0, 9).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_mcnemar_is_the_share_of_outcomes_as_uneven(pairs: tuple[int, int]) -> None:
    first, total = pairs
    uneven = abs(2 * first - total)
    outcomes = [abs(2 * sum(outcome) - total) for outcome in itertools.product((0, 1), repeat=total)]
    expected = sum(one >= uneven for one in outcomes) / len(outcomes)
    assert mcnemar(first, total - first) == pytest.approx(expected, rel=1e-12)


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 10))
def test_fisher_is_the_share_of_arrangements_as_unlikely(n_first: int, n_second: int, hits: int) -> None:
    """Over every way to deal the hits out to two groups."""
    hits = min(hits, n_first + n_second)
    dealt = [
        sum(place < n_first for place in chosen) for chosen in itertools.combinations(range(n_first + n_second), hits)
    ]
    for first in set(dealt):
        as_unlikely = {one for one in dealt if dealt.count(one) <= dealt.count(first)}
        expected = sum(one in as_unlikely for one in dealt) / len(dealt)
        assert fisher(first, n_first, hits - first, n_second) == pytest.approx(expected, rel=1e-9)


@given(seen, seen)
def test_fisher_is_scipys(one: tuple[int, int], other: tuple[int, int]) -> None:
    (a, n), (b, m) = one, other
    expected = stats.fisher_exact([[a, n - a], [b, m - b]]).pvalue
    assert fisher(a, n, b, m) == pytest.approx(expected, rel=1e-6, abs=1e-12)
    assert fisher(b, m, a, n) == pytest.approx(fisher(a, n, b, m), rel=1e-9)


@given(p_values)
def test_holm_is_the_closure_of_bonferroni(given_values: list[float]) -> None:
    """A hypothesis is rejected when Bonferroni rejects every set that it is in."""
    places = range(len(given_values))
    for place, adjusted in zip(places, holm(given_values), strict=True):
        sets = [
            some for count in range(1, len(given_values) + 1) for some in itertools.combinations(places, count)
            if place in some
        ]  # fmt: skip
        worst = max(min(1.0, len(some) * min(given_values[one] for one in some)) for some in sets)
        assert adjusted == pytest.approx(worst)
