"""What one person may take, counted in the unit of the claim; and what people complain of in other queues."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from handrail.cycle.tasks.model import LEAD, ClaimedByOther, SkillMissing
from handrail.cycle.tasks.staffing import LimitReached, QueueRules
from handrail.foundation.actors import Actor
from handrail.foundation.clock import FixedClock
from handrail.foundation.storage import Storage
from tests.integration.cycle.tasks.desk import ANNA, BEN, CARA, Desk


@pytest.fixture
def desk(storage: Storage, clock: FixedClock, tmp_path: Path) -> Desk:
    return Desk(storage, clock, tmp_path / "datasets")


def _rule(desk: Desk, **rules: object) -> None:
    made = QueueRules.from_dict(rules)
    desk.storage.write(lambda uow: desk.tasks.staffing.set_rules(uow, ANNA, desk.scope, made))


def _claim_one(desk: Desk, task_id: str, skills: tuple[str, ...] | None = None) -> None:
    desk.storage.write(lambda uow: desk.tasks.claim_one(uow, ANNA, desk.scope, task_id, skills=skills))


def test_a_person_holds_no_more_than_the_rules_allow(desk: Desk) -> None:
    tasks = [desk.open() for _ in range(6)]
    _rule(desk, most_held=2)
    assert len(desk.claim(ANNA, 5)) == 2
    for take in (
        lambda: desk.claim(ANNA),
        lambda: _claim_one(desk, tasks[5].id),
        lambda: desk.answer(ANNA, tasks[5].id),
    ):
        with pytest.raises(LimitReached, match="You hold 2 tasks"):
            take()
    _claim_one(desk, tasks[0].id)  # lengthens what they hold
    desk.answer(ANNA, tasks[0].id)
    assert len(desk.claim(ANNA, 5)) == 1
    assert len(desk.claim(BEN, 5)) == 2, "a limit is of each person"


def test_a_lease_that_ran_out_is_held_no_more(desk: Desk, clock: FixedClock) -> None:
    for _ in range(2):
        desk.open()
    _rule(desk, most_held=1)
    desk.claim(ANNA, lease_s=60)
    clock.advance(seconds=60)
    assert len(desk.claim(ANNA)) == 1


def test_after_so_many_answers_the_claim_is_refused_until_it_says(desk: Desk, clock: FixedClock) -> None:
    tasks = [desk.open() for _ in range(6)]
    _rule(desk, most_an_hour=3)
    assert len(desk.claim(ANNA, 5)) == 3, "no more than may be answered"
    with pytest.raises(LimitReached, match="With the 3 tasks that you hold"):
        desk.claim(ANNA)
    first = clock.now()
    for one in tasks[:3]:
        desk.answer(ANNA, one.id)
        clock.advance(seconds=60)
    with pytest.raises(LimitReached) as caught:
        desk.claim(ANNA)
    opens = datetime.fromisoformat(caught.value.facts["opens_at"])
    assert opens == first + timedelta(hours=1)
    clock.advance(seconds=(opens - clock.now()).total_seconds() - 1)
    with pytest.raises(LimitReached):
        desk.claim(ANNA)
    clock.advance(seconds=1)
    assert len(desk.claim(ANNA, 5)) == 1


def test_a_day_is_counted_beside_the_hour(desk: Desk, clock: FixedClock) -> None:
    for _ in range(4):
        desk.open()
    _rule(desk, most_an_hour=2, most_a_day=3)
    for _ in range(2):
        desk.answer(ANNA, desk.claim(ANNA)[0].id)
    clock.advance(seconds=3600)
    desk.answer(ANNA, desk.claim(ANNA, 5)[0].id)
    with pytest.raises(LimitReached, match="in a day") as caught:
        desk.claim(ANNA)
    assert datetime.fromisoformat(caught.value.facts["opens_at"]) == clock.now() + timedelta(hours=23)


def test_one_person_with_two_screens_finds_no_more_room(desk: Desk) -> None:
    for _ in range(20):
        desk.open()
    _rule(desk, most_held=3)
    got: list[str] = []
    start, lock = threading.Barrier(6), threading.Lock()

    def work() -> None:
        start.wait()
        try:
            claimed = desk.claim(ANNA, 2)
        except LimitReached:
            return
        with lock:
            got.extend(one.id for one in claimed)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(got) == len(set(got)) == 3


def test_a_skill_that_the_project_gives_opens_its_tasks(desk: Desk) -> None:
    task = desk.open(skill="senior")
    assert desk.claim(ANNA, skills=("",)) == []
    with pytest.raises(SkillMissing):
        _claim_one(desk, task.id, ("",))
    _rule(desk, skills={"senior": ["anna"]})
    assert desk.storage.read(lambda uow: desk.tasks.next_for(uow, ANNA, desk.scope)) == task.id
    assert desk.storage.read(lambda uow: desk.tasks.next_for(uow, BEN, desk.scope)) is None
    assert [one.id for one in desk.claim(ANNA)] == [task.id]


def test_rules_are_journalled_once(desk: Desk) -> None:
    for _ in range(2):
        _rule(desk, most_held=2)
    desk.journal.integrate(desk.storage)
    entries = desk.storage.read(lambda uow: desk.journal.read_after(uow, -1, 100))
    assert [one.payload for one in entries if one.verb == "tasks.queue_rules_set"] == [
        {"document": QueueRules(most_held=2).to_dict() | {"chain": []}}
    ]


def test_a_label_climbs_the_chain_and_stays_with_leads(desk: Desk) -> None:
    _rule(desk, chain=["senior"])
    desk.bring(1)
    desk.open(kind="label", item_id=desk.bring(1, "other")[0])
    seen = []
    for who in (ANNA, BEN, CARA):
        (one,) = desk.claim(who, skills=("", "senior", LEAD))
        seen.append(one.skill)
        desk.answer(who, one.id, None, "escalate")
    (last,) = desk.storage.read(lambda uow: desk.tasks.open_tasks(uow, desk.scope)).items
    assert (*seen, last.skill) == ("", "senior", LEAD, LEAD)
    assert set(last.not_by) == {"anna", "ben", "cara"}


# What people complain of in other products


def test_a_claim_is_not_lost_when_the_page_is_loaded_again(desk: Desk, clock: FixedClock) -> None:
    """What one holds is what one goes on with, and holding it again lengthens the lease."""
    task = desk.open()
    desk.claim(ANNA)
    clock.advance(seconds=590)
    assert desk.storage.read(lambda uow: desk.tasks.next_for(uow, ANNA, desk.scope)) == task.id
    _claim_one(desk, task.id)
    clock.advance(seconds=590)
    assert desk.task(task.id).claimed_by == "anna"
    with pytest.raises(ClaimedByOther):
        desk.answer(BEN, task.id)


def test_a_skipped_task_does_not_come_back_at_once_to_the_same_person(desk: Desk, clock: FixedClock) -> None:
    first, second = desk.open(priority=9), desk.open()

    def skip(who: Actor) -> None:
        desk.storage.write(lambda uow: desk.tasks.release(uow, who, desk.scope, first.id))

    desk.claim(ANNA)
    skip(ANNA)
    assert desk.storage.read(lambda uow: desk.tasks.next_for(uow, ANNA, desk.scope)) == second.id
    assert [one.id for one in desk.claim(ANNA, 5)] == [second.id]
    assert [one.id for one in desk.claim(BEN)] == [first.id], "everybody else gets it as before"
    skip(BEN)
    assert desk.claim(ANNA) == desk.claim(BEN) == []
    _claim_one(desk, first.id)  # who asks for it by name has it
    skip(ANNA)
    clock.advance(seconds=600)
    assert [one.id for one in desk.claim(ANNA)] == [first.id], "and nothing is left with nobody"
    assert desk.counts() == desk.counted_again()


def test_a_claimed_task_is_stuck_with_nobody(desk: Desk, clock: FixedClock) -> None:
    """Who never comes back loses the lease; the next claim finds the task without waiting for anything."""
    task = desk.open()
    desk.claim(ANNA)
    assert desk.claim(BEN) == []
    clock.advance(seconds=600)
    assert [one.id for one in desk.claim(BEN)] == [task.id]
