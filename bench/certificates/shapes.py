"""Synthetic risk shapes: populations whose error probability is a function of the confidence.

The ordinary ones fall smoothly. The hostile ones are built against a test at a given alpha: they lie just above it over
a wide stretch, cross it again and again, are wrong where the model is surest, or fall off a cliff.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from bench.certificates.populations import JITTER, Population, seed_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ITEMS = 20_000
ORDINARY, HOSTILE = "shape", "hostile shape"
SOURCE = "generated here"

# Chance of an error at depth q: 0 is the most confident item, 1 the least.
_ORDINARY: dict[str, Callable[[Floats], Floats]] = {
    "smooth, easy": lambda q: 0.12 * q**3,
    "smooth, square": lambda q: 0.002 + 0.25 * q**2,
    "smooth, steep": lambda q: 0.5 / (1.0 + np.exp(-(q - 0.75) / 0.05)),
    "smooth, hard": lambda q: 0.004 + 0.5 * q**1.5,
    "smooth, two halves": lambda q: np.where(q < 0.5, 0.003 + 0.01 * q, 0.05 + 0.3 * (q - 0.5)),
    "smooth, long tail": lambda q: 0.3 * np.exp(-4.0 * (1.0 - q)),
}


def _plateau(q: Floats, alpha: float) -> Floats:
    return np.full_like(q, 1.0001 * alpha)


def _late_plateau(q: Floats, alpha: float) -> Floats:
    return np.where(q < 0.2, alpha, 1.03 * alpha)


def _islands(q: Floats, alpha: float) -> Floats:
    return np.where((q * 10).astype(int) % 2 == 0, 0.3 * alpha, 1.75 * alpha)


def _wide_islands(q: Floats, alpha: float) -> Floats:
    return np.where((q * 5).astype(int) % 2 == 0, 1.6 * alpha, 0.45 * alpha)


def _sure_and_wrong(q: Floats, alpha: float) -> Floats:
    return np.where(q < 0.05, 4.0 * alpha, np.where(q < 0.6, 0.4 * alpha, 3.0 * alpha))


def _sure_and_wrong_plateau(q: Floats, alpha: float) -> Floats:
    return np.where(q < 0.1, 2.0 * alpha, 0.91 * alpha)


def _cliff(q: Floats, alpha: float) -> Floats:
    return np.where(q < 0.5, 0.2 * alpha, 0.4)


def _step_to_the_limit(q: Floats, alpha: float) -> Floats:
    return np.where(q < 0.3, 0.5 * alpha, np.where(q < 0.6, 1.5 * alpha, 1.2 * alpha))


_HOSTILE: dict[str, Callable[[Floats, float], Floats]] = {
    "plateau just above alpha": _plateau,
    "plateau after the surest fifth": _late_plateau,
    "islands": _islands,
    "wide islands": _wide_islands,
    "sure and wrong": _sure_and_wrong,
    "sure and wrong, then near alpha": _sure_and_wrong_plateau,
    "cliff": _cliff,
    "step to the limit": _step_to_the_limit,
}
PLATEAU = "plateau just above alpha"
NAMES = tuple(_ORDINARY)
HOSTILE_NAMES = tuple(_HOSTILE)


def ordinary(name: str) -> Population:
    """Return one of the smooth populations."""
    return _population(name, ORDINARY, _ORDINARY[name](_depths()))


def hostile(name: str, alpha: float) -> Population:
    """Return the population that is built against tests at `alpha`."""
    return _population(name, HOSTILE, _HOSTILE[name](_depths(), alpha))


def _depths() -> Floats:
    return (np.arange(ITEMS) + 0.5) / ITEMS


def _population(name: str, kind: str, risks: Floats) -> Population:
    jitter = np.random.default_rng(seed_of(name)).uniform(0.0, JITTER, ITEMS)
    scores = 1.0 - 0.5 * _depths() + jitter
    order = np.argsort(-scores, kind="stable")
    return Population(name, kind, SOURCE, scores[order], np.minimum(risks, 1.0)[order])
