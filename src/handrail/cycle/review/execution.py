"""What happens to a decision once somebody acts on it: the receipt, and why there may be none. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from handrail.cycle.review.model import Decision
from handrail.foundation.errors import Conflict, HandrailError, NotFound

MOST_CALLER = 200
"""Characters of a caller's name for one attempt."""
ACKNOWLEDGE_S = 3600.0
"""Seconds in which those who acted on a decision must say that they know it was taken back, unless told otherwise."""
MOST_ACKNOWLEDGE_S = 2_592_000.0
"""The most of them: 30 days."""


class Consumed(Conflict):
    """Somebody else has acted on this decision; it is used once."""

    code = "review.consumed"


class ActionDiffers(Conflict):
    """The decision was made for another action than the one that is to be carried out."""

    code = "review.action_differs"


class StillPending(Conflict):
    """Nobody has decided yet."""

    code = "review.still_pending"


class WasBlocked(Conflict):
    """A rule or a person refused the item."""

    code = "review.blocked"


class WasExpired(Conflict):
    """Nobody answered in time, and the caller had asked for that to be a no."""

    code = "review.expired"


class WasReversed(Conflict):
    """The decision was taken back."""

    code = "review.reversed"


class ReversalNotFound(NotFound):
    """No consumed decision with this id was taken back."""

    code = "review.reversal_not_found"


@dataclass(frozen=True)
class Receipt:
    """That a decision was consumed: by whom, under which name of their own, for which action."""

    decision_id: str
    value: Any
    caller: str
    actor_id: str
    action_hash: str | None
    consumed_at: datetime


@dataclass(frozen=True)
class Reversal:
    """That a consumed decision was taken back, and whether those who acted on it have said that they know.

    `task_id` names the task for leads that opened because nobody said so by `acknowledge_by`.
    """

    decision_id: str
    project_id: str
    reason: str
    reversed_by: str
    reversed_at: datetime
    acknowledge_by: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    note: str
    task_id: str | None


def refusal(one: Decision, receipt: Receipt | None, action_hash: str | None) -> HandrailError:
    """Return why a caller may not act on this decision; `receipt` is that of another caller, if there is one."""
    about = {"decision_id": one.id, "status": one.status}
    if one.status == "pending":
        return StillPending("Nobody has decided yet.", hint="Wait for the decision: GET it with wait_s.", **about)
    if one.status == "blocked":
        return WasBlocked("The item was refused.", hint="Do not carry it out.", **about)
    if one.status == "expired":
        return WasExpired("Nobody answered in time.", hint="Do not carry it out; ask again if it is needed.", **about)
    if one.status == "reversed":
        return WasReversed("The decision was taken back.", hint="Do not carry it out; undo what was done.", **about)
    if receipt is not None:
        at = receipt.consumed_at.isoformat()
        return Consumed("Another caller has used this decision.", hint="Do not carry it out twice.", at=at, **about)
    bound = "names none" if action_hash is None else "is another one"
    return ActionDiffers(
        f"The decision was made for one action, and this call {bound}.",
        hint="Send the action_hash that was decided on; an edited action needs a new decision.",
        **about,
    )
