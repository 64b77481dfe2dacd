"""What each tag of a Label Studio configuration is here: a field, a question, mere layout, or not supported. Pure."""

from __future__ import annotations

from dataclasses import dataclass

OBJECTS = {
    "text": "text", "hypertext": "html", "paragraphs": "conversation", "image": "image", "audio": "audio",
    "audioplus": "audio", "video": "video", "timeseries": "time_series", "table": "json", "list": "json",
    "pdf": "document",
}  # fmt: skip
"""Tag of an object (small letters) -> type of the field that it shows."""

SHOWS = frozenset({"header", "markdown"})
"""Tags that may show a field but are never marked."""

LAYOUT = frozenset(
    {"view", "style", "collapse", "panel", "filter", "shortcut", "choice", "label", "relation", "channel", "item",
     "timelinelabel", "number_format", "br", "hr"}
)  # fmt: skip
"""Tags without a value of their own; what is in them is looked at where it belongs."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A control: the type of its question, and the `type` and the key of the value in a result of Label Studio."""

    question: str
    result: str
    key: str


CONTROLS = {
    "choices": Kind("choice", "choices", "choices"),
    "taxonomy": Kind("taxonomy", "taxonomy", "taxonomy"),
    "textarea": Kind("text", "textarea", "text"),
    "number": Kind("number", "number", "number"),
    "datetime": Kind("date", "datetime", "datetime"),
    "rating": Kind("rating", "rating", "rating"),
    "pairwise": Kind("preference", "pairwise", "selected"),
    "relations": Kind("relation", "relation", "labels"),
    "labels": Kind("span", "labels", "labels"),
    "hypertextlabels": Kind("span", "hypertextlabels", "hypertextlabels"),
    "paragraphlabels": Kind("span", "paragraphlabels", "paragraphlabels"),
    "rectangle": Kind("box", "rectangle", ""),
    "rectanglelabels": Kind("box", "rectanglelabels", "rectanglelabels"),
    "polygon": Kind("polygon", "polygon", ""),
    "polygonlabels": Kind("polygon", "polygonlabels", "polygonlabels"),
    "keypoint": Kind("keypoint", "keypoint", ""),
    "keypointlabels": Kind("keypoint", "keypointlabels", "keypointlabels"),
    "brush": Kind("mask", "brush", ""),
    "brushlabels": Kind("mask", "brushlabels", "brushlabels"),
    "videorectangle": Kind("box", "videorectangle", ""),
    "timelinelabels": Kind("time_region", "timelinelabels", "timelinelabels"),
    "timeserieslabels": Kind("time_region", "timeserieslabels", "timeserieslabels"),
}
"""Tag of a control (small letters) -> what it asks."""

REGIONS = frozenset({"span", "box", "polygon", "keypoint", "mask", "time_region"})
"""Types of questions whose answer is a list of regions."""

UNSUPPORTED = {
    "ellipse": "an ellipse is no shape of Handrail; use a polygon or a box",
    "ellipselabels": "an ellipse is no shape of Handrail; use PolygonLabels or RectangleLabels",
    "vector": "open paths are no shape of Handrail; use PolygonLabels",
    "vectorlabels": "open paths are no shape of Handrail; use PolygonLabels",
    "videovector": "paths in a video are not supported; use VideoRectangle",
    "bitmask": "pixel masks sent as pictures are not supported; use Brush",
    "bitmasklabels": "pixel masks sent as pictures are not supported; use BrushLabels",
    "magicwand": "the magic wand is not supported; use BrushLabels",
    "ranker": "it ranks a list that differs from task to task, which no question of Handrail does",
    "bucket": "it belongs to Ranker, which is not supported",
    "repeater": "repeated parts are not supported; write each part out",
    "chat": "the chat of the paid edition is not supported; use Paragraphs",
    "object3d": "three dimensions are not supported",
    "cube": "three dimensions are not supported",
    "cubelabels": "three dimensions are not supported",
    "ocrlabels": "use RectangleLabels with a TextArea per region",
    "reactcode": "code in a configuration is never run",
    "customtag": "code in a configuration is never run",
}
"""Tags that are known and not supported, with what to do instead."""
