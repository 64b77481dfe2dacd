from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from handrail.cycle.datasets.formats import rle

_MASKS = arrays.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)))


@given(_MASKS)
def test_masks_survive_both_codes(mask: rle.Mask) -> None:
    height, width = mask.shape
    assert np.array_equal(rle.from_text(rle.to_text(mask), height, width), mask)
    assert np.array_equal(rle.from_brush(rle.to_brush(mask), height, width), mask)


def test_the_codes_are_those_of_the_field() -> None:
    # Worked out with pycocotools 2.0 and with the converter of label-studio-sdk 2.1.2 (which adds one byte of nothing).
    mask = np.zeros((3, 4), dtype=bool)
    mask[1:, 1:3] = True
    assert rle.to_text(mask) == "42102"
    assert rle.to_brush(mask) == [0, 0, 0, 48, 57, 27, 254, 19, 0, 159, 254, 112, 9, 255, 227, 0]
    noise = np.random.default_rng(3).random((9, 7)) < 0.5
    assert rle.to_text(noise) == "022O00O010O001020N1O00111OM51K00O00010O"


@pytest.mark.parametrize("text", ["\x00", "!", "P", "1", "99"])
def test_text_that_is_no_mask_is_refused(text: str) -> None:
    with pytest.raises(rle.MaskInvalid):
        rle.from_text(text, 3, 3)


@given(st.lists(st.integers(0, 255), max_size=40))
def test_bytes_that_are_no_brush_are_refused_or_read(content: list[int]) -> None:
    with suppress(rle.MaskInvalid):
        assert rle.from_brush(content, 2, 3).shape == (2, 3)


def test_a_polygon_covers_the_pixels_whose_centres_it_holds() -> None:
    mask = rle.from_polygons([[[1, 1], [4, 1], [4, 3], [1, 3]]], 5, 6)
    assert rle.box_of(mask) == (1, 1, 3, 2)
    assert mask.sum() == 6
