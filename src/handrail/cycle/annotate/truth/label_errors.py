"""Which labels are probably wrong: confident learning on the out-of-sample scores of a model.

The model is believed to see another class where it is as sure of that as it is, on average, of items that carry it; so
many labels of each kind are taken for wrong, those with the largest margin first (pruning by noise rate).
Source: Northcutt, Jiang and Chuang, Confident learning, JAIR 70 (2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from handrail.cycle.annotate.truth.answers import Codes, Floats, Ints, TruthInvalid, as_list


@dataclass(frozen=True)
class Suspects:
    """Labels to look at again, worst first: `rows`, what stands there, what the model says, and `margin` between.

    `joint[s, y]`: estimated number of items labelled s that are y; `error`: share of labels estimated to be wrong. Both
    are only as good as the model: an estimate for choosing what to look at, never a figure to publish.
    """

    rows: Ints
    labelled: tuple[Any, ...]
    suggested: tuple[Any, ...]
    margin: Floats
    joint: Floats
    error: float


def label_errors(labels: Sequence[Any], scores: Floats, *, classes: Sequence[Any]) -> Suspects:
    """Return suspects; `scores`: items x `classes`, predicted for each item by a model that was not trained on it.

    Raises TruthInvalid for scores that are no probabilities, lengths that differ and labels outside `classes`.
    """
    given, table = as_list(labels), np.asarray(scores, dtype=float)
    if table.shape != (len(given), len(classes)) or len(classes) < 2:
        raise TruthInvalid(
            f"{len(given)} labels of {len(classes)} classes need scores of that shape, not {table.shape}."
        )
    if not np.isfinite(table).all() or (table < 0).any() or (np.abs(table.sum(axis=1) - 1) > 1e-3).any():
        raise TruthInvalid("The scores of an item are probabilities that add up to 1.")
    codes = Codes(classes)
    unknown = next((row for row, one in enumerate(given) if one not in codes.of), None)
    if unknown is not None:
        raise TruthInvalid(f"Row {unknown}: {given[unknown]!r} is none of the classes.", row=unknown)
    label = codes.codes(given)
    joint = _joint(label, table)
    rows, believed = _pruned(label, table, joint)
    margin = table[rows, believed] - table[rows, label[rows]]
    order = np.argsort(-margin, kind="stable")
    rows, believed, margin = rows[order], believed[order], margin[order]
    names = codes.names
    return Suspects(
        rows=rows,
        labelled=tuple(names[code] for code in label[rows].tolist()),
        suggested=tuple(names[code] for code in believed.tolist()),
        margin=margin,
        joint=joint,
        error=float(1.0 - np.trace(joint) / max(joint.sum(), 1e-12)),
    )


def _joint(label: Ints, scores: Floats) -> Floats:
    """Return the estimated number of items by label and class, rows scaled to how often each label was given."""
    classes = scores.shape[1]
    counted = np.bincount(label, minlength=classes)
    # A class that no label carries has no mean to compare with: nothing is believed to be of it.
    sure = np.full(classes, np.inf)
    own = np.bincount(label, weights=scores[np.arange(len(label)), label], minlength=classes)
    sure[counted > 0] = own[counted > 0] / counted[counted > 0]
    over = np.where(scores >= sure - 1e-12, scores, -1.0)
    seen = over.max(axis=1) >= 0
    flat = np.bincount(label[seen] * classes + over[seen].argmax(axis=1), minlength=classes * classes)
    joint = flat.reshape(classes, classes).astype(float)
    # A row without any sure item stays on its diagonal.
    empty = np.flatnonzero(joint.sum(axis=1) == 0)
    joint[empty, empty] = 1.0
    return np.asarray(joint * (counted / joint.sum(axis=1))[:, None])


def _pruned(label: Ints, scores: Floats, joint: Floats) -> tuple[Ints, Ints]:
    """Return rows and the class believed of each: as many of every kind of error as estimated, largest margin first."""
    rows: list[int] = []
    believed: list[int] = []
    taken: set[int] = set()
    for given, other in zip(*np.nonzero(np.round(joint)), strict=True):
        if given == other:
            continue
        own = np.flatnonzero(label == given)
        margin = scores[own, other] - scores[own, given]
        best = own[np.argsort(-margin, kind="stable")[: round(joint[given, other])]]
        for row in best[scores[best, other] > scores[best, given]].tolist():
            if row not in taken and int(scores[row].argmax()) == other:
                taken.add(row)
                rows.append(row)
                believed.append(int(other))
    return np.array(rows, dtype=np.int64), np.array(believed, dtype=np.int64)
