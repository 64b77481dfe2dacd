"""How a queue does, from what is in the database: loads, the oldest task, the days behind the forecast."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from handrail.cycle.tasks.outlook import Outlook, PersonLoad
from handrail.foundation.clock import FixedClock
from handrail.foundation.storage import Storage
from tests.integration.cycle.tasks.desk import ANNA, BEN, Desk


@pytest.fixture
def desk(storage: Storage, clock: FixedClock, tmp_path: Path) -> Desk:
    return Desk(storage, clock, tmp_path / "datasets")


def _look(desk: Desk) -> Outlook:
    return desk.storage.read(lambda uow: desk.tasks.staffing.outlook(uow, desk.scope))


def test_an_empty_queue(desk: Desk) -> None:
    found = _look(desk)
    assert (found.open, found.claimed, found.oldest_at, found.people, found.forecast) == (0, 0, None, (), None)
    assert found.why.startswith("No forecast")


def test_what_waits_and_who_works(desk: Desk, clock: FixedClock) -> None:
    first = desk.open(priority=-5)
    opened = clock.now()
    clock.advance(seconds=7200)
    for number in range(6):
        desk.open(priority=3, skill="" if number % 2 else "senior")
    desk.claim(BEN, 2)
    for one in desk.claim(ANNA, 1):
        desk.answer(ANNA, one.id)
    clock.advance(seconds=4000)
    desk.claim(BEN, 1, skills=("senior",))
    task = desk.open(deadline=clock.now() + timedelta(hours=3))
    desk.answer(ANNA, task.id)
    desk.open(deadline=clock.now() + timedelta(hours=30))
    desk.open(deadline=clock.now() + timedelta(hours=2))
    found = _look(desk)
    assert (found.open, found.claimed) == (7, 1), "what Ben let run out is open again"
    assert found.oldest_at == opened == desk.task(first.id).opened_at
    assert (found.answers_last_hour, found.answers_last_day, found.due_next_day) == (1, 2, 1)
    assert found.people == (PersonLoad("anna", "Anna", 0, 1, 2), PersonLoad("ben", "ben", 1, 0, 0))


def test_the_last_days_are_lived_again(desk: Desk, clock: FixedClock) -> None:
    """Six days, six answers in the first hour of each: of ten tasks due in two hours four will be late."""
    start = clock.now()
    for day in range(6):
        for _ in range(6):
            desk.answer(ANNA, desk.open().id)
        assert (_look(desk).forecast is None) == (day < 5)
        clock.advance(seconds=86_400)
    assert clock.now() == start + timedelta(days=6)
    for _ in range(10):
        desk.open(deadline=clock.now() + timedelta(hours=2, minutes=30))
    found = _look(desk).forecast
    assert found is not None
    assert (found.missing, found.low, found.high, found.n) == (4, 4, 4, 6)
    desk.claim(BEN, 5)
    assert _look(desk).forecast == found, "what is claimed is not answered"
    for one in desk.storage.read(lambda uow: desk.tasks.held(uow, BEN, desk.scope)):
        desk.answer(BEN, one.id)
    later = _look(desk).forecast
    assert later is not None
    assert later.missing == 0


def test_what_came_with_a_deadline_comes_again(desk: Desk, clock: FixedClock) -> None:
    """Each day eight come with an hour to go and six are answered: two will be late tomorrow too."""
    for _ in range(6):
        for number in range(8):
            task = desk.open(deadline=clock.now() + timedelta(minutes=90))
            if number < 6:
                desk.answer(ANNA, task.id)
        clock.advance(seconds=86_400)
        desk.storage.write(lambda uow: desk.tasks.expire(uow, clock.now()))
    found = _look(desk).forecast
    assert found is not None
    assert (found.missing, found.high, found.n) == (2, 2, 6)
