"""Every type of field and question: what is kept, and where what cannot be kept is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from handrail.cycle.datasets.formats import rle
from handrail.cycle.datasets.schema import AnswerInvalid, ItemInvalid, QuestionOfRegions, Schema, SchemaInvalid
from tests.unit.cycle.datasets.formats.label_studio_samples import DATA, SAMPLES

MASK = rle.to_text(rle.from_polygons([[[2, 1], [7, 1], [7, 4], [2, 4]]], 6, 10))
SCHEMA = Schema.from_dict(
    {
        "fields": [
            {"name": "text", "type": "text"},
            {"name": "talk", "type": "conversation", "required": False},
            {"name": "scan", "type": "image", "required": False},
            {"name": "film", "type": "video", "required": False},
            {"name": "sound", "type": "audio", "required": False},
            {"name": "page", "type": "html", "required": False},
            {"name": "pulse", "type": "time_series", "required": False},
            {"name": "steps", "type": "trace", "required": False},
            {"name": "more", "type": "json", "required": False},
        ],
        "questions": [
            {"name": "kind", "type": "choice", "choices": ["mail", "call", "other"]},
            {"name": "why", "type": "text", "when": {"question": "kind", "is": ["other"]}},
            {"name": "tags", "type": "multi_choice", "choices": ["a", "b", "c"]},
            {"name": "place", "type": "taxonomy", "tree": [{"name": "A", "children": ["B", {"name": "C"}]}, "D"]},
            {"name": "day", "type": "date"},
            {"name": "stars", "type": "rating", "max": 5},
            {"name": "order", "type": "ranking", "choices": ["x", "y", "z"]},
            {"name": "better", "type": "preference"},
            {"name": "fixed", "type": "edit", "about": "text"},
            {"name": "names", "type": "span", "about": "text", "labels": ["who", "where"]},
            {"name": "turns", "type": "span", "about": "talk", "labels": ["rude"]},
            {"name": "spots", "type": "box", "about": "scan", "labels": ["spot", "scar"]},
            {"name": "tracks", "type": "box", "about": "film", "labels": ["car"]},
            {"name": "shape", "type": "polygon", "labels": ["spot"]},
            {"name": "point", "type": "keypoint", "labels": ["tip"]},
            {"name": "area", "type": "mask", "labels": ["spot"]},
            {"name": "beats", "type": "time_region", "about": "pulse", "labels": ["beat"]},
            {"name": "sure", "type": "rating", "max": 3, "per_region": "spots"},
            {
                "name": "age",
                "type": "number",
                "min": 0,
                "per_region": "spots",
                "required": False,
                "when": {"region_label": ["scar"]},
            },
            {"name": "of", "type": "relation", "about": ["names"], "labels": ["lives in"]},
        ],
    }
)


def _box(**more: Any) -> dict[str, Any]:
    box = {"id": "r1", "labels": ["spot"], "x": 1, "y": 2, "width": 3, "height": 4.5, "answers": {"sure": 2}}
    return {key: value for key, value in {**box, **more}.items() if value is not None}


GOOD: list[tuple[str, Any, Any]] = [
    ("tags", ["c", "a"], ["a", "c"]),
    ("tags", [], []),
    ("place", [["A", "B"], ["D"]], [["A", "B"], ["D"]]),
    ("day", "2026-01-31", "2026-01-31"),
    ("day", "2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00.000000Z"),
    ("stars", 4.0, 4),
    ("order", [["y"], ["z", "x"]], [["y"], ["x", "z"]]),
    ("order", [["y"]], [["y"]]),
    ("better", {"choice": "left"}, {"choice": "left", "strength": None}),
    ("better", {"choice": "right", "strength": 3}, {"choice": "right", "strength": 3}),
    ("fixed", {"text": ""}, {"text": ""}),
    ("names", [{"id": "1", "start": 0, "end": 4}], [{"id": "1", "labels": [], "start": 0, "end": 4}]),
    (
        "turns",
        [{"id": "1", "labels": ["rude"], "turn": 1, "start": 0, "end": 2, "score": 1}],
        [{"id": "1", "labels": ["rude"], "turn": 1, "start": 0, "end": 2, "score": 1.0}],
    ),
    ("spots", [_box(rotation=0, size=[10, 20])], [_box(x=1.0, y=2.0, width=3.0, height=4.5, size=[10, 20])]),
    ("spots", [_box(rotation=-30, x=-5)], [_box(x=-5.0, y=2.0, width=3.0, rotation=-30.0)]),
    (
        "spots",
        [_box(labels=["scar"], answers={"sure": 1, "age": 4})],
        [_box(labels=["scar"], answers={"sure": 1, "age": 4.0})],
    ),
    (
        "shape",
        [{"id": "p", "points": [[0, 0], [1, 0], [1, 1]]}],
        [{"id": "p", "labels": [], "points": [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]}],
    ),
    ("point", [{"id": "k", "x": 100, "y": 0}], [{"id": "k", "labels": [], "x": 100.0, "y": 0.0}]),
    ("area", [{"id": "m", "rle": MASK, "size": [6, 10]}], [{"id": "m", "labels": [], "rle": MASK, "size": [6, 10]}]),
    ("beats", [{"id": "t", "start": -1, "end": -1}], [{"id": "t", "labels": [], "start": -1.0, "end": -1.0}]),
    (
        "tracks",
        [
            {
                "id": "v",
                "sequence": [{"frame": 1, "x": -2, "y": 0, "width": 5, "height": 5, "enabled": True, "time": 0.5}],
            }
        ],
        [
            {
                "id": "v",
                "labels": [],
                "sequence": [
                    {"frame": 1, "x": -2.0, "y": 0.0, "width": 5.0, "height": 5.0, "enabled": True, "time": 0.5}
                ],
            }
        ],
    ),
    ("of", [{"from": "1", "to": "2"}], [{"from": "1", "to": "2", "labels": [], "direction": "right"}]),
]


@pytest.mark.parametrize(("question", "value", "kept"), GOOD)
def test_a_good_answer_is_kept_and_kept_again_as_it_is(question: str, value: Any, kept: Any) -> None:
    assert SCHEMA.question(question).check(value) == kept
    assert repr(SCHEMA.question(question).check(kept)) == repr(SCHEMA.question(question).check(value))


BAD: list[tuple[str, Any, str, str]] = [
    ("tags", "a", "tags", "must be a list, not a text"),
    ("tags", ["a", "a"], "tags[1]", "stands twice"),
    ("tags", ["a", "x"], "tags[1]", "is 'x', which is none of: a, b, c"),
    ("tags", [7], "tags[0]", "must be a text"),
    ("place", [["B"]], "place[0]", "names 'B', which does not stand at the root of the tree"),
    ("place", [["A", "D"]], "place[0]", "names 'D', which does not stand below 'A'"),
    ("place", [[]], "place[0]", "must be a list of names"),
    ("place", [["D"], ["D"]], "place[1]", "stands twice"),
    ("place", [[["A"]]], "place[0]", "does not stand at the root"),
    ("day", "2026-02-30", "day", "is no day of the calendar"),
    ("day", "tomorrow", "day", "is not a time"),
    ("stars", 0, "stars", "is below 1"),
    ("stars", 6, "stars", "is above 5"),
    ("stars", 2.5, "stars", "must be a whole number"),
    ("stars", True, "stars", "must be a number"),
    ("order", [], "order", "ranks nothing"),
    ("order", [["x"], ["x"]], "order[1]", "ranks 'x' again"),
    ("order", [[]], "order[0]", "is empty"),
    ("better", {"choice": "up"}, "better.choice", "which is none of: left, right, tie, both_bad"),
    ("better", {"choice": "tie", "strength": 1}, "better.strength", "must be null"),
    ("better", {"choice": "left", "strength": 4}, "better.strength", "is above 3"),
    ("better", {}, "better.choice", "is missing"),
    ("fixed", {"text": 1}, "fixed.text", "must be a text"),
    ("fixed", "x", "fixed", "must be an object"),
    ("names", [{"id": "1", "start": 4, "end": 4}], "names[0].end", "must be behind the start, 4"),
    ("names", [{"id": "1", "start": -1, "end": 4}], "names[0].start", "is below 0"),
    ("names", [{"id": "1", "start": 0.5, "end": 4}], "names[0].start", "must be a whole number"),
    ("names", [{"id": "1", "start": 0, "end": 4, "text": "x"}], "names[0].text", "is not known here"),
    ("names", [{"start": 0, "end": 4}], "names[0].id", "is missing"),
    ("names", [{"id": "1", "start": 0, "end": 1}] * 2, "names[1].id", "another region has too"),
    ("names", [{"id": "1", "start": 0, "end": 1, "labels": ["x"]}], "names[0].labels[0]", "none of: who, where"),
    ("names", [{"id": "1", "start": 0, "end": 1, "answers": {"x": 1}}], "names[0].answers.x", "is not asked of"),
    ("turns", [{"id": "1", "start": 0, "end": 1}], "turns[0].turn", "is missing"),
    ("spots", [_box(answers=None)], "spots[0].answers.sure", "is missing"),
    ("spots", [_box(answers={"sure": 4})], "spots[0].answers.sure", "is above 3"),
    ("spots", [_box(answers={"sure": 1, "age": 2})], "spots[0].answers.age", "only where the region is labelled scar"),
    ("spots", [_box(x=101)], "spots[0].x", "is outside of 0 to 100 percent"),
    ("spots", [_box(x=99)], "spots[0].width", "reaches over the edge"),
    ("spots", [_box(height=0)], "spots[0].height", "is not above 0"),
    ("spots", [_box(y=float("nan"))], "spots[0].y", "is NaN"),
    ("spots", [_box(size=[0, 5])], "spots[0].size[0]", "is below 1"),
    ("spots", [_box(score="high")], "spots[0].score", "must be a number"),
    ("shape", [{"id": "p", "points": [[0, 0], [1, 0]]}], "shape[0].points", "must be at least three"),
    ("shape", [{"id": "p", "points": [[0, 0], [1, 0], [1]]}], "shape[0].points[2]", "must be [x, y]"),
    ("shape", [{"id": "p", "points": [[0, 0], [1, 0], [1, 101]]}], "shape[0].points[2][1]", "outside of 0 to 100"),
    ("point", [{"id": "k", "x": "1", "y": 0}], "point[0].x", "must be a number"),
    ("area", [{"id": "m", "rle": MASK, "size": [6, 11]}], "area[0].rle", "has runs of 60 pixels"),
    ("area", [{"id": "m", "rle": "~", "size": [6, 10]}], "area[0].rle", "no compressed run"),
    ("area", [{"id": "m", "rle": MASK}], "area[0].size", "is missing"),
    ("beats", [{"id": "t", "start": 2, "end": 1}], "beats[0].end", "must not be before the start"),
    ("tracks", [_box(answers=None)], "tracks[0].sequence", "is missing"),
    ("tracks", [{"id": "v", "sequence": []}], "tracks[0].sequence", "has no frame"),
    ("of", [{"from": "1", "to": "1"}], "of[0]", "relates a region to itself"),
    ("of", [{"from": "1"}], "of[0].to", "is missing"),
    ("of", [{"from": "1", "to": "2", "direction": "up"}], "of[0].direction", "none of: right, left, bi"),
    ("sure", 1, "sure", "is asked of each region of spots"),
]


@pytest.mark.parametrize(("question", "value", "place", "reason"), BAD)
def test_a_bad_answer_is_refused_with_the_place_and_the_reason(
    question: str, value: Any, place: str, reason: str
) -> None:
    with pytest.raises(AnswerInvalid) as caught:
        SCHEMA.question(question).check(value)
    told = {one["field"]: one["reason"] for one in caught.value.facts["problems"]}
    assert reason in told.get(place, ""), told


@pytest.mark.parametrize(
    ("field", "value", "place", "reason"),
    [
        ("scan", "ftp://x/y", "scan", "no reference to a file"),
        ("scan", "data:image/png;base64,AA", "scan", "no reference to a file"),
        ("scan", "../x.png", "scan", "with .."),
        ("scan", "blob:12", "scan", "must be blob: and 64 hex digits"),
        ("scan", "javascript:alert(1)", "scan", "no reference to a file"),
        ("scan", " a.png", "scan", "blanks"),
        ("scan", b"png", "scan", "must be a text"),
        ("talk", [], "talk", "has no turn"),
        ("talk", [{"role": "a"}], "talk[0].text", "is missing"),
        ("talk", [{"role": "a", "text": 1}], "talk[0].text", "must be a text"),
        ("pulse", {"columns": {"t": [1, 2], "v": [1]}}, "pulse.columns", "not of one length"),
        ("pulse", {"columns": {"t": [1, "2"]}}, "pulse.columns.t[1]", "must be a number, not a text"),
        ("pulse", {"columns": {"t": [float("inf")]}}, "pulse.columns.t[0]", "is infinite"),
        ("pulse", {"rows": []}, "pulse.columns", "is missing"),
        ("steps", "x", "steps", "must be a list or an object"),
        ("more", {"a": [float("nan")]}, "more.a[0]", "is NaN"),
        ("more", {"a": {1: 2}}, "more.a", "has a key that must be a text"),
        ("more", ["\ud800"], "more[0]", "half of a character"),
        ("more", {"a": {1, 2}}, "more.a", "must be JSON"),
        ("more", 1 << 64, "more", "too large"),
        ("page", 5, "page", "must be a text"),
    ],
)
def test_a_bad_field_is_refused_with_the_place_and_the_reason(field: str, value: Any, place: str, reason: str) -> None:
    with pytest.raises(ItemInvalid) as caught:
        SCHEMA.check({"text": "x", field: value})
    told = {one["field"]: one["reason"] for one in caught.value.facts["problems"]}
    assert reason in told.get(place, ""), told


def test_json_that_is_too_deep_is_refused() -> None:
    deep: Any = 1
    for _ in range(65):
        deep = [deep]
    with pytest.raises(ItemInvalid, match="nested deeper than 64"):
        SCHEMA.check({"text": "x", "more": deep})


def test_good_fields_are_kept() -> None:
    data = {
        "text": "x",
        "talk": [{"role": "a", "text": "Hi", "at": 5}],
        "scan": "https://example.org/a.png?b=1",
        "film": "blob:" + "a" * 64,
        "sound": "clips/1.wav",
        "page": "<b>x</b>",
        "pulse": {"columns": {"t": [1, 2], "v": [0.5, -1]}},
        "steps": [{"tool": "search", "out": None}],
        "more": False,
    }
    assert SCHEMA.check(data) == data
    assert SCHEMA.check({"text": "x", "pulse": "ecg.csv"}) == {"text": "x", "pulse": "ecg.csv"}


def _together(answers: dict[str, Any], text: str = "Anna of Rome") -> list[tuple[str, str]]:
    return [(one.field, one.reason) for one in SCHEMA.read_answers(answers, {"text": text})[1]]


def test_answers_about_one_item_must_fit_each_other() -> None:
    names = [{"id": "1", "start": 0, "end": 4}, {"id": "2", "start": 8, "end": 12}]
    assert _together({"kind": "other", "why": "lost", "names": names, "of": [{"from": "1", "to": "2"}]}) == []
    assert _together({"kind": "mail", "why": "lost"}) == [("why", "is asked only where kind is other")]
    assert _together({"why": "lost"}) == [("why", "is asked only where kind is other")]
    assert _together({"names": names, "of": [{"from": "1", "to": "9"}]}) == [
        ("of[0].to", "names '9', no region of names")
    ]
    assert _together({"names": names}, "Anna of") == [
        ("names[1].end", "is 12, behind the end of the text of 7 characters")
    ]
    assert _together({"turns": [{"id": "1", "turn": 0, "start": 0, "end": 1}]}) == [
        ("turns", "is about the field talk, which the item does not have")
    ]
    assert _together({"colour": 1}) == [("colour", "is not a question of the schema")]


def test_a_draft_may_lack_what_an_answer_must_have() -> None:
    value = {"spots": [_box(answers=None)]}
    assert SCHEMA.read_answers(value, partial=True)[1] == []
    assert SCHEMA.read_answers(value)[1] != []


def test_a_question_about_regions_is_none_about_items() -> None:
    assert SCHEMA.item_question("spots").name == "spots"
    with pytest.raises(QuestionOfRegions, match="each region of spots"):
        SCHEMA.item_question("sure")


def test_the_schema_goes_through_json() -> None:
    again = Schema.from_dict(SCHEMA.to_dict())
    assert (again, again.digest) == (SCHEMA, SCHEMA.digest)


_TEXT = {"name": "text", "type": "text"}


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ({"type": "multi_choice"}, "needs at least one choice"),
        ({"type": "ranking", "choices": ["a"]}, "needs at least two choices"),
        ({"type": "rating"}, "needs a max"),
        ({"type": "rating", "max": 2.5}, "needs a max"),
        ({"type": "rating", "max": 5, "min": 2}, "ratings begin with 1"),
        ({"type": "taxonomy"}, "needs a tree"),
        ({"type": "taxonomy", "tree": ["a", "a"]}, "names that stand twice"),
        ({"type": "taxonomy", "tree": [{"name": "a", "child": []}]}, "must be a name, or"),
        ({"type": "text", "tree": ["a"]}, "only a taxonomy"),
        ({"type": "text", "labels": ["a"]}, "only questions about regions"),
        ({"type": "box"}, "needs a field of the type image"),
        ({"type": "span", "about": "nothing"}, "which is no field"),
        ({"type": "span", "about": ["text", "text"]}, "a span is about a field of the type"),
        ({"type": "relation"}, "no question marks any"),
        ({"type": "text", "per_region": "other"}, "no question that marks regions"),
        ({"type": "text", "per_region": ["x"]}, "as the name of a question"),
        ({"type": "text", "about": {"a": 1}}, "neither a name nor a list"),
        ({"type": "text", "when": {"question": "other", "is": ["z"]}}, "which other cannot have"),
        ({"type": "text", "when": {"question": "q", "is": ["a"]}}, "no question of the type"),
        ({"type": "text", "when": {"question": "other", "is": []}}, "depends on no answer"),
        ({"type": "text", "when": {"region_label": ["a"]}}, "is not asked per region"),
        ({"type": "text", "when": {"if": 1}}, 'must be {"question": name'),
        ({"type": "text", "required": 1}, "must say required"),
        ({"type": "choice", "choices": ["a", "b"], "when": {"question": "other", "is": ["a"]}}, "depends on itself"),
    ],
)
def test_a_broken_question_is_refused(question: dict[str, Any], reason: str) -> None:
    other: dict[str, Any] = {"name": "other", "type": "choice", "choices": ["a", "b"]}
    if reason == "depends on itself":
        other["when"] = {"question": "q", "is": ["a"]}
    with pytest.raises(SchemaInvalid) as caught:
        Schema.from_dict({"fields": [_TEXT], "questions": [{"name": "q", **question}, other]})
    assert any(reason in one["reason"] for one in caught.value.facts["problems"]), caught.value.sentence


def test_a_question_that_several_fields_fit_says_which_one() -> None:
    fields = [_TEXT, {"name": "page", "type": "html"}]
    with pytest.raises(SchemaInvalid, match="must say which field it is about"):
        Schema.from_dict({"fields": fields, "questions": [{"name": "q", "type": "span"}]})


@pytest.mark.parametrize("name", SAMPLES)
def test_what_label_studio_says_is_valid_here(name: str) -> None:
    import json

    from handrail.cycle.datasets.foreign import schema_of
    from handrail.cycle.datasets.formats.label_studio.config import read_config
    from handrail.cycle.datasets.formats.label_studio.tasks import read_tasks

    xml, results = SAMPLES[name]
    config = read_config(xml)
    schema = schema_of(config)
    data = {one.key: DATA[one.key] for one in config.objects}
    if any(one.type not in ("text", "html", "conversation", "time_series") for one in config.objects):
        data = dict.fromkeys(data, "https://example.org/file")
    task = {"id": 1, "data": data, "annotations": [{"id": 1, "completed_by": 1, "result": results}]}
    (record,) = read_tasks([json.dumps([task]).encode()], config)
    kept, problems = schema.read(record.data)  # type: ignore[union-attr]
    assert problems == []
    for one in record.answers:  # type: ignore[union-attr]
        assert schema.read_answers(one.values, kept)[1] == []
