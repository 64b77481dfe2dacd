"""Reads regions: the parts of a field that a person or a model marks. Pure.

Geometry is in percent of the picture's width and height, offsets count Unicode code points in [start, end), times are
seconds. A region has an id of its own in the value, its labels, answers to questions about it, and its shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from handrail.cycle.datasets.formats.runs import MaskInvalid, unpack
from handrail.cycle.datasets.schema.parts import (
    flag_at,
    list_at,
    name_at,
    names_at,
    number_at,
    object_at,
    whole_at,
)
from handrail.cycle.datasets.schema.problems import Problems
from handrail.cycle.datasets.values import MAX_TEXT

PICTURES = ("image", "dicom", "document")
MARKS: dict[str, tuple[str, ...]] = {
    "span": ("text", "html", "conversation"),
    "box": (*PICTURES, "video"),
    "polygon": PICTURES,
    "keypoint": PICTURES,
    "mask": PICTURES,
    "time_region": ("audio", "video", "time_series"),
}
"""Question type -> the field types that it can mark."""

_SLACK = 1e-6
"""Percent by which a box may reach over the edge: what rounding of pixels to percent and back makes."""
_MOST_PIXELS = 1 << 28

Answers = Callable[[Any, list[str], str, Problems], dict[str, Any]]
"""(answers given about a region, its labels, place, problems) -> those answers as they are kept."""


@dataclass(frozen=True, slots=True)
class Marking:
    """What a question marks: its type, the type of the field, the labels that a region may bear."""

    type: str
    field: str
    labels: tuple[str, ...]


_HEAD = ("labels", "answers", "score")
_SHAPE_KEYS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "span": (("start", "end"), ()),
    "turn": (("start", "end", "turn"), ()),
    "box": (("x", "y", "width", "height"), ("rotation", "size")),
    "sequence": (("sequence",), ()),
    "polygon": (("points",), ("size",)),
    "keypoint": (("x", "y"), ("size",)),
    "mask": (("rle", "size"), ()),
    "time_region": (("start", "end"), ("channel",)),
}


def read_regions(value: Any, marking: Marking, answers: Answers, content: Any, place: str, bad: Problems) -> Any:
    """Return a list of regions as it is kept; `content` is the field that they mark, None where it is not known."""
    given = list_at(value, place, bad)
    if given is None:
        return None
    kept: list[dict[str, Any]] = []
    seen: set[str] = set()
    for at, one in enumerate(given):
        where = f"{place}[{at}]"
        region = _region(one, marking, answers, where, bad)
        if region is None:
            continue
        if region["id"] in seen:
            bad.add(f"{where}.id", f"is {region['id'][:40]!r}, which another region has too")
        seen.add(region["id"])
        if marking.type == "span" and content is not None:
            _inside(region, content, where, bad)
        kept.append(region)
    return kept


def _region(value: Any, marking: Marking, answers: Answers, place: str, bad: Problems) -> dict[str, Any] | None:
    shape = _shape_of(marking)
    needed, more = _SHAPE_KEYS[shape]
    region = object_at(value, place, bad, ("id", *needed), (*_HEAD, *more))
    if region is None:
        return None
    before = len(bad)
    kept: dict[str, Any] = {"id": name_at(region["id"], f"{place}.id", bad)}
    labels = names_at(region.get("labels", []), f"{place}.labels", bad, marking.labels)
    kept["labels"] = labels
    kept |= _SHAPES[shape](region, place, bad)
    if "size" in region:
        kept["size"] = _size(region["size"], f"{place}.size", bad)
    if "score" in region:
        kept["score"] = number_at(region["score"], f"{place}.score", bad)
    said = answers(region.get("answers", {}), labels or [], f"{place}.answers", bad)
    if said:
        kept["answers"] = said
    return kept if len(bad) == before else None


def _shape_of(marking: Marking) -> str:
    if marking.type == "span":
        return "turn" if marking.field == "conversation" else "span"
    return "sequence" if marking.type == "box" and marking.field == "video" else marking.type


# Shapes


def _span(region: Mapping[str, Any], place: str, bad: Problems) -> dict[str, Any]:
    start = whole_at(region["start"], f"{place}.start", bad, 0, MAX_TEXT)
    end = whole_at(region["end"], f"{place}.end", bad, 0, MAX_TEXT)
    if start is not None and end is not None and start >= end:
        bad.add(f"{place}.end", f"must be behind the start, {start}")
    return {"start": start, "end": end}


def _turn(region: Mapping[str, Any], place: str, bad: Problems) -> dict[str, Any]:
    return {"turn": whole_at(region["turn"], f"{place}.turn", bad)} | _span(region, place, bad)


def _inside(region: Mapping[str, Any], content: Any, place: str, bad: Problems) -> None:
    """Tell a span that ends behind the text that it marks."""
    text = content
    if "turn" in region:
        turn = region["turn"]
        if not isinstance(content, list) or turn >= len(content):
            bad.add(f"{place}.turn", f"is {turn}, and the conversation has {len(content)} turns, counted from 0")
            return
        text = content[turn]["text"]
    if isinstance(text, str) and region["end"] > len(text):
        bad.add(f"{place}.end", f"is {region['end']}, behind the end of the text of {len(text)} characters")


def _box(region: Mapping[str, Any], place: str, bad: Problems) -> dict[str, Any]:
    turned = region.get("rotation", 0)
    rotation = 0.0 if turned == 0 else number_at(turned, f"{place}.rotation", bad, -360, 360)
    kept = _sides(region, place, bad, loose=rotation != 0.0)
    if rotation == 0.0:
        for start, length in (("x", "width"), ("y", "height")):
            if None not in (kept[start], kept[length]) and kept[start] + kept[length] > 100 + _SLACK:
                bad.add(f"{place}.{length}", f"reaches over the edge: {start} + {length} is above 100 percent")
        return kept
    return kept | {"rotation": rotation}


def _sides(region: Mapping[str, Any], place: str, bad: Problems, *, loose: bool) -> dict[str, Any]:
    """Return x, y, width and height; the corner of a box that is turned, or tracked, may lie outside."""
    kept: dict[str, Any] = {}
    for name in ("x", "y", "width", "height"):
        where = f"{place}.{name}"
        kept[name] = number_at(region[name], where, bad, -100, 200) if loose else _percent(region[name], where, bad)
        if name in ("width", "height") and kept[name] is not None and kept[name] <= 0:
            bad.add(where, "is not above 0: the box holds nothing")
    return kept


def _sequence(region: Mapping[str, Any], place: str, bad: Problems) -> dict[str, Any]:
    frames = list_at(region["sequence"], f"{place}.sequence", bad)
    if frames is None:
        return {}
    if not frames:
        bad.add(f"{place}.sequence", "has no frame")
    kept: list[dict[str, Any]] = []
    last = -1
    for at, one in enumerate(frames):
        frame = _frame(one, f"{place}.sequence[{at}]", bad)
        if frame is None or frame["frame"] is None:
            continue
        if frame["frame"] <= last:
            bad.add(f"{place}.sequence[{at}].frame", f"does not come behind frame {last}")
        last = frame["frame"]
        kept.append(frame)
    return {"sequence": kept}


def _frame(value: Any, place: str, bad: Problems) -> dict[str, Any] | None:
    needed = ("frame", "x", "y", "width", "height")
    frame = object_at(value, place, bad, needed, ("rotation", "enabled", "time"))
    if frame is None:
        return None
    kept: dict[str, Any] = {"frame": whole_at(frame["frame"], f"{place}.frame", bad)}
    kept |= _sides(frame, place, bad, loose=True)
    if "rotation" in frame:
        kept["rotation"] = number_at(frame["rotation"], f"{place}.rotation", bad, -360, 360)
    if "enabled" in frame:
        kept["enabled"] = flag_at(frame["enabled"], f"{place}.enabled", bad)
    if "time" in frame:
        kept["time"] = number_at(frame["time"], f"{place}.time", bad, 0)
    return kept


def _polygon(region: Mapping[str, Any], place: str, bad: Problems) -> dict[str, Any]:
    points = list_at(region["points"], f"{place}.points", bad)
    if points is None:
        return {}
    if len(points) < 3:
        bad.add(f"{place}.points", "must be at least three")
    kept = []
    for at, point in enumerate(points):
        where = f"{place}.points[{at}]"
        if not isinstance(point, list | tuple) or len(point) != 2:
            bad.add(where, "must be [x, y]")
            continue
        kept.append([_percent(point[0], f"{where}[0]", bad), _percent(point[1], f"{where}[1]", bad)])
    return {"points": kept}


def _keypoint(region: Mapping[str, Any], place: str, bad: Problems) -> dict[str, Any]:
    return {name: _percent(region[name], f"{place}.{name}", bad) for name in ("x", "y")}


def _percent(value: Any, place: str, bad: Problems) -> float | None:
    found = number_at(value, place, bad)
    if found is not None and not -_SLACK <= found <= 100 + _SLACK:
        bad.add(place, "is outside of 0 to 100 percent")
        return None
    return found


def _size(value: Any, place: str, bad: Problems) -> list[int] | None:
    if not isinstance(value, list | tuple) or len(value) != 2:
        bad.add(place, "must be [height, width] in pixels")
        return None
    height = whole_at(value[0], f"{place}[0]", bad, 1, _MOST_PIXELS)
    width = whole_at(value[1], f"{place}[1]", bad, 1, _MOST_PIXELS)
    return None if height is None or width is None else [height, width]


def _mask(region: Mapping[str, Any], place: str, bad: Problems) -> dict[str, Any]:
    size = _size(region["size"], f"{place}.size", Problems())
    text = region["rle"]
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        bad.add(f"{place}.rle", f"must be a text of up to {MAX_TEXT:,} characters")
    elif size is not None:
        reason = _runs_problem(text, size)
        if reason:
            bad.add(f"{place}.rle", reason)
    return {"rle": text}


def _runs_problem(text: str, size: list[int]) -> str:
    pixels = size[0] * size[1]
    if pixels > _MOST_PIXELS:
        return f"is a mask of more than {_MOST_PIXELS:,} pixels"
    try:
        counts = unpack(text)
    except MaskInvalid as error:
        return str(error)
    if any(count < 0 for count in counts):
        return "has a run of a negative length"
    return "" if sum(counts) == pixels else f"has runs of {sum(counts):,} pixels, and its size is {pixels:,}"


def _time(region: Mapping[str, Any], place: str, bad: Problems) -> dict[str, Any]:
    start = number_at(region["start"], f"{place}.start", bad)
    end = number_at(region["end"], f"{place}.end", bad)
    if start is not None and end is not None and start > end:
        bad.add(f"{place}.end", f"must not be before the start, {start:g}")
    kept: dict[str, Any] = {"start": start, "end": end}
    if "channel" in region:
        kept["channel"] = whole_at(region["channel"], f"{place}.channel", bad, 0, 1000)
    return kept


_SHAPES: dict[str, Callable[[Mapping[str, Any], str, Problems], dict[str, Any]]] = {
    "span": _span,
    "turn": _turn,
    "box": _box,
    "sequence": _sequence,
    "polygon": _polygon,
    "keypoint": _keypoint,
    "mask": _mask,
    "time_region": _time,
}
