"""Agreement of people: Krippendorff's alpha with an exact bootstrap, kappas, agreement on each class.

Items come as counts, how often each value was answered, because nothing else matters: items with the same counts are
one pattern, and resampling items is a multinomial draw of patterns. Sources: Krippendorff, Content Analysis (2004);
Cohen (1960); Fleiss (1971).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from handrail.cycle.annotate.truth.answers import Floats, TruthInvalid

Scale = Literal["nominal", "ordinal", "interval"]
LEVEL = 0.90
RESAMPLES = 500
_SMALL, _WIDER = 300, 1.1  # measured: the percentile interval is a little short under 300 items


@dataclass(frozen=True)
class Agreement:
    """A chance-corrected agreement with its bootstrap interval at 90 %; `value` None where it is not defined.

    `items`: those with two answers or more. Not defined where only one value was ever answered: then nobody could have
    disagreed, and 1 would be a lie.
    """

    value: float | None
    low: float | None
    high: float | None
    items: int


def alpha(
    counts: Floats,
    *,
    scale: Scale = "nominal",
    values: Sequence[float] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Agreement:
    """Return Krippendorff's alpha of counts, items x values in the order of the scale.

    `values`: the numbers of an interval scale, one a column. Raises TruthInvalid for counts that are no table of whole
    numbers, and for an interval scale without its numbers.
    """
    table = _checked(counts)
    if scale == "interval" and (values is None or len(values) != table.shape[1]):
        raise TruthInvalid("An interval scale needs the number of each column.")
    usable = table[table.sum(axis=1) >= 2]
    if not len(usable):
        return Agreement(None, None, None, 0)
    patterns, many = np.unique(usable, axis=0, return_counts=True)
    pairs = _coincidences(patterns)
    number = None if values is None else np.asarray(values, dtype=float)
    value = _alpha_of(np.tensordot(many, pairs, 1)[None], scale, number)[0]
    if not np.isfinite(value):
        return Agreement(None, None, None, len(usable))
    drawn = np.random.default_rng(seed).multinomial(len(usable), many / len(usable), size=resamples)
    shape = table.shape[1]
    summed = (drawn @ pairs.reshape(len(patterns), -1)).reshape(resamples, shape, shape)
    found = _alpha_of(summed, scale, number)
    low, high = _interval(float(value), found[np.isfinite(found)], len(usable))
    return Agreement(float(value), low, high, len(usable))


def class_alphas(counts: Floats, *, seed: int = 0) -> list[Agreement]:
    """Return the nominal alpha of each class against the rest, in the order of the columns."""
    table = _checked(counts)
    total = table.sum(axis=1)
    return [alpha(np.stack([column, total - column], axis=1), seed=seed) for column in table.T]


def cohen_kappa(table: Floats, *, weights: Literal["none", "linear", "quadratic"] = "none") -> float | None:
    """Return the kappa of two people from their table, first x second; None where chance agreement is certain."""
    seen = _checked(table)
    if seen.shape[0] != seen.shape[1] or not seen.sum():
        raise TruthInvalid("Kappa needs a square table with at least one item.")
    places = np.arange(len(seen), dtype=float)
    apart = np.abs(places[:, None] - places[None, :])
    cost = {"none": (apart > 0).astype(float), "linear": apart, "quadratic": apart**2}[weights]
    share = seen / seen.sum()
    expected = float((np.outer(share.sum(axis=1), share.sum(axis=0)) * cost).sum())
    return None if expected == 0 else 1.0 - float((share * cost).sum()) / expected


def fleiss_kappa(counts: Floats) -> float | None:
    """Return Fleiss' kappa, items x classes with the same number of answers on each; None where it is not defined."""
    table = _checked(counts)
    answers = table.sum(axis=1)
    if not len(table) or answers[0] < 2 or (answers != answers[0]).any():
        raise TruthInvalid(
            "Fleiss' kappa needs the same number of answers, two or more, on every item.", hint="Use alpha instead."
        )
    n = float(answers[0])
    observed = float(((table**2).sum(axis=1) - n).mean()) / (n * (n - 1.0))
    expected = float(((table.sum(axis=0) / table.sum()) ** 2).sum())
    return None if expected == 1.0 else (observed - expected) / (1.0 - expected)


def _checked(counts: Floats) -> Floats:
    table = np.asarray(counts, dtype=float)
    if table.ndim != 2 or not np.isfinite(table).all() or (table < 0).any() or (table != np.floor(table)).any():
        raise TruthInvalid("Counts are a table of whole numbers, none of them negative.")
    return table


def _coincidences(patterns: Floats) -> Floats:
    """Return each pattern's table of coincidences, patterns x values x values."""
    outer = patterns[:, :, None] * patterns[:, None, :]
    places = np.arange(patterns.shape[1])
    outer[:, places, places] -= patterns
    return np.asarray(outer / (patterns.sum(axis=1) - 1.0)[:, None, None])


def _alpha_of(pairs: Floats, scale: Scale, values: Floats | None) -> Floats:
    """Return alpha for each table of coincidences, NaN where no disagreement was possible."""
    sums = pairs.sum(axis=2)
    total = sums.sum(axis=1)
    apart = _distance(sums, scale, values)
    observed = (pairs * apart).sum(axis=(1, 2)) / total
    expected = (sums[:, :, None] * sums[:, None, :] * apart).sum(axis=(1, 2)) / (total * np.maximum(total - 1.0, 1e-9))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(expected > 0, 1.0 - observed / expected, np.nan))


def _distance(sums: Floats, scale: Scale, values: Floats | None) -> Floats:
    width = sums.shape[1]
    if scale == "nominal":
        return (1.0 - np.eye(width))[None]
    place = np.asarray(values)[None] if scale == "interval" else np.cumsum(sums, axis=1) - sums / 2.0
    return np.asarray((place[:, :, None] - place[:, None, :]) ** 2)


def _interval(value: float, found: Floats, items: int) -> tuple[float | None, float | None]:
    if len(found) < 2:
        return None, None
    low, high = (float(one) for one in np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
    wider = _WIDER if items < _SMALL else 1.0
    return min(value, value - wider * (value - low)), min(1.0, max(value, value + wider * (high - value)))
