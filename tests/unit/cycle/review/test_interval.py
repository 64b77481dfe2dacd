"""Which block is shown, and what open, overdue and missing audits do to its interval."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from handrail.cycle.review import brake
from handrail.cycle.review.audit_terms import Draw
from handrail.cycle.review.brake import BrakeInvalid
from handrail.cycle.review.error_estimate import estimate_counted, with_overdue
from handrail.cycle.review.interval import DOWN, HIGHEST, LOWEST, bets_at, block_error, last_block

STATE = brake.start(alpha=0.05)


@dataclass(frozen=True)
class Audit:
    draw: Draw
    wrong: bool | None


def audits(*wrong: bool | None) -> list[Audit]:
    return [Audit(Draw(0.1, 0.1), one) for one in wrong]


@pytest.mark.parametrize(
    ("n", "shown"), [(0, (0, 0)), (499, (0, 499)), (500, (0, 500)), (999, (0, 500)), (1700, (1000, 500))]
)
def test_the_last_full_block_is_shown(n: int, shown: tuple[int, int]) -> None:
    assert last_block(n) == shown


def test_without_audits_nothing_is_said() -> None:
    found = block_error(STATE, [])
    assert (found.low, found.high, found.n, found.complete) == (0.0, 1.0, 0, False)


def test_an_overdue_audit_counts_both_ways() -> None:
    answered = block_error(STATE, audits(*[False] * 480, *[True] * 10, *[False] * 10))
    overdue = block_error(STATE, audits(*[False] * 480, *[True] * 10, *[None] * 10))
    worst = block_error(STATE, audits(*[False] * 480, *[True] * 20))
    assert (overdue.low, overdue.high, overdue.overdue) == (answered.low, worst.high, 10)
    assert overdue.value == 10 / 490
    assert answered.complete


def test_blocks_of_a_longer_lifetime_share_the_level() -> None:
    some = audits(*[True] * 30, *[False] * 470)
    short, long = block_error(brake.start(alpha=0.05, lifetime=500), some), block_error(STATE, some)
    assert long.low <= short.low <= short.value <= short.high <= long.high
    assert long.high - long.low > short.high - short.low


def test_it_can_say_no_more_than_its_values() -> None:
    bad = block_error(STATE, audits(*[True] * 300))
    assert (bad.low, bad.high) == (HIGHEST, 1.0)
    good = block_error(STATE, audits(*[False] * 500))
    assert good.low == 0.0
    assert LOWEST < good.high < 0.05


@pytest.mark.parametrize("value", [LOWEST, 0.05, HIGHEST])
def test_no_factor_comes_near_zero(value: float) -> None:
    scale = value / STATE.alpha
    worst = value + 0.15 * scale
    assert all(1 - bet * worst >= 0.1 - 1e-12 for bet in bets_at(STATE, value, 1))
    assert all(1 - bet / STATE.least_q >= 0.03 - 1e-12 for bet in bets_at(STATE, value, -1))
    assert all(bet <= most for bet, most in zip(bets_at(STATE, value, -1), DOWN, strict=True))


@pytest.mark.parametrize("more", [{"level": 1.0}, {"missed": 1.0}, {"missed": -0.1}])
def test_a_level_that_makes_no_sense_is_refused(more: dict[str, float]) -> None:
    with pytest.raises(BrakeInvalid):
        block_error(STATE, audits(True), **more)


def test_the_estimate_counts_what_is_overdue_both_ways() -> None:
    answered = {(True, 0.1): 3, (False, 0.1): 97}
    plain, found = estimate_counted(answered), with_overdue(answered, [0.1] * 5)
    assert (found.value, found.n, found.method) == (plain.value, 100, "clopper-pearson")
    assert found.high == estimate_counted({(True, 0.1): 8, (False, 0.1): 97}).high > plain.high
    assert found.low == estimate_counted({(True, 0.1): 3, (False, 0.1): 102}).low < plain.low
    assert with_overdue(answered, []) == plain
