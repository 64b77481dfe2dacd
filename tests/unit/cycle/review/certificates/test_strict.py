"""The designed fixed sequence: what it returns, that it repeats bit for bit, and what it refuses."""

import dataclasses
import json
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest

from handrail.cycle.review import certificates
from handrail.cycle.review.certificates import Certificate, CertificateInvalid, Design, Evidence, certify_designed
from handrail.cycle.review.certificates.curves import GRID, band_rates, grid
from handrail.foundation.statistics import lower_tail, upper_limit, zero_error_labels

certify, design = partial(certificates.certify, mode="strict"), partial(certificates.design, mode="strict")


def population(n: int, seed: int, *, worst: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Draw scores in (0.5, 1) whose errors grow towards 0.5."""
    rng = np.random.default_rng(seed)
    scores = 0.5 + rng.beta(5, 1, n) / 2
    return scores, (rng.random(n) < worst * np.exp(-14 * (scores - 0.5))).astype(float)


def issue(n: int = 200, seed: int = 3, alpha: float = 0.05, worst: float = 0.3, **more: int) -> Certificate:
    unlabelled, training = population(309, 1)[0], population(60, 2, worst=worst)
    return certify(*population(n, seed, worst=worst), unlabelled=unlabelled, training=training, alpha=alpha, **more)


def test_an_easy_population_is_certified_from_small_sets() -> None:
    given = issue()
    assert given.status == "certified"
    assert given.threshold is not None
    assert given.needed == 0
    assert (given.labels, given.unlabelled, given.training) == (200, 309, 60)
    scores, errors = population(200, 3)
    inside = scores >= given.threshold
    assert (given.labels_in_range, given.errors_in_range) == (inside.sum(), errors[inside].sum())
    assert given.upper == upper_limit(given.errors_in_range, given.labels_in_range, 0.9) <= 0.05
    assert given.coverage == pytest.approx((population(309, 1)[0] >= given.threshold).mean())
    assert given.covers(given.threshold)
    assert not given.covers(given.threshold - 1e-9)


def test_the_walk_is_the_path_up_to_the_first_failure() -> None:
    given = issue(alpha=0.05, worst=3.0, seed=11)
    scores, errors = population(200, 11, worst=3.0)
    assert given.path == (*range(given.start, GRID, given.stride), GRID)
    for step in given.steps:
        inside = scores >= step.threshold
        assert (step.labels, step.errors) == (inside.sum(), errors[inside].sum())
        assert step.p_value == lower_tail(step.errors, step.labels, 0.05)
    assert [step.index for step in given.steps] == list(given.path[: len(given.steps)])
    assert all(step.p_value <= 0.1 for step in given.steps[:-1])
    passed = [step for step in given.steps if step.p_value <= 0.1]
    assert given.threshold == (passed[-1].threshold if passed else None)
    assert len(given.steps) == len(given.path) or given.steps[-1].p_value > 0.1


def test_the_same_inputs_give_the_same_bits() -> None:
    first, second = issue(seed=5), issue(seed=5)
    assert json.dumps(first.to_dict()) == json.dumps(second.to_dict())
    assert issue(seed=6).calibration_hash != first.calibration_hash
    assert issue(seed=6).design_hash == first.design_hash
    unlabelled, training = population(309, 1)[0], population(60, 2)
    other = certify(*population(200, 5), unlabelled=unlabelled[::-1], training=training, alpha=0.05)
    assert other.unlabelled_hash != first.unlabelled_hash


def test_the_design_depends_on_its_seed_and_never_on_calibration() -> None:
    unlabelled, training = population(309, 1)[0], population(60, 2)
    plan = design(unlabelled, training, labels=200, alpha=0.02)
    again = design(unlabelled, training, labels=200, alpha=0.02)
    assert plan == again
    for seed in range(3):
        made = certify(*population(200, seed), unlabelled=unlabelled, training=training, alpha=0.02)
        assert (made.path, made.start, made.stride) == (plan.test.path, plan.test.start, plan.test.stride)
        assert certify_designed(plan, *population(200, seed), unlabelled=unlabelled, training=training) == made


def test_certificates_and_designs_survive_json() -> None:
    for given in (issue(), issue(n=30)):
        text = json.dumps(given.to_dict(), allow_nan=False)
        assert Certificate.from_dict(json.loads(text)) == given
    plan = design(population(309, 1)[0], population(60, 2), labels=200, alpha=0.05)
    assert Design.from_dict(json.loads(json.dumps(plan.to_dict(), allow_nan=False))) == plan


def test_a_design_is_for_its_own_labels_and_training_data() -> None:
    unlabelled, training = population(309, 1)[0], population(60, 2)
    plan = design(unlabelled, training, labels=200, alpha=0.05)
    with pytest.raises(CertificateInvalid, match="200 labels"):
        certify_designed(plan, *population(199, 3), unlabelled=unlabelled, training=training)
    with pytest.raises(CertificateInvalid, match="training data"):
        certify_designed(plan, *population(200, 3), unlabelled=unlabelled, training=population(60, 9))
    with pytest.raises(CertificateInvalid, match="other unlabelled"):
        certify_designed(plan, *population(200, 3), unlabelled=unlabelled[1:], training=training)


@pytest.mark.parametrize("alpha", [0.01, 0.02, 0.05])
def test_below_the_label_floor_nothing_is_tested_and_labels_may_be_added(alpha: float) -> None:
    floor = zero_error_labels(alpha, 0.1)
    given = issue(n=floor - 1, alpha=alpha, worst=0.0)
    assert given.status == "refused"
    assert given.threshold is None
    assert given.steps == ()
    assert given.upper is None
    assert not given.needed_fresh
    assert given.needed >= 1
    assert issue(n=floor - 1 + given.needed, alpha=alpha, worst=0.0).status == "certified"


def test_without_errors_the_floor_itself_is_enough() -> None:
    rng = np.random.default_rng(0)
    given = certify(
        rng.random(45), np.zeros(45), unlabelled=rng.random(500), training=(rng.random(500), np.zeros(500)), alpha=0.05
    )
    assert (given.status, given.coverage, given.threshold) == ("certified", 1.0, 0.0)


def test_a_hopeless_model_is_told_so() -> None:
    rng = np.random.default_rng(0)

    def coin(n: int) -> tuple[np.ndarray, np.ndarray]:
        return rng.random(n), (rng.random(n) < 0.5).astype(float)

    given = certify(*coin(200), unlabelled=rng.random(309), training=coin(60), alpha=0.02)
    assert given.status == "refused"
    assert given.needed_power < 0.8


def test_equal_scores_stay_together() -> None:
    rng = np.random.default_rng(2)
    blocks = np.array([0.55, 0.7, 0.8, 0.95])

    def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
        scores = rng.choice(blocks, n, p=[0.1, 0.2, 0.3, 0.4])
        return scores, (rng.random(n) < np.select([scores < 0.6, scores < 0.75], [0.4, 0.1], 0.0)).astype(float)

    unlabelled = draw(1000)[0]
    thresholds, coverages = grid(unlabelled)
    assert not set(thresholds) & set(blocks[1:])
    assert np.array_equal(coverages, [(unlabelled >= t).mean() for t in thresholds])
    given = certify(*draw(300), unlabelled=unlabelled, training=draw(300), alpha=0.05)
    assert given.threshold == pytest.approx(0.625)  # halfway between two blocks
    one = certify(np.ones(60), np.zeros(60), unlabelled=np.ones(300), training=(np.ones(60), np.zeros(60)), alpha=0.05)
    assert (one.status, one.coverage) == ("certified", 1.0)


@pytest.mark.parametrize("m", [1, 7, 99, 100, 309, 1000])
def test_grid_coverages(m: int) -> None:
    traffic = np.random.default_rng(m).normal(size=m)
    thresholds, coverages = grid(traffic)
    assert (np.diff(thresholds) <= 0).all()
    assert coverages[-1] == 1.0
    assert np.array_equal(coverages, [(traffic >= t).mean() for t in thresholds])
    wished = np.arange(1, GRID + 1) / GRID
    assert (coverages >= wished - 1e-12).all()
    assert (coverages <= wished + 1 / m + 1e-12).all()
    assert json.loads(json.dumps(thresholds[-1], allow_nan=False)) < traffic.min()


def test_with_data_in_every_band_rates_follow_the_specified_law() -> None:
    rng = np.random.default_rng(8)
    unlabelled = rng.random(2000)
    thresholds, coverages = grid(unlabelled)
    scores = rng.random(20_000)
    known = Evidence.read("training", scores, (rng.random(20_000) < (1 - scores) * 0.2).astype(float))
    rates = band_rates(known, thresholds, np.diff(coverages, prepend=0.0), np.random.default_rng(1))
    middle = 1 - coverages + 0.005
    expected = (1 - middle) * 0.2 * np.exp(0.25**2 / 2)
    assert rates.shape == (300, GRID)
    assert np.abs(rates.mean(axis=0)[10:] / expected[10:] - 1).mean() < 0.15
    assert rates.max() <= 1.0


@pytest.mark.parametrize(
    ("scores", "errors", "sentence"),
    [
        ([0.5, float("nan")], [0, 1], "finite"),
        ([], [], "finite"),
        ([0.5, 0.6], [0, 2], "0 \\(right\\) or 1"),
        ([0.5, 0.6], [0], "2 scores but 1 errors"),
    ],
)
def test_bad_input_is_refused(scores: list[float], errors: list[float], sentence: str) -> None:
    training = population(60, 2)
    with pytest.raises(CertificateInvalid, match=sentence):
        certify(scores, errors, unlabelled=[0.1, 0.2], training=training, alpha=0.05)
    with pytest.raises(CertificateInvalid, match=sentence):
        certify(*training, unlabelled=[0.1, 0.2], training=(scores, errors), alpha=0.05)


@pytest.mark.parametrize("wrong", [{"alpha": 0.0}, {"alpha": 0.7}, {"delta": 0.0}, {"seed": -1}])
def test_bad_wishes_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(CertificateInvalid):
        certify(*population(50, 1), unlabelled=[0.1], training=population(60, 2), **({"alpha": 0.05} | wrong))


def test_it_is_fast_enough_for_a_page() -> None:
    issue()
    started = time.perf_counter()
    issue(alpha=0.02, worst=6.0, seed=1)
    assert time.perf_counter() - started < 1.0


def test_import_loads_no_scientific_library() -> None:
    code = (
        "import sys, handrail.cycle.review.certificates as c, handrail.cycle.review.brake, "
        "handrail.cycle.review.audit_draw; print(sorted({'scipy', 'numpy', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_a_certificate_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        issue().threshold = 0.1  # type: ignore[misc]
