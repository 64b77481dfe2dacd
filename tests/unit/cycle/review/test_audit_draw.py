"""The audit plan: probabilities follow the risk, average the rate, and stay away from zero and above one."""

import json

import numpy as np
import pytest

from handrail.cycle.review.audit_draw import AuditPlan, AuditPlanInvalid, group_of, probability
from handrail.cycle.review.audit_terms import EVERYWHERE


def training(n: int = 400, seed: int = 0) -> tuple[list[float], list[float]]:
    rng = np.random.default_rng(seed)
    scores = rng.random(n)
    return scores.tolist(), (rng.random(n) < 0.4 * np.exp(-5 * scores)).astype(float).tolist()


RECENT = np.random.default_rng(5).random(500).tolist()


def make(rate: float = 0.1, phi: float = 0.3) -> AuditPlan:
    return AuditPlan.from_training(*training(), recent_scores=RECENT, rate=rate, null=0.05, phi=phi)


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.24, 0.3, 0.6, 1.0])
def test_the_mean_probability_is_the_rate(rate: float) -> None:
    plan = make(rate)
    chances = [probability(plan, score) for score in RECENT]
    assert np.mean(chances) == pytest.approx(rate)
    assert min(chances) > 0
    assert max(chances) <= 1


@pytest.mark.parametrize("rate", [0.02, 0.1])
def test_a_warning_multiplies_every_probability_alike(rate: float) -> None:
    plan = make(rate)
    for score in RECENT[:50]:
        assert probability(plan.at_rate(2 * rate), score) == pytest.approx(2 * probability(plan, score))


def test_at_a_high_rate_the_draw_becomes_even_before_a_probability_is_cut() -> None:
    assert all(probability(make(1.0), score) == 1.0 for score in RECENT)
    chances = [probability(make(0.6), score) for score in RECENT]
    assert min(chances) < 0.6 < max(chances) <= 1.0


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
    assert len(plan.risks) == len(plan.edges) + 1
    scale = np.mean([plan.risks[np.searchsorted(plan.edges, s, side="right")] ** 0.5 for s in RECENT])
    assert [plan.draw(s).q for s in RECENT[:60]] == pytest.approx(
        [0.3 + 0.7 * plan.risks[np.searchsorted(plan.edges, s, side="right")] ** 0.5 / scale for s in RECENT[:60]]
    )


def test_an_edge_belongs_to_the_surer_side() -> None:
    plan = AuditPlan.from_training([0.2, 0.2, 0.8, 0.8], [1, 1, 0, 0], recent_scores=[0.2, 0.8], rate=0.1, null=0.05)
    assert plan.edges == (0.8,)
    assert probability(plan, 0.8) < probability(plan, 0.8 - 1e-12)


def test_uniform_audits() -> None:
    assert [make(phi=1.0).draw(score).q for score in RECENT[:20]] == pytest.approx([1.0] * 20)
    spotless = AuditPlan.from_training([0.5, 0.9], [0, 0], recent_scores=[0.7], rate=0.2, null=0.05)
    assert probability(spotless, 0.6) == pytest.approx(0.2)


def test_a_plan_survives_json() -> None:
    plan = make()
    assert AuditPlan.from_dict(json.loads(json.dumps(plan.to_dict(), allow_nan=False))) == plan


def test_numpy_arrays_make_a_plan_of_plain_numbers() -> None:
    scores, errors = training()
    plan = AuditPlan.from_training(
        np.array(scores), np.array(errors), recent_scores=np.array(RECENT), rate=0.1, null=0.05
    )
    assert plan == make()
    json.dumps(plan.to_dict())


@pytest.mark.parametrize(
    "wrong",
    [{"rate": 0.0}, {"rate": 1.1}, {"phi": 0.0}, {"null": 1.0}, {"recent_scores": []}, {"recent_groups": ["a"]}],
)
def test_bad_input_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(AuditPlanInvalid):
        AuditPlan.from_training(*training(), **({"recent_scores": RECENT, "rate": 0.1, "null": 0.05} | wrong))
    with pytest.raises(AuditPlanInvalid):
        make().at_rate(2.0)


GROUPS = ["a" if place % 5 else "b" for place in range(len(RECENT))]


def grouped() -> AuditPlan:
    return AuditPlan.from_training(*training(), recent_scores=RECENT, recent_groups=GROUPS, rate=0.05, null=0.05)


def test_control_values_have_the_null_as_mean_and_leave_room() -> None:
    draws = [grouped().draw(score, group) for score, group in zip(RECENT, GROUPS, strict=True)]
    controls = np.array([float(one.control or 0.0) for one in draws])
    uncut = [0.05 * float(one.risk or 0.0) / grouped().mean_risk for one in draws]
    assert np.mean(uncut) == pytest.approx(0.05)
    assert controls == pytest.approx(np.minimum(uncut, [min(0.5, 0.15 * one.q) for one in draws]))


def test_a_group_that_turned_out_worse_is_audited_more_and_the_mean_stays() -> None:
    plan = grouped().with_multipliers({"b": 4.0})
    draws = [plan.draw(score, group) for score, group in zip(RECENT, GROUPS, strict=True)]
    assert np.mean([one.probability for one in draws]) == pytest.approx(0.05)
    for name in ("a", "b"):
        own = [one for one in draws if one.group == name]
        assert np.mean([one.q for one in own]) == pytest.approx(own[0].mean_q)
    assert plan.draw(0.5, "b").probability > grouped().draw(0.5, "b").probability
    assert plan.draw(0.5, "a").probability < grouped().draw(0.5, "a").probability


def test_the_group_is_what_the_certificate_names_else_the_answer() -> None:
    plan = grouped()
    assert group_of(plan, (), "a", {"site": "north"}) == "a"
    assert group_of(plan, (), "never seen", {}) == EVERYWHERE
    named = {"site=north", "age=old"}
    assert group_of(plan, named, "a", {"site": "north", "age": "old"}) == "age=old"
    assert group_of(plan, named, "a", {"site": "south"}) == EVERYWHERE


def test_only_the_most_frequent_groups_are_told_apart() -> None:
    many = [f"g{place}" for place in range(len(RECENT))]
    plan = AuditPlan.from_training(*training(), recent_scores=RECENT, recent_groups=many, rate=0.05, null=0.05)
    assert len(plan.groups) == 65
    assert sum(one.share for one in plan.groups) == pytest.approx(1.0)
