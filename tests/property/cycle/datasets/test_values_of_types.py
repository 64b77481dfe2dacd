"""Random answers of every type: the valid ones come back as they went in, the others are refused, nothing crashes."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from handrail.cycle.datasets import rows, snapshots, writing
from handrail.cycle.datasets.model import Item
from handrail.cycle.datasets.reading import records
from handrail.cycle.datasets.schema import Schema
from handrail.cycle.datasets.values import parse
from handrail.foundation.canonical import encode
from tests.unit.cycle.datasets.test_values_of_types import SCHEMA

_NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=8)
_PERCENT = st.floats(0, 100, allow_subnormal=False)
_LABELS = {one.name: one.labels for one in SCHEMA.questions}


def _some(names: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(names), unique=True) if names else st.just([])


@st.composite
def _box(draw: st.DrawFn) -> dict[str, Any]:
    x, y = draw(st.floats(0, 90)), draw(st.floats(0, 90))
    width, height = draw(st.floats(0.01, 100 - x)), draw(st.floats(0.01, 100 - y))
    labels = draw(_some(("spot", "scar")))
    answers: dict[str, Any] = {"sure": draw(st.integers(1, 3))}
    if "scar" in labels and draw(st.booleans()):
        answers["age"] = draw(st.floats(0, 1e6))
    return {"x": x, "y": y, "width": width, "height": height, "labels": labels, "answers": answers}


@st.composite
def _span(draw: st.DrawFn) -> dict[str, Any]:
    start = draw(st.integers(0, 1000))
    return {"start": start, "end": draw(st.integers(start + 1, 2000)), "labels": draw(_some(_LABELS["names"]))}


def _regions(shape: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    regions = st.lists(st.tuples(_NAMES, shape), max_size=4, unique_by=lambda one: one[0])
    return regions.map(lambda found: [{"id": name, "labels": [], **one} for name, one in found])


_POINT = st.tuples(_PERCENT, _PERCENT).map(list)
_TREE = st.sampled_from([["A"], ["A", "B"], ["A", "C"], ["D"]])
VALID: dict[str, st.SearchStrategy[Any]] = {
    "tags": _some(("a", "b", "c")).map(sorted),
    "place": st.lists(_TREE, unique_by=tuple),
    "day": st.dates().map(str),
    "stars": st.integers(1, 5),
    "better": st.one_of(
        st.sampled_from(["tie", "both_bad"]).map(lambda one: {"choice": one, "strength": None}),
        st.builds(
            lambda side, by: {"choice": side, "strength": by},
            st.sampled_from(["left", "right"]),
            st.none() | st.integers(1, 3),
        ),
    ),
    "fixed": st.fixed_dictionaries({"text": st.text(st.characters(codec="utf-8", exclude_characters="\x00"))}),
    "names": _regions(_span()),
    "spots": _regions(_box()),
    "shape": _regions(st.fixed_dictionaries({"points": st.lists(_POINT, min_size=3, max_size=6)})),
    "point": _regions(st.fixed_dictionaries({"x": _PERCENT, "y": _PERCENT})),
    "order": st.permutations(["x", "y", "z"]).map(lambda found: [[one] for one in found]),
}
_ANSWERS = st.sampled_from(sorted(VALID)).flatmap(lambda name: st.tuples(st.just(name), VALID[name]))
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["id", "x", "y", "start", "end", "labels", "points", "from", "to"]), inner)
    ),
    max_leaves=12,
)


@given(_ANSWERS)
def test_a_valid_answer_is_kept_as_it_is_and_survives_json_parquet_and_a_cell(answer: tuple[str, Any]) -> None:
    name, value = answer
    question = SCHEMA.question(name)
    kept = question.check(value)
    assert kept == value
    assert question.check(json.loads(encode(kept))) == kept
    sink = io.BytesIO()
    pq.write_table(pa.table({"a": pa.chunked_array([pa.array([encode(kept)]).dictionary_encode()])}), sink)
    column = snapshots.typed(question, pq.read_table(sink, read_dictionary=["a"]).column("a"))
    (back,) = column.to_pylist()
    assert (json.loads(back) if question.is_structured else back) == kept
    cell = kept if isinstance(kept, str) else encode(kept)
    assert question.check(parse(cell, question.type)[0]) == kept


@given(st.sampled_from([one.name for one in SCHEMA.questions]), _JSON)
def test_nothing_crashes_and_what_is_taken_is_taken_again(name: str, value: Any) -> None:
    kept, problems = SCHEMA.question(name).read(value)
    if problems:
        assert kept is None
        assert all(one.field.startswith(name) and one.reason for one in problems)
    else:
        assert SCHEMA.question(name).read(json.loads(encode(kept))) == (kept, [])


_MORE = Schema.from_dict(
    {
        "fields": [{"name": "more", "type": "json", "required": False}, {"name": "steps", "type": "trace"}],
        "questions": [{"name": "tags", "type": "multi_choice", "choices": ["a", "b"]}],
    }
)
_CLEAN = st.recursive(
    st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6),
    lambda inner: st.lists(inner | st.none(), max_size=4) | st.dictionaries(_NAMES, inner | st.none(), max_size=4),
    max_leaves=10,
)


@given(
    _CLEAN, st.lists(_CLEAN, max_size=3), st.sampled_from([[], ["a"], ["a", "b"]]), st.sampled_from(["csv", "jsonl"])
)
def test_json_fields_survive_a_file_and_back(more: Any, steps: Any, tags: Any, format_: Any) -> None:
    item = Item("i", 1, "one", "d", {"more": more, "steps": steps}, None, {}, None, datetime(2026, 1, 1, tzinfo=UTC))
    if format_ == "jsonl":
        lines = list(writing.json_lines([writing.nested(item, {"tags": tags})]))
        interpret = rows.of_json(_MORE)
        (row,) = records(lines, "jsonl")
    else:
        flat = writing.in_cells(_MORE, writing.flat(item, {"tags": tags}))
        columns = writing.columns_of(_MORE, [])
        header, row = records(list(writing.csv_lines(columns, [flat])), "csv")
        interpret = rows.of_csv(_MORE, header.content)  # type: ignore[union-attr]
    read = interpret(row)  # type: ignore[arg-type]
    assert isinstance(read, rows.Read), read
    assert encode(read.item.data) == encode(item.data)
    assert read.labels == (("tags", tags),)
