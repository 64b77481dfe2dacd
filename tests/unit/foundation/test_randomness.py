"""Random draws: no byte is given twice, whichever thread or process asks; with a seed draws repeat."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from handrail.foundation.randomness import Randomness


def test_no_bytes_are_given_twice_to_threads() -> None:
    randomness = Randomness()
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: [randomness.bytes(8) for _ in range(2000)], range(8)))
    every = {one for part in taken for one in part}
    assert len(every) == 16_000
    assert {len(one) for one in every} == {8}


def test_a_forked_process_does_not_go_on_with_the_bytes_of_its_parent() -> None:
    randomness = Randomness()
    randomness.bytes(1)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, randomness.bytes(64))
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 64) != randomness.bytes(64)
    os.close(reading)
    os.close(writing)


def test_more_than_is_fetched_at_a_time() -> None:
    assert len(Randomness().bytes(10_000)) == 10_000
    assert Randomness().bytes(0) == b""


def test_numbers_lie_from_0_to_below_1_and_fill_the_range() -> None:
    randomness = Randomness()
    drawn = [randomness.uniform() for _ in range(20_000)]
    assert 0.0 <= min(drawn) < 0.01
    assert 0.99 < max(drawn) < 1.0
    assert abs(sum(drawn) / len(drawn) - 0.5) < 0.02


def test_with_a_seed_draws_repeat_and_bytes_do_not() -> None:
    one, other = Randomness(7), Randomness(7)
    assert [one.uniform() for _ in range(5)] == [other.uniform() for _ in range(5)]
    assert one.choose(100, 10) == other.choose(100, 10)
    assert one.bytes(16) != other.bytes(16)
