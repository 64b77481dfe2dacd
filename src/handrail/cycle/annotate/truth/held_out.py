"""Held-out answers choose: how far to trust the model's evidence, which candidate, and when to fall back to majority.

Agreement with a hidden answer is largest at what most people would answer, so none of this needs known truth. Hidden
answers of spammers and of people who are mostly wrong have no weight in the choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from handrail.cycle.annotate.truth.answers import Answers, Floats, Ints
from handrail.cycle.annotate.truth.dawid_skene import Fit, Incidence, fit

GAMMAS = tuple(round(0.1 * step, 1) for step in range(2, 11))
FOLDS = 3
_ROUNDS = 25
_CANDIDATES: dict[str, float | None] = {"symp": None, "symp4": 4.0}
_LEAST_Z = -1.0
_TIE = 1e-6  # of a vote: the model breaks ties and nothing else

Mode = Literal["model", "majority", "unchecked"]


@dataclass(frozen=True)
class Choice:
    """What held-out answers chose. `z`: the model's agreement with them against majority's, in standard errors."""

    mode: Mode
    strength: float | None
    gamma: float
    z: float | None = None
    hidden: int = 0


@dataclass(frozen=True)
class _Fold:
    """A fit without the hidden answers: `item`, `reviewer`, `answer` of those, and the votes that were left."""

    item: Ints
    reviewer: Ints
    answer: Ints
    votes: Floats
    fits: dict[str, Fit]


def choose(answers: Answers, *, seed: int = 0, among: NDArray[np.bool_] | None = None) -> Choice:
    """Return the choice for answers: no item with three answers leaves nothing to hide, and is "unchecked".

    `among`: the items of which answers may be hidden, all by default. Where more answers were asked for on hard items,
    only a random part of all items says how far answers may be trusted.
    """
    usable = answers.per_item() >= FOLDS
    if among is not None:
        usable &= among
    if not usable.any():
        return Choice("unchecked", None, 1.0)
    folds = [_fold(answers, hide & usable[answers.item]) for hide in _hidden(answers, seed)]
    best = {name: _best_gamma(folds, name) for name in _CANDIDATES}
    name = "symp"
    if best["symp4"][1] > best["symp"][1]:
        first, second = (_agreements(folds, each, best[each][0]) for each in ("symp4", "symp"))
        if _z(folds, first, second) >= _LEAST_Z:
            name = "symp4"
    gamma = best[name][0]
    model = _agreements(folds, name, gamma)
    z = _z(folds, model, _agreements(folds, name, gamma, majority=True))
    hidden = sum(len(one.item) for one in folds)
    return Choice("majority" if z < _LEAST_Z else "model", _CANDIDATES[name], gamma, z, hidden)


def majority(votes: Floats, posterior: Floats) -> Ints:
    """Return the commonest answer of each item, ties broken by the model."""
    return np.asarray((votes + _TIE * posterior).argmax(axis=1))


def _hidden(answers: Answers, seed: int) -> list[NDArray[np.bool_]]:
    """Return for each fold which answers it hides: one of every item that has three or more, at random."""
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(answers))
    order = shuffled[np.argsort(answers.item[shuffled], kind="stable")]
    many = answers.per_item()
    first = np.concatenate([[0], np.cumsum(many)[:-1]])
    rank = np.empty(len(answers), dtype=np.int64)
    rank[order] = np.arange(len(answers)) - first[answers.item[order]]
    enough = many[answers.item] >= FOLDS
    return [enough & (rank == fold) for fold in range(FOLDS)]


def _fold(answers: Answers, hide: NDArray[np.bool_]) -> _Fold:
    kept = answers.only(~hide)
    incidence, votes = Incidence.of(kept), kept.votes()
    fits = {name: fit(incidence, votes, strength=strength, rounds=_ROUNDS) for name, strength in _CANDIDATES.items()}
    return _Fold(answers.item[hide], answers.reviewer[hide], answers.answer[hide], votes, fits)


def _best_gamma(folds: list[_Fold], name: str) -> tuple[float, float]:
    """Return the gamma under which the hidden answers are likeliest, and that log likelihood."""

    def likelihood(gamma: float) -> float:
        total = 0.0
        for one in folds:
            theta = one.fits[name].theta[one.reviewer, :, one.answer]
            chance = (one.fits[name].posterior(gamma)[one.item] * theta).sum(axis=1)
            total += float(np.log(chance).sum())
        return total

    return max(((gamma, likelihood(gamma)) for gamma in GAMMAS), key=lambda one: one[1])


def _agreements(folds: list[_Fold], name: str, gamma: float, *, majority: bool = False) -> list[Floats]:
    """Return for each fold whether the label, of the model or of the majority, is the hidden answer, weighted."""
    found = []
    for one in folds:
        posterior = one.fits[name].posterior(gamma)
        label = _majority(one.votes, posterior) if majority else posterior.argmax(axis=1)
        agrees = (label[one.item] == one.answer).astype(float)
        found.append(agrees * weights(one.fits["symp"].theta)[one.reviewer])
    return found


_majority = majority


def weights(theta: Floats) -> Floats:
    """Return what a reviewer's hidden answer counts: nothing when it does not depend on the truth, or is worse."""
    informs = np.maximum(0.0, 1.0 - theta.min(axis=1).sum(axis=1))
    accuracy = np.einsum("wjj->w", theta) / theta.shape[1]
    return np.asarray(np.where(accuracy < 1.0 / theta.shape[1], 0.0, informs))


def _z(folds: list[_Fold], first: list[Floats], second: list[Floats]) -> float:
    """Return the paired difference of agreement, summed by item, in standard errors; 0 without any difference."""
    items = np.concatenate([one.item for one in folds])
    difference = np.concatenate(first) - np.concatenate(second)
    by_item = np.bincount(items, weights=difference)[np.unique(items)]
    spread = float(by_item.std())
    return float(by_item.sum() / (spread * len(by_item) ** 0.5)) if spread > 0 else 0.0
