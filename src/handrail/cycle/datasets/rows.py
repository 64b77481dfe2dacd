"""What the rows of a file mean for a schema: an item, and labels that stand beside it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handrail.cycle.datasets.checking import ready
from handrail.cycle.datasets.model import BadRow, FileUnreadable, NewItem, ReadyItem
from handrail.cycle.datasets.reading import RawRow, shown
from handrail.cycle.datasets.schema import GROUP_PREFIX, ItemInvalid, Schema
from handrail.cycle.datasets.values import kind_of, parse, read_moment

ID_WORDS = ("external_id", "id")
"""What the column with the caller's own name for an item may be called; `id` only where no field is called so."""


@dataclass(frozen=True, slots=True)
class Read:
    """A good row."""

    line: int
    item: ReadyItem
    labels: tuple[tuple[str, Any], ...]


@dataclass(slots=True)
class _Parts:
    """A row taken apart, before it is checked."""

    line: int
    external_id: Any
    data: dict[str, Any]
    subject: Any
    group: dict[str, Any]
    observed_at: Any
    labels: dict[str, Any]
    bad: list[BadRow]


Interpret = Callable[[RawRow], Read | list[BadRow]]


def of_csv(schema: Schema, header: Sequence[str]) -> Interpret:
    """Return what reads the rows under this header; raises FileUnreadable for columns that do not fit the schema."""
    names = [name.strip() for name in header]
    _check_header(schema, names)
    plan = [(name, _place(schema, name), _type(schema, name)) for name in names]

    def interpret(row: RawRow) -> Read | list[BadRow]:
        cells = row.content
        if len(cells) != len(plan):
            return [BadRow(row.line, "", f"has {len(cells)} cells where the header has {len(plan)}")]
        parts = _Parts(row.line, None, {}, None, {}, None, {}, [])
        for (name, place, type_), cell in zip(plan, cells, strict=True):
            value, reason = (None, _NOT_UTF8) if _is_broken(cell) else parse(cell, type_)
            if reason:
                parts.bad.append(BadRow(row.line, name, reason))
            elif value is not None:
                _put(parts, place, name, value)
        return _checked(schema, parts)

    return interpret


def of_json(schema: Schema) -> Interpret:
    """Return what reads JSON objects: flat, or with data, group and labels as objects of their own."""

    def interpret(row: RawRow) -> Read | list[BadRow]:
        parts = _Parts(row.line, None, {}, None, {}, None, {}, [])
        for name, value in row.content.items():
            if name in ("data", "group", "labels"):
                _take_object(parts, name, value)
                continue
            place = _place(schema, name)
            if place == "":
                parts.bad.append(BadRow(row.line, shown(name), _NOT_A_FIELD))
            elif value is not None:
                _put(parts, place, name, value)
        return _checked(schema, parts)

    return interpret


_NOT_UTF8 = "holds bytes that are not UTF-8"
_NOT_A_FIELD = "is neither a field nor a question of the schema"


def _is_broken(cell: str) -> bool:
    if cell.isascii():
        return False
    try:
        cell.encode()
    except UnicodeEncodeError:
        return True
    return False


def _place(schema: Schema, name: str) -> str:
    """Return where a column belongs: id, subject, observed_at, group, data, labels, or "" for nowhere."""
    if schema.field(name) is not None:
        return "data"
    if name in ID_WORDS:
        return "id"
    if name in ("subject", "observed_at"):
        return name
    if name.startswith(GROUP_PREFIX):
        return "group"
    return "labels" if any(one.name == name for one in schema.item_questions) else ""


def _type(schema: Schema, name: str) -> str:
    field = schema.field(name)
    if field is not None:
        return field.type
    return next((one.type for one in schema.questions if one.name == name), "text")


def _put(parts: _Parts, place: str, name: str, value: Any) -> None:
    if place == "id":
        if parts.external_id is not None:
            parts.bad.append(BadRow(parts.line, name, "stands beside another name of the item"))
        # Many systems number their cases; a number is as good a name as its digits.
        parts.external_id = str(value) if type(value) is int else value
    elif place == "subject":
        parts.subject = value
    elif place == "observed_at":
        parts.observed_at = value
    elif place == "group":
        parts.group[name.removeprefix(GROUP_PREFIX)] = value
    else:
        (parts.data if place == "data" else parts.labels)[name] = value


def _take_object(parts: _Parts, word: str, value: Any) -> None:
    if not isinstance(value, Mapping):
        parts.bad.append(BadRow(parts.line, word, f"must be an object, not {kind_of(value)}"))
        return
    into = {"data": parts.data, "group": parts.group, "labels": parts.labels}[word]
    for name, inner in value.items():
        if name in into:
            parts.bad.append(BadRow(parts.line, shown(name), "stands twice in the row"))
        elif inner is not None:
            into[name] = inner


def _check_header(schema: Schema, names: Sequence[str]) -> None:
    problems: list[tuple[str, str]] = []
    for place, name in enumerate(names, 1):
        if not name or _is_broken(name):
            problems.append((f"column {place}", "has no name that can be read"))
        elif name in names[: place - 1]:
            problems.append((shown(name), "stands twice"))
        elif _place(schema, name) in ("", "group") and (name == GROUP_PREFIX or not name.startswith(GROUP_PREFIX)):
            problems.append((shown(name), _NOT_A_FIELD))
    if not any(_place(schema, name) == "id" for name in names):
        problems.append(("external_id", "is missing: every item needs a name of its own"))
    if sum(_place(schema, name) == "id" for name in names) > 1:
        problems.append(("id", "stands beside external_id; keep one of them"))
    for field in schema.fields:
        if field.required and field.name not in names:
            problems.append((field.name, "is missing"))
    if problems:
        listed = "; ".join(f"{name} {reason}" for name, reason in problems[:8])
        raise FileUnreadable(
            f"The columns of the file do not fit the schema: {listed}.",
            hint="Nothing was written. Mend the first line of the file.",
            problems=[{"field": name, "reason": reason} for name, reason in problems[:1000]],
        )


def _checked(schema: Schema, parts: _Parts) -> Read | list[BadRow]:
    bad, line = parts.bad, parts.line
    known_bad = {"external_id" if one.field in ID_WORDS else one.field for one in bad}
    observed = None
    if parts.observed_at is not None:
        observed, reason = read_moment(parts.observed_at)
        if reason:
            bad.append(BadRow(line, "observed_at", reason))
    data = None
    try:
        item = ready(schema, NewItem(parts.external_id, parts.data, parts.subject, parts.group, observed))
    except ItemInvalid as error:
        # A cell that could not be read is not also missing.
        found = [(one["field"], one["reason"]) for one in error.facts["problems"]]
        bad.extend(BadRow(line, shown(name), reason) for name, reason in found if name not in known_bad)
    else:
        data = item.data
    labels, problems = schema.read_answers(parts.labels, data)
    bad.extend(BadRow(line, shown(one.field), one.reason) for one in problems)
    if bad:
        return bad
    return Read(line, item, tuple(labels.items()))
