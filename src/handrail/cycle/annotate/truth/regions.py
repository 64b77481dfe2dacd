"""How alike two people's spans, boxes and masks are, and agreement on them corrected for chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from handrail.cycle.annotate.truth.agreement import LEVEL, RESAMPLES, Agreement
from handrail.cycle.annotate.truth.answers import Floats, TruthInvalid

LEAST_IOU = 0.5
_PAIRS = 2000

Mask = NDArray[np.bool_]


class SpanOf(NamedTuple):
    """A part of a text: characters from `start` to before `end`, with a label."""

    start: int
    end: int
    label: str


class Box(NamedTuple):
    """A box from (left, top) to (right, bottom)."""

    left: float
    top: float
    right: float
    bottom: float


def span_dice(first: Sequence[SpanOf], second: Sequence[SpanOf]) -> float:
    """Return the Dice coefficient of the (character, label) pairs of two people; both empty agree."""
    one, two = _characters(first), _characters(second)
    return 1.0 if not one and not two else 2 * len(one & two) / (len(one) + len(two))


def span_f1(first: Sequence[SpanOf], second: Sequence[SpanOf]) -> float:
    """Return F1 of spans that are the same in start, end and label; both empty agree."""
    one, two = set(first), set(second)
    return 1.0 if not one and not two else 2 * len(one & two) / (len(one) + len(two))


def box_iou(first: Box, second: Box) -> float:
    """Return the intersection over union of two boxes, 0 when neither has an area."""
    width = min(first.right, second.right) - max(first.left, second.left)
    height = min(first.bottom, second.bottom) - max(first.top, second.top)
    both = max(0.0, width) * max(0.0, height)
    union = _area(first) + _area(second) - both
    return both / union if union > 0 else 0.0


def mask_iou(first: Mask, second: Mask) -> float:
    """Return the intersection over union of two masks of one shape; two empty ones agree."""
    if first.shape != second.shape:
        raise TruthInvalid(f"Masks of {first.shape} and {second.shape} cells cannot be compared.")
    union = int((first | second).sum())
    return 1.0 if union == 0 else int((first & second).sum()) / union


def match_score(iou: Floats) -> float:
    """Return the sum of IoU of matched objects over the mean number of objects; `iou`: the first's x the second's.

    Objects are matched so that the sum is largest, and a match under .5 is none. For one object each it is their IoU
    (0 under .5), for many it is F1 times the mean IoU of matches.
    """
    rows, columns = iou.shape
    if rows + columns == 0:
        return 1.0
    if rows == 0 or columns == 0:
        return 0.0
    kept = np.where(iou >= LEAST_IOU, iou, 0.0)
    found = linear_sum_assignment(-kept)
    return float(kept[found].sum() / ((rows + columns) / 2))


def boxes_score(first: Sequence[Box], second: Sequence[Box]) -> float:
    """Return the match score of two people's boxes."""
    table = np.array([[box_iou(a, b) for b in second] for a in first]).reshape(len(first), len(second))
    return match_score(table)


def masks_score(first: Sequence[Mask], second: Sequence[Mask]) -> float:
    """Return the match score of two people's masks."""
    table = np.array([[mask_iou(a, b) for b in second] for a in first]).reshape(len(first), len(second))
    return match_score(table)


def centred(box: Box) -> Box:
    """Return the box around the origin: chance agreement is about shape and size, not place."""
    middle = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    return Box(box.left - middle[0], box.top - middle[1], box.right - middle[0], box.bottom - middle[1])


def distance_alpha(
    answers: Sequence[Sequence[Any]],
    distance: Callable[[Any, Any], float],
    *,
    chance: Callable[[Any, Any], float] | None = None,
    strata: Sequence[Any] | None = None,
    seed: int = 0,
) -> Agreement:
    """Return 1 - mean distance within items / mean distance between items, with a bootstrap interval over items.

    `answers`: for each item what each person answered. `distance` and `chance` lie in [0, 1]; `chance` is the one
    between items, else the same. Items are weighted by their answers; pairs of items are of the same stratum, 2,000
    of them drawn at random. Not defined where answers of different items do not differ.
    """
    usable = [row for row, one in enumerate(answers) if len(one) >= 2]
    if len(usable) < 2:
        return Agreement(None, None, None, len(usable))
    within = np.array([_mean_pair(answers[row], distance) for row in usable])
    weight = np.array([len(answers[row]) for row in usable], dtype=float)
    rng = np.random.default_rng(seed)
    expected = _between(answers, usable, chance or distance, strata, rng)
    if expected is None or expected <= 0:
        return Agreement(None, None, None, len(usable))
    value = 1.0 - float(np.average(within, weights=weight)) / expected
    times = rng.multinomial(len(usable), np.full(len(usable), 1 / len(usable)), size=RESAMPLES)
    drawn = 1.0 - (times @ (weight * within)) / (times @ weight) / expected
    low, high = (float(one) for one in np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
    return Agreement(value, min(low, value), max(high, value), len(usable))


def _between(
    answers: Sequence[Sequence[Any]],
    usable: list[int],
    distance: Callable[[Any, Any], float],
    strata: Sequence[Any] | None,
    rng: np.random.Generator,
) -> float | None:
    """Return the mean distance of answers to different items of one stratum, None where there is no such pair."""
    groups: dict[Any, list[int]] = {}
    for row in usable:
        groups.setdefault(None if strata is None else strata[row], []).append(row)
    large = [rows for rows in groups.values() if len(rows) >= 2]
    if not large:
        return None
    share = np.array([len(rows) for rows in large], dtype=float)
    found = []
    for group in rng.choice(len(large), size=_PAIRS, p=share / share.sum()):
        one, two = rng.choice(len(large[group]), size=2, replace=False)
        first, second = answers[large[group][one]], answers[large[group][two]]
        a, b = int(rng.integers(len(first))), int(rng.integers(len(second)))
        found.append(distance(first[a], second[b]))
    return float(np.mean(found))


def _mean_pair(given: Sequence[Any], distance: Callable[[Any, Any], float]) -> float:
    pairs = [distance(a, b) for place, a in enumerate(given) for b in given[place + 1 :]]
    return sum(pairs) / len(pairs)


def _characters(spans: Sequence[SpanOf]) -> set[tuple[int, str]]:
    return {(place, one.label) for one in spans for place in range(one.start, one.end)}


def _area(box: Box) -> float:
    return max(0.0, box.right - box.left) * max(0.0, box.bottom - box.top)
