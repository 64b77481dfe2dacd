"""What answers show of how people look: against counts made by hand, and against the exact distribution."""

from __future__ import annotations

from typing import Any

import pytest
from scipy.stats import binom

from handrail.cycle.evaluate.oversight import (
    LEAST,
    Look,
    by_group,
    by_person,
    figures,
    median,
    seeds_to_tell,
    share,
    told_apart,
)


def look(**more: Any) -> Look:
    values: dict[str, Any] = {
        "person_id": "p-1", "person_name": "Anna", "item_id": "i", "shown": "a", "own": None, "final": "a",
    }  # fmt: skip
    return Look(**{**values, **more})


@pytest.mark.parametrize(
    ("low", "high", "needed"), [(0.05, 0.90, 3), (0.20, 0.80, 7), (0.50, 0.80, 28), (0.60, 0.80, 60)]
)
def test_how_many_seeds_tell_two_catch_rates_apart(low: float, high: float, needed: int) -> None:
    assert seeds_to_tell(low, high) == needed

    def tells(n: int) -> bool:
        return any(
            binom.sf(k - 1, n, low) <= 0.05 and binom.cdf(k - 1, n, high) <= 0.05 for k in range(n + 1)
        )  # an independent way to the same number

    assert tells(needed)
    assert not any(tells(n) for n in range(1, needed))


def test_too_few_seeds_say_how_many_are_missing() -> None:
    told = told_apart(4, 4)
    assert (told.verdict, told.more, told.needed) == ("cannot tell", 3, 7)
    assert "needs 3 more" in told.said


@pytest.mark.parametrize(
    ("caught", "n", "verdict"), [(7, 7, "careful"), (0, 7, "stamper"), (4, 8, "cannot tell"), (20, 40, "between")]
)
def test_what_enough_seeds_say(caught: int, n: int, verdict: str) -> None:
    assert told_apart(caught, n).verdict == verdict


def test_a_share_is_withheld_under_its_least_number() -> None:
    few = share([True] * (LEAST - 1))
    assert (few.interval, few.n, few.needed, few.said) == (None, 19, 20, "not enough yet: 19 of 20")
    enough = share([True] * 15 + [False] * 5)
    assert enough.interval is not None
    assert (enough.interval.value, enough.interval.n) == (0.75, 20)
    assert enough.interval.low < 0.75 < enough.interval.high
    assert "15 of 20" in enough.said


def test_the_interval_of_a_median_covers_it_and_not_for_nothing() -> None:
    found = median([float(one) for one in range(1, 21)]).interval
    assert found is not None
    assert (found.value, found.low, found.high) == (10.5, 6.0, 15.0)  # ranks 6 and 15 of 20: coverage 0.959
    assert 1 - 2 * binom.cdf(5, 20, 0.5) >= 0.95 > 1 - 2 * binom.cdf(6, 20, 0.5)
    assert median([1.0] * 19).interval is None


def test_each_figure_counts_what_it_says() -> None:
    looks = [
        *[look(outcome="caught", truth="b", final="b", seconds=9.0)] * 6,
        *[look(outcome="missed", truth="b", seconds=1.0)] * 4,
        *[look(outcome="let_stand", truth="a")] * 15,
        *[look(outcome="overridden", truth="a", final="b")] * 5,
        *[look(own="b", truth="b", final="a")] * 12,  # right, then switched to the model's wrong answer
        *[look(own="b", truth="b", final="b")] * 18,  # right, and stayed
        *[look(own="a", truth="b")] * 10,  # agreed with a wrong answer from the start
        *[look(own="b", truth="a")] * 5,  # wrong, and switched to the right answer
        *[look(own="a", truth=None)] * 7,
        look(own="c", truth=None, final=None),
    ]
    found = figures("p-1", "Anna", looks)
    assert (found.looks, found.told.caught, found.told.n) == (83, 6, 10)

    def counted(name: str) -> tuple[int, int]:
        one = getattr(found, name)
        assert one.interval is not None, name
        return round(one.interval.value * one.n), one.n

    assert counted("caught") == (6, 10)
    assert counted("overridden_right") == (5, 20)
    assert counted("switched") == (12 + 5, 12 + 18 + 5 + 1)
    assert counted("switched_to_wrong") == (12, 30)
    assert counted("accepted_wrong") == (4 + 12 + 10, 50)
    assert counted("override_precision") == (6 + 18, 6 + 5 + 18)
    assert found.seconds.interval is None
    assert found.seconds.said == "not enough yet: 10 of 20"


def test_people_and_groups_are_kept_apart() -> None:
    looks = [
        look(groups=("sex: f", "site: north")),
        look(groups=("sex: m",)),
        look(person_id="p-2", person_name="Ben", groups=("sex: f",)),
    ]
    assert [(one.about, one.name, one.looks) for one in by_person(looks)] == [("p-1", "Anna", 2), ("p-2", "Ben", 1)]
    assert [(one.about, one.looks) for one in by_group(looks)] == [("sex: f", 2), ("sex: m", 1), ("site: north", 1)]
