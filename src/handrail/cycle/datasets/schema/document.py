"""Fields and questions as JSON values, and back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from handrail.cycle.datasets.schema.answers import Branch
from handrail.cycle.datasets.schema.fields import Field
from handrail.cycle.datasets.schema.problems import Problems
from handrail.cycle.datasets.schema.questions import Question, When
from handrail.cycle.datasets.values import kind_of

_MOST_BRANCHES = 10_000
_MOST_DEPTH = 16
_OWN = frozenset({"bound"})
_NEEDED = ("name", "type")


def plain(one: Field | Question) -> dict[str, Any]:
    """Return a field or a question as JSON values, without what is as by default."""
    made: dict[str, Any] = {}
    for part in fields(one):
        value = getattr(one, part.name)
        if part.name not in _OWN and (part.name in _NEEDED or value != part.default):
            made[part.name] = _value(value)
    return made


def _value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [one.to_dict() if isinstance(one, Branch) else one for one in value]
    return value.to_dict() if isinstance(value, When) else value


def fields_of(document: Mapping[str, Any], bad: Problems) -> list[Field]:
    """Return the fields of a document, telling what is none."""
    return [Field(**parts) for parts in _entries(document, "fields", Field, bad)]


def questions_of(document: Mapping[str, Any], bad: Problems) -> list[Question]:
    """Return the questions of a document, telling what is none."""
    made = []
    for place, parts in enumerate(_entries(document, "questions", Question, bad)):
        before = len(bad)
        where = f"questions[{place}]"
        if "when" in parts:
            parts["when"] = _when(parts["when"], f"{where}.when", bad)
        if "tree" in parts:
            parts["tree"] = _tree(parts["tree"], f"{where}.tree", bad)
        if len(bad) == before:
            made.append(Question(**parts))
    return made


def _entries(document: Mapping[str, Any], word: str, kind: type, bad: Problems) -> list[dict[str, Any]]:
    given = document.get(word)
    if not isinstance(given, list | tuple):
        bad.add(word, "must be a list")
        return []
    allowed = {part.name for part in fields(kind)} - _OWN
    made = []
    for place, one in enumerate(given):
        if not isinstance(one, Mapping):
            bad.add(f"{word}[{place}]", "must be an object")
            continue
        unknown = sorted(map(str, set(one) - allowed))
        missing = sorted(set(_NEEDED) - set(one))
        for name in unknown:
            bad.add(f"{word}[{place}].{name}", "is not known")
        for name in missing:
            bad.add(f"{word}[{place}].{name}", "is missing")
        if not unknown and not missing:
            made.append({name: tuple(value) if isinstance(value, list) else value for name, value in one.items()})
    return made


def _when(given: Any, place: str, bad: Problems) -> When | None:
    if isinstance(given, Mapping):
        if set(given) == {"question", "is"} and isinstance(given["is"], list | tuple):
            return When(question=given["question"], values=tuple(given["is"]))
        if set(given) == {"region_label"} and isinstance(given["region_label"], list | tuple):
            return When(region_label=tuple(given["region_label"]))
    bad.add(place, 'must be {"question": name, "is": [answers]} or {"region_label": [labels]}')
    return None


def _tree(given: Any, place: str, bad: Problems) -> tuple[Branch, ...]:
    room = [_MOST_BRANCHES]
    return _branches(given, place, bad, 0, room)


def _branches(given: Any, place: str, bad: Problems, depth: int, room: list[int]) -> tuple[Branch, ...]:
    if not isinstance(given, list | tuple):
        bad.add(place, f"must be a list of names, not {kind_of(given)}")
        return ()
    if depth >= _MOST_DEPTH:
        bad.add(place, f"is deeper than {_MOST_DEPTH} levels")
        return ()
    made: list[Branch] = []
    for at, one in enumerate(given):
        room[0] -= 1
        if room[0] < 0:
            if room[0] == -1:
                bad.add(place, f"has more than {_MOST_BRANCHES:,} names")
            return ()
        made.append(_branch(one, f"{place}[{at}]", bad, depth, room))
    names = [one.name for one in made]
    if len(set(names)) != len(names):
        bad.add(place, "has names that stand twice")
    return tuple(made)


def _branch(given: Any, place: str, bad: Problems, depth: int, room: list[int]) -> Branch:
    if isinstance(given, str):
        return Branch(given)
    if not isinstance(given, Mapping) or "name" not in given or set(given) - {"name", "children"}:
        bad.add(place, 'must be a name, or {"name": ..., "children": [...]}')
        return Branch("?")
    if not isinstance(given["name"], str):
        bad.add(f"{place}.name", f"must be a text, not {kind_of(given['name'])}")
        return Branch("?")
    below = given.get("children", ())
    return Branch(given["name"], _branches(below, f"{place}.children", bad, depth + 1, room))
