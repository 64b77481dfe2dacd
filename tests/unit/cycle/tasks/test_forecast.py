"""The forecast against what can be counted by hand, against trying every order, and its interval's level."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.cycle.tasks.forecast import HOURS, LEAST_ANSWERS, LEAST_DAYS, Hour, forecast, missed, withheld

hours = st.builds(Hour, st.integers(0, 3), st.integers(0, 3))
a_day = st.lists(hours, min_size=HOURS, max_size=HOURS)


def test_counted_by_hand() -> None:
    """Two answers an hour for three hours save six of ten that are due within the third."""
    day = [Hour(0, 2)] * HOURS
    found = forecast([day] * 7, [2] * 10, HOURS)
    assert (found.missing, found.low, found.high, found.n) == (4, 4, 4, 7)
    assert found.level == pytest.approx(6 / 8)
    assert found.sentence == (
        "At this rate 4 tasks miss their deadline in the next 24 hours (4 to 4, 75% interval, n = 7 days)."
    )


def test_what_comes_takes_its_share_and_later_deadlines_come_later() -> None:
    day = [Hour(1, 1)] * HOURS
    assert missed(day, [3] + [0] * (HOURS - 1), lead=1) == 2 + 0 + 0
    assert missed([Hour(2, 1)] * HOURS, [0] * HOURS, lead=0) == HOURS
    assert missed([Hour(0, 0)] * HOURS, [0] * 5 + [7] + [0] * (HOURS - 6), lead=3) == 7


def test_the_interval_is_the_best_and_the_worst_day() -> None:
    quick, slow = [Hour(0, 5)] * HOURS, [Hour(0, 0)] * HOURS
    found = forecast([quick, slow, quick, quick, quick], [5] * 9, HOURS)
    assert (found.low, found.missing, found.high) == (0, 0, 9)
    assert "no task misses its deadline" in found.sentence


@given(
    st.lists(st.integers(0, 2), min_size=3, max_size=3),
    st.lists(st.integers(0, 2), min_size=1, max_size=6),
)
def test_no_order_of_the_tasks_lets_fewer_miss_their_deadline(answers: list[int], due: list[int]) -> None:
    """Against every order in which people could take the tasks, each as early as it can be answered."""

    def missing(order: tuple[int, ...]) -> int:
        left, late = list(answers), 0
        for deadline in order:
            slot = next((hour for hour in range(deadline + 1) if left[hour]), None)
            if slot is None:
                late += 1
            else:
                left[slot] -= 1
        return late

    waiting = [due.count(hour) for hour in range(3)]
    assert missed([Hour(0, number) for number in answers], waiting, 3) == min(map(missing, permutations(due)))


@given(a_day, st.lists(st.integers(0, HOURS), max_size=30), st.integers(0, HOURS), st.integers(0, HOURS - 1))
def test_one_answer_more_never_lets_more_miss(day: list[Hour], due: list[int], lead: int, at: int) -> None:
    more = [Hour(one.arrived, one.answered + (number == at)) for number, one in enumerate(day)]
    before, after = forecast([day], due, lead), forecast([more], due, lead)
    assert before.missing - 1 <= after.missing <= before.missing
    assert before.missing <= len(due) + sum(one.arrived for one in day)


def test_too_little_history_says_so() -> None:
    enough = [[Hour(0, LEAST_ANSWERS)] + [Hour()] * (HOURS - 1)] * LEAST_DAYS
    assert withheld(enough) == ""
    assert "needs 5 whole days" in withheld(enough[1:])
    assert withheld([[Hour()] * HOURS] * LEAST_DAYS).endswith("there are 5 with 0.")
    assert withheld([]).endswith("there are 0 with 0.")
