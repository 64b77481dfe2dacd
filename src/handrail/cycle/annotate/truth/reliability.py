"""How reliable reviewers are: agreement with peers, with honest intervals, and who stands clearly apart.

Peer agreement is the chance that another reviewer's answer to the same item is the same. It needs no truth, and is not
accuracy: on hard items everybody agrees less.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

import numpy as np

from handrail.cycle.annotate.truth.answers import Answers, Floats
from handrail.foundation.statistics import Interval

LEVEL = 0.90
LEAST_SHOWN, LEAST_COMPARED = 15, 30
_DRAWS = 2000
_SURE = 0.95

Tier = Literal["above", "within", "below"]


@dataclass(frozen=True)
class Reliability:
    """What is known of one reviewer: `answers` in all, `with_peer` on items that others answered too.

    `agreement`: peer agreement with its interval at 90 %, None under 15 answers with a peer. `tier`: against the
    panel's mean, None where no comparison is made. `why`: the reason of whatever is None.
    """

    reviewer: Any
    answers: int
    with_peer: int
    agreement: Interval | None
    tier: Tier | None
    why: str = ""


@dataclass(frozen=True)
class Peers:
    """Peer agreement by reviewer code: `mean`, the number of answers with a peer `n`, and what they are worth."""

    mean: Floats
    n: Floats
    worth: Floats


def peers(answers: Answers) -> Peers:
    """Return the peer agreement of every reviewer; `worth` is the number of answers that the interval counts with."""
    votes, total = answers.votes(), answers.per_item()
    many = total[answers.item]
    has = many > 1
    share = (votes[answers.item, answers.answer][has] - 1.0) / (many[has] - 1.0)
    who, reviewers = answers.reviewer[has], len(answers.reviewers)
    n = np.bincount(who, minlength=reviewers).astype(float)
    safe = np.maximum(n, 1.0)
    mean = np.bincount(who, weights=share, minlength=reviewers) / safe
    square = np.bincount(who, weights=share**2, minlength=reviewers) / safe
    spread = np.maximum(square - mean**2, 0.0) * safe / np.maximum(safe - 1.0, 1.0)
    # The share of several peers varies less than one yes or no, so an answer is worth up to four of them.
    with np.errstate(divide="ignore", invalid="ignore"):
        times = np.where(spread > 0, mean * (1.0 - mean) / spread, 1.0)
    return Peers(mean, n, n * np.clip(times, 1.0, 4.0))


def wilson_of(share: float, worth: float, n: int, level: float = LEVEL) -> Interval:
    """Return Wilson's interval of a share that is worth `worth` answers, a number that need not be whole."""
    z = NormalDist().inv_cdf(1.0 - (1.0 - level) / 2.0)
    middle = (share + z * z / (2 * worth)) / (1 + z * z / worth)
    half = z / (1 + z * z / worth) * ((share * (1 - share) + z * z / (4 * worth)) / worth) ** 0.5
    return Interval(share, max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half)), n, level)


def tiers(found: Peers, compared: Floats, *, seed: int = 0) -> Floats:
    """Return for each reviewer of `compared` (codes) the chance to lie above the panel's mean.

    The logits are shrunk to the panel by a normal prior whose mean and spread come from the panel itself.
    """
    codes = np.asarray(compared, dtype=np.int64)
    worth = found.worth[codes]
    share = (found.mean[codes] * worth + 0.5) / (worth + 1.0)
    logit = np.log(share) - np.log1p(-share)
    variance = 1.0 / (worth * share * (1.0 - share))
    centre, spread = _panel(logit, variance)
    weight = spread / (spread + variance)
    mean, deviation = centre + weight * (logit - centre), np.sqrt(weight * variance)
    drawn = mean + deviation * np.random.default_rng(seed).standard_normal((_DRAWS, len(codes)))
    chance = 1.0 / (1.0 + np.exp(-drawn))
    above = chance > chance.mean(axis=1, keepdims=True)
    return np.asarray(above.mean(axis=0))


def _panel(logit: Floats, variance: Floats) -> tuple[float, float]:
    """Return mean and variance of the true logits by moments, weighted, in a few rounds."""
    spread = max(float(logit.var() - variance.mean()), 1e-4)
    centre = float(logit.mean())
    for _ in range(20):
        weight = 1.0 / (spread + variance)
        centre = float((weight * logit).sum() / weight.sum())
        residual = float((weight * ((logit - centre) ** 2 - variance)).sum() / weight.sum())
        spread = max(residual, 1e-4)
    return centre, spread


def reliabilities(answers: Answers, allowed: dict[int, str], *, seed: int = 0) -> list[Reliability]:
    """Return every reviewer's figures; `allowed` maps the code of those who are not compared to the reason.

    Nothing is shown under 15 answers with a peer, nobody is compared under 30. An anonymous answer is nobody's.
    """
    found, given = peers(answers), answers.per_reviewer()
    compared = [code for code in range(len(given)) if code not in allowed and found.n[code] >= LEAST_COMPARED]
    chance = tiers(found, np.asarray(compared, dtype=float), seed=seed) if len(compared) > 1 else np.zeros(0)
    of_code = dict(zip(compared, chance.tolist(), strict=False))
    return [_one(answers, found, code, int(given[code]), of_code, allowed.get(code, "")) for code in range(len(given))]


def _one(answers: Answers, found: Peers, code: int, given: int, above: dict[int, float], refused: str) -> Reliability:
    n = int(found.n[code])
    shown = None
    if n >= LEAST_SHOWN:
        shown = wilson_of(float(found.mean[code]), float(found.worth[code]), n)
    tier: Tier | None = None
    why = refused
    if code in above:
        tier = "above" if above[code] > _SURE else "below" if above[code] < 1 - _SURE else "within"
    elif shown is None or (not why and n < LEAST_COMPARED):
        least = LEAST_SHOWN if shown is None else LEAST_COMPARED
        why = f"{n} answers to items that others answered too; {least} are needed"
    elif not why:
        why = "there is nobody to compare with"
    return Reliability(answers.reviewers[code], given, n, shown, tier, why)
