"""What a request says beside its item: by when, what follows when nobody answers, how risky, how dear, which action.

Pure. The consequence of a deadline is decided here; whoever carries it out writes a deadline, never a person.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from handrail.cycle.review.certificates.row import CertificateRow
from handrail.cycle.review.four_eyes import MOST_EYES, is_eyes
from handrail.cycle.review.model import AUTOMATIC, MOST_DEADLINE_S, Control, Decision, OnDeadline, Request
from handrail.foundation.errors import Invalid

Consequence = Literal["deny", "hold", "escalate", "default"]
_RISK = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_ACTION = re.compile(r"[!-~]{1,128}")


def check_terms(one: Request, now: datetime) -> None:
    """Raise Invalid for terms that break their rule: deadline, risk class, cost, action hash, number of people."""
    if one.deadline_s is not None and not 0 < one.deadline_s <= MOST_DEADLINE_S:
        raise Invalid("The deadline is not a number of seconds within a year.", hint="Send deadline_s above 0.")
    if one.deadline is not None:
        if one.deadline_s is not None:
            raise Invalid("The request has two deadlines.", hint="Send deadline or deadline_s.")
        if one.deadline.tzinfo is None:
            raise Invalid("The deadline has no time zone.", hint="Write it like 2026-11-05T10:00:00Z.")
        if one.deadline > now + timedelta(seconds=MOST_DEADLINE_S):
            raise Invalid("The deadline is more than a year away.", hint="Send an earlier one, or none.")
    if one.risk_class is not None and not _RISK.fullmatch(one.risk_class):
        raise Invalid(
            "The risk class is not a short name.", hint="Use up to 64 letters, digits, dots, hyphens and underscores."
        )
    if one.cost is not None and not _is_cost(one.cost):
        raise Invalid(
            "The cost is not a finite number from 0.", hint="1 is an ordinary error, 12.5 one that is so much dearer."
        )
    if one.action_hash is not None:
        check_action(one.action_hash)
    if not is_eyes(one.eyes):
        raise Invalid(f"A decision is looked at by 1 to {MOST_EYES} people.", hint="Send eyes as 1 or 2.")


def check_action(action_hash: str) -> None:
    """Raise Invalid when a text cannot be the hash of an action."""
    if not _ACTION.fullmatch(action_hash):
        raise Invalid("The action hash is not 1 to 128 visible ASCII characters.", hint="Send a SHA-256 in hex.")


def _is_cost(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 and math.isfinite(value)


def meant(one: Request) -> OnDeadline:
    """Return what follows when nobody answers: as asked, else deny where the action is irreversible, else hold."""
    return one.on_deadline or ("deny" if one.irreversible else "hold")


def kept_default(one: Request, check: Callable[[Any], Any]) -> Any:
    """Return the answer that a request's `default` names, read by `check`; None where none is named.

    Raises Invalid when on_deadline is default without a value, or when there is a value and it is something else.
    """
    if one.on_deadline == "default":
        if one.default is None:
            raise Invalid("on_deadline is default, and no default is named.", hint="Send the answer as default.")
        return check(one.default)
    if one.default is not None:
        raise Invalid("A default is named and on_deadline is not default.", hint="Send on_deadline: default, or none.")
    return None


def ends(one: Request, now: datetime) -> datetime | None:
    """Return when people must have answered; None when the item may wait as long as it takes."""
    if meant(one) == "hold":
        return None
    return one.deadline if one.deadline_s is None else now + timedelta(seconds=one.deadline_s)


def consequence(
    one: Decision,
    allowed: Sequence[Any],
    control: Control,
    certificate: CertificateRow | None,
    *,
    has_rules: bool,
    group: Mapping[str, str],
) -> Consequence:
    """Return what follows now that nobody answered in time.

    `allowed`: the answers that the policy in force lets a deadline give; `certificate`: the one in force;
    `has_rules`: whether the policy in force has hard rules; `group`: the item's group attributes. A default that is not
    allowed or not covered is held.
    """
    if one.on_deadline != "default":
        return one.on_deadline
    allows = any(_same(one.default, value) for value in allowed)
    return "default" if allows and covered(one, control, certificate, has_rules=has_rules, group=group) else "hold"


def covered(
    one: Decision,
    control: Control,
    certificate: CertificateRow | None,
    *,
    has_rules: bool,
    group: Mapping[str, str],
) -> bool:
    """Return whether the certificate in force speaks for giving the decision's default now.

    It speaks for its model's own answer at or above its threshold while automation runs. It says nothing about items
    that a hard rule keeps for people, nor about those that a newer policy's rules have not looked at.
    """
    threshold = None if certificate is None else certificate.threshold_for(group)
    if certificate is None or certificate.status != "certified" or threshold is None:
        return False
    if control.state not in AUTOMATIC or certificate.id != control.certificate_id:
        return False
    if one.model_id is None or one.model_id != certificate.model_id or one.score is None or one.prediction is None:
        return False
    if one.by_kind == "rule" or (has_rules and control.policy_id != one.policy_id):
        return False
    return one.score >= threshold and _same(one.prediction["value"], one.default)


def _same(one: Any, other: Any) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)
