"""Identifiers grow, whatever the clock does, and are UUIDs of version 7."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from handrail.foundation.clock import FixedClock, micros
from handrail.foundation.ids import Ids
from handrail.foundation.randomness import Randomness

START = datetime(2026, 1, 1, tzinfo=UTC)
steps = st.lists(st.integers(-2_000_000, 2_000_000) | st.sampled_from([0, 1, -1, 999, 1000, 244]), max_size=60)


class Moved:
    """A clock that a test moves by microseconds, backwards too."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at


@given(steps)
def test_they_grow_whatever_the_clock_does(moves: list[int]) -> None:
    clock = Moved()
    ids = Ids(clock, Randomness())
    made, furthest = [], 0
    for move in moves:
        clock.at += timedelta(microseconds=move)
        furthest = max(furthest, micros(clock.at))
        made.append(ids.new())
        told = int(made[-1].replace("-", "")[:12], 16)
        assert told in (furthest // 1000, furthest // 1000 + 1), "it tells the time, or the latest there was"
    assert made == sorted(set(made))
    for one in made:
        parsed = uuid.UUID(one)
        assert str(parsed) == one
        assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)


def test_many_of_one_moment_are_in_order() -> None:
    clock = FixedClock(START)
    ids = Ids(clock, Randomness())
    made = [ids.new() for _ in range(10_000)]  # more than a millisecond has room for
    assert made == sorted(set(made))
    clock.advance(seconds=1)
    assert ids.new() > made[-1]


def test_threads_never_get_the_same_one() -> None:
    ids = Ids(FixedClock(START), Randomness())
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: [ids.new() for _ in range(500)], range(8)))
    assert len({one for some in made for one in some}) == 4000
    assert all(some == sorted(some) for some in made)


def test_the_random_part_is_the_systems_though_draws_repeat() -> None:
    first, second = (Ids(FixedClock(START), Randomness(seed=7)).new() for _ in range(2))
    assert first[:18] == second[:18]
    assert first[19:] != second[19:]
