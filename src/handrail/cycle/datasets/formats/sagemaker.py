"""SageMaker's augmented manifest: a JSON line a thing, with one attribute a job and its metadata beside it.

`source` is text, `source-ref` an address. Jobs that are read and written: classification of one class, object
detection (boxes in pixels), a number, a text. Metadata (confidence, job name, date) stay beside the item.
Format: https://docs.aws.amazon.com/sagemaker/latest/dg/augmented-manifest.html.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from handrail.cycle.datasets.formats.entries import Stopped, entries
from handrail.cycle.datasets.formats.geometry import box_in, box_out
from handrail.cycle.datasets.formats.record import Found, Record, name_of, refused
from handrail.cycle.datasets.formats.target import Entry, Target, unsaid
from handrail.cycle.datasets.reading import Unread

_MEDIA = ("image", "dicom", "audio", "video", "document")
_SIMPLE = ("choice", "number", "text", "rating", "box")


def read_manifest(chunks: Iterable[bytes], target: Target) -> Iterator[Found]:
    """Yield the lines of a manifest; an attribute that the schema does not ask about stays beside the item."""
    try:
        for entry in entries(chunks):
            yield _line(entry.content, entry.line, target)
    except Stopped as stopped:
        yield Unread(stopped.line, stopped.reason)


def _line(row: Any, line: int, target: Target) -> Found:
    if not isinstance(row, Mapping) or not isinstance(row.get("source-ref", row.get("source")), str):
        return refused(line, [("source", "is missing: neither source nor source-ref is a text")])
    refers = "source-ref" in row
    field = target.field(*_MEDIA) if refers else target.field("text")
    source = row["source-ref"] if refers else row["source"]
    labels: dict[str, Any] = {}
    problems: list[tuple[str, str]] = []
    for name, value in row.items():
        asked = target.named(name)
        if name in ("source", "source-ref") or name.endswith("-metadata") or asked is None:
            continue
        meta = row.get(f"{name}-metadata")
        try:
            labels[name] = _value(asked, value, meta if isinstance(meta, Mapping) else {})
        except (ValueError, TypeError, KeyError) as error:
            reason = str(error) if isinstance(error, ValueError) else "is not as the job of this kind says it"
            problems.append((name, reason))
    if problems:
        return refused(line, problems)
    return Record(line, source if refers else name_of(source), {field: source}, labels, origin=dict(row))


def _value(asked: Entry, value: Any, meta: Mapping[str, Any]) -> Any:
    if asked["type"] == "choice":
        found = meta.get("class-name", value)
        if not isinstance(found, str):
            raise ValueError("has neither a class-name nor a text")
        return found
    if asked["type"] == "box":
        (size,) = value["image_size"]
        shape = [int(size["height"]), int(size["width"])]
        names, sure = meta.get("class-map", {}), meta.get("objects", [])
        regions = []
        for place, one in enumerate(value["annotations"]):
            name = names.get(str(one["class_id"]))
            if name is None:
                raise ValueError(f"has the class {one['class_id']}, which class-map does not name")
            region: dict[str, Any] = {"id": str(place + 1), "labels": [name], "size": shape}
            region |= box_in([one["left"], one["top"], one["width"], one["height"]], shape)
            if place < len(sure) and isinstance(sure[place].get("confidence"), int | float):
                region["score"] = float(sure[place]["confidence"])
            regions.append(region)
        return regions
    return value


def write_manifest(records: Iterable[Record], target: Target) -> Iterator[bytes]:
    """Yield a manifest; raises Unsaid for an answer that no job of SageMaker has."""
    media = target.find_field(*_MEDIA)
    field = media or target.field("text")
    for record in records:
        row = dict(record.origin or {})
        row["source-ref" if media else "source"] = record.data.get(field, "")
        for name, value in record.labels.items():
            asked = target.named(name)
            if asked is None or asked["type"] not in _SIMPLE:
                raise unsaid("sagemaker", record.external_id, name, "has a type that no job of a manifest has")
            known = row.get(f"{name}-metadata")
            row |= _attribute(record, asked, value, known if isinstance(known, Mapping) else {})
        yield json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _attribute(record: Record, asked: Entry, value: Any, known: Mapping[str, Any]) -> dict[str, Any]:
    name = asked["name"]
    head = {"job-name": f"labeling-job/{name}", "human-annotated": "yes"} | dict(known)
    if asked["type"] == "choice":
        choices = list(asked.get("choices", ()))
        kind = (
            {"class-name": value, "type": "groundtruth/text-classification"} if known == {} else {"class-name": value}
        )
        return {name: choices.index(value) if value in choices else value, f"{name}-metadata": head | kind}
    if asked["type"] != "box":
        return {name: value, f"{name}-metadata": head}
    size: list[int] = next((one["size"] for one in value if one.get("size")), [])
    if not size and value:
        raise unsaid("sagemaker", record.external_id, name, "has boxes and no size in pixels")
    labels = list(asked.get("labels", ()))
    annotations = []
    for one in value:
        if len(one["labels"]) != 1 or one["labels"][0] not in labels or one.get("rotation") or "sequence" in one:
            raise unsaid(
                "sagemaker", record.external_id, f"{name} ({one['id']})", "has not one listed label, or is turned"
            )
        left, top, width, height = box_out(one, size)
        box = {"left": left, "top": top, "width": width, "height": height}
        annotations.append({"class_id": labels.index(one["labels"][0])} | box)
    shape = [{"width": size[1], "height": size[0], "depth": 3}] if size else []
    head |= {
        "class-map": {str(place): label for place, label in enumerate(labels)},
        "objects": [{"confidence": one.get("score", 0)} for one in value],
        "type": "groundtruth/object-detection",
    }
    return {name: {"image_size": shape, "annotations": annotations}, f"{name}-metadata": head}
