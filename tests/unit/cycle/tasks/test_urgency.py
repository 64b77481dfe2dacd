"""The worth of a look and the place in the queue: the worked example, monotone in everything, equal when blind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from handrail.cycle.tasks.urgency import BANDS, MOST_DAYS, changes_at, first_change, passed_on, priority, worth_of_look

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
costs = st.floats(0.001, 100)
scores = st.floats(0, 1)
slacks = st.one_of(st.none(), st.timedeltas(timedelta(0), timedelta(days=60)))


def test_the_worked_example_of_the_page() -> None:
    doubtful, dear, unknown = worth_of_look(1, 0.62), worth_of_look(20, 0.97), worth_of_look(1, None)
    assert (doubtful, dear, unknown) == (38, 60, 100)
    assert priority(doubtful, NOW, None, NOW) == 38
    assert priority(doubtful, NOW, NOW + timedelta(minutes=50), NOW) == 38 * 8
    assert priority(dear, NOW - timedelta(days=3, hours=1), None, NOW) == 60 + 30


@given(costs, costs, scores, scores)
def test_a_dearer_or_less_certain_item_is_worth_no_less(low: float, high: float, sure: float, unsure: float) -> None:
    low, high = sorted((low, high))
    unsure, sure = sorted((unsure, sure))
    assert 1 <= worth_of_look(low, sure) <= worth_of_look(high, sure) <= worth_of_look(high, unsure) <= 10_000


@given(st.integers(-5, 20_000), slacks, st.timedeltas(timedelta(0), timedelta(days=40)))
def test_a_priority_never_falls_and_changes_only_when_it_says(
    worth: int, slack: timedelta | None, later: timedelta
) -> None:
    """Walking from change to change meets every value that the priority takes."""
    deadline = None if slack is None else NOW + slack
    now, steps = NOW, 0
    assert first_change(NOW, deadline) == changes_at(NOW, deadline, NOW)
    while (following := changes_at(NOW, deadline, now)) is not None and following <= NOW + later:
        assert following > now
        before = priority(worth, NOW, deadline, now)
        assert priority(worth, NOW, deadline, following - timedelta(microseconds=1)) == before
        assert priority(worth, NOW, deadline, following) >= before
        now, steps = following, steps + 1
    assert priority(worth, NOW, deadline, NOW + later) == priority(worth, NOW, deadline, now)
    assert steps <= MOST_DAYS + len(BANDS)


def test_whoever_asks_for_help_doubles_the_worth() -> None:
    assert passed_on(38, escalated=True) == 76
    assert passed_on(38, escalated=False) == 39
    assert passed_on(-3, escalated=True) == -2
