"""The brake, the estimate and the interval on losses between 0 and 1, by simulation. The controls must break."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from handrail.cycle.review import brake
from handrail.cycle.review.audit_draw import AuditPlan
from handrail.cycle.review.audit_terms import Draw
from handrail.cycle.review.detector import idle_gain
from handrail.cycle.review.error_estimate import estimate
from handrail.cycle.review.interval import block_error

ALPHA, DELTA, LIFETIME, STREAMS = 0.05, 0.1, 300, 300
SLACK = 3 * (DELTA * (1 - DELTA) / STREAMS) ** 0.5

Law = Callable[[np.random.Generator, np.ndarray], np.ndarray]
Audits = list[tuple[float, Draw]]


def cheap(rng: np.random.Generator, mean: np.ndarray) -> np.ndarray:
    """A quarter, four times as often."""
    return 0.25 * (rng.random(len(mean)) < 4 * mean)


def priced(rng: np.random.Generator, mean: np.ndarray) -> np.ndarray:
    """Of the mean, half in mistakes that cost 1 and half in mistakes that cost 0.2."""
    lot = rng.random(len(mean))
    return np.where(lot < mean / 2, 1.0, np.where(lot < mean / 2 + 2.5 * mean, 0.2, 0.0))


def spread(rng: np.random.Generator, mean: np.ndarray) -> np.ndarray:
    """Any cost between 0 and 1."""
    return np.minimum(rng.beta(0.5, 0.5 * (1 - mean) / mean), 1.0)


LAWS = {"cheap": cheap, "priced": priced, "spread": spread}


def uniform(law: Law, factor: float, rng: np.random.Generator) -> Audits:
    return [(float(x), Draw(1.0)) for x in law(rng, np.full(LIFETIME, factor * ALPHA))]


def planned(law: Law, factor: float, rng: np.random.Generator) -> Audits:
    """Audit by a plan that was fitted to losses; what is not audited reaches the brake through its sums."""
    scores = np.random.default_rng(3).random(2000)
    risk = 0.2 * np.exp(-6 * scores)
    lost = law(np.random.default_rng(4), risk)
    plan = AuditPlan.from_training(scores, lost, recent_scores=scores, rate=0.1, null=ALPHA)
    traffic = np.linspace(0, 1, 1001)
    true = 0.2 * np.exp(-6 * traffic)
    true *= factor * ALPHA / true.mean()
    draws = [plan.draw(float(score)) for score in traffic]
    chance = np.array([one.probability for one in draws])
    gains = np.array([idle_gain(one.control, one.rate, ALPHA) for one in draws])
    found: Audits = []
    while len(found) < LIFETIME:
        at = rng.integers(len(traffic), size=20 * LIFETIME)
        audited = np.flatnonzero(rng.random(len(at)) < chance[at])
        idle = gains[at]
        idle[audited] = 0.0
        sums = np.diff(idle.cumsum()[audited], prepend=0.0)
        squares = np.diff((idle**2).cumsum()[audited], prepend=0.0)
        found += [
            (float(x), replace(draws[i], idle={"": (float(s), float(q))}))
            for x, i, s, q in zip(law(rng, true[at[audited]]), at[audited], sums, squares, strict=True)
        ]
    return found[:LIFETIME]


def braked(
    stream: Callable[[Law, float, np.random.Generator], Audits],
    law: Law,
    factor: float,
    *,
    streams: int = STREAMS,
    seen_as: Callable[[float], float] = float,
) -> float:
    """Return the share of streams whose brake acts, when it sees each loss as `seen_as` says."""
    new, acted = brake.start(alpha=ALPHA, delta=DELTA, lifetime=LIFETIME), 0
    for k in range(streams):
        audits = stream(law, factor, np.random.default_rng([len(law.__name__), k]))
        acted += brake.replay(new, [(seen_as(x), draw) for x, draw in audits]).braked
    return acted / streams


@pytest.mark.parametrize("stream", [uniform, planned])
@pytest.mark.parametrize("law", list(LAWS))
def test_false_brakes_stay_in_budget_at_the_limit(law: str, stream: Callable[..., Audits]) -> None:
    assert braked(stream, LAWS[law], 1.0) <= DELTA + SLACK


@pytest.mark.parametrize("law", list(LAWS))
def test_a_doubled_mean_loss_is_found(law: str) -> None:
    assert braked(planned, LAWS[law], 2.0, streams=100) > 0.8


@pytest.mark.parametrize("law", list(LAWS))
def test_groups_share_the_budget_on_losses_too(law: str) -> None:
    new = brake.start(alpha=ALPHA, delta=DELTA, lifetime=LIFETIME, group_levels={"a": ALPHA, "b": ALPHA})
    acted = 0
    for k in range(STREAMS):
        rng = np.random.default_rng([9, len(law), k])
        groups = rng.choice(["a", "b"], LIFETIME)
        lost = LAWS[law](rng, np.full(LIFETIME, ALPHA))
        draws = [Draw(1.0, group=str(group)) for group in groups]
        acted += brake.replay(new, [(float(x), draw) for x, draw in zip(lost, draws, strict=True)]).braked
    assert acted / STREAMS <= DELTA + SLACK


def test_counting_each_cheap_mistake_whole_cries_wolf() -> None:
    """Negative control: a brake that only knows right and wrong stops what keeps its promise."""
    assert braked(uniform, cheap, 1.0, streams=60, seen_as=lambda x: float(x > 0)) > 0.9


def test_counting_cheap_mistakes_as_none_sees_nothing() -> None:
    """Negative control: four times the promised mean loss goes by unseen."""
    assert braked(uniform, cheap, 4.0, streams=60) == 1.0
    assert braked(uniform, cheap, 4.0, streams=60, seen_as=lambda x: x if x > 0.5 else 0.0) == 0.0


@dataclass(frozen=True)
class Audit:
    draw: Draw
    wrong: float | None


@pytest.mark.parametrize("law", list(LAWS))
@pytest.mark.parametrize("n", [60, 300])
def test_the_estimate_covers_the_mean_loss(law: str, n: int) -> None:
    rng = np.random.default_rng([n, len(law)])
    chances, mix, true = np.array([0.03, 0.1, 0.2]), np.array([0.6, 0.3, 0.1]), np.array([0.01, 0.05, 0.15])
    mean, drawn = float(mix @ true), mix * chances / (mix @ chances)
    inside = []
    for _ in range(200):
        at = rng.choice(3, n, p=drawn)
        lost = LAWS[law](rng, true[at])
        found = estimate([(float(x), float(chances[i])) for x, i in zip(lost, at, strict=True)], exact=False)
        inside.append(found.low <= mean <= found.high)
    assert np.mean(inside) >= 0.95 - 3 * (0.95 * 0.05 / 200) ** 0.5


@pytest.mark.parametrize("law", list(LAWS))
def test_the_interval_of_a_block_covers_the_mean_loss(law: str) -> None:
    level, streams, inside, narrow = 0.8, 60, 0, 0
    state = brake.start(alpha=ALPHA, lifetime=500)
    for k in range(streams):
        audits = planned(LAWS[law], 1.0, np.random.default_rng([7, len(law), k]))
        found = block_error(state, [Audit(draw, x) for x, draw in audits], level=level)
        inside += found.low <= ALPHA <= found.high
        narrow += found.high < 0.12
        weights = [1 / draw.q for _, draw in audits]
        assert found.value == pytest.approx(
            sum(w * x for w, (x, _) in zip(weights, audits, strict=True)) / sum(weights)
        )
    assert inside / streams >= level - 3 * (level * (1 - level) / streams) ** 0.5
    assert narrow > 0, "an interval that says nothing would cover too"
