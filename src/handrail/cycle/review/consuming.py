"""Acting on a decision: once, by one caller, for the action that was decided on."""

from __future__ import annotations

from handrail.cycle.datasets.values import read_category
from handrail.cycle.review import store
from handrail.cycle.review.events import DecisionConsumed
from handrail.cycle.review.execution import MOST_CALLER, Receipt, refusal
from handrail.cycle.review.model import DecisionNotFound
from handrail.cycle.review.terms import check_action
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock, micros
from handrail.foundation.errors import Broken, Invalid
from handrail.foundation.journal import Journal
from handrail.foundation.storage import UnitOfWork


class Consuming:
    """Hands settled decisions to those who carry them out."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock

    def consume(
        self, uow: UnitOfWork, actor: Actor, scope: Scope, decision_id: str, *, caller: str, action_hash: str | None
    ) -> Receipt:
        """Take a decision for `caller`, a name of one attempt; the same actor and name again get the same receipt.

        Raises Consumed, ActionDiffers, StillPending, WasBlocked, WasExpired, WasReversed, DecisionNotFound, Invalid.
        """
        problem = read_category(caller)[1] or ("is too long" if len(caller) > MOST_CALLER else "")
        if problem:
            raise Invalid(f"The caller's name {problem}.", hint="Send a name of your own, the same when you try again.")
        if action_hash is not None:
            check_action(action_hash)
        now = micros(self._clock.now())
        taken = store.consume(
            uow, scope, decision_id, caller=caller, actor_id=actor.id, action_hash=action_hash, at=now
        )
        receipt = store.receipt(uow, scope, decision_id)
        if not taken:
            one = store.get_decision(uow, scope, decision_id)
            if one is None:
                raise DecisionNotFound("No such decision in this project.")
            same = receipt is not None and (receipt.caller, receipt.actor_id) == (caller, actor.id)
            if not same or receipt is None or receipt.action_hash != action_hash or one.status == "reversed":
                raise refusal(one, None if same else receipt, action_hash)
            return receipt
        if receipt is None:
            raise Broken("A decision was consumed and has no receipt.")
        event = DecisionConsumed(
            decision_id=decision_id, value=receipt.value, caller=caller, action_hash=receipt.action_hash
        )
        self._journal.append(uow, actor, scope.project_id, event)
        return receipt

    def receipt(self, uow: UnitOfWork, scope: Scope, decision_id: str) -> Receipt | None:
        """Return who has acted on a decision, None while nobody has."""
        return store.receipt(uow, scope, decision_id)
