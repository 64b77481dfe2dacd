"""Plants control items among the audits and hears their answers. Like a seed, a control item has no decision and makes
no label, so training, commits, figures, deadlines, tallies and certificates cannot see one.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from handrail.cycle.datasets import Datasets
from handrail.cycle.review import controls, seeds, store
from handrail.cycle.review.again import again
from handrail.cycle.review.events import ControlAnswered
from handrail.cycle.review.policy import Policy
from handrail.cycle.review.seeding import known_cases
from handrail.cycle.review.steering import Steering
from handrail.cycle.review.store.controls import ControlRow
from handrail.cycle.tasks import Answer, NewTask, Task, Tasks
from handrail.cycle.tasks.model import BLIND_REASON
from handrail.cycle.tasks.urgency import passed_on
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock, micros
from handrail.foundation.journal import Journal
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import UnitOfWork

_LATER = timedelta(hours=1)


class Controlling:
    """Opens the control items that decide() drew, each at a time of its own, and keeps what their answers show."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        randomness: Randomness,
        datasets: Datasets,
        tasks: Tasks,
        steering: Steering,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._randomness = randomness
        self._datasets = datasets
        self._tasks = tasks
        self._steering = steering

    def plant_due(self, uow: UnitOfWork, now: datetime) -> int:
        """Open the control items of every project that are due; return how many. One without a case waits an hour."""
        opened = 0
        for control_id, project_id, question, share in store.controls_to_open(uow, micros(now)):
            scope = Scope(project_id)
            policy = self._steering.policy(uow, scope)
            if policy.question != question or not policy.control_share:
                store.drop_control(uow, scope, control_id)
            elif self._open(uow, scope, policy, control_id, share, now):
                opened += 1
            else:
                store.postpone_control(uow, scope, control_id, micros(now + _LATER))
        return opened

    def heard(self, uow: UnitOfWork, actor: Actor, scope: Scope, task: Task, answer: Answer) -> None:
        """Take what a person said, as an audit does: another person looks where the first differs from the answer that
        it stands for. The journal reveals it with its verdict. A task that is none is left.
        """
        found = store.control_of_task(uow, scope, task.id)
        if found is None:
            return
        if answer.verb in ("abstain", "escalate"):
            more = {"skill": self._tasks.staffing.next_skill(uow, scope, task.skill)}
            self.go_on(uow, scope, found, task, actor, **(more if answer.verb == "escalate" else {}))
            return
        verdicts = (*found.verdicts, (actor.id, answer.value))
        values = [value for _, value in verdicts]
        wrong = controls.heard(found.given, values, second_opinion=found.second_opinion)
        store.hear_control(uow, scope, found.id, verdicts=verdicts, wrong=wrong, at=answer.answered_at)
        if wrong is None:
            self.go_on(uow, scope, found, task, actor)
            return
        event = ControlAnswered(
            control_id=found.id,
            task_id=task.id,
            item_id=found.item_id,
            stands=found.stands,
            truth=found.truth,
            given=found.given,
            values=values,
            outcome=controls.outcome(found.stands, wrong),
            second_opinion=found.second_opinion,
            share=found.share,
            opened_at=found.opened_at.isoformat(),
        )
        self._journal.append(uow, actor, scope.project_id, event)

    def go_on(
        self,
        uow: UnitOfWork,
        scope: Scope,
        one: ControlRow,
        task: Task,
        actor: Actor | None,
        *,
        skill: str | None = None,
    ) -> str:
        """Open the task of a control item again, not for `actor`; return the new one's id.

        Not journalled here, as the next task of an audit is not: an entry would tell who reads it.
        """
        not_by = task.not_by if actor is None else (*task.not_by, actor.id)
        worth = passed_on(task.worth, escalated=skill is not None)
        new = again(task, not_by=not_by, priority=worth, skill=task.skill if skill is None else skill)
        (opened,) = self._tasks.open_many(uow, scope, [new])
        store.move_control(uow, scope, one.id, opened.id)
        return opened.id

    def measured(
        self, uow: UnitOfWork, scope: Scope, question: str, *, second_opinion: bool, delta: float
    ) -> controls.Measured:
        """Return the reviewers' error as the control items of a question show it, of those heard by the same steps."""
        now = self._clock.now()
        rows = [one for one in store.controls(uow, scope, question) if one.second_opinion == second_opinion]
        found = [controls.Answered(one.stands, one.wrong, bool(one.verdicts), one.due_at <= now) for one in rows]
        return controls.measured(found, delta=delta)

    def _open(
        self, uow: UnitOfWork, scope: Scope, policy: Policy, control_id: str, share: float, now: datetime
    ) -> bool:
        known = known_cases(self._datasets, uow, scope, policy.question)
        if len(known) < seeds.LEAST_KNOWN:
            return False
        # A case is one control item at most, or the cases that fool everybody would count again and again.
        used = {one.item_id for one in store.controls(uow, scope, policy.question)}
        fresh = [one for one in known if one.item_id not in used]
        if not fresh:
            return False
        one = fresh[self._randomness.choose(len(fresh), 1)[0]]
        choices = self._datasets.schema(uow, scope).question(policy.question).classes
        stands, given = controls.stand_for(one.truth, choices, self._randomness.uniform)
        labelled = {each.actor_id for each in self._datasets.label_history(uow, scope, one.item_id, policy.question)}
        new = NewTask(
            kind="audit",
            question=policy.question,
            item_id=one.item_id,
            priority=1,
            reason=BLIND_REASON,
            blind=True,
            not_by=tuple(sorted(labelled | store.people_who_know(uow, scope, one.item_id))),
        )
        (task,) = self._tasks.open_many(uow, scope, [new])
        due, second = now + timedelta(days=policy.audit_due_days), self._second(uow, scope, policy)
        row = ControlRow(
            control_id, policy.question, share, task.id, one.item_id, stands, one.truth, given, second, now, due,
            (), None, None,
        )  # fmt: skip
        store.open_control(uow, scope, row)
        return True

    def _second(self, uow: UnitOfWork, scope: Scope, policy: Policy) -> bool:
        """Return whether an error needs a second opinion, as audits of the certificate in force have it."""
        control, _ = self._steering.control(uow, scope)
        found = None if control.certificate_id is None else store.get_certificate(uow, scope, control.certificate_id)
        return policy.second_opinion if found is None else bool(found[0].document.get("second_opinion", False))
