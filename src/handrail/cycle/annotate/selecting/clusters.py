"""k-means in numpy, seeded by k-means++, and the choice of one row from each cluster. Pure.

Sources: Lloyd, IEEE Trans. Inf. Theory 28 (1982); Arthur and Vassilvitskii, SODA 2007.
"""

from __future__ import annotations

import numpy as np

from handrail.cycle.annotate.selecting.terms import Floats, Ints

ITERATIONS = 15


def k_means(rows: Floats, count: int, rng: np.random.Generator, iterations: int = ITERATIONS) -> Ints:
    """Return the cluster, 0 .. count-1, of each of `rows` (n x d); a cluster may end up empty.

    With n <= count every row is a cluster of its own.
    """
    rows = np.asarray(rows, dtype=np.float32)
    if len(rows) <= count:
        return np.arange(len(rows), dtype=np.int64)
    rows = rows - rows.mean(axis=0)
    squares = np.einsum("ij,ij->i", rows, rows)
    centres = _first_centres(rows, squares, count, rng)
    for _ in range(iterations):
        nearest = _nearest(rows, centres)
        sums = np.zeros_like(centres)
        order = np.argsort(nearest, kind="stable")
        sizes = np.bincount(nearest, minlength=count)
        full = np.flatnonzero(sizes)
        starts = np.cumsum(sizes)[full] - sizes[full]
        sums[full] = np.add.reduceat(rows[order], starts, axis=0)
        moved = centres.copy()
        moved[full] = sums[full] / sizes[full, None]
        if np.allclose(moved, centres, rtol=0.0, atol=1e-7):
            break
        centres = moved
    return _nearest(rows, centres)


def one_of_each(clusters: Ints, order: Ints, count: int) -> Ints:
    """Return up to `count` places: the first of each cluster in `order`, then more in `order` until there are enough.

    `order` holds places from best to worst.
    """
    _, first = np.unique(clusters[order], return_index=True)
    best = order[np.sort(first)]
    if len(best) >= count:
        return best[:count]
    rest = order[~np.isin(order, best)]
    return np.concatenate([best, rest[: count - len(best)]])


def _first_centres(rows: Floats, squares: Floats, count: int, rng: np.random.Generator) -> Floats:
    chosen = np.empty((count, rows.shape[1]), dtype=np.float32)
    chosen[0] = rows[rng.integers(len(rows))]
    distance = _distance(rows, squares, chosen[0])
    for place in range(1, count):
        total = float(distance.sum(dtype=np.float64))
        # Where all rows lie on centres already, any row is as good.
        at = rng.integers(len(rows)) if total <= 0.0 else np.searchsorted(distance.cumsum(), rng.random() * total)
        chosen[place] = rows[min(int(at), len(rows) - 1)]
        np.minimum(distance, _distance(rows, squares, chosen[place]), out=distance)
    return chosen


def _distance(rows: Floats, squares: Floats, centre: Floats) -> Floats:
    found: Floats = squares - 2.0 * (rows @ centre) + centre @ centre
    return np.maximum(found, 0.0, out=found)


def _nearest(rows: Floats, centres: Floats) -> Ints:
    half = 0.5 * np.einsum("ij,ij->i", centres, centres)
    near = np.empty(len(rows), dtype=np.int64)
    for start in range(0, len(rows), 4096):
        near[start : start + 4096] = (half - rows[start : start + 4096] @ centres.T).argmin(axis=1)
    return near
