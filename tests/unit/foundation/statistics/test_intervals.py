"""Intervals: coverage summed exactly over the binomial law, agreement with scipy, bootstrap against brute force."""

import numpy as np
import pytest
from scipy import optimize, stats

from handrail.foundation.statistics import (
    Interval,
    StatisticsRefused,
    clopper_pearson,
    lower_limit,
    nondecreasing,
    paired_bootstrap,
    upper_limit,
    wilson,
)


@pytest.mark.parametrize("n", [1, 7, 30])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_clopper_pearson_covers_every_share(n: int, level: float) -> None:
    intervals = [clopper_pearson(k, n, level) for k in range(n + 1)]
    for p in np.linspace(0.0, 1.0, 101):
        inside = [k for k, i in enumerate(intervals) if i.low <= p <= i.high]
        assert stats.binom.pmf(inside, n, p).sum() >= level - 1e-9


def test_wilson_does_not_cover_every_share() -> None:
    """Negative control: the check above can fail, and Wilson's interval is not for guarantees."""
    n, p = 30, 0.005
    inside = [k for k in range(n + 1) if wilson(k, n).low <= p <= wilson(k, n).high]
    assert stats.binom.pmf(inside, n, p).sum() < 0.95


@pytest.mark.parametrize(("k", "n"), [(0, 5), (3, 17), (17, 17), (9, 400)])
def test_both_intervals_equal_scipy(k: int, n: int) -> None:
    test = stats.binomtest(k, n)
    exact, score = test.proportion_ci(0.9, "exact"), test.proportion_ci(0.9, "wilson")
    ours, ours_score = clopper_pearson(k, n, 0.9), wilson(k, n, 0.9)
    assert (ours.low, ours.high) == pytest.approx((exact.low, exact.high), abs=1e-10)
    assert (ours_score.low, ours_score.high) == pytest.approx((score.low, score.high), abs=1e-10)
    assert ours.value == k / n


def test_one_sided_limits_invert_the_tails() -> None:
    assert stats.binom.cdf(4, 90, upper_limit(4, 90, 0.9)) == pytest.approx(0.1)
    assert stats.binom.sf(3, 90, lower_limit(4, 90, 0.9)) == pytest.approx(0.1)


def test_no_observation_gives_the_whole_range() -> None:
    assert (clopper_pearson(0, 0).low, clopper_pearson(0, 0).high) == (0.0, 1.0)
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)


def test_an_interval_survives_json() -> None:
    interval = clopper_pearson(3, 40)
    assert Interval.from_dict(interval.to_dict()) == interval


def test_paired_bootstrap_equals_resampling_rows() -> None:
    rng = np.random.default_rng(4)
    first, second = rng.random(80) < 0.3, rng.random(80) < 0.15
    ours = paired_bootstrap(first, second, resamples=20_000, seed=1)
    rows = rng.integers(0, 80, size=(20_000, 80))
    drawn = (second.astype(float) - first)[rows].mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert ours.value == pytest.approx(second.mean() - first.mean())
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=0.013)  # one step of 1/80
    assert paired_bootstrap(first, second, seed=1) == paired_bootstrap(first, second, seed=1)


def test_pairing_is_what_finds_a_small_difference() -> None:
    first = np.array([1.0] * 60 + [0.0] * 140)
    second = first.copy()
    second[:8] = 0.0  # the second model repairs eight rows and breaks none
    assert paired_bootstrap(first, second).high < 0
    shuffled = np.random.default_rng(0).permutation(second)
    assert paired_bootstrap(first, shuffled).high > 0


def test_no_disagreement_still_has_width() -> None:
    same = [0.0, 1.0] * 20
    interval = paired_bootstrap(same, same)
    assert interval.value == 0.0
    assert interval.high == -interval.low == pytest.approx(upper_limit(0, 40, 0.975))


def test_rows_that_do_not_match_are_refused() -> None:
    with pytest.raises(StatisticsRefused, match="3 against 2"):
        paired_bootstrap([1, 0, 1], [1, 0])
    with pytest.raises(StatisticsRefused):
        paired_bootstrap([float("nan")], [1.0])


def test_isotonic_equals_scipy() -> None:
    rng = np.random.default_rng(9)
    values, weights = rng.random(50), rng.random(50) + 0.1
    expected = optimize.isotonic_regression(values, weights=weights).x
    assert nondecreasing(values.tolist(), weights.tolist()) == pytest.approx(expected.tolist())
    with pytest.raises(StatisticsRefused):
        nondecreasing([1.0], [0.0])
