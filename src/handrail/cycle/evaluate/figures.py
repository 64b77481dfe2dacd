"""The figures of one model on held-out items, as JSON values. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handrail.cycle.evaluate import metrics
from handrail.cycle.train.model import Prediction, class_key

_POINTS = 50


def figures(predictions: Sequence[Prediction], labels: Sequence[Any], classes: Sequence[Any]) -> dict[str, Any]:
    """Return accuracy with its interval, the confusion of classes, calibration, and risk by coverage.

    One prediction and one label per row. The curve describes these rows; only a certificate sets a threshold.
    """
    truth = [class_key(value) for value in labels]
    given = [class_key(one.value) for one in predictions]
    confidence = [one.score for one in predictions]
    errors = [float(one != true) for one, true in zip(given, truth, strict=True)]
    scores = [one.scores for one in predictions]
    return {
        "accuracy": metrics.accuracy(truth, given).to_dict(),
        "confusion": metrics.confusion(truth, given, [class_key(value) for value in classes]).to_dict(),
        "log_loss": metrics.log_loss(truth, scores),
        "brier": metrics.brier(truth, scores),
        "calibration": metrics.calibration([min(1.0, one) for one in confidence], errors).to_dict(),
        "coverage_risk": [point.to_dict() for point in metrics.coverage_risk(confidence, errors, points=_POINTS)],
    }
