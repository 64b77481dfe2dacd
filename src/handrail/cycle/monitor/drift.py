"""Input drift: what a day's rows look like beside a reference, with a stated chance of a false alarm.

A reference fixes bins per number (at its own quantiles) and names per category; a day is counted in the same bins, so
profiles are small and days can be added up. Every p-value is exact for any number of rows, twenty included: numbers by
the two-sample Kolmogorov-Smirnov distance at the bin edges with its exact law, categories and missing values by
Fisher's test per category and a union bound. Holm's rule over all features then keeps P(any alarm on a day without
drift) at the level, over days and references alike; one unlucky reference may cause several of these alarms.
Values change, answers may not: no alarm here says that a model errs, and none of them stops anything.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Literal

from handrail.foundation.errors import Invalid
from handrail.foundation.statistics import Interval, clopper_pearson, fisher, holm, kolmogorov_smirnov

Kind = Literal["number", "category"]

MOST_BINS = 20
LEAST_PER_BIN = 5
MOST_CATEGORIES = 50
DAY_LEVEL = 0.001


class DriftInvalid(Invalid):
    """Profiles cannot be compared."""

    code = "monitor.drift_invalid"


@dataclass(frozen=True)
class NumberProfile:
    """Counts of a number: `counts[b]` values lie in (edges[b-1], edges[b]], the last above all edges.

    `own`: the edges are ranks of these very values, none of them tied. `mean` is None without values.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    missing: int
    mean: float | None
    own: bool

    @property
    def n(self) -> int:
        """How many values are there."""
        return sum(self.counts)


@dataclass(frozen=True)
class CategoryProfile:
    """Counts of a category by name.

    `lumped`: the reference has more than 50 names, so they are counted in 50 groups by the hash of the name. Keeping
    the most frequent names instead would make every later day look different: those were frequent partly by chance.
    """

    counts: Mapping[str, int]
    missing: int
    lumped: bool

    @property
    def n(self) -> int:
        """How many values are there."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class TableProfile:
    """One day's rows, or a reference: each feature's counts."""

    rows: int
    numbers: Mapping[str, NumberProfile]
    categories: Mapping[str, CategoryProfile]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        numbers = {name: asdict(one) for name, one in self.numbers.items()}
        for one in numbers.values():
            one |= {"edges": list(one["edges"]), "counts": list(one["counts"])}
        categories = {
            name: {"counts": dict(one.counts), "missing": one.missing, "lumped": one.lumped}
            for name, one in self.categories.items()
        }
        return {"rows": self.rows, "numbers": numbers, "categories": categories}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TableProfile:
        """Read what `to_dict` wrote."""
        numbers = {
            name: NumberProfile(**{**one, "edges": tuple(one["edges"]), "counts": tuple(one["counts"])})
            for name, one in values["numbers"].items()
        }
        categories = {name: CategoryProfile(**one) for name, one in values["categories"].items()}
        return cls(values["rows"], numbers, categories)


@dataclass(frozen=True)
class FeatureDrift:
    """One feature of a day against the reference.

    `distance`: largest difference of cumulative shares (number) or of one share (category), 0 to 1. `psi`: population
    stability index, for display. `adjusted`: p-value after Holm's rule over all features; an alarm when it is <= level.
    """

    name: str
    kind: Kind
    n: int
    distance: float
    psi: float
    p_value: float
    adjusted: float
    alarm: bool
    sentence: str


@dataclass(frozen=True)
class Drift:
    """A day against the reference; `level` is the chance of any alarm on a day without drift. Features: worst first."""

    level: float
    alarm: bool
    features: tuple[FeatureDrift, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"level": self.level, "alarm": self.alarm, "features": [asdict(one) for one in self.features]}


@dataclass(frozen=True)
class RateChange:
    """A share of a day against the share of the reference, by Fisher's exact test at `level`."""

    today: Interval
    reference: Interval
    p_value: float
    level: float
    alarm: bool

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


def reference(rows: Sequence[Mapping[str, Any]], kinds: Mapping[str, Kind]) -> TableProfile:
    """Return the profile of the rows that later days are compared with; `kinds` names the features.

    Some hundreds of rows are good; the bins of a number hold at least five each. A value that is None, not finite or
    not of its kind counts as missing.
    """
    numbers, categories = {}, {}
    for name, kind in kinds.items():
        column = [row.get(name) for row in rows]
        if kind == "number":
            numbers[name] = _number_reference([value for value in map(_number, column) if value is not None], len(rows))
        else:
            names = {_category(value) for value in column} - {None}
            categories[name] = _category_profile(column, lumped=len(names) > MOST_CATEGORIES)
    return TableProfile(len(rows), numbers, categories)


def profile(rows: Sequence[Mapping[str, Any]], against: TableProfile) -> TableProfile:
    """Return the profile of a day's rows, counted in the bins of the reference."""
    numbers = {}
    for name, known in against.numbers.items():
        values = [value for value in (_number(row.get(name)) for row in rows) if value is not None]
        numbers[name] = _count(values, known.edges, len(rows), own=False)
    categories = {}
    for name, seen in against.categories.items():
        categories[name] = _category_profile([row.get(name) for row in rows], lumped=seen.lumped)
    return TableProfile(len(rows), numbers, categories)


def merge(profiles: Sequence[TableProfile]) -> TableProfile:
    """Return several profiles with the same bins as one; raises `DriftInvalid`."""
    first = profiles[0] if profiles else TableProfile(0, {}, {})
    for other in profiles[1:]:
        _same_features(first, other)
    if len(profiles) < 2:
        return first
    numbers = {}
    for name, one in first.numbers.items():
        parts = [other.numbers[name] for other in profiles]
        n = sum(part.n for part in parts)
        total = math.fsum(part.mean * part.n for part in parts if part.mean is not None)
        counts = tuple(map(sum, zip(*(part.counts for part in parts), strict=True)))
        numbers[name] = NumberProfile(
            one.edges, counts, sum(part.missing for part in parts), total / n if n else None, False
        )
    categories = {}
    for name, category in first.categories.items():
        added: Counter[str] = Counter()
        for other in profiles:
            added.update(other.categories[name].counts)
        missing = sum(other.categories[name].missing for other in profiles)
        categories[name] = CategoryProfile(dict(sorted(added.items())), missing, category.lumped)
    return TableProfile(sum(one.rows for one in profiles), numbers, categories)


def compare(today: TableProfile, against: TableProfile, *, level: float = DAY_LEVEL) -> Drift:
    """Return how a day differs from the reference. P(any alarm on a day without drift) <= `level`.

    Raises `DriftInvalid` when the day was not counted in the bins of this reference.
    """
    if not 0.0 < level < 1.0:
        raise DriftInvalid(f"A level of {level} is impossible.", hint="Use a small share such as 0.001.")
    _same_features(today, against)
    found: list[tuple[str, Kind, int, float, float, float, str]] = []
    for name, number in today.numbers.items():
        found.append((name, "number", *_compare_numbers(name, number, against.numbers[name])))
    for name, category in today.categories.items():
        found.append((name, "category", *_compare_categories(name, category, against.categories[name])))
    adjusted = holm([p_value for *_, p_value, _ in found])
    features = [
        FeatureDrift(name, kind, n, distance, psi, p_value, held, held <= level, sentence)
        for (name, kind, n, distance, psi, p_value, sentence), held in zip(found, adjusted, strict=True)
    ]
    features.sort(key=lambda one: (one.p_value, -one.distance, one.name))
    return Drift(level, any(one.alarm for one in features), tuple(features))


def compare_rows(
    reference_rows: Sequence[Mapping[str, Any]],
    rows: Sequence[Mapping[str, Any]],
    kinds: Mapping[str, Kind],
    *,
    false_alarm: float = DAY_LEVEL,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the profile of a day's rows and the features that drifted, both as JSON values, worst first.

    `reference_rows`: a fixed random sample of the traffic that the models were made for, without the day's own rows.
    An empty reference gives the profile in a single bin and no findings.
    """
    known = reference(reference_rows, kinds)
    today = profile(rows, known)
    drift = compare(today, known, level=false_alarm)
    return today.to_dict(), [asdict(one) | {"feature": one.name} for one in drift.features if one.alarm]


def rate_change(
    today: int, n_today: int, before: int, n_before: int, *, level: float = DAY_LEVEL, confidence: float = 0.95
) -> RateChange:
    """Return whether a share changed, such as the share of decisions that went to people.

    `today` of `n_today` against `before` of `n_before`; the chance of a false alarm is at most `level`.
    """
    p_value = fisher(today, n_today, before, n_before)
    return RateChange(
        today=clopper_pearson(today, n_today, confidence),
        reference=clopper_pearson(before, n_before, confidence),
        p_value=p_value,
        level=level,
        alarm=p_value <= level,
    )


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _category(value: Any) -> str | None:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number_reference(values: list[float], rows: int) -> NumberProfile:
    ordered = sorted(values)
    n = len(ordered)
    bins = max(1, min(MOST_BINS, n // LEAST_PER_BIN))
    ranks = [b * n // bins for b in range(1, bins)]
    edges = sorted({ordered[rank - 1] for rank in ranks})
    own = len(edges) == len(ranks) and all(ordered[rank - 1] < ordered[rank] for rank in ranks)
    return _count(values, tuple(edges), rows, own=own)


def _count(values: list[float], edges: tuple[float, ...], rows: int, *, own: bool) -> NumberProfile:
    counts = [0] * (len(edges) + 1)
    for value in values:
        counts[bisect_left(edges, value)] += 1
    mean = math.fsum(values) / len(values) if values else None
    return NumberProfile(edges, tuple(counts), rows - len(values), mean, own)


def _category_profile(column: Iterable[Any], *, lumped: bool) -> CategoryProfile:
    names = [_category(value) for value in column]
    counts = Counter(_group(name) if lumped else name for name in names if name is not None)
    return CategoryProfile(dict(sorted(counts.items())), names.count(None), lumped)


def _group(name: str) -> str:
    return f"group {int.from_bytes(sha256(name.encode('utf-8', 'replace')).digest()[:4]) % MOST_CATEGORIES + 1}"


def _same_features(one: TableProfile, other: TableProfile) -> None:
    same = one.numbers.keys() == other.numbers.keys() and one.categories.keys() == other.categories.keys()
    bins = same and all(one.numbers[name].edges == other.numbers[name].edges for name in one.numbers)
    if not bins or any(one.categories[name].lumped != other.categories[name].lumped for name in one.categories):
        raise DriftInvalid(
            "These profiles were counted in different bins.", hint="Count the day against this reference."
        )


def _compare_numbers(name: str, today: NumberProfile, known: NumberProfile) -> tuple[int, float, float, float, str]:
    distance, p_value = kolmogorov_smirnov(today.counts, known.counts, own=known.own)
    psi = _psi(list(zip(today.counts, known.counts, strict=True)))
    gone = _missing(today.missing, today.n, known.missing, known.n)
    if today.missing + known.missing:
        p_value = min(1.0, 2 * min(p_value, gone))
    means = "" if today.mean is None or known.mean is None else f", mean {today.mean:.4g} after {known.mean:.4g}"
    sentence = f"{name}: cumulative shares differ by {distance:.2f}{means}{_missing_words(today, known)}."
    return today.n, distance, psi, p_value, sentence


def _compare_categories(
    name: str, today: CategoryProfile, known: CategoryProfile
) -> tuple[int, float, float, float, str]:
    names = sorted({*today.counts, *known.counts})
    pairs = [(today.counts.get(one, 0), known.counts.get(one, 0)) for one in names]
    # Of two names the second says the same as the first.
    tests = [fisher(a, today.n, b, known.n) for a, b in (pairs[:1] if len(pairs) == 2 else pairs)]
    if today.missing + known.missing:
        tests.append(_missing(today.missing, today.n, known.missing, known.n))
    p_value = min([1.0, *(len(tests) * one for one in tests)])
    if not (today.n and known.n):
        return today.n, 0.0, 0.0, p_value, f"{name}: no values to compare{_missing_words(today, known)}."
    changes = [a / today.n - b / known.n for a, b in pairs]
    most = max(range(len(names)), key=lambda i: (abs(changes[i]), names[i]))
    now, then = pairs[most][0] / today.n, pairs[most][1] / known.n
    named = f"{names[most]} of its names" if today.lumped else names[most]
    sentence = f"{name}: {named} is {now:.0%} after {then:.0%}{_missing_words(today, known)}."
    return today.n, abs(changes[most]), _psi(pairs), p_value, sentence


def _missing(gone: int, there: int, gone_before: int, there_before: int) -> float:
    return fisher(gone, gone + there, gone_before, gone_before + there_before)


def _missing_words(today: NumberProfile | CategoryProfile, known: NumberProfile | CategoryProfile) -> str:
    if not today.missing + known.missing:
        return ""
    return f", {today.missing} of {today.missing + today.n} missing after {known.missing} of {known.missing + known.n}"


def _psi(pairs: Sequence[tuple[int, int]]) -> float:
    """Return the population stability index, half a count added to every bin so that it stays finite."""
    n, m = sum(a for a, _ in pairs), sum(b for _, b in pairs)
    if not (n and m):
        return 0.0
    shares = [((a + 0.5) / (n + 0.5 * len(pairs)), (b + 0.5) / (m + 0.5 * len(pairs))) for a, b in pairs]
    return math.fsum((p - q) * math.log(p / q) for p, q in shares)
