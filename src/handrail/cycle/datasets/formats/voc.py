"""Pascal VOC: one XML file a picture, boxes in pixels. Corners count from 0, as most tools of today write them.

Format: http://host.robots.ox.ac.uk/pascal/VOC/. What a box says beyond its corners (pose, truncated, difficult) is
kept beside the item.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from handrail.cycle.datasets.formats.folder import Folder
from handrail.cycle.datasets.formats.geometry import box_in, box_out
from handrail.cycle.datasets.formats.markup import MarkupInvalid, Tag, read_markup, write_markup
from handrail.cycle.datasets.formats.record import Found, Record, refused
from handrail.cycle.datasets.formats.target import Target, unsaid

_EXTRA = ("pose", "truncated", "difficult", "occluded")
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def read_voc(folder: Folder, target: Target) -> Iterator[Found]:
    """Yield the pictures of a folder of annotation files; a file that is no annotation is refused with its name."""
    field, question = target.field("image"), target.question("box")["name"]
    for place, name in enumerate((one for one in folder.names() if one.lower().endswith(".xml")), 1):
        with folder.open(name) as source:
            content = source.read()
        try:
            root = read_markup(content)
        except MarkupInvalid as error:
            yield refused(place, [(name, error.sentence)])
            continue
        yield _picture(root, place, name, field, question)


def _picture(root: Tag, place: int, name: str, field: str, question: str) -> Found:
    size_tag = root.child("size")
    height, width = (_number(size_tag, word) for word in ("height", "width"))
    if root.name != "annotation" or not height or not width or height < 1 or width < 1:
        return refused(place, [(name, "is no annotation of VOC with a size")])
    size = [int(height), int(width)]
    regions: list[dict[str, Any]] = []
    rests: dict[str, Any] = {}
    problems: list[tuple[str, str]] = []
    for tag in (one for one in root.children if one.name == "object"):
        corners = [_number(tag.child("bndbox"), word) for word in _CORNERS]
        label = tag.said("name")
        if not label or any(one is None for one in corners):
            problems.append((name, f"line {tag.line}: an object without a name or its four corners"))
            continue
        left, top, right, bottom = (float(one or 0) for one in corners)
        region_id = str(len(regions) + 1)
        box = box_in([left, top, right - left, bottom - top], size)
        regions.append({"id": region_id, "labels": [label], "size": size} | box)
        rests[region_id] = {word: tag.said(word) for word in _EXTRA if tag.child(word) is not None}
    if problems:
        return refused(place, problems)
    picture = root.said("filename") or PurePosixPath(name).stem
    origin = {"size": size, "depth": _number(size_tag, "depth") or 3, "objects": rests, "file": name}
    return Record(place, picture, {field: picture}, {question: regions} if regions else {}, origin=origin)


def _number(tag: Tag | None, word: str) -> float | None:
    try:
        return None if tag is None else float(tag.said(word))
    except ValueError:
        return None


def write_voc(records: Iterable[Record], target: Target) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Yield (name, content) of each picture's file; raises Unsaid for what VOC cannot say."""
    field, question = target.field("image"), target.question("box")["name"]
    taken: set[str] = set()
    for record in records:
        regions = record.labels.get(question, [])
        origin: Mapping[str, Any] = record.origin or {}
        size = next((one["size"] for one in regions if one.get("size")), origin.get("size"))
        if not size:
            raise unsaid("voc", record.external_id, field, "has no size in pixels that anything tells")
        picture = str(record.data.get(field, record.external_id))
        stem = PurePosixPath(picture).stem or "picture"
        name, number = f"Annotations/{stem}.xml", 1
        while name in taken:
            number += 1
            name = f"Annotations/{stem}-{number}.xml"
        taken.add(name)
        root = Tag("annotation", {}, children=[_said("filename", picture), _size(size, origin)])
        rests = origin.get("objects", {})
        root.children += [_object(record, one, size, rests.get(one["id"], {})) for one in regions]
        yield name, [write_markup(root).encode() + b"\n"]


def _said(name: str, text: object) -> Tag:
    return Tag(name, {}, text=str(text))


def _size(size: list[int], origin: Mapping[str, Any]) -> Tag:
    parts = [_said("width", size[1]), _said("height", size[0]), _said("depth", int(origin.get("depth", 3)))]
    return Tag("size", {}, children=parts)


def _object(record: Record, region: Mapping[str, Any], size: list[int], rest: Mapping[str, str]) -> Tag:
    if len(region["labels"]) != 1 or region.get("rotation") or "sequence" in region:
        why = "has not one label, is turned, or goes over several frames"
        raise unsaid("voc", record.external_id, f"the box {region['id']}", why)
    x, y, width, height = box_out(region, size)
    corners = zip(_CORNERS, (x, y, round(x + width, 6), round(y + height, 6)), strict=True)
    box = Tag("bndbox", {}, children=[_said(word, f"{value:.10g}") for word, value in corners])
    return Tag("object", {}, children=[_said("name", region["labels"][0]), *(_said(*one) for one in rest.items()), box])
