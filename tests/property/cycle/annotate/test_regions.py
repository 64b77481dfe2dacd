"""Spans, boxes and masks against sets of characters and cells, and matching against every permutation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.cycle.annotate.truth.regions import (
    Box,
    SpanOf,
    box_iou,
    boxes_score,
    centred,
    distance_alpha,
    mask_iou,
    masks_score,
    match_score,
    span_dice,
    span_f1,
)

_BOX = st.tuples(*[st.integers(0, 6)] * 4).map(
    lambda b: Box(min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3]))
)
_SPANS = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5), st.sampled_from("ab")), max_size=4).map(
    lambda given: [SpanOf(start, start + size, label) for start, size, label in given]
)


def _cells(box: Box) -> np.ndarray:
    found = np.zeros((7, 7), dtype=bool)
    found[int(box.top) : int(box.bottom), int(box.left) : int(box.right)] = True
    return found


@given(_BOX, _BOX)
def test_boxes_are_as_alike_as_their_cells(first: Box, second: Box) -> None:
    one, two = _cells(first), _cells(second)
    if (one | two).any():
        assert box_iou(first, second) == pytest.approx(mask_iou(one, two))
        assert box_iou(first, second) == box_iou(second, first)
        assert box_iou(centred(first), centred(second)) >= box_iou(first, second) - 1e-9


@given(_SPANS, _SPANS)
def test_spans_are_as_alike_as_their_characters(first: list[SpanOf], second: list[SpanOf]) -> None:
    one = {(place, label) for start, end, label in first for place in range(start, end)}
    two = {(place, label) for start, end, label in second for place in range(start, end)}
    expected = 1.0 if not one | two else 2 * len(one & two) / (len(one) + len(two))
    assert span_dice(first, second) == pytest.approx(expected)
    assert 0.0 <= span_f1(first, second) <= 1.0
    assert span_f1(first, first) == 1.0


@given(st.integers(0, 4), st.integers(0, 4), st.integers(0, 10_000))
def test_the_match_is_the_best_of_all(rows: int, columns: int, seed: int) -> None:
    iou = np.random.default_rng(seed).random((rows, columns))
    best = 0.0
    for kept in itertools.permutations(range(columns), min(rows, columns)):
        for used in itertools.combinations(range(rows), len(kept)):
            pairs = [iou[r, c] for r, c in zip(used, kept, strict=True)]
            best = max(best, sum(one for one in pairs if one >= 0.5))
    expected = 1.0 if rows + columns == 0 else best / ((rows + columns) / 2)
    assert match_score(iou) == pytest.approx(expected)


def test_one_object_scores_its_iou_and_a_missed_one_halves() -> None:
    box = Box(0, 0, 4, 4)
    assert boxes_score([box], [Box(0, 0, 4, 3)]) == pytest.approx(0.75)
    assert boxes_score([box, Box(9, 9, 10, 10)], [box]) == pytest.approx(1 / 1.5)
    assert boxes_score([], []) == 1.0
    assert boxes_score([box], []) == 0.0
    assert masks_score([_cells(box)], [_cells(box)]) == 1.0


def test_agreement_of_regions_is_about_one_when_people_agree_and_zero_when_they_guess() -> None:
    rng = np.random.default_rng(0)

    def apart(a: Box, b: Box) -> float:
        return 1.0 - box_iou(a, b)

    def by_chance(a: Box, b: Box) -> float:
        return 1.0 - box_iou(centred(a), centred(b))

    shapes = [Box(0, 0, *rng.uniform(1, 9, 2)) for _ in range(150)]
    alike = [[one, one] for one in shapes]
    assert distance_alpha(alike, apart, chance=by_chance).value == pytest.approx(1.0)
    guesses = [[Box(0, 0, *rng.uniform(1, 9, 2)) for _ in range(2)] for _ in range(400)]
    found = distance_alpha(guesses, apart)
    assert found.value == pytest.approx(0.0, abs=0.1)
    assert found.low < found.value < found.high
    assert distance_alpha([[shapes[0]]], apart).value is None
    assert distance_alpha([[shapes[0]] * 2] * 3, apart).value is None
