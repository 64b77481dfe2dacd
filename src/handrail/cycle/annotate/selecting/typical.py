"""The start: typical items, one from each large cluster, before there is a model. Pure.

Source of the idea: Hacohen, Dekel and Weinshall, ICML 2022 (TypiClust).
"""

from __future__ import annotations

import numpy as np

from handrail.cycle.annotate.selecting.clusters import k_means
from handrail.cycle.annotate.selecting.terms import Floats, Ints

SAMPLED = 20_000
"""Of a larger pool this many items, drawn at random, are looked at."""
PROJECTED = 32
"""Dimensions that wider vectors are projected to where the pool is sampled."""
_NEIGHBOURS = 20
_MEMBERS = 400
_SMALLEST = 5


def typical(
    features: Floats, eligible: Ints, taken: Ints, clusters: int, count: int, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Return up to `count` typical places of `eligible` and the cluster of each.

    k-means with `clusters` clusters over `eligible` and `taken`, which hold or get labels otherwise; from the biggest
    cluster down, the item with the smallest mean distance to its 20 nearest neighbours in each cluster that holds none
    of `taken`. Where those run out, every cluster gives its next typical one, again from the biggest down.
    """
    if count <= 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    if len(eligible) > SAMPLED:
        eligible = np.sort(rng.choice(eligible, SAMPLED, replace=False))
    places = np.concatenate([eligible, taken])
    rows = _rows(features, places, rng)
    cluster = k_means(rows, clusters, rng)
    sizes = np.bincount(cluster[: len(eligible)], minlength=clusters)
    held = np.isin(np.arange(len(sizes)), cluster[len(eligible) :])
    biggest = np.argsort(-sizes, kind="stable")
    free = [one for one in biggest if sizes[one] >= _SMALLEST and not held[one]][:count]
    ranked = {one: _by_typicality(rows, np.flatnonzero(cluster[: len(eligible)] == one), rng) for one in free}
    chosen = [(int(ranked[one][0]), int(one)) for one in free]
    if len(chosen) < count:
        chosen += _second_best(rows, cluster[: len(eligible)], biggest, chosen, count - len(chosen), rng)
    at = np.array([place for place, _ in chosen], dtype=np.int64)
    return eligible[at], np.array([one for _, one in chosen], dtype=np.int64)


def _rows(features: Floats, places: Ints, rng: np.random.Generator) -> Floats:
    rows = np.asarray(features[places], dtype=np.float32)
    if len(features) <= SAMPLED or rows.shape[1] <= PROJECTED:
        return rows
    # One random projection (Johnson and Lindenstrauss 1984) keeps distances well enough to find clusters.
    onto = rng.standard_normal((rows.shape[1], PROJECTED)).astype(np.float32) / np.float32(PROJECTED**0.5)
    projected: Floats = rows @ onto
    return projected


def _by_typicality(rows: Floats, members: Ints, rng: np.random.Generator) -> Ints:
    """Return members from the most typical on; of more than 400 that many, drawn at random."""
    if len(members) > _MEMBERS:
        members = np.sort(rng.choice(members, _MEMBERS, replace=False))
    near = min(_NEIGHBOURS, len(members) - 1)
    if near < 1:
        return members
    some = rows[members].astype(np.float64)
    squares = np.einsum("ij,ij->i", some, some)
    distance = np.maximum(squares[:, None] + squares[None, :] - 2.0 * some @ some.T, 0.0)
    np.fill_diagonal(distance, np.inf)
    nearest = np.sqrt(np.partition(distance, near - 1, axis=1)[:, :near])
    return members[np.argsort(nearest.mean(axis=1), kind="stable")]


def _second_best(
    rows: Floats, cluster: Ints, biggest: Ints, chosen: list[tuple[int, int]], count: int, rng: np.random.Generator
) -> list[tuple[int, int]]:
    used = {place for place, _ in chosen}
    queues = [
        [(int(place), int(one)) for place in _by_typicality(rows, np.flatnonzero(cluster == one), rng)]
        for one in biggest
    ]
    more: list[tuple[int, int]] = []
    while len(more) < count and any(queues):
        for queue in queues:
            while queue and queue[0][0] in used:
                queue.pop(0)
            if queue and len(more) < count:
                used.add(queue[0][0])
                more.append(queue.pop(0))
    return more
