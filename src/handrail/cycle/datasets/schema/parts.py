"""Reads the parts that structured values are made of: objects, lists, numbers, names. Pure.

Each function returns the part as it is kept, or None after telling its exact place and what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from handrail.cycle.datasets.schema.problems import Problems
from handrail.cycle.datasets.values import kind_of, read_category, read_number

MOST_PARTS = 20_000
"""Members of one list in a value: regions, points, frames, turns."""


def told(kept: Any, reason: str, place: str, bad: Problems) -> Any:
    """Return what is kept, or tell why nothing is."""
    if reason:
        bad.add(place, reason)
        return None
    return kept


def object_at(
    value: Any, place: str, bad: Problems, needed: Collection[str] = (), allowed: Collection[str] | None = None
) -> Mapping[str, Any] | None:
    """Return an object that has every needed key, and none but those and the allowed ones (None: any)."""
    if not isinstance(value, Mapping):
        bad.add(place, f"must be an object, not {kind_of(value)}")
        return None
    missing = [name for name in needed if name not in value]
    strange = [] if allowed is None else [name for name in value if name not in needed and name not in allowed]
    for name in missing:
        bad.add(f"{place}.{name}", "is missing")
    for name in strange:
        bad.add(f"{place}.{str(name)[:80]}", "is not known here")
    return None if missing or strange else value


def list_at(value: Any, place: str, bad: Problems) -> Sequence[Any] | None:
    """Return a list of a bounded length."""
    if not isinstance(value, list | tuple):
        bad.add(place, f"must be a list, not {kind_of(value)}")
        return None
    if len(value) > MOST_PARTS:
        bad.add(place, f"has more than {MOST_PARTS:,} members")
        return None
    return value


def number_at(
    value: Any, place: str, bad: Problems, low: float | None = None, high: float | None = None
) -> float | None:
    """Return a finite number within its bounds as a float."""
    kept, reason = read_number(value, low, high)
    found: float | None = told(kept, reason, place, bad)
    return found


def whole_at(value: Any, place: str, bad: Problems, low: int = 0, high: int = 1 << 31) -> int | None:
    """Return a whole number from `low` to `high` as an int."""
    kept, reason = read_number(value, low, high)
    if not reason and kept != int(kept):
        reason = "must be a whole number"
    found: float | None = told(kept, reason, place, bad)
    return None if found is None else int(found)


def name_at(value: Any, place: str, bad: Problems, allowed: Sequence[str] = ()) -> str | None:
    """Return a short text, one of `allowed` when that is not empty."""
    kept, reason = read_category(value, allowed)
    found: str | None = told(kept, reason, place, bad)
    return found


def names_at(value: Any, place: str, bad: Problems, allowed: Sequence[str]) -> list[str] | None:
    """Return a list of short texts, each one of `allowed` and none twice, in the order given."""
    given = list_at(value, place, bad)
    if given is None:
        return None
    if given and not allowed:
        bad.add(place, "must be empty: the question has no labels")
        return None
    kept: list[str] = []
    for at, one in enumerate(given):
        name = name_at(one, f"{place}[{at}]", bad, allowed)
        if name is not None and name in kept:
            bad.add(f"{place}[{at}]", f"is {name[:40]!r}, which stands twice")
        elif name is not None:
            kept.append(name)
    return kept


def flag_at(value: Any, place: str, bad: Problems) -> bool | None:
    """Return true or false."""
    if isinstance(value, bool):
        return value
    bad.add(place, f"must be true or false, not {kind_of(value)}")
    return None
