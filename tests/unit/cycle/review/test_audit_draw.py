"""The audit plan: probabilities follow the risk, average the rate, and stay away from zero and above one."""

import json

import numpy as np
import pytest

from handrail.cycle.review.audit_draw import AuditPlan, AuditPlanInvalid, probability, weight


def training(n: int = 400, seed: int = 0) -> tuple[list[float], list[float]]:
    rng = np.random.default_rng(seed)
    scores = rng.random(n)
    return scores.tolist(), (rng.random(n) < 0.4 * np.exp(-5 * scores)).astype(float).tolist()


RECENT = np.random.default_rng(5).random(500).tolist()


def make(rate: float = 0.1, phi: float = 0.3) -> AuditPlan:
    return AuditPlan.from_training(*training(), recent_scores=RECENT, rate=rate, phi=phi)


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.24, 0.3, 0.6, 1.0])
def test_the_mean_probability_is_the_rate(rate: float) -> None:
    plan = make(rate)
    chances = [probability(plan, score) for score in RECENT]
    assert np.mean(chances) == pytest.approx(rate)
    assert min(chances) > 0
    assert max(chances) <= 1


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.25, 0.5, 0.9])
def test_a_warning_multiplies_every_probability_alike(rate: float) -> None:
    """So an item's weight is its relative probability whether or not a warning was on."""
    plan = make(rate)
    raised = min(1.0, 4 * rate)
    for score in RECENT[:50]:
        assert probability(plan.at_rate(raised), score) == pytest.approx(raised * weight(plan, score))
        assert probability(plan.at_rate(raised), score) <= 1.0


def test_surer_items_are_audited_less_but_never_under_the_floor() -> None:
    plan = make()
    chances = [probability(plan, score) for score in np.linspace(0, 1, 50)]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > 2 * chances[-1]
    assert chances[-1] >= 0.3 * plan.rate


def test_the_risk_table_is_isotonic_and_follows_the_square_root() -> None:
    plan = make()
    assert list(plan.edges) == sorted(plan.edges)
    assert list(plan.risks) == sorted(plan.risks, reverse=True)
    assert len(plan.risks) == len(plan.weights) == len(plan.edges) + 1
    scale = np.mean([plan.risks[np.searchsorted(plan.edges, s, side="right")] ** 0.5 for s in RECENT])
    assert plan.weights == pytest.approx([0.3 + 0.7 * risk**0.5 / scale for risk in plan.risks], rel=1e-6)


def test_an_edge_belongs_to_the_surer_side() -> None:
    plan = AuditPlan.from_training([0.2, 0.2, 0.8, 0.8], [1, 1, 0, 0], recent_scores=[0.2, 0.8], rate=0.1)
    assert plan.edges == (0.8,)
    assert probability(plan, 0.8) < probability(plan, 0.8 - 1e-12)


def test_uniform_audits() -> None:
    assert make(phi=1.0).weights == pytest.approx([1.0] * len(make().risks))
    spotless = AuditPlan.from_training([0.5, 0.9], [0, 0], recent_scores=[0.7], rate=0.2)
    assert probability(spotless, 0.6) == pytest.approx(0.2)


def test_a_plan_survives_json() -> None:
    plan = make()
    assert AuditPlan.from_dict(json.loads(json.dumps(plan.to_dict(), allow_nan=False))) == plan


def test_numpy_arrays_make_a_plan_of_plain_numbers() -> None:
    scores, errors = training()
    plan = AuditPlan.from_training(np.array(scores), np.array(errors), recent_scores=np.array(RECENT), rate=0.1)
    assert plan == make()
    json.dumps(plan.to_dict())


@pytest.mark.parametrize("wrong", [{"rate": 0.0}, {"rate": 1.1}, {"phi": 0.0}, {"recent_scores": []}])
def test_bad_input_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(AuditPlanInvalid):
        AuditPlan.from_training(*training(), **({"recent_scores": RECENT, "rate": 0.1} | wrong))
    with pytest.raises(AuditPlanInvalid):
        make().at_rate(2.0)
