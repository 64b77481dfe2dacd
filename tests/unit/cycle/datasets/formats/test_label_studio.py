from __future__ import annotations

import json
from typing import Any

import pytest

from handrail.cycle.datasets.formats.label_studio.config import read_config
from handrail.cycle.datasets.formats.label_studio.results import results_of
from handrail.cycle.datasets.formats.label_studio.tasks import read_task, read_tasks, write_task, write_tasks
from handrail.cycle.datasets.formats.label_studio.values import values_of
from handrail.cycle.datasets.formats.label_studio.writing import write_config
from handrail.cycle.datasets.formats.markup import MarkupInvalid
from handrail.cycle.datasets.formats.record import Record, Refused
from handrail.cycle.datasets.reading import Unread
from tests.unit.cycle.datasets.formats.label_studio_samples import DATA, SAMPLES, sample


@pytest.mark.parametrize("name", SAMPLES)
def test_every_supported_tag_is_read_and_written_without_loss(name: str) -> None:
    config, results, data = sample(name)
    assert not config.unsupported
    said = values_of(config, results, data)
    assert not said.problems
    again = results_of(config, said.values, data)
    assert _without_ids(again) == _without_ids(results)
    assert values_of(config, again, data).values == said.values


def _without_ids(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """An answer about the whole gets an id of ours; those of regions are part of the values."""
    return [{key: value for key, value in one.items() if key != "id"} for one in results]


@pytest.mark.parametrize("name", SAMPLES)
def test_the_configuration_written_from_a_schema_reads_back_as_that_schema(name: str) -> None:
    config, _, _ = sample(name)
    written, left_out = write_config(config.document)
    assert not left_out
    again = read_config(written)
    assert not again.unsupported
    assert again.document == config.document


def test_questions_carry_what_the_tags_say() -> None:
    config, _, _ = sample("per region")
    assert config.document == {
        "fields": [{"name": "field", "type": "image"}],
        "questions": [
            {"name": "q", "type": "box", "about": "field", "required": False, "labels": ["a", "B"]},
            {"name": "t", "type": "text", "about": "field", "required": False, "per_region": "q"},
            {
                "name": "c", "type": "choice", "about": "field", "choices": ["one", "2"], "required": False,
                "per_region": "q", "when": {"region_label": ["B"]},
            },
        ],
    }  # fmt: skip


def test_a_condition_on_another_answer_is_read() -> None:
    config = read_config(
        "<View><Text name='x' value='$t'/><Choices name='a' toName='x'><Choice value='yes'/><Choice value='no'/>"
        "</Choices><View visibleWhen='choice-selected' whenTagName='a' whenChoiceValue='yes'>"
        "<TextArea name='why' toName='x' required='true'/></View></View>"
    )
    assert config.questions[1] == {
        "name": "why", "type": "text", "about": "t", "when": {"question": "a", "is": ["yes"]},
    }  # fmt: skip


def test_an_unsupported_tag_is_named_with_its_line() -> None:
    config = read_config(
        "<View>\n<Image name='i' value='$image'/>\n<EllipseLabels name='e' toName='i'><Label value='a'/>"
        "</EllipseLabels>\n<Novel name='n'/>\n<Choices name='c' toName='gone'><Choice value='a'/></Choices></View>"
    )
    assert [(one.line, one.field) for one in config.unsupported] == [(3, "EllipseLabels"), (4, "Novel"), (5, "Choices")]
    assert config.aside == {"e", "n", "c"}
    assert config.questions == ()


@pytest.mark.parametrize(
    "text",
    [
        "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
        "<a>" * 200 + "</a>" * 200,
        "<View><Text",
        "",
        "<View>&nope;</View>",
    ],
)
def test_dangerous_or_broken_markup_is_refused(text: str) -> None:
    with pytest.raises(MarkupInvalid):
        read_config(text)


def test_names_of_our_own_give_way() -> None:
    config = read_config(
        "<View><Text name='t' value='$item'/><Choices name='labels' toName='t'><Choice value='a'/></Choices></View>"
    )
    assert config.fields[0]["name"] == "field_item"
    assert config.questions[0]["name"] == "labels_"
    found = read_task(config, {"data": {"item": "x"}, "id": 4, "annotations": [_annotation("labels", "a")]})
    assert isinstance(found, Record)
    assert (found.data, found.labels) == ({"field_item": "x"}, {"labels_": "a"})
    assert write_task(config, found)["annotations"] == [_annotation("labels", "a")]


def _annotation(name: str, choice: str, **more: Any) -> dict[str, Any]:
    result = {"id": "z", "from_name": name, "to_name": "t", "type": "choices", "value": {"choices": [choice]}}
    return {"id": 7, "result": [result], "lead_time": 3.5} | more


_CONFIG = read_config(
    "<View><Text name='t' value='$text'/><Choices name='c' toName='t'><Choice value='a'/><Choice value='b'/>"
    "</Choices></View>"
)


def _task(*annotations: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": 12, "data": {"text": "words", "extra": [1]}, "annotations": list(annotations)} | more


def test_a_task_goes_out_as_it_came_in() -> None:
    task = _task(
        _annotation("c", "a", completed_by={"id": 3, "email": "a@example.org"}, ground_truth=True, unique_id="u"),
        _annotation("c", "b", was_cancelled=True),
        meta={"k": [1, {"z": None}]},
        predictions=[{"model_version": "m1", "score": 0.25, "result": _annotation("c", "b")["result"]}],
        drafts=[{"anything": 1}],
        inner_id=5,
    )
    found = read_task(_CONFIG, task)
    assert isinstance(found, Record)
    assert (found.external_id, found.data, found.labels) == ("12", {"text": "words"}, {"c": "a"})
    assert [(one.kind, one.who, one.score, one.counts) for one in found.answers] == [
        ("annotation", "a@example.org", None, True), ("prediction", "m1", 0.25, False),
    ]  # fmt: skip
    assert write_task(_CONFIG, found) == task


def test_what_was_said_since_is_one_more_annotation() -> None:
    task = _task(_annotation("c", "a"))
    found = read_task(_CONFIG, task)
    assert isinstance(found, Record)
    later = Record(0, found.external_id, found.data, {"c": "b"}, origin=found.origin)
    out = write_task(_CONFIG, later)
    assert out["annotations"][0] == task["annotations"][0]
    assert out["annotations"][1]["result"][0]["value"] == {"choices": ["b"]}
    again = read_task(_CONFIG, out)
    assert isinstance(again, Record)
    assert again.labels == {"c": "b"}  # the new one is the ground truth


def test_people_who_disagree_leave_no_label_but_their_answers() -> None:
    found = read_task(_CONFIG, _task(_annotation("c", "a"), _annotation("c", "b")))
    assert isinstance(found, Record)
    assert found.labels == {}
    assert [one.values for one in found.answers] == [{"c": "a"}, {"c": "b"}]


def test_a_task_made_here_names_its_item() -> None:
    out = write_task(_CONFIG, Record(0, "mail/7", {"text": "words"}, {"c": "b"}))
    found = read_task(_CONFIG, out)
    assert isinstance(found, Record)
    assert (found.external_id, found.labels) == ("mail/7", {"c": "b"})


@pytest.mark.parametrize(
    ("task", "field"),
    [
        ([], ""),
        (_task({"result": "no"}), "annotations[0].result"),
        (_task(_annotation("gone", "a")), "annotations[0].gone"),
        (_task({"result": [{"from_name": "c", "value": {"choices": []}, "type": "choices"}]}), "annotations[0].c"),
        (_task({"result": [{"type": "relation", "from_id": "1", "to_id": "2"}]}), "annotations[0].relation"),
        (_task(5), "annotations[0]"),  # type: ignore[arg-type]
        (_task(predictions={}, annotations=7), "annotations"),
    ],
)
def test_what_cannot_be_said_refuses_the_task_with_its_place(task: Any, field: str) -> None:
    found = read_task(_CONFIG, task, 9)
    assert isinstance(found, Refused)
    assert found.problems[0].line == 9
    assert found.problems[0].field == field


def test_an_answer_about_a_region_that_is_not_there_is_told() -> None:
    config, results, data = sample("per region")
    said = values_of(config, results[1:], data)
    assert [name for name, _ in said.problems] == ["t", "c"]


def test_offsets_counted_as_javascript_does_are_put_right() -> None:
    config, _, _ = sample("span")
    value = {"start": 14, "end": 18, "text": "here", "labels": ["a"]}  # the face counts two there, one here
    result = {"id": "r", "from_name": "q", "to_name": "x", "type": "labels", "value": value}
    (region,) = values_of(config, [result], DATA).values["q"]
    assert DATA["field"][region["start"] : region["end"]] == "here"


def test_a_text_area_about_two_kinds_of_regions_is_two_questions() -> None:
    config = read_config(
        "<View><Image name='i' value='$image'/><Labels name='l' toName='i'><Label value='word'/></Labels>"
        "<Rectangle name='box' toName='i'/><Polygon name='poly' toName='i'/>"
        "<TextArea name='t' toName='i' perRegion='true'/></View>"
    )
    assert [(one["name"], one.get("per_region")) for one in config.questions] == [
        ("box", None), ("poly", None), ("t", "box"), ("t_poly", "poly"),
    ]  # fmt: skip
    shape = {"points": [[1, 1], [2, 2], [3, 1]]}
    results = [
        {"id": "p", "from_name": "t", "to_name": "i", "type": "textarea", "value": shape | {"text": ["read"]}},
        {"id": "p", "from_name": "poly", "to_name": "i", "type": "polygon", "value": shape},
    ]
    said = values_of(config, results, {})
    assert said.values == {
        "poly": [{"id": "p", "labels": [], "points": shape["points"], "answers": {"t_poly": "read"}}]
    }


@pytest.mark.parametrize("size", [1, 5, 4096])
def test_a_file_of_tasks_is_read_in_pieces(size: int) -> None:
    tasks = [_task(_annotation("c", "a")) | {"id": number} for number in range(5)]
    found = [read_task(_CONFIG, one) for one in tasks]
    content = b"".join(write_tasks(_CONFIG, [one for one in found if isinstance(one, Record)]))
    assert json.loads(content) == tasks
    chunks = (content[at : at + size] for at in range(0, len(content), size))
    again = list(read_tasks(chunks, _CONFIG))
    assert [one.line for one in again if isinstance(one, Record)] == [2, 3, 4, 5, 6]
    cut = list(read_tasks([content[:-30]], _CONFIG))
    assert isinstance(cut[-1], Unread)
    assert len(cut) == 5
