"""What dashboards and drift detectors do with the same verdicts: each must fail here, or the benchmark is broken."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.oversight.populations import LEVEL
from bench.oversight.streams import CHANGE, LIFETIME

if TYPE_CHECKING:
    from numpy.typing import NDArray

WINDOW = 500


def verdicts(streams: int, *, changed: bool, seed: int) -> NDArray[np.bool_]:
    """Return uniform audits of every stream: error at the level, twice that after the change."""
    error = np.where(np.arange(LIFETIME) >= CHANGE, 2 * LEVEL if changed else LEVEL, LEVEL)
    found: NDArray[np.bool_] = np.random.default_rng(seed).random((streams, LIFETIME)) < error
    return found


def window_false_alarms(streams: int, seed: int) -> float:
    """Return how often a window of 500 audits, tested at 5 % at every step, cries wolf in a lifetime."""
    from scipy.stats import binom

    wrong = verdicts(streams, changed=False, seed=seed).cumsum(axis=1)
    limit = binom.isf(0.05, WINDOW, LEVEL)
    return float(((wrong[:, WINDOW:] - wrong[:, :-WINDOW]) > limit).any(axis=1).mean())


def _detectors() -> dict[str, Callable[[], Any]]:
    from river import drift

    return {
        "ADWIN 0.002": lambda: drift.ADWIN(delta=0.002),
        "Page-Hinkley default": drift.PageHinkley,
        "Page-Hinkley threshold 5": lambda: drift.PageHinkley(threshold=5),
        "DDM": drift.binary.DDM,
    }


def detector_figures(streams: int, seed: int) -> dict[str, tuple[float, float]]:
    """Return for each detector of river (false alarms in a lifetime, misses of the doubled error)."""
    still, doubled = (verdicts(streams, changed=changed, seed=seed + changed) for changed in (False, True))
    figures = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, make in _detectors().items():
            false = float(np.mean([_alarms(make(), one) is not None for one in still]))
            missed = float(np.mean([_alarms(make(), one, CHANGE) is None for one in doubled]))
            figures[name] = false, missed
    return figures


def _alarms(made: Any, stream: NDArray[np.bool_], after: int = 0) -> int | None:
    for number, wrong in enumerate(stream.tolist()):
        made.update(int(wrong))
        if made.drift_detected and number >= after:
            return number
    return None
