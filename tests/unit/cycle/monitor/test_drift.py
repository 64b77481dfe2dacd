"""Profiles and their comparison: counting, merging, what is said, and that each kind of change is found."""

import itertools
import json

import numpy as np
import pytest
from scipy import stats

from handrail.cycle.monitor.drift import (
    MOST_BINS,
    DriftInvalid,
    TableProfile,
    compare,
    compare_rows,
    merge,
    profile,
    rate_change,
    reference,
)
from handrail.foundation.statistics import fisher

KINDS = {"area": "number", "count": "number", "site": "category", "urgent": "category"}
Rows = list[dict[str, object]]


def rows(n: int, seed: int, *, shift: float = 0.0, site: float = 0.5, missing: float = 0.0) -> Rows:
    rng = np.random.default_rng(seed)
    return [
        {
            "area": None if rng.random() < missing else float(rng.lognormal(6 + shift, 0.5)),
            "count": int(rng.poisson(2)),
            "site": "north" if rng.random() < site else str(rng.choice(["south", "east"])),
            "urgent": bool(rng.random() < 0.2),
            "ignored": object(),
        }
        for _ in range(n)
    ]


KNOWN = reference(rows(300, 1), KINDS)  # type: ignore[arg-type]


def test_counts_equal_brute_force() -> None:
    day = rows(60, 2)
    made = profile(day, KNOWN)
    assert made.rows == 60
    area = [float(row["area"]) for row in day]  # type: ignore[arg-type]
    edges = [-np.inf, *made.numbers["area"].edges, np.inf]
    expected = [sum(low < value <= high for value in area) for low, high in itertools.pairwise(edges)]
    assert list(made.numbers["area"].counts) == expected
    assert made.numbers["area"].mean == pytest.approx(np.mean(area))
    assert made.categories["site"].counts["north"] == sum(row["site"] == "north" for row in day)
    assert made.categories["urgent"].counts["true"] == sum(bool(row["urgent"]) for row in day)


def test_a_reference_has_even_bins_and_knows_ties() -> None:
    area, count = KNOWN.numbers["area"], KNOWN.numbers["count"]
    assert area.own
    assert len(area.counts) == MOST_BINS
    assert set(area.counts) == {15}
    assert not count.own
    assert len(count.edges) < MOST_BINS
    small = reference(rows(12, 3), KINDS)  # type: ignore[arg-type]
    assert len(small.numbers["area"].counts) == 2


def test_the_same_rows_are_not_drift() -> None:
    found = compare(profile(rows(300, 1), KNOWN), KNOWN)
    assert not found.alarm
    assert all(feature.p_value == 1.0 and feature.distance == 0.0 for feature in found.features)


def test_another_day_is_not_drift() -> None:
    found = compare(profile(rows(40, 4), KNOWN), KNOWN)
    assert not found.alarm
    assert {feature.name for feature in found.features} == set(KINDS)
    assert found.level == 0.001


@pytest.mark.parametrize(
    ("changed", "name", "word"),
    [
        ({"shift": 0.8}, "area", "mean"),
        ({"site": 0.02}, "site", "north is"),
        ({"missing": 0.4}, "area", "missing"),
    ],
)
def test_a_change_is_found_and_named(changed: dict[str, float], name: str, word: str) -> None:
    found = compare(profile(rows(40, 5, **changed), KNOWN), KNOWN)
    assert found.alarm
    assert [feature.name for feature in found.features if feature.alarm] == [name]
    worst = found.features[0]
    assert worst.name == name
    assert word in worst.sentence
    assert worst.psi > 0.2
    assert worst.adjusted == pytest.approx(min(1.0, 4 * worst.p_value))


def test_twenty_rows_are_enough_for_a_large_change() -> None:
    assert compare(profile(rows(20, 6, shift=1.2), KNOWN), KNOWN).alarm


def test_a_category_nobody_knew_counts() -> None:
    day = rows(40, 7)
    for row in day[:10]:
        row["site"] = "elsewhere"
    found = compare(profile(day, KNOWN), KNOWN)
    assert found.alarm
    assert "elsewhere is 25% after 0%" in found.features[0].sentence


def test_two_categories_are_one_fisher_test() -> None:
    day = profile(rows(40, 8), KNOWN)
    found = next(one for one in compare(day, KNOWN).features if one.name == "urgent")
    expected = fisher(day.categories["urgent"].counts["true"], 40, KNOWN.categories["urgent"].counts["true"], 300)
    assert found.p_value == pytest.approx(expected)


def test_many_categories_are_counted_in_groups_that_no_reference_chose() -> None:
    known = reference([{"c": f"n{i % 80}"} for i in range(800)], {"c": "category"})
    assert known.categories["c"].lumped
    assert len(known.categories["c"].counts) <= 50
    assert sum(known.categories["c"].counts.values()) == 800
    day = profile([{"c": "new"}, {"c": "n3"}, {"c": None}], known)
    assert (day.categories["c"].n, day.categories["c"].missing) == (2, 1)
    assert not KNOWN.categories["site"].lumped


def test_free_text_that_never_repeats_is_not_drift_but_one_text_is() -> None:
    known = reference([{"c": f"text {i}"} for i in range(300)], {"c": "category"})
    days = [[{"c": f"text {day} {i}"} for i in range(200)] for day in range(100)]
    assert sum(compare(profile(day, known), known, level=0.05).alarm for day in days) <= 5 + 3 * 2.2
    fresh = days[0]
    found = compare(profile([{"c": "spam"}] * 60 + fresh[:140], known), known)
    assert found.alarm
    assert "of its names" in found.features[0].sentence


def test_rows_are_compared_in_one_call() -> None:
    fields, findings = compare_rows(rows(300, 1), rows(40, 5, shift=0.8), KINDS)  # type: ignore[arg-type]
    assert TableProfile.from_dict(fields).rows == 40
    assert [one["feature"] for one in findings] == ["area"]
    json.dumps([fields, findings], allow_nan=False)
    assert compare_rows([], rows(40, 5), KINDS)[1] == []  # type: ignore[arg-type]
    assert compare_rows(rows(300, 1), [], KINDS)[1] == []  # type: ignore[arg-type]


def test_merging_days_equals_counting_them_together() -> None:
    days = [rows(30, seed) for seed in range(4)]
    merged = merge([profile(day, KNOWN) for day in days])
    whole = profile([row for day in days for row in day], KNOWN)
    assert merged.categories == whole.categories
    assert merged.rows == 120
    assert merged.numbers["area"].counts == whole.numbers["area"].counts
    assert merged.numbers["area"].mean == pytest.approx(whole.numbers["area"].mean)
    assert merge([]).rows == 0
    assert not compare(profile(rows(40, 9), KNOWN), merge([KNOWN, merged])).alarm


def test_what_is_not_a_number_is_missing() -> None:
    day: Rows = [{"area": value} for value in (None, float("nan"), float("inf"), "7", True, 700.0, 800)]
    made = profile(day, KNOWN)
    assert (made.numbers["area"].missing, made.numbers["area"].n) == (5, 2)


def test_an_empty_day_is_no_evidence() -> None:
    found = compare(profile([], KNOWN), KNOWN)
    assert not found.alarm
    assert all(feature.p_value == 1.0 for feature in found.features)


def test_a_constant_feature_compares_missing_only() -> None:
    known = reference([{"x": 1.0}] * 50, {"x": "number"})
    assert not compare(profile([{"x": 1.0}] * 20, known), known).alarm
    assert compare(profile([{"x": None}] * 20, known), known).alarm


def test_profiles_and_findings_survive_json() -> None:
    for made in (KNOWN, profile(rows(20, 1), KNOWN), merge([KNOWN, KNOWN])):
        assert TableProfile.from_dict(json.loads(json.dumps(made.to_dict(), allow_nan=False))) == made
    found = compare(profile(rows(40, 5, shift=0.8), KNOWN), KNOWN)
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["alarm"] is True


def test_profiles_of_other_bins_are_refused() -> None:
    other = reference(rows(300, 99), KINDS)  # type: ignore[arg-type]
    with pytest.raises(DriftInvalid, match="different bins"):
        compare(profile(rows(20, 1), other), KNOWN)
    with pytest.raises(DriftInvalid):
        merge([KNOWN, other])
    with pytest.raises(DriftInvalid):
        compare(KNOWN, KNOWN, level=0.0)


def test_a_rate_that_changed() -> None:
    same, more = rate_change(6, 40, 50, 300), rate_change(22, 40, 50, 300)
    assert not same.alarm
    assert more.alarm
    assert more.p_value == pytest.approx(stats.fisher_exact([[22, 18], [50, 250]]).pvalue, rel=1e-6)
    assert more.today.low > more.reference.high
    assert not rate_change(0, 0, 50, 300).alarm
    json.dumps(more.to_dict(), allow_nan=False)
