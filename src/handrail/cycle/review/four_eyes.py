"""When two people must look at a decision: how many looks it takes, who may not, and whether two agree. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from handrail.cycle.tasks.model import Answer
from handrail.foundation.actors import Actor

MOST_EYES = 2
"""People who may have to agree about one decision."""
SecondLook = Literal["blind", "shown"]


def is_eyes(value: Any) -> bool:
    """Return whether a value says how many people must agree: 1 or 2."""
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_EYES


def problems(policy: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the parts of a policy document that are about two people."""
    found = [] if is_eyes(policy.get("eyes", 1)) else [f"eyes: must be a whole number from 1 to {MOST_EYES}"]
    if policy.get("second_look", "blind") not in get_args(SecondLook):
        found.append(f"second_look: must be one of {', '.join(get_args(SecondLook))}")
    if not isinstance(policy.get("author_answers", True), bool):
        found.append("author_answers: must be true or false")
    return found


def kept_away(author: str | None, actor: Actor, *, author_answers: bool) -> tuple[str, ...]:
    """Return who may not answer: where the policy parts author and approver, the person who asked for the decision.

    `author` is whom the caller names, `actor` the caller.
    """
    asked = () if author_answers else (author, actor.id if actor.is_human else None)
    return tuple(dict.fromkeys(one for one in asked if one))


def same(first: Answer, second: Answer) -> bool:
    """Return whether two people said the same: the same value, or that the item is to be rejected."""
    return _said(first) == _said(second)


def shown_to_lead(looks: Sequence[Answer]) -> list[dict[str, Any]]:
    """Return what two people said, without their names, for the lead who settles it."""
    return [{"verb": one.verb, "value": one.value, "reason": one.reason} for one in looks]


def _said(one: Answer) -> tuple[bool, Any]:
    return one.verb == "reject", one.value
