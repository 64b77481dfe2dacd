"""Bulk actions: seen first, then done exactly as seen, on both databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from handrail.cycle.tasks.model import NotAPerson, TaskInvalid
from handrail.cycle.tasks.working.bulk import Action, BulkChanged, BulkTooLarge, Preview
from handrail.foundation.actors import Actor
from handrail.foundation.clock import FixedClock
from handrail.foundation.storage import Storage
from tests.integration.cycle.tasks.desk import ANNA, BEN, CARA, MACHINE, QUESTION, RULE
from tests.integration.cycle.tasks.test_working import WorkDesk


@pytest.fixture
def desk(storage: Storage, clock: FixedClock, tmp_path: Path) -> WorkDesk:
    return WorkDesk(storage, clock, tmp_path / "datasets")


def look(desk: WorkDesk, who: Actor = CARA, **parts: Any) -> Preview:
    return desk.storage.read(lambda uow: desk.working.acting.preview(uow, who, desk.scope, Action(**parts)))


def act(desk: WorkDesk, token: str, who: Actor = CARA, **parts: Any) -> Preview:
    return desk.do(lambda uow: desk.working.acting.act(uow, who, desk.scope, Action(**parts), token))


def entries(desk: WorkDesk, verb: str) -> list[Any]:
    desk.journal.integrate(desk.storage)
    found = desk.storage.read(lambda uow: desk.journal.read_after(uow, -1, 500))
    return [one for one in found if one.verb == verb]


def test_the_open_tasks_of_a_campaign_are_withdrawn(desk: WorkDesk) -> None:
    desk.bring(6)
    made = desk.do(
        lambda uow: desk.annotate.open_campaign(uow, RULE, desk.scope, reason="test", question=QUESTION, target=3)
    )
    draws = desk.annotate.draw(
        RULE, desk.scope, question=QUESTION, n=3, purpose="train", reason="test", campaign_id=made.id
    )
    others = desk.annotate.draw(RULE, desk.scope, question=QUESTION, n=2, purpose="train", reason="test")
    desk.answer(ANNA, draws[0].task_id)
    action: dict[str, Any] = {"does": "withdraw", "campaign_id": made.id, "reason": "asked for by mistake"}
    seen = look(desk, **action)
    assert seen.changes == 2
    assert {desk.task(one.task_id).status for one in draws[1:]} == {"open"}, "nothing is changed by looking"
    act(desk, seen.token, **action)
    assert [desk.task(one.task_id).status for one in draws] == ["answered", "withdrawn", "withdrawn"]
    assert {desk.task(one.task_id).status for one in others} == {"open"}
    assert desk.counts() == desk.counted_again()
    assert len(entries(desk, "tasks.withdrawn")) == 2
    (done,) = entries(desk, "tasks.bulk_done")
    assert (done.payload["does"], done.payload["changed"]) == ("withdraw", 2)
    with pytest.raises(BulkChanged):
        act(desk, seen.token, **action)


def test_priority_and_skill_of_open_tasks(desk: WorkDesk) -> None:
    first, second = desk.open(priority=3), desk.open(priority=5)
    blind = desk.open(kind="label", item_id=desk.bring(1)[0], blind=True)
    before = desk.task(blind.id).priority
    action: dict[str, Any] = {"does": "set_priority", "question": QUESTION, "priority": 40}
    act(desk, look(desk, **action).token, **action)
    assert [desk.task(one.id).priority for one in (first, second, blind)] == [40, 40, before]

    given: dict[str, Any] = {"does": "assign_skill", "question": QUESTION, "skill": "", "to": "surgeon"}
    seen = look(desk, **given)
    assert seen.changes == 3
    act(desk, seen.token, **given)
    assert desk.claim(ANNA, n=3) == []
    assert len(desk.claim(ANNA, n=3, skills=["surgeon"])) == 3
    assert desk.counts() == desk.counted_again()


def test_relabelling_leaves_what_proves_something(desk: WorkDesk) -> None:
    desk.bring(6)
    purposes = ("train", "train", "certify", "holdout")
    drawn = [desk.drawn(one) for one in purposes]
    for _, task_id in drawn:
        desk.answer(ANNA, task_id, "a")
    action: dict[str, Any] = {"does": "relabel", "question": QUESTION, "value": "a", "to": "b", "reason": "one class"}
    seen = look(desk, **action)
    assert (seen.changes, seen.kept) == (2, 2)
    act(desk, seen.token, **action)
    assert [desk.labels(item_id) for item_id, _ in drawn] == [["a", "b"], ["a", "b"], ["a"], ["a"]]


def test_what_changed_meanwhile_or_was_seen_by_another_is_not_done(desk: WorkDesk) -> None:
    desk.open(priority=1)
    action: dict[str, Any] = {"does": "set_priority", "question": QUESTION, "priority": 9}
    seen = look(desk, **action)
    for wrong in ({**action, "priority": 8}, {**action, "reason": "another"}):
        with pytest.raises(BulkChanged):
            act(desk, seen.token, **wrong)
    with pytest.raises(BulkChanged):
        act(desk, seen.token, who=BEN, **action)
    later = desk.open(priority=1)
    with pytest.raises(BulkChanged):
        act(desk, seen.token, **action)
    assert desk.task(later.id).priority == 1
    assert entries(desk, "tasks.bulk_done") == []


@pytest.mark.parametrize(
    "parts",
    [
        {"does": "withdraw"},
        {"does": "withdraw", "campaign_id": "c", "question": QUESTION},
        {"does": "set_priority", "question": QUESTION, "priority": 1_000_001},
        {"does": "assign_skill", "question": QUESTION, "skill": "", "to": 7},
        {"does": "assign_skill", "question": QUESTION, "skill": "", "to": "x" * 65},
        {"does": "relabel", "question": QUESTION, "value": "a"},
    ],
)
def test_a_bad_action_is_refused(desk: WorkDesk, parts: dict[str, Any]) -> None:
    with pytest.raises(TaskInvalid):
        look(desk, **parts)
    with pytest.raises(NotAPerson):
        look(desk, who=MACHINE, **parts)


def test_too_many_at_once_are_refused(desk: WorkDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handrail.cycle.tasks.working.bulk.MOST_CHANGED", 1)
    desk.open()
    desk.open()
    with pytest.raises(BulkTooLarge):
        look(desk, does="set_priority", question=QUESTION, priority=2)
