"""When an audit is overdue, when too many are, and which of them a figure may use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from handrail.cycle.review import overdue


@dataclass(frozen=True)
class One:
    wrong: bool | None
    due_at: int


def test_due_is_so_many_days_after_the_draw() -> None:
    drawn = datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert overdue.due_at(drawn, 14) == drawn + timedelta(days=14)


def test_overdue_from_the_moment_on_and_only_without_a_verdict() -> None:
    assert [overdue.is_overdue(One(None, 10), now) for now in (9, 10, 11)] == [False, True, True]
    assert not overdue.is_overdue(One(True, 10), 11)
    assert not overdue.is_overdue(One(False, 10), 11)


def test_more_than_one_in_twenty_is_too_many() -> None:
    assert [overdue.too_many(40, late) for late in (0, 1, 2, 3)] == [False, False, False, True]
    assert not overdue.too_many(0, 0)
    assert overdue.too_many(1, 1)


def test_a_figure_ends_before_the_first_that_may_still_be_answered() -> None:
    late, open_, done = One(None, 5), One(None, 50), One(False, 5)
    assert overdue.settled([done, late, done, open_, done], 10) == [done, late, done]
    assert overdue.settled([done, late], 10) == [done, late]
    assert overdue.settled([open_, done], 10) == []
    assert overdue.settled([], 10) == []
