"""What a person's answer does to a decision: verdicts on deferred items, audits of automatic ones, the brake."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from handrail.cycle.datasets import Datasets, NewLabel
from handrail.cycle.review import store
from handrail.cycle.review.again import again
from handrail.cycle.review.auditing import Auditing
from handrail.cycle.review.certify import Certifying
from handrail.cycle.review.controlling import Controlling
from handrail.cycle.review.events import DeadlinePassed, LooksDiffer, SecondLookAsked, VerdictGiven
from handrail.cycle.review.four_eyes import same, shown_to_lead
from handrail.cycle.review.model import AlreadyDecided, Decision, DecisionNotFound
from handrail.cycle.review.policy_lists import NEEDS_REASON, is_listed
from handrail.cycle.review.reversing import Reversing
from handrail.cycle.review.seeding import Seeding
from handrail.cycle.review.steering import Steering, policy_of
from handrail.cycle.review.terms import Consequence, consequence
from handrail.cycle.tasks import LEAD, Answer, Task, Tasks
from handrail.cycle.tasks.model import MOST_PRIORITY, MOST_REASON
from handrail.cycle.tasks.urgency import passed_on
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock
from handrail.foundation.errors import Invalid
from handrail.foundation.journal import Journal
from handrail.foundation.storage import UnitOfWork

_NEXT = 1000  # more than escalations add, so that who asked for it gets it next
_PASSES_ON = frozenset({"escalate", "abstain"})
_NO_LOOK = _PASSES_ON | {"skip_ai"}  # answers that say nothing about the item


class ReasonNotListed(Invalid):
    """The policy lists the reasons that a verdict chooses from, and this is none of them."""

    code = "review.reason_not_listed"


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
        reversing: Reversing,
        seeding: Seeding,
        controlling: Controlling,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._datasets = datasets
        self._tasks = tasks
        self._certifying = certifying
        self._steering = steering
        self._reversing = reversing
        self._seeding = seeding
        self._controlling = controlling
        self._auditing = Auditing(journal, clock, steering)

    # Handlers that the composition root registers

    def on_review(self, uow: UnitOfWork, actor: Actor, scope: Scope, task: Task, answer: Answer) -> None:
        """Make a deferred decision final, or pass it on to another person. Where two must agree, the first answer asks
        a second person, and two that differ ask a lead, whose answer is final.

        Only a look of one's own certifies: who saw the model's answer may have been led by it. A seed has no decision.
        """
        if task.decision_id is None:
            self._check_reason(uow, scope, answer)  # as of any other, or a seed could be told
            self._seeding.heard(uow, actor, scope, task, answer)
            return
        one = self._decision(uow, scope, task)
        drawn = self._drawn(uow, scope, one, task)
        certifies = drawn and store.open_draw(uow, scope, one.item_id) is not None
        if one.status == "expired" and certifies:
            self._late(uow, actor, scope, one, task, answer)
            return
        if one.status != "pending":
            raise AlreadyDecided(f"This decision is {one.status} already.", decision_id=one.id)
        self._check_reason(uow, scope, answer)
        if answer.verb in _PASSES_ON:
            self._pass_on(uow, actor, scope, one, task, answer)
            return
        if answer.verb == "skip_ai":
            self._without_ai(uow, actor, scope, one, task, answer)
            return
        if one.eyes > 1 and self._looks_further(uow, actor, scope, one, task, answer):
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
            purpose = "certify" if certifies else "feedback"
            self._label(uow, actor, scope, made, task, answer, purpose=purpose, drawn=drawn)
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
        person, as blind as the first, before it counts. A control item has no decision.
        """
        if task.decision_id is None:
            self._controlling.heard(uow, actor, scope, task, answer)
            return
        one = self._decision(uow, scope, task)
        if answer.verb in _PASSES_ON:
            self._pass_on(uow, actor, scope, one, task, answer)
            return
        wrong = self._auditing.heard(uow, actor, scope, one, task, answer)
        if wrong is None:
            following = self._again(uow, actor, scope, task, not_by=(*task.not_by, actor.id))
            store.settle(uow, scope, replace(one, task_id=following.id))
            return
        self._label(uow, actor, scope, one, task, answer, purpose="feedback")
        if wrong and one.status != "reversed":
            made = replace(
                one,
                status="reversed",
                value=answer.value,
                by_kind=actor.kind,
                by_id=actor.id,
                decided_at=self._clock.now(),
            )
            store.settle(uow, scope, made)
            self._reversing.taken_back(uow, actor, scope, one, made, answer.reason)

    def on_expired(self, uow: UnitOfWork, actor: Actor, scope: Scope, task: Task) -> None:
        """Carry out the declared consequence when nobody answered in time; it is recorded as a deadline.

        What is held or escalated goes on waiting, without a deadline. An item drawn to certify still needs its label,
        or the certificate would never come: its task opens again too. A seed that expires shows nothing.
        """
        if task.decision_id is None:
            return
        one = self._decision(uow, scope, task)
        if one.status != "pending":
            return
        drawn = self._drawn(uow, scope, one, task) and store.open_draw(uow, scope, one.item_id) is not None
        then, certificate_id = self._consequence(uow, scope, one, drawn=drawn)
        made = one
        if then in ("deny", "default"):
            made = replace(
                one,
                status="expired" if then == "deny" else "decided",
                value=one.default if then == "default" else None,
                by_kind="deadline",
                by_id=task.id,
                decided_at=self._clock.now(),
            )
        if then in ("hold", "escalate") or drawn:
            more = {"skill": LEAD, "priority": passed_on(task.worth, escalated=True)} if then == "escalate" else {}
            made = replace(made, task_id=self._again(uow, actor, scope, task, deadline=None, **more).id)
        store.settle(uow, scope, made)
        event = DeadlinePassed(
            decision_id=one.id,
            task_id=task.id,
            certificate_id=certificate_id,
            status=made.status,
            then=then,
            value=made.value,
        )
        self._journal.append(uow, actor, scope.project_id, event)

    def _consequence(
        self, uow: UnitOfWork, scope: Scope, one: Decision, *, drawn: bool
    ) -> tuple[Consequence, str | None]:
        """Return what follows now, and the certificate that lets a deadline give its default."""
        if one.on_deadline != "default":
            return one.on_deadline, None
        # Shared with decisions, exclusive with the brake: no default follows the brake's commit.
        found = store.get_control(uow, scope, lock="shared")
        if found is None or found[0].certificate_id is None or drawn:
            return "hold", None
        control, certificate_id = found[0], str(found[0].certificate_id)
        row = store.get_certificate(uow, scope, certificate_id)
        policy = policy_of(uow, scope, control.policy_id)
        certificate = None if row is None else row[0]
        group = self._datasets.item(uow, scope, one.item_id).group
        rules = bool(policy.rules)
        then = consequence(one, policy.deadline_defaults, control, certificate, has_rules=rules, group=group)
        return then, certificate_id if then == "default" else None

    # Two people

    def _drawn(self, uow: UnitOfWork, scope: Scope, one: Decision, task: Task) -> bool:
        """Return whether the decision's first task was blind: then it was drawn. A later one may be blind by policy."""
        return task.blind if one.eyes == 1 else self._tasks.of_decision(uow, scope, one.id)[0].blind

    def _looks_further(
        self, uow: UnitOfWork, actor: Actor, scope: Scope, one: Decision, task: Task, answer: Answer
    ) -> bool:
        """Ask the second person, or a lead when two people differ; return False when this answer is the last."""
        if task.kind == "adjudicate":
            return False
        first = self._first_look(uow, scope, one, task)
        if first is not None and same(first, answer):
            return False
        drawn, policy = self._drawn(uow, scope, one, task), policy_of(uow, scope, one.policy_id)
        more: dict[str, Any] = {"not_by": (*task.not_by, actor.id), "deadline": task.deadline}
        facts = {"decision_id": one.id, "item_id": one.item_id, "task_id": task.id}
        event: SecondLookAsked | LooksDiffer
        if first is None:
            if drawn or policy.second_look == "blind":
                more |= {"blind": True, "blind_first": False, "payload": {}}
            following = self._again(uow, actor, scope, task, **more)
            event = SecondLookAsked(**facts, next_task_id=following.id)
        else:
            more |= {"kind": "adjudicate", "skill": LEAD, "reason": "two people said different things"}
            more |= {
                "blind_first": False,
                "blind": drawn,
                "payload": {} if drawn else {"answers": shown_to_lead([first, answer])},
            }
            more |= {"priority": passed_on(task.worth, escalated=True)}
            following = self._again(uow, actor, scope, task, **more)
            event = LooksDiffer(**facts, next_task_id=following.id)
        store.settle(uow, scope, replace(one, task_id=following.id))
        self._journal.append(uow, actor, scope.project_id, event)
        return True

    def _first_look(self, uow: UnitOfWork, scope: Scope, one: Decision, task: Task) -> Answer | None:
        """Return the answer that counts of the task before this one, None when nobody has given any."""
        for before in self._tasks.of_decision(uow, scope, one.id):
            given = None if before.id == task.id else self._tasks.answer_of(uow, scope, before.id)
            if given is not None and given.verb not in _NO_LOOK:
                return given
        return None

    # Parts

    def _decision(self, uow: UnitOfWork, scope: Scope, task: Task) -> Decision:
        one = None if task.decision_id is None else store.get_decision(uow, scope, task.decision_id, lock=True)
        if one is None:
            raise DecisionNotFound("The decision behind this task is not in the project.")
        return one

    def _check_reason(self, uow: UnitOfWork, scope: Scope, answer: Answer) -> None:
        """Raise ReasonNotListed where the policy in force lists reasons and the verdict gives none of them."""
        if answer.verb not in NEEDS_REASON:
            return
        found = store.get_control(uow, scope)
        reasons = () if found is None else policy_of(uow, scope, found[0].policy_id).reasons
        if not is_listed(answer.verb, answer.reason, reasons):
            raise ReasonNotListed(
                f"To {answer.verb.replace('_', ' ')} needs one of the project's reasons.",
                hint=f"Begin with one of: {'; '.join(reasons)}. Words of your own follow after a colon.",
                reasons=list(reasons),
            )

    def _pass_on(self, uow: UnitOfWork, actor: Actor, scope: Scope, one: Decision, task: Task, answer: Answer) -> None:
        """Open the same task again for somebody else; escalated, for the next skill of the chain, ahead of others."""
        escalated = answer.verb == "escalate"
        more: dict[str, Any] = {"priority": passed_on(task.worth, escalated=escalated)}
        if escalated:
            more["skill"] = self._tasks.staffing.next_skill(uow, scope, task.skill)
            more["reason"] = f"escalated: {answer.reason}"[:MOST_REASON] if answer.reason else task.reason
        following = self._again(
            uow, actor, scope, task, not_by=(*task.not_by, actor.id), deadline=task.deadline, **more
        )
        store.settle(uow, scope, replace(one, task_id=following.id))
        event = self._verdict(one, task, answer, None)
        self._journal.append(uow, actor, scope.project_id, event)

    def _without_ai(
        self, uow: UnitOfWork, actor: Actor, scope: Scope, one: Decision, task: Task, answer: Answer
    ) -> None:
        """Open the same task again, next in the queue and without the model's answer; that this was asked is kept."""
        more = {"payload": {"answered_without_ai": True}, "blind_first": False, "deadline": task.deadline}
        priority = min(MOST_PRIORITY, task.worth + _NEXT)
        following = self._again(uow, actor, scope, task, priority=priority, **more)
        store.settle(uow, scope, replace(one, task_id=following.id))
        self._journal.append(uow, actor, scope.project_id, self._verdict(one, task, answer, None))

    def _again(self, uow: UnitOfWork, actor: Actor, scope: Scope, task: Task, **more: Any) -> Task:
        return self._tasks.open(uow, actor, scope, again(task, **more))

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
            score=None if answer.verb in _NO_LOOK else one.score,
            reasons=None if answer.verb in _NO_LOOK else list(one.reasons),
        )

    def _label(
        self,
        uow: UnitOfWork,
        actor: Actor,
        scope: Scope,
        one: Decision,
        task: Task,
        answer: Answer,
        *,
        purpose: str,
        drawn: bool = True,
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
                probability=one.audit_probability if drawn else None,
                task_id=task.id,
                reason=answer.reason,
            ),
        )


def _value(one: Decision, answer: Answer) -> Any:
    if answer.verb == "approve" and answer.value is None and one.prediction is not None:
        return one.prediction["value"]
    return answer.value
