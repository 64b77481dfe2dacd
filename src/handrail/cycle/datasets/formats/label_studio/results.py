"""Values of questions as a result list of Label Studio. Pure; the other way of `values`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from handrail.cycle.datasets.formats.label_studio.parts import Config, Control, Shown
from handrail.cycle.datasets.formats.label_studio.tags import REGIONS

Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Mark:
    """One region of an object."""

    shown: Shown
    region: Mapping[str, Any]
    data: Mapping[str, Any]


def results_of(config: Config, values: Mapping[str, Any], data: Mapping[str, Any]) -> list[Result]:
    """Return the result list that says these values; questions that the configuration has no control for are left out.

    `data` are the data of the task, whose text a span quotes.
    """
    results: list[Result] = []
    for question, value in values.items():
        control = config.asks(question)
        if control is None or value is None:
            continue
        if control.kind.question == "relation":
            results += [_relation(one) for one in value]
        elif control.kind.question in REGIONS:
            for region in value:
                results += _region(config, control, region, data)
        else:
            results.append(_result(control, _own_id(question), control.kind.result, _value(control, value)))
    return results


def _result(control: Control, result_id: str, type_: str, value: Mapping[str, Any]) -> Result:
    return {
        "id": result_id,
        "from_name": control.name,
        "to_name": control.to_name if control.kind.result == "pairwise" else control.to_name.partition(",")[0],
        "type": type_,
        "value": dict(value),
        "origin": "manual",
    }


def _own_id(question: str) -> str:
    """Return the id of an answer about the whole: it has none of its own, and must have the same one each time."""
    return sha256(question.encode()).hexdigest()[:10]


def _value(control: Control, value: Any) -> dict[str, Any]:
    kind = control.kind
    if kind.result == "choices":
        return {"choices": value if isinstance(value, list) else [value]}
    if kind.result == "textarea":
        return {"text": [value]}
    if kind.result == "pairwise":
        # Ties cannot be said: neither side is selected.
        return {"selected": value["choice"]} if value["choice"] in ("left", "right") else {}
    return {kind.key: value}


def _relation(value: Mapping[str, Any]) -> Result:
    return {
        "type": "relation",
        "from_id": value["from"],
        "to_id": value["to"],
        "direction": value.get("direction", "right"),
        "labels": list(value.get("labels", ())),
    }


def _region(config: Config, control: Control, region: Mapping[str, Any], data: Mapping[str, Any]) -> list[Result]:
    shown = config.shown(control.to_name)
    assert shown is not None  # a control of regions marks an object
    shape = _SHAPES[control.kind.question](_Mark(shown, region, data))
    head: Result = {}
    if "size" in region:
        head = {"original_height": region["size"][0], "original_width": region["size"][1], "image_rotation": 0}
    if "score" in region:
        head["score"] = region["score"]
    key = control.kind.key or ("labels" if shown.type == "video" else "")
    labels = list(region.get("labels", ()))
    value = shape | ({key: labels} if key and (labels or control.kind.key) else {})
    results = [_result(control, region["id"], control.kind.result, value) | head]
    carrier = config.control(control.labels_from)
    if carrier is not None and labels and not key:
        results.append(_result(carrier, region["id"], "labels", shape | {"labels": labels}) | head)
    for question, answer in region.get("answers", {}).items():
        asked = config.asks(question)
        if asked is not None:
            made = _result(asked, region["id"], asked.kind.result, shape | _value(asked, answer))
            results.append(made | {key: value for key, value in head.items() if key != "score"})
    return results


def _span(mark: _Mark) -> dict[str, Any]:
    start, end, text = mark.region["start"], mark.region["end"], mark.data.get(mark.shown.key)
    if mark.shown.type == "conversation":
        turn = mark.region.get("turn", 0)
        made = {"start": str(turn), "end": str(turn), "startOffset": start, "endOffset": end}
        said = text[turn] if isinstance(text, list) and turn < len(text) else None
        text = said.get(mark.shown.text_key) if isinstance(said, Mapping) else None
        return made | ({"text": text[start:end]} if isinstance(text, str) else {})
    if mark.shown.type == "html":
        return {"start": start, "end": end, "globalOffsets": {"start": start, "end": end}}
    return {"start": start, "end": end} | ({"text": text[start:end]} if isinstance(text, str) else {})


def _box(mark: _Mark) -> dict[str, Any]:
    if "sequence" in mark.region:
        return {"sequence": [dict(one) for one in mark.region["sequence"]]}
    return {key: mark.region[key] for key in ("x", "y", "width", "height")} | {
        "rotation": mark.region.get("rotation", 0)
    }


def _polygon(mark: _Mark) -> dict[str, Any]:
    return {"points": [list(point) for point in mark.region["points"]], "closed": True}


def _keypoint(mark: _Mark) -> dict[str, Any]:
    return {"x": mark.region["x"], "y": mark.region["y"]}


def _mask(mark: _Mark) -> dict[str, Any]:
    from handrail.cycle.datasets.formats import rle

    return {"format": "rle", "rle": rle.to_brush(rle.from_text(mark.region["rle"], *mark.region["size"]))}


def _time(mark: _Mark) -> dict[str, Any]:
    if mark.shown.type == "video":
        return {"ranges": [{key: round(mark.region[key] * mark.shown.frame_rate) + 1 for key in ("start", "end")}]}
    made = {"start": mark.region["start"], "end": mark.region["end"]}
    if mark.shown.type == "time_series":
        return made | {"instant": mark.region["start"] == mark.region["end"]}
    return made | ({"channel": mark.region["channel"]} if "channel" in mark.region else {})


_SHAPES: dict[str, Callable[[_Mark], dict[str, Any]]] = {
    "span": _span, "box": _box, "polygon": _polygon, "keypoint": _keypoint, "mask": _mask, "time_region": _time,
}  # fmt: skip
