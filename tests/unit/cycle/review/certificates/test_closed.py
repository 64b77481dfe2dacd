"""The closed window test: its rule, written out; what it returns; regions; equal scores."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import bdtr

from handrail.cycle.review.certificates import (
    Certificate,
    CertificateInvalid,
    Design,
    certify,
    certify_designed,
    design,
)
from handrail.cycle.review.certificates.closed import WIDTHS, _last_blocking, _last_certified
from handrail.cycle.review.certificates.curves import errors_at
from handrail.cycle.review.certificates.levels import WHOLE, Levels, levels
from handrail.cycle.review.certificates.plan import Windows

Pairs = tuple[np.ndarray, np.ndarray]


def population(n: int, seed: int, *, worst: float = 3.0) -> Pairs:
    """Draw scores in (0.5, 1) whose errors grow towards 0.5."""
    rng = np.random.default_rng(seed)
    scores = 0.5 + rng.beta(5, 1, n) / 2
    return scores, (rng.random(n) < worst * np.exp(-14 * (scores - 0.5))).astype(float)


def issue(n: int = 500, seed: int = 3, alpha: float = 0.02, worst: float = 3.0) -> Certificate:
    unlabelled, training = population(1000, 1)[0], population(1000, 2, worst=worst)
    return certify(*population(n, seed, worst=worst), unlabelled=unlabelled, training=training, alpha=alpha)


def by_the_book(p: np.ndarray, law: Levels, start: int) -> int:
    """Return the largest b with p_b <= c_b for which every i before it passes or is vouched for by b itself."""
    last = -1
    for b in range(start, len(p)):
        fine = p[b] <= law.level[b] and all(
            p[i] <= law.level[i] or (b <= law.reach[i] and p[b] <= law.level[i]) for i in range(start, b)
        )
        last = b if fine else last
    return last


@pytest.mark.parametrize("width", WIDTHS)
def test_the_rule_is_the_one_of_the_book(width: float) -> None:
    law = levels(400, 0.05, 0.1, width)
    rng = np.random.default_rng(int(100 * min(width, 9)))
    rates = rng.choice([0.01, 0.03, 0.05, 0.08], size=(60, 1)) * rng.random((60, len(law.counts))) * 2
    errors = rng.binomial(np.diff(law.counts, prepend=0), rates).cumsum(axis=1)
    p_values = np.asarray(bdtr(errors.astype(float), law.counts, 0.05))
    blocking = _last_blocking(p_values, law)
    for start in (0, 10, len(law.counts) - 1):
        found = _last_certified(p_values, law, blocking, start)
        assert found.tolist() == [by_the_book(row, law, start) for row in p_values]
    assert len(set(_last_certified(p_values, law, blocking, 0).tolist())) > 3


def test_a_certificate_says_what_was_tested() -> None:
    given = issue()
    scores, errors = population(500, 3)
    assert (given.status, given.mode, given.region, given.needed) == ("certified", "closed", None, 0)
    assert given.threshold is not None
    inside = scores >= given.threshold
    assert (given.labels_in_range, given.errors_in_range) == (inside.sum(), errors[inside].sum())
    assert given.coverage == (population(1000, 1)[0] >= given.threshold).mean()
    law = levels(500, 0.02, 0.1, WHOLE if given.width is None else given.width)
    order = np.argsort(-scores)
    for step in given.steps:
        assert step.labels == law.counts[step.index - 1] == given.path[step.index - 1]
        assert step.errors == errors[order[: step.labels]].sum()
        assert step.threshold == scores[order[step.labels - 1]]
        assert step.p_value == bdtr(float(step.errors), step.labels, 0.02)
        assert step.level == law.level[step.index - 1]
    passed = [step for step in given.steps if step.threshold == given.threshold]
    assert passed
    assert passed[0].p_value <= passed[0].level
    assert given.steps[0].index == given.start + 1


def test_the_same_inputs_give_the_same_bits_and_survive_json() -> None:
    for given in (issue(n=200, alpha=0.05), issue(n=60)):
        assert Certificate.from_dict(json.loads(json.dumps(given.to_dict(), allow_nan=False))) == given
    assert json.dumps(issue(n=200).to_dict()) == json.dumps(issue(n=200).to_dict())
    for lazy in (False, True):
        plan = design(population(1000, 1)[0], population(1000, 2), labels=200, alpha=0.05, lazy=lazy)
        assert Design.from_dict(json.loads(json.dumps(plan.to_dict(), allow_nan=False))) == plan


def test_the_design_never_looks_at_calibration() -> None:
    unlabelled, training = population(1000, 1)[0], population(1000, 2)
    plan = design(unlabelled, training, labels=300, alpha=0.02)
    assert isinstance(plan.test, Windows)
    for seed in range(4):
        made = certify(*population(300, seed), unlabelled=unlabelled, training=training, alpha=0.02)
        assert (made.start, made.width, made.path) == (plan.test.start, plan.test.width, plan.test.path)
        assert certify_designed(plan, *population(300, seed), unlabelled=unlabelled, training=training) == made


def test_a_region_spends_labels_where_something_can_be_automated() -> None:
    def hard(n: int, seed: int) -> Pairs:
        rng = np.random.default_rng(seed)
        scores = rng.random(n)
        return scores, (rng.random(n) < 0.5 * (1 - scores) ** 1.5).astype(float)

    unlabelled, training = hard(2000, 1)[0], hard(2000, 2)
    plan = design(unlabelled, training, labels=600, alpha=0.02, lazy=True)
    assert plan.frame.region is not None
    assert plan.frame.share == (unlabelled >= plan.frame.region).mean() < 1
    assert plan.expected_coverage > design(unlabelled, training, labels=600, alpha=0.02).expected_coverage
    scores, errors = hard(5000, 3)
    inside = scores >= plan.frame.region
    drawn = scores[inside][:600], errors[inside][:600]
    made = certify_designed(plan, *drawn, unlabelled=unlabelled, training=training)
    assert made.region == plan.frame.region
    assert made.threshold is not None
    assert made.threshold >= made.region
    assert made.coverage <= plan.frame.share
    with pytest.raises(CertificateInvalid, match="outside the region"):
        certify_designed(plan, scores[:600], errors[:600], unlabelled=unlabelled, training=training)
    again = certify(*drawn, unlabelled=unlabelled, training=training, alpha=0.02, region=made.region)
    assert again == made


def test_without_training_data_it_is_valid_and_says_less() -> None:
    unlabelled = population(1000, 1)[0]
    for mode in ("closed", "strict"):
        made = certify(*population(1000, 3), unlabelled=unlabelled, alpha=0.02, mode=mode)  # type: ignore[arg-type]
        assert made.status == "certified"
        assert made.training == 0


def test_a_refusal_says_how_many_labels_it_takes() -> None:
    small = issue(n=100, alpha=0.02)
    assert (small.status, small.threshold, small.steps, small.needed_fresh) == ("refused", None, (), False)
    assert 14 <= small.needed <= 300
    hard = issue(n=300, alpha=0.01, worst=30.0, seed=4)
    assert hard.status == "refused"
    assert hard.needed_fresh
    assert hard.needed > 230


def test_a_threshold_never_splits_equal_scores() -> None:
    rng = np.random.default_rng(2)
    blocks = np.array([0.55, 0.7, 0.8, 0.95])

    def draw(n: int) -> Pairs:
        scores = rng.choice(blocks, n, p=[0.1, 0.2, 0.3, 0.4])
        return scores, (rng.random(n) < np.select([scores < 0.6, scores < 0.75], [0.4, 0.1], 0.0)).astype(float)

    unlabelled = draw(1000)[0]
    for _ in range(5):
        scores, errors = draw(300)
        given = certify(scores, errors, unlabelled=unlabelled, training=draw(300), alpha=0.05)
        assert given.threshold in blocks[1:]
        step = max((one for one in given.steps if one.p_value <= one.level), key=lambda one: one.labels)
        assert given.labels_in_range <= step.labels
    one = certify(np.ones(60), np.zeros(60), unlabelled=np.ones(300), training=(np.ones(60), np.zeros(60)), alpha=0.05)
    assert (one.status, one.coverage) == ("certified", 1.0)


def test_simulated_errors_follow_the_rates() -> None:
    rng = np.random.default_rng(1)
    masses = np.array([0.1, 0.4, 0.5])
    rates = np.broadcast_to([0.0, 0.1, 0.3], (4000, 3))
    counts = np.array([50, 100, 400, 999, 1000])
    errors = errors_at(rates, masses, 1000, counts, rng)
    assert (np.diff(errors, axis=1) >= 0).all()
    assert errors[:, 0].max() == 0
    expected = [0.0, 0.6, 30.0, 189.7, 190.0]  # of the first hundred, those beyond a band that came out small
    assert errors.mean(axis=0) == pytest.approx(expected, abs=1.0)
    first = rng.multinomial(1000, masses, size=4000)[:, 0]
    spread = np.sqrt(np.maximum(100 - first, 0) * 0.1)
    assert errors[:, 1].mean() == pytest.approx((spread**2).mean(), abs=0.1)


@pytest.mark.parametrize("wrong", [{"mode": "best"}, {"region": 2.0}])
def test_bad_wishes_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(CertificateInvalid):
        certify(*population(100, 1), unlabelled=[0.1], training=population(60, 2), alpha=0.05, **wrong)  # type: ignore[arg-type]


def test_a_region_begins_where_enough_items_lie_above_it() -> None:
    scores, _ = population(2000, 1)
    training = population(1000, 2)
    free = design(scores, training, labels=200, alpha=0.02, lazy=True)
    assert free.frame.region is not None
    reach = free.frame.region - 1e-3
    lower = design(scores, training, labels=200, alpha=0.02, lazy=True, reach=reach)
    assert lower.frame.region is None or lower.frame.region <= reach
    assert design(scores, training, labels=200, alpha=0.02, lazy=True, reach=0.0).frame.region is None
