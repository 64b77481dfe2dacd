"""The promise of a certificate for losses, on populations that are built to break it."""

from __future__ import annotations

import numpy as np
import pytest

from handrail.cycle.review.certificates.betting import walk
from handrail.cycle.review.certificates.curves import grid
from handrail.cycle.review.certificates.losses import certify_loss, certify_loss_designed, design_loss
from handrail.cycle.review.loss import CostTable

DELTA, ALPHA, LABELS, REPEATS = 0.1, 0.05, 400, 400
_GRID = np.linspace(0.0, 1.0, 2001)


def _plateau(scores: np.ndarray) -> np.ndarray:
    """A mean loss a hair above alpha everywhere but at the very top."""
    return np.where(scores > 0.9, 0.2 * ALPHA, 1.11 * ALPHA)


def _islands(scores: np.ndarray) -> np.ndarray:
    return ALPHA * (1.0 + 0.9 * np.sin(25 * scores))


def _cliff(scores: np.ndarray) -> np.ndarray:
    return np.where(scores > 0.5, 0.8 * ALPHA, 8 * ALPHA)


SHAPES = {"plateau": _plateau, "islands": _islands, "cliff": _cliff}


def _draw(shape: str, law: str, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return scores uniform on (0, 1) and losses with the shape's mean: rarely 1, often small, or spread."""
    scores = rng.random(n)
    mean = SHAPES[shape](scores)
    if law == "rare":
        return scores, (rng.random(n) < mean).astype(float)
    if law == "cheap":
        return scores, 0.25 * (rng.random(n) < np.minimum(4 * mean, 1.0))
    return scores, np.minimum(rng.beta(0.5, 0.5 * (1 - mean) / mean, n), 1.0)


def _risk(shape: str, threshold: float) -> float:
    inside = _GRID[threshold <= _GRID]
    return float(SHAPES[shape](inside).mean()) if len(inside) else 0.0


@pytest.mark.parametrize("law", ["rare", "cheap", "spread"])
@pytest.mark.parametrize("shape", list(SHAPES))
def test_a_wrong_certificate_is_rare(shape: str, law: str) -> None:
    rng = np.random.default_rng([list(SHAPES).index(shape), len(law)])
    unlabelled = rng.random(2000)
    training = _draw(shape, law, 600, rng)
    thresholds, coverages = grid(unlabelled)
    drawn = _draw(shape, law, LABELS, rng)
    first = certify_loss(*drawn, unlabelled=unlabelled, training=training, alpha=ALPHA, delta=DELTA)
    terms = (first.path, thresholds, coverages)  # they do not depend on the labels: choosing them once is the same
    assert walk(*terms, drawn, ALPHA, DELTA, first.bets, 1.0)[0] == list(first.steps)
    wrong = naive = 0
    for _ in range(REPEATS):
        scores, losses = _draw(shape, law, LABELS, rng)
        made = walk(*terms, (scores, losses), ALPHA, DELTA, first.bets, 1.0)[1]
        wrong += made is not None and _risk(shape, made.threshold) > ALPHA * 1.001
        order = np.argsort(-scores)
        means = losses[order].cumsum() / np.arange(1, LABELS + 1)
        good = np.flatnonzero(means[30:] <= ALPHA)
        naive += bool(len(good)) and _risk(shape, float(scores[order][30 + good[-1]])) > ALPHA * 1.001
    assert wrong / REPEATS <= DELTA + 3 * (DELTA * (1 - DELTA) / REPEATS) ** 0.5
    if shape == "plateau":
        assert naive / REPEATS > 2 * DELTA, "the loosest threshold with a mean of at most alpha must fail here"


TABLE = CostTable({"dear": {"said": 1.0}, "cheap": {"said": 0.2}})
CHEAP_AS_NOTHING = CostTable({"dear": {"said": 1.0}, "cheap": {"said": 0.0}})
_TRUE = np.array(["said", "dear", "cheap"])


def _answers(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return scores, and right answers where the model says "said": its mean loss by `TABLE` is the plateau's.

    Nine tenths of that mean lie in mistakes that cost 0.2, one tenth in those that cost 1.
    """
    scores = rng.random(n)
    mean, lot = _plateau(scores), rng.random(n)
    return scores, _TRUE[np.where(lot < 0.1 * mean, 1, np.where(lot < 4.6 * mean, 2, 0))]


def test_a_cost_table_keeps_its_promise_and_leaving_cheap_mistakes_out_breaks_it() -> None:
    rng = np.random.default_rng(11)
    unlabelled, (known, known_true) = rng.random(2000), _answers(600, rng)
    wrong = {}
    for name, table in (("priced", TABLE), ("left out", CHEAP_AS_NOTHING)):
        price = {true: table.of("said", str(true)) for true in _TRUE}
        training = (known, [price[true] for true in known_true])
        plan = design_loss(unlabelled, training, labels=LABELS, alpha=ALPHA, delta=DELTA)
        issued, broken, repeats = 0, 0, 300
        for _ in range(repeats):
            scores, true = _answers(LABELS, rng)
            losses = [price[one] for one in true]
            made = certify_loss_designed(plan, scores, losses, unlabelled=unlabelled, training=training)
            issued += made.threshold is not None
            broken += made.threshold is not None and _risk("plateau", made.threshold) > ALPHA * 1.001
        assert issued
        wrong[name] = broken / repeats
    assert wrong["priced"] <= DELTA + 3 * (DELTA * (1 - DELTA) / 300) ** 0.5
    assert wrong["left out"] > 0.5, "a table that calls cheap mistakes free lets the mean loss through"
