"""Files made to harm: each gives a clear error or a report, and never writes half of itself in silence."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from handrail.cycle.datasets import ImportReport
from handrail.cycle.datasets.importing import ImportOptionInvalid
from handrail.cycle.datasets.model import ExportFormatUnknown, FileUnreadable, ImportRefused
from handrail.foundation.clock import FixedClock
from handrail.foundation.storage import Storage
from tests.integration.cycle.datasets.world import ANNA, World, make


@pytest.fixture
def world(storage: Storage, clock: FixedClock, tmp_path: Path) -> World:
    return make(storage, clock, tmp_path / "datasets")


def _take(world: World, content: bytes, **options: Any) -> ImportReport:
    return world.datasets.import_file(ANNA, world.scope, io.BytesIO(content), **options)


def _names(world: World) -> list[str]:
    return [one.external_id for one in world.storage.read(lambda uow: world.datasets.items(uow, world.scope)).items]


def _bad(report: ImportReport) -> list[tuple[int, str]]:
    return [(one.line, one.field) for one in report.bad]


GOOD = b"external_id,area,diagnosis\na,1,benign\nb,2,\nc,3,malignant\n"


def test_a_good_file_is_kept_whole_with_its_labels(world: World) -> None:
    report = _take(world, GOOD, name="/etc/../cases.csv")
    assert report == ImportReport(total=3, kept=3, known=0, bad_rows=0, bad=(), labels=2)
    assert _names(world) == ["a", "b", "c"]
    labels = world.storage.read(lambda uow: world.datasets.labels(uow, world.scope, question="diagnosis"))
    assert [(one.value, one.source, one.purpose, one.actor_id) for one in labels] == [
        ("benign", "import", "train", "p-anna"),
        ("malignant", "import", "train", "p-anna"),
    ]
    rows = world.storage.read(lambda uow: uow.run(text("SELECT verb FROM journal_entry ORDER BY seq")).all())
    assert [row[0] for row in rows] == ["datasets.project_made", "datasets.items_added", "datasets.labels_imported"]


def test_the_same_file_again_is_known_and_writes_nothing(world: World) -> None:
    _take(world, GOOD)
    for on_error in ("refuse", "keep"):
        report = _take(world, GOOD, on_error=on_error)
        assert (report.total, report.kept, report.known, report.labels) == (3, 0, 3, 0)
    assert world.storage.read(lambda uow: uow.run(text("SELECT count(*) FROM label")).scalar()) == 2


MIXED = b"external_id,area,diagnosis\na,1,\nb,NaN,\nc,3,purple\nd,4,\na,5,\nd,4,\ne,6\n"
MIXED_BAD = [(3, "area"), (4, "diagnosis"), (6, "external_id"), (7, "external_id"), (8, "")]


def test_bad_rows_refuse_the_whole_file_or_are_left_out_as_the_caller_chose(world: World) -> None:
    with pytest.raises(ImportRefused) as caught:
        _take(world, MIXED)
    assert _bad(caught.value.report) == MIXED_BAD
    assert (caught.value.report.total, caught.value.report.kept) == (7, 0)
    assert caught.value.facts["bad"][0] == {
        "line": 3, "field": "area", "reason": "is NaN; leave it empty when it is missing",
    }  # fmt: skip
    assert _names(world) == []
    report = _take(world, MIXED, on_error="keep")
    assert _bad(report) == MIXED_BAD
    assert (report.total, report.kept, report.known, report.bad_rows) == (7, 2, 0, 5)
    assert _names(world) == ["a", "d"]


def test_a_known_item_with_other_content_is_a_bad_row(world: World) -> None:
    world.put(1.0)
    content = b"external_id,area\nnew,1\ncase-1,1\ncase-1x,1\n"
    assert _take(world, content).known == 1
    other = b"external_id,area,note\nnewer,1,\ncase-1,2,\nnew,1,more\n"
    with pytest.raises(ImportRefused) as caught:
        _take(world, other)
    assert _bad(caught.value.report) == [(3, "external_id"), (4, "external_id")]
    assert (caught.value.report.kept, caught.value.report.known) == (0, 0)
    assert "newer" not in _names(world)
    assert _take(world, other, on_error="keep").kept == 1


def test_a_label_of_a_file_never_overrules_a_person(world: World) -> None:
    (one,) = world.put(1.0)
    world.label(one.id, "malignant")
    content = b"external_id,area,diagnosis,remark\ncase-1,1,benign,odd\n"
    with pytest.raises(ImportRefused, match="another value"):
        _take(world, content)
    kept = _take(world, content, on_error="keep")
    assert (kept.bad_rows, kept.labels) == (1, 0)
    assert (
        world.storage.read(lambda uow: world.datasets.label(uow, world.scope, one.id, "diagnosis")).value == "malignant"
    )
    assert _take(world, content.replace(b"benign", b"malignant")).labels == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b" \n\n", "is empty"),
        (b"external_id,area\n", "has no rows"),
        (b"external_id,area\r\n\r\n", "has no rows"),
        (b"[]", "has no rows"),
        ("external_id,area\na,1\n".encode("utf-16"), "UTF-16"),
        (b"name,area\na,1\n", "do not fit the schema"),
        (b"external_id,area,colour\na,1,red\n", "colour is neither"),
        (b'external_id,"area\na,1\n', "The first line"),
        (b"x" * (3 << 20), "The first line"),
        (b"external_id\rarea\ra\r1", "The first line"),
    ],
)
@pytest.mark.parametrize("on_error", ["refuse", "keep"])
def test_a_file_without_rows_says_so(world: World, content: bytes, reason: str, on_error: str) -> None:
    with pytest.raises(FileUnreadable, match=reason):
        _take(world, content, on_error=on_error)
    assert _names(world) == []


def test_bom_crlf_semicolons_and_quotes_are_fine(world: World) -> None:
    content = b'\xef\xbb\xbf"external_id";area;note\r\n"a;b";1;"two\r\nlines"\r\n\r\nc;2;"say ""no"""\r\n'
    assert _take(world, content).kept == 2
    assert _names(world) == ["a;b", "c"]


def test_broken_utf8_names_its_line_and_field(world: World) -> None:
    report = _take(world, b"external_id,area,note\na,1,ok\nb,2,caf\xe9\nc,3,ok\n", on_error="keep")
    assert _bad(report) == [(3, "note")]
    assert report.bad[0].reason == "holds bytes that are not UTF-8"
    report = _take(
        world, b'{"id":"d","area":1}\n{"id":"e","note":"caf\xe9","area":1}\n{"id":"f","area":1}', on_error="keep"
    )
    assert (_bad(report), report.kept) == ([(2, "")], 2)
    assert _names(world) == ["a", "c", "d", "f"]


def test_a_line_of_100_mb_is_told_and_not_held(world: World) -> None:
    class Long(io.RawIOBase):
        """Gives `a`, a line of 100 MB, then `c`, without ever holding it."""

        def __init__(self) -> None:
            self.parts = iter([b"external_id,area\na,1\nb,", *[b"9" * (1 << 16)] * 1600, b"\nc,3\n"])

        def read(self, size: int = -1) -> bytes:
            return next(self.parts, b"")

    tracemalloc.start()
    report = world.datasets.import_file(ANNA, world.scope, Long(), on_error="keep")  # type: ignore[arg-type]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (_bad(report), report.kept) == ([(3, "")], 2)
    assert "longer than 1 MiB" in report.bad[0].reason
    assert peak < 20 << 20


def test_what_stands_behind_an_open_quote_is_told_as_unread(world: World) -> None:
    content = b'external_id,area,note\na,1,\nb,2,"open\nc,3,\nd,4,\n'
    with pytest.raises(ImportRefused):
        _take(world, content)
    report = _take(world, content, on_error="keep")
    assert (report.kept, report.complete, _bad(report)) == (1, False, [(3, "")])
    assert "from here on the file was not read" in report.bad[0].reason
    report = _take(world, b'[{"id":"x","area":1},\n{"id":"y","area"', on_error="keep")
    assert (report.kept, report.complete, _bad(report)) == (1, False, [(2, "")])


@pytest.mark.parametrize(
    "row",
    [
        {"id": "x", "area": 1, "__proto__": {"admin": True}},
        {"id": "x", "area": 1, "project_id": "other"},
        {"id": "x", "area": {"$gt": 0}},
        {"id": "x'; DROP TABLE item; --" * 20, "area": 1},
        {"id": "x", "area": 1, "digest": "0" * 64},
        {"id": ["x"], "area": 1},
        {"id": "\x00", "area": 1},
        {"id": "\ud800", "area": 1},
        {"id": "x", "area": 1, "group": {"g" * 300: "1"}},
        {"id": "x", "area": 1, "note": "y" * 600_000},
        {"id": "x", "area": 1, "group": {str(n): "1" for n in range(101)}},
        {"id": "x", "area": 1, "labels": {"diagnosis": ["benign"]}},
    ],
)
def test_a_hostile_row_is_refused_and_its_neighbours_kept(world: World, row: dict[str, Any]) -> None:
    rows = [{"id": "before", "area": 1}, row, {"id": "after", "area": 1}]
    report = _take(world, json.dumps(rows).encode(), on_error="keep")
    assert (report.kept, report.bad_rows) == (2, 1)
    assert all(one.field.isprintable() and one.reason for one in report.bad)
    json.dumps([[one.field, one.reason] for one in report.bad], ensure_ascii=False).encode()
    assert _names(world) == ["before", "after"]


def test_sql_in_names_is_only_a_name(world: World) -> None:
    name = "x'; DROP TABLE item; --"
    assert _take(world, json.dumps([{"id": name, "area": 1, "note": '"; DELETE'}]).encode()).kept == 1
    assert _names(world) == [name]


def test_double_rows_on_one_line_are_told_apart(world: World) -> None:
    report = _take(world, b'[{"id":"a","area":1},{"id":"a","area":1},{"id":"b","area":1}]', on_error="keep")
    assert (report.kept, report.bad_rows, report.bad[0].reason) == (2, 1, "stands in line 1 already")


@pytest.mark.parametrize("options", [{"format": "xml"}, {"on_error": "ignore"}, {"purpose": "certify"}])
def test_an_unknown_option_is_refused(world: World, options: dict[str, str]) -> None:
    with pytest.raises(ImportOptionInvalid):
        _take(world, GOOD, **options)
    with pytest.raises(ExportFormatUnknown):
        world.datasets.export_items(world.scope, format="xlsx")


@pytest.mark.parametrize("place", ["missing.csv", "", "folder", "a\x00b"])
def test_a_file_that_cannot_be_opened_says_why(world: World, tmp_path: Path, place: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileUnreadable, match="cannot be opened"):
        world.datasets.import_file(ANNA, world.scope, f"{tmp_path}/{place}")


def test_an_export_comes_back_through_an_import(world: World) -> None:
    rows = [
        {
            "external_id": "=cmd|'/C calc'!A0",
            "data": {"area": -1.5 + 2, "note": "@SUM(1)\n", "urgent": True, "seen": "2026-01-01T00:00:00Z"},
            "subject": "p", "group": {"sex": "f"}, "observed_at": "2026-02-01T00:00:00Z",
            "labels": {"diagnosis": "benign"},
        },
        {"external_id": "plain", "data": {"area": 1}, "labels": {"grade": 2, "remark": "-odd"}},
    ]  # fmt: skip
    _take(world, json.dumps(rows).encode())
    exported = b"".join(world.datasets.export_items(world.scope, format="jsonl"))
    other = make(world.storage, world.clock, world.folder, name="other")
    assert _take(other, exported).labels == 3
    assert b"".join(other.datasets.export_items(other.scope, format="jsonl")) == exported
    table = b"".join(world.datasets.export_items(world.scope)).decode()
    assert table.splitlines()[0] == (
        "external_id,subject,observed_at,group.sex,area,note,ward,seen,urgent,diagnosis,grade,remark"
    )
    assert "'=cmd|" in table
    assert "\"'@SUM(1)" in table
    assert "'-odd" in table
    third = make(world.storage, world.clock, world.folder, name="third")
    assert _take(third, table.encode()).kept == 2


def test_a_large_file_needs_little_memory(world: World, tmp_path: Path) -> None:
    place = tmp_path / "large.jsonl"
    with place.open("w") as out:
        for number in range(20_000):
            out.write(json.dumps({"id": f"n{number}", "area": number, "note": "x" * 500}) + "\n")
    tracemalloc.start()
    report = world.datasets.import_file(ANNA, world.scope, place)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert report.kept == 20_000
    assert peak < 16 << 20 < place.stat().st_size * 2


def _killed_at(world: World, batch: int) -> Callable[..., Any]:
    from handrail.cycle.datasets.importing import Imports

    put = Imports.put_batch
    seen = [0]

    def failing(self: Imports, *given: Any) -> Any:
        seen[0] += 1
        if seen[0] == batch:
            raise KeyError("the process dies here")
        return put(self, *given)

    return failing


@pytest.mark.parametrize("on_error", ["refuse", "keep"])
def test_an_import_that_dies_halfway_leaves_whole_batches_or_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, on_error: str
) -> None:
    content = b"external_id,area\n" + b"".join(b"n%d,1\n" % number for number in range(2_500))
    with monkeypatch.context() as patch:
        patch.setattr("handrail.cycle.datasets.importing.Imports.put_batch", _killed_at(world, 3))
        with pytest.raises(KeyError):
            _take(world, content, on_error=on_error)
    counts = world.storage.read(lambda uow: world.datasets.counts(uow, world.scope))
    assert counts.items == (2_000 if on_error == "keep" else 0)
    report = _take(world, content, on_error=on_error)
    assert (report.kept, report.known) == ((500, 2_000) if on_error == "keep" else (2_500, 0))
