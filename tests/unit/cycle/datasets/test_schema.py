from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest

from handrail.cycle.datasets import Field, Question, Schema
from handrail.cycle.datasets.schema import AnswerInvalid, ItemInvalid, QuestionUnknown, SchemaInvalid
from handrail.cycle.datasets.values import MAX_TEXT

CHOICE = Question(name="diagnosis", type="choice", choices=("benign", "malignant"))
SCHEMA = Schema(
    fields=(
        Field(name="mean area", type="number", title="Mean area", unit="µm²", low=200, high=700, min=0, max=5000),
        Field(name="note", type="text", required=False),
        Field(name="ward", type="category", values=("north", "south"), required=False),
        Field(name="free", type="category", required=False),
        Field(name="seen", type="time", required=False),
        Field(name="urgent", type="boolean", required=False),
    ),
    questions=(CHOICE, Question(name="grade", type="number", min=1, max=3), Question(name="why", type="text")),
)


def _reasons(kind: type[Exception], *fields: Any, questions: tuple[Any, ...] = (CHOICE,)) -> str:
    with pytest.raises(kind) as caught:
        Schema(fields, questions)
    return "; ".join(f"{one['field']} {one['reason']}" for one in caught.value.facts["problems"])  # type: ignore[attr-defined]


def test_a_schema_goes_through_json_and_keeps_its_digest() -> None:
    again = Schema.from_dict(SCHEMA.to_dict())
    assert again == SCHEMA
    assert again.digest == SCHEMA.digest
    assert SCHEMA.to_dict()["fields"][1] == {"name": "note", "type": "text", "required": False}
    other = Schema(SCHEMA.fields, (*SCHEMA.questions, Question(name="x", type="text")))
    assert other.digest != SCHEMA.digest


def test_good_data_are_kept_in_the_order_of_the_fields() -> None:
    data = {"urgent": False, "seen": "2026-02-01T10:00:00+02:00", "mean area": 12, "ward": None, "note": ""}
    assert SCHEMA.check(data) == {
        "mean area": 12.0,
        "note": "",
        "seen": "2026-02-01T08:00:00.000000Z",
        "urgent": False,
    }
    assert list(SCHEMA.check(data)) == ["mean area", "note", "seen", "urgent"]
    assert SCHEMA.check({"mean area": np.float32(1.5)}) == {"mean area": 1.5}


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("mean area", None, "is missing"),
        ("mean area", float("nan"), "is NaN"),
        ("mean area", float("-inf"), "is infinite"),
        ("mean area", 10**400, "is too large"),
        ("mean area", 2**53 + 1, "too large to be kept exactly"),
        ("mean area", -1, "is below 0"),
        ("mean area", 5001, "is above 5000"),
        ("mean area", "12", "must be a number, not a text"),
        ("mean area", True, "must be a number, not true or false"),
        ("mean area", [1], "must be a number, not a list"),
        ("note", 5, "must be a text, not a number"),
        ("note", "a\x00b", "NUL"),
        ("note", "\ud800", "half of a character"),
        ("note", "x" * (MAX_TEXT + 1), "longer than"),
        ("ward", "east", "is 'east', which is none of: north, south"),
        ("free", "", "is empty"),
        ("free", "x" * 257, "longer than"),
        ("seen", "yesterday", "is not a time"),
        ("seen", "2026-02-01", "has no time zone"),
        ("seen", 17, "must be a time, not a number"),
        ("seen", "0001-01-01T00:00:00+14:00", "out of range"),
        ("urgent", "true", "must be true or false, not a text"),
        ("urgent", 1, "must be true or false"),
        ("colour", 1, "is not a field of the schema"),
    ],
)
def test_bad_data_are_refused_with_field_and_reason(field: str, value: Any, reason: str) -> None:
    with pytest.raises(ItemInvalid) as caught:
        SCHEMA.check({"mean area": 1.0, field: value})
    (problem,) = caught.value.facts["problems"]
    assert problem["field"] == field
    assert reason in problem["reason"]
    assert f"{field} {problem['reason']}" in caught.value.sentence


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(ItemInvalid) as caught:
        SCHEMA.check({"ward": "east", "colour": 1, "urgent": "no"})
    assert [one["field"] for one in caught.value.facts["problems"]] == ["mean area", "ward", "urgent", "colour"]


def test_times_are_kept_in_utc() -> None:
    moment = datetime(2026, 1, 1, 1, 2, 3, 4, tzinfo=timezone(timedelta(hours=1)))
    assert SCHEMA.check({"mean area": 1, "seen": moment})["seen"] == "2026-01-01T00:02:03.000004Z"
    assert SCHEMA.check({"mean area": 1, "seen": moment.astimezone(UTC)})["seen"] == "2026-01-01T00:02:03.000004Z"


@pytest.mark.parametrize("type_", ["picture", "Box", "", None])
def test_a_type_that_is_none_is_refused_by_name(type_: Any) -> None:
    said = _reasons(SchemaInvalid, Field(name="scan", type=type_))
    assert said.startswith(f"scan has the type {str(type_)!r}, which is not supported; use number, text, category")
    said = _reasons(
        SchemaInvalid, Field(name="a", type="number"), questions=(Question(name="spans", type=type_), CHOICE)
    )
    assert "spans has the type" in said
    assert "use choice, number, text" in said


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        (Field(name="", type="text"), "must have a name"),
        (Field(name=" a", type="text"), "must have a name"),
        (Field(name="a\nb", type="text"), "must have a name"),
        (Field(name="x" * 129, type="text"), "longer than 128"),
        (Field(name="external_id", type="text"), "word of Handrail's own"),
        (Field(name="group.sex", type="text"), "word of Handrail's own"),
        (Field(name="diagnosis", type="text"), "stands twice"),
        (Field(name="diagnosis.purpose", type="text"), "stands twice"),
        (Field(name="a", type="number", min=2, max=1), "has a min above its max"),
        (Field(name="a", type="number", low=2, high=1), "has a low above its high"),
        (Field(name="a", type="number", min=float("nan")), "that is not a number"),
        (Field(name="a", type="text", max=1), "only a number can have"),
        (Field(name="a", type="category", values=("x", "x")), "stand twice"),
        (Field(name="a", type="category", values=("x", "")), "not a list of texts"),
        (Field(name="a", type="text", values=("x",)), "only a category can have"),
        (Field(name="a", type="text", required="yes"), "must say required"),  # type: ignore[arg-type]
        (Field(name="a", type="text", title=7), "has a title"),  # type: ignore[arg-type]
    ],
)
def test_a_broken_field_is_refused(field: Field, reason: str) -> None:
    assert reason in _reasons(SchemaInvalid, field)


def test_a_schema_needs_fields_questions_and_choices() -> None:
    with pytest.raises(SchemaInvalid, match="at least one field"):
        Schema((), (CHOICE,))
    with pytest.raises(SchemaInvalid, match="at least one question"):
        Schema((Field(name="a", type="text"),), ())
    with pytest.raises(SchemaInvalid, match="at least two choices"):
        Schema((Field(name="a", type="text"),), (Question(name="b", type="choice", choices=("x",)),))


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], "is an object"),
        ({}, "fields must be a list"),
        ({"fields": [], "questions": [], "colour": 1}, "colour is not a part"),
        ({"fields": [7], "questions": []}, "fields[0] must be an object"),
        ({"fields": [{"name": "a"}], "questions": []}, "fields[0].type is missing"),
        ({"fields": [{"name": "a", "type": "text", "size": 1}], "questions": []}, "fields[0].size is not known"),
        ({"fields": [{"name": ["a"], "type": "text"}], "questions": []}, "must have a name"),
        ({"fields": [{"name": "a", "type": ["text"]}], "questions": []}, "not supported"),
        ({"fields": [{"name": "a", "type": "category", "values": [[1]]}], "questions": []}, "not a list of texts"),
        ({"fields": [{"name": "a", "type": "category", "values": "ab"}], "questions": []}, "not a list of texts"),
    ],
)
def test_a_broken_document_is_refused(document: Any, reason: str) -> None:
    with pytest.raises(SchemaInvalid) as caught:
        Schema.from_dict(document)
    assert reason in caught.value.sentence


def test_answers_are_checked_by_the_question() -> None:
    assert SCHEMA.question("diagnosis").check("benign") == "benign"
    assert SCHEMA.question("grade").check(2) == 2.0
    assert SCHEMA.question("why").check("because") == "because"
    for name, value in (("diagnosis", "purple"), ("diagnosis", None), ("grade", 4), ("grade", "2"), ("why", 1)):
        with pytest.raises(AnswerInvalid) as caught:
            SCHEMA.question(name).check(value)
        assert caught.value.facts["problems"][0]["field"] == name
    with pytest.raises(QuestionUnknown, match="no question 'colour'"):
        SCHEMA.question("colour")
