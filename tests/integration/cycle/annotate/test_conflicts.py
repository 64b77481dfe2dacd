"""What a merge leaves for people: one task for each label that both branches changed; on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from handrail.cycle.annotate.conflicts import is_conflict
from handrail.cycle.datasets import Edit, NewLabel
from handrail.cycle.tasks.model import SecondLook
from handrail.foundation.clock import FixedClock
from handrail.foundation.storage import Storage
from tests.integration.cycle.tasks.desk import ANNA, BEN, CARA, QUESTION, RULE, Desk, person


@pytest.fixture
def desk(storage: Storage, clock: FixedClock, tmp_path: Path) -> Desk:
    made = Desk(storage, clock, tmp_path / "datasets")
    made.tasks.on_answer("adjudicate", made.annotate.conflicts.on_answer)
    return made


def _clash(desk: Desk, into: str = "main") -> tuple[str, list[str]]:
    """Let Anna and Ben say different things of one item, and merge; return the item and the tasks."""
    (item,) = desk.bring(1)
    desk.datasets.commit(RULE, desk.scope, "first")
    for name in ("trial", "other"):
        desk.storage.write(lambda uow, name=name: desk.datasets.branch(uow, RULE, desk.scope, name))  # type: ignore[misc]
    desk.datasets.edit(BEN, desk.scope, "trial", "ben", [Edit(item, QUESTION, "b", "b is plain")])
    if into == "main":
        new = NewLabel(item, QUESTION, "a", "review", "train", reason="a it is")
        desk.storage.write(lambda uow: desk.datasets.put_label(uow, ANNA, desk.scope, new))
    else:
        desk.datasets.edit(ANNA, desk.scope, into, "anna", [Edit(item, QUESTION, "a", "a it is")])
    _, tasks = desk.annotate.conflicts.merge(RULE, desk.scope, "trial", into=into)
    return item, tasks


def _value(desk: Desk, version: str) -> object:
    return desk.datasets.checkout(desk.scope, version).to_pylist()[0][QUESTION]


def test_a_third_person_settles_it_and_main_holds_the_answer(desk: Desk) -> None:
    item, (task,) = _clash(desk)
    one = desk.task(task)
    assert is_conflict(one)
    assert [said["value"] for said in one.payload["answers"]] == ["a", "b"]
    assert _value(desk, "main") == "a"
    with pytest.raises(SecondLook):
        desk.storage.write(lambda uow: desk.tasks.claim_one(uow, BEN, desk.scope, task))
    desk.answer(CARA, task, "b", reason="looked closely")
    label = desk.storage.read(lambda uow: desk.datasets.label(uow, desk.scope, item, QUESTION))
    assert label is not None
    assert (label.value, label.actor_id, label.task_id, label.reason) == ("b", "cara", task, "looked closely")
    desk.datasets.commit(RULE, desk.scope, "settled")
    assert _value(desk, "main") == "b"
    desk.datasets.verify(desk.scope, "main")


def test_on_another_branch_the_answer_becomes_a_version_once(desk: Desk) -> None:
    _, (task,) = _clash(desk, "other")
    assert _value(desk, "other") == "a"
    desk.answer(CARA, task, "b")
    desk.journal.integrate(desk.storage)
    entries = desk.storage.read(lambda uow: desk.journal.read_after(uow, -1, 100))
    (settled,) = [one for one in entries if one.verb == "annotate.conflict_settled"]
    desk.annotate.conflicts.settled(desk.scope, settled)
    log = desk.storage.read(lambda uow: desk.datasets.log(uow, desk.scope, "other"))
    desk.annotate.conflicts.settled(desk.scope, settled)
    assert desk.storage.read(lambda uow: desk.datasets.log(uow, desk.scope, "other")) == log
    assert (log[0].actor_id, log[0].labels) == ("cara", 1)
    assert _value(desk, "other") == "b"
    live = desk.storage.read(lambda uow: desk.datasets.labels(uow, desk.scope, question=QUESTION))
    assert live == []


def test_who_cannot_say_hands_it_on_and_who_rejects_leaves_it(desk: Desk) -> None:
    item, (task,) = _clash(desk)
    desk.answer(CARA, task, None, "abstain")
    (again,) = desk.storage.read(lambda uow: desk.tasks.open_tasks(uow, desk.scope)).items
    full = desk.task(again.id)
    assert (full.payload, set(full.not_by)) == (desk.task(task).payload, {"anna", "ben", "cara"})
    desk.answer(person("dora"), again.id, None, "reject")
    label = desk.storage.read(lambda uow: desk.datasets.label(uow, desk.scope, item, QUESTION))
    assert label is not None
    assert label.value == "a"
