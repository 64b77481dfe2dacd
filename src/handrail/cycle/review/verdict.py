"""What a person's answer does to a decision: verdicts on deferred items, audits of automatic ones, the brake."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from handrail.cycle.datasets import Datasets, NewLabel
from handrail.cycle.review import store
from handrail.cycle.review.auditing import Auditing
from handrail.cycle.review.certify import Certifying
from handrail.cycle.review.events import DeadlinePassed, Reversed, VerdictGiven
from handrail.cycle.review.model import AlreadyDecided, Decision, DecisionNotFound
from handrail.cycle.review.steering import Steering
from handrail.cycle.tasks import Answer, NewTask, Task, Tasks
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock
from handrail.foundation.journal import Journal
from handrail.foundation.storage import UnitOfWork

_PASSES_ON = frozenset({"escalate", "abstain"})


class Verdicts:
    """Handles answers to review and audit tasks, in the transaction of the answer."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        datasets: Datasets,
        tasks: Tasks,
        certifying: Certifying,
        steering: Steering,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._datasets = datasets
        self._tasks = tasks
        self._certifying = certifying
        self._steering = steering
        self._auditing = Auditing(journal, clock, steering)

    # Handlers that the composition root registers

    def on_review(self, uow: UnitOfWork, actor: Actor, scope: Scope, task: Task, answer: Answer) -> None:
        """Make a deferred decision final, or pass it on to another person.

        Only a look of one's own certifies: who saw the model's answer may have been led by it.
        """
        one = self._decision(uow, scope, task)
        certifies = task.blind and store.open_draw(uow, scope, one.item_id) is not None
        if one.status == "expired" and certifies:
            self._late(uow, actor, scope, one, task, answer)
            return
        if one.status != "pending":
            raise AlreadyDecided(f"This decision is {one.status} already.", decision_id=one.id)
        if answer.verb in _PASSES_ON:
            self._pass_on(uow, actor, scope, one, task, answer)
            return
        value = _value(one, answer)
        rejected = answer.verb == "reject" and value is None
        made = replace(
            one,
            status="blocked" if rejected else "decided",
            value=value,
            by_kind=actor.kind,
            by_id=actor.id,
            decided_at=self._clock.now(),
        )
        store.settle(uow, scope, made)
        if not rejected:
            self._label(uow, actor, scope, made, task, answer, purpose="certify" if certifies else "feedback")
        self._journal.append(uow, actor, scope.project_id, self._verdict(one, task, answer, value))
        if certifies:
            self._certifying.labelled(uow, actor, scope, one.item_id, value)

    def _late(self, uow: UnitOfWork, actor: Actor, scope: Scope, one: Decision, task: Task, answer: Answer) -> None:
        """Take the label of a drawn item whose decision expired: the decision stays as the deadline left it."""
        if answer.verb in _PASSES_ON:
            self._pass_on(uow, actor, scope, one, task, answer)
            return
        self._label(uow, actor, scope, replace(one, value=answer.value), task, answer, purpose="certify")
        self._certifying.labelled(uow, actor, scope, one.item_id, answer.value)

    def before_audit(self, uow: UnitOfWork, scope: Scope) -> None:
        """Take the state of automation first: then every decision made before the brake stands before it in the
        journal too.
        """
        self._steering.control(uow, scope, lock=True)

    def on_audit(self, uow: UnitOfWork, actor: Actor, scope: Scope, task: Task, answer: Answer) -> None:
        """Count a blind check for the brake; a wrong automatic answer is replaced by the person's.

        Where the certificate asks for second opinions, an answer that differs from the model's goes on to another
        person, as blind as the first, before it counts.
        """
        one = self._decision(uow, scope, task)
        if answer.verb in _PASSES_ON:
            self._pass_on(uow, actor, scope, one, task, answer)
            return
        given = None if one.prediction is None else one.prediction["value"]
        wrong = self._auditing.heard(uow, actor, scope, one, task, answer)
        if wrong is None:
            again = self._again(uow, actor, scope, task, not_by=(*task.not_by, actor.id), priority=task.priority + 1)
            store.settle(uow, scope, replace(one, task_id=again.id))
            return
        self._label(uow, actor, scope, one, task, answer, purpose="feedback")
        if wrong:
            made = replace(
                one,
                status="reversed",
                value=answer.value,
                by_kind=actor.kind,
                by_id=actor.id,
                decided_at=self._clock.now(),
            )
            store.settle(uow, scope, made)
            event = Reversed(decision_id=one.id, item_id=one.item_id, old=given, new=answer.value)
            self._journal.append(uow, actor, scope.project_id, event)

    def on_expired(self, uow: UnitOfWork, actor: Actor, scope: Scope, task: Task) -> None:
        """Carry out the declared consequence when nobody answered in time; it is recorded as a deadline.

        An item drawn to certify still needs its label, or the certificate would never come: its task opens again,
        without a deadline.
        """
        one = self._decision(uow, scope, task)
        if one.status != "pending":
            return
        made = replace(one, status="expired", by_kind="deadline", by_id=task.id, decided_at=self._clock.now())
        if task.blind and store.open_draw(uow, scope, one.item_id) is not None:
            made = replace(made, task_id=self._again(uow, actor, scope, task, deadline=None).id)
        store.settle(uow, scope, made)
        event = DeadlinePassed(decision_id=one.id, task_id=task.id, status="expired")
        self._journal.append(uow, actor, scope.project_id, event)

    # Parts

    def _decision(self, uow: UnitOfWork, scope: Scope, task: Task) -> Decision:
        one = None if task.decision_id is None else store.get_decision(uow, scope, task.decision_id, lock=True)
        if one is None:
            raise DecisionNotFound("The decision behind this task is not in the project.")
        return one

    def _pass_on(self, uow: UnitOfWork, actor: Actor, scope: Scope, one: Decision, task: Task, answer: Answer) -> None:
        """Open the same task again for somebody else; escalation goes to a lead, ahead of the queue."""
        more = {"priority": task.priority + (10 if answer.verb == "escalate" else 1)}
        again = self._again(uow, actor, scope, task, not_by=(*task.not_by, actor.id), deadline=task.deadline, **more)
        store.settle(uow, scope, replace(one, task_id=again.id))
        event = self._verdict(one, task, answer, None)
        self._journal.append(uow, actor, scope.project_id, event)

    def _again(self, uow: UnitOfWork, actor: Actor, scope: Scope, task: Task, **more: Any) -> Task:
        new = NewTask(
            **{
                "kind": task.kind,
                "question": task.question,
                "item_id": task.item_id,
                "decision_id": task.decision_id,
                "payload": task.payload,
                "priority": task.priority,
                "reason": task.reason,
                "blind": task.blind,
                "not_by": task.not_by,
                **more,
            }
        )
        return self._tasks.open(uow, actor, scope, new)

    def _verdict(self, one: Decision, task: Task, answer: Answer, value: Any) -> VerdictGiven:
        agreed = None if one.prediction is None or value is None else value == one.prediction["value"]
        return VerdictGiven(
            decision_id=one.id,
            item_id=one.item_id,
            task_id=task.id,
            model_id=one.model_id,
            verdict=answer.verb,
            value=value,
            agreed=agreed,
            reason=answer.reason,
        )

    def _label(
        self, uow: UnitOfWork, actor: Actor, scope: Scope, one: Decision, task: Task, answer: Answer, *, purpose: str
    ) -> None:
        self._datasets.put_label(
            uow,
            actor,
            scope,
            NewLabel(
                item_id=one.item_id,
                question=one.question,
                value=answer.value if task.kind == "audit" else one.value,
                source="audit" if task.kind == "audit" else "review",
                purpose=purpose,  # type: ignore[arg-type]
                probability=one.audit_probability if task.blind else None,
                task_id=task.id,
                reason=answer.reason,
            ),
        )


def _value(one: Decision, answer: Answer) -> Any:
    if answer.verb == "approve" and answer.value is None and one.prediction is not None:
        return one.prediction["value"]
    return answer.value
