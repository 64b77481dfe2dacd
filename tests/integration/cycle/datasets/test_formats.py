"""Files of other tools through a project and out again, on both databases."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from handrail.cycle.datasets import Field, Question, Schema
from handrail.cycle.datasets.formats.target import FormatUnfit, Unsaid
from handrail.cycle.datasets.model import ExportFormatUnknown, FileUnreadable, ImportRefused
from handrail.foundation.archives import ArchiveRefused
from tests.integration.cycle.datasets.world import ANNA, World, make

_SCHEMA = Schema(
    fields=(Field(name="text", type="text"), Field(name="size", type="number", required=False)),
    questions=(
        Question(name="topic", type="choice", choices=("bill", "praise")),
        Question(name="note", type="text"),
    ),
)
_CONFIG = """<View><Text name="t" value="$text"/><Header value="$size"/>
<Choices name="topic" toName="t"><Choice value="bill" hotkey="b"/><Choice value="praise"/></Choices>
<TextArea name="note" toName="t"/></View>"""


@pytest.fixture
def mails(world: World) -> World:
    return make(world.storage, world.clock, world.folder, "mails", _SCHEMA)


def _choice(name: str, value: str) -> dict[str, Any]:
    return {"id": "r", "from_name": name, "to_name": "t", "type": "choices", "value": {"choices": [value]}}


def _task(number: int, *said: str, **more: Any) -> dict[str, Any]:
    annotations = [
        {"id": 100 * number + at, "completed_by": at, "lead_time": 2.5, "result": [_choice("topic", one)]}
        for at, one in enumerate(said)
    ]
    return {"id": number, "data": {"text": f"mail {number}", "beside": [number]}, "annotations": annotations} | more


_TASKS = [
    _task(1, "bill", predictions=[{"model_version": "m1", "score": 0.5, "result": [_choice("topic", "praise")]}]),
    _task(2, "bill", "praise", meta={"source": "x"}),
    _task(3, drafts=[{"id": 5}], inner_id=3),
]


def _import(world: World, content: Any, **options: Any) -> Any:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return world.datasets.import_file(ANNA, world.scope, io.BytesIO(raw), **options)


def _export(world: World, format_: str) -> bytes:
    return b"".join(world.datasets.export_items(world.scope, format=format_))


def _set_config(world: World, text: str = _CONFIG) -> Any:
    return world.storage.write(lambda uow: world.datasets.put_label_config(uow, ANNA, world.scope, text))


def test_a_project_of_label_studio_comes_in_is_worked_on_and_goes_out_without_loss(mails: World) -> None:
    _set_config(mails)
    report = _import(mails, _TASKS)
    assert (report.kept, report.labels, report.answers, report.bad_rows) == (3, 1, 4, 0)
    assert json.loads(_export(mails, "label-studio")) == _TASKS
    item = mails.storage.read(lambda uow: mails.datasets.item_named(uow, mails.scope, "2"))
    assert item is not None
    mails.label(item.id, "praise", question="topic")
    first, second, third = json.loads(_export(mails, "label-studio"))
    assert [first, third] == [_TASKS[0], _TASKS[2]]
    assert second["annotations"][:2] == _TASKS[1]["annotations"]
    assert second["annotations"][2]["result"][0]["value"] == {"choices": ["praise"]}
    assert second["annotations"][2]["ground_truth"] is True


def test_what_each_one_said_is_kept_beside_the_item(mails: World) -> None:
    _set_config(mails)
    _import(mails, _TASKS)
    found = mails.storage.read(lambda uow: mails.datasets.imported_answers(uow, mails.scope, 0, 1 << 40))
    said = [(one.kind, one.who, dict(one.values), one.score) for answers in found.values() for one in answers]
    assert said == [
        ("annotation", "0", {"topic": "bill"}, None),
        ("prediction", "m1", {"topic": "praise"}, 0.5),
        ("annotation", "0", {"topic": "bill"}, None),
        ("annotation", "1", {"topic": "praise"}, None),
    ]


def test_the_same_file_again_changes_nothing(mails: World) -> None:
    _set_config(mails)
    _import(mails, _TASKS)
    before = _export(mails, "label-studio")
    report = _import(mails, _TASKS)
    assert (report.kept, report.known, report.labels) == (0, 3, 0)
    assert _export(mails, "label-studio") == before
    found = mails.storage.read(lambda uow: mails.datasets.imported_answers(uow, mails.scope, 0, 1 << 40))
    assert sum(map(len, found.values())) == 4


@pytest.mark.parametrize(
    ("task", "field"),
    [
        (_task(9, "gone"), "topic"),
        (_task(9, predictions=[{"result": [_choice("topic", "gone")]}]), "topic"),
        (_task(9) | {"data": {"beside": 1}}, "text"),
        (_task(9) | {"annotations": [{"result": [_choice("nothing", "bill")]}]}, "annotations[0].nothing"),
    ],
)
def test_a_task_that_does_not_fit_refuses_the_file_with_its_line(mails: World, task: Any, field: str) -> None:
    _set_config(mails)
    content = ("[" + ",\n".join(map(json.dumps, [*_TASKS, task])) + "]").encode()
    with pytest.raises(ImportRefused) as refused:
        _import(mails, content, format="label-studio")
    (bad, *_) = refused.value.report.bad
    assert (bad.line, bad.field) == (4, field)
    assert _export(mails, "label-studio") == b"[]\n"
    report = _import(mails, content, on_error="keep")
    assert (report.kept, report.bad_rows) == (3, 1)


def test_a_configuration_must_say_what_the_schema_says(mails: World) -> None:
    with pytest.raises(FormatUnfit, match="text is of the type text"):
        _set_config(mails, _CONFIG.replace("<Text", "<Image"))
    with pytest.raises(FormatUnfit, match="nothing is no part of it"):
        _set_config(mails, _CONFIG.replace('name="note"', 'name="nothing"'))
    _set_config(mails)
    text, unsupported = mails.storage.read(lambda uow: mails.datasets.label_config(uow, mails.scope))
    assert 'hotkey="b"' in text
    assert unsupported == []


def test_without_a_configuration_one_is_made_of_the_schema(mails: World) -> None:
    text, _ = mails.storage.read(lambda uow: mails.datasets.label_config(uow, mails.scope))
    assert '<Choices name="topic" toName="text" choice="single"' in text
    report = _import(mails, [_task(1, "bill")])
    assert (report.kept, report.labels) == (1, 1)


def test_the_rows_of_the_schema_stay_what_they_were(mails: World) -> None:
    report = _import(mails, b'{"external_id": "a", "text": "words", "topic": "bill"}\n')
    assert (report.kept, report.labels) == (1, 1)
    assert json.loads(_export(mails, "jsonl")) == {
        "external_id": "a", "data": {"text": "words"}, "labels": {"topic": "bill"},
    }  # fmt: skip


@pytest.mark.parametrize("format_", ["parquet", "huggingface", "croissant", "doccano", "argilla", "label-studio"])
def test_a_file_of_ours_in_any_words_fills_another_project(mails: World, format_: str) -> None:
    rows = [
        {"external_id": f"case {at}", "data": {"text": f"=words {at}", "size": at + 0.5}, "labels": {"topic": "bill"}}
        for at in range(1_203)
    ]
    _import(mails, b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    other = make(mails.storage, mails.clock, mails.folder, "other", _SCHEMA)
    report = _import(other, _export(mails, format_), name=f"x.{format_}")
    assert (report.kept, report.labels, report.bad_rows) == (1_203, 1_203, 0)
    found = [json.loads(line) for line in _export(other, "jsonl").splitlines()]
    if format_ == "doccano":  # it has no room for numbers
        for row in rows:
            del row["data"]["size"]  # type: ignore[attr-defined]
    assert found == rows


def test_what_a_format_cannot_say_is_an_error_and_no_half_file(mails: World) -> None:
    _import(mails, b'{"external_id": "a", "text": "words"}\n')
    with pytest.raises(FormatUnfit, match="no field of the type image"):
        _export(mails, "coco")
    with pytest.raises(FormatUnfit, match="span"):
        _export(mails, "conll")
    with pytest.raises(ExportFormatUnknown):
        _export(mails, "word")
    assert issubclass(Unsaid, FormatUnfit)


def test_archives_that_hold_nothing_known_or_are_broken_are_refused(mails: World, tmp_path: Path) -> None:
    import zipfile

    place = tmp_path / "a.zip"
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("readme.md", "nothing")
    with pytest.raises(FileUnreadable, match="no format that is known"):
        _import(mails, place.read_bytes())
    with pytest.raises(ArchiveRefused):
        _import(mails, b"PK\x03\x04 nothing more")
