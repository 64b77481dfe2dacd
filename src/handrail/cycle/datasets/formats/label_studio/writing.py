"""Writes a schema as a Label Studio configuration, and names what that language cannot say. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from handrail.cycle.datasets.formats.label_studio.tags import REGIONS
from handrail.cycle.datasets.formats.markup import Tag, write_markup

_OBJECTS = {
    "text": "Text", "html": "HyperText", "conversation": "Paragraphs", "image": "Image", "dicom": "Image",
    "audio": "Audio", "video": "Video", "time_series": "TimeSeries", "document": "Pdf", "json": "Table",
}  # fmt: skip
_CONTROLS = {
    "choice": "Choices", "multi_choice": "Choices", "taxonomy": "Taxonomy", "number": "Number", "date": "DateTime",
    "text": "TextArea", "rating": "Rating", "relation": "Relations",
}  # fmt: skip
_SPANS = {"html": "HyperTextLabels", "conversation": "ParagraphLabels"}
_SHAPES = {"box": "Rectangle", "polygon": "Polygon", "keypoint": "KeyPoint", "mask": "Brush"}
_TIMES = {"time_series": "TimeSeriesLabels", "video": "TimelineLabels"}

Entry = Mapping[str, Any]


def write_config(document: Mapping[str, Sequence[Entry]]) -> tuple[str, list[tuple[str, str]]]:
    """Return the configuration of a schema (as JSON values) and (question, why it cannot be said there).

    A field of another type is shown as text; a question about no field is asked about the first one.
    """
    root = Tag("View", {})
    types = {one["name"]: one["type"] for one in document["fields"]}
    for one in document["fields"]:
        root.children.append(_object(one))
    first = document["fields"][0]["name"]
    left_out: list[tuple[str, str]] = []
    for question in document["questions"]:
        about = question.get("about") or first
        tags, reason = _control(question, about, types)
        if reason:
            left_out.append((question["name"], reason))
        if tags:
            root.children += _around(question, tags)
    return write_markup(root) + "\n", left_out


def _object(one: Entry) -> Tag:
    tag = Tag(_OBJECTS.get(one["type"], "Text"), {"name": one["name"], "value": "$" + one["name"]})
    if tag.name == "Paragraphs":
        tag.attributes |= {"layout": "dialogue", "nameKey": "role", "textKey": "text"}
    return tag


def _control(question: Entry, about: Any, types: Mapping[str, str]) -> tuple[list[Tag], str]:
    """Return the tags of a question, or why it has none."""
    kind, name = question["type"], question["name"]
    target = about if isinstance(about, str) else next(iter(types))
    if kind == "preference":
        return _pairwise(question, types)
    if kind in REGIONS:
        return _regions(question, target, types.get(target, "text"))
    if kind not in _CONTROLS:
        return [], f"Label Studio has no question of the type {kind}"
    tag = Tag(_CONTROLS[kind], {"name": name, "toName": target})
    if kind == "relation":
        tag.attributes = {}
        tag.children = [Tag("Relation", {"value": label}) for label in question.get("labels", ())]
    elif kind in ("choice", "multi_choice"):
        tag.attributes["choice"] = "single" if kind == "choice" else "multiple"
        tag.children = [Tag("Choice", {"value": choice}) for choice in question["choices"]]
    elif kind == "taxonomy":
        tag.children = [_branch(branch) for branch in question.get("tree", ())]
    elif kind == "text":
        tag.attributes["maxSubmissions"] = "1"
    elif kind == "rating":
        tag.attributes["maxRating"] = f"{question.get('max', 5):g}"
    elif kind == "number":
        tag.attributes |= {word: repr(question[word]) for word in ("min", "max") if question.get(word) is not None}
    if question.get("per_region"):
        tag.attributes["perRegion"] = "true"
    if question.get("required", True) and kind != "relation":
        tag.attributes["required"] = "true"
    return [tag], ""


def _regions(question: Entry, target: str, shown: str) -> tuple[list[Tag], str]:
    kind, labels = question["type"], question.get("labels", ())
    if kind == "span":
        name = _SPANS.get(shown, "Labels")
    elif kind == "time_region":
        name = _TIMES.get(shown, "Labels")
    elif kind == "box" and shown == "video":
        name = "VideoRectangle"
    elif kind in _SHAPES and shown in ("image", "dicom"):
        name = _SHAPES[kind] + ("Labels" if labels else "")
    else:
        return [], f"Label Studio draws no {kind} on a field of the type {shown}"
    tag = Tag(name, {"name": question["name"], "toName": target})
    inner = [Tag("Label", {"value": label}) for label in labels]
    if name == "VideoRectangle" and inner:
        return [tag, Tag("Labels", {"name": f"{question['name']}_labels", "toName": target}, children=inner)], ""
    tag.children = inner
    return [tag], ""


def _pairwise(question: Entry, types: Mapping[str, str]) -> tuple[list[Tag], str]:
    about = question.get("about") or list(types)[:2]
    if isinstance(about, str) or len(about) != 2:
        return [], "Label Studio compares two fields, and the question names no two"
    return [Tag("Pairwise", {"name": question["name"], "toName": ",".join(about)})], ""


def _branch(branch: Any) -> Tag:
    if isinstance(branch, str):
        return Tag("Choice", {"value": branch})
    return Tag("Choice", {"value": branch["name"]}, children=[_branch(one) for one in branch.get("children", ())])


def _around(question: Entry, tags: list[Tag]) -> list[Tag]:
    """Return the tags of a question inside a view that says when it is asked."""
    when, region = question.get("when"), question.get("per_region")
    said: dict[str, str] = {}
    if region:
        said = {"visibleWhen": "region-selected", "whenTagName": region}
    if when and "question" in when:
        said = {"visibleWhen": "choice-selected", "whenTagName": when["question"]}
        said["whenChoiceValue"] = ",".join(map(str, when["is"]))
    elif when and "region_label" in when:
        said["whenLabelValue"] = ",".join(when["region_label"])
    return [Tag("View", said, children=tags)] if said else tags
