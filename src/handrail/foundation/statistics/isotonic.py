"""Isotonic regression by pooling adjacent violators."""

from __future__ import annotations

from collections.abc import Sequence

from handrail.foundation.statistics.binomial import StatisticsRefused


def nondecreasing(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Return the nondecreasing sequence nearest to `values` in weighted squares; all weights must be positive."""
    if len(values) != len(weights) or any(not weight > 0 for weight in weights):
        raise StatisticsRefused("Isotonic regression needs one positive weight for each value.")
    blocks: list[tuple[float, float, int]] = []  # mean, weight, number of values
    for value, weight in zip(values, weights, strict=True):
        mean, total, count = float(value), float(weight), 1
        while blocks and blocks[-1][0] >= mean:
            before, mass, members = blocks.pop()
            mean = (before * mass + mean * total) / (mass + total)
            total, count = mass + total, members + count
        blocks.append((mean, total, count))
    return [mean for mean, _, count in blocks for _ in range(count)]
