"""Priorities that change with time: by deadline and age, a bounded number in a turn, alike for every blind task."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect

from handrail.cycle.tasks import NewTask, store
from handrail.cycle.tasks.store import raising
from handrail.foundation.clock import FixedClock
from handrail.foundation.storage import Storage, open_storage
from tests.integration.cycle.tasks.desk import ANNA, BEN, Desk


@pytest.fixture
def desk(storage: Storage, clock: FixedClock, tmp_path: Path) -> Desk:
    return Desk(storage, clock, tmp_path / "datasets")


def _raise(desk: Desk) -> int:
    return desk.storage.write(lambda uow: desk.tasks.raise_due(uow, desk.clock.now()))


def _listed(desk: Desk) -> list[str]:
    page = desk.storage.read(lambda uow: desk.tasks.open_tasks(uow, desk.scope))
    return [one.id for one in page.items]


def test_a_task_comes_forward_as_its_deadline_comes_near(desk: Desk, clock: FixedClock) -> None:
    dear = desk.open(priority=60)
    near = desk.open(priority=38, deadline=clock.now() + timedelta(hours=30))
    assert _listed(desk) == [dear.id, near.id]
    assert _raise(desk) == 0
    clock.advance(seconds=6 * 3600)
    assert _raise(desk) == 1
    assert (desk.task(near.id).priority, desk.task(dear.id).priority) == (76, 60)
    assert _listed(desk) == [near.id, dear.id]
    assert _raise(desk) == 0
    assert [one.id for one in desk.claim(ANNA)] == [near.id]


def test_what_is_claimed_is_raised_too_and_what_is_answered_is_left(desk: Desk, clock: FixedClock) -> None:
    held, done = desk.open(priority=5), desk.open(priority=5)
    desk.claim(ANNA, 2, lease_s=60)
    desk.answer(ANNA, done.id)
    clock.advance(seconds=86_400)
    assert _raise(desk) == 2
    assert (desk.task(held.id).priority, desk.task(done.id).priority) == (15, 5)
    assert [one.id for one in desk.claim(BEN, 5)] == [held.id]
    of_done = select(store.task.c.raise_at).where(
        store.task.c.project_id == bindparam("project"), store.task.c.id == bindparam("by_id")
    )
    left = desk.storage.read(lambda uow: uow.run(of_done, project=desk.scope.project_id, by_id=done.id).scalar())
    assert left is None


def test_blind_tasks_of_any_kind_have_one_place(desk: Desk, clock: FixedClock) -> None:
    """Whatever each was opened with, and however time passes."""
    soon = clock.now() + timedelta(minutes=20)
    alike = [
        desk.open(kind="audit", blind=True, priority=900),
        desk.open(kind="label", blind=True),
        desk.open(kind="review", blind=True, priority=7, deadline=clock.now() + timedelta(days=2)),
        desk.open(kind="review", blind=True, priority=7, deadline=soon),
    ]
    for seconds in (0, 600, 400_000):
        clock.advance(seconds=seconds)
        _raise(desk)
        assert len({desk.task(one.id).priority for one in alike}) == 1, seconds
    assert desk.task(alike[0].id).priority == 90


def test_a_turn_raises_a_bounded_number(desk: Desk, clock: FixedClock) -> None:
    new = [raising.MOST_RAISED, 3]
    one = desk.open()
    rest = [NewTask(kind="review", question="kind")] * (sum(new) - 1)
    desk.storage.write(lambda uow: desk.tasks.open_many(uow, desk.scope, rest))
    clock.advance(seconds=86_400)
    assert [_raise(desk), _raise(desk), _raise(desk)] == [*new, 0]
    assert desk.task(one.id).priority == 10


def test_the_tasks_whose_time_has_come_are_found_by_their_index(clock: FixedClock, tmp_path: Path) -> None:
    """Anything else would walk over every task twice a second."""
    sqlite = open_storage(f"sqlite:///{tmp_path / 'handrail.db'}")
    statement = str(raising._DUE.compile(dialect=sqlite_dialect())).replace("?", "1")
    plan = sqlite.read(lambda uow: uow.run(text(f"EXPLAIN QUERY PLAN {statement}")).all())
    assert len(plan) == 1
    assert "task_raise" in plan[0][3]
    sqlite.close()
