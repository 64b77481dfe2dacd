"""Finds items that are the same, or nearly, and those of them that stand on both sides of a border. Pure.

Exact: the same fields. Nearly, by text: MinHash over runs of three words (Broder 1997), 64 values in 16 bands of 4;
then the share of common runs of each pair that met in a band, at least 0.8. Nearly, by numbers: each column is cut
into steps of a hundredth of its standard deviation; items whose steps are all equal are nearly the same. Pairs across
a step's border are missed, and so are texts under three words.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from handrail.cycle.datasets.splits import together
from handrail.foundation.canonical import encode

ALIKE = 0.8
_RUN, _HASHES, _BANDS = 3, 64, 16
_MOST_IN_BAND = 50
_PRIME = np.uint64((1 << 61) - 1)
_WORD = re.compile(r"\w+")

Kind = Literal["exact", "text", "numbers"]


@dataclass(frozen=True)
class Alike:
    """Items that are the same or nearly, by their places; `sides` are the parts or purposes that they stand in."""

    kind: Kind
    places: tuple[int, ...]
    sides: tuple[str, ...]

    @property
    def leaks(self) -> bool:
        """True when they stand on more than one side."""
        return len(self.sides) > 1


def find(
    rows: Sequence[Mapping[str, Any]], texts: Sequence[str], numbers: Sequence[str], sides: Sequence[str]
) -> list[Alike]:
    """Return the groups of alike items, those that leak first, then the exact ones.

    `rows`: the fields of each item. `texts`, `numbers`: the names of its fields of these types. `sides`: on which side
    each item stands, "" on none.
    """
    found = list(_groups("exact", (encode(dict(one)) for one in rows), sides))
    known = {place for one in found for place in one.places[1:]}
    rest = [place for place in range(len(rows)) if place not in known]
    if texts:
        runs = [_runs(" ".join(str(rows[place].get(name) or "") for name in texts)) for place in rest]
        found += [_put(one, rest, sides) for one in _alike_texts(runs)]
    elif numbers:
        table = np.array([[rows[place].get(name, np.nan) for name in numbers] for place in rest], np.float64)
        steps = _steps(table) if len(rest) else table
        bare = [not any(name in rows[place] for name in numbers) for place in rest]
        names = ("" if none else step.tobytes() for step, none in zip(steps, bare, strict=True))
        found += [_put(one.places, rest, sides, "numbers") for one in _groups("numbers", names, [""] * len(rest))]
    return sorted(found, key=lambda one: (not one.leaks, one.kind != "exact", one.places))


def _groups(kind: Kind, names: Iterable[Hashable], sides: Sequence[str]) -> Iterator[Alike]:
    places: dict[Hashable, list[int]] = {}
    for place, name in enumerate(names):
        if name:
            places.setdefault(name, []).append(place)
    for some in places.values():
        if len(some) > 1:
            yield Alike(kind, tuple(some), _sides(some, sides))


def _put(places: Sequence[int], rest: Sequence[int], sides: Sequence[str], kind: Kind = "text") -> Alike:
    real = tuple(rest[one] for one in places)
    return Alike(kind, real, _sides(real, sides))


def _sides(places: Iterable[int], sides: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({sides[one] for one in places} - {""}))


def _steps(table: NDArray[np.float64]) -> NDArray[np.int64]:
    spread = np.nanstd(table, axis=0)
    step = np.where(spread > 0, spread / 100, 1.0)
    return np.nan_to_num(np.floor(table / step), nan=np.iinfo(np.int32).min, posinf=0, neginf=0).astype(np.int64)


def _runs(text: str) -> frozenset[int]:
    words = [one.lower() for one in _WORD.findall(text)]
    return frozenset(crc32(" ".join(words[at : at + _RUN]).encode()) for at in range(len(words) - _RUN + 1))


def _alike_texts(runs: Sequence[frozenset[int]]) -> Iterator[list[int]]:
    """Yield groups of texts that are nearly the same, by their places."""
    source = np.random.default_rng(0)  # fixed: the same texts give the same groups everywhere
    factor = source.integers(1, 1 << 31, _HASHES, dtype=np.uint64)
    shift = source.integers(0, 1 << 31, _HASHES, dtype=np.uint64)
    bands: dict[tuple[int, bytes], list[int]] = {}
    for place, some in enumerate(runs):
        if some:
            values = np.fromiter(some, np.uint64, len(some))
            least = ((values[:, None] * factor + shift) % _PRIME).min(axis=0).reshape(_BANDS, -1)
            for band, part in enumerate(least):
                bands.setdefault((band, part.tobytes()), []).append(place)
    pairs = {
        (a, b)
        for some in bands.values()
        if len(some) > 1
        for at, a in enumerate(some[:_MOST_IN_BAND])
        for b in some[at + 1 : at + 1 + _MOST_IN_BAND]
    }
    keys: list[list[str]] = [[] for _ in runs]
    for a, b in pairs:
        if len(runs[a] & runs[b]) >= ALIKE * len(runs[a] | runs[b]):
            keys[a].append(f"{a}-{b}")
            keys[b].append(f"{a}-{b}")
    groups: dict[int, list[int]] = {}
    for place, group in enumerate(together(keys)):
        groups.setdefault(group, []).append(place)
    return (some for some in groups.values() if len(some) > 1)
