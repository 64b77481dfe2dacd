"""Exact tests against scipy, sums over the whole law, and published figures."""

import math
import subprocess
import sys

import pytest
from scipy import stats

from handrail.foundation.statistics import (
    StatisticsRefused,
    fisher,
    holm,
    lower_tail,
    mcnemar,
    smallest_sample,
    upper_tail,
    zero_error_labels,
)


def brute_lower(k: int, n: int, p: float) -> float:
    return math.fsum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k + 1))


@pytest.mark.parametrize(("k", "n", "p"), [(0, 1, 0.3), (2, 10, 0.05), (7, 7, 0.5), (3, 200, 0.02), (11, 40, 0.4)])
def test_tails_equal_the_sum_over_the_law(k: int, n: int, p: float) -> None:
    assert lower_tail(k, n, p) == pytest.approx(brute_lower(k, n, p), rel=1e-12)
    assert upper_tail(k, n, p) == pytest.approx(1 - brute_lower(k - 1, n, p) if k else 1.0, rel=1e-9)


def test_no_observation_is_no_evidence() -> None:
    assert lower_tail(0, 0, 0.05) == 1.0
    assert upper_tail(0, 0, 0.05) == 1.0


@pytest.mark.parametrize(
    ("alpha", "delta", "labels"),
    [(0.01, 0.1, 230), (0.02, 0.1, 114), (0.05, 0.1, 45), (0.01, 0.05, 299), (0.02, 0.05, 149), (0.05, 0.05, 59)],
)
def test_label_floors_are_the_published_ones(alpha: float, delta: float, labels: int) -> None:
    assert zero_error_labels(alpha, delta) == labels


@pytest.mark.parametrize("errors", [0, 1, 2, 5, 17])
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.3])
def test_smallest_sample_is_the_smallest(errors: int, alpha: float) -> None:
    n = smallest_sample(errors, alpha, 0.1)
    assert lower_tail(errors, n, alpha) <= 0.1 < lower_tail(errors, n - 1, alpha)


@pytest.mark.parametrize(("b", "c"), [(0, 0), (1, 0), (0, 6), (3, 9), (10, 10), (40, 61)])
def test_mcnemar_is_the_two_sided_sign_test(b: int, c: int) -> None:
    expected = stats.binomtest(b, b + c, 0.5).pvalue if b + c else 1.0
    assert mcnemar(b, c) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("table", [(0, 5, 0, 9), (3, 10, 7, 12), (1, 40, 9, 35), (20, 20, 3, 20), (0, 0, 2, 5)])
def test_fisher_equals_scipy(table: tuple[int, int, int, int]) -> None:
    a, n, b, m = table
    expected = stats.fisher_exact([[a, n - a], [b, m - b]]).pvalue
    assert fisher(a, n, b, m) == pytest.approx(expected, rel=1e-6)


def test_holm_by_hand() -> None:
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_impossible_counts_are_refused_with_a_sentence() -> None:
    with pytest.raises(StatisticsRefused, match="5 out of 4") as caught:
        lower_tail(5, 4, 0.1)
    assert caught.value.code == "statistics.bad_input"
    with pytest.raises(StatisticsRefused):
        smallest_sample(0, 1.5, 0.1)
    with pytest.raises(StatisticsRefused):
        smallest_sample(-1, 0.05, 0.1)
    with pytest.raises(StatisticsRefused):
        mcnemar(-1, 2)


def test_import_loads_no_scientific_library() -> None:
    code = "import sys, handrail.foundation.statistics; print(sorted({'scipy', 'numpy', 'sklearn'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
