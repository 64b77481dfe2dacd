from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.cycle.datasets import Field, Question, Schema
from handrail.cycle.datasets.model import BadRow, FileUnreadable
from handrail.cycle.datasets.reading import RawRow
from handrail.cycle.datasets.rows import Read, of_csv, of_json

SCHEMA = Schema(
    fields=(
        Field(name="area", type="number"),
        Field(name="note", type="text", required=False),
        Field(name="seen", type="time", required=False),
        Field(name="urgent", type="boolean", required=False),
    ),
    questions=(Question(name="diagnosis", type="choice", choices=("benign", "malignant")),),
)
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def _good(read: Read | list[BadRow]) -> Read:
    assert isinstance(read, Read), read
    return read


def test_a_row_of_csv_becomes_an_item_with_its_labels() -> None:
    header = ["external_id", "area", "note", "seen", "urgent", "diagnosis", "subject", "observed_at", "group.sex"]
    cells = ["c1", " 1e2 ", "", "2026-01-01T00:00:00Z", "TRUE", "benign", "p1", "2026-01-01T00:00:00Z", "f"]
    read = _good(of_csv(SCHEMA, header)(RawRow(2, cells)))
    assert read.item.data == {"area": 100.0, "seen": "2026-01-01T00:00:00.000000Z", "urgent": True}
    assert (read.item.external_id, read.item.subject, read.item.group) == ("c1", "p1", {"sex": "f"})
    assert read.item.observed_at == MOMENT
    assert read.labels == (("diagnosis", "benign"),)


@pytest.mark.parametrize(
    ("cells", "field", "reason"),
    [
        (["c1", "1"], "", "has 2 cells where the header has 4"),
        (["", "1", "", ""], "external_id", "is missing"),
        (["c1", "", "", ""], "area", "is missing"),
        (["c1", "NaN", "", ""], "area", "is NaN; leave it empty when it is missing"),
        (["c1", "1_000", "", ""], "area", "must be a number, not '1_000'"),
        (["c1", "1e999", "", ""], "area", "is infinite"),
        (["c1", "１２", "", ""], "area", "must be a number"),
        (["c1", "1", "caf\udce9", ""], "note", "holds bytes that are not UTF-8"),
        (["c\udce9", "1", "", ""], "external_id", "holds bytes that are not UTF-8"),
        (["c1", "1", "a\x00", ""], "note", "holds the character NUL"),
        (["c1", "1", "", "purple"], "diagnosis", "is 'purple', which is none of"),
    ],
)
def test_a_bad_row_of_csv_is_told_with_line_field_and_reason(cells: list[str], field: str, reason: str) -> None:
    bad = of_csv(SCHEMA, ["external_id", "area", "note", "diagnosis"])(RawRow(7, cells))
    assert isinstance(bad, list)
    assert [(one.line, one.field) for one in bad] == [(7, field)]
    assert reason in bad[0].reason


@pytest.mark.parametrize(
    ("header", "field", "reason"),
    [
        (["area"], "external_id", "is missing"),
        (["id", "note"], "area", "is missing"),
        (["id", "area", "area"], "area", "stands twice"),
        (["id", "area", "colour"], "colour", "is neither a field nor a question"),
        (["id", "external_id", "area"], "id", "stands beside external_id"),
        (["id", "area", ""], "column 3", "has no name"),
        (["id", "area", "group."], "group.", "is neither"),
        (["id", "area", "x\udce9"], "column 3", "has no name"),
        (["id", "area", "diagnosis.purpose"], "diagnosis.purpose", "is neither"),
    ],
)
def test_columns_that_do_not_fit_are_refused_before_any_row(header: list[str], field: str, reason: str) -> None:
    with pytest.raises(FileUnreadable) as caught:
        of_csv(SCHEMA, header)
    found = {one["field"]: one["reason"] for one in caught.value.facts["problems"]}
    assert reason in found[field]


def test_json_rows_may_be_flat_or_nested() -> None:
    flat: dict[str, Any] = {"id": 7, "area": 1, "note": None, "diagnosis": "benign", "group.sex": "f"}
    nested = {"external_id": "7", "data": {"area": 1}, "labels": {"diagnosis": "benign"}, "group": {"sex": "f"}}
    read = of_json(SCHEMA)
    assert _good(read(RawRow(1, flat))) == _good(read(RawRow(1, nested)))


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        ({"area": 1}, "external_id", "is missing"),
        ({"id": "a", "external_id": "b", "area": 1}, "external_id", "stands beside another name"),
        ({"id": True, "area": 1}, "external_id", "must be a text"),
        ({"id": "a", "area": float("nan")}, "area", "is NaN"),
        ({"id": "a", "area": "1"}, "area", "must be a number, not a text"),
        ({"id": "a", "area": 1, "colour": 2}, "colour", "is neither a field nor a question"),
        ({"id": "a", "area": 1, "\ud800\n": 2}, "��", "is neither a field nor a question"),
        ({"id": "a", "data": [1]}, "data", "must be an object, not a list"),
        ({"id": "a", "area": 1, "data": {"area": 1}}, "area", "stands twice"),
        ({"id": "a", "area": 1, "data": {"colour": 1}}, "colour", "is not a field"),
        ({"id": "a", "area": 1, "labels": {"colour": 1}}, "colour", "is not a question"),
        ({"id": "a", "area": 1, "group": {"age": 5}}, "group.age", "must be a text"),
        ({"id": "a", "area": 1, "observed_at": "soon"}, "observed_at", "is not a time"),
        ({"id": "a", "area": 1, "subject": {}}, "subject", "must be a text"),
    ],
)
def test_a_bad_json_row_is_told_with_field_and_reason(row: dict[str, Any], field: str, reason: str) -> None:
    bad = of_json(SCHEMA)(RawRow(3, row))
    assert isinstance(bad, list)
    found = {one.field: one.reason for one in bad}
    assert reason in found[field]
    assert all(one.line == 3 for one in bad)
