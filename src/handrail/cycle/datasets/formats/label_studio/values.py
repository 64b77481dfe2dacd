"""What a result list of Label Studio says, as values of questions. Pure.

Geometry stays in percent of the picture, offsets in characters, times in seconds; a region keeps its id. What the
schema cannot say is a problem with its reason, never left out in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from handrail.cycle.datasets.formats.label_studio.parts import Config, Control, Shown
from handrail.cycle.datasets.formats.label_studio.tags import REGIONS

Problem = tuple[str, str]
_BOX = ("x", "y", "width", "height", "rotation")
_FRAME = ("frame", "x", "y", "width", "height", "rotation", "enabled", "time")


class Unfit(Exception):
    """One result that cannot be said; the message goes on from the name of its control."""


@dataclass
class Said:
    """The values of one result list, and what could not be read."""

    values: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Mark:
    """One result that marks a part of an object."""

    shown: Shown
    data: Mapping[str, Any]
    result: Mapping[str, Any]


@dataclass
class _Reading:
    config: Config
    data: Mapping[str, Any]
    said: Said = field(default_factory=Said)
    regions: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    """id -> (question, region)"""
    carried: list[tuple[str, list[str], str]] = field(default_factory=list)
    """(id of a region, its labels, control) of Labels beside bare geometries"""
    later: list[tuple[Control, Mapping[str, Any]]] = field(default_factory=list)
    """Answers per region, which come before or after their region."""


def values_of(config: Config, results: Any, data: Mapping[str, Any]) -> Said:
    """Return question -> value of a result list, with every problem; `data` are the data of the task."""
    reading = _Reading(config, data)
    if not isinstance(results, Sequence) or isinstance(results, str):
        reading.said.problems.append(("result", "is not a list"))
        return reading.said
    for result in results:
        if not isinstance(result, Mapping):
            reading.said.problems.append(("result", "holds something that is not an object"))
            continue
        name = str(result.get("from_name") or result.get("type") or "")
        try:
            _take(reading, result)
        except Unfit as error:
            reading.said.problems.append((name[:80], str(error)))
    _place(reading)
    return reading.said


def _take(reading: _Reading, result: Mapping[str, Any]) -> None:
    if result.get("type") == "relation":
        _relation(reading, result)
        return
    name = result.get("from_name")
    control = reading.config.control(name) if isinstance(name, str) else None
    if control is None:
        if name in reading.config.aside:
            return
        raise Unfit("is not a control of the configuration")
    if not isinstance(result.get("value"), Mapping):
        raise Unfit("has no value")
    if control.per_region:
        reading.later.append((control, result))
    elif any(other.labels_from == control.name for other in reading.config.controls):
        reading.carried.append((_id(result), _texts(result["value"], "labels"), control.name))
    elif control.kind.question in REGIONS:
        _region(reading, control, result)
    else:
        if control.question in reading.said.values:
            raise Unfit("is answered twice")
        reading.said.values[control.question] = _answer(control, result["value"])


def _place(reading: _Reading) -> None:
    """Give regions their labels and the answers about them."""
    for region_id, labels, name in reading.carried:
        found = reading.regions.get(region_id)
        if found is None:
            reading.said.problems.append((name, f"labels the region {region_id[:40]}, which is not there"))
        else:
            found[1]["labels"] = labels
    for control, result in reading.later:
        try:
            _answer_region(reading, control, result)
        except Unfit as error:
            reading.said.problems.append((control.name, str(error)))


def _answer_region(reading: _Reading, control: Control, result: Mapping[str, Any]) -> None:
    region_id = _id(result)
    found = reading.regions.get(region_id)
    if found is None:
        raise Unfit(f"answers about the region {region_id[:40]}, which is not there")
    question, region = found
    asked = reading.config.per_region(control.name, question)
    if asked is None:
        raise Unfit(f"answers about a region of {question}, of which it does not ask")
    region.setdefault("answers", {})[asked.question] = _answer(asked, result["value"])


def _relation(reading: _Reading, result: Mapping[str, Any]) -> None:
    control = next((one for one in reading.config.controls if one.kind.question == "relation"), None)
    if control is None:
        raise Unfit("relates regions, and the configuration has no Relations")
    ends = [result.get("from_id"), result.get("to_id")]
    if not all(isinstance(end, str) and end for end in ends):
        raise Unfit("names no from_id and to_id")
    labels = result.get("labels") or []
    direction = result.get("direction", "right")
    if direction not in ("right", "left", "bi"):
        raise Unfit(f"has the direction {str(direction)[:20]!r}")
    made = {"from": ends[0], "to": ends[1], "labels": list(labels), "direction": direction}
    reading.said.values.setdefault(control.question, []).append(made)


# Answers about the whole


def _answer(control: Control, value: Mapping[str, Any]) -> Any:
    kind = control.kind
    if kind.result == "choices":
        return _choices(control, value)
    if kind.result == "textarea":
        return "\n".join(_texts(value, "text"))
    if kind.result == "pairwise":
        chosen = value.get("selected")
        if chosen not in ("left", "right"):
            raise Unfit("chooses neither left nor right")
        return {"choice": chosen, "strength": None}
    if kind.key not in value:
        raise Unfit(f"has no {kind.key}")
    found = value[kind.key]
    if kind.result == "rating" and isinstance(found, float) and found == int(found):
        return int(found)
    return found


def _choices(control: Control, value: Mapping[str, Any]) -> Any:
    found = value.get("choices")
    if not isinstance(found, list) or not found:
        raise Unfit("has no choices")
    if control.kind.question == "taxonomy":
        return [[one] if isinstance(one, str) else one for one in found]
    if control.multiple:
        order = {name: place for place, name in enumerate(control.choices)}
        texts = _texts(value, "choices")
        return sorted(texts, key=lambda name: order.get(name, len(order)))
    if len(found) != 1:
        raise Unfit(f"has {len(found)} choices where one may be chosen")
    return _texts(value, "choices")[0]


# Regions


def _region(reading: _Reading, control: Control, result: Mapping[str, Any]) -> None:
    region_id = _id(result)
    if region_id in reading.regions:
        raise Unfit(f"draws the region {region_id[:40]} twice")
    shown = reading.config.shown(control.to_name)
    if shown is None:
        raise Unfit("marks an object that is not shown")
    value = result["value"]
    region: dict[str, Any] = {"id": region_id, "labels": _labels(control, value)}
    region |= _SHAPES[control.kind.question](_Mark(shown, reading.data, result))
    if shown.type in ("image", "document") and (size := _size(result)):
        region["size"] = size
    if isinstance(result.get("score"), int | float):
        region["score"] = float(result["score"])
    reading.regions[region_id] = (control.question, region)
    reading.said.values.setdefault(control.question, []).append(region)


def _labels(control: Control, value: Mapping[str, Any]) -> list[str]:
    for key in (control.kind.key, "labels"):
        if key and isinstance(value.get(key), list):
            return _texts(value, key)
    return []


def _span(mark: _Mark) -> dict[str, Any]:
    value = mark.result["value"]
    if mark.shown.type == "conversation":
        turns = {str(value.get("start")), str(value.get("end"))}
        if len(turns) != 1 or not str(value.get("start")).isdigit():
            raise Unfit("spans several turns, which a span of Handrail does not")
        start, end = _whole(value, "startOffset"), _whole(value, "endOffset")
        return {"turn": int(turns.pop()), "start": start, "end": end}
    offsets = value.get("globalOffsets", value)
    if not isinstance(offsets, Mapping):
        raise Unfit("has offsets that are no object")
    start, end = _whole(offsets, "start"), _whole(offsets, "end")
    text, marked = mark.data.get(mark.shown.key), value.get("text")
    if mark.shown.type == "text" and isinstance(text, str) and isinstance(marked, str) and text[start:end] != marked:
        # Some clients count as JavaScript does, two for a character beyond the basic plane.
        units = text.encode("utf-16-le", "surrogatepass")
        if units[2 * start : 2 * end].decode("utf-16-le", "replace") == marked:
            start = len(units[: 2 * start].decode("utf-16-le", "replace"))
            end = start + len(marked)
    return {"start": start, "end": end}


def _box(mark: _Mark) -> dict[str, Any]:
    value = mark.result["value"]
    if mark.shown.type == "video":
        frames = value.get("sequence")
        if not isinstance(frames, list) or not all(isinstance(one, Mapping) for one in frames):
            raise Unfit("has no sequence of frames")
        return {"sequence": [{key: one[key] for key in _FRAME if key in one} for one in frames]}
    made = {key: _number(value, key) for key in _BOX[:4]}
    if value.get("rotation"):
        made["rotation"] = _number(value, "rotation")
    return made


def _polygon(mark: _Mark) -> dict[str, Any]:
    points = mark.result["value"].get("points")
    if not isinstance(points, list):
        raise Unfit("has no points")
    return {"points": [list(point) if isinstance(point, list) else point for point in points]}


def _keypoint(mark: _Mark) -> dict[str, Any]:
    return {key: _number(mark.result["value"], key) for key in ("x", "y")}


def _mask(mark: _Mark) -> dict[str, Any]:
    from handrail.cycle.datasets.formats import rle

    size = _size(mark.result)
    if not size:
        raise Unfit("has no original_width and original_height")
    try:
        mask = rle.from_brush(mark.result["value"].get("rle", ()), *size)
    except rle.MaskInvalid as error:
        raise Unfit(f"has a mask that {error}") from None
    return {"rle": rle.to_text(mask), "size": size}


def _time(mark: _Mark) -> dict[str, Any]:
    value = mark.result["value"]
    if "ranges" in value:
        ranges = value["ranges"]
        if not isinstance(ranges, list) or len(ranges) != 1 or not isinstance(ranges[0], Mapping):
            raise Unfit("has several ranges in one region, which a region of Handrail has not")
        # Frames count from 1.
        return {key: (_number(ranges[0], key) - 1) / mark.shown.frame_rate for key in ("start", "end")}
    made: dict[str, Any] = {key: _number(value, key) for key in ("start", "end")}
    if isinstance(value.get("channel"), int):
        made["channel"] = value["channel"]
    return made


_SHAPES: dict[str, Callable[[_Mark], dict[str, Any]]] = {
    "span": _span, "box": _box, "polygon": _polygon, "keypoint": _keypoint, "mask": _mask, "time_region": _time,
}  # fmt: skip


# Parts of a result


def _id(result: Mapping[str, Any]) -> str:
    found = result.get("id")
    if not isinstance(found, str) or not found:
        raise Unfit("has no id")
    return found


def _size(result: Mapping[str, Any]) -> list[int]:
    size = [result.get("original_height"), result.get("original_width")]
    return [int(side) for side in size if isinstance(side, int | float)] if all(size) else []


def _texts(value: Mapping[str, Any], key: str) -> list[str]:
    found = value.get(key)
    found = [found] if isinstance(found, str) else found
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise Unfit(f"has {key} that are no list of texts")
    return list(found)


def _number(value: Mapping[str, Any], key: str) -> float:
    found = value.get(key)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise Unfit(f"has no number as {key}")
    return float(found)


def _whole(value: Mapping[str, Any], key: str) -> int:
    found = value.get(key)
    if isinstance(found, float) and found.is_integer():
        return int(found)
    if isinstance(found, bool) or not isinstance(found, int):
        raise Unfit(f"has no whole number as {key}")
    return found
