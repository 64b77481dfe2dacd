"""Claims by many at once, over skills and kinds, on both databases."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from handrail.cycle.tasks import NewTask
from handrail.cycle.tasks.model import AlreadyAnswered, SecondLook, SkillMissing, TaskClosed, TaskInvalid
from handrail.foundation.actors import Scope
from handrail.foundation.clock import FixedClock
from handrail.foundation.errors import HandrailError
from handrail.foundation.storage import Storage
from tests.integration.cycle.tasks.desk import ANNA, BEN, CARA, RULE, Desk, person


@pytest.fixture
def desk(storage: Storage, clock: FixedClock, tmp_path: Path) -> Desk:
    return Desk(storage, clock, tmp_path / "datasets")


def _together(count: int, work: Callable[[int], None]) -> None:
    """Run `work` in threads that begin at the same moment; the first failure is raised."""
    start, failed = threading.Barrier(count), []

    def run(number: int) -> None:
        start.wait()
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001 - the main thread raises it again
            failed.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def test_sixteen_people_at_once_share_the_queue_without_a_task_twice_or_left(desk: Desk) -> None:
    """Each claims, gives some back, answers the rest; every task ends with one answer by who held it last."""
    desk.storage.write(lambda uow: [desk.tasks.open(uow, RULE, desk.scope, _review(number)) for number in range(160)])
    given: list[tuple[str, str]] = []
    held: set[str] = set()
    lock = threading.Lock()

    def work(number: int) -> None:
        who = person(f"p-{number}")
        empty = 0
        while empty < 3:
            got = desk.claim(who, 1 + number % 5, skills=("", "lead") if number % 2 else ("",))
            empty = 0 if got else empty + 1
            with lock:
                assert not held & {one.id for one in got}, "a task went to two people"
                held.update(one.id for one in got)
            for place, one in enumerate(got):
                with lock:
                    held.discard(one.id)
                if place % 3 == 2:
                    desk.storage.write(lambda uow, id_=one.id: desk.tasks.release(uow, who, desk.scope, id_))
                else:
                    made = desk.answer(who, one.id)
                    with lock:
                        given.append((one.id, made.actor_id))

    _together(16, work)
    rest = [one for _ in range(40) for one in desk.claim(CARA, 5, skills=("", "lead"))]
    for one in rest:
        desk.answer(CARA, one.id)
    assert max(Counter(task for task, _ in given).values()) == 1
    assert {task for task, _ in given}.isdisjoint({one.id for one in rest})
    assert len(given) + len(rest) == 160
    for task, actor in given:
        found = desk.storage.read(lambda uow, task=task: desk.tasks.answer_of(uow, desk.scope, task))
        assert found is not None
        assert found.actor_id == actor
    assert desk.counts() == {"review": {"answered": 160}} == desk.counted_again()


def _review(number: int) -> NewTask:
    return NewTask(kind="review", question="kind", priority=number % 3, skill="lead" if number % 4 == 0 else "")


def test_one_task_answered_by_many_at_once_has_one_answer(desk: Desk) -> None:
    task = desk.open()
    heard: list[str] = []
    desk.tasks.on_answer("review", lambda uow, actor, scope, task, answer: heard.append(answer.id))
    kept: list[str] = []
    refused: list[str] = []

    def work(number: int) -> None:
        try:
            kept.append(desk.answer(person(f"p-{number % 4}"), task.id).id)
        except HandrailError as error:
            refused.append(error.code)

    _together(8, work)
    # The winner's other call gets the same answer back; everybody else is told.
    assert len(set(kept)) == 1
    assert len(kept) + len(refused) == 8
    assert set(refused) == {"tasks.already_answered"}
    assert heard == [kept[0]]


def test_the_most_urgent_of_all_skills_comes_first(desk: Desk) -> None:
    low, high, other, mid = (
        desk.open(priority=priority, skill=skill) for priority, skill in ((0, ""), (9, "lead"), (5, "spanish"), (4, ""))
    )
    assert [one.id for one in desk.claim(ANNA, 2, skills=("", "lead"))] == [high.id, mid.id]
    assert [one.id for one in desk.claim(BEN, 5, skills=("spanish", "", "none"))] == [other.id, low.id]


def test_a_claim_of_kinds_leaves_the_others(desk: Desk) -> None:
    first, label = desk.open(priority=3), desk.open(kind="label")
    assert [one.id for one in desk.claim(ANNA, 5, kinds=["label", "audit"])] == [label.id]
    assert [one.id for one in desk.claim(ANNA, 5)] == [first.id]
    for kinds in (["chat"], []):
        with pytest.raises(TaskInvalid):
            desk.claim(ANNA, kinds=kinds)


@pytest.mark.parametrize("wrong", [{"n": 0}, {"n": 6}, {"lease_s": 0}, {"lease_s": float("nan")}, {"skills": ()}])
def test_a_claim_that_breaks_a_rule_is_refused(desk: Desk, wrong: dict[str, object]) -> None:
    desk.open()
    with pytest.raises(TaskInvalid):
        desk.claim(ANNA, **wrong)  # type: ignore[arg-type]
    assert desk.counts() == {"review": {"open": 1}}


def test_a_claim_reaches_its_own_project_only(storage: Storage, clock: FixedClock, tmp_path: Path) -> None:
    here, there = (Desk(storage, clock, tmp_path / name, name=name) for name in ("here", "there"))
    task = there.open()
    assert here.claim(ANNA, 5) == []
    assert here.storage.read(lambda uow: here.tasks.next_for(uow, ANNA, here.scope)) is None
    assert here.counts() == {}
    with pytest.raises(HandrailError, match="No such task"):
        here.answer(ANNA, task.id)
    clock.advance(seconds=1)
    assert there.task(task.id).status == "open"


def test_past_its_deadline_a_task_is_neither_claimed_nor_answered(desk: Desk, clock: FixedClock) -> None:
    task = desk.open(deadline=clock.now() + timedelta(seconds=60))
    desk.claim(ANNA)
    clock.advance(seconds=60)
    with pytest.raises(TaskClosed):
        desk.answer(ANNA, task.id)
    desk.storage.write(lambda uow: desk.tasks.release(uow, ANNA, desk.scope, task.id))
    assert desk.claim(BEN) == []
    assert desk.storage.write(lambda uow: desk.tasks.expire(uow, clock.now())) == 1
    assert desk.counts() == {"review": {"expired": 1}}


def test_a_lead_task_needs_the_skill(desk: Desk) -> None:
    task = desk.open(skill="lead")
    with pytest.raises(SkillMissing):
        desk.storage.write(lambda uow: desk.tasks.claim_one(uow, ANNA, desk.scope, task.id, skills=("",)))
    assert desk.claim(ANNA) == []
    got = desk.storage.write(lambda uow: desk.tasks.claim_one(uow, ANNA, desk.scope, task.id, skills=("", "lead")))
    assert got.claimed_by == "anna"


def test_who_answered_about_a_decision_gets_no_second_opinion_on_it(desk: Desk) -> None:
    first = desk.open(decision_id="d-1")
    desk.answer(ANNA, first.id)
    appeal = desk.open(kind="appeal", decision_id="d-1", not_by=("cara",))
    assert appeal.not_by == ("cara", "anna")
    assert desk.claim(ANNA) == []
    with pytest.raises(SecondLook):
        desk.answer(ANNA, appeal.id, "a", "reverse")
    assert [one.id for one in desk.claim(BEN)] == [appeal.id]
    other = desk.open(kind="appeal", decision_id="d-2")
    assert other.not_by == ()


def test_what_to_go_on_with_is_what_one_holds_then_what_a_claim_gives(desk: Desk) -> None:
    low, high = desk.open(), desk.open(priority=1, not_by=("anna",))

    def following(who):  # type: ignore[no-untyped-def]
        return desk.storage.read(lambda uow: desk.tasks.next_for(uow, who, desk.scope))

    assert (following(ANNA), following(BEN)) == (low.id, high.id)
    desk.claim(BEN, 2)
    assert (following(ANNA), following(BEN)) == (None, high.id)


def test_an_answer_keeps_when_it_was_shown_and_how_long_it_took(desk: Desk, clock: FixedClock) -> None:
    task = desk.open()
    shown = clock.now()
    clock.advance(seconds=12.5)
    made = desk.answer(ANNA, task.id, shown_at=shown)
    assert (made.shown_at, made.answered_at, made.seconds) == (shown, clock.now(), 12.5)
    assert desk.storage.read(lambda uow: desk.tasks.answer_of(uow, desk.scope, task.id)) == made
    with pytest.raises(AlreadyAnswered):
        desk.answer(BEN, task.id)


def test_a_payload_that_json_cannot_say_is_refused(desk: Desk) -> None:
    for payload in ({"x": float("nan")}, {"x": {1, 2}}, {"x": "y" * (1 << 20)}):
        with pytest.raises(TaskInvalid):
            desk.open(payload=payload)
    assert desk.counts() == {}


def test_many_tasks_opened_at_once_are_counted(desk: Desk) -> None:
    new = [_review(number) for number in range(8)]
    made = desk.storage.write(lambda uow: desk.tasks.open_many(uow, desk.scope, new))
    assert len({one.id for one in made}) == 8
    assert desk.counts() == {"review": {"open": 8}} == desk.counted_again()
    assert desk.storage.read(lambda uow: desk.tasks.counts(uow, Scope("other"))) == {}
