"""YOLO: one text file a picture, a line a region: class and either a box or an outline, in parts of the picture.

A line of five numbers is a box (class, centre, size), a longer one an outline; the names of the classes stand in
data.yaml (or classes.txt). Format: https://docs.ultralytics.com/datasets. Boxes that are turned are not read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import yaml

from handrail.cycle.datasets.formats.folder import Folder
from handrail.cycle.datasets.formats.geometry import percent
from handrail.cycle.datasets.formats.record import Found, Record, refused
from handrail.cycle.datasets.formats.target import Target, unsaid
from handrail.cycle.datasets.model import FileUnreadable

_PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
_KINDS = ("box", "polygon")


def read_yolo(folder: Folder, target: Target) -> Iterator[Found]:
    """Yield the pictures of a folder: those with a label file, and those without any region; raises FileUnreadable."""
    field = target.field("image")
    questions = {kind: one["name"] for kind in _KINDS if (one := target.find(kind, about=field)) is not None}
    if not questions:
        raise target.unfit("asks no question of the type box or polygon")
    names = _names(folder)
    pictures = {_key(one): one for one in folder.find(*_PICTURES)}
    labels = {_key(one): one for one in folder.find(".txt") if _is_labels(one)}
    if not labels:
        raise FileUnreadable("The archive holds no label files (labels/*.txt).", hint="Nothing was written.")
    for place, key in enumerate(sorted(pictures.keys() | labels.keys()), 1):
        picture = pictures.get(key, key)
        lines = folder.text(labels[key]).splitlines() if key in labels else []
        values: dict[str, list[dict[str, Any]]] = {}
        problems: list[tuple[str, str]] = []
        for number, line in enumerate(lines, 1):
            try:
                kind, region = _region(line.split(), number, names)
                if kind not in questions:
                    raise ValueError(f"is a {kind}, for which the schema asks no question")
                values.setdefault(questions[kind], []).append(region)
            except ValueError as error:
                if line.strip():
                    problems.append((labels[key], f"line {number} {error}"))
        yield refused(place, problems) if problems else Record(place, picture, {field: picture}, values)


def _is_labels(name: str) -> bool:
    path = PurePosixPath(name)
    return path.name.lower() not in ("classes.txt", "train.txt", "val.txt", "test.txt", "readme.txt", "notes.txt")


def _key(name: str) -> str:
    """Return what a picture and its label file have in common: the path without images/ or labels/ and the ending."""
    path = PurePosixPath(name).with_suffix("")
    return "/".join(part for part in path.parts if part not in ("images", "labels"))


def _names(folder: Folder) -> dict[int, str]:
    for name in folder.find(".yaml", ".yml"):
        try:
            found = yaml.safe_load(folder.text(name))
        except yaml.YAMLError:
            continue
        given = found.get("names") if isinstance(found, Mapping) else None
        if isinstance(given, list):
            return {place: str(one) for place, one in enumerate(given)}
        if isinstance(given, Mapping) and all(isinstance(place, int) for place in given):
            return {place: str(one) for place, one in given.items()}
    for name in folder.find("classes.txt"):
        lines = (line.strip() for line in folder.text(name).splitlines())
        return dict(enumerate(line for line in lines if line))
    raise FileUnreadable(
        "The archive names no classes: it has neither data.yaml with names nor classes.txt.",
        hint="Nothing was written.",
    )


def _region(parts: list[str], number: int, names: Mapping[int, str]) -> tuple[str, dict[str, Any]]:
    try:
        class_id, numbers = int(parts[0]), [float(one) for one in parts[1:]]
    except (IndexError, ValueError):
        raise ValueError("is not a class and its numbers") from None
    if class_id not in names:
        raise ValueError(f"has the class {class_id}, which has no name")
    if not all(-1e-6 <= one <= 1 + 1e-6 for one in numbers):
        raise ValueError("has a number that is no part of the picture, from 0 to 1")
    head = {"id": str(number), "labels": [names[class_id]]}
    if len(numbers) == 4:
        x, y, width, height = numbers
        box = {"x": x - width / 2, "y": y - height / 2, "width": width, "height": height}
        # Half a width taken from a centre may fall short of 0 by a rounding of the numbers.
        return "box", head | {
            key: percent(max(0.0, value) if value > -1e-6 else value, 1) for key, value in box.items()
        }
    if len(numbers) < 6 or len(numbers) % 2:
        raise ValueError(f"has {len(numbers)} numbers, neither a box nor an outline")
    flat = [percent(one, 1) for one in numbers]
    return "polygon", head | {"points": [list(point) for point in zip(flat[::2], flat[1::2], strict=True)]}


def write_yolo(records: Iterable[Record], target: Target) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Yield (name, content) of each picture's labels, then data.yaml; raises Unsaid for what YOLO cannot say."""
    field = target.field("image")
    asked = [one for kind in _KINDS if (one := target.find(kind, about=field)) is not None]
    if not asked:
        raise target.unfit("asks no question of the type box or polygon")
    classes: dict[str, int] = {}
    for one in asked:
        for label in one.get("labels", ()):
            classes.setdefault(label, len(classes))
    taken: set[str] = set()
    for record in records:
        stem = PurePosixPath(str(record.data.get(field, record.external_id))).stem or "picture"
        name, number = stem, 1
        while name in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name)
        regions = [(one["type"], region) for one in asked for region in record.labels.get(one["name"], ())]
        text = "".join(_line(record, kind, region, classes) + "\n" for kind, region in regions)
        yield f"labels/{name}.txt", [text.encode()]
    listed = "".join(f"  {place}: {json.dumps(name)}\n" for name, place in classes.items())
    yield "data.yaml", [f"path: .\ntrain: images\nval: images\nnames:\n{listed}".encode()]


def _line(record: Record, kind: str, region: Mapping[str, Any], classes: dict[str, int]) -> str:
    if len(region["labels"]) != 1 or region.get("rotation") or "sequence" in region:
        why = "has not one label, is turned, or goes over several frames"
        raise unsaid("yolo", record.external_id, f"the region {region['id']}", why)
    if kind == "box":
        width, height = region["width"], region["height"]
        parts = [region["x"] + width / 2, region["y"] + height / 2, width, height]
    else:
        parts = [side for point in region["points"] for side in point]
    class_id = classes.setdefault(region["labels"][0], len(classes))
    return " ".join([str(class_id), *(f"{part / 100:.10g}" for part in parts)])
