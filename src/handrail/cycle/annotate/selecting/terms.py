"""Words and errors of selecting: what was chosen, by which arm, and with what chance. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from handrail.foundation.errors import Invalid

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]
Arm = Literal["audit", "start", "active", "rare"]
Predict = Callable[[Floats], Floats]
"""Rows (n x d) to class probabilities (n x C)."""
Learn = Callable[[Floats, Ints], Predict]
"""Rows and class codes 0 .. C-1 to what predicts; a class that was never seen gets the probability 0."""

CHUNK = 20_000
"""Rows that are looked at together: what a pool of any size costs in memory."""


class SelectionInvalid(Invalid):
    """What was given to select from does not fit together."""

    code = "annotate.selection_invalid"


@dataclass(frozen=True)
class Chosen:
    """One round: `indices` into the pool in the order of choice, one entry of every other array for each.

    `arms`: audit (drawn at random), start (typical items), active (small margin), rare (likely of the rare class).
    `probabilities`: for audit items the chance a/|U| that each unlabelled item had in this round; 1 for the others,
    which follow from the state and had no chance: they carry no design weight. `margins`: largest minus second largest
    probability, NaN where no model was asked. `clusters`: -1 where none was made. `unlabelled` is |U|, `audits` a,
    `candidates` how many items of small margin were clustered.
    """

    indices: Ints
    probabilities: NDArray[np.float64]
    arms: tuple[Arm, ...]
    margins: NDArray[np.float64]
    clusters: Ints
    unlabelled: int
    audits: int
    candidates: int
