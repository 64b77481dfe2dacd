"""Team against the better one alone, on the same items."""

from __future__ import annotations

import numpy as np

from handrail.cycle.evaluate.team import LEAST_ITEMS, Case, compare


def case(own: bool, model: bool, team: bool) -> Case:
    """Return an item on which each is right or not."""
    return Case(*("a" if right else "b" for right in (own, model, team)), truth="a")


def test_too_few_items_say_nothing() -> None:
    found = compare([case(True, True, True)] * (LEAST_ITEMS - 1))
    assert (found.person, found.difference, found.better) == (None, None, None)
    assert found.said.startswith(f"not enough yet: 29 of {LEAST_ITEMS}")


def test_the_three_error_rates_and_the_difference() -> None:
    cases = (
        [case(True, True, True)] * 60
        + [case(False, True, True)] * 15
        + [case(True, False, True)] * 15
        + [case(True, False, False)] * 10
    )
    found = compare(cases)
    assert found.person is not None
    assert found.model is not None
    assert found.team is not None
    assert found.difference is not None
    assert [one.value for one in (found.person, found.model, found.team)] == [0.15, 0.25, 0.10]
    assert (found.better, round(found.difference.value, 9)) == ("person", -0.05)
    assert found.difference.low < -0.05 < found.difference.high
    assert compare(cases) == found, "the same answers give the same report"


def test_a_team_that_follows_a_bad_model_is_told() -> None:
    found = compare([case(True, True, True)] * 60 + [case(True, False, False)] * 40)
    assert found.difference is not None
    assert found.difference.low > 0
    assert found.said.startswith("The team makes more errors")


def test_no_difference_seen_is_not_no_difference() -> None:
    found = compare([case(True, True, True)] * 40)
    assert found.difference is not None
    assert found.difference.low < 0 < found.difference.high


def test_the_interval_covers_where_person_and_model_are_equally_good() -> None:
    """The better one is chosen on the same items, which is where a naive interval fails."""
    random, covered = np.random.default_rng(3), 0
    for _ in range(200):
        drawn = random.random((200, 3)) >= 0.2
        found = compare([case(*map(bool, row)) for row in drawn])
        assert found.difference is not None
        covered += found.difference.low <= 0.0 <= found.difference.high
    assert covered >= 170, covered
