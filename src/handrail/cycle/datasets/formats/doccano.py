"""doccano's JSON lines: a text with spans [start, end, label] or entities and relations, or with labels of the whole.

Format: https://doccano.github.io/doccano/. Read and written by what the schema asks: span, relation, choice or
multi_choice, text (for sequence to sequence).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from handrail.cycle.datasets.formats.entries import Stopped, entries
from handrail.cycle.datasets.formats.record import Found, Record, name_of, refused
from handrail.cycle.datasets.formats.target import Target, unsaid
from handrail.cycle.datasets.reading import Unread

_SEEN = frozenset({"text", "data", "label", "labels", "entities", "relations"})


def read_doccano(chunks: Iterable[bytes], target: Target) -> Iterator[Found]:
    """Yield the examples of a file."""
    field = target.field("text")
    try:
        for entry in entries(chunks):
            yield _example(entry.content, entry.line, field, target)
    except Stopped as stopped:
        yield Unread(stopped.line, stopped.reason)


def _example(row: Any, line: int, field: str, target: Target) -> Found:
    text = row.get("text", row.get("data")) if isinstance(row, Mapping) else None
    if not isinstance(text, str):
        return refused(line, [("text", "is missing, or is no text")])
    try:
        labels = _spans(row, target) | _wholes(row, target)
    except ValueError as error:
        return refused(line, [("label", str(error))])
    found = row.get("id")
    name = str(found) if isinstance(found, int | str) and found != "" else name_of(text)
    rest = {key: value for key, value in row.items() if key not in _SEEN}
    return Record(line, name, {field: text}, labels, origin=rest or None)


def _given(row: Mapping[str, Any]) -> list[Any]:
    found = row.get("label", row.get("labels", []))
    return found if isinstance(found, list) else [] if found is None else [found]


def _spans(row: Mapping[str, Any], target: Target) -> dict[str, Any]:
    triples = [one for one in _given(row) if isinstance(one, list)]
    objects = row.get("entities") or []
    if not triples and not objects:
        return {}
    asked = target.question("span")["name"]
    spans = []
    for place, one in enumerate(triples, 1):
        if len(one) != 3 or not all(type(at) is int for at in one[:2]) or not isinstance(one[2], str):
            raise ValueError(f"has {json.dumps(one)[:60]}, which is not start, end and label")
        spans.append({"id": str(place), "labels": [one[2]], "start": one[0], "end": one[1]})
    for one in objects:
        if not isinstance(one, Mapping) or not {"id", "label", "start_offset", "end_offset"} <= one.keys():
            raise ValueError("has an entity without id, label, start_offset and end_offset")
        head = {"id": str(one["id"]), "labels": [str(one["label"])]}
        spans.append(head | {"start": one["start_offset"], "end": one["end_offset"]})
    made: dict[str, Any] = {asked: spans}
    if row.get("relations"):
        relation = target.question("relation")["name"]
        made[relation] = [_relation(one) for one in row["relations"]]
    return made


def _relation(one: Any) -> dict[str, Any]:
    if not isinstance(one, Mapping) or not {"from_id", "to_id", "type"} <= one.keys():
        raise ValueError("has a relation without from_id, to_id and type")
    return {
        "from": str(one["from_id"]),
        "to": str(one["to_id"]),
        "labels": [str(one["type"])],
        "direction": "right",
    }


def _wholes(row: Mapping[str, Any], target: Target) -> dict[str, Any]:
    given = [one for one in _given(row) if not isinstance(one, list)]
    if not given:
        return {}
    if not all(isinstance(one, str) for one in given):
        raise ValueError("holds a label that is neither a text nor a span")
    asked = target.find("multi_choice") or target.find("choice") or target.question("text")
    if asked["type"] == "multi_choice":
        order = {name: place for place, name in enumerate(asked.get("choices", ()))}
        return {asked["name"]: sorted(given, key=lambda name: order.get(name, len(order)))}
    if len(given) != 1:
        raise ValueError(f"holds {len(given)} labels, and {asked['name']} takes one")
    return {asked["name"]: given[0]}


def write_doccano(records: Iterable[Record], target: Target) -> Iterator[bytes]:
    """Yield the examples as JSON lines; with a question of relations as entities and relations, else as triples."""
    field, span, relation = target.field("text"), target.find("span"), target.find("relation")
    whole = target.find("multi_choice") or target.find("choice") or (None if span else target.find("text"))
    for record in records:
        row: dict[str, Any] = {"id": _number(record.external_id), "text": record.data.get(field, "")}
        labels: list[Any] = []
        spans = [] if span is None else record.labels.get(span["name"], [])
        if wrong := next((one for one in spans if len(one["labels"]) != 1), None):
            raise unsaid("doccano", record.external_id, f"the span {wrong['id']}", "has not one label")
        if relation is None:
            labels += [[one["start"], one["end"], one["labels"][0]] for one in spans]
        else:
            row |= _graph(record, spans, record.labels.get(relation["name"], []))
        if whole is not None and whole["name"] in record.labels:
            value = record.labels[whole["name"]]
            labels += value if isinstance(value, list) else [value]
        if labels or relation is None:
            row["label"] = labels
        row |= {key: value for key, value in (record.origin or {}).items() if key not in row}
        yield json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _graph(record: Record, spans: list[Any], relations: list[Any]) -> dict[str, Any]:
    ids = {one["id"]: place for place, one in enumerate(spans, 1)}
    entities = [
        {
            "id": _id(one["id"], ids),
            "label": one["labels"][0],
            "start_offset": one["start"],
            "end_offset": one["end"],
        }
        for one in spans
    ]
    made = []
    for place, one in enumerate(relations, 1):
        if len(one["labels"]) != 1 or not {one["from"], one["to"]} <= ids.keys():
            raise unsaid("doccano", record.external_id, f"relation {place}", "has not one label, or leaves the spans")
        ends = (one["to"], one["from"]) if one.get("direction") == "left" else (one["from"], one["to"])
        made.append({"id": place, "from_id": _id(ends[0], ids), "to_id": _id(ends[1], ids), "type": one["labels"][0]})
    return {"entities": entities, "relations": made}


def _id(name: str, ids: Mapping[str, int]) -> int:
    return int(name) if name.isdecimal() else 1_000_000 + ids[name]


def _number(name: str) -> int | str:
    return int(name) if name.isdecimal() and str(int(name)) == name and len(name) < 16 else name
