"""Shrunk Dawid-Skene: the posterior of every item's class from nominal answers, with four layers of shrinkage.

Each reviewer's confusion matrix is shrunk to what their answer bias and skill say, and these to one accuracy of the
panel, so that few answers never say much about a person. The panel's own matrix is symmetric on purpose: a free one
moves the borders between classes away from what most people answer. Source of the plain method: Dawid and Skene,
Applied Statistics 28 (1979); the layers and their constants are our own, measured in bench/truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.special import gammaln

from handrail.cycle.annotate.truth.answers import Answers, Floats

ROUNDS = 50
TOLERANCE = 1e-4
STRENGTHS = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 256.0)
_START_SHARE = 0.5
_HEAVY = 20.0  # answers over which a reviewer's weight in the panel hardly grows
_BIAS, _SKILL, _TILT = 4.0, 8.0, 5.0
_TINY = 1e-9


@dataclass(frozen=True)
class Incidence:
    """Which (reviewer, answer) pairs each item has: a half step is one product with it, or with its transpose.

    The transpose is never stored: scattering into the small table of counts is ten times as fast as gathering items.
    """

    by_item: Any
    items: int
    reviewers: int
    classes: int

    @classmethod
    def of(cls, answers: Answers) -> Incidence:
        """Return the incidence of answers."""
        items, reviewers, classes = len(answers.items), len(answers.reviewers), len(answers.classes)
        place = answers.reviewer * classes + answers.answer
        if (np.diff(answers.item) < 0).any():
            place = place[np.argsort(answers.item, kind="stable")]
        ends = np.concatenate([[0], np.cumsum(answers.per_item())])
        width = np.int32 if max(len(answers), reviewers * classes) < 2**31 else np.int64
        parts = np.ones(len(answers)), place.astype(width), ends.astype(width)
        return cls(csr_array(parts, shape=(items, reviewers * classes)), items, reviewers, classes)

    def evidence(self, theta: Floats) -> Floats:
        """Return the summed log theta of each item's answers, items x classes."""
        log = np.log(theta).transpose(0, 2, 1).reshape(-1, self.classes)
        return np.asarray(self.by_item @ np.ascontiguousarray(log))

    def counts(self, posterior: Floats) -> Floats:
        """Return the expected counts N[w, j, l], reviewers x truth x answer."""
        found = np.asarray(self.by_item.T @ posterior)
        return found.reshape(self.reviewers, self.classes, self.classes).transpose(0, 2, 1)


@dataclass(frozen=True)
class Panel:
    """What all reviewers are shrunk to: `accuracy` of the panel, `strength` of the last layer in answers a class."""

    accuracy: float
    strength: float


@dataclass(frozen=True)
class Fit:
    """A fitted model: `prior` of the classes, `theta[w, j, l]` = P(w answers l | truth j), `evidence` of the items."""

    prior: Floats
    theta: Floats
    panel: Panel
    counts: Floats
    evidence: Floats
    rounds: int

    def posterior(self, gamma: float = 1.0) -> Floats:
        """Return the items' posterior, with the evidence raised to `gamma`: below 1 where answers are alike."""
        return normalized(np.log(self.prior) + gamma * self.evidence)


def normalized(log: Floats) -> Floats:
    """Return rows of log weights as probabilities."""
    # Column by column: numpy reduces a short last axis several times slower.
    highest = log[:, 0].copy()
    for column in range(1, log.shape[1]):
        np.maximum(highest, log[:, column], out=highest)
    found = log - highest[:, None]
    np.exp(found, out=found)
    total = found[:, 0].copy()
    for column in range(1, log.shape[1]):
        total += found[:, column]
    found /= total[:, None]
    return found


def start(votes: Floats) -> Floats:
    """Return the posterior before the first round: votes, and half a vote in the shares of all answers."""
    shares = votes.sum(axis=0) / max(votes.sum(), 1.0)
    found = votes + _START_SHARE * np.maximum(shares, _TINY)
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def prior_of(posterior: Floats) -> Floats:
    """Return the share of each class, one item of each added."""
    items, classes = posterior.shape
    return np.asarray((posterior.sum(axis=0) + 1.0) / (items + classes))


def panel_accuracy(counts: Floats) -> float:
    """Return the panel's one accuracy; a reviewer with many answers never owns the panel."""
    answers = counts.sum(axis=(1, 2))
    panel = np.einsum("w,wjl->jl", 1.0 / (answers + _HEAVY), counts)
    panel *= answers.sum() / max(panel.sum(), _TINY)
    return float(np.clip((np.trace(panel) + 0.7) / (panel.sum() + 1.0), 1e-3, 1 - 1e-3))


def shrunk(counts: Floats, accuracy: float) -> tuple[Floats, Floats]:
    """Return layers 2 and 3 of each reviewer, M[w, j, l], and the answers n[w, j] expected of each class."""
    classes = counts.shape[1]
    base = np.full((classes, classes), (1.0 - accuracy) / max(classes - 1, 1))
    np.fill_diagonal(base, accuracy)
    of_class = counts.sum(axis=2)
    total = np.maximum(of_class.sum(axis=1, keepdims=True), _TINY)
    expected = np.maximum(of_class @ base, _TINY)
    share = expected / total
    bias = (counts.sum(axis=1) + _BIAS * share) / (expected + _BIAS * share)
    bias = np.where(total > 2 * _TINY, bias, 1.0)
    biased = base[None] * bias[:, None, :]
    biased /= biased.sum(axis=2, keepdims=True)
    diagonal = np.clip(np.einsum("wjj->wj", biased), _TINY, 1 - _TINY)
    weight = np.where(total > 2 * _TINY, of_class / total, 1.0 / classes)
    mean = np.clip((diagonal * weight).sum(axis=1), _TINY, 1 - _TINY)
    right = np.einsum("wjj->w", counts)
    skill = np.clip((right + _SKILL * mean) / (of_class.sum(axis=1) + _SKILL), _TINY, 1 - _TINY)
    tilt = np.clip(_logit(skill) - _logit(mean), -_TILT, _TILT)
    tilted = np.clip(1.0 / (1.0 + np.exp(-_logit(diagonal) - tilt[:, None])), _TINY, 1 - _TINY)
    rest = biased * ((1.0 - tilted) / (1.0 - diagonal))[:, :, None]
    places = np.arange(classes)
    rest[:, places, places] = tilted
    return np.maximum(rest, _TINY), of_class


def confusion(counts: Floats, panel: Panel) -> Floats:
    """Return theta[w, j, l]: all four layers, with the panel as it is."""
    shrunk_to, of_class = shrunk(counts, panel.accuracy)
    return np.asarray((counts + panel.strength * shrunk_to) / (of_class + panel.strength)[:, :, None])


def likeliest_strength(counts: Floats, shrunk_to: Floats, of_class: Floats) -> float:
    """Return the strength whose Dirichlet-multinomial likelihood of the expected counts is largest."""
    seen = of_class > 1e-6
    counts, shrunk_to, of_class = counts[seen], shrunk_to[seen], of_class[seen]
    if not len(of_class):
        return STRENGTHS[-1]

    def likelihood(s: float) -> float:
        whole = gammaln(s) - gammaln(of_class + s)
        parts = gammaln(counts + s * shrunk_to) - gammaln(s * shrunk_to)
        return float(whole.sum() + parts.sum())

    return max(STRENGTHS, key=likelihood)


def fit(
    incidence: Incidence,
    votes: Floats,
    *,
    strength: float | None = None,
    rounds: int = ROUNDS,
    tolerance: float = TOLERANCE,
) -> Fit:
    """Fit by expectation maximization; `strength` None takes the likeliest one in every round.

    `votes`: items x classes. Ends when the posterior moves by less than `tolerance` on average, or after `rounds`.
    """
    posterior = start(votes)
    done = 0
    while True:
        prior, counts = prior_of(posterior), incidence.counts(posterior)
        accuracy = panel_accuracy(counts)
        shrunk_to, of_class = shrunk(counts, accuracy)
        s = likeliest_strength(counts, shrunk_to, of_class) if strength is None else strength
        theta = (counts + s * shrunk_to) / (of_class + s)[:, :, None]
        evidence = incidence.evidence(theta)
        after = normalized(np.log(prior) + evidence)
        done += 1
        moved = float(np.abs(after - posterior).mean())
        posterior = after
        if done >= rounds or moved < tolerance:
            return Fit(prior, theta, Panel(accuracy, s), counts, evidence, done)


def _logit(p: Floats) -> Floats:
    return np.asarray(np.log(p) - np.log1p(-p))
