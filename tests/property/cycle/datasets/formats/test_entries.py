from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.cycle.datasets.formats.entries import Stopped, entries, sections


def _pieces(content: bytes, size: int) -> Iterator[bytes]:
    return (content[at : at + size] for at in range(0, len(content), size))


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(_JSON, max_size=5), st.integers(1, 40), st.sampled_from([None, 2]))
def test_a_list_is_read_as_it_is_however_it_is_cut(values: list[object], size: int, indent: int | None) -> None:
    content = json.dumps(values, indent=indent, ensure_ascii=False).encode("utf-8", "surrogatepass")
    try:
        content.decode()
    except UnicodeDecodeError:
        with pytest.raises(Stopped):
            list(entries(_pieces(content, size)))
        return
    assert [one.content for one in entries(_pieces(content, size))] == values


@given(st.dictionaries(st.text(alphabet="abcd", min_size=1), st.lists(st.integers(), max_size=4)), st.integers(1, 9))
def test_the_lists_of_an_object_come_with_their_keys(parts: dict[str, list[int]], size: int) -> None:
    found = [(one.section, one.content) for one in sections(_pieces(json.dumps(parts).encode(), size))]
    assert found == [(key, value) for key, values in parts.items() for value in values]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"[1,\n2", 2), (b"[1\n\n2]", 3), (b'[{"a":\n}]', 2), (b"[NaN]", 1), (b"[1]\nx", 2), (b'{"a":1}\n{"a"', 2),
        (b"[\xff]", 1),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 100])
def test_what_is_no_json_stops_the_reading_at_its_line(content: bytes, line: int, size: int) -> None:
    with pytest.raises(Stopped) as stopped:
        list(entries(_pieces(content, size)))
    assert stopped.value.line == line


def test_lines_are_those_of_the_file() -> None:
    found = [one.line for one in entries([b'[\n{"a":\n 1},\n\n{"a": 2}]'])]
    assert found == [2, 5]
