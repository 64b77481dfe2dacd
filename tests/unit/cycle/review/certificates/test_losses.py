"""Certificates for losses between 0 and a highest value: the bets, the path, the losses of answers with parts."""

from __future__ import annotations

import json

import numpy as np
import pytest

from handrail.cycle.review.certificates import CertificateInvalid
from handrail.cycle.review.certificates.betting import BETS, bets_for, least_labels, shares_of, wealth_of
from handrail.cycle.review.certificates.losses import (
    LossCertificate,
    LossDesign,
    certify_loss,
    certify_loss_designed,
    cost_of,
    design_loss,
    loss_labels_needed,
    set_loss,
    span_loss,
)


def population(n: int, seed: int, worst: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Scores in (0.5, 1); a mistake is likelier near 0.5 and costs 0.2 or 1."""
    rng = np.random.default_rng(seed)
    scores = 0.5 + rng.beta(4, 1, n) / 2
    wrong = rng.random(n) < worst * np.exp(-9 * (scores - 0.5))
    return scores, wrong * np.where(rng.random(n) < 0.7, 0.2, 1.0)


def issue(n: int = 800, seed: int = 3, alpha: float = 0.02, **more: float) -> LossCertificate:
    return certify_loss(
        *population(n, seed), unlabelled=population(4000, 1)[0], training=population(1500, 2), alpha=alpha, **more
    )


def test_what_is_certified_holds_on_the_population() -> None:
    made = issue()
    assert made.status == "certified"
    assert made.threshold is not None
    scores, losses = population(200_000, 9)
    assert losses[scores >= made.threshold].mean() <= 0.02
    assert 0.1 < made.coverage < 1
    assert made.covers(0.999)
    assert not made.covers(made.threshold - 1e-9)
    assert [step.index for step in made.steps] == list(made.path[: len(made.steps)])
    assert issue() == made, "the same inputs give the same certificate"
    assert json.loads(json.dumps(made.to_dict()))["threshold"] == made.threshold


def test_a_dearer_unit_changes_nothing() -> None:
    scores, losses = population(800, 3)
    known = population(1500, 2)
    dear = certify_loss(
        scores,
        losses * 500,
        unlabelled=population(4000, 1)[0],
        training=(known[0], known[1] * 500),
        alpha=10,
        highest=500,
    )
    assert dear.threshold == issue().threshold
    assert dear.mean_loss == pytest.approx(500 * losses.mean())


def test_cheap_mistakes_let_more_through_than_counting_them_whole() -> None:
    scores, losses = population(800, 3)
    whole = certify_loss(
        scores,
        (losses > 0).astype(float),
        unlabelled=population(4000, 1)[0],
        training=(population(1500, 2)[0], (population(1500, 2)[1] > 0).astype(float)),
        alpha=0.02,
    )
    assert issue().coverage > whole.coverage


def test_a_set_without_any_loss_needsleast_labels() -> None:
    bets = bets_for(0.02, None)
    least = least_labels(0.02, 0.1, bets)
    assert wealth_of(np.zeros(least), 0.02, bets)[-1] >= np.log(10) > wealth_of(np.zeros(least - 1), 0.02, bets)[-1]
    refused = certify_loss([0.9] * (least - 1), [0.0] * (least - 1), unlabelled=[0.9, 0.8], alpha=0.02)
    assert (refused.status, refused.least, refused.path, refused.steps) == ("refused", least, (), ())


def test_a_bet_never_gains_on_average_at_the_level() -> None:
    """E of each factor is 1 where the mean is the level: the stake is shared, and shares sum to one."""
    for bets in (BETS, (0.3, *BETS)):
        assert sum(shares_of(bets)) == pytest.approx(1)
        for law in ([0.0, 1.0], [0.0, 0.5, 1.0]):
            values = np.asarray(law)
            chance = np.array([1 - 0.05, 0.05]) if len(law) == 2 else np.array([1 - 0.07, 0.04, 0.03])
            level = float(values @ chance)
            gains = np.array([np.exp(wealth_of(np.array([value]), level, bets)[0]) for value in values])
            assert gains @ chance == pytest.approx(1)


def test_without_training_data_every_threshold_is_tested_in_turn() -> None:
    made = certify_loss(*population(800, 3), unlabelled=population(4000, 1)[0], alpha=0.02)
    assert made.status == "certified"
    assert made.bets == BETS
    assert made.path == tuple(range(made.path[0], 101))
    assert made.path[0] > 100 * made.least / made.labels


def test_losses_of_answers_with_parts() -> None:
    assert set_loss(["a", "b"], ["b", "a"]) == 0.0
    assert set_loss(["a"], ["a", "b"]) == 0.5
    assert set_loss([], []) == 0.0
    assert set_loss(["a"], []) == 1.0
    assert span_loss([(0, 3, "drug")], [(0, 3, "drug")]) == 0.0
    assert span_loss([(0, 3, "drug"), (5, 9, "dose")], [(0, 3, "drug")]) == pytest.approx(1 / 3)
    assert span_loss([], [(0, 3, "drug")]) == 1.0
    costs = {"benign": {"malignant": 20.0}, "malignant": {"benign": 1.0}}
    assert cost_of(costs, "benign", "malignant") == 20.0
    assert cost_of(costs, "benign", "benign") == 0.0
    with pytest.raises(CertificateInvalid, match="does not say"):
        cost_of(costs, "unclear", "benign")


@pytest.mark.parametrize(
    "wrong",
    [
        {"alpha": 0.0},
        {"alpha": 1.0},
        {"delta": 0.9},
        {"losses": [0.0, 1.5]},
        {"losses": [0.0, float("nan")]},
        {"losses": [0.0]},
        {"losses": [-0.1, 0.0]},
    ],
)
def test_what_means_nothing_is_refused(wrong: dict[str, object]) -> None:
    values: dict[str, object] = {"scores": [0.9, 0.8], "losses": [0.0, 0.0], "unlabelled": [0.9], "alpha": 0.1}
    with pytest.raises(CertificateInvalid):
        certify_loss(**{**values, **wrong})  # type: ignore[arg-type]


def test_a_design_is_fixed_before_the_labels_and_survives_json() -> None:
    traffic, known = population(4000, 1)[0], population(1500, 2)
    plan = design_loss(traffic, known, labels=800, alpha=0.02)
    kept = LossDesign.from_dict(json.loads(json.dumps(plan.to_dict())))
    assert kept == plan
    made = certify_loss_designed(kept, *population(800, 3), unlabelled=traffic, training=known)
    assert made == issue()
    assert made.design_hash == plan.digest() == kept.digest()
    assert plan.expected_coverage is not None
    assert design_loss(traffic, labels=800, alpha=0.02).expected_coverage is None


@pytest.mark.parametrize("what", ["labels", "training", "unlabelled"])
def test_a_design_takes_nothing_but_what_it_was_made_for(what: str) -> None:
    traffic, known = population(4000, 1)[0], population(1500, 2)
    plan = design_loss(traffic, known, labels=800, alpha=0.02)
    scores, losses = population(799 if what == "labels" else 800, 3)
    other = population(1500, 4) if what == "training" else known
    with pytest.raises(CertificateInvalid):
        certify_loss_designed(
            plan, scores, losses, unlabelled=traffic[1:] if what == "unlabelled" else traffic, training=other
        )


def test_the_labels_needed_would_have_done() -> None:
    """What a refusal asks for certifies about as often as it says, where the known items tell how losses lie."""
    traffic, known = population(4000, 1)[0], population(20_000, 2)
    plan = design_loss(traffic, known, labels=120, alpha=0.03)
    needed, power = loss_labels_needed(plan, known)
    assert needed is not None
    assert power >= 0.8
    share = {}
    for labels in (needed, needed // 2):
        again = design_loss(traffic, known, labels=labels, alpha=0.03)
        made = [
            certify_loss_designed(again, *population(labels, 100 + k), unlabelled=traffic, training=known)
            for k in range(60)
        ]
        share[labels] = sum(one.status == "certified" for one in made) / 60
    assert share[needed] > 0.65
    assert share[needed // 2] < share[needed]


def test_where_no_set_would_do_it_does_not_pretend_to_know() -> None:
    rng = np.random.default_rng(5)
    scores, losses = rng.random(600), (rng.random(600) < 0.3).astype(float)
    plan = design_loss(scores, (scores, losses), labels=200, alpha=0.05)
    needed, power = loss_labels_needed(plan, (scores, losses))
    assert needed is None
    assert power < 0.8
