"""Control items: what they stand for, what their verdicts show, and what a brake is told of the reviewers."""

from __future__ import annotations

from itertools import cycle

import pytest
from scipy.stats import binom

from handrail.cycle.review import brake, controls
from handrail.cycle.review.controls import Answered, measured, terms
from handrail.cycle.review.hearing import confirmed


def right(n: int, *, alarms: int = 0) -> list[Answered]:
    return [Answered("right", place < alarms) for place in range(n)]


def wrong(n: int, *, missed: int = 0) -> list[Answered]:
    return [Answered("wrong", place >= missed) for place in range(n)]


def test_a_tenth_stands_for_another_answer() -> None:
    draws = cycle([0.09, 0.0, 0.09, 0.99, 0.5])
    made = [controls.stand_for("b", ("a", "b", "c"), lambda: next(draws)) for _ in range(3)]
    assert made == [("wrong", "a"), ("wrong", "c"), ("right", "b")]
    assert controls.stand_for("free text", (), lambda: 0.0) == ("right", "free text")
    assert controls.stand_for("only", ("only",), lambda: 0.0) == ("right", "only")


@pytest.mark.parametrize("second", [False, True])
def test_a_control_item_is_heard_as_an_audit_is(second: bool) -> None:
    for values in (["x"], ["y"], ["y", "x"], ["y", "y"], ["y", "x", "x"], ["y", "x", "z"]):
        assert controls.heard("x", values, second_opinion=second) == confirmed("x", values, second_opinion=second)
    assert controls.heard("x", ["y"], second_opinion=True) is None, "one person alone is no false alarm"


def test_what_a_verdict_shows() -> None:
    assert [controls.outcome("right", one) for one in (False, True)] == ["upheld", "false_alarm"]
    assert [controls.outcome("wrong", one) for one in (True, False)] == ["caught", "missed"]


def test_the_bound_is_the_exact_one_at_its_part_of_delta() -> None:
    found = measured(right(300, alarms=3), delta=0.05)
    assert (found.right, found.false_alarms, found.f_level) == (300, 3, 0.99)
    assert found.fbar is not None
    assert binom.cdf(3, 300, found.fbar) == pytest.approx(controls.CONTROL_PART * 0.05)
    assert measured(right(3000), delta=0.25).fbar == pytest.approx(0.001, rel=0.01), "0 wrong of 3000 at 95 %"


def test_misses_are_said_once_there_are_enough() -> None:
    assert measured(wrong(19), delta=0.05).mbar is None
    found = measured(right(5) + wrong(20, missed=2), delta=0.05)
    assert (found.wrong, found.misses, found.n) == (20, 2, 25)
    assert found.mbar is not None
    assert binom.cdf(2, 20, found.mbar) == pytest.approx(0.05)
    assert measured([], delta=0.05) == controls.Measured(0, 0, 0, 0, 0, None, 0.99, None)


def test_a_verdict_that_is_late_counts_against_the_reviewers() -> None:
    """Leaving out what hangs on a second look would hide the very cases in which the first one erred."""
    begun, late, fresh = (
        Answered("right", None, begun=True),
        Answered("right", None, overdue=True),
        Answered("right", None),
    )
    found = measured([*right(10), begun, late, fresh], delta=0.05)
    assert (found.right, found.false_alarms, found.late) == (12, 2, 2)
    missed = measured([*wrong(20), Answered("wrong", None, begun=True)], delta=0.05)
    assert (missed.wrong, missed.misses) == (21, 1)


def test_terms_from_control_items_split_the_budget() -> None:
    found = measured(right(120), delta=0.05)
    made = terms(found, alpha=0.05, delta=0.05, fallback=0.0, share=0.1)
    assert (made.source, made.reviewer_error, made.needed) == ("controls", found.fbar, 90)
    assert made.delta + made.control_delta == pytest.approx(0.05)
    assert made.control_delta == pytest.approx(0.01)
    assert made.said.startswith("measured: 0 of 120 control items")
    state = brake.start(alpha=0.05, delta=made.delta, reviewer_error=made.reviewer_error)
    assert state.null == pytest.approx(0.05 + 0.95 * made.reviewer_error)


@pytest.mark.parametrize(("n", "alarms", "why"), [(89, 0, "90 are needed"), (120, 90, "90 were called wrong")])
def test_too_few_or_useless_control_items_fall_back_in_words(n: int, alarms: int, why: str) -> None:
    made = terms(measured(right(n, alarms=alarms), delta=0.05), alpha=0.05, delta=0.05, fallback=0.02, share=0.1)
    assert (made.source, made.reviewer_error, made.delta, made.control_delta) == ("policy", 0.02, 0.05, 0.0)
    assert why in made.said
    assert "not measured: the policy says" in made.said
    assert "2.00%" in made.said


def test_without_a_share_the_policy_alone_speaks() -> None:
    made = terms(measured(right(500), delta=0.05), alpha=0.05, delta=0.05, fallback=0.0, share=0.0)
    assert (made.source, made.reviewer_error) == ("policy", 0.0)
    assert made.said.startswith("not measured")


def test_the_least_number_is_where_a_clean_record_comes_under_alpha() -> None:
    for alpha, delta in ((0.02, 0.05), (0.1, 0.05), (0.1, 0.5)):
        needed = controls.least_controls(alpha, delta)
        enough, less = (measured(right(n), delta=delta).fbar for n in (needed, needed - 1))
        assert enough is not None
        assert less is not None
        assert enough <= alpha < less
