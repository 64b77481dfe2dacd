"""Taking a decision back, and seeing to it that those who acted on it know."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from handrail.cycle.datasets import Datasets
from handrail.cycle.review import store
from handrail.cycle.review.events import IncidentOpened, ReversalAcknowledged, Reversed
from handrail.cycle.review.execution import (
    ACKNOWLEDGE_S,
    MOST_ACKNOWLEDGE_S,
    Reversal,
    ReversalNotFound,
    refusal,
)
from handrail.cycle.review.model import Decision, DecisionNotFound, NotAPerson
from handrail.cycle.tasks import LEAD, NewTask, Tasks
from handrail.cycle.tasks.model import check_reason
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock, micros
from handrail.foundation.errors import Invalid
from handrail.foundation.journal import Journal
from handrail.foundation.storage import UnitOfWork

_TIMEKEEPER = Actor.rule("timekeeper")
_AT_ONCE = 100
_URGENT = 100
_INCIDENT = "those who acted on this decision have not said that they know it was taken back"


class Reversing:
    """Takes decisions back, hears acknowledgements, and opens an incident where none comes."""

    def __init__(self, journal: Journal, clock: Clock, datasets: Datasets, tasks: Tasks) -> None:
        self._journal = journal
        self._clock = clock
        self._datasets = datasets
        self._tasks = tasks

    def reverse(
        self,
        uow: UnitOfWork,
        actor: Actor,
        scope: Scope,
        decision_id: str,
        *,
        reason: str,
        value: Any = None,
        acknowledge_s: float = ACKNOWLEDGE_S,
    ) -> Decision:
        """Take a settled decision back, as a person; `value` is what holds instead, None where nothing does.

        Raises NotAPerson, DecisionNotFound, StillPending, WasBlocked, WasExpired, WasReversed, AnswerInvalid, Invalid.
        """
        if not actor.is_human:
            raise NotAPerson("Only a person takes a decision back.", hint="Sign in; a token is never a person.")
        check_reason(reason)
        if not reason.strip():
            raise Invalid("A decision is taken back for a reason.", hint="Say why.")
        if not 0 < acknowledge_s <= MOST_ACKNOWLEDGE_S:
            raise Invalid("The time to acknowledge is not within 30 days.", hint="Send acknowledge_s above 0.")
        one = store.get_decision(uow, scope, decision_id, lock=True)
        if one is None:
            raise DecisionNotFound("No such decision in this project.")
        if one.status not in ("auto", "decided"):
            raise refusal(one, None, None)
        if value is not None:
            value = self._datasets.schema(uow, scope).question(one.question).check(value)
        now = self._clock.now()
        made = replace(one, status="reversed", value=value, by_kind=actor.kind, by_id=actor.id, decided_at=now)
        store.settle(uow, scope, made)
        self.taken_back(uow, actor, scope, one, made, reason, acknowledge_s=acknowledge_s)
        return made

    def taken_back(
        self,
        uow: UnitOfWork,
        actor: Actor,
        scope: Scope,
        before: Decision,
        after: Decision,
        reason: str,
        *,
        acknowledge_s: float = ACKNOWLEDGE_S,
    ) -> None:
        """Record that a decision was taken back; where somebody had acted on it they must acknowledge that."""
        now = self._clock.now()
        until = now + timedelta(seconds=acknowledge_s) if before.consumed_at is not None else None
        event = Reversed(
            decision_id=before.id,
            item_id=before.item_id,
            old=before.value,
            new=after.value,
            reason=reason,
            acknowledge_by=None if until is None else until.isoformat(),
        )
        self._journal.append(uow, actor, scope.project_id, event)
        if until is not None:
            one = Reversal(before.id, scope.project_id, reason, actor.id, now, until, None, None, "", None)
            store.add_reversal(uow, scope, one)

    def acknowledge(self, uow: UnitOfWork, actor: Actor, scope: Scope, decision_id: str, note: str = "") -> Reversal:
        """Say that those who acted on the decision know that it was taken back; again changes nothing.

        An incident that opened because this took too long is closed. Raises ReversalNotFound.
        """
        check_reason(note)
        one = store.get_reversal(uow, scope, decision_id, lock=True)
        if one is None:
            raise ReversalNotFound("No such reversal in this project.", hint="Only consumed decisions have one.")
        if one.acknowledged_at is not None:
            return one
        now = self._clock.now()
        store.acknowledge_reversal(uow, scope, decision_id, at=micros(now), actor_id=actor.id, note=note)
        self._journal.append(uow, actor, scope.project_id, ReversalAcknowledged(decision_id=decision_id, note=note))
        if one.task_id is not None:
            self._tasks.withdraw(uow, actor, scope, one.task_id, "the reversal was acknowledged")
        return replace(one, acknowledged_at=now, acknowledged_by=actor.id, note=note)

    def open_incidents(self, uow: UnitOfWork, now: datetime) -> int:
        """Open a task for leads about every reversal that nobody acknowledged in time; returns how many."""
        due = store.reversals_due(uow, micros(now), _AT_ONCE)
        for one in due:
            scope = Scope(one.project_id)
            decision = store.get_decision(uow, scope, one.decision_id)
            if decision is None:
                continue
            task = NewTask(
                kind="appeal",
                question=decision.question,
                item_id=decision.item_id,
                decision_id=decision.id,
                payload={"incident": _INCIDENT, "reason": one.reason},
                priority=_URGENT,
                skill=LEAD,
                reason=_INCIDENT,
            )
            task_id = self._tasks.open(uow, _TIMEKEEPER, scope, task).id
            store.put_incident(uow, scope, one.decision_id, task_id)
            event = IncidentOpened(decision_id=one.decision_id, task_id=task_id, why=_INCIDENT)
            self._journal.append(uow, _TIMEKEEPER, scope.project_id, event)
        return len(due)

    def reversal(self, uow: UnitOfWork, scope: Scope, decision_id: str) -> Reversal | None:
        """Return the reversal of a consumed decision, None when there is none."""
        return store.get_reversal(uow, scope, decision_id)

    def reversals(self, uow: UnitOfWork, scope: Scope, *, before: str | None = None, limit: int = 50) -> list[Reversal]:
        """Return reversals of consumed decisions, newest decision first."""
        return store.reversals(uow, scope, before=before, limit=limit)
