"""Records of Argilla 2: fields, metadata, suggestions of models and responses of people, as JSON.

A response that was submitted is an annotation, a draft a draft, a suggestion a prediction with its agent and score.
Vectors, metadata and discarded responses stay beside the item. Format: https://docs.argilla.io/latest/how_to_guides/record/.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from handrail.cycle.datasets.formats.entries import Stopped, entries
from handrail.cycle.datasets.formats.record import Answered, Found, Record, agreed, name_of, refused
from handrail.cycle.datasets.formats.target import Entry, Target
from handrail.cycle.datasets.reading import Unread

_KEPT = ("metadata", "vectors", "status", "_server_id", "inserted_at", "updated_at")


def read_argilla(chunks: Iterable[bytes], target: Target) -> Iterator[Found]:
    """Yield the records of a file: a JSON list or JSON lines."""
    try:
        for entry in entries(chunks):
            yield _record(entry.content, entry.line, target)
    except Stopped as stopped:
        yield Unread(stopped.line, stopped.reason)


def _record(row: Any, line: int, target: Target) -> Found:
    if not isinstance(row, Mapping) or not isinstance(row.get("fields"), Mapping):
        return refused(line, [("fields", "are missing, or are no object")])
    problems: list[tuple[str, str]] = []
    data: dict[str, Any] = {}
    for name, value in row["fields"].items():
        if not target.has_field(name):
            problems.append((str(name), "is not a field of the schema"))
        elif value is not None:
            data[name] = _field_in(target, name, value)
    answers = list(_responses(row, target, problems)) + list(_suggestions(row, target, problems))
    if problems:
        return refused(line, problems)
    found = row.get("id")
    name = str(found) if isinstance(found, int | str) and found != "" else name_of(row["fields"])
    return Record(line, name, data, agreed(answers), tuple(answers), dict(row))


def _field_in(target: Target, name: str, value: Any) -> Any:
    chat = any(one["name"] == name and one["type"] == "conversation" for one in target.fields)
    if chat and isinstance(value, list):
        return [
            {"role": str(turn.get("role", "")), "text": str(turn.get("content", ""))}
            if isinstance(turn, Mapping)
            else turn
            for turn in value
        ]
    return value


def _responses(row: Mapping[str, Any], target: Target, problems: list[tuple[str, str]]) -> Iterator[Answered]:
    said: dict[tuple[str, str], dict[str, Any]] = {}
    given = row.get("responses") or {}
    if not isinstance(given, Mapping):
        problems.append(("responses", "are no object"))
        return
    for name, responses in given.items():
        asked = target.named(name)
        if asked is None:
            problems.append((str(name), "is not a question of the schema"))
            continue
        for one in responses if isinstance(responses, list) else []:
            value, reason = _value_in(asked, one.get("value")) if isinstance(one, Mapping) else (None, "is no object")
            if reason:
                problems.append((str(name), reason))
            elif value is not None and one.get("status", "submitted") != "discarded":
                who = (str(one.get("user_id", "")), "draft" if one.get("status") == "draft" else "annotation")
                said.setdefault(who, {})[name] = value
    for (user, kind), values in said.items():
        yield Answered("draft" if kind == "draft" else "annotation", user, values)


def _suggestions(row: Mapping[str, Any], target: Target, problems: list[tuple[str, str]]) -> Iterator[Answered]:
    given = row.get("suggestions") or {}
    if not isinstance(given, Mapping):
        problems.append(("suggestions", "are no object"))
        return
    for name, one in given.items():
        asked = target.named(name)
        if asked is None or not isinstance(one, Mapping):
            problems.append((str(name), "is not a question of the schema, or its suggestion is no object"))
            continue
        value, reason = _value_in(asked, one.get("value"))
        if reason:
            problems.append((str(name), reason))
        elif value is not None:
            score = one.get("score")
            sure = float(score) if isinstance(score, int | float) else None
            yield Answered("prediction", str(one.get("agent") or ""), {name: value}, sure)


def _value_in(asked: Entry, value: Any) -> tuple[Any, str]:
    kind = asked["type"]
    try:
        if kind == "span" and value is not None:
            return [
                {"id": str(place), "labels": [one["label"]], "start": one["start"], "end": one["end"]}
                for place, one in enumerate(value, 1)
            ], ""
        if kind == "ranking" and value is not None:
            return _ranking(value), ""
    except (TypeError, KeyError):
        return None, f"has a value that is no {kind} of Argilla"
    return value, ""


def _ranking(value: Any) -> list[list[str]]:
    """Return lists of ties, best first, of names in order or of {value, rank}."""
    groups: dict[int, list[str]] = {}
    for place, one in enumerate(value):
        if isinstance(one, str):
            groups[place] = [one]
        else:
            groups.setdefault(int(one["rank"]), []).append(one["value"])
    return [groups[rank] for rank in sorted(groups)]


def write_argilla(records: Iterable[Record], target: Target) -> Iterator[bytes]:
    """Yield the records as a JSON list; a label that the responses do not say is one of the user `handrail`."""
    start = b"[\n"
    for record in records:
        yield start + json.dumps(_row(record, target), ensure_ascii=False, allow_nan=False).encode()
        start = b",\n"
    yield b"[]\n" if start == b"[\n" else b"\n]\n"


def _row(record: Record, target: Target) -> dict[str, Any]:
    origin = record.origin or {}
    row: dict[str, Any] = dict(origin) if origin else {"id": record.external_id, "metadata": {}, "vectors": {}}
    row["fields"] = origin["fields"] if origin else {key: _field_out(value) for key, value in record.data.items()}
    known: dict[str, Any] = {}
    if origin:
        came = _record(origin, 0, target)
        known = dict(came.labels) if isinstance(came, Record) else {}
    responses = {key: list(value) for key, value in (row.get("responses") or {}).items()}
    for name, value in record.labels.items():
        asked = target.named(name)
        if asked is not None and (name not in known or known[name] != value):
            made = {"value": _value_out(asked, value), "user_id": "handrail", "status": "submitted"}
            responses.setdefault(name, []).append(made)
    row["responses"] = responses
    row.setdefault("suggestions", {})
    return row


def _field_out(value: Any) -> Any:
    if isinstance(value, list) and all(isinstance(turn, Mapping) and "text" in turn for turn in value):
        return [{"role": turn.get("role", ""), "content": turn["text"]} for turn in value]
    return value


def _value_out(asked: Entry, value: Any) -> Any:
    if asked["type"] == "span":
        return [{"start": one["start"], "end": one["end"], "label": (one["labels"] or [None])[0]} for one in value]
    if asked["type"] == "ranking":
        return [{"value": name, "rank": rank} for rank, names in enumerate(value, 1) for name in names]
    if asked["type"] == "rating" and isinstance(value, float):
        return int(value)
    return value
