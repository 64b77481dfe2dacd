"""Risk curves built to break certificates: each errs a hair more than alpha where a rule would like to stop."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

ALPHA, DELTA = 0.05, 0.1

Curve = Callable[[np.ndarray], np.ndarray]


def plateau(s: np.ndarray) -> np.ndarray:
    """Keep the risk a hair above alpha at every threshold."""
    return np.full_like(s, ALPHA * 1.001)


def cliff(s: np.ndarray) -> np.ndarray:
    """Lure with a clean top that is too small to certify, then hold the risk just above alpha."""
    return np.select([s > 0.9, s > 0.8], [0.0, 2 * ALPHA * 1.001], ALPHA * 1.001)


def islands(s: np.ndarray) -> np.ndarray:
    """Cross alpha again and again."""
    return np.where((s * 10).astype(int) % 2 == 0, 0.5 * ALPHA, 1.55 * ALPHA)


def overconfident(s: np.ndarray) -> np.ndarray:
    """Err most where the model is surest."""
    return np.where(s > 0.7, 1.3 * ALPHA, 0.88 * ALPHA)


def draw(rng: np.random.Generator, curve: Curve, *size: int, least: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Draw (scores, errors) with scores uniform from `least` to 1."""
    scores = least + (1 - least) * rng.random(size)
    return scores, (rng.random(size) < curve(scores)).astype(float)


def true_risks(curve: Curve, thresholds: np.ndarray) -> np.ndarray:
    """Return the error of everything at or above each threshold."""
    points = (np.arange(100_000) + 0.5) / 100_000
    below = np.concatenate([[0.0], np.cumsum(curve(points))])
    first = np.searchsorted(points, thresholds)
    return (below[-1] - below[first]) / np.maximum(len(points) - first, 1)
