"""COCO: one JSON object with images, categories and annotations; boxes, outlines, masks and keypoints in pixels.

Every annotation becomes one region in each question that can hold a part of it (box, polygon, mask, keypoint), all
under one id, and goes out as one annotation again. Categories are numbered anew, by the labels of the schema. An
outline of several parts needs a question of the type mask. Format: https://cocodataset.org/#format-data.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from handrail.cycle.datasets.formats import rle
from handrail.cycle.datasets.formats.entries import Entry, Stopped, sections
from handrail.cycle.datasets.formats.geometry import area_of, box_in, box_out, hull_of, points_in, points_out
from handrail.cycle.datasets.formats.record import Found, Record, refused
from handrail.cycle.datasets.formats.spill import Spill
from handrail.cycle.datasets.formats.target import Target, unsaid
from handrail.cycle.datasets.reading import Unread

_KINDS = ("box", "polygon", "mask", "keypoint")
_DERIVED = "bbox_derived"
"""Key of ours on an annotation whose box nobody drew: COCO wants one, made of the outline, mask or points."""
_SEEN = frozenset(
    {"id", "image_id", "category_id", "bbox", "segmentation", "keypoints", "num_keypoints", "area", _DERIVED}
)
Region = dict[str, Any]
Problem = tuple[str, str]


class _Bad(Exception):
    """One annotation that cannot be taken; the message goes on from its name."""


class _Coco:
    def __init__(self, target: Target) -> None:
        self.field = target.field("image")
        found = {kind: target.find(kind, about=self.field) for kind in _KINDS}
        self.questions = {kind: one["name"] for kind, one in found.items() if one is not None}
        if not self.questions:
            raise target.unfit("asks no question of the type box, polygon, mask or keypoint")
        self.labels = {kind: tuple(one.get("labels", ())) for kind, one in found.items() if one is not None}


def read_coco(chunks: Iterable[bytes], target: Target) -> Iterator[Found]:
    """Yield the images of a COCO file with their annotations; those of an image that is not there are refused."""
    coco = _Coco(target)
    categories: dict[str, Mapping[str, Any]] = {}
    with ExitStack() as stack:
        images, marks = stack.enter_context(Spill()), stack.enter_context(Spill())
        try:
            for entry in sections(chunks):
                if (wrong := _keep(entry, images, marks, categories)) is not None:
                    yield wrong
        except Stopped as stopped:
            yield Unread(stopped.line, stopped.reason)
            return
        known = set()
        for key, (line, image) in images:
            if key in known:
                yield refused(line, [("images", f"has the id {key[:40]} twice")])
                continue
            known.add(key)
            yield _image(coco, line, image, marks.get(key), categories)
        for key, (line, _) in marks:
            if key not in known:
                yield refused(line, [("annotations", f"is about the image {key[:40]}, which is not there")])


def _keep(entry: Entry, images: Spill, marks: Spill, categories: dict[str, Mapping[str, Any]]) -> Found | None:
    if entry.section not in ("images", "annotations", "categories"):
        return None  # info and licenses are about the file
    if not isinstance(entry.content, Mapping):
        return refused(entry.line, [(entry.section, "holds something that is not an object")])
    key = entry.content.get("image_id" if entry.section == "annotations" else "id")
    if not isinstance(key, int | str):
        return refused(entry.line, [(entry.section, "has an entry without an id")])
    if entry.section == "categories":
        categories[str(key)] = entry.content
    else:
        (images if entry.section == "images" else marks).add(str(key), [entry.line, entry.content])
    return None


def _image(
    coco: _Coco, line: int, image: Mapping[str, Any], found: list[Any], categories: Mapping[str, Mapping[str, Any]]
) -> Found:
    name, size = image.get("file_name"), [image.get("height"), image.get("width")]
    if not isinstance(name, str) or not name:
        return refused(line, [("images", "has no file_name")])
    if not all(isinstance(side, int) and side > 0 for side in size):
        return refused(line, [("images", f"{name[:60]} has no height and width in pixels")])
    values: dict[str, list[Region]] = {question: [] for question in coco.questions.values()}
    rests: dict[str, Any] = {}
    problems: list[tuple[int, Problem]] = []
    for mark_line, mark in found:
        try:
            mark_id = str(mark.get("id", len(rests) + 1))
            for kind, regions in _regions(coco, mark, mark_id, size, categories).items():  # type: ignore[arg-type]
                values[coco.questions[kind]] += regions
            rests[mark_id] = {key: value for key, value in mark.items() if key not in _SEEN}
        except _Bad as bad:
            problems.append((mark_line, (f"annotation {str(mark.get('id'))[:20]}", str(bad))))
    if problems:
        return refused(problems[0][0], [problem for _, problem in problems])
    labels = {question: regions for question, regions in values.items() if regions}
    return Record(line, name, {coco.field: name}, labels, origin={"image": dict(image), "annotations": rests})


def _regions(
    coco: _Coco, mark: Mapping[str, Any], mark_id: str, size: list[int], categories: Mapping[str, Mapping[str, Any]]
) -> dict[str, list[Region]]:
    category = categories.get(str(mark.get("category_id")))
    if category is None:
        raise _Bad(f"has the category {str(mark.get('category_id'))[:20]}, which is not there")
    head: Region = {"id": mark_id, "labels": [str(category.get("name"))], "size": size}
    if isinstance(mark.get("score"), int | float):
        head["score"] = float(mark["score"])
    made: dict[str, list[Region]] = {}
    if "box" in coco.questions and mark.get("bbox") and not mark.get(_DERIVED):
        made["box"] = [head | box_in(_numbers(mark["bbox"], "bbox", 4), size)]
    made |= _outline(coco, mark.get("segmentation"), head, size)
    if "keypoint" in coco.questions and mark.get("keypoints"):
        made["keypoint"] = _keypoints(mark, category, head, size)
    if not made:
        raise _Bad(f"has nothing that {', '.join(coco.questions.values())} could hold")
    return made


def _outline(coco: _Coco, shape: Any, head: Region, size: list[int]) -> dict[str, list[Region]]:
    if not shape:
        return {}
    if isinstance(shape, list):
        rings = [_numbers(ring, "segmentation") for ring in shape]
        if "polygon" in coco.questions and len(rings) == 1:
            return {"polygon": [head | {"points": points_in(rings[0], size)}]}
        if "mask" in coco.questions:
            outlines = [list(zip(ring[::2], ring[1::2], strict=False)) for ring in rings]
            return {"mask": [head | {"rle": rle.to_text(rle.from_polygons(outlines, *size))}]}
        if "polygon" in coco.questions:
            raise _Bad(f"has an outline of {len(rings)} parts, which needs a question of the type mask")
        return {}
    if "mask" not in coco.questions:
        if "polygon" in coco.questions:
            raise _Bad("has a mask of run lengths, which needs a question of the type mask")
        return {}
    if not isinstance(shape, Mapping) or shape.get("size") != size:
        raise _Bad("has a mask of another size than its image")
    counts = shape.get("counts")
    try:
        text = counts if isinstance(counts, str) else rle.pack(counts if isinstance(counts, list) else [])
        rle.from_text(text, *size)
    except (rle.MaskInvalid, TypeError) as error:
        raise _Bad(f"has a mask that {error}") from None
    return {"mask": [head | {"rle": text}]}


def _keypoints(mark: Mapping[str, Any], category: Mapping[str, Any], head: Region, size: list[int]) -> list[Region]:
    flat = _numbers(mark["keypoints"], "keypoints")
    names = category.get("keypoints") or [str(place + 1) for place in range(len(flat) // 3)]
    if len(flat) != 3 * len(names):
        raise _Bad(f"has {len(flat)} numbers as keypoints, and its category names {len(names)} points")
    points = []
    for place, name in enumerate(names):
        x, y, visible = flat[3 * place : 3 * place + 3]
        if visible:
            ((left, top),) = points_in([x, y], size)
            points.append(head | {"id": f"{head['id']}/{name}", "labels": [str(name)], "x": left, "y": top})
    return points


def _numbers(value: Any, word: str, count: int = 0) -> list[float]:
    if not isinstance(value, list) or any(isinstance(one, bool) or not isinstance(one, int | float) for one in value):
        raise _Bad(f"has a {word} that is no list of numbers")
    if (count and len(value) != count) or not value:
        raise _Bad(f"has a {word} of {len(value)} numbers")
    if word == "segmentation" and (len(value) < 6 or len(value) % 2):
        raise _Bad("has an outline of fewer than three points")
    return value


# Out


def write_coco(records: Iterable[Record], target: Target) -> Iterator[bytes]:
    """Yield a COCO file; raises Unsaid for an image whose size nothing tells, or a shape that COCO has not."""
    coco = _Coco(target)
    names: dict[str, int] = {}
    for kind in ("box", "polygon", "mask"):
        for label in coco.labels.get(kind, ()):
            names.setdefault(label, len(names) + 1)
    points = list(coco.labels.get("keypoint", ()))
    count = 0
    with Spill() as marks:
        yield b'{"images":['
        for number, record in enumerate(records, 1):
            size = _size_of(coco, record)
            image = {"id": number, "file_name": record.data.get(coco.field, record.external_id)}
            image |= {"height": size[0], "width": size[1]}
            for mark in _marks(coco, record, size, names, points):
                count += 1
                marks.add("", {"id": count, "image_id": number} | mark)
            kept = (record.origin or {}).get("image", {})
            rest = {key: value for key, value in kept.items() if key not in image} if isinstance(kept, Mapping) else {}
            yield (b"" if number == 1 else b",") + b"\n" + _json(image | rest)
        yield b'],\n"annotations":['
        for place, (_, mark) in enumerate(marks):
            yield (b",\n" if place else b"\n") + _json(mark)
    extra: dict[str, Any] = {"keypoints": points, "skeleton": []} if points else {}
    yield b'],\n"categories":' + _json([{"id": place, "name": name} | extra for name, place in names.items()]) + b"}\n"


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _size_of(coco: _Coco, record: Record) -> list[int]:
    for question in coco.questions.values():
        for region in record.labels.get(question, ()):
            if region.get("size"):
                return [int(side) for side in region["size"]]
    image = (record.origin or {}).get("image")
    if isinstance(image, Mapping) and isinstance(image.get("height"), int) and isinstance(image.get("width"), int):
        return [image["height"], image["width"]]
    raise unsaid("coco", record.external_id, coco.field, "has no size in pixels that anything tells")


def _marks(
    coco: _Coco, record: Record, size: list[int], names: dict[str, int], points: Sequence[str]
) -> Iterator[dict[str, Any]]:
    kept = (record.origin or {}).get("annotations", {})
    groups: dict[str, dict[str, list[Region]]] = {}
    for kind, question in coco.questions.items():
        for region in record.labels.get(question, ()):
            owner = region["id"].rpartition("/")[0] if kind == "keypoint" and "/" in region["id"] else region["id"]
            groups.setdefault(owner, {}).setdefault(kind, []).append(region)
    for owner, shapes in groups.items():
        whole = next((shapes[kind][0] for kind in ("box", "polygon", "mask") if kind in shapes), None)
        labels = ["object"] if whole is None else whole["labels"]
        if len(labels) != 1:
            raise unsaid("coco", record.external_id, f"the region {owner}", f"has {len(labels)} labels, not one")
        mark: dict[str, Any] = {"category_id": names.setdefault(labels[0], len(names) + 1)}
        mark |= _shape_out(record, shapes, size, points, drawn="box" in coco.questions)
        if whole is not None and "score" in whole:
            mark["score"] = whole["score"]
        yield mark | {key: value for key, value in kept.get(owner, {}).items() if key not in mark}


def _shape_out(
    record: Record, shapes: Mapping[str, list[Region]], size: list[int], points: Sequence[str], *, drawn: bool
) -> dict[str, Any]:
    mark: dict[str, Any] = {"iscrowd": 0}
    if "keypoint" in shapes:
        flat, seen = [0.0] * (3 * len(points)), 0
        for region in shapes["keypoint"]:
            name = region["labels"][0] if region["labels"] else ""
            if name not in points:
                raise unsaid("coco", record.external_id, "a keypoint", "has a label that the schema does not list")
            place = 3 * points.index(name)
            flat[place : place + 3] = [*points_out([[region["x"], region["y"]]], size), 2]
            seen += 1
        placed = [side for at in range(0, len(flat), 3) if flat[at + 2] for side in flat[at : at + 2]]
        mark |= {"keypoints": flat, "num_keypoints": seen, "bbox": hull_of(placed)}
        mark["area"] = mark["bbox"][2] * mark["bbox"][3]
    if "mask" in shapes:
        region = shapes["mask"][0]
        mask = rle.from_text(region["rle"], *size)
        mark |= {"segmentation": {"size": size, "counts": region["rle"]}, "bbox": list(rle.box_of(mask))}
        mark["area"] = int(mask.sum())
    if "polygon" in shapes:
        ring = points_out(shapes["polygon"][0]["points"], size)
        mark |= {"segmentation": [ring], "bbox": hull_of(ring), "area": area_of(ring)}
    if "box" in shapes:
        region = shapes["box"][0]
        if region.get("rotation") or "sequence" in region:
            raise unsaid(
                "coco", record.external_id, f"the box {region['id']}", "is turned, or goes over several frames"
            )
        mark["bbox"] = box_out(region, size)
        mark.setdefault("area", round(mark["bbox"][2] * mark["bbox"][3], 6))
    elif drawn:
        mark[_DERIVED] = True
    return mark
