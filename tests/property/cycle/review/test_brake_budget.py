"""The brake's budget, by simulation: few false brakes at the limit, doublings found. The controls must break."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from handrail.cycle.review import brake
from handrail.cycle.review.audit_draw import AuditPlan
from handrail.cycle.review.audit_terms import Draw
from handrail.cycle.review.detector import idle_gain, idle_group_gain
from handrail.cycle.review.error_estimate import estimate

ALPHA, DELTA, LIFETIME, STREAMS = 0.05, 0.1, 400, 400
SLACK = 3 * (DELTA * (1 - DELTA) / STREAMS) ** 0.5

Stream = Callable[[np.random.Generator], list[tuple[bool, Draw | float]]]


def uniform(error: float, audits: int = LIFETIME) -> Stream:
    return lambda rng: [(bool(wrong), 1.0) for wrong in rng.random(audits) < error]


def risk(scores: np.ndarray) -> np.ndarray:
    return 0.4 * np.exp(-6 * scores)


def planned(*, above: float = 0.0, backwards: bool = False, factor: float = 1.0) -> Stream:
    """Audit by a plan from the training curve; the error over the traffic (scores over `above`) is factor * alpha."""
    scores = np.random.default_rng(3).random(3000)
    errors = np.random.default_rng(4).random(3000) < risk(1 - scores if backwards else scores)
    plan = AuditPlan.from_training(scores, errors, recent_scores=scores, rate=0.1, null=ALPHA)
    traffic = np.linspace(above, 1, 2001)
    true = risk(traffic)
    true = np.minimum(1.0, true * factor * ALPHA / true.mean())
    draws = [plan.draw(float(score)) for score in traffic]
    chance = np.array([one.probability for one in draws])
    gains = np.array([idle_gain(one.control, one.rate, ALPHA) for one in draws])

    def draw(rng: np.random.Generator) -> list[tuple[bool, Draw | float]]:
        # Decision by decision: what is not audited reaches the brake through its sums.
        found: list[tuple[bool, Draw | float]] = []
        while len(found) < LIFETIME:
            at = rng.integers(len(traffic), size=20 * LIFETIME)
            audited = np.flatnonzero(rng.random(len(at)) < chance[at])
            wrong = rng.random(len(audited)) < true[at[audited]]
            idle = gains[at]
            idle[audited] = 0.0
            sums, squares = idle.cumsum(), (idle**2).cumsum()
            sums, squares = np.diff(sums[audited], prepend=0.0), np.diff(squares[audited], prepend=0.0)
            found += [
                (bool(bad), replace(draws[at[i]], idle={"": (float(s), float(q))}))
                for bad, i, s, q in zip(wrong, audited, sums, squares, strict=True)
            ]
        return found[:LIFETIME]

    return draw


def braked(stream: Stream, seed: int, reviewer_error: float = 0.0, streams: int = STREAMS) -> np.ndarray:
    """Return the audit at which each stream brakes, 0 for never."""
    new = brake.start(alpha=ALPHA, delta=DELTA, lifetime=LIFETIME, reviewer_error=reviewer_error)
    found = [brake.replay(new, stream(np.random.default_rng([seed, k]))).braked_at for k in range(streams)]
    return np.array([at or 0 for at in found])


@pytest.mark.parametrize(
    "stream",
    [uniform(ALPHA), planned(), planned(above=0.6), planned(backwards=True)],
    ids=["uniform", "planned", "traffic-moved", "risk-upside-down"],
)
def test_false_brakes_stay_in_budget_at_the_limit(stream: Stream) -> None:
    assert (braked(stream, 1) > 0).mean() <= DELTA + SLACK


def test_a_bet_that_trusts_the_traffic_fails_when_it_moves() -> None:
    """Negative control: wrong / q - alpha needs the mean of q to stay 1. This is why the brake bets otherwise."""
    stream, false = planned(above=0.6), 0
    for k in range(60):
        wealth, worst = np.zeros(3), 0.0
        for wrong, q in stream(np.random.default_rng([2, k])):
            assert isinstance(q, Draw)
            wealth = (wealth + 1) * (1 + np.array(brake.BETS) * (wrong / q.q - ALPHA))
            worst = max(worst, float(wealth @ brake.SHARES))
        false += worst >= LIFETIME / DELTA
    assert false / 60 > 0.5


@pytest.mark.parametrize("stream", [uniform(2 * ALPHA), planned(factor=2.0)], ids=["uniform", "planned"])
def test_a_doubled_error_is_found(stream: Stream) -> None:
    at = braked(stream, 5, streams=150)
    assert (at > 0).mean() > 0.85
    assert np.median(at[at > 0]) < 200


def test_a_change_in_mid_life_is_found() -> None:
    def change(rng: np.random.Generator) -> list[tuple[bool, Draw | float]]:
        return uniform(0.3 * ALPHA, 200)(rng) + uniform(3 * ALPHA, 200)(rng)

    at = braked(change, 6, streams=150)
    assert (at > 0).mean() > 0.9
    assert (at[at > 0] > 200).mean() > 0.97
    assert np.median(at[at > 0]) < 300


def test_planned_audits_find_it_sooner() -> None:
    even, aimed = braked(uniform(2 * ALPHA), 7, streams=200), braked(planned(factor=2.0), 7, streams=200)
    never = LIFETIME + 1
    assert np.median(np.where(aimed > 0, aimed, never)) < np.median(np.where(even > 0, even, never))


def test_a_window_tested_at_every_step_cries_wolf() -> None:
    """Negative control: what dashboards do. If it passed, the streams would test nothing."""
    from scipy.stats import binom

    limit = binom.isf(0.05, 50, ALPHA)  # more than this among 50 has p < 5 %
    rng = np.random.default_rng(8)
    wrong = (rng.random((STREAMS, LIFETIME)) < ALPHA).cumsum(axis=1)
    window = wrong[:, 50:] - wrong[:, :-50]
    assert (window > limit).any(axis=1).mean() > 0.3


def test_reviewers_who_err_need_the_corrected_null() -> None:
    stream = uniform(ALPHA + (1 - ALPHA) * 0.03)
    assert (braked(stream, 9, streams=200) > 0).mean() > DELTA + 2 * SLACK
    assert (braked(stream, 9, reviewer_error=0.03) > 0).mean() <= DELTA + SLACK


@pytest.mark.parametrize("n", [60, 300])
def test_the_estimate_covers(n: int) -> None:
    """Both intervals hold at small n; the normal interval for weighted means does not (control)."""
    rng = np.random.default_rng(10)
    chances = np.array([0.03, 0.1, 0.2])
    mix, true = np.array([0.6, 0.3, 0.1]), np.array([0.01, 0.05, 0.25])
    error = float(mix @ true)
    audited = mix * chances / (mix @ chances)
    inside, normal = [], []
    for _ in range(300):
        at = rng.choice(3, n, p=audited)
        wrong = rng.random(n) < true[at]
        found = estimate([(bool(w), float(chances[i])) for w, i in zip(wrong, at, strict=True)])
        inside.append(found.low <= error <= found.high)
        spread = 1.96 * np.sqrt((((wrong - found.value) / chances[at]) ** 2).sum()) / (1 / chances[at]).sum()
        normal.append(abs(found.value - error) <= spread)
    assert np.mean(inside) >= 0.95 - 3 * (0.95 * 0.05 / 300) ** 0.5
    if n == 60:
        assert np.mean(normal) < 0.92


LEVELS = {"a": ALPHA, "b": 2 * ALPHA, "c": ALPHA}
SHARES = (0.6, 0.1, 0.3)
ERROR = 0.6 * ALPHA + 0.1 * 2 * ALPHA + 0.3 * ALPHA


def in_groups(errors: tuple[float, float, float], *, mean_q: float = 1.0) -> Stream:
    """Audit three certified groups unevenly; a wrong `mean_q` is made up for by the sums between the audits."""
    rate, q = 0.1, np.array([0.5, 2.0])  # half of each group is audited little, half much

    def draw(rng: np.random.Generator) -> list[tuple[bool, Draw | float]]:
        found: list[tuple[bool, Draw | float]] = []
        idle = {name: [0.0, 0.0] for name in LEVELS}
        while len(found) < LIFETIME:
            for group, half, drawn, wrong in zip(
                rng.choice(3, 500, p=SHARES), rng.integers(2, size=500), rng.random(500), rng.random(500), strict=True
            ):
                name = "abc"[group]
                if drawn >= rate * q[half]:
                    gain = float(idle_group_gain(rate * q[half], mean_q, rate, LEVELS[name]))
                    idle[name][0] += gain
                    idle[name][1] += gain * gain
                    continue
                sums = {key: (one[0], one[1]) for key, one in idle.items()}
                bad = bool(wrong < errors[group])
                found.append((bad, Draw(float(rate * q[half]), rate, group=name, mean_q=mean_q, idle=sums)))
                idle = {name: [0.0, 0.0] for name in LEVELS}
        return found[:LIFETIME]

    return draw


def group_brakes(stream: Stream, seed: int, streams: int) -> list[brake.BrakeState]:
    new = brake.start(alpha=ERROR, delta=DELTA, lifetime=LIFETIME, group_levels=LEVELS)
    return [brake.replay(new, stream(np.random.default_rng([seed, k]))) for k in range(streams)]


@pytest.mark.parametrize("mean_q", [1.25, 0.7, 2.0], ids=["known", "too-low", "too-high"])
def test_groups_at_their_levels_brake_within_the_budget_even_when_the_mean_weight_is_wrong(mean_q: float) -> None:
    found = group_brakes(in_groups((ALPHA, 2 * ALPHA, ALPHA), mean_q=mean_q), 11, 150)
    slack = 3 * (DELTA * (1 - DELTA) / 150) ** 0.5
    assert np.mean([one.braked for one in found]) <= DELTA + slack
    assert np.mean([bool(one.named) for one in found]) <= DELTA + slack


def test_a_small_group_gone_bad_is_found_and_named() -> None:
    found = group_brakes(in_groups((ALPHA, 16 * ALPHA, ALPHA), mean_q=1.25), 12, 40)
    assert np.mean([one.braked for one in found]) > 0.9
    named = [one.named for one in found if one.named]
    assert len(named) > 20
    assert set(named) == {("b",)}
