"""Prodigy's JSON lines: a text with spans, or with the accepted options, and whether the annotator took it.

Only examples with the answer `accept` (or without one) have labels; `reject` and `ignore` keep the item and what was
said beside it. Format: https://prodi.gy/docs/api-interfaces.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from handrail.cycle.datasets.formats.entries import Stopped, entries
from handrail.cycle.datasets.formats.record import Answered, Found, Record, name_of, refused
from handrail.cycle.datasets.formats.target import Target, unsaid
from handrail.cycle.datasets.reading import Unread


def read_prodigy(chunks: Iterable[bytes], target: Target) -> Iterator[Found]:
    """Yield the examples of a file."""
    field = target.field("text")
    try:
        for entry in entries(chunks):
            yield _example(entry.content, entry.line, field, target)
    except Stopped as stopped:
        yield Unread(stopped.line, stopped.reason)


def _example(row: Any, line: int, field: str, target: Target) -> Found:
    text = row.get("text") if isinstance(row, Mapping) else None
    if not isinstance(text, str):
        return refused(line, [("text", "is missing, or is no text")])
    answer = row.get("answer", "accept")
    if answer not in ("accept", "reject", "ignore"):
        return refused(line, [("answer", f"is {str(answer)[:20]!r}, none of accept, reject, ignore")])
    try:
        values = _values(row, target)
    except ValueError as error:
        return refused(line, [("spans", str(error))])
    meta = row.get("meta")
    known = meta.get("external_id") if isinstance(meta, Mapping) else None
    name = known if isinstance(known, str) else str(row["_input_hash"]) if "_input_hash" in row else name_of(text)
    who = row.get("_annotator_id", row.get("_session_id"))
    said = (Answered("annotation", "" if who is None else str(who), values),) if answer == "accept" and values else ()
    return Record(line, name, {field: text}, values if answer == "accept" else {}, said, dict(row))


def _values(row: Mapping[str, Any], target: Target) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if "spans" in row:
        spans = row["spans"]
        if not isinstance(spans, list) or not all(
            isinstance(one, Mapping) and {"start", "end", "label"} <= one.keys() for one in spans
        ):
            raise ValueError("has spans that are no list of start, end and label")
        values[target.question("span")["name"]] = [
            {"id": str(place), "labels": [str(one["label"])], "start": one["start"], "end": one["end"]}
            for place, one in enumerate(spans, 1)
        ]
    chosen = row.get("accept")
    if chosen is None and isinstance(row.get("label"), str) and "spans" not in row:
        chosen = [row["label"]]
    if chosen is not None:
        asked = target.find("multi_choice") or target.question("choice")
        if not isinstance(chosen, list) or not all(isinstance(one, str) for one in chosen):
            raise ValueError("accepts something that is no list of texts")
        if asked["type"] == "choice" and len(chosen) != 1:
            raise ValueError(f"accepts {len(chosen)} options, and {asked['name']} takes one")
        order = {name: place for place, name in enumerate(asked.get("choices", ()))}
        chosen = sorted(chosen, key=lambda name: order.get(name, len(order)))
        values[asked["name"]] = chosen if asked["type"] == "multi_choice" else chosen[0]
    return values


def write_prodigy(records: Iterable[Record], target: Target) -> Iterator[bytes]:
    """Yield the examples as JSON lines; what came from Prodigy keeps all that it said, with the labels of today."""
    field, span = target.field("text"), target.find("span")
    choice = target.find("multi_choice") or target.find("choice")
    for record in records:
        row: dict[str, Any] = dict(record.origin or {"meta": {"external_id": record.external_id}})
        row["text"] = record.data.get(field, "")
        said = False
        if span is not None and span["name"] in record.labels:
            spans = record.labels[span["name"]]
            if wrong := next((one for one in spans if len(one["labels"]) != 1), None):
                raise unsaid("prodigy", record.external_id, f"the span {wrong['id']}", "has not one label")
            row["spans"], said = _spans(row.get("spans"), spans), True
        if choice is not None and choice["name"] in record.labels:
            value = record.labels[choice["name"]]
            row.setdefault("options", [{"id": one, "text": one} for one in choice.get("choices", ())])
            row["accept"], said = (value if isinstance(value, list) else [value]), True
        if said:
            row["answer"] = "accept"
        yield json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _spans(known: Any, spans: list[Any]) -> list[dict[str, Any]]:
    made = [{"start": one["start"], "end": one["end"], "label": one["labels"][0]} for one in spans]
    if isinstance(known, list) and all(isinstance(one, Mapping) for one in known):
        rests = {(one.get("start"), one.get("end"), one.get("label")): one for one in known}
        made = [dict(rests.get((one["start"], one["end"], one["label"]), one)) for one in made]
    return made
