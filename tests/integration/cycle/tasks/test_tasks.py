"""Claims, answers and leases on both databases."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from handrail.cycle.datasets import Datasets, Field, NewItem, Question, Schema
from handrail.cycle.tasks import Answered, NewTask, Task, Tasks
from handrail.cycle.tasks.model import (
    AlreadyAnswered,
    ClaimedByOther,
    NotAPerson,
    SecondLook,
    TaskInvalid,
    VerbNotAllowed,
)
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import FixedClock
from handrail.foundation.errors import Invalid
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import Storage

MACHINE = Actor(kind="machine", id="m", name="service")
ANNA = Actor(kind="person", id="anna", name="Anna")
BEN = Actor(kind="person", id="ben", name="Ben")


@pytest.fixture
def journal(clock: FixedClock, ids: Ids, randomness: Randomness) -> Journal:
    return Journal(clock, ids, randomness)


@pytest.fixture
def datasets(
    storage: Storage, journal: Journal, clock: FixedClock, ids: Ids, randomness: Randomness, tmp_path
) -> Datasets:
    return Datasets(storage, journal, clock, ids, randomness, tmp_path / "datasets")


@pytest.fixture
def tasks(journal: Journal, clock: FixedClock, ids: Ids, datasets: Datasets) -> Tasks:
    return Tasks(journal, clock, ids, datasets)


@pytest.fixture
def scope(storage: Storage, datasets: Datasets) -> Scope:
    schema = Schema(
        fields=(Field(name="size", type="number"),),
        questions=(Question(name="kind", type="choice", choices=("a", "b")),),
    )
    project = storage.write(lambda uow: datasets.create_project(uow, MACHINE, "triage", schema))
    storage.write(
        lambda uow: datasets.add_items(uow, MACHINE, Scope(project.id), [NewItem(external_id="1", data={"size": 1.0})])
    )
    return Scope(project.id)


def opened(storage: Storage, tasks: Tasks, scope: Scope, count: int = 1, **more) -> list[Task]:
    new = NewTask(**{"kind": "label", "question": "kind", **more})
    return [storage.write(lambda uow: tasks.open(uow, MACHINE, scope, new)) for _ in range(count)]


def test_tasks_are_claimed_by_priority_then_age(storage: Storage, tasks: Tasks, scope: Scope) -> None:
    low = opened(storage, tasks, scope, 2)
    high = opened(storage, tasks, scope, 1, priority=5)
    got = storage.write(lambda uow: tasks.claim(uow, ANNA, scope, n=3))
    assert [one.id for one in got] == [high[0].id, low[0].id, low[1].id]
    assert storage.write(lambda uow: tasks.claim(uow, BEN, scope, n=3)) == []


def test_a_machine_neither_claims_nor_answers(storage: Storage, tasks: Tasks, scope: Scope) -> None:
    (one,) = opened(storage, tasks, scope)
    with pytest.raises(NotAPerson):
        storage.write(lambda uow: tasks.claim(uow, MACHINE, scope))
    with pytest.raises(NotAPerson):
        storage.write(lambda uow: tasks.answer(uow, MACHINE, scope, one.id, Answered("a", "label")))


def test_an_answer_is_stored_once_and_repeating_it_is_harmless(storage: Storage, tasks: Tasks, scope: Scope) -> None:
    (one,) = opened(storage, tasks, scope)
    heard: list[str] = []
    tasks.on_answer("label", lambda uow, actor, scope, task, answer: heard.append(answer.id))
    first = storage.write(lambda uow: tasks.answer(uow, ANNA, scope, one.id, Answered("a", "label")))
    again = storage.write(lambda uow: tasks.answer(uow, ANNA, scope, one.id, Answered("a", "label")))
    assert (again, heard) == (first, [first.id])
    for actor, value in ((ANNA, "b"), (BEN, "a")):
        with pytest.raises(AlreadyAnswered):
            storage.write(lambda uow, a=actor, v=value: tasks.answer(uow, a, scope, one.id, Answered(v, "label")))


def test_an_answer_that_breaks_the_question_or_the_kind_is_refused(
    storage: Storage, tasks: Tasks, scope: Scope
) -> None:
    (one,) = opened(storage, tasks, scope)
    for given, error in (
        (Answered("c", "label"), Invalid),
        (Answered(None, "label"), TaskInvalid),
        (Answered("a", "sign"), VerbNotAllowed),
    ):
        with pytest.raises(error):
            storage.write(lambda uow, g=given: tasks.answer(uow, ANNA, scope, one.id, g))
    assert storage.read(lambda uow: tasks.task(uow, scope, one.id)).status == "open"


def test_a_lease_keeps_others_out_until_it_ends(
    storage: Storage, tasks: Tasks, scope: Scope, clock: FixedClock
) -> None:
    (one,) = opened(storage, tasks, scope)
    storage.write(lambda uow: tasks.claim_one(uow, ANNA, scope, one.id, lease_s=60))
    with pytest.raises(ClaimedByOther):
        storage.write(lambda uow: tasks.answer(uow, BEN, scope, one.id, Answered("a", "label")))
    clock.advance(seconds=61)
    assert [got.id for got in storage.write(lambda uow: tasks.claim(uow, BEN, scope))] == [one.id]
    with pytest.raises(ClaimedByOther):
        storage.write(lambda uow: tasks.answer(uow, ANNA, scope, one.id, Answered("a", "label")))


def test_who_looked_before_does_not_get_the_task_again(storage: Storage, tasks: Tasks, scope: Scope) -> None:
    (one,) = opened(storage, tasks, scope, 1, not_by=("anna",))
    assert storage.write(lambda uow: tasks.claim(uow, ANNA, scope)) == []
    with pytest.raises(SecondLook):
        storage.write(lambda uow: tasks.answer(uow, ANNA, scope, one.id, Answered("a", "label")))
    assert [got.id for got in storage.write(lambda uow: tasks.claim(uow, BEN, scope))] == [one.id]


def test_a_deadline_expires_the_task_and_tells_its_stage(
    storage: Storage, tasks: Tasks, scope: Scope, clock: FixedClock
) -> None:
    (one,) = opened(storage, tasks, scope, 1, deadline=clock.now() + timedelta(seconds=10))
    told: list[str] = []
    tasks.on_expire("label", lambda uow, actor, scope, task: told.append(task.id))
    assert storage.write(lambda uow: tasks.expire(uow, clock.now())) == 0
    clock.advance(seconds=11)
    assert storage.write(lambda uow: tasks.expire(uow, clock.now())) == 1
    assert storage.read(lambda uow: tasks.task(uow, scope, one.id)).status == "expired"
    assert told == [one.id]


def test_a_blind_task_refuses_to_carry_an_answer() -> None:
    with pytest.raises(TaskInvalid):
        NewTask(kind="audit", question="kind", blind=True, payload={"prediction": {"value": "a"}})


def test_no_task_goes_to_two_people(storage: Storage, tasks: Tasks, scope: Scope) -> None:
    made = {one.id for one in opened(storage, tasks, scope, 60)}
    got: list[list[str]] = [[] for _ in range(8)]

    def work(number: int) -> None:
        person = Actor(kind="person", id=f"p{number}", name=f"P{number}")
        while batch := storage.write(lambda uow: tasks.claim(uow, person, scope, n=3)):
            got[number] += [one.id for one in batch]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    claimed = [one for each in got for one in each]
    assert len(claimed) == len(set(claimed)) == len(made)
