"""How good a model is on held-out rows: shares with exact intervals, calibration, risk by coverage, paired comparison.

Pure functions on sequences of one entry per row. Labels are compared as text, so that true, 1 and "1" stay what the
caller makes of them. Intervals hold for rows drawn at random; each is right on its own, not all of them at once.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from handrail.foundation.errors import Invalid
from handrail.foundation.statistics import Interval, clopper_pearson, mcnemar, paired_bootstrap

# A probability below this counts as this: one certain mistake must not make a mean infinite.
_LEAST = 1e-15


class MetricsInvalid(Invalid):
    """The rows handed to a metric do not fit together."""

    code = "evaluate.metrics_invalid"


@dataclass(frozen=True)
class Confusion:
    """How often each true label (row) was given each label (column): `counts[i][j]`, in the order of `labels`."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    def recall(self, label: str, level: float = 0.95) -> Interval:
        """Return the share of a true label's rows that were given it."""
        i = self.labels.index(label)
        return clopper_pearson(self.counts[i][i], sum(self.counts[i]), level)

    def precision(self, label: str, level: float = 0.95) -> Interval:
        """Return the share of the rows given a label that truly have it."""
        i = self.labels.index(label)
        return clopper_pearson(self.counts[i][i], sum(row[i] for row in self.counts), level)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values, with recall and precision of each label."""
        return {
            "labels": list(self.labels),
            "counts": [list(row) for row in self.counts],
            "recall": {label: self.recall(label).to_dict() for label in self.labels},
            "precision": {label: self.precision(label).to_dict() for label in self.labels},
        }


@dataclass(frozen=True)
class CalibrationBin:
    """Rows whose confidence lies in [low, high): mean confidence, and the share that was right."""

    low: float
    high: float
    n: int
    confidence: float
    right: Interval


@dataclass(frozen=True)
class Calibration:
    """Expected calibration error and the bins behind it; it depends on the bins and is biased upwards on few rows."""

    ece: float
    bins: tuple[CalibrationBin, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"ece": self.ece, "bins": [asdict(one) for one in self.bins]}


@dataclass(frozen=True)
class CoveragePoint:
    """Deciding alone at or above `threshold` takes in `coverage` of the rows, of which `risk` are wrong."""

    coverage: float
    threshold: float
    risk: Interval

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class PairedComparison:
    """Champion and challenger on the same rows.

    `difference`: accuracy of the challenger minus that of the champion, with the interval of a paired bootstrap.
    `only_champion`, `only_challenger`: rows that only one of them got right. `p_value`: exact McNemar, two-sided.
    """

    n: int
    champion: Interval
    challenger: Interval
    difference: Interval
    only_champion: int
    only_challenger: int
    p_value: float

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


def accuracy(truth: Sequence[str], predicted: Sequence[str], level: float = 0.95) -> Interval:
    """Return the share of rows that are right, with its exact interval."""
    _same_rows(truth, predicted)
    return clopper_pearson(sum(a == b for a, b in zip(truth, predicted, strict=True)), len(truth), level)


def confusion(truth: Sequence[str], predicted: Sequence[str], labels: Sequence[str] = ()) -> Confusion:
    """Return the table of true against given labels; `labels` sets the order, others follow in theirs."""
    _same_rows(truth, predicted)
    names = tuple(dict.fromkeys([*labels, *sorted({*truth, *predicted})]))
    seen = Counter(zip(truth, predicted, strict=True))
    return Confusion(names, tuple(tuple(seen[row, column] for column in names) for row in names))


def log_loss(truth: Sequence[str], scores: Sequence[Mapping[str, float]]) -> float:
    """Return the mean of -ln(probability given to the true label), in nats; a label without a score had none."""
    _same_rows(truth, scores)
    return -math.fsum(
        math.log(min(1.0, max(_LEAST, row.get(label, 0.0)))) for label, row in zip(truth, scores, strict=True)
    ) / len(truth)


def brier(truth: Sequence[str], scores: Sequence[Mapping[str, float]]) -> float:
    """Return the mean squared distance of the scores from the truth summed over labels: 0 best, 2 worst."""
    _same_rows(truth, scores)
    total = 0.0
    for label, row in zip(truth, scores, strict=True):
        total += math.fsum((row[name] - (name == label)) ** 2 for name in row) + (label not in row)
    return total / len(truth)


def calibration(
    confidence: Sequence[float], errors: Sequence[float], *, bins: int = 10, level: float = 0.95
) -> Calibration:
    """Return expected calibration error over equally wide bins of confidence (0 to 1), empty ones left out.

    `errors`: 1 for a wrong row, 0 for a right one. The error is the mean distance between confidence and the share
    right, each bin weighted by its rows.
    """
    _same_rows(confidence, errors)
    if bins < 1 or not all(0.0 <= one <= 1.0 for one in confidence):
        raise MetricsInvalid("Confidence must lie between 0 and 1.", hint="Give calibrated probabilities.")
    members: dict[int, list[int]] = {}
    for row, one in enumerate(confidence):
        members.setdefault(min(bins - 1, int(one * bins)), []).append(row)
    made = []
    for place, rows in sorted(members.items()):
        right = clopper_pearson(sum(not errors[row] for row in rows), len(rows), level)
        mean = math.fsum(confidence[row] for row in rows) / len(rows)
        made.append(CalibrationBin(place / bins, (place + 1) / bins, len(rows), mean, right))
    ece = math.fsum(one.n * abs(one.confidence - one.right.value) for one in made) / len(confidence)
    return Calibration(ece, tuple(made))


def coverage_risk(
    scores: Sequence[float], errors: Sequence[float], *, points: int = 50, level: float = 0.95
) -> tuple[CoveragePoint, ...]:
    """Return risk by coverage, from the surest rows to all of them, at most `points` of them.

    Equal scores stay together. The curve describes these rows; a threshold picked from it certifies nothing.
    """
    _same_rows(scores, errors)
    if points < 1 or not all(math.isfinite(score) for score in scores):
        raise MetricsInvalid("Scores must be finite numbers.", hint="Drop rows without a score before.")
    order = sorted(range(len(scores)), key=lambda row: -scores[row])
    n, wrong = len(order), 0
    made: list[CoveragePoint] = []
    shown = 0
    for place, row in enumerate(order, start=1):
        wrong += bool(errors[row])
        if place < n and scores[order[place]] == scores[row]:
            continue
        if place == n or place * points // n > shown:
            shown = place * points // n
            made.append(CoveragePoint(place / n, float(scores[row]), clopper_pearson(wrong, place, level)))
    return tuple(made)


def compare(
    truth: Sequence[str],
    champion: Sequence[str],
    challenger: Sequence[str],
    *,
    level: float = 0.95,
    seed: int = 0,
) -> PairedComparison:
    """Return champion and challenger on the same rows; a positive difference favours the challenger."""
    _same_rows(truth, champion, challenger)
    first = [float(a == b) for a, b in zip(truth, champion, strict=True)]
    second = [float(a == b) for a, b in zip(truth, challenger, strict=True)]
    only_first = sum(a > b for a, b in zip(first, second, strict=True))
    only_second = sum(a < b for a, b in zip(first, second, strict=True))
    return PairedComparison(
        n=len(truth),
        champion=accuracy(truth, champion, level),
        challenger=accuracy(truth, challenger, level),
        difference=paired_bootstrap(first, second, level=level, seed=seed),
        only_champion=only_first,
        only_challenger=only_second,
        p_value=mcnemar(only_first, only_second),
    )


def _same_rows(*columns: Sequence[Any]) -> None:
    lengths = {len(column) for column in columns}
    if len(lengths) != 1 or 0 in lengths:
        found = ", ".join(str(len(column)) for column in columns)
        raise MetricsInvalid(f"The columns hold {found} rows.", hint="Give the same rows in each, at least one.")
