"""Masks as text: COCO's compressed run lengths, and the packed runs that Label Studio draws with. Pure, needs numpy.

COCO counts runs down the columns, beginning with the background, writes each count as its difference to the one two
before it, and packs that into 5 bits a character (the format of pycocotools). Label Studio packs the pixels of an
RGBA picture row by row: a run or a stretch of bytes, with lengths in one of four widths (rle-pack).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from handrail.cycle.datasets.formats.runs import MaskInvalid, pack, unpack

__all__ = [
    "MAX_PIXELS",
    "Mask",
    "MaskInvalid",
    "box_of",
    "from_brush",
    "from_counts",
    "from_polygons",
    "from_text",
    "pack",
    "runs_of",
    "to_brush",
    "to_counts",
    "to_text",
    "unpack",
]

Mask = NDArray[np.bool_]
MAX_PIXELS = 1 << 28

_WIDTHS = (3, 4, 8, 16)
_WORD = 8


def runs_of(mask: Mask) -> list[int]:
    """Return the lengths of the runs of a flat mask, the first one of False (0 where it begins with True)."""
    flat = np.asarray(mask, dtype=bool).reshape(-1)
    if not flat.size:
        return []
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    lengths = np.diff(np.concatenate(([0], edges, [flat.size]))).tolist()
    return [0, *lengths] if flat[0] else lengths


def from_counts(counts: Sequence[int], height: int, width: int) -> Mask:
    """Return the mask [height, width] of COCO's plain counts; raises MaskInvalid when they do not fill it."""
    _check_size(height, width)
    lengths = np.asarray(counts, dtype=np.int64)
    if lengths.size and (int(lengths.min()) < 0 or int(lengths.max()) > height * width):
        raise MaskInvalid("has a run of a length that cannot be")
    if int(lengths.sum()) != height * width:
        raise MaskInvalid(f"has runs of {int(lengths.sum()):,} pixels, and its size is {height * width:,}")
    flat = np.repeat(np.arange(lengths.size) % 2 == 1, lengths)
    return flat.reshape(width, height).T


def to_counts(mask: Mask) -> list[int]:
    """Return COCO's plain counts of a mask [height, width]."""
    return runs_of(mask.T)


def to_text(mask: Mask) -> str:
    """Return a mask [height, width] as COCO's compressed text."""
    return pack(to_counts(mask))


def from_text(text: str, height: int, width: int) -> Mask:
    """Return the mask of COCO's compressed text; raises MaskInvalid."""
    return from_counts(unpack(text), height, width)


# Label Studio


class _Bits:
    def __init__(self, content: bytes) -> None:
        self.content = content
        self.at = 0

    def read(self, width: int) -> int:
        end = self.at + width
        if end > len(self.content) * 8:
            raise MaskInvalid("ends within a run")
        window = int.from_bytes(self.content[self.at >> 3 : (end + 7) >> 3], "big")
        self.at = end
        return (window >> (-end % 8)) & ((1 << width) - 1)


def from_brush(rle: Iterable[int], height: int, width: int) -> Mask:
    """Return the mask [height, width] of a brush of Label Studio: where its alpha is not 0; raises MaskInvalid."""
    _check_size(height, width)
    try:
        bits = _Bits(bytes(rle))
    except (TypeError, ValueError):
        raise MaskInvalid("is not a list of bytes") from None
    words = bits.read(32)
    if words != height * width * 4:
        raise MaskInvalid(f"holds {words:,} bytes, and a picture of {width} x {height} has {height * width * 4:,}")
    word = bits.read(5) + 1
    widths = [bits.read(4) + 1 for _ in range(4)]
    pixels = np.zeros(words, dtype=np.uint8)
    at = 0
    while at < words:
        run = bits.read(1)
        end = at + 1 + bits.read(widths[bits.read(2)])
        if end > words:
            raise MaskInvalid("has a run that goes over its end")
        if run:
            pixels[at:end] = bits.read(word) & 0xFF
        else:
            pixels[at:end] = [bits.read(word) & 0xFF for _ in range(end - at)]
        at = end
    return pixels.reshape(-1, 4)[:, 3].reshape(height, width) > 0


def to_brush(mask: Mask) -> list[int]:
    """Return a mask as the bytes of a brush of Label Studio, every channel 255 where the mask is true."""
    value, used = (mask.size * 4) << 21 | (_WORD - 1) << 16, 53
    for width in _WIDTHS:
        value |= (width - 1) << (4 * (3 - _WIDTHS.index(width)))
    pieces = [f"{value:0{used}b}"]
    for place, length in enumerate(runs_of(mask)):
        left, byte = length * 4, 255 if place % 2 else 0
        while left:
            step = min(left, 1 << _WIDTHS[-1])
            code = next(place for place, width in enumerate(_WIDTHS) if step <= 1 << width)
            pieces.append(f"1{code:02b}{step - 1:0{_WIDTHS[code]}b}{byte:08b}")
            left -= step
    text = "".join(pieces)
    text += "0" * (-len(text) % 8)
    return list(int(text, 2).to_bytes(len(text) // 8, "big"))


# Outlines


def from_polygons(polygons: Iterable[Sequence[Sequence[float]]], height: int, width: int) -> Mask:
    """Return the mask of polygons [[x, y], ...] in pixels: a pixel is in where its centre is (even-odd rule)."""
    _check_size(height, width)
    mask = np.zeros((height, width), dtype=bool)
    for points in polygons:
        mask ^= _filled(np.asarray(points, dtype=float), height, width)
    return mask


def _filled(points: NDArray[np.float64], height: int, width: int) -> Mask:
    mask = np.zeros((height, width), dtype=bool)
    following = np.roll(points, -1, axis=0)
    low, high = max(0, int(points[:, 1].min())), min(height, int(points[:, 1].max()) + 1)
    for row in range(low, high):
        y = row + 0.5
        cut = (points[:, 1] <= y) != (following[:, 1] <= y)
        a, b = points[cut], following[cut]
        crossings = np.sort(a[:, 0] + (y - a[:, 1]) / (b[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0]))
        for left, right in zip(crossings[::2], crossings[1::2], strict=False):
            mask[row, max(0, round(left)) : max(0, round(right))] = True
    return mask


def box_of(mask: Mask) -> tuple[int, int, int, int]:
    """Return x, y, width and height in pixels of the smallest box around a mask; zeros when it is empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return 0, 0, 0, 0
    return (
        int(columns[0]), int(rows[0]), int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1
    )  # fmt: skip


def _check_size(height: int, width: int) -> None:
    if height < 1 or width < 1 or height * width > MAX_PIXELS:
        raise MaskInvalid(f"has a size of {width} x {height} pixels, which cannot be")
