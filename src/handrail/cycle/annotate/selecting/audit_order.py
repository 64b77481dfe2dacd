"""The order in which items are audited: one permutation of the pool, drawn before anything else. Pure.

Whatever another arm labels in between, the longest labelled beginning of the permutation is a simple random sample of
the whole pool: items on the way that already have a label count as audited at no cost.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from handrail.cycle.annotate.selecting.terms import Ints


def audit_order(items: int, seed: int) -> Ints:
    """Return the permutation of `items` places that a seed stands for."""
    return np.random.default_rng([seed, 0]).permutation(items)


def next_audits(order: Ints, labelled: NDArray[np.bool_], count: int) -> Ints:
    """Return the next `count` places of the order that have no label yet, fewer where none are left."""
    waiting = order[~labelled[order]]
    return waiting[:count]


def audited(order: Ints, labelled: NDArray[np.bool_]) -> Ints:
    """Return the audit sample: the places of the longest beginning of the order that is labelled throughout."""
    missing = np.flatnonzero(~labelled[order])
    return order if not len(missing) else order[: missing[0]]
