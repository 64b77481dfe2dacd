"""The stated level of false alarms a day, by simulation, at twenty to sixty rows. The control must break."""

import numpy as np
import pytest
from scipy import stats

from handrail.cycle.monitor.drift import compare, profile, reference

LEVEL, REPEATS = 0.1, 300
SLACK = 3 * (LEVEL * (1 - LEVEL) / REPEATS) ** 0.5
KINDS = {f"x{i}": "number" for i in range(8)} | {"whole": "number", "c": "category", "gaps": "number"}


def rows(rng: np.random.Generator, n: int) -> list[dict[str, object]]:
    common = rng.normal(size=(n, 1))
    table = 0.6 * common + 0.8 * rng.normal(size=(n, 8))
    return [
        {f"x{i}": float(value) for i, value in enumerate(row)}
        | {
            "whole": int(rng.poisson(3)),
            "c": str(rng.choice(list("abcde"), p=[0.5, 0.3, 0.1, 0.07, 0.03])),
            "gaps": None if rng.random() < 0.1 else float(rng.normal()),
        }
        for row in table
    ]


@pytest.mark.parametrize("n", [20, 60])
def test_days_without_drift_alarm_as_rarely_as_stated(n: int) -> None:
    rng = np.random.default_rng(n)
    alarms = []
    for _ in range(REPEATS):
        known = reference(rows(rng, 150), KINDS)  # type: ignore[arg-type]
        alarms.append(compare(profile(rows(rng, n), known), known, level=LEVEL).alarm)
    assert np.mean(alarms) <= LEVEL + SLACK
    assert np.mean(alarms) > 0  # a test that never alarms would pass too


def test_single_features_have_valid_p_values() -> None:
    """Uniform or larger, for continuous, whole and category features alike."""
    rng = np.random.default_rng(7)
    found: dict[str, list[float]] = {}
    for _ in range(REPEATS):
        known = reference(rows(rng, 150), KINDS)  # type: ignore[arg-type]
        for feature in compare(profile(rows(rng, 30), known), known).features:
            found.setdefault(feature.name, []).append(feature.p_value)
    for cut in (0.02, 0.05, 0.2):
        slack = 4 * (cut * (1 - cut) / REPEATS) ** 0.5
        for name, values in found.items():
            assert (np.array(values) <= cut).mean() <= cut + slack, name
    assert np.mean([np.array(found[f"x{i}"]) <= 0.2 for i in range(8)]) > 0.08


def test_a_test_per_feature_cries_wolf() -> None:
    """Negative control: Kolmogorov-Smirnov at 5 % on each feature, as many monitors do."""
    rng = np.random.default_rng(1)
    alarms = []
    for _ in range(100):
        known, day = rng.normal(size=(150, 20)), rng.normal(size=(40, 20))
        alarms.append(min(stats.ks_2samp(known[:, i], day[:, i]).pvalue for i in range(20)) < 0.05)
    assert np.mean(alarms) > 0.4


def test_a_shift_of_one_spread_is_found_in_a_day() -> None:
    rng = np.random.default_rng(2)
    hits = []
    for _ in range(60):
        known = reference(rows(rng, 300), KINDS)  # type: ignore[arg-type]
        day = [row | {"x3": row["x3"] + 1.0} for row in rows(rng, 40)]  # type: ignore[operator]
        found = compare(profile(day, known), known, level=0.001)
        hits.append(found.alarm and found.features[0].name == "x3")
    assert np.mean(hits) > 0.7
