"""The binned Kolmogorov-Smirnov law against scipy, and against every arrangement of small samples."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from scipy import stats

from handrail.foundation.statistics import kolmogorov_smirnov


def counts(values: list[float], edges: list[float]) -> list[int]:
    place = np.searchsorted(edges, values, side="left")
    return np.bincount(place, minlength=len(edges) + 1).tolist()


@pytest.mark.parametrize(("n", "m"), [(5, 7), (20, 60), (33, 33), (8, 200)])
def test_with_an_edge_at_every_reference_value_it_is_near_scipy(n: int, m: int) -> None:
    """With all edges the distance is scipy's, or under it by at most one new value's step."""
    rng = np.random.default_rng(n * m)
    for shift in (0.0, 0.5, 1.0):
        new, old = rng.normal(shift, 1, n), np.sort(rng.normal(size=m))
        distance, p_value = kolmogorov_smirnov(counts(new, old[:-1]), counts(old, old[:-1]), own=True)
        exact = stats.ks_2samp(new, old, method="exact")
        assert exact.statistic - 1 / m - 1e-9 <= distance <= exact.statistic + 1e-9
        if distance == pytest.approx(exact.statistic):
            assert p_value <= exact.pvalue + 1e-9  # fewer places to look at, the same distance
            assert p_value >= exact.pvalue * 0.4


def own_edges(n: int, m: int, ranks: list[int]) -> Iterator[tuple[list[int], list[int]]]:
    """Yield the counts of every equally likely arrangement of n new among m reference values."""
    for places in itertools.combinations(range(n + m), n):
        new = set(places)
        old = [value for value in range(n + m) if value not in new]
        edges = [float(old[rank - 1]) for rank in ranks]
        yield counts(sorted(map(float, new)), edges), counts(list(map(float, old)), edges)


@pytest.mark.parametrize(("n", "m", "ranks"), [(4, 6, [2, 4]), (5, 5, [1, 2, 3, 4]), (3, 9, [3, 6]), (6, 4, [2])])
def test_own_edges_equal_the_sum_over_all_arrangements(n: int, m: int, ranks: list[int]) -> None:
    found = [kolmogorov_smirnov(a, b, own=True) for a, b in own_edges(n, m, ranks)]
    distances = np.array([distance for distance, _ in found])
    for distance, p_value in found:
        expected = 1.0 if distance == 0 else (distances >= distance - 1e-9).mean()
        assert p_value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("today", "known"), [([3, 1, 0], [1, 2, 3]), ([0, 0, 4], [3, 3, 0]), ([2, 2], [2, 3])])
def test_fixed_edges_equal_the_sum_over_all_splits(today: list[int], known: list[int]) -> None:
    pooled = [bin_ for bin_, (a, b) in enumerate(zip(today, known, strict=True)) for _ in range(a + b)]
    n, m = sum(today), sum(known)

    def distance(new: list[int]) -> float:
        a = np.bincount(new, minlength=len(today))
        b = np.bincount(pooled, minlength=len(today)) - a
        return float(np.abs(a.cumsum() / n - b.cumsum() / m).max())

    seen, p_value = kolmogorov_smirnov(today, known, own=False)
    splits = [distance([pooled[i] for i in chosen]) for chosen in itertools.combinations(range(len(pooled)), n)]
    assert p_value == pytest.approx((np.array(splits) >= seen - 1e-9).mean(), abs=1e-9)


def test_large_samples_agree_with_the_limit() -> None:
    rng = np.random.default_rng(3)
    edges = np.quantile(rng.normal(size=5000), np.linspace(0.05, 0.95, 19)).tolist()
    new, old = rng.normal(0.05, 1, 3100), rng.normal(size=6000)
    a, b = counts(new, edges), counts(old, edges)
    _, limit = kolmogorov_smirnov(a, b, own=False)
    _, exact = kolmogorov_smirnov(counts(new[:2990], edges), b, own=False)
    assert 0.0 < exact < 1.0
    assert limit == pytest.approx(2 * np.exp(-2 * 3100 * 6000 / 9100 * kolmogorov_smirnov(a, b, own=False)[0] ** 2))


def test_nothing_to_compare_is_no_evidence() -> None:
    assert kolmogorov_smirnov([0, 0], [5, 5], own=True) == (0.0, 1.0)
    assert kolmogorov_smirnov([5, 5], [0, 0], own=False) == (0.0, 1.0)
    assert kolmogorov_smirnov([5], [7], own=True) == (0.0, 1.0)
    assert kolmogorov_smirnov([5, 5], [50, 50], own=True) == (0.0, 1.0)


def test_clear_differences_have_tiny_but_positive_values() -> None:
    _, p_value = kolmogorov_smirnov([0, 0, 0, 60], [100, 100, 100, 9], own=True)
    assert 0 < p_value < 1e-10
