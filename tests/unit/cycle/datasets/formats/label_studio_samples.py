"""One small configuration for each tag of Label Studio that is supported, with a result list for it."""

from __future__ import annotations

from typing import Any

from handrail.cycle.datasets.formats import rle
from handrail.cycle.datasets.formats.label_studio.config import read_config
from handrail.cycle.datasets.formats.label_studio.parts import Config

_MASK = rle.from_polygons([[[2, 1], [7, 1], [7, 4], [2, 4]]], 6, 10)
_SIZE = {"original_width": 10, "original_height": 6, "image_rotation": 0}
_LABELS = "<Label value='a'/><Label value='b' alias='B' hotkey='2' background='red'/>"


def _result(type_: str, value: dict[str, Any], name: str = "q", to: str = "x", **more: Any) -> dict[str, Any]:
    return {"id": "r1", "from_name": name, "to_name": to, "type": type_, "value": value, "origin": "manual"} | more


def _labelled(tag: str, type_: str, shape: dict[str, Any], shown: str, **more: Any) -> tuple[str, list[dict[str, Any]]]:
    key = "labels" if type_ == "labels" else type_
    control = f"<{tag} name='q' toName='x'>{_LABELS}</{tag}>"
    return f"<View>{shown}{control}</View>", [_result(type_, shape | {key: ["B"]}, **more)]


_TEXT, _IMAGE = "<Text name='x' value='$field'/>", "<Image name='x' value='$field'/>"
_AUDIO, _VIDEO = "<Audio name='x' value='$field'/>", "<Video name='x' value='$field' frameRate='25'/>"
_BOX = {"x": 10.5, "y": 20, "width": 30, "height": 12.25, "rotation": 45}
_POINTS = {"points": [[1, 2], [50, 2.5], [40, 60]], "closed": True}
_CHOICES = "<Choice value='one'/><Choice value='two' alias='2'/>"


def _asked(control: str, type_: str, value: dict[str, Any], shown: str = _TEXT) -> tuple[str, list[dict[str, Any]]]:
    return f"<View>{shown}{control}</View>", [_result(type_, value)]


SAMPLES: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "choice": _asked(f"<Choices name='q' toName='x'>{_CHOICES}</Choices>", "choices", {"choices": ["2"]}),
    "multi_choice": _asked(
        f"<Choices name='q' toName='x' choice='multiple'>{_CHOICES}</Choices>", "choices", {"choices": ["one", "2"]}
    ),
    "nested choices": _asked(
        "<Choices name='q' toName='x'><Choice value='Animal'><Choice value='Dog'/></Choice></Choices>",
        "choices",
        {"choices": [["Animal", "Dog"]]},
    ),
    "taxonomy": _asked(
        "<Taxonomy name='q' toName='x'><Choice value='A'><Choice value='B'/></Choice></Taxonomy>",
        "taxonomy",
        {"taxonomy": [["A", "B"], ["A"]]},
    ),
    "text": _asked("<TextArea name='q' toName='x'/>", "textarea", {"text": ["said"]}),
    "number": _asked("<Number name='q' toName='x' min='0' max='9'/>", "number", {"number": 4.5}),
    "date": _asked("<DateTime name='q' toName='x' only='date'/>", "datetime", {"datetime": "2026-01-31"}),
    "rating": _asked("<Rating name='q' toName='x' maxRating='7'/>", "rating", {"rating": 6}),
    "preference": (
        "<View><Text name='x' value='$field'/><Text name='y' value='$other'/><Pairwise name='q' toName='x,y'/></View>",
        [_result("pairwise", {"selected": "left"}, to="x,y")],
    ),
    "span": _labelled("Labels", "labels", {"start": 0, "end": 4, "text": "Some"}, _TEXT),
    "span of html": _labelled(
        "HyperTextLabels",
        "hypertextlabels",
        {"start": 0, "end": 4, "globalOffsets": {"start": 0, "end": 4}},
        "<HyperText name='x' value='$field'/>",
    ),
    "span of a turn": _labelled(
        "ParagraphLabels",
        "paragraphlabels",
        {"start": "1", "end": "1", "startOffset": 4, "endOffset": 8, "text": "well"},
        "<Paragraphs name='x' value='$talk' nameKey='by' textKey='words'/>",
    ),
    "box": _labelled("RectangleLabels", "rectanglelabels", _BOX, _IMAGE, **_SIZE),
    "polygon": _labelled("PolygonLabels", "polygonlabels", _POINTS, _IMAGE, **_SIZE),
    "keypoint": _labelled("KeyPointLabels", "keypointlabels", {"x": 5, "y": 7.5}, _IMAGE, **_SIZE),
    "mask": _labelled("BrushLabels", "brushlabels", {"format": "rle", "rle": rle.to_brush(_MASK)}, _IMAGE, **_SIZE),
    "bare box": (
        f"<View>{_IMAGE}<Rectangle name='q' toName='x'/><Labels name='l' toName='x'>{_LABELS}</Labels></View>",
        [
            _result("rectangle", _BOX, **_SIZE),
            _result("labels", _BOX | {"labels": ["a"]}, name="l", **_SIZE),
        ],
    ),
    "time in audio": _labelled("Labels", "labels", {"start": 0.5, "end": 2.25, "channel": 0}, _AUDIO),
    "time in a series": _labelled(
        "TimeSeriesLabels",
        "timeserieslabels",
        {"start": 3, "end": 8, "instant": False},
        "<TimeSeries name='x' value='$series'/>",
    ),
    "time in a video": _labelled("TimelineLabels", "timelinelabels", {"ranges": [{"start": 26, "end": 51}]}, _VIDEO),
    "box in a video": (
        f"<View>{_VIDEO}<VideoRectangle name='q' toName='x'/><Labels name='l' toName='x'>{_LABELS}</Labels></View>",
        [
            _result(
                "videorectangle",
                {"sequence": [{"frame": 1, "enabled": True, "time": 0.04} | _BOX], "labels": ["a"]},
            )
        ],
    ),
    "per region": (
        f"<View>{_IMAGE}<RectangleLabels name='q' toName='x'>{_LABELS}</RectangleLabels>"
        "<TextArea name='t' toName='x' perRegion='true'/>"
        "<Choices name='c' toName='x' perRegion='true' visibleWhen='region-selected' whenLabelValue='B'>"
        f"{_CHOICES}</Choices></View>",
        [
            _result("rectanglelabels", _BOX | {"rectanglelabels": ["B"]}, **_SIZE),
            _result("textarea", _BOX | {"text": ["read"]}, name="t", **_SIZE),
            _result("choices", _BOX | {"choices": ["one"]}, name="c", **_SIZE),
        ],
    ),
    "relation": (
        f"<View>{_TEXT}<Labels name='q' toName='x'>{_LABELS}</Labels>"
        "<Relations><Relation value='of'/></Relations></View>",
        [
            _result("labels", {"start": 0, "end": 4, "text": "Some", "labels": ["a"]}),
            _result("labels", {"start": 5, "end": 10, "text": "words", "labels": ["B"]}) | {"id": "r2"},
            {"type": "relation", "from_id": "r1", "to_id": "r2", "direction": "right", "labels": ["of"]},
        ],
    ),
}

DATA: dict[str, Any] = {
    "field": "Some words 🙂 here",
    "other": "and others",
    "talk": [{"by": "a", "words": "Hello"}, {"by": "b", "words": "Yes well"}],
    "series": {"t": [1, 2, 3], "v": [0.5, 0.25, 0.125]},
}


def sample(name: str) -> tuple[Config, list[dict[str, Any]], dict[str, Any]]:
    """Return the configuration, a result list and task data of a sample."""
    xml, results = SAMPLES[name]
    config = read_config(xml)
    return config, results, {one.key: DATA[one.key] for one in config.objects}
