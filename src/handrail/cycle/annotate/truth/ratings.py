"""Ratings on a scale: shift, stretch and noise of every reviewer, and the value of every item with its interval.

y = b_w + a_w x_i + e with e ~ N(0, s_w^2): who rates high, who uses the whole scale, who is noisy. Most of what is won
over a mean is shrinkage to the panel; the model of reviewers is used only where held-out ratings say it predicts
better. Heavy tails and the median are worse on every set that was measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from handrail.cycle.annotate.truth.answers import Floats, Ints

ROUNDS = 40
LEVEL = 0.90
_Z = 1.6448536269514722
_NOISE, _ITEM_NOISE = 8.0, 6.0
_LEAST_ANSWERS = 20  # on average, below which reviewers are not modelled
_FOLDS, _FOLD_LEAST = 3, 3

RatingMode = Literal["shrunk_mean", "reviewers"]


@dataclass(frozen=True)
class Ratings:
    """The value of every item with its 90 % model interval, and each reviewer's shift, stretch and noise.

    `mode`: "shrunk_mean" knows no reviewers, so all shifts are 0 and stretches 1. The interval is the model's: too
    short where reviewers differ much.
    """

    value: Floats
    low: Floats
    high: Floats
    shift: Floats
    stretch: Floats
    noise: Floats
    mode: RatingMode


def rate(
    item: Ints, reviewer: Ints, rating: Floats, items: int, reviewers: int, *, known: bool, seed: int = 0
) -> Ratings:
    """Fit ratings given as codes; `known` False says that the reviewers are no persons: then a shrunk mean, always."""
    if known and len(item) / max(reviewers, 1) >= _LEAST_ANSWERS and reviewers > 1:
        folds = _folds(item, items, seed)
        errors = {
            mode: sum(_held_out(item, reviewer, rating, items, reviewers, mode, hide) for hide in folds)
            for mode in ("shrunk_mean", "reviewers")
        }
        if errors["reviewers"] < errors["shrunk_mean"]:
            return _fit(item, reviewer, rating, items, reviewers, "reviewers")
    return _fit(item, reviewer, rating, items, reviewers, "shrunk_mean")


def _folds(item: Ints, items: int, seed: int) -> list[Ints]:
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(item))
    order = shuffled[np.argsort(item[shuffled], kind="stable")]
    many = np.bincount(item, minlength=items)
    rank = np.empty(len(item), dtype=np.int64)
    rank[order] = np.arange(len(item)) - (np.cumsum(many) - many)[item[order]]
    return [np.flatnonzero((many[item] >= _FOLD_LEAST) & (rank == fold)) for fold in range(_FOLDS)]


def _held_out(
    item: Ints, reviewer: Ints, rating: Floats, items: int, reviewers: int, mode: RatingMode, hide: Ints
) -> float:
    keep = np.ones(len(item), dtype=bool)
    keep[hide] = False
    found = _fit(item[keep], reviewer[keep], rating[keep], items, reviewers, mode)
    said = found.shift[reviewer[hide]] + found.stretch[reviewer[hide]] * found.value[item[hide]]
    return float(((rating[hide] - said) ** 2).sum())


@dataclass
class _State:
    """What the rounds improve: item values with their variance, and the reviewers' lines around the mean."""

    x: Floats
    variance: Floats
    shift: Floats
    stretch: Floats
    noise: Floats
    mean: float
    spread: float


def _fit(item: Ints, reviewer: Ints, rating: Floats, items: int, reviewers: int, mode: RatingMode) -> Ratings:
    one = _begin(item, rating, items, reviewers)
    line = np.stack([np.full(reviewers, 0.05), np.full(reviewers, 0.05)]).mean(axis=1)
    for _ in range(ROUNDS):
        _items(one, item, reviewer, rating, items)
        if mode == "reviewers":
            line = _lines(one, item, reviewer, rating, reviewers, line)
        else:
            _noise(one, item, reviewer, rating, reviewers, pooled=True)
        one.mean = float(one.x.mean())
        one.spread = max(float(((one.x - one.mean) ** 2 + one.variance).mean()), 1e-9)
    _items(one, item, reviewer, rating, items)
    return _result(one, item, reviewer, rating, items, mode)


def _begin(item: Ints, rating: Floats, items: int, reviewers: int) -> _State:
    many = np.maximum(np.bincount(item, minlength=items), 1)
    mean = float(rating.mean())
    x = (np.bincount(item, weights=rating, minlength=items) + mean) / (many + 1)
    noise = max(float(((rating - x[item]) ** 2).mean()), 1e-6)
    return _State(
        x, np.zeros(items), np.zeros(reviewers), np.ones(reviewers), np.full(reviewers, noise), mean,
        max(float(x.var()), 1e-6),
    )  # fmt: skip


def _items(one: _State, item: Ints, reviewer: Ints, rating: Floats, items: int) -> None:
    """Step (i): the value of each item given the reviewers' lines. A line is shift + mean + stretch (x - mean)."""
    stretch, noise = one.stretch[reviewer], one.noise[reviewer]
    precision = 1.0 / one.spread + np.bincount(item, weights=stretch**2 / noise, minlength=items)
    pull = np.bincount(item, weights=stretch * (rating - one.mean - one.shift[reviewer]) / noise, minlength=items)
    one.x = np.asarray(one.mean + pull / precision, dtype=float)
    one.variance = np.asarray(1.0 / precision, dtype=float)


def _lines(one: _State, item: Ints, reviewer: Ints, rating: Floats, reviewers: int, priors: Floats) -> Floats:
    """Steps (ii) and (iii): a ridge regression for each reviewer, then the spread of the lines by moments."""
    z, rest = one.x[item] - one.mean, rating - one.x[item]
    square = z**2 + one.variance[item]

    def summed(values: Floats) -> Floats:
        return np.asarray(np.bincount(reviewer, weights=values, minlength=reviewers), dtype=float)

    n, sz, szz = summed(np.ones(len(item))), summed(z), summed(square)
    # rest = shift + (stretch - 1) z + e, where x is uncertain: E[rest z] loses the variance of x.
    r, rz = summed(rest), summed(rest * z - one.variance[item])
    first = n / one.noise + 1.0 / priors[0]
    cross, second = sz / one.noise, szz / one.noise + 1.0 / priors[1]
    both = first * second - cross**2
    b = (second * r / one.noise - cross * rz / one.noise) / both
    a = (first * rz / one.noise - cross * r / one.noise) / both
    found = np.array([float((b**2 + second / both).mean()), float((a**2 + first / both).mean())])
    one.shift, one.stretch = b - b.mean(), 1.0 + a - a.mean()
    _noise(one, item, reviewer, rating, reviewers, pooled=False)
    return np.asarray(np.maximum(found, 1e-6))


def _noise(one: _State, item: Ints, reviewer: Ints, rating: Floats, reviewers: int, *, pooled: bool) -> None:
    stretch = one.stretch[reviewer]
    error = rating - one.mean - one.shift[reviewer] - stretch * (one.x[item] - one.mean)
    square = error**2 + stretch**2 * one.variance[item]
    panel = max(float(square.mean()), 1e-9)
    if pooled:
        one.noise = np.full(reviewers, panel)
        return
    n = np.bincount(reviewer, minlength=reviewers)
    one.noise = (np.bincount(reviewer, weights=square, minlength=reviewers) + _NOISE * panel) / (n + _NOISE)


def _result(one: _State, item: Ints, reviewer: Ints, rating: Floats, items: int, mode: RatingMode) -> Ratings:
    """Return values with intervals that heed how much an item's own raters disagree."""
    stretch, noise = one.stretch[reviewer], one.noise[reviewer]
    error = rating - one.mean - one.shift[reviewer] - stretch * (one.x[item] - one.mean)
    square = (error**2 + stretch**2 * one.variance[item]) / noise
    many = np.bincount(item, minlength=items)
    factor = (_ITEM_NOISE + np.bincount(item, weights=square, minlength=items)) / (_ITEM_NOISE + many)
    known = np.bincount(item, weights=stretch**2 / noise, minlength=items)
    variance = np.maximum(1.0 / (1.0 / one.spread + known / factor), 0.5 * one.variance)
    half = _Z * np.sqrt(variance)
    # What a reviewer would say is shift + stretch x with x itself, not its distance from the mean.
    shift = one.shift + one.mean * (1.0 - one.stretch)
    return Ratings(one.x, one.x - half, one.x + half, shift, one.stretch, one.noise, mode)
