"""Reads answers that are about an item as a whole: several choices, a ranking, a preference and the like. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from handrail.cycle.datasets.schema.parts import list_at, name_at, names_at, object_at, told, whole_at
from handrail.cycle.datasets.schema.problems import Problems
from handrail.cycle.datasets.values import Reading, kind_of, read_text, read_time

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SIDES = ("left", "right", "tie", "both_bad")
_DIRECTIONS = ("right", "left", "bi")
STRENGTHS = 3


@dataclass(frozen=True, slots=True)
class Branch:
    """A name in a tree of names, and those below it."""

    name: str
    children: tuple[Branch, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the branch as JSON values."""
        below = {"children": [one.to_dict() for one in self.children]} if self.children else {}
        return {"name": self.name, **below}


def read_date(value: Any) -> Reading:
    """Return a day as 2026-01-31, or a moment as text in UTC."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value).isoformat(), ""
        except ValueError:
            return None, "is no day of the calendar"
    kept, reason = read_time(value)
    return (None, f"{reason}; a day alone is written as 2026-01-31") if reason else (kept, "")


def multi_choice(value: Any, choices: Sequence[str], place: str, bad: Problems) -> Any:
    """Return the chosen names in the order of the choices."""
    chosen = names_at(value, place, bad, choices)
    return None if chosen is None else [one for one in choices if one in chosen]


def taxonomy(value: Any, tree: Sequence[Branch], place: str, bad: Problems) -> Any:
    """Return paths of names, each from the root of the tree to any name below it, none twice."""
    given = list_at(value, place, bad)
    if given is None:
        return None
    kept: list[list[str]] = []
    for at, path in enumerate(given):
        where = f"{place}[{at}]"
        if not isinstance(path, list | tuple) or not path:
            bad.add(where, "must be a list of names, from the root of the tree down")
            continue
        reason = _path_problem(path, tree)
        if reason:
            bad.add(where, reason)
        elif list(path) in kept:
            bad.add(where, "stands twice")
        else:
            kept.append(list(path))
    return kept


def _path_problem(path: Sequence[Any], tree: Sequence[Branch]) -> str:
    below = tree
    for depth, name in enumerate(path):
        found = next((one for one in below if one.name == name), None)
        if found is None:
            above = path[depth - 1] if depth else None
            where = "at the root of the tree" if above is None else f"below {str(above)[:40]!r}"
            return f"names {str(name)[:40]!r}, which does not stand {where}"
        below = found.children
    return ""


def rating(value: Any, high: int, place: str, bad: Problems) -> int | None:
    """Return a whole number from 1 to the highest rating."""
    return whole_at(value, place, bad, 1, high)


def ranking(value: Any, choices: Sequence[str], place: str, bad: Problems) -> Any:
    """Return lists of names, the best first; those in one list tie, in the order of the choices; some may lack."""
    given = list_at(value, place, bad)
    if given is None:
        return None
    if not given:
        bad.add(place, "ranks nothing")
    seen: set[str] = set()
    kept = []
    for at, tied in enumerate(given):
        where = f"{place}[{at}]"
        names = names_at(tied, where, bad, choices)
        if names is None:
            continue
        if not names:
            bad.add(where, "is empty")
        for name in names:
            if name in seen:
                bad.add(where, f"ranks {name[:40]!r} again")
        seen.update(names)
        kept.append([one for one in choices if one in names])
    return kept


def preference(value: Any, place: str, bad: Problems) -> Any:
    """Return which side is better, and by how much (1 to 3) where that is said."""
    given = object_at(value, place, bad, ("choice",), ("strength",))
    if given is None:
        return None
    choice = name_at(given["choice"], f"{place}.choice", bad, _SIDES)
    strength = given.get("strength")
    if strength is not None:
        strength = whole_at(strength, f"{place}.strength", bad, 1, STRENGTHS)
        if choice in ("tie", "both_bad"):
            bad.add(f"{place}.strength", "must be null where no side is better")
    return {"choice": choice, "strength": strength}


def edit(value: Any, place: str, bad: Problems) -> Any:
    """Return the text as it should read."""
    given = object_at(value, place, bad, ("text",), ())
    return None if given is None else {"text": told(*read_text(given["text"]), f"{place}.text", bad)}


def relations(value: Any, labels: Sequence[str], place: str, bad: Problems) -> Any:
    """Return pairs of regions by their ids, with a direction and labels; whether the regions are there is not seen."""
    given = list_at(value, place, bad)
    if given is None:
        return None
    kept: list[dict[str, Any]] = []
    for at, one in enumerate(given):
        where = f"{place}[{at}]"
        pair = object_at(one, where, bad, ("from", "to"), ("labels", "direction"))
        if pair is None:
            continue
        made = {
            "from": name_at(pair["from"], f"{where}.from", bad),
            "to": name_at(pair["to"], f"{where}.to", bad),
            "labels": names_at(pair.get("labels", []), f"{where}.labels", bad, labels),
            "direction": name_at(pair.get("direction", "right"), f"{where}.direction", bad, _DIRECTIONS),
        }
        if made["from"] is not None and made["from"] == made["to"]:
            bad.add(where, "relates a region to itself")
        if made in kept:
            bad.add(where, "stands twice")
        kept.append(made)
    return kept


def chosen(value: Any) -> list[Any]:
    """Return what an answer chooses, as a list: for conditions on it."""
    return list(value) if isinstance(value, list | tuple) else [value]


def object_of(value: Any, place: str, bad: Problems) -> Mapping[str, Any]:
    """Return an object of any keys, empty after telling that it is none."""
    if isinstance(value, Mapping):
        return value
    bad.add(place, f"must be an object, not {kind_of(value)}")
    return {}
