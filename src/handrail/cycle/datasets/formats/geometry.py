"""Percent of a picture, and pixels. Pure. Sizes are [height, width] as in every value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def percent(pixels: float, side: float) -> float:
    """Return a length in percent of a side, rounded to what no picture resolves (1e-9 of it)."""
    return round(100.0 * pixels / side, 9)


def pixels(part: float, side: float) -> float:
    """Return a length in pixels, rounded so that whole pixels come back whole."""
    return round(part * side / 100.0, 6)


def box_in(corner: Sequence[float], size: Sequence[int]) -> dict[str, float]:
    """Return [x, y, width, height] in pixels as a box in percent."""
    height, width = size
    x, y, across, down = corner
    return {
        "x": percent(x, width),
        "y": percent(y, height),
        "width": percent(across, width),
        "height": percent(down, height),
    }


def box_out(region: Mapping[str, Any], size: Sequence[int]) -> list[float]:
    """Return a box in percent as [x, y, width, height] in pixels."""
    height, width = size
    return [
        pixels(region["x"], width),
        pixels(region["y"], height),
        pixels(region["width"], width),
        pixels(region["height"], height),
    ]


def points_in(flat: Sequence[float], size: Sequence[int]) -> list[list[float]]:
    """Return x1, y1, x2, y2 ... in pixels as points in percent."""
    height, width = size
    return [[percent(x, width), percent(y, height)] for x, y in zip(flat[::2], flat[1::2], strict=False)]


def points_out(points: Sequence[Sequence[float]], size: Sequence[int]) -> list[float]:
    """Return points in percent as x1, y1, x2, y2 ... in pixels."""
    height, width = size
    return [side for x, y in points for side in (pixels(x, width), pixels(y, height))]


def area_of(flat: Sequence[float]) -> float:
    """Return the area inside x1, y1, x2, y2 ... (the shoelace formula)."""
    xs, ys = flat[::2], flat[1::2]
    turned = zip(xs, ys, [*xs[1:], xs[0]], [*ys[1:], ys[0]], strict=True)
    return abs(sum(x * b - a * y for x, y, a, b in turned)) / 2


def hull_of(flat: Sequence[float]) -> list[float]:
    """Return the box [x, y, width, height] around x1, y1, x2, y2 ..."""
    xs, ys = flat[::2], flat[1::2]
    return [min(xs), min(ys), round(max(xs) - min(xs), 6), round(max(ys) - min(ys), 6)]
