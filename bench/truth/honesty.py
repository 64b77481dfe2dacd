"""Are intervals as wide as they say, and is a comparison refused where it must be?"""

from __future__ import annotations

import numpy as np

from bench.truth.crowds import Crowd, drawn, made
from handrail.cycle.annotate.truth.answers import Answers, Floats, Ints
from handrail.cycle.annotate.truth.confounding import refusal
from handrail.cycle.annotate.truth.dawid_skene import Incidence, fit
from handrail.cycle.annotate.truth.reliability import LEAST_SHOWN, peers, wilson_of


def peer_coverage(given: Ints, seeds: int) -> float:
    """Return how often the 90 % interval of a person's peer agreement holds what all ratings of all texts say."""
    same = np.stack([(given == given[:, [w]]).sum(axis=1) - 1 for w in range(given.shape[1])], axis=1)
    truth = same.mean(axis=0) / (given.shape[1] - 1)
    inside = []
    for seed in range(seeds):
        found = peers(drawn(given, 3, seed, items=300).answers)
        for w in range(given.shape[1]):
            if found.n[w] >= LEAST_SHOWN:
                said = wilson_of(float(found.mean[w]), float(found.worth[w]), int(found.n[w]))
                inside.append(said.low <= truth[w] <= said.high)
    return float(np.mean(inside))


def naive_coverage(crowds: list[Crowd], skills: list[Floats]) -> float:
    """Return how often a Beta interval on expected counts holds a person's true accuracy: it must be too short."""
    from scipy.stats import beta

    inside = []
    for crowd, skill in zip(crowds, skills, strict=True):
        found = fit(Incidence.of(crowd.answers), crowd.answers.votes())
        right = np.einsum("wjj->w", found.counts)
        n = found.counts.sum(axis=(1, 2))
        low, high = beta.ppf(0.05, right + 1, n - right + 1), beta.ppf(0.95, right + 1, n - right + 1)
        inside += ((low <= skill) & (skill <= high))[n >= LEAST_SHOWN].tolist()
    return float(np.mean(inside))


def known_skill(seed: int) -> tuple[Crowd, Floats]:
    """Return a crowd of 40 people with three answers to each of 600 items, and everybody's true accuracy."""
    rng = np.random.default_rng(seed)
    truth, skill = rng.integers(0, 4, 600), rng.beta(6, 3, 40)
    item = np.repeat(np.arange(600), 3)
    who = np.concatenate([rng.permutation(40)[:3] for _ in range(600)])
    said = np.where(rng.random(1800) < skill[who], truth[item], (truth[item] + rng.integers(1, 4, 1800)) % 4)
    return Crowd(made(item, who, said, 600, 40, 4), truth), skill


def refused(given: Ints, mixing: float, seed: int, each: int = 3, items: int = 1500) -> bool:
    """Return whether a comparison is refused when people get, with weight `mixing`, the class that they prefer."""
    rng = np.random.default_rng(seed)
    given = given[rng.choice(len(given), items, replace=False)]
    counts = np.stack([(given == one).sum(axis=1) for one in range(3)], axis=1)
    label = counts.argmax(axis=1)
    likes = np.arange(given.shape[1]) % 3
    rows = []
    for i in range(items):
        weight = np.where(likes == label[i], mixing, (1 - mixing) / 2)
        rows.append(rng.choice(given.shape[1], each, replace=False, p=weight / weight.sum()))
    who = np.concatenate(rows)
    item = np.repeat(np.arange(items), each)
    answers: Answers = made(item, who, given[item, who], items, given.shape[1], 3)
    found = refusal(answers)
    return found is not None and found.code == "confounded"
