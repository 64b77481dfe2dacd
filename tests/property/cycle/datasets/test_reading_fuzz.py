"""Any bytes at all: every row comes out, good or told; only our own errors; however the bytes arrive in pieces."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine

from handrail.cycle.datasets.model import BadRow, FileUnreadable, ImportRefused
from handrail.cycle.datasets.reading import Format, RawRow, Record, Unread, format_of, records
from handrail.cycle.datasets.rows import Read, of_csv, of_json
from handrail.foundation.clock import FixedClock
from handrail.foundation.errors import HandrailError
from handrail.foundation.storage import metadata, open_storage
from tests.integration.cycle.datasets.world import ANNA, SCHEMA, World, make

FORMATS: list[Format] = ["csv", "jsonl", "json"]
words = st.sampled_from(
    [
        b"external_id,area,note\n", b"id", b"area", b"a,1,x\n", b"b,NaN,\n", b'"', b'""', b",", b";", b"\n", b"\r\n",
        b"\r", b"\xef\xbb\xbf", b"\xff", b"\x00", b"\xc3", b"[", b"]", b"{", b"}", b"\\", b":", b"1e999", b"null",
        b'{"id":"a","area":1}', b'{"id":"b","area":NaN}', b'"\\ud800"', b'{"a":1,"a":2}', b" ", b"=1+1",
        "größer".encode(), b"\t",
    ]
)  # fmt: skip
files = st.one_of(st.lists(words, max_size=25).map(b"".join), st.binary(max_size=200))


def _read(content: bytes, format_: Format, size: int) -> list[Record]:
    return list(records((content[at : at + size] for at in range(0, len(content), size)), format_))


def _interpreted(content: bytes, format_: Format) -> Iterator[Read | list[BadRow] | Unread]:
    found = records([content], format_)
    read = of_json(SCHEMA)
    if format_ == "csv":
        header = next(found, None)
        if not isinstance(header, RawRow):
            return
        read = of_csv(SCHEMA, header.content)
    for one in found:
        yield read(one) if isinstance(one, RawRow) else one if isinstance(one, Unread) else [one]


@given(files, st.integers(1, 60))
@pytest.mark.parametrize("format_", FORMATS)
def test_the_pieces_in_which_bytes_arrive_do_not_matter(format_: Format, content: bytes, size: int) -> None:
    assert _read(content, format_, size) == _read(content, format_, len(content) + 1)


@given(files)
@pytest.mark.parametrize("format_", FORMATS)
def test_only_our_own_errors_and_only_what_can_be_printed(format_: Format, content: bytes) -> None:
    try:
        format_of("x", content)
        for one in _interpreted(content, format_):
            if isinstance(one, Unread):
                assert one.line >= 1
                continue
            for bad in one if isinstance(one, list) else []:
                assert bad.line >= 1
                assert bad.reason
                assert bad.field.isprintable()
                f"{bad.field} {bad.reason}".encode()
    except HandrailError as error:
        json.dumps(error.facts, ensure_ascii=False).encode()
        error.sentence.encode()


@given(files)
def test_every_line_of_json_lines_is_one_record(content: bytes) -> None:
    lines = [line for line in content.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.removesuffix(b"\r").strip()]
    assert len(_read(content, "jsonl", 16)) == len(lines)


rows_of_any_kind = st.lists(
    st.sampled_from(
        [
            b"a,1,x",
            b"b,2,",
            b"c,NaN,",
            b"a,3,",
            b"d,1",
            b"e,1,\xff",
            b",1,",
            b"f,-1,",
            b'g,1,"two\nlines"',
            b"h,1,\x00",
            b"c,4,",
        ]
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("home")
    url = f"sqlite:///{folder / 'handrail.db'}"
    storage = open_storage(url)
    engine = create_engine(url)
    metadata.create_all(engine)
    engine.dispose()
    yield make(storage, FixedClock(datetime(2026, 1, 1, tzinfo=UTC)), folder / "datasets")
    storage.close()


_number = iter(range(1_000_000))


def _fresh(world: World) -> World:
    return make(world.storage, world.clock, world.folder, name=f"p{next(_number)}")


def _items(world: World) -> dict[str, Any]:
    page = world.storage.read(lambda uow: world.datasets.items(uow, world.scope, None, 1000))
    return {one.external_id: one.data for one in page.items}


@given(rows_of_any_kind)
def test_nothing_is_lost_and_refuse_and_keep_agree(world: World, lines: list[bytes]) -> None:
    content = b"external_id,area,note\n" + b"".join(line + b"\n" for line in lines)
    keep, refuse = _fresh(world), _fresh(world)
    if not lines:
        with pytest.raises(FileUnreadable):
            keep.datasets.import_file(ANNA, keep.scope, io.BytesIO(content), on_error="keep")
        return
    kept = keep.datasets.import_file(ANNA, keep.scope, io.BytesIO(content), on_error="keep")
    assert kept.total == len(lines) == kept.kept + kept.known + kept.bad_rows
    assert len(_items(keep)) == kept.kept
    assert len({one.line for one in kept.bad}) == kept.bad_rows
    if kept.bad_rows:
        with pytest.raises(ImportRefused) as caught:
            refuse.datasets.import_file(ANNA, refuse.scope, io.BytesIO(content))
        assert caught.value.report.bad == kept.bad
        assert _items(refuse) == {}
    else:
        assert refuse.datasets.import_file(ANNA, refuse.scope, io.BytesIO(content)) == kept
        assert _items(refuse) == _items(keep)


@given(files)
def test_any_bytes_import_or_are_refused_with_our_own_error(world: World, content: bytes) -> None:
    one = _fresh(world)
    try:
        report = one.datasets.import_file(ANNA, one.scope, io.BytesIO(content), on_error="keep")
    except HandrailError:
        assert _items(one) == {}
    else:
        assert report.total == report.kept + report.known + report.bad_rows > 0
        assert len(_items(one)) == report.kept
