from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import text

from handrail.cycle.datasets import NewItem, NewLabel, Question, Schema
from handrail.cycle.datasets.model import ItemDiffers, ItemNotFound, NameInvalid, ProjectExists
from handrail.cycle.datasets.schema import AnswerInvalid, ItemInvalid, QuestionUnknown
from handrail.foundation.actors import Scope
from handrail.foundation.authorize import ProjectUnknown
from tests.integration.cycle.datasets.world import ANNA, SCHEMA, World, make


def _verbs(world: World) -> list[str]:
    rows = world.storage.read(lambda uow: uow.run(text("SELECT verb FROM journal_entry ORDER BY seq")).all())
    return [row[0] for row in rows]


def test_a_project_is_found_by_name_and_by_id_with_its_schema(world: World) -> None:
    by_name = world.storage.read(lambda uow: world.datasets.project(uow, "breast"))
    by_id = world.storage.read(lambda uow: world.datasets.project(uow, world.project.id))
    assert by_name == by_id == world.project
    assert world.storage.read(world.datasets.projects) == [world.project]
    assert world.storage.read(lambda uow: world.datasets.schema(uow, world.scope)) == SCHEMA
    assert _verbs(world) == ["datasets.project_made"]


def test_a_second_project_of_the_same_name_is_refused_and_leaves_nothing(world: World) -> None:
    with pytest.raises(ProjectExists):
        make(world.storage, world.clock, world.folder)
    assert len(world.storage.read(world.datasets.projects)) == 1
    with pytest.raises(NameInvalid):
        make(world.storage, world.clock, world.folder, name="No spaces!")
    with pytest.raises(ProjectUnknown):
        world.storage.read(lambda uow: world.datasets.project(uow, "other"))
    with pytest.raises(ProjectUnknown):
        world.storage.read(lambda uow: world.datasets.schema(uow, Scope("nowhere")))


def test_an_item_comes_back_as_it_was_put(world: World) -> None:
    seen = datetime(2026, 5, 1, 9, 30, tzinfo=timezone(timedelta(hours=2)))
    new = NewItem(
        external_id="case-1",
        data={"area": 12, "note": "größer", "seen": "2026-05-01T09:30:00+02:00", "urgent": True, "ward": None},
        subject="patient-9",
        group={"sex": "f"},
        observed_at=seen,
    )
    (put,) = world.storage.write(lambda uow: world.datasets.put_items(uow, ANNA, world.scope, [new]))
    got = world.storage.read(lambda uow: world.datasets.item(uow, world.scope, put.id))
    assert got == put
    assert got.data == {"area": 12.0, "note": "größer", "seen": "2026-05-01T07:30:00.000000Z", "urgent": True}
    assert (got.subject, got.group, got.observed_at) == ("patient-9", {"sex": "f"}, seen.astimezone(UTC))
    assert got.created_at == world.clock.now()
    assert world.storage.read(lambda uow: world.datasets.item_named(uow, world.scope, "case-1")) == put


def test_the_same_item_again_is_the_one_that_is_there_and_another_content_is_a_conflict(world: World) -> None:
    (first,) = world.put(1.0)
    (again,) = world.put(1.0)
    assert again == first
    other = NewItem(external_id="case-1", data={"area": 2.0})
    for items in ([other], [NewItem(external_id="new", data={"area": 1}), other]):
        with pytest.raises(ItemDiffers) as caught:
            world.storage.write(lambda uow, items=items: world.datasets.put_items(uow, ANNA, world.scope, items))
        assert caught.value.facts["external_id"] == "case-1"
    assert world.storage.read(lambda uow: world.datasets.counts(uow, world.scope)).items == 1


def test_many_items_at_once_keep_their_order_and_find_the_known_ones(world: World) -> None:
    world.put(3.0)
    made = world.put(*range(1, 1201))
    assert [one.external_id for one in made] == [f"case-{number}" for number in range(1, 1201)]
    assert world.storage.read(lambda uow: world.datasets.counts(uow, world.scope)).items == 1200
    found = world.storage.read(lambda uow: world.datasets.items_by_id(uow, world.scope, [one.id for one in made]))
    assert [found[one.id] for one in made] == made


def test_a_bad_item_is_refused_with_every_problem_and_takes_the_others_along(world: World) -> None:
    items = [
        NewItem(external_id="good", data={"area": 1}),
        NewItem(external_id="", data={"area": float("nan"), "colour": 1, "ward": "east"}),
    ]
    with pytest.raises(ItemInvalid) as caught:
        world.storage.write(lambda uow: world.datasets.put_items(uow, ANNA, world.scope, items))
    assert {one["field"] for one in caught.value.facts["problems"]} == {"external_id", "area", "colour", "ward"}
    assert world.storage.read(lambda uow: world.datasets.counts(uow, world.scope)).items == 0


def test_one_new_item_costs_one_insert_and_a_known_one_a_select_more(world: World) -> None:
    world.storage.read(lambda uow: world.datasets.schema(uow, world.scope))

    class Counting:
        def __init__(self, uow) -> None:  # type: ignore[no-untyped-def]
            self._uow, self.dialect, self.calls = uow, uow.dialect, 0

        def __getattr__(self, name):  # type: ignore[no-untyped-def]
            self.calls += 1
            return getattr(self._uow, name)

    def unit(uow) -> int:  # type: ignore[no-untyped-def]
        counting = Counting(uow)
        world.datasets.put_items(counting, ANNA, world.scope, [NewItem(external_id="a", data={"area": 1})])  # type: ignore[arg-type]
        return counting.calls

    assert world.storage.write(unit) == 1
    assert world.storage.write(unit) == 2


def test_pages_go_through_all_items_once(world: World) -> None:
    made = world.put(*range(1, 8))
    seen, after = [], None
    while True:
        page = world.storage.read(lambda uow, after=after: world.datasets.items(uow, world.scope, after, 3))
        seen += page.items
        after = page.next
        if after is None:
            break
    assert seen == made
    with pytest.raises(ItemInvalid):
        world.storage.read(lambda uow: world.datasets.items(uow, world.scope, None, 0))


def test_items_of_another_project_are_out_of_reach(world: World) -> None:
    (one,) = world.put(1.0)
    other = make(world.storage, world.clock, world.folder, name="other")
    with pytest.raises(ItemNotFound):
        world.storage.read(lambda uow: other.datasets.item(uow, other.scope, one.id))
    with pytest.raises(ItemNotFound):
        other.label(one.id, "benign")
    (same_name,) = other.put(1.0)
    assert same_name.id != one.id
    assert same_name.digest != one.digest


def test_a_label_takes_the_place_of_the_one_before_and_its_history_stays(world: World) -> None:
    one, two = world.put(1.0, 2.0)
    first = world.label(one.id, "benign", source="draw", purpose="train", probability=0.25, reason="seed")
    world.label(two.id, "benign")
    second = world.label(one.id, "malignant", source="audit", purpose="feedback", task_id="t-1")
    labels = world.storage.read(lambda uow: world.datasets.labels(uow, world.scope, question="diagnosis"))
    assert [(label.item_id, label.value) for label in labels] == [(one.id, "malignant"), (two.id, "benign")]
    assert world.storage.read(lambda uow: world.datasets.label(uow, world.scope, one.id, "diagnosis")) == second
    history = world.storage.read(lambda uow: world.datasets.label_history(uow, world.scope, one.id, "diagnosis"))
    assert history == [first, second]
    assert (first.probability, first.reason, first.actor_kind, first.actor_id) == (0.25, "seed", "person", "p-anna")
    only = world.storage.read(
        lambda uow: world.datasets.labels(uow, world.scope, question="diagnosis", purpose="feedback")
    )
    assert only == [second]
    assert _verbs(world).count("datasets.label_set") == 3


def test_a_label_is_checked_against_its_question(world: World) -> None:
    (one,) = world.put(1.0)
    with pytest.raises(AnswerInvalid):
        world.label(one.id, "purple")
    with pytest.raises(AnswerInvalid):
        world.label(one.id, 4, question="grade")
    with pytest.raises(QuestionUnknown):
        world.label(one.id, "benign", question="colour")
    with pytest.raises(ItemNotFound):
        world.label("nobody", "benign")
    assert world.label(one.id, 2, question="grade").value == 2.0
    assert world.storage.read(lambda uow: world.datasets.counts(uow, world.scope)).labels == {"grade": 1}


def test_unlabelled_items_are_those_without_a_label_for_the_question(world: World) -> None:
    one, two, three = world.put(1.0, 2.0, 3.0)
    world.label(two.id, "benign")
    world.label(one.id, 1, question="grade")
    last = world.storage.read(lambda uow: world.datasets.last_seq(uow, world.scope))
    (late,) = world.put(4.0)
    read = world.storage.read
    found = read(lambda uow: world.datasets.unlabelled(uow, world.scope, question="diagnosis"))
    assert found == [one, three, late]
    ids = read(lambda uow: world.datasets.unlabelled_ids(uow, world.scope, question="diagnosis", until_seq=last))
    assert ids == [one.id, three.id]


def test_items_added_by_hand_stand_in_the_journal(world: World) -> None:
    items = [NewItem(external_id=name, data={"area": 1}) for name in "ab"]
    add = lambda uow: world.datasets.add_items(uow, ANNA, world.scope, items)  # noqa: E731
    world.storage.write(add)
    world.storage.write(add)
    assert _verbs(world).count("datasets.items_added") == 1


def test_counts_tell_what_waits_for_a_commit(world: World) -> None:
    one, two = world.put(1.0, 2.0)
    world.label(one.id, "benign", purpose="feedback")
    world.label(two.id, "benign")
    counts = world.storage.read(lambda uow: world.datasets.counts(uow, world.scope))
    assert (counts.items, counts.labels, counts.items_waiting, counts.labels_waiting) == (2, {"diagnosis": 2}, 2, 2)
    waiting = world.storage.read(
        lambda uow: world.datasets.labels_waiting(uow, world.scope, question="diagnosis", purpose="feedback")
    )
    assert waiting == 1


def test_a_label_may_not_be_put_with_a_purpose_of_its_own(world: World) -> None:
    (one,) = world.put(1.0)
    bad = NewLabel(item_id=one.id, question="diagnosis", value="benign", source="guess", purpose="fun", probability=0)  # type: ignore[arg-type]
    with pytest.raises(Exception, match="source must be") as caught:
        world.storage.write(lambda uow: world.datasets.put_label(uow, ANNA, world.scope, bad))
    assert len(caught.value.facts["problems"]) == 3  # type: ignore[attr-defined]


def test_two_questions_named_alike_are_refused() -> None:
    with pytest.raises(Exception, match="stands twice"):
        Schema(SCHEMA.fields, (Question(name="area", type="text"),))
