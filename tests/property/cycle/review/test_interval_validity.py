"""The interval of a block covers its mean error, also where the error drifts inside it. The control must miss it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from handrail.cycle.review import brake
from handrail.cycle.review.audit_draw import AuditPlan
from handrail.cycle.review.audit_terms import Draw
from handrail.cycle.review.detector import idle_gain
from handrail.cycle.review.interval import block_error

ALPHA, LEVEL, AUDITS, STREAMS = 0.05, 0.8, 200, 100
# One block in a lifetime, at a low level: a rule that is wrong by half shows in few streams.
STATE = brake.start(alpha=ALPHA, lifetime=500)
SLACK = 3 * (LEVEL * (1 - LEVEL) / STREAMS) ** 0.5

Errors = Callable[[int], float]


@dataclass(frozen=True)
class Audit:
    draw: Draw
    wrong: bool | None


def steady(factor: float) -> Errors:
    return lambda place: factor * ALPHA


def early(place: int) -> float:
    return 2 * ALPHA if place < AUDITS // 2 else 0.0


def late(place: int) -> float:
    return 0.0 if place < AUDITS // 2 else 2 * ALPHA


def uniform(error: Errors, rng: np.random.Generator) -> list[Audit]:
    return [Audit(Draw(0.1, 0.1), bool(rng.random() < error(place))) for place in range(AUDITS)]


def planned(error: Errors, rng: np.random.Generator, *, backwards: bool = False) -> list[Audit]:
    """Decision by decision under a plan, about a tenth of them audited; the plan may be upside down."""
    scores = np.linspace(0.0, 1.0, 501)
    risk = 0.4 * np.exp(-6 * scores)
    fitted = np.random.default_rng(4).random(501) < (risk[::-1] if backwards else risk)
    plan = AuditPlan.from_training(scores, fitted, recent_scores=scores, rate=0.1, null=ALPHA)
    draws = [plan.draw(float(score)) for score in scores]
    chance = np.array([one.probability for one in draws])
    gains = np.array([idle_gain(one.control, one.rate, ALPHA) for one in draws])
    at = rng.integers(501, size=20 * AUDITS)
    audited = np.flatnonzero(rng.random(len(at)) < chance[at])[:AUDITS]
    assert len(audited) == AUDITS
    idle = gains[at]
    idle[audited] = 0.0
    sums, squares = idle.cumsum(), (idle**2).cumsum()
    sums, squares = np.diff(sums[audited], prepend=0.0), np.diff(squares[audited], prepend=0.0)
    errors = np.array([error(place) for place in range(AUDITS)])
    wrong = rng.random(AUDITS) < np.minimum(1.0, risk[at[audited]] * errors / risk.mean())
    return [
        Audit(replace(draws[i], idle={"": (float(s), float(q))}), bool(bad))
        for i, s, q, bad in zip(at[audited], sums, squares, wrong, strict=True)
    ]


def covered(draw: Callable[[Errors, np.random.Generator], list[Audit]], error: Errors, seed: int) -> float:
    mean = sum(error(place) for place in range(AUDITS)) / AUDITS
    found = [block_error(STATE, draw(error, np.random.default_rng([seed, k])), level=LEVEL) for k in range(STREAMS)]
    return float(np.mean([one.low <= mean <= one.high for one in found]))


@pytest.mark.parametrize("error", [steady(0.4), steady(1.0), steady(2.0), early, late])
def test_uniform_audits_cover(error: Errors) -> None:
    assert covered(uniform, error, 1) >= LEVEL - SLACK


@pytest.mark.parametrize("error", [steady(1.0), early, late])
@pytest.mark.parametrize("backwards", [False, True], ids=["right-risk", "upside-down"])
def test_planned_audits_cover_whatever_the_risk_model_says(error: Errors, backwards: bool) -> None:
    assert covered(lambda e, rng: planned(e, rng, backwards=backwards), error, 2) >= LEVEL - SLACK


def test_the_highest_wealth_ever_would_miss_a_mean_that_drifts() -> None:
    """Negative control: refuting at any moment speaks about the block so far, not about its mean."""
    mean, missed = ALPHA, 0
    for k in range(60):
        audits = uniform(early, np.random.default_rng([3, k]))
        lows = [block_error(STATE, audits[:n], level=LEVEL).low for n in range(20, AUDITS + 1, 20)]
        missed += max(lows) > mean
    assert missed / 60 > 1 - LEVEL + 0.1


def test_reviewers_who_err_are_corrected_for_and_ignoring_them_misses() -> None:
    wrongly, missing, mean = 0.10, 0.3, ALPHA
    said = mean * (1 - missing) + (1 - mean) * wrongly
    trusting, careful, naive = brake.start(alpha=ALPHA, lifetime=500, reviewer_error=wrongly), 0, 0
    for k in range(STREAMS):
        audits = uniform(lambda place: said, np.random.default_rng([4, k]))
        found = block_error(trusting, audits, level=LEVEL, missed=missing)
        careful += found.low <= mean <= found.high
        plain = block_error(STATE, audits, level=LEVEL)
        naive += plain.low <= mean <= plain.high
    assert careful / STREAMS >= LEVEL - SLACK
    assert naive / STREAMS < LEVEL - 0.2


def test_it_narrows_and_finds_a_change() -> None:
    wide = block_error(STATE, uniform(steady(1.0), np.random.default_rng(5))[:60], level=0.95)
    narrow = block_error(STATE, uniform(steady(1.0), np.random.default_rng(5)), level=0.95)
    assert narrow.high - narrow.low < wide.high - wide.low
    tripled = [block_error(STATE, uniform(steady(3.0), np.random.default_rng([6, k]))).low for k in range(40)]
    assert np.mean(np.array(tripled) > ALPHA) > 0.8
