"""What the clock does to audits without a verdict: each is escalated once, and too many of them warn."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from handrail.cycle.review import overdue, store
from handrail.cycle.review.again import again
from handrail.cycle.review.brake import BrakeState
from handrail.cycle.review.controlling import Controlling
from handrail.cycle.review.events import AuditOverdue
from handrail.cycle.review.model import AuditRow
from handrail.cycle.review.steering import Steering
from handrail.cycle.tasks import Task, Tasks
from handrail.cycle.tasks.urgency import passed_on
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import from_micros, micros
from handrail.foundation.journal import Journal
from handrail.foundation.storage import Storage, UnitOfWork

_TIMEKEEPER = Actor.rule("timekeeper")
_WHY = "overdue: it goes on to the people who settle what others leave"


class Escalating:
    """Hands overdue audits on. Control items are treated alike, or the hand-over would tell which they are."""

    def __init__(
        self, storage: Storage, journal: Journal, tasks: Tasks, steering: Steering, controlling: Controlling
    ) -> None:
        self._storage = storage
        self._journal = journal
        self._tasks = tasks
        self._steering = steering
        self._controlling = controlling

    def turn(self, now: datetime) -> int:
        """Escalate what has become overdue in every project; returns how much. One that somebody holds waits for them.

        Each project is a unit of its own, which takes the state of automation first, as an audit's answer does.
        """
        at = micros(now)
        found = self._storage.read(
            lambda uow: {*store.projects_with_overdue_audits(uow, at), *store.projects_with_overdue_controls(uow, at)}
        )
        done = 0
        for project_id in sorted(found):
            done += self._storage.write(lambda uow: self._project(uow, Scope(project_id), at))  # noqa: B023
        return done

    def _project(self, uow: UnitOfWork, scope: Scope, now: int) -> int:
        self._steering.control(uow, scope, lock=True)
        audits, done = store.overdue_audits(uow, scope, now), 0
        for one in audits:
            done += self._audit(uow, scope, one, now)
        for certificate_id in sorted({one.certificate_id for one in audits}):
            self._warn(uow, scope, certificate_id, now)
        for control in store.overdue_controls(uow, scope, now):
            task = self._tasks.task(uow, scope, control.task_id)
            if task.status == "claimed":
                continue
            skill = self._tasks.staffing.next_skill(uow, scope, task.skill)
            if self._taken(uow, scope, task, skill):
                self._controlling.go_on(uow, scope, control, task, None, skill=skill)
            store.mark_control_overdue(uow, scope, control.id, now)
            done += 1
        return done

    def _audit(self, uow: UnitOfWork, scope: Scope, one: AuditRow, now: int) -> bool:
        decision = store.get_decision(uow, scope, one.decision_id, lock=True)
        assert decision is not None  # the audit was drawn with it
        assert decision.task_id is not None
        task = self._tasks.task(uow, scope, decision.task_id)
        if task.status == "claimed":
            return False
        following, skill = task, self._tasks.staffing.next_skill(uow, scope, task.skill)
        if self._taken(uow, scope, task, skill):
            new = again(task, skill=skill, priority=passed_on(task.worth, escalated=True))
            following = self._tasks.open(uow, _TIMEKEEPER, scope, new)
            store.settle(uow, scope, replace(decision, task_id=following.id))
        store.mark_overdue(uow, scope, one.decision_id, now)
        event = AuditOverdue(
            decision_id=one.decision_id,
            item_id=decision.item_id,
            task_id=task.id,
            next_task_id=following.id,
            certificate_id=one.certificate_id,
            due_at=from_micros(one.due_at).isoformat(),
        )
        self._journal.append(uow, _TIMEKEEPER, scope.project_id, event)
        return True

    def _taken(self, uow: UnitOfWork, scope: Scope, task: Task, skill: str) -> bool:
        """Take an open task back; False for one that has come to the end of the chain, and stays there."""
        if task.status != "open" or skill == task.skill:
            return False
        self._tasks.withdraw(uow, _TIMEKEEPER, scope, task.id, _WHY)
        return True

    def _warn(self, uow: UnitOfWork, scope: Scope, certificate_id: str, now: int) -> None:
        """Warn where too many audits of the certificate in force are overdue; its next verdict looks again."""
        found = store.get_certificate(uow, scope, certificate_id, lock=True)
        control, _ = self._steering.control(uow, scope, lock=True)
        row = None if found is None else found[0]
        if row is None or row.brake is None or row.status != "certified" or control.certificate_id != row.id:
            return
        state = BrakeState.from_dict(row.brake)
        if state.level != "auto" or not overdue.too_many(*store.due(uow, scope, certificate_id, before=now)):
            return
        base = store.brake_before_open(uow, scope, certificate_id) or row.brake
        store.put_brake(uow, scope, certificate_id, now=replace(state, warned=True).to_dict(), before_open=base)
        if control.state == "auto":
            self._steering.change(uow, _TIMEKEEPER, scope, "warned", overdue.WORDS)
