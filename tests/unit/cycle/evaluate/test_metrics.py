"""Metrics against scikit-learn and by hand."""

import json

import numpy as np
import pytest
from sklearn import metrics as reference

from handrail.cycle.evaluate.metrics import (
    MetricsInvalid,
    accuracy,
    brier,
    calibration,
    compare,
    confusion,
    coverage_risk,
    log_loss,
)
from handrail.foundation.statistics import clopper_pearson, mcnemar

LABELS = ("benign", "malignant", "unclear")
RNG = np.random.default_rng(11)
TRUTH = RNG.choice(LABELS, 150, p=[0.6, 0.3, 0.1]).tolist()
TABLE = RNG.dirichlet([1.0, 1.0, 1.0], 150) * 0.5
TABLE[np.arange(150), [LABELS.index(label) for label in TRUTH]] += 0.5
TABLE[:40] = TABLE[:40][:, [1, 2, 0]]
SCORES = [dict(zip(LABELS, row, strict=True)) for row in TABLE.tolist()]
PREDICTED = [LABELS[i] for i in TABLE.argmax(axis=1)]
CONFIDENCE = TABLE.max(axis=1).tolist()
ERRORS = [float(a != b) for a, b in zip(TRUTH, PREDICTED, strict=True)]


def test_accuracy_is_the_share_right_with_its_interval() -> None:
    right = 150 - int(sum(ERRORS))
    assert accuracy(TRUTH, PREDICTED) == clopper_pearson(right, 150)
    assert accuracy(TRUTH, PREDICTED).value == pytest.approx(reference.accuracy_score(TRUTH, PREDICTED))


def test_confusion_equals_scikit_learn() -> None:
    table = confusion(TRUTH, PREDICTED, LABELS)
    assert np.array_equal(table.counts, reference.confusion_matrix(TRUTH, PREDICTED, labels=list(LABELS)))
    recall = reference.recall_score(TRUTH, PREDICTED, labels=list(LABELS), average=None)
    precision = reference.precision_score(TRUTH, PREDICTED, labels=list(LABELS), average=None)
    for i, label in enumerate(LABELS):
        assert table.recall(label).value == pytest.approx(recall[i])
        assert table.precision(label).value == pytest.approx(precision[i])
    json.dumps(table.to_dict(), allow_nan=False)


def test_confusion_takes_in_labels_that_nobody_named() -> None:
    table = confusion(["b", "a"], ["a", "z"], ["b"])
    assert table.labels == ("b", "a", "z")
    assert table.counts == ((0, 1, 0), (0, 0, 1), (0, 0, 0))
    assert table.recall("z").n == 0


def test_log_loss_and_brier_equal_scikit_learn() -> None:
    assert log_loss(TRUTH, SCORES) == pytest.approx(reference.log_loss(TRUTH, TABLE, labels=list(LABELS)))
    once = np.array([[name == label for name in LABELS] for label in TRUTH], dtype=float)
    assert brier(TRUTH, SCORES) == pytest.approx(((TABLE - once) ** 2).sum(axis=1).mean())


def test_a_certain_mistake_is_bad_but_finite() -> None:
    assert log_loss(["a"], [{"a": 0.0, "b": 1.0}]) == pytest.approx(-np.log(1e-15))
    assert log_loss(["a"], [{"b": 1.0}]) == pytest.approx(-np.log(1e-15))
    assert brier(["a"], [{"b": 1.0}]) == 2.0
    assert brier(["a"], [{"a": 1.0, "b": 0.0}]) == 0.0


def test_calibration_by_hand() -> None:
    found = calibration([0.95, 0.9, 1.0, 0.55, 0.5], [0, 0, 1, 1, 0])
    assert [(one.low, one.n) for one in found.bins] == [(0.5, 2), (0.9, 3)]
    assert found.bins[1].confidence == pytest.approx(0.95)
    assert found.bins[1].right == clopper_pearson(2, 3)
    assert found.ece == pytest.approx(2 / 5 * abs(0.525 - 0.5) + 3 / 5 * abs(0.95 - 2 / 3))
    json.dumps(found.to_dict(), allow_nan=False)


def test_calibration_error_is_small_only_for_a_calibrated_model() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.random(20_000)
    assert calibration(confidence, rng.random(20_000) > confidence).ece < 0.02
    assert calibration(confidence, rng.random(20_000) > confidence**3).ece > 0.15


def test_coverage_risk_equals_brute_force() -> None:
    scores = np.round(CONFIDENCE, 2).tolist()
    curve = coverage_risk(scores, ERRORS, points=1000)
    assert [point.threshold for point in curve] == sorted(set(scores), reverse=True)
    for point in curve:
        inside = [error for score, error in zip(scores, ERRORS, strict=True) if score >= point.threshold]
        assert point.coverage == pytest.approx(len(inside) / 150)
        assert point.risk == clopper_pearson(int(sum(inside)), len(inside))
    json.dumps([point.to_dict() for point in curve], allow_nan=False)


def test_a_shorter_curve_ends_at_everything_and_keeps_equal_scores_together() -> None:
    curve = coverage_risk(CONFIDENCE, ERRORS, points=20)
    assert len(curve) <= 21
    assert curve[-1].coverage == 1.0
    assert curve[-1].risk.value == pytest.approx(np.mean(ERRORS))
    assert [point.coverage for point in curve] == sorted(point.coverage for point in curve)
    assert len(coverage_risk([0.5] * 30, [0] * 30)) == 1


def test_a_comparison_is_paired() -> None:
    other = [t if i % 3 else p for i, (t, p) in enumerate(zip(TRUTH, PREDICTED, strict=True))]
    found = compare(TRUTH, PREDICTED, other)
    repaired = sum(a != b and c == b for a, b, c in zip(PREDICTED, TRUTH, other, strict=True))
    assert (found.only_champion, found.only_challenger) == (0, repaired)
    assert found.p_value == mcnemar(0, repaired)
    assert found.difference.value == pytest.approx(repaired / 150)
    assert found.difference.low > 0
    assert found.challenger.value - found.champion.value == pytest.approx(found.difference.value)
    back = compare(TRUTH, other, PREDICTED)
    assert back.difference.high < 0
    assert back.p_value == found.p_value
    json.dumps(found.to_dict(), allow_nan=False)


def test_equal_models_show_no_difference_but_a_width() -> None:
    found = compare(TRUTH, PREDICTED, PREDICTED)
    assert (found.p_value, found.difference.value) == (1.0, 0.0)
    assert found.difference.low < 0 < found.difference.high


def test_rows_must_fit() -> None:
    with pytest.raises(MetricsInvalid, match="2, 1 rows"):
        accuracy(["a", "b"], ["a"])
    with pytest.raises(MetricsInvalid):
        log_loss([], [])
    with pytest.raises(MetricsInvalid):
        calibration([1.2], [0])
    with pytest.raises(MetricsInvalid):
        coverage_risk([float("nan")], [0])
