"""Batches by cluster and margin: items that the model is least sure of, spread over what they look like. Pure.

Source of the idea: Citovsky et al., NeurIPS 2021 (Cluster-Margin).
"""

from __future__ import annotations

import numpy as np

from handrail.cycle.annotate.selecting.clusters import k_means, one_of_each
from handrail.cycle.annotate.selecting.terms import CHUNK, Floats, Ints, Predict

CANDIDATES = 10
"""This many times as many items of small margin as are wanted are clustered."""
_TIE = 1e-9
_SAME = 1e-4


def margins(scores: Floats) -> Floats:
    """Return the largest minus the second largest of each row of class probabilities (n x C, C >= 2)."""
    two = np.partition(scores, -2, axis=1)[:, -2:]
    found: Floats = two[:, 1] - two[:, 0]
    return found


def margins_in_chunks(features: Floats, places: Ints, predict: Predict) -> Floats:
    """Return the margin of each of `places`, 20,000 rows of the pool in memory at a time."""
    found = np.empty(len(places), dtype=np.float32)
    for start in range(0, len(places), CHUNK):
        some = places[start : start + CHUNK]
        # A run of neighbours is read in one piece, which a file in memory likes.
        whole = int(some[-1] - some[0]) + 1 == len(some) and bool((np.diff(some) == 1).all())
        rows = features[int(some[0]) : int(some[-1]) + 1] if whole else features[some]
        found[start : start + CHUNK] = margins(predict(rows))
    return found


def cluster_margin(
    features: Floats, places: Ints, margin: Floats, count: int, labelled: Ints, rng: np.random.Generator
) -> tuple[Ints, Ints, int]:
    """Return positions in `places` of up to `count` items, the cluster of each, and how many candidates there were.

    The 10 x `count` smallest margins are candidates, copies of each other and of labelled items left out; k-means with
    `count` clusters; the smallest margin of each cluster, filled up by margin. Ties fall to seeded noise.
    """
    if count <= 0 or not len(places):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), 0
    noisy = np.asarray(margin, dtype=np.float64) + _TIE * rng.random(len(margin))
    order = _originals(features, places, noisy, CANDIDATES * count, count, labelled)
    clusters = k_means(features[places[order]], count, rng)
    best = one_of_each(clusters, np.arange(len(order)), count)
    return order[best], clusters[best], len(order)


def smallest(values: Floats, count: int) -> Ints:
    """Return the positions of the `count` smallest values, smallest first."""
    if count >= len(values):
        return np.argsort(values, kind="stable")
    some = np.argpartition(values, count)[:count]
    return some[np.argsort(values[some], kind="stable")]


def _originals(features: Floats, places: Ints, values: Floats, count: int, least: int, labelled: Ints) -> Ints:
    """Return the positions of the `count` smallest values with one of each group of copies, from small to large.

    Copies fill up to `least` where there are too few others.
    """
    known = _keys(features[labelled]) if len(labelled) else set()
    looked = min(2 * count, len(values))
    while True:
        order = smallest(values, looked)
        seen = set(known)
        kept: list[int] = []
        for position, key in zip(order.tolist(), _key_list(features[places[order]]), strict=True):
            if key not in seen:
                seen.add(key)
                kept.append(position)
                if len(kept) == count:
                    break
        if len(kept) == count or looked == len(values):
            break
        looked = min(4 * looked, len(values))
    if len(kept) < least:
        # Where hardly anything but copies is left, copies are better than nothing.
        kept += np.setdiff1d(order, kept)[: least - len(kept)].tolist()
    return np.array(kept, dtype=np.int64)


def _key_list(rows: Floats) -> list[bytes]:
    size = np.abs(rows).max(axis=1, keepdims=True) if rows.shape[1] else np.ones((len(rows), 1))
    step = _SAME * np.where(size > 0, size, 1.0)
    rounded = np.ascontiguousarray(np.round(rows / step).astype(np.int32))
    return [row.tobytes() + bytes(f"{at:.3e}", "ascii") for row, at in zip(rounded, size[:, 0].tolist(), strict=True)]


def _keys(rows: Floats) -> set[bytes]:
    return set(_key_list(rows))
