"""Drafts, histories of answers and comments, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from handrail.cycle.datasets.schema import AnswerInvalid
from handrail.cycle.tasks.model import AlreadyAnswered, NotAPerson, TaskInvalid, TaskNotFound
from handrail.cycle.tasks.working.model import EDIT_S, EditOver, EntryNotFound, NotAnswered, NotRevisable, NotYours
from handrail.cycle.tasks.working.service import Working
from handrail.foundation.actors import Actor
from handrail.foundation.clock import FixedClock
from handrail.foundation.ids import Ids
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import Storage, UnitOfWork
from tests.integration.cycle.tasks.desk import ANNA, BEN, CARA, MACHINE, QUESTION, Desk

T = TypeVar("T")


class WorkDesk(Desk):
    """A desk with the work around an answer."""

    def __init__(self, storage: Storage, clock: FixedClock, folder: Path) -> None:
        super().__init__(storage, clock, folder)
        self.time = clock
        self.working = Working(self.journal, clock, Ids(clock, Randomness(seed=11)), self.datasets, self.tasks.withdraw)

    def do(self, unit: Callable[[UnitOfWork], T]) -> T:
        return self.storage.write(unit)

    def drawn(self, purpose: Any = "train") -> tuple[str, str]:
        """Draw one item; return its id and its task's."""
        (made,) = self.annotate.draw(ANNA, self.scope, question=QUESTION, n=1, purpose=purpose, reason="test")
        return made.item_id, made.task_id

    def revise(self, who: Actor, task_id: str, value: Any) -> list[Any]:
        found = self.do(lambda uow: self.working.revise(uow, who, self.scope, task_id, value, "a slip"))
        return [one.value for one in found.entries]

    def restore(self, who: Actor, task_id: str, number: int, *, lead: bool = False) -> list[Any]:
        found = self.do(lambda uow: self.working.restore(uow, who, self.scope, task_id, number, lead=lead))
        return [one.value for one in found.entries]

    def labels(self, item_id: str) -> list[Any]:
        history = self.storage.read(lambda uow: self.datasets.label_history(uow, self.scope, item_id, QUESTION))
        return [one.value for one in history]

    def seen(self, who: Actor, item_id: str) -> tuple[list[str], bool]:
        found = self.storage.read(lambda uow: self.working.item_thread(uow, who, self.scope, item_id))
        return [one.text for one in found.comments], found.withheld

    def say(self, who: Actor, item_id: str, text: str) -> None:
        self.do(lambda uow: self.working.comment_on_item(uow, who, self.scope, item_id, text))

    def draft(self, who: Actor, task_id: str) -> Any:
        found = self.storage.read(lambda uow: self.working.draft(uow, who, self.scope, task_id))
        return None if found is None else found.value

    def save(self, who: Actor, task_id: str, value: Any) -> None:
        self.do(lambda uow: self.working.save_draft(uow, who, self.scope, task_id, value))


@pytest.fixture
def desk(storage: Storage, clock: FixedClock, tmp_path: Path) -> WorkDesk:
    made = WorkDesk(storage, clock, tmp_path / "datasets")
    made.bring(4)
    return made


def test_a_draft_is_its_authors_alone_and_goes_with_the_answer(desk: WorkDesk) -> None:
    _, task_id = desk.drawn()
    desk.save(ANNA, task_id, {"half": ["done"]})
    desk.save(ANNA, task_id, {"half": ["done", "more"]})
    assert desk.draft(ANNA, task_id) == {"half": ["done", "more"]}
    assert desk.draft(BEN, task_id) is None
    desk.save(BEN, task_id, "b")
    desk.do(lambda uow: desk.working.drop_draft(uow, BEN, desk.scope, task_id))
    assert (desk.draft(BEN, task_id), desk.draft(ANNA, task_id)) == (None, {"half": ["done", "more"]})
    desk.answer(ANNA, task_id)
    assert desk.draft(ANNA, task_id) is None
    with pytest.raises(AlreadyAnswered):
        desk.save(ANNA, task_id, "a")


def test_a_bad_draft_is_refused(desk: WorkDesk) -> None:
    _, task_id = desk.drawn()
    with pytest.raises(NotAPerson):
        desk.save(MACHINE, task_id, "a")
    with pytest.raises(TaskNotFound):
        desk.save(ANNA, "none", "a")
    with pytest.raises(TaskInvalid, match="256 KiB"):
        desk.save(ANNA, task_id, "x" * (256 << 10))
    assert desk.draft(ANNA, task_id) is None


def test_another_answer_is_added_and_the_label_follows(desk: WorkDesk) -> None:
    item_id, task_id = desk.drawn()
    desk.answer(ANNA, task_id, "a")
    assert desk.revise(ANNA, task_id, "b") == ["a", "b"]
    assert desk.revise(ANNA, task_id, "b") == ["a", "b"], "the same again changes nothing"
    assert desk.restore(ANNA, task_id, 0) == ["a", "b", "a"]
    assert desk.labels(item_id) == ["a", "b", "a"]
    label = desk.storage.read(lambda uow: desk.datasets.label(uow, desk.scope, item_id, QUESTION))
    assert label is not None
    assert (label.source, label.purpose, label.task_id, label.probability) == ("draw", "train", task_id, 0.25)
    stored = desk.storage.read(lambda uow: desk.tasks.answer_of(uow, desk.scope, task_id))
    assert stored is not None
    assert stored.value == "a", "the answer itself is as it was"


def test_a_certificate_goes_on_to_count_the_first_answer(desk: WorkDesk) -> None:
    item_id, task_id = desk.drawn("certify")
    desk.answer(ANNA, task_id, "a")
    desk.revise(ANNA, task_id, "b")
    sample = desk.storage.read(lambda uow: desk.annotate.certification_sample(uow, desk.scope, QUESTION))
    assert [one.value for one in sample] == ["a"]
    assert desk.labels(item_id) == ["a", "b"]


def test_the_label_of_somebody_else_stands(desk: WorkDesk) -> None:
    item_id, task_id = desk.drawn()
    desk.answer(ANNA, task_id, "a")
    again = desk.open(kind="label", item_id=item_id)
    desk.answer(BEN, again.id, "b")
    assert desk.revise(ANNA, task_id, "b") == ["a", "b"]
    assert desk.restore(ANNA, task_id, 0) == ["a", "b", "a"]
    assert desk.labels(item_id) == ["a", "b"], "the history of the answer grows, the label is Ben's"


def test_only_the_author_in_time_gives_another_answer_and_leads_put_back(desk: WorkDesk) -> None:
    item_id, task_id = desk.drawn()
    with pytest.raises(NotAnswered):
        desk.revise(ANNA, task_id, "b")
    desk.answer(ANNA, task_id, "a")
    for wrong, code in ((BEN, NotYours), (MACHINE, NotAPerson)):
        with pytest.raises(code):
            desk.revise(wrong, task_id, "b")
    with pytest.raises(AnswerInvalid):
        desk.revise(ANNA, task_id, "purple")
    with pytest.raises(EntryNotFound):
        desk.restore(ANNA, task_id, 1)
    desk.revise(ANNA, task_id, "b")
    desk.time.advance(seconds=EDIT_S + 1)
    with pytest.raises(EditOver):
        desk.revise(ANNA, task_id, "a")
    with pytest.raises(NotYours):
        desk.restore(CARA, task_id, 0)
    assert desk.restore(CARA, task_id, 0, lead=True) == ["a", "b", "a"]
    assert desk.labels(item_id) == ["a", "b", "a"]
    with pytest.raises(NotYours):
        desk.storage.read(lambda uow: desk.working.history(uow, BEN, desk.scope, task_id, lead=False))


def test_what_decided_something_is_not_answered_again(desk: WorkDesk) -> None:
    _, task_id = desk.drawn()
    desk.answer(ANNA, task_id, None, "abstain")
    with pytest.raises(NotRevisable):
        desk.revise(ANNA, task_id, "a")
    review = desk.open(kind="review")
    desk.answer(ANNA, review.id, "a")
    with pytest.raises(NotRevisable):
        desk.revise(ANNA, review.id, "b")


def test_comments_of_others_wait_until_ones_own_look_is_over(desk: WorkDesk) -> None:
    item_id, task_id = desk.drawn()
    desk.say(ANNA, item_id, "  the edge is blurred ")
    desk.say(BEN, item_id, "mine")
    assert desk.seen(ANNA, item_id) == (["the edge is blurred"], True)
    assert desk.seen(BEN, item_id) == (["mine"], True)
    desk.answer(ANNA, task_id, None, "abstain")  # a new blind task, for others
    assert desk.seen(ANNA, item_id) == (["the edge is blurred", "mine"], False)
    assert desk.seen(BEN, item_id) == (["mine"], True)
    (following,) = desk.claim(BEN)
    desk.answer(BEN, following.id, "a")
    for who in (ANNA, BEN, CARA):
        assert desk.seen(who, item_id) == (["the edge is blurred", "mine"], False)


def test_the_journal_tells_no_comment(desk: WorkDesk) -> None:
    (item_id, *_) = desk.bring(1, "more")
    desk.say(ANNA, item_id, "zebra")
    desk.do(lambda uow: None)
    desk.journal.integrate(desk.storage)
    entries = desk.storage.read(lambda uow: desk.journal.read_after(uow, -1, 500))
    said = [one for one in entries if one.verb == "tasks.commented"]
    assert len(said) == 1
    assert "zebra" not in repr(entries)


@pytest.mark.parametrize("text", ["", "   ", "x" * 4001, "nul\0"])
def test_a_bad_comment_is_refused(desk: WorkDesk, text: str) -> None:
    (item_id, *_) = desk.bring(1, "more")
    with pytest.raises(TaskInvalid):
        desk.say(ANNA, item_id, text)
    with pytest.raises(NotAPerson):
        desk.say(MACHINE, item_id, "well")
    assert desk.seen(ANNA, item_id) == ([], False)
