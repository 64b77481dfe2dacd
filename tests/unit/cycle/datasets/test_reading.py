from __future__ import annotations

import json

import pytest

from handrail.cycle.datasets.model import BadRow, FileUnreadable
from handrail.cycle.datasets.reading import MAX_LINE, Format, RawRow, Record, Unread, format_of, records


def _read(content: bytes, format_: Format, *, size: int = 7) -> list[Record]:
    return list(records((content[at : at + size] for at in range(0, len(content), size)), format_))


def _rows(found: list[Record]) -> list[tuple[int, object]]:
    return [(one.line, one.content) for one in found if isinstance(one, RawRow)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_csv_rows_have_their_lines(size: int) -> None:
    content = b'\xef\xbb\xbfa,b\r\n1,"two\r\nlines"\r\n\r\n"say ""no""",x,y\n5" pipe,3'
    assert _rows(_read(content, "csv", size=size)) == [
        (1, ["a", "b"]),
        (2, ["1", "two\nlines"]),
        (5, ['say "no"', "x", "y"]),
        (6, ['5" pipe', "3"]),
    ]


@pytest.mark.parametrize(("header", "sign"), [(b"a;b,c;d", ";"), (b"a\tb", "\t"), (b"a|b", "|"), (b'"a;b;c",d', ",")])
def test_the_delimiter_is_the_one_of_the_header(header: bytes, sign: str) -> None:
    (row,) = _rows(_read(header, "csv"))
    assert len(row[1]) == header.decode().replace('"a;b;c"', "q").count(sign) + 1  # type: ignore[arg-type]


def test_a_bad_row_of_csv_leaves_the_next_one_alone() -> None:
    found = _read(b'a,b\n"x"y,2\n3,4\n', "csv")
    assert isinstance(found[1], BadRow)
    assert found[1].line == 2
    assert _rows(found) == [(1, ["a", "b"]), (3, ["3", "4"])]


def test_broken_utf8_stays_in_its_cell_and_rows_after_it_are_found() -> None:
    found = _rows(_read(b'a,b\n1,"caf\xe9\nx"\n3,4\n', "csv"))
    assert found[1] == (2, ["1", "caf\udce9\nx"])
    assert found[2] == (4, ["3", "4"])


def test_a_quote_that_never_closes_stops_the_reading_instead_of_guessing() -> None:
    found = _read(b'a,b\n1,2\n3,"4\n5,6\n7,8\n', "csv")
    assert found[-1] == Unread(3, "opens a quote that never closes")
    assert _rows(found) == [(1, ["a", "b"]), (2, ["1", "2"])]
    long = b'a,b\n1,"' + b"x\n" * MAX_LINE
    found = _read(long, "csv", size=1 << 16)
    assert isinstance(found[-1], Unread)
    assert (found[-1].line, len(found)) == (2, 2)


def test_a_line_of_100_mb_is_skipped_without_being_held() -> None:
    import tracemalloc

    def chunks():  # type: ignore[no-untyped-def]
        yield b"a,b\n1,"
        for _ in range(1600):
            yield b"y" * (1 << 16)
        yield b"\n3,4\n"

    tracemalloc.start()
    found = list(records(chunks(), "csv"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert _rows(found) == [(1, ["a", "b"]), (3, ["3", "4"])]
    assert found[1] == BadRow(2, "", "is longer than 1 MiB")
    assert peak < 8 << 20


def test_a_long_line_with_an_open_quote_stops_the_reading() -> None:
    found = _read(b'a,b\n1,"' + b"y" * (2 * MAX_LINE) + b'\n3,4"\n5,6\n', "csv", size=1 << 16)
    assert isinstance(found[-1], Unread)
    assert found[-1].line == 2


def test_json_lines() -> None:
    content = (
        b'\xef\xbb\xbf{"a":1}\r\n\n[1]\n{"a":}\n{"a":1,"a":2}\n{"b":"caf\xe9"}\n{"c":NaN}\n{"d":' + b"9" * 5000 + b"}\n"
    )
    content += b"[" * 100_000 + b"\n" + b'{"e":"' + b"x" * MAX_LINE + b'"}\n{"f":1}'
    found = _read(content, "jsonl", size=1 << 10)
    assert [one.line for one in found] == [1, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    reasons = {one.line: one.reason for one in found if isinstance(one, BadRow)}
    assert reasons[3] == "is not an object"
    assert reasons[4].startswith("is not JSON")
    assert reasons[5] == "stands twice in the row"
    assert reasons[6].startswith("holds bytes that are not UTF-8")
    assert reasons[8] == "is not JSON: a number is too long"
    assert reasons[9] == "is nested too deeply"
    assert reasons[10] == "is longer than 1 MiB"
    assert [line for line, _ in _rows(found)] == [1, 7, 11]


@pytest.mark.parametrize("size", [1, 2, 5, 64])
def test_a_json_list_is_cut_where_its_elements_end(size: int) -> None:
    rows = [{"a": 'x,]}\\"[{'}, {"b": [1, {"c": [2]}]}, {"d": "größer"}]
    text = " [\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n\n"
    assert _rows(_read(text.encode(), "json", size=size)) == [(2, rows[0]), (3, rows[1]), (4, rows[2])]


@pytest.mark.parametrize(
    ("text", "good", "last"),
    [
        ('[{"a":1}', 0, "has no end"),
        ('[{"a":1},{"b":', 1, "has no end"),
        ('[{"a":1}] x', 1, "stands behind the end"),
        ('x [{"a":1}]', 0, "is not the beginning of a list"),
        ('[{"a":1},,{"b":2}]', 2, ""),
        ('[{"a":1},]', 1, "is missing behind a comma"),
        ('[{"a":1}},{"b":2}]', 1, ""),
        ('[{"a":1]],{"b":2}]', 0, ""),
        ('["x", {"b":2}]', 1, ""),
        ("[]", 0, None),
    ],
)
def test_a_broken_json_list_gives_what_can_be_read_and_says_what_cannot(text: str, good: int, last: str | None) -> None:
    for size in (1, 3, 100):
        found = _read(text.encode(), "json", size=size)
        assert len(_rows(found)) == good
        if last is None:
            assert found == []
        else:
            assert any(not isinstance(one, RawRow) for one in found)
            assert last in getattr(found[-1], "reason", "")


def test_a_long_element_of_a_list_is_skipped() -> None:
    text = b'[{"a":"' + b"x" * (2 * MAX_LINE) + b'"},\n{"b":1}]'
    found = _read(text, "json", size=1 << 16)
    assert found[0] == BadRow(1, "", "is longer than 1 MiB")
    assert _rows(found) == [(2, {"b": 1})]


@pytest.mark.parametrize(
    ("name", "head", "format_"),
    [
        ("a.csv", b"[x", "csv"),
        ("a.TSV", b"a", "csv"),
        ("a.jsonl", b"x", "jsonl"),
        ("a.json", b" \n[{", "json"),
        ("a.json", b'{"a":1}', "jsonl"),
        ("", b'\xef\xbb\xbf{"a"', "jsonl"),
        ("", b"[", "json"),
        ("data", b"a,b", "csv"),
    ],
)
def test_the_format_follows_from_name_and_content(name: str, head: bytes, format_: str) -> None:
    assert format_of(name, head) == format_


@pytest.mark.parametrize("head", [b"", b"\xef\xbb\xbf", b"  \n ", b"\xff\xfea\x00"])
def test_a_file_that_cannot_be_read_says_why(head: bytes) -> None:
    with pytest.raises(FileUnreadable):
        format_of("a.csv", head)
