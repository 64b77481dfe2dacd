"""With the stated number of seeds a simulated stamper and a careful person are told apart, as often as was promised."""

from __future__ import annotations

import numpy as np
import pytest

from handrail.cycle.evaluate.oversight import MISTAKE, seeds_to_tell, told_apart

PEOPLE = 4000


def judged(rate: float, seeds: int, seed: int) -> dict[str, float]:
    """Return how often each verdict falls on people who catch `rate` of `seeds` wrong answers."""
    caught = np.random.default_rng(seed).binomial(seeds, rate, size=PEOPLE)
    verdicts = [told_apart(int(one), seeds).verdict for one in caught]
    return {verdict: verdicts.count(verdict) / PEOPLE for verdict in set(verdicts)}


@pytest.mark.parametrize("seeds", [seeds_to_tell(), 10, 20])
def test_a_stamper_and_a_careful_person_are_told_apart(seeds: int) -> None:
    noise = 0.012  # more than three standard errors of 4000 people
    stamper, careful = judged(0.20, seeds, 1), judged(0.80, seeds, 2)
    assert stamper.get("careful", 0.0) <= MISTAKE + noise
    assert careful.get("stamper", 0.0) <= MISTAKE + noise
    assert stamper.get("stamper", 0.0) + stamper.get("between", 0.0) >= 0.85
    assert careful.get("careful", 0.0) + careful.get("between", 0.0) >= 0.85


def test_with_one_seed_less_nobody_is_judged() -> None:
    """The control: the same people, one seed short of the stated number."""
    assert judged(0.20, seeds_to_tell() - 1, 3) == {"cannot tell": 1.0}


def test_who_overrides_blindly_is_no_better_off() -> None:
    """Half of the seeds are right: overriding all of them catches every wrong one and shows in the other share."""
    from handrail.cycle.evaluate.oversight import Look, figures

    looks = [Look("p", "P", "i", "a", None, "b", truth="b", outcome="caught")] * 20
    looks += [Look("p", "P", "i", "a", None, "b", truth="a", outcome="overridden")] * 20
    found = figures("p", "P", looks)
    assert found.told.verdict == "careful"
    assert found.overridden_right.interval is not None
    assert found.overridden_right.interval.low > 0.8
    assert found.override_precision.interval is not None
    assert found.override_precision.interval.value == 0.5
