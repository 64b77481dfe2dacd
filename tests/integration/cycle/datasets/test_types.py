"""Values of every type through a project: in, labelled, in versions, out and in again, on both databases."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from handrail.cycle.datasets import Edit, NewItem
from handrail.cycle.datasets.editing import EditInvalid
from handrail.cycle.datasets.model import ImportRefused
from handrail.cycle.datasets.schema import AnswerInvalid
from tests.integration.cycle.datasets.world import ANNA, World, make
from tests.unit.cycle.datasets.test_values_of_types import GOOD, SCHEMA

DATA: dict[str, Any] = {
    "text": "Anna of Rome",
    "talk": [{"role": "a", "text": "Hi"}, {"role": "b", "text": "Go"}],
    "scan": "https://example.org/a.png",
    "film": "blob:" + "a" * 64,
    "pulse": {"columns": {"t": [1, 2.5], "v": [0, -1]}},
    "steps": [{"tool": "search", "out": None}],
    "more": {"z": [1, True, "x"], "a": 0.1},
}
_SPANS = [{"id": "1", "labels": ["who"], "start": 0, "end": 4}, {"id": "2", "labels": ["where"], "start": 8, "end": 12}]
ANSWERS: dict[str, Any] = {name: kept for name, _, kept in GOOD} | {
    "kind": "other",
    "why": "because",
    "names": _SPANS,
    "of": [{"from": "1", "to": "2", "labels": ["lives in"], "direction": "right"}],
}


@pytest.fixture
def made(world: World) -> World:
    return make(world.storage, world.clock, world.folder, "types", SCHEMA)


def _put(world: World, name: str = "one", data: Any = DATA) -> Any:
    new = NewItem(external_id=name, data=data)
    (item,) = world.storage.write(lambda uow: world.datasets.put_items(uow, ANNA, world.scope, [new]))
    return item


def _labels(world: World, item_id: str) -> dict[str, Any]:
    found = {}
    for one in SCHEMA.item_questions:
        label = world.storage.read(lambda uow, one=one: world.datasets.label(uow, world.scope, item_id, one.name))
        if label is not None:
            found[one.name] = label.value
    return found


def test_every_type_is_kept_committed_checked_out_compared_and_verified(made: World) -> None:
    item = _put(made)
    assert item.data == DATA
    for name, value in ANSWERS.items():
        assert made.label(item.id, value, question=name).value == value
    assert _labels(made, item.id) == ANSWERS
    first = made.datasets.commit(ANNA, made.scope, "first")
    made.label(item.id, [], question="spots")
    second = made.datasets.commit(ANNA, made.scope, "second")
    assert first is not None
    assert second is not None
    made.datasets.verify(made.scope, second.id)
    (change,) = made.datasets.diff(made.scope, first.id, second.id)
    assert (change.question, change.old, change.new) == ("spots", ANSWERS["spots"], [])
    (row,) = made.datasets.checkout(made.scope, first.id).to_pylist()
    assert json.loads(row["spots"]) == ANSWERS["spots"]
    assert (row["stars"], row["day"], row["scan"]) == (4, ANSWERS["day"], DATA["scan"])
    assert json.loads(row["more"]) == DATA["more"]
    (line,) = b"".join(made.datasets.checkout_file(made.scope, first.id, format="jsonl")).splitlines()
    told = json.loads(line)
    assert {name: told[name] for name in (*DATA, *ANSWERS)} == {**DATA, **ANSWERS}
    assert b"".join(made.datasets.checkout_file(made.scope, first.id, format="csv")).count(b"\n") == 2
    assert made.datasets.alike(made.scope, second.id).items == 1
    made.datasets.compact(made.scope, second.id)
    made.datasets.verify(made.scope, second.id)


@pytest.mark.parametrize("format_", ["jsonl", "csv", "parquet"])
def test_what_goes_out_comes_in_as_it_was(made: World, format_: Any) -> None:
    item = _put(made)
    for name, value in ANSWERS.items():
        made.label(item.id, value, question=name)
    content = b"".join(made.datasets.export_items(made.scope, format=format_))
    other = make(made.storage, made.clock, made.folder, "again", SCHEMA)
    report = other.datasets.import_file(ANNA, other.scope, io.BytesIO(content), format=format_)
    assert (report.kept, report.labels, list(report.bad)) == (1, len(ANSWERS), [])
    back = other.storage.read(lambda uow: other.datasets.item_named(uow, other.scope, "one"))
    assert back is not None
    assert back.data == DATA
    assert _labels(other, back.id) == ANSWERS


def test_a_bad_row_tells_line_place_and_reason(made: World) -> None:
    good = {"external_id": "a", "data": {"text": "ab"}, "labels": {"names": [{"id": "1", "start": 0, "end": 2}]}}
    bad = {"external_id": "b", "data": {"text": "ab"}, "labels": {"names": [{"id": "1", "start": 0, "end": 3}]}}
    orphan = {"external_id": "c", "data": {"text": "ab"}, "labels": {"why": "x", "kind": "mail"}}
    lines = "\n".join(json.dumps(one) for one in (good, bad, orphan)).encode()
    with pytest.raises(ImportRefused) as caught:
        made.datasets.import_file(ANNA, made.scope, io.BytesIO(lines), format="jsonl")
    told = [(one["line"], one["field"], one["reason"]) for one in caught.value.facts["bad"]]
    assert told == [
        (2, "names[0].end", "is 3, behind the end of the text of 2 characters"),
        (3, "why", "is asked only where kind is other"),
    ]
    cells = b'external_id,text,tags\r\na,x,"[""a"""\r\n'
    with pytest.raises(ImportRefused) as caught:
        made.datasets.import_file(ANNA, made.scope, io.BytesIO(cells), format="csv")
    assert caught.value.facts["bad"][0]["field"] == "tags"
    assert "is not JSON" in caught.value.facts["bad"][0]["reason"]


def test_a_label_must_fit_its_item_and_the_other_labels(made: World) -> None:
    item = _put(made)
    with pytest.raises(AnswerInvalid, match="behind the end of the text"):
        made.label(item.id, [{"id": "1", "start": 0, "end": 13}], question="names")
    with pytest.raises(AnswerInvalid, match="only where kind is other"):
        made.label(item.id, "x", question="why")
    with pytest.raises(AnswerInvalid, match="no region of names"):
        made.label(item.id, [{"from": "1", "to": "2"}], question="of")
    made.label(item.id, "other", question="kind")
    made.label(item.id, "x", question="why")
    made.label(item.id, _SPANS, question="names")
    made.label(item.id, ANSWERS["of"], question="of")
    made.datasets.commit(ANNA, made.scope, "first")
    made.storage.write(lambda uow: made.datasets.branch(uow, ANNA, made.scope, "trial"))
    with pytest.raises(EditInvalid, match="no region of names"):
        made.datasets.edit(
            ANNA, made.scope, "trial", "less", [Edit("one", "names", []), Edit("one", "of", ANSWERS["of"])]
        )
    with pytest.raises(EditInvalid, match="behind the end"):
        made.datasets.edit(ANNA, made.scope, "trial", "m", [Edit("one", "names", [{"id": "1", "start": 0, "end": 99}])])
