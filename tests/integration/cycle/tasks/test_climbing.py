"""What nobody claims in time climbs the chain: one skill at a time, so many in a turn, alike for every task."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.dialects import sqlite as sqlite_dialect

from handrail.cycle.tasks import NewTask, Task, climbing
from handrail.cycle.tasks.model import LEAD
from handrail.cycle.tasks.staffing import QueueRules
from handrail.cycle.tasks.store import climbing as statements
from handrail.foundation.clock import FixedClock
from handrail.foundation.storage import Storage, open_storage
from handrail.foundation.storage.compiled import Compiler
from handrail.foundation.storage.sqlite_unit import connect
from tests.integration.cycle.tasks.desk import ANNA, BEN, QUESTION, RULE, Desk

MINUTE = 60


@pytest.fixture
def desk(storage: Storage, clock: FixedClock, tmp_path: Path) -> Desk:
    made = Desk(storage, clock, tmp_path / "datasets")
    rule(made, climb_minutes=30, chain=["senior"])
    return made


def rule(desk: Desk, **rules: Any) -> None:
    made = QueueRules.from_dict(rules)
    desk.storage.write(lambda uow: desk.tasks.staffing.set_rules(uow, RULE, desk.scope, made))


def climb(desk: Desk) -> int:
    return desk.storage.write(lambda uow: desk.tasks.staffing.climb_due(uow, desk.clock.now()))


def skill(desk: Desk, one: Task) -> str:
    return desk.task(one.id).skill


def climbed(desk: Desk) -> list[dict[str, Any]]:
    desk.journal.integrate(desk.storage)
    entries = desk.storage.read(lambda uow: desk.journal.read_after(uow, -1, 1000))
    return [dict(one.payload or {}) for one in entries if one.verb == "tasks.climbed"]


def test_it_climbs_once_for_each_wait_and_stays_with_leads(desk: Desk, clock: FixedClock) -> None:
    task = desk.open(decision_id="d-1")
    seen = []
    for seconds in (29 * MINUTE, MINUTE, 0, 29 * MINUTE, MINUTE, 300 * MINUTE):
        clock.advance(seconds=seconds)
        seen.append((climb(desk), skill(desk, task)))
    assert seen == [(0, ""), (1, "senior"), (0, "senior"), (0, "senior"), (1, LEAD), (0, LEAD)]
    assert desk.counts() == desk.counted_again()
    assert climbed(desk) == [
        {"task_ids": [task.id], "tasks": 1, "from_skill": before, "to_skill": after, "waited_s": 1800.0}
        for before, after in (("", "senior"), ("senior", LEAD))
    ]


def test_only_who_has_the_next_skill_gets_it_and_everybody_sees_where_it_is(desk: Desk, clock: FixedClock) -> None:
    rule(desk, climb_minutes=30, chain=["senior"], skills={"senior": ["anna"]})
    task = desk.open()
    clock.advance(seconds=1800)
    climb(desk)
    assert desk.claim(BEN) == []
    assert [one.id for one in desk.storage.read(lambda uow: desk.tasks.open_tasks(uow, desk.scope)).items] == [task.id]
    assert [one.id for one in desk.claim(ANNA)] == [task.id]


def test_a_claim_ends_the_wait_and_giving_back_begins_it_anew(desk: Desk, clock: FixedClock) -> None:
    held, back, over = (desk.open(priority=number) for number in (3, 2, 1))
    clock.advance(seconds=20 * MINUTE)
    desk.claim(ANNA, lease_s=7200)
    desk.claim(ANNA)
    desk.storage.write(lambda uow: desk.tasks.release(uow, ANNA, desk.scope, back.id))
    desk.claim(BEN, 1, lease_s=MINUTE)  # what Anna gave back comes first
    desk.claim(BEN, 1, lease_s=MINUTE)
    clock.advance(seconds=20 * MINUTE)
    desk.storage.write(lambda uow: desk.tasks.expire(uow, clock.now()))
    assert climb(desk) == 0
    assert desk.task(over.id).waits_since == clock.now() - timedelta(minutes=19), "since the lease was over"
    clock.advance(seconds=11 * MINUTE)
    assert climb(desk) == 2
    assert [skill(desk, one) for one in (held, back, over)] == ["", "senior", "senior"]


def test_what_is_done_or_gone_climbs_no_more(desk: Desk, clock: FixedClock) -> None:
    answered, withdrawn, expired = desk.open(), desk.open(), desk.open(deadline=clock.now() + timedelta(minutes=5))
    desk.answer(ANNA, answered.id)
    desk.storage.write(lambda uow: desk.tasks.withdraw(uow, RULE, desk.scope, withdrawn.id, "not needed"))
    clock.advance(seconds=1800)
    desk.storage.write(lambda uow: desk.tasks.expire(uow, clock.now()))
    assert climb(desk) == 0
    assert {skill(desk, one) for one in (answered, withdrawn, expired)} == {""}


def test_rules_count_from_now_on_for_what_waits_already(desk: Desk, clock: FixedClock) -> None:
    rule(desk)
    task = desk.open()
    clock.advance(seconds=86_400)
    assert climb(desk) == 0, "never, unless the project says so"
    rule(desk, climb_minutes=1440)
    assert (climb(desk), skill(desk, task)) == (1, LEAD), "without a chain leads are next"


def test_a_turn_looks_at_a_bounded_number_of_new_tasks_and_none_twice(
    desk: Desk, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "_NEW", statements._NEW.limit(2))
    other = Desk(desk.storage, clock, Path("unused"), name="other", seed=8)
    tasks = [(desk if number % 2 else other).open() for number in range(6)]
    clock.advance(seconds=1800)
    assert [climb(desk) for _ in range(5)] == [1, 1, 1, 0, 0]
    assert [desk.task(one.id).waits_since is None for one in tasks[1::2]] == [False] * 3
    assert [other.task(one.id).waits_since for one in tasks[::2]] == [None] * 3, "its tasks do not climb"


def test_tasks_of_every_kind_blind_or_not_climb_alike(desk: Desk, clock: FixedClock) -> None:
    """Whatever each is worth and whenever it is due; nobody can tell an audit from a draw by who is asked."""
    alike = [
        desk.open(kind="audit", blind=True, priority=900),
        desk.open(kind="label", blind=True),
        desk.open(kind="review", blind=True, deadline=clock.now() + timedelta(minutes=90)),
        desk.open(kind="review", priority=-7),
    ]
    for _ in range(7):
        clock.advance(seconds=10 * MINUTE)
        climb(desk)
        assert len({(skill(desk, one), desk.task(one.id).waits_since) for one in alike}) == 1
        assert len({desk.task(one.id).priority for one in alike[:3]}) == 1
    assert skill(desk, alike[0]) == LEAD


def test_what_no_entry_has_named_is_counted_and_not_named(desk: Desk, clock: FixedClock) -> None:
    """A seed is a review task without a decision: an entry with its id would tell it before its answer."""
    (secret,) = desk.storage.write(
        lambda uow: desk.tasks.open_many(uow, desk.scope, [NewTask(kind="review", question=QUESTION)])
    )
    known = desk.open(decision_id="d-1")
    clock.advance(seconds=1800)
    assert climb(desk) == 2
    assert skill(desk, secret) == skill(desk, known) == "senior"
    (told,) = climbed(desk)
    assert (told["task_ids"], told["tasks"]) == ([known.id], 2)


def test_a_turn_lets_a_bounded_number_climb_the_longest_wait_first(
    desk: Desk, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(climbing, "MOST_CLIMBED", 4)
    tasks = []
    for _ in range(6):
        tasks.append(desk.open())
        clock.advance(seconds=1)
    clock.advance(seconds=1800)
    assert [climb(desk), climb(desk), climb(desk)] == [4, 2, 0]
    other = Desk(desk.storage, clock, Path("unused"), name="other", seed=8)
    rule(other, climb_minutes=30)
    for _ in range(6):
        other.open()
    clock.advance(seconds=1800)
    assert climb(desk) == 4, "half of the turn for each project"
    assert sum(skill(desk, one) == LEAD for one in tasks) == 2
    assert [skill(desk, one) for one in tasks[:4]] != ["senior"] * 4


def test_the_list_and_the_outlook_say_when(desk: Desk, clock: FixedClock) -> None:
    rules = QueueRules(climb_minutes=90)
    rule(desk, climb_minutes=90)
    task, lead = desk.open(), desk.open(skill=LEAD)
    assert rules.climbs_at(task) == clock.now() + timedelta(minutes=90) == rules.climbs_at(desk.task(task.id))
    assert (rules.climbs_at(lead), QueueRules().climbs_at(task)) == (None, None)

    def next_hour() -> int:
        return desk.storage.read(lambda uow: desk.tasks.staffing.outlook(uow, desk.scope)).climb_next_hour

    assert next_hour() == 0
    clock.advance(seconds=30 * MINUTE)
    assert next_hour() == 1, "though nobody has looked at it yet"
    assert (climb(desk), next_hour()) == (0, 1)
    desk.claim(ANNA)
    assert next_hour() == 0
    assert rules.climbs_at(desk.task(task.id)) is None


@pytest.mark.parametrize("statement", [statements._DUE, statements._NUMBER], ids=["due", "how many"])
def test_the_tasks_whose_time_has_come_are_found_by_their_index(tmp_path: Path, statement: Any) -> None:
    """Anything else would walk over every open task twice a second."""
    open_storage(f"sqlite:///{tmp_path / 'handrail.db'}").close()
    values = {"project": "p", "until": 1} | ({"most": 5} if statement is statements._DUE else {})
    compiled, arguments = Compiler(sqlite_dialect.dialect(paramstyle="qmark")).bound(statement, values)
    found = connect(str(tmp_path / "handrail.db"), read_only=True)
    plan = [row[3] for row in found.execute(f"EXPLAIN QUERY PLAN {compiled.sql}", arguments)]
    found.close()
    (step,) = [step for step in plan if "INDEX task_waits" in step]
    assert step.startswith("SEARCH task USING")
    assert "(project_id=? AND waits_since<?)" in step
    assert not any("TEMP B-TREE" in step for step in plan)
