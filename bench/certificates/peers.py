"""What else chooses a threshold from the same labels: each returns a threshold, infinite for "automate nothing"."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import bdtr

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NOTHING = math.inf
GRID = 100


class Sorted:
    """Labels from most to least confident, with the p-value of "the error is above alpha" at each possible threshold.

    Equal scores stay together: `scores` are the different ones, `counts` and `errors` what lies at or above each.
    """

    def __init__(self, scores: Floats, errors: Floats, alpha: float) -> None:
        order = np.argsort(-scores, kind="stable")
        values = scores[order]
        ends = np.flatnonzero(np.append(values[1:] != values[:-1], [True]))
        self.scores, self.counts, self.errors = values[ends], ends + 1.0, errors[order].cumsum()[ends]
        # With more errors than expected the p-value is far above any level: 1 stands for it.
        few = self.errors <= alpha * self.counts
        self.p_values: Floats = np.ones(len(ends))
        self.p_values[few] = bdtr(self.errors[few], self.counts[few], alpha)
        self.alpha = alpha

    def loosest(self, good: NDArray[np.bool_]) -> float:
        """Return the lowest threshold where `good` holds."""
        places = np.flatnonzero(good)
        return float(self.scores[places[-1]]) if len(places) else NOTHING


def envelope_everywhere(labels: Sorted, delta: float) -> float:
    """Return the loosest of all thresholds with p <= delta. It looks at every one and pays for none: invalid."""
    return labels.loosest(labels.p_values <= delta)


def envelope(labels: Sorted, delta: float, grid: Floats) -> float:
    """Return the loosest of the given thresholds (from high to low) with p <= delta. Invalid as well."""
    counts = np.searchsorted(-labels.scores, -grid, side="right")
    good = np.concatenate([[False], labels.p_values <= delta])[counts]
    places = np.flatnonzero(good)
    return float(grid[places[-1]]) if len(places) else NOTHING


def grid_of(unlabelled: Floats) -> Floats:
    """Return 100 thresholds that let 1/100, 2/100, ... of the unlabelled scores through; the last lets all through."""
    descending = np.sort(unlabelled)[::-1]
    ranks = -(-np.arange(1, GRID + 1) * len(descending) // GRID)
    return np.append(descending[ranks - 1][:-1], [-math.inf])


def naive(labels: Sorted) -> float:
    """Return the loosest threshold whose observed error is at most alpha: what is usually done, without a guarantee."""
    return labels.loosest(labels.errors <= labels.alpha * labels.counts)


def sgr(labels: Sorted, delta: float) -> float:
    """Return the threshold of Selection with Guaranteed Risk (Geifman and El-Yaniv 2017, algorithm 2).

    A binary search over the sorted labels; each of its ceil(log2 n) exact binomial bounds holds with delta / that. A
    bound below alpha is the same as a p-value below the level, so no bound is solved for.
    """
    size = int(labels.counts[-1])
    steps = math.ceil(math.log2(size))
    low, high, found = 1, size, NOTHING
    for _ in range(steps):
        middle = math.ceil((low + high) / 2)  # the rank from below, as in the paper: a higher one automates less
        place = int(np.searchsorted(labels.counts, size - middle + 1))
        if labels.p_values[place] <= delta / steps:
            high, found = middle, min(found, float(labels.scores[place]))
        else:
            low = middle
    return found


def mapie(scores: Floats, errors: Floats, alpha: float, delta: float, method: str) -> float:
    """Return the threshold of MAPIE's controller: the precision of "the model is right" at least 1 - alpha.

    `method`: bonferroni_holm (its default, with its own 100 thresholds) or fixed_sequence (the same from high to low).
    """
    from mapie.risk_control import BinaryClassificationController, precision

    grid = np.linspace(0.0, 0.99, 100)
    controller = BinaryClassificationController(
        lambda rows: np.column_stack([1.0 - rows, rows]),
        precision,
        target_level=1.0 - alpha,
        confidence_level=1.0 - delta,
        list_predict_params=grid if method == "bonferroni_holm" else grid[::-1],
        fwer_method=method,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        controller.calibrate(scores, (1.0 - errors).astype(int))
    return NOTHING if controller.best_predict_param is None else float(controller.best_predict_param)


def singleton_cut(right: Floats, alpha: float) -> float:
    """Return the probability at which a class enters a conformal set at level 1 - alpha (LAC, split conformal).

    `right`: probabilities of the true class of the labelled items. An item is automated when one class alone enters.
    """
    rank = math.ceil((len(right) + 1) * (1.0 - alpha))
    return float(np.sort(right)[::-1][rank - 1]) if rank <= len(right) else 0.0
