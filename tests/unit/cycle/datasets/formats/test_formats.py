"""What the field's own tools write, and what is wrong with it, told with its place."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from handrail.cycle.datasets.formats.catalogue import FORMATS, recognise, recognise_folder
from handrail.cycle.datasets.formats.croissant import schema_of
from handrail.cycle.datasets.formats.folder import Folder
from handrail.cycle.datasets.formats.record import Record, Refused
from handrail.cycle.datasets.formats.target import FormatUnfit, Target, Unsaid
from handrail.cycle.datasets.model import FileUnreadable
from handrail.cycle.datasets.reading import RawRow, Unread

_LABELS = ["cat", "dog"]


def _document(field: str, *questions: Mapping[str, Any]) -> dict[str, Any]:
    return {"fields": [{"name": "x", "type": field}], "questions": list(questions)}


_BOX = {"name": "boxes", "type": "box", "labels": _LABELS}
_OUTLINE = {"name": "outlines", "type": "polygon", "labels": _LABELS}
_SPAN = {"name": "names", "type": "span", "labels": ["PER"]}
_RELATION = {"name": "links", "type": "relation", "about": ["names"], "labels": ["of"]}


def _read(name: str, content: bytes | str, document: Mapping[str, Any]) -> list[Any]:
    read = FORMATS[name].read_stream
    assert read is not None
    return list(read([content.encode() if isinstance(content, str) else content], Target.of(name, document)))


def _folder(tmp_path: Path, files: Mapping[str, str]) -> Folder:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return Folder(tmp_path, sorted(files))


def _problems(found: Iterable[Any]) -> list[tuple[int, str, str]]:
    return [
        (problem.line, problem.field, problem.reason)
        for one in found
        if isinstance(one, Refused)
        for problem in one.problems
    ]


_COCO = {
    "annotations": [
        {"id": 5, "image_id": 9, "category_id": 18, "bbox": [10, 20, 30, 40], "iscrowd": 0, "area": 1200,
         "segmentation": [[10, 20, 40, 20, 40, 60]]},
        {"id": 6, "image_id": 9, "category_id": 1, "bbox": [0, 0, 1, 1], "attributes": {"truncated": True}},
    ],
    "images": [{"id": 9, "file_name": "a.jpg", "height": 100, "width": 200, "license": 2}],
    "categories": [{"id": 1, "name": "cat"}, {"id": 18, "name": "dog", "supercategory": "animal"}],
}  # fmt: skip


def test_coco_in_any_order_of_its_sections() -> None:
    (found,) = _read("coco", json.dumps(_COCO), _document("image", _BOX, _OUTLINE))
    assert found.external_id == "a.jpg"
    assert found.labels["boxes"][0] == {
        "id": "5", "labels": ["dog"], "size": [100, 200], "x": 5.0, "y": 20.0, "width": 15.0, "height": 40.0,
    }  # fmt: skip
    assert found.labels["outlines"][0]["points"] == [[5.0, 20.0], [20.0, 20.0], [20.0, 60.0]]
    write = FORMATS["coco"].write_stream
    assert write is not None
    out = json.loads(b"".join(write([found], Target.of("coco", _document("image", _BOX, _OUTLINE)))))
    assert out["images"][0] == {"id": 1, "file_name": "a.jpg", "height": 100, "width": 200, "license": 2}
    first = next(one for one in out["annotations"] if one["category_id"] == 2)
    assert (first["bbox"], first["segmentation"]) == ([10, 20, 30, 40], [[10, 20, 40, 20, 40, 60]])
    assert next(one for one in out["annotations"] if one["category_id"] == 1)["attributes"] == {"truncated": True}


def test_coco_that_does_not_hold_together_is_told() -> None:
    bad = json.loads(json.dumps(_COCO))
    bad["annotations"][0]["category_id"] = 7
    bad["annotations"][1]["image_id"] = 4
    told = _problems(_read("coco", json.dumps(bad), _document("image", _BOX)))
    assert [one[1:] for one in told] == [
        ("annotation 5", "has the category 7, which is not there"),
        ("annotations", "is about the image 4, which is not there"),
    ]
    two = json.loads(json.dumps(_COCO))
    two["annotations"][0]["segmentation"] = [[0, 0, 1, 0, 1, 1], [5, 5, 6, 5, 6, 6]]
    assert (
        "needs a question of the type mask"
        in _problems(_read("coco", json.dumps(two), _document("image", _OUTLINE)))[0][2]
    )


def test_keypoints_are_named_by_their_category() -> None:
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "height": 10, "width": 10}],
        "categories": [{"id": 1, "name": "person", "keypoints": ["nose", "eye"]}],
        "annotations": [
            {"id": 3, "image_id": 1, "category_id": 1, "keypoints": [5, 5, 2, 0, 0, 0], "num_keypoints": 1}
        ],
    }
    asked = {"name": "points", "type": "keypoint", "labels": ["nose", "eye"]}
    (found,) = _read("coco", json.dumps(content), _document("image", asked))
    point = {"id": "3/nose", "labels": ["nose"], "size": [10, 10], "x": 50.0, "y": 50.0}
    assert found.labels == {"points": [point]}


def test_yolo_with_boxes_outlines_and_a_picture_without_any(tmp_path: Path) -> None:
    folder = _folder(
        tmp_path,
        {
            "data.yaml": "names:\n  0: cat\n  1: dog\n",
            "train/labels/a.txt": "0 0.5 0.5 0.2 0.4\n1 0 0 1 0 1 1\n",
            "train/images/a.jpg": "",
            "train/images/b.png": "",
        },
    )
    assert recognise_folder(folder.names()) == "yolo"
    read = FORMATS["yolo"].read_folder
    assert read is not None
    first, second = list(read(folder, Target.of("yolo", _document("image", _BOX, _OUTLINE))))
    assert isinstance(first, Record)
    assert first.external_id == "train/images/a.jpg"
    assert first.labels["boxes"] == [
        {"id": "1", "labels": ["cat"], "x": 40.0, "y": 30.0, "width": 20.0, "height": 40.0}
    ]
    assert first.labels["outlines"][0]["points"] == [[0.0, 0.0], [100.0, 0.0], [100.0, 100.0]]
    assert isinstance(second, Record)
    assert second.labels == {}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("7 .5 .5 .1 .1", "no name"),
        ("x", "is not a class"),
        ("0 2 .5 .1 .1", "from 0 to 1"),
        ("0 .1 .1 .1", "3 numbers"),
    ],
)
def test_a_bad_line_of_yolo_is_told_with_file_and_line(tmp_path: Path, line: str, why: str) -> None:
    folder = _folder(tmp_path, {"classes.txt": "cat\n", "labels/a.txt": f"0 .5 .5 .1 .1\n{line}\n"})
    read = FORMATS["yolo"].read_folder
    assert read is not None
    ((_, field, reason),) = _problems(read(folder, Target.of("yolo", _document("image", _BOX))))
    assert field == "labels/a.txt"
    assert reason.startswith("line 2 ")
    assert why in reason


def test_voc_keeps_what_a_box_says_beside_its_corners(tmp_path: Path) -> None:
    text = (
        "<annotation><filename>a.jpg</filename><size><width>200</width><height>100</height><depth>3</depth></size>"
        "<object><name>dog</name><pose>Left</pose><difficult>0</difficult>"
        "<bndbox><xmin>20</xmin><ymin>10</ymin><xmax>60</xmax><ymax>90</ymax></bndbox></object></annotation>"
    )
    folder = _folder(tmp_path, {"Annotations/a.xml": text, "Annotations/b.xml": "<annotation/>"})
    format_ = FORMATS["voc"]
    assert format_.read_folder is not None
    assert format_.write_folder is not None
    target = Target.of("voc", _document("image", _BOX))
    found, bad = list(format_.read_folder(folder, target))
    assert isinstance(found, Record)
    assert isinstance(bad, Refused)
    assert found.labels["boxes"][0] == {
        "id": "1", "labels": ["dog"], "size": [100, 200], "x": 10.0, "y": 10.0, "width": 20.0, "height": 80.0,
    }  # fmt: skip
    ((name, parts),) = list(format_.write_folder([found], target))
    assert name == "Annotations/a.xml"
    assert "<pose>Left</pose>" in b"".join(parts).decode()


def test_conll_of_the_shared_task() -> None:
    text = (
        "-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-PER\nrejects VBZ B-VP O\nPeter NNP I-NP I-PER\nB NNP I-NP I-PER\n\nOne\n"
    )
    found = _read("conll", text, _document("text", _SPAN))
    assert found[0].data == {"x": "EU rejects Peter B"}
    assert [(one["start"], one["end"]) for one in found[0].labels["names"]] == [(0, 2), (11, 18)]
    assert _problems(found) == [(8, "", "line 8 is not a token, its columns and a tag such as O or B-PER")]
    write = FORMATS["conll"].write_stream
    assert write is not None
    out = b"".join(write([found[0]], Target.of("conll", _document("text", _SPAN))))
    assert out.decode().splitlines()[0] == "EU NNP B-NP B-PER"
    overlap = Record(0, "i", {"x": "a b"}, {"names": [
        {"id": "1", "labels": ["PER"], "start": 0, "end": 3}, {"id": "2", "labels": ["PER"], "start": 2, "end": 3},
    ]})  # fmt: skip
    with pytest.raises(Unsaid, match="overlap"):
        list(write([overlap], Target.of("conll", _document("text", _SPAN))))


def test_doccano_with_relations_comes_and_goes() -> None:
    row = {
        "id": 3, "text": "Ann of Bonn", "Comments": [],
        "entities": [
            {"id": 7, "label": "PER", "start_offset": 0, "end_offset": 3},
            {"id": 9, "label": "PER", "start_offset": 7, "end_offset": 11},
        ],
        "relations": [{"id": 1, "from_id": 7, "to_id": 9, "type": "of"}],
    }  # fmt: skip
    document = _document("text", _SPAN, _RELATION)
    (found,) = _read("doccano", json.dumps(row), document)
    assert found.labels["links"] == [{"from": "7", "to": "9", "labels": ["of"], "direction": "right"}]
    write = FORMATS["doccano"].write_stream
    assert write is not None
    assert json.loads(b"".join(write([found], Target.of("doccano", document)))) == row


def test_prodigy_rejected_examples_have_no_label() -> None:
    rows = [
        {
            "text": "Ann",
            "spans": [{"start": 0, "end": 3, "label": "PER", "token_start": 0}],
            "answer": answer,
            "_input_hash": at,
        }
        for at, answer in enumerate(("accept", "reject", "ignore"))
    ]
    content = "\n".join(map(json.dumps, rows))
    found = _read("prodigy", content, _document("text", _SPAN))
    assert [bool(one.labels) for one in found] == [True, False, False]
    write = FORMATS["prodigy"].write_stream
    assert write is not None
    out = b"".join(write(found, Target.of("prodigy", _document("text", _SPAN)))).decode()
    assert [json.loads(line) for line in out.splitlines()] == rows


def test_argilla_suggestions_are_predictions_and_responses_are_annotations() -> None:
    kind = {"name": "kind", "type": "choice", "choices": ["a", "b"]}
    row = {
        "id": "r1", "fields": {"x": "text"}, "metadata": {"k": 1}, "vectors": {"v": [0.5]},
        "suggestions": {"kind": {"value": "b", "score": 0.75, "agent": "m1"}},
        "responses": {"kind": [
            {"value": "a", "user_id": "u1", "status": "submitted"},
            {"value": "b", "user_id": "u2", "status": "discarded"},
            {"value": "b", "user_id": "u3", "status": "draft"},
        ]},
    }  # fmt: skip
    document = _document("text", kind)
    (found,) = _read("argilla", json.dumps([row]), document)
    assert found.labels == {"kind": "a"}
    assert [(one.kind, one.who, one.values, one.score) for one in found.answers] == [
        ("annotation", "u1", {"kind": "a"}, None),
        ("draft", "u3", {"kind": "b"}, None),
        ("prediction", "m1", {"kind": "b"}, 0.75),
    ]
    write = FORMATS["argilla"].write_stream
    assert write is not None
    assert json.loads(b"".join(write([found], Target.of("argilla", document)))) == [row]


def test_a_manifest_of_sagemaker() -> None:
    row = {
        "source-ref": "https://example.org/a.png",
        "boxes": {
            "image_size": [{"width": 500, "height": 400, "depth": 3}],
            "annotations": [{"class_id": 1, "left": 50, "top": 40, "width": 100, "height": 80}],
        },
        "boxes-metadata": {
            "objects": [{"confidence": 0.5}], "class-map": {"0": "cat", "1": "dog"}, "human-annotated": "yes",
            "type": "groundtruth/object-detection", "job-name": "labeling-job/boxes",
        },
    }  # fmt: skip
    (found,) = _read("sagemaker", json.dumps(row), _document("image", _BOX))
    assert found.labels["boxes"] == [
        {
            "id": "1",
            "labels": ["dog"],
            "size": [400, 500],
            "x": 10.0,
            "y": 10.0,
            "width": 20.0,
            "height": 20.0,
            "score": 0.5,
        }
    ]
    write = FORMATS["sagemaker"].write_stream
    assert write is not None
    assert json.loads(b"".join(write([found], Target.of("sagemaker", _document("image", _BOX))))) == row


def test_a_hugging_face_folder_names_its_classes(tmp_path: Path) -> None:
    card = (
        "---\ndataset_info:\n  features:\n  - name: kind\n    dtype:\n      class_label:\n        names:\n"
        "          '0': a\n          '1': b\n---\n"
    )
    folder = _folder(tmp_path, {"README.md": card})
    (tmp_path / "data").mkdir()
    pq.write_table(pa.table({"x": ["u", "v", "w"], "kind": [1, 0, 5]}), tmp_path / "data/test-00000-of-00001.parquet")
    folder = Folder(tmp_path, ["README.md", "data/test-00000-of-00001.parquet"])
    document = _document("text", {"name": "kind", "type": "choice", "choices": ["a", "b"]})
    read = FORMATS["huggingface"].read_folder
    assert read is not None
    found = list(read(folder, Target.of("huggingface", document)))
    assert [one.content for one in found[:2] if isinstance(one, RawRow)] == [
        {"x": "u", "kind": "b", "external_id": "test-1"}, {"x": "v", "kind": "a", "external_id": "test-2"},
    ]  # fmt: skip
    assert _problems(found) == [(3, "kind", "has the class 5, which has no name")]
    with pytest.raises(FileUnreadable, match="kind is no field"):
        list(read(folder, Target.of("huggingface", _document("text"))))


def test_croissant_reads_a_csv_file_beside_it_and_gives_a_schema(tmp_path: Path) -> None:
    def field(name: str, type_: str, column: str) -> dict[str, Any]:
        source = {"fileObject": {"@id": "f"}, "extract": {"column": column}}
        return {"@type": "cr:Field", "@id": f"s/{name}", "dataType": type_, "source": source}

    document = {
        "distribution": [{"@type": "cr:FileObject", "@id": "f", "contentUrl": "d.csv"}],
        "recordSet": [
            {"field": [field("id", "sc:Text", "ID"), field("x", "sc:Text", "X"), field("n", "sc:Float", "N")]}
        ],
    }
    files = {"croissant.json": json.dumps(document), "d.csv": "ID,X,N,other\n1,hello,2.5,z\n2,bye,no,z\n"}
    assert schema_of(document)[2] == {"name": "n", "type": "number", "required": False}
    read = FORMATS["croissant"].read_folder
    assert read is not None
    target = Target("croissant", [{"name": "x", "type": "text"}, {"name": "n", "type": "number"}], [])
    found = list(read(_folder(tmp_path, files), target))
    assert found[0] == RawRow(2, {"id": "1", "x": "hello", "n": 2.5})
    assert _problems(found) == [(3, "n", "must be a number, not 'no'")]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (json.dumps(_COCO), "coco"),
        ('{"info": {"a": 1}, "images": [', "coco"),
        ('[{"id": 1, "data": {"t": "x"}, "annotations": []}, {"id"', "label-studio"),
        ('[{"id": 1, "fields": {"t": 1}, "responses": {}}]', "argilla"),
        ('{"source": "x", "job": 0, "job-metadata": {}}\n{}', "sagemaker"),
        ('{"text": "x", "spans": [], "answer": "accept"}', "prodigy"),
        ('{"id": 1, "text": "x", "label": [[0, 1, "A"]]}', "doccano"),
        ("-DOCSTART- -X- O\n", "conll"),
        ('{"external_id": "1", "data": {"a": 1}}', ""),
        ("a,b\n1,2\n", ""),
    ],
)
def test_a_format_is_recognised_by_its_content(content: str, name: str) -> None:
    assert recognise(content.encode()) == name


@pytest.mark.parametrize("name", [name for name, one in FORMATS.items() if one.read_stream is not None])
def test_a_schema_without_a_place_for_it_is_told(name: str) -> None:
    empty = {"fields": [{"name": "n", "type": "number"}], "questions": []}
    content = {"text": "x", "source": "x", "fields": {"y": 1}}
    with_place = name == "argilla"
    if with_place:
        assert isinstance(_read(name, json.dumps(content), empty)[0], Refused)
        return
    with pytest.raises(FormatUnfit):
        _read(name, json.dumps(content), empty)


@pytest.mark.parametrize("name", ["doccano", "prodigy", "argilla", "sagemaker"])
def test_a_file_that_breaks_off_is_told_with_its_line(name: str) -> None:
    asked = _document("text", _SPAN)
    found = _read(name, '{"text": "a", "source": "a", "fields": {"x": "a"}}\n{"text"', asked)
    assert isinstance(found[-1], Unread)
    assert found[-1].line == 2
