"""The brake's recursion by hand, its levels, its memory, and the estimate of the current error."""

import dataclasses
import json

import numpy as np
import pytest

from handrail.cycle.review import brake
from handrail.cycle.review.audit_terms import Draw
from handrail.cycle.review.brake import BETS, SHARES, BrakeInvalid, BrakeState, replay, update
from handrail.cycle.review.error_estimate import estimate
from handrail.foundation.statistics import clopper_pearson


def test_the_recursion_by_hand() -> None:
    state = brake.start(alpha=0.02, lifetime=100)
    audits = [(False, 1.0), (True, 0.5), (False, 2.0), (True, 1.0)]
    wealths = [0.0, 0.0, 0.0]
    for wrong, q in audits:
        state = update(state, wrong, q)
        wealths = [(r + 1) * (1 + bet * (wrong - 0.02) / q) for r, bet in zip(wealths, BETS, strict=True)]
    assert state.wealths == pytest.approx(wealths)
    assert state.e_value == pytest.approx(np.dot(SHARES, wealths) / 100)
    assert (state.audits, state.wrong) == (4, 2)


def test_right_answers_never_warn() -> None:
    state = replay(brake.start(alpha=0.05, lifetime=50), [(False, 1.0)] * 50)
    assert state.level == "auto"
    assert state.e_value < 1.0
    assert state.expired


def test_errors_warn_then_brake_and_the_brake_stays() -> None:
    state = brake.start(alpha=0.02, delta=0.05, lifetime=400)
    seen = []
    while state.level != "braked":
        state = update(state, True)
        seen.append(state.level)
    assert seen[0] == "auto"
    assert "warned" in seen
    assert state.e_value >= 1 / 0.05
    assert state.braked_at == len(seen)
    after = replay(state, [(False, 1.0)] * 2000)
    assert after.level == "braked"
    assert after.braked_at == state.braked_at


def test_a_warning_ends_under_one_half() -> None:
    state = brake.start(alpha=0.05, delta=0.05, lifetime=300)
    while state.level == "auto":
        state = update(state, True)
    assert state.e_value >= 1
    levels = {}
    while state.level == "warned":
        state = update(state, False)
        levels[state.level] = state.e_value
    assert levels["warned"] >= 0.5 > levels["auto"]


def test_after_the_lifetime_nothing_new_is_watched() -> None:
    state = replay(brake.start(alpha=0.05, lifetime=10), [(False, 1.0)] * 10)
    assert state.expired
    after = update(state, False)
    assert after.wealths == pytest.approx([r * (1 - b * 0.05) for r, b in zip(state.wealths, state.bets, strict=True)])


def test_reviewer_error_raises_the_null() -> None:
    plain, careful = brake.start(alpha=0.02), brake.start(alpha=0.02, reviewer_error=0.01)
    assert careful.null == pytest.approx(0.02 + 0.98 * 0.01)
    assert update(careful, True).e_value < update(plain, True).e_value


def test_large_levels_and_small_probabilities_keep_wealth_positive() -> None:
    state = replay(brake.start(alpha=0.4, lifetime=100, reviewer_error=0.1), [(False, 0.01)] * 100)
    assert all(wealth > 0 for wealth in state.wealths)


def test_wealth_stays_a_json_number_whatever_happens() -> None:
    state = replay(brake.start(alpha=0.01, lifetime=100), [(True, 0.01)] * 2000)
    assert json.loads(json.dumps(state.to_dict(), allow_nan=False))["braked"] is True


def test_state_survives_json_bit_for_bit_at_any_moment() -> None:
    rng = np.random.default_rng(1)
    audits = [(bool(rng.random() < 0.1), float(rng.uniform(0.3, 2))) for _ in range(200)]
    straight = replay(brake.start(alpha=0.05, lifetime=150), audits)
    state = brake.start(alpha=0.05, lifetime=150)
    for audit in audits:
        state = BrakeState.from_dict(json.loads(json.dumps(state.to_dict())))
        state = update(state, *audit)
    assert state == straight


def test_open_verdicts_never_brake_too_early() -> None:
    known = [(True, 1.0)] * 12
    waiting = [(wrong and i % 2 == 0, q) for i, (wrong, q) in enumerate(known)]
    new = brake.start(alpha=0.02, delta=0.05, lifetime=100)
    for n in range(13):
        assert replay(new, waiting[:n]).e_value <= replay(new, known[:n]).e_value
    assert replay(new, known).level == "braked"


@pytest.mark.parametrize(
    "wrong",
    [{"alpha": 0.0}, {"alpha": 1.0}, {"delta": 0.0}, {"lifetime": 0}, {"reviewer_error": 1.0}, {"least_q": 0.0}],
)
def test_bad_settings_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BrakeInvalid):
        brake.start(**({"alpha": 0.05} | wrong))


@pytest.mark.parametrize("q", [0.0, -1.0, float("nan"), float("inf")])
def test_bad_probabilities_are_refused(q: float) -> None:
    with pytest.raises(BrakeInvalid):
        update(brake.start(alpha=0.05), False, q)
    with pytest.raises(BrakeInvalid):
        estimate([(False, q), (True, 0.5)])


def test_a_state_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        brake.start(alpha=0.05).audits = 3  # type: ignore[misc]


def test_uniform_audits_get_the_exact_interval() -> None:
    found = estimate([(True, 0.1)] * 3 + [(False, 0.1)] * 97, level=0.9)
    exact = clopper_pearson(3, 100, 0.9)
    assert (found.value, found.low, found.high) == (exact.value, exact.low, exact.high)
    assert (found.method, found.n) == ("clopper-pearson", 100)
    assert (estimate([]).low, estimate([]).high, estimate([]).n) == (0.0, 1.0, 0)


def test_unequal_probabilities_weigh_by_their_inverse() -> None:
    found = estimate([(True, 0.5), (False, 0.5), (False, 0.1), (False, 0.1)])
    assert found.method == "betting"
    assert found.value == pytest.approx(2 / (2 + 2 + 10 + 10))
    assert 0.0 <= found.low <= found.value <= found.high <= 1.0
    assert json.dumps(found.to_dict(), allow_nan=False)


def test_the_estimate_narrows_with_audits() -> None:
    rng = np.random.default_rng(0)

    def width(n: int) -> float:
        audits = [(bool(rng.random() < 0.05), float(rng.choice([0.05, 0.2]))) for _ in range(n)]
        found = estimate(audits)
        return found.high - found.low

    assert width(2000) < 0.5 * width(100) < 0.1


def test_the_terms_of_a_draw_by_hand() -> None:
    state = brake.start(alpha=0.02, lifetime=100)
    first = update(state, True, Draw(0.05, 0.1, control=0.01))
    drawn = Draw(0.2, 0.1, control=0.04, idle={"": (0.5, 0.01)})
    second = update(first, False, drawn)
    for bet, one, two in zip(BETS, first.wealths, second.wealths, strict=True):
        assert one == pytest.approx(1 + bet * (0.1 * (0.01 - 0.02) + (1 - 0.01) / 0.5))
        idle = np.exp(bet * 0.5 - bet**2 * 0.01)
        assert two == pytest.approx((one * idle + 1) * (1 + bet * (0.1 * (0.04 - 0.02) - 0.04 / 2.0)))


def grouped() -> BrakeState:
    return brake.start(alpha=0.02, lifetime=100, group_levels={"a": 0.02, "b": 0.05}, reviewer_error=0.01)


def test_a_group_moves_by_its_own_audits_alone() -> None:
    state = grouped()
    after = update(state, True, Draw(0.05, 0.1, group="b", mean_q=0.8, idle={"a": (0.1, 0.01)}))
    a, b = after.groups
    assert (a.audits, a.wealths, b.audits, b.wrong) == (0, (0.0,) * 5, 1, 1)
    null = 0.05 + 0.95 * 0.01
    gain = null * 0.1 * (0.5 - 0.8) + (0.8 / 0.5 - null)
    assert b.wealths == pytest.approx([1 + bet * gain for bet in b.bets])
    assert after.e_value == pytest.approx((after.evidence + b.evidence) / 200)
    again = update(after, False, Draw(0.1, 0.1, group="nobody", idle={"b": (-0.2, 0.01)}))
    assert again.groups[1].wealths == pytest.approx(
        [wealth * np.exp(-0.2 * bet - 0.01 * bet**2) for wealth, bet in zip(b.wealths, b.bets, strict=True)]
    )


def test_the_group_that_holds_the_evidence_is_named_alone() -> None:
    state = grouped()
    while not state.braked:
        state = update(state, False, Draw(0.1, 0.1, group="a"))
        state = update(state, True, Draw(0.1, 0.1, group="b")) if state.audits < 80 else state
    assert state.named == ("b",)
    plain = replay(brake.start(alpha=0.02, lifetime=100), [(True, 1.0)] * 20)
    assert (plain.braked, plain.named, plain.only_groups) == (True, (), ())


def test_groups_survive_json() -> None:
    state = replay(
        grouped(), [(place % 3 == 0, Draw(0.1, 0.1, group="ab"[place % 2], risk=0.02)) for place in range(9)]
    )
    assert BrakeState.from_dict(json.loads(json.dumps(state.to_dict(), allow_nan=False))) == state


def test_audits_teach_where_to_look_and_the_lesson_fades() -> None:
    state = replay(brake.start(alpha=0.02), [(True, Draw(0.1, 0.1, group="x", risk=0.02))] * 6)
    assert state.multipliers["x"] > 3
    state = replay(state, [(False, Draw(0.1, 0.1, group="y", risk=0.02))] * 3000)
    assert state.multipliers["x"] == pytest.approx(1.0)
    assert 0.3 * 0.8 <= state.multipliers["y"] < 1.0


def test_a_control_value_that_could_empty_a_wealth_is_refused() -> None:
    with pytest.raises(BrakeInvalid):
        update(brake.start(alpha=0.02), False, Draw(0.03, 0.1, control=0.5))


@pytest.mark.parametrize("lost", [-0.1, 1.1, float("nan")])
def test_a_loss_lies_between_right_and_wrong(lost: float) -> None:
    with pytest.raises(BrakeInvalid, match="A loss of"):
        update(brake.start(alpha=0.05), lost)


def test_a_loss_moves_the_evidence_between_right_and_wrong_in_proportion() -> None:
    before = update(brake.start(alpha=0.05), True)
    right, quarter, wrong = (update(before, lost) for lost in (0.0, 0.25, 1.0))
    for low, at, high in zip(right.wealths, quarter.wealths, wrong.wealths, strict=True):
        assert at == pytest.approx(low + 0.25 * (high - low))
    assert (right.wrong, quarter.wrong, wrong.wrong) == (1, 2, 2)
