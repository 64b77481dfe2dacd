"""Profiles add up: any split into days, in any order, gives the counts of all rows together."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.cycle.monitor.drift import Kind, TableProfile, compare, merge, profile, reference

KINDS: dict[str, Kind] = {"x": "number", "c": "category"}
_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "x": st.none() | st.floats(-5, 5) | st.integers(-3, 3) | st.just(float("nan")),
            "c": st.none() | st.sampled_from(["a", "b", "z"]) | st.booleans(),
        }
    ),
    max_size=30,
)
KNOWN = reference([{"x": i / 20, "c": "ab"[i % 2]} for i in range(-100, 100)], KINDS)


def same(one: TableProfile, other: TableProfile) -> None:
    assert one.rows == other.rows
    assert one.categories == other.categories
    assert one.numbers["x"].counts == other.numbers["x"].counts
    assert one.numbers["x"].missing == other.numbers["x"].missing
    if one.numbers["x"].mean is not None:
        assert one.numbers["x"].mean == pytest.approx(other.numbers["x"].mean, abs=1e-9)


@given(days=st.lists(_ROWS, min_size=1, max_size=5), data=st.data())
def test_order_and_split_do_not_matter(days: list[list[dict[str, Any]]], data: st.DataObject) -> None:
    made = [profile(day, KNOWN) for day in days]
    shuffled = data.draw(st.permutations(made))
    whole = profile([row for day in days for row in day], KNOWN)
    same(merge(made), whole)
    same(merge(shuffled), whole)
    if len(made) > 2:
        same(merge([merge(made[:2]), *made[2:]]), whole)


@given(day=_ROWS)
def test_every_comparison_gives_probabilities(day: list[dict[str, Any]]) -> None:
    for one in compare(profile(day, KNOWN), KNOWN).features:
        assert 0.0 < one.p_value <= one.adjusted <= 1.0
        assert 0.0 <= one.distance <= 1.0
        assert one.psi >= 0.0
