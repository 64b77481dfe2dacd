"""A rare class: look where it is likely, spread over what its items look like. Pure.

Three known examples are worth more than any search without one; with none, only random draws are safe.
"""

from __future__ import annotations

import numpy as np

from handrail.cycle.annotate.selecting.clusters import k_means, one_of_each
from handrail.cycle.annotate.selecting.learner import logistic
from handrail.cycle.annotate.selecting.margin import cluster_margin, smallest
from handrail.cycle.annotate.selecting.terms import CHUNK, Floats, Ints

AGAINST = 300
"""Unlabelled items, drawn at random, that known examples are told apart from."""
ENOUGH = 10
"""With fewer labels a declared class is looked for."""
SELDOM = 0.05
"""Below this share of the audit sample a declared class is looked for."""


def is_rare(labels: int, audits: int, audits_with_it: int) -> bool:
    """Return whether a declared class is looked for: fewer than 10 labels, or under 5 % of the audit sample."""
    return labels < ENOUGH or (audits > 0 and audits_with_it / audits < SELDOM)


def like_known(
    features: Floats, known: Ints, eligible: Ints, count: int, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Return up to `count` of `eligible` that look most like the known examples, and the cluster of each.

    Known examples against 300 random unlabelled items, weighted alike; the top 3 x `count` in `count` clusters.
    """
    if count <= 0 or not len(eligible):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    against = rng.choice(eligible, min(AGAINST, len(eligible)), replace=False)
    rows = np.concatenate([features[known], features[against]])
    codes = np.repeat(np.array([1, 0]), [len(known), len(against)])
    predict = logistic(2, balanced=True)(rows, codes)
    chance = np.concatenate(
        [predict(features[eligible[at : at + CHUNK]])[:, 1] for at in range(0, len(eligible), CHUNK)]
    )
    return _diverse(features, eligible, chance, 3 * count, count, rng)


def likely(features: Floats, eligible: Ints, chance: Floats, count: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Return `count` of `eligible` with the highest `chance` of the rare class, spread, and the cluster of each."""
    return _diverse(features, eligible, chance, 2 * count, count, rng)


def at_the_edge(
    features: Floats,
    eligible: Ints,
    chance: Floats,
    margin: Floats,
    count: int,
    labelled: Ints,
    rng: np.random.Generator,
) -> tuple[Ints, Ints, int]:
    """Return `count` by cluster and margin among the 4 x `count` most likely of the rare class; also how many those."""
    top = smallest(-chance, 4 * count)
    found, clusters, looked = cluster_margin(features, eligible[top], margin[top], count, labelled, rng)
    return eligible[top[found]], clusters, looked


def _diverse(
    features: Floats, eligible: Ints, chance: Floats, among: int, count: int, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    top = smallest(-chance, among)
    clusters = k_means(features[eligible[top]], count, rng)
    best = one_of_each(clusters, np.arange(len(top)), count)
    return eligible[top[best]], clusters[best]
