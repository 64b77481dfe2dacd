"""People open, claim, renew, release, answer; time passes. The queue must agree with a model that is a plain dict."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from handrail.cycle.tasks import urgency
from handrail.cycle.tasks.model import (
    AlreadyAnswered,
    ClaimedByOther,
    ClaimOver,
    SecondLook,
    SkillMissing,
    TaskClosed,
)
from handrail.cycle.tasks.staffing import QueueRules
from handrail.foundation.clock import FixedClock
from handrail.foundation.errors import HandrailError
from handrail.foundation.storage import open_storage
from tests.integration.cycle.tasks.desk import ANNA, BEN, CARA, RULE, Desk

PEOPLE = {one.id: one for one in (ANNA, BEN, CARA)}
WHO = st.sampled_from(sorted(PEOPLE))
SKILLS = st.sampled_from([("",), ("lead",), ("", "lead"), ("lead", "", "lead")])
KINDS = st.sampled_from([None, ("review",), ("review", "appeal"), ("label",)])
LEASE = st.sampled_from([5, 60])
CLIMB_MINUTES = 6


@dataclass
class Known:
    id: str
    kind: str
    priority: int
    skill: str
    not_by: tuple[str, ...]
    deadline: datetime | None
    worth: int
    opened_at: datetime
    status: str = "open"
    holder: str | None = None
    until: datetime | None = None
    said: tuple[str, str] | None = None
    holders: list[str] = field(default_factory=list)
    waits_since: datetime | None = None
    skipped: set[str] = field(default_factory=set)
    skipped_until: datetime = datetime(2026, 1, 1, tzinfo=UTC)


class QueueMachine(RuleBasedStateMachine):
    tasks = Bundle("tasks")

    @initialize()
    def begin(self) -> None:
        self.home = Path(tempfile.mkdtemp())
        self.storage = open_storage(f"sqlite:///{self.home / 'handrail.db'}")
        self.clock = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.desk = Desk(self.storage, self.clock, self.home / "datasets")
        rules = QueueRules(climb_minutes=CLIMB_MINUTES)
        self.storage.write(lambda uow: self.desk.tasks.staffing.set_rules(uow, RULE, self.desk.scope, rules))
        self.known: dict[str, Known] = {}
        self.expired: list[str] = []
        self.desk.tasks.on_expire("review", lambda uow, actor, scope, task: self.expired.append(task.id))

    def teardown(self) -> None:
        if hasattr(self, "storage"):
            self.storage.close()
            shutil.rmtree(self.home)

    # The model

    def _take_back(self) -> None:
        for one in self.known.values():
            if one.status == "claimed" and one.until is not None and one.until <= self.clock.now():
                one.status, one.holder, one.until, one.waits_since = "open", None, None, one.until

    def _queue(self, who: str, skills: tuple[str, ...], kinds: tuple[str, ...] | None) -> list[Known]:
        free = [
            one
            for one in self.known.values()
            if one.status == "open"
            and one.skill in skills
            and who not in one.not_by
            and (who not in one.skipped or one.skipped_until <= self.clock.now())
            and (kinds is None or one.kind in kinds)
            and (one.deadline is None or one.deadline > self.clock.now())
        ]
        return sorted(free, key=lambda one: (-one.priority, one.id))

    def _refusal(self, one: Known, who: str, skills: tuple[str, ...] | None) -> type[HandrailError] | None:
        if one.status == "answered":
            return AlreadyAnswered
        if one.status in ("expired", "withdrawn") or (one.deadline is not None and one.deadline <= self.clock.now()):
            return TaskClosed
        if who in one.not_by:
            return SecondLook
        if skills is not None and one.skill not in skills:
            return SkillMissing
        held = one.status == "claimed" and one.until is not None and one.until > self.clock.now()
        return ClaimedByOther if held and one.holder != who else None

    def _try(self, refusal: type[HandrailError] | None, call: Any) -> Any:
        if refusal is None:
            return call()
        with pytest.raises(refusal):
            call()
        return None

    # What people do

    @rule(
        target=tasks,
        kind=st.sampled_from(["review", "appeal"]),
        priority=st.integers(-1, 2),
        skill=st.sampled_from(["", "lead"]),
        not_by=st.sampled_from([(), ("anna",), ("anna", "ben")]),
        deadline=st.sampled_from([None, 30, 300, 3700, 90_000]),
    )
    def open(self, kind: str, priority: int, skill: str, not_by: tuple[str, ...], deadline: int | None) -> str:
        end = None if deadline is None else self.clock.now() + timedelta(seconds=deadline)
        made = self.desk.open(kind=kind, priority=priority, skill=skill, not_by=not_by, deadline=end)
        assert made.priority == self._priority(priority, made.opened_at, end)
        self.known[made.id] = Known(made.id, kind, made.priority, skill, not_by, end, priority, made.opened_at)
        self.known[made.id].waits_since = made.opened_at
        return made.id

    @rule(who=WHO, n=st.integers(1, 5), skills=SKILLS, kinds=KINDS, lease=LEASE)
    def claim(self, who: str, n: int, skills: tuple[str, ...], kinds: tuple[str, ...] | None, lease: int) -> None:
        self._take_back()
        wanted = self._queue(who, skills, kinds)[:n]
        got = self.desk.claim(PEOPLE[who], n, skills=skills, kinds=kinds, lease_s=lease)
        assert [one.id for one in got] == [one.id for one in wanted]
        for one in wanted:
            one.status, one.holder, one.until = "claimed", who, self.clock.now() + timedelta(seconds=lease)
            one.holders.append(who)

    @rule(task=tasks, who=WHO, skills=st.one_of(st.none(), SKILLS), lease=LEASE)
    def claim_one(self, task: str, who: str, skills: tuple[str, ...] | None, lease: int) -> None:
        one = self.known[task]
        desk, scope = self.desk, self.desk.scope
        made = self._try(
            self._refusal(one, who, skills),
            lambda: self.storage.write(
                lambda uow: desk.tasks.claim_one(uow, PEOPLE[who], scope, task, skills=skills, lease_s=lease)
            ),
        )
        if made is not None:
            one.status, one.holder, one.until = "claimed", who, self.clock.now() + timedelta(seconds=lease)

    @rule(task=tasks, who=WHO)
    def renew(self, task: str, who: str) -> None:
        one = self.known[task]
        holds = one.status == "claimed" and one.holder == who and one.until is not None
        refusal = None if holds and one.until is not None and one.until > self.clock.now() else ClaimOver
        desk = self.desk
        if self._try(
            refusal, lambda: self.storage.write(lambda uow: desk.tasks.renew(uow, PEOPLE[who], desk.scope, task))
        ):
            one.until = self.clock.now() + timedelta(seconds=600)

    @rule(task=tasks, who=WHO)
    def release(self, task: str, who: str) -> None:
        desk = self.desk
        self.storage.write(lambda uow: desk.tasks.release(uow, PEOPLE[who], desk.scope, task))
        one = self.known[task]
        if one.status == "claimed" and one.holder == who:
            one.status, one.holder, one.until = "open", None, None
            one.waits_since = self.clock.now()
            one.skipped, one.skipped_until = {*one.skipped, who}, self.clock.now() + timedelta(seconds=600)

    @rule(task=tasks, who=WHO, value=st.sampled_from(["a", "b"]))
    def answer(self, task: str, who: str, value: str) -> None:
        one = self.known[task]
        refusal = self._refusal(one, who, None)
        if one.said == (who, value):
            refusal = None  # the same again is the same answer
        verb = "label" if one.kind == "review" else "reverse"
        if self._try(refusal, lambda: self.desk.answer(PEOPLE[who], task, value, verb)):
            assert one.said in (None, (who, value))
            one.status, one.holder, one.until, one.said = "answered", who, None, (who, value)

    @rule(task=tasks)
    def withdraw(self, task: str) -> None:
        desk = self.desk
        self.storage.write(lambda uow: desk.tasks.withdraw(uow, RULE, desk.scope, task, "not needed"))
        one = self.known[task]
        if one.status in ("open", "claimed"):
            one.status, one.holder, one.until = "withdrawn", None, None

    @rule()
    def expire(self) -> None:
        now = self.clock.now()
        self.storage.write(lambda uow: self.desk.tasks.expire(uow, now))
        self._take_back()
        for one in self.known.values():
            if one.status in ("open", "claimed") and one.deadline is not None and one.deadline <= now:
                one.status, one.holder, one.until = "expired", None, None
                assert one.kind != "review" or one.id in self.expired

    @precondition(lambda self: bool(self.known))
    @rule(seconds=st.sampled_from([1, 10, 40, 400, 86_400]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)

    @precondition(lambda self: bool(self.known))
    @rule()
    def raise_due(self) -> None:
        """Whoever is still to be answered has the priority of now; what is closed keeps its own."""
        self.storage.write(lambda uow: self.desk.tasks.raise_due(uow, self.clock.now()))
        for one in self.known.values():
            if one.status in ("open", "claimed"):
                one.priority = self._priority(one.worth, one.opened_at, one.deadline)

    @precondition(lambda self: bool(self.known))
    @rule()
    def climb_due(self) -> None:
        """What was open without a claim for six minutes asks for the next skill; there is no chain but leads."""
        now = self.clock.now()
        self.storage.write(lambda uow: self.desk.tasks.staffing.climb_due(uow, now))
        for one in self.known.values():
            waited = one.waits_since is not None and now - one.waits_since >= timedelta(minutes=CLIMB_MINUTES)
            if one.status == "open" and one.skill != "lead" and waited:
                one.skill, one.waits_since = "lead", now

    def _priority(self, worth: int, opened_at: datetime, deadline: datetime | None) -> int:
        return urgency.priority(worth, opened_at, deadline, self.clock.now())

    # What must always hold

    @invariant()
    def every_task_is_where_the_model_has_it(self) -> None:
        for one in getattr(self, "known", {}).values():
            found = self.desk.task(one.id)
            assert (found.status, found.claimed_by, found.claimed_until) == (one.status, one.holder, one.until)
            assert found.skill == one.skill

    @invariant()
    def the_counts_are_what_counting_gives(self) -> None:
        if hasattr(self, "desk"):
            assert self.desk.counts() == self.desk.counted_again()

    @invariant()
    def the_list_is_the_queue_in_its_order(self) -> None:
        if not hasattr(self, "desk"):
            return
        listed: list[str] = []
        after: str | None = None
        while True:
            page = self.storage.read(
                lambda uow, after=after: self.desk.tasks.open_tasks(uow, self.desk.scope, after, 3)  # type: ignore[misc]
            )
            listed += [one.id for one in page.items]
            after = page.next
            if after is None:
                break
        wanted = sorted(
            (one for one in self.known.values() if one.status == "open"), key=lambda one: (-one.priority, one.id)
        )
        assert listed == [one.id for one in wanted]


QueueMachine.TestCase.settings = settings(max_examples=20, stateful_step_count=40)
TestQueue = QueueMachine.TestCase
