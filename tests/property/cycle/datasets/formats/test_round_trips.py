"""Every format gives back what it was given, for values that it has words for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handrail.cycle.datasets.formats import rle
from handrail.cycle.datasets.formats.catalogue import FORMATS, recognise, recognise_folder
from handrail.cycle.datasets.formats.folder import Folder
from handrail.cycle.datasets.formats.record import Record
from handrail.cycle.datasets.formats.target import Target
from handrail.cycle.datasets.reading import RawRow
from handrail.foundation.archives import unpack, zipped

_IMAGES = {
    "fields": [{"name": "picture", "type": "image"}],
    "questions": [
        {"name": "boxes", "type": "box", "about": "picture", "labels": ["cat", "a dog"]},
        {"name": "outlines", "type": "polygon", "about": "picture", "labels": ["cat", "a dog"]},
        {"name": "masks", "type": "mask", "about": "picture", "labels": ["cat", "a dog"]},
        {"name": "points", "type": "keypoint", "about": "picture", "labels": ["nose", "tail"]},
    ],
}
_TEXTS = {
    "fields": [{"name": "words", "type": "text"}],
    "questions": [
        {"name": "names", "type": "span", "about": "words", "labels": ["PER", "LOC"]},
        {"name": "topics", "type": "multi_choice", "choices": ["x", "y", "z"]},
    ],
}
_TABLE = {
    "fields": [
        {"name": "words", "type": "text"},
        {"name": "size", "type": "number"},
        {"name": "new", "type": "boolean"},
        {"name": "talk", "type": "conversation"},
    ],
    "questions": [
        {"name": "kind", "type": "choice", "choices": ["one", "two"]},
        {"name": "topics", "type": "multi_choice", "choices": ["x", "y", "z"]},
        {"name": "order", "type": "ranking", "choices": ["x", "y", "z"]},
        {"name": "names", "type": "span", "about": "words", "labels": ["PER"]},
        {"name": "stars", "type": "rating", "max": 5},
    ],
}


def _through(name: str, document: Mapping[str, Any], records: list[Record], size: int = 4096) -> list[Any]:
    """Write records and read them again."""
    format_, target = FORMATS[name], Target.of(name, document)
    with TemporaryDirectory() as folder:
        if format_.write_folder is not None:
            place = Path(folder) / "out.zip"
            place.write_bytes(b"".join(zipped(format_.write_folder(iter(records), target))))
            inside = Path(folder) / "inside"
            inside.mkdir()
            names = unpack(place, inside)
            assert recognise_folder(names) == (name if records else recognise_folder(names))
            assert format_.read_folder is not None
            return list(format_.read_folder(Folder(inside, names), target))
        assert format_.write_stream is not None
        content = b"".join(format_.write_stream(iter(records), target))
        if format_.read_place is not None:
            (Path(folder) / "out").write_bytes(content)
            return list(format_.read_place(Path(folder) / "out", target))
        assert format_.read_stream is not None
        chunks = (content[at : at + size] for at in range(0, len(content), size))
        return list(format_.read_stream(chunks, target))


def _bare(labels: Mapping[str, Any]) -> dict[str, Any]:
    """Return labels without ids and pixel sizes, which not every format keeps, and without empty lists."""
    kept = {}
    for name, value in labels.items():
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            value = [{key: part for key, part in one.items() if key not in ("id", "size")} for one in value]
        if value != []:
            kept[name] = value
    return kept


def _said(found: Iterable[Any]) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    made = []
    for one in found:
        assert isinstance(one, Record), one
        made.append((one.external_id, dict(one.data), _bare(one.labels)))
    return made


_SIZE = (50, 80)
_SIDE = st.integers(0, 39)
_LABEL = st.sampled_from(["cat", "a dog"])


@st.composite
def _boxes(draw: st.DrawFn) -> dict[str, Any]:
    x, y = draw(_SIDE), draw(_SIDE)
    width, height = draw(st.integers(1, 40)), draw(st.integers(1, 10))
    height_px, width_px = _SIZE
    return {
        "x": round(100 * x / width_px, 9),
        "y": round(100 * y / height_px, 9),
        "width": round(100 * width / width_px, 9),
        "height": round(100 * height / height_px, 9),
        "labels": [draw(_LABEL)],
    }


@st.composite
def _polygons(draw: st.DrawFn) -> dict[str, Any]:
    height, width = _SIZE
    corners = draw(st.lists(st.tuples(_SIDE, _SIDE), min_size=3, max_size=6))
    points = [[round(100 * x / width, 9), round(100 * y / height, 9)] for x, y in corners]
    return {"points": points, "labels": [draw(_LABEL)]}


@st.composite
def _masks(draw: st.DrawFn) -> dict[str, Any]:
    counts = draw(st.lists(st.integers(1, 200), min_size=1, max_size=8))
    total = _SIZE[0] * _SIZE[1]
    return {"rle": rle.pack([*counts, total - sum(counts)]), "labels": [draw(_LABEL)]}


def _pictures(**shapes: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[Record]]:
    regions = st.fixed_dictionaries({name: st.lists(shape, max_size=3) for name, shape in shapes.items()})
    return st.lists(regions, max_size=3).map(_numbered)


def _numbered(pictures: list[dict[str, list[dict[str, Any]]]]) -> list[Record]:
    records = []
    for number, questions in enumerate(pictures):
        count = iter(range(1, 99))
        labels = {
            name: [one | {"id": str(next(count)), "size": list(_SIZE)} for one in regions]
            for name, regions in questions.items()
            if regions
        }
        name, origin = f"{number}.jpg", {"image": {"height": _SIZE[0], "width": _SIZE[1]}, "size": list(_SIZE)}
        records.append(Record(0, name, {"picture": name}, labels, origin=origin))
    return records


@settings(max_examples=30, deadline=None)
@given(_pictures(boxes=_boxes(), outlines=_polygons(), masks=_masks()), st.integers(1, 50))
def test_coco(records: list[Record], size: int) -> None:
    assert _said(_through("coco", _IMAGES, records, size)) == _said(records)


@settings(max_examples=30, deadline=None)
@given(_pictures(boxes=_boxes()))
def test_voc(records: list[Record]) -> None:
    assert _said(_through("voc", _IMAGES, records)) == _said(records)


@settings(max_examples=30, deadline=None)
@given(_pictures(boxes=_boxes(), outlines=_polygons()).filter(bool))
def test_yolo(records: list[Record]) -> None:
    found = _through("yolo", _IMAGES, records)
    for (_, _, labels), (_, _, wanted) in zip(_said(found), _said(records), strict=True):
        assert labels.keys() == wanted.keys()
        for name, regions in wanted.items():
            for one, other in zip(labels[name], regions, strict=True):
                assert one.pop("labels") == other.pop("labels")
                assert _flat(one) == pytest.approx(_flat(other), abs=1e-6)


def _flat(value: Any) -> list[float]:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return [float(value)] if parts is None else [side for part in parts for side in _flat(part)]


@st.composite
def _sentences(draw: st.DrawFn) -> Record:
    tokens = draw(st.lists(st.text("abcé🙂.", min_size=1, max_size=4), min_size=1, max_size=6))
    text = " ".join(tokens)
    spans, at = [], 0
    borders = [0]
    for token in tokens:
        at += len(token) + 1
        borders.append(at)
    place = 0
    while place < len(tokens):
        length = draw(st.integers(0, 2))
        if length and place + length <= len(tokens):
            start, end = borders[place], borders[place + length] - 1
            label = draw(st.sampled_from(["PER", "LOC"]))
            spans.append({"id": str(len(spans) + 1), "start": start, "end": end, "labels": [label]})
        place += max(1, length)
    topics = draw(st.lists(st.sampled_from(["x", "y", "z"]), unique=True).map(sorted))
    labels = {"names": spans} | ({"topics": topics} if topics else {})
    return Record(0, draw(st.text("qwerty", min_size=1, max_size=9)), {"words": text}, labels)


@settings(max_examples=30, deadline=None)
@given(st.lists(_sentences(), max_size=4), st.integers(1, 50))
def test_conll(records: list[Record], size: int) -> None:
    spans = [Record(0, "", one.data, {"names": one.labels["names"]}) for one in records]
    assert [one[1:] for one in _said(_through("conll", _TEXTS, spans, size))] == [one[1:] for one in _said(spans)]


@pytest.mark.parametrize("name", ["doccano", "prodigy", "argilla"])
@settings(max_examples=30, deadline=None)
@given(records=st.lists(_sentences(), max_size=4), size=st.integers(1, 50))
def test_text_formats(name: str, records: list[Record], size: int) -> None:
    assert _said(_through(name, _TEXTS, records, size)) == _said(records)


_WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
_ROWS = st.builds(
    lambda data, labels: Record(0, "", data, labels),
    st.fixed_dictionaries(
        {"words": _WORDS, "size": st.floats(allow_nan=False, allow_infinity=False)},
        optional={
            "new": st.booleans(),
            "talk": st.lists(st.fixed_dictionaries({"role": _WORDS, "text": _WORDS}), min_size=1, max_size=2),
        },
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "kind": st.sampled_from(["one", "two"]),
            "topics": st.lists(st.sampled_from(["x", "y", "z"]), unique=True, min_size=1),
            "order": st.just([["x"], ["y", "z"]]),
            "stars": st.sampled_from([1.0, 4.0]),
            "names": st.just([{"id": "1", "labels": ["PER"], "start": 0, "end": 1}]),
        },
    ),
)


@pytest.mark.parametrize("name", ["parquet", "huggingface", "croissant"])
@settings(max_examples=30, deadline=None)
@given(records=st.lists(_ROWS, min_size=1, max_size=5))
def test_tables(name: str, records: list[Record]) -> None:
    named = [Record(0, f"i{at}", one.data, one.labels) for at, one in enumerate(records)]
    found = _through(name, _TABLE, named)
    assert [one.content for one in found if isinstance(one, RawRow)] == [
        {"external_id": one.external_id, **one.data, **one.labels} for one in named
    ]


_MANIFEST = {
    "fields": [{"name": "picture", "type": "image"}],
    "questions": [
        {"name": "boxes", "type": "box", "about": "picture", "labels": ["cat", "a dog"]},
        {"name": "kind", "type": "choice", "choices": ["one", "two"]},
    ],
}


@settings(max_examples=30, deadline=None)
@given(_pictures(boxes=_boxes()), st.sampled_from(["one", "two"]))
def test_sagemaker(records: list[Record], kind: str) -> None:
    records = [Record(0, one.external_id, one.data, dict(one.labels) | {"kind": kind}) for one in records]
    found = _through("sagemaker", _MANIFEST, records)
    for one in found:
        for region in one.labels.get("boxes", []):
            assert region.pop("score") == 0.0
    assert _said(found) == _said(records)


# Whatever comes in


def _readers() -> Iterator[tuple[str, Callable[[Iterable[bytes], Target], Iterator[Any]], Mapping[str, Any]]]:
    for name, format_ in FORMATS.items():
        if format_.read_stream is not None:
            yield name, format_.read_stream, _IMAGES if name in ("coco", "sagemaker") else _TEXTS


_KEYS = (
    "text label spans entities relations fields responses suggestions source-ref id boxes "
    "boxes-metadata words names topics images annotations categories file_name height width image_id "
    "category_id bbox segmentation keypoints start end value answer accept counts size"
).split()
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 99) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(_KEYS),
        inner,
        max_size=6,
    ),
    max_leaves=20,
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "read", "document"), list(_readers()), ids=lambda one: one if isinstance(one, str) else ""
)
@settings(max_examples=150, deadline=None)
@given(value=_JSON)
def test_any_json_is_read_or_refused_and_never_breaks_a_reader(
    name: str, read: Callable[..., Iterator[Any]], document: Mapping[str, Any], value: Any
) -> None:
    content = json.dumps(value).encode()
    recognise(content)
    list(read([content], Target.of(name, document)))
