"""What a bulk action is, and the token that binds what was seen to what is done. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Literal

from handrail.cycle.tasks.model import MOST_PRIORITY, TaskInvalid, check_reason
from handrail.foundation.canonical import encode
from handrail.foundation.errors import Conflict

Does = Literal["withdraw", "set_priority", "assign_skill", "relabel"]
MOST_CHANGED = 2000
"""Tasks or labels that one action may change: it is one unit of work."""
EXAMPLES = 5


class BulkChanged(Conflict):
    """What the action would change is not what was seen; nothing was done."""

    code = "tasks.bulk_changed"


class BulkTooLarge(TaskInvalid):
    """The action would change more than one may."""

    code = "tasks.bulk_too_large"


@dataclass(frozen=True)
class Action:
    """One action on many tasks or labels.

    withdraw: the unanswered tasks of the campaign `campaign_id`. set_priority: `priority` for the open tasks of
    `question` that are not blind. assign_skill: the open tasks of `question` that ask for `skill` ask for `to`.
    relabel: the items labelled `value` for `question` are labelled `to`; labels that prove something (purpose certify
    or holdout, or of an audit) stay.
    """

    does: Does
    question: str | None = None
    campaign_id: str | None = None
    priority: int | None = None
    skill: str | None = None
    value: Any = None
    to: Any = None
    reason: str = ""


@dataclass(frozen=True)
class Preview:
    """What an action would change: how many, the first by id, how many it leaves alone, and the token to do it."""

    action: Action
    changes: int
    examples: tuple[str, ...]
    kept: int
    token: str


_NEEDS: dict[str, tuple[str, ...]] = {
    "withdraw": ("campaign_id",),
    "set_priority": ("question", "priority"),
    "assign_skill": ("question", "skill", "to"),
    "relabel": ("question", "value", "to"),
}


def check_action(action: Action) -> None:
    """Raise TaskInvalid for an action that lacks a part, has one too many, or names what cannot be."""
    needs = _NEEDS[action.does]
    given = {name for name, value in asdict(action).items() if value is not None and name not in ("does", "reason")}
    if given != set(needs):
        raise TaskInvalid(
            f"{action.does} needs {', '.join(needs)} and nothing else.", hint=f"Given were: {', '.join(sorted(given))}."
        )
    check_reason(action.reason)
    if action.priority is not None and not -MOST_PRIORITY <= action.priority <= MOST_PRIORITY:
        raise TaskInvalid(f"A priority is a whole number up to {MOST_PRIORITY:,}, or down to the negative of it.")
    if action.does == "assign_skill" and not (isinstance(action.to, str) and len(action.to) <= 64):
        raise TaskInvalid("A skill has up to 64 characters.")


def previewed(action: Action, actor_id: str, ids: Sequence[str], kept: int) -> Preview:
    """Return what an action would change; the token is of the action, the person and every id. Raises BulkTooLarge."""
    if len(ids) > MOST_CHANGED:
        raise BulkTooLarge(
            f"This would change more than {MOST_CHANGED:,} at once.", hint="Do it in parts.", most=MOST_CHANGED
        )
    seen = encode({"action": asdict(action), "actor": actor_id, "ids": sorted(ids)})
    return Preview(action, len(ids), tuple(sorted(ids)[:EXAMPLES]), kept, sha256(seen.encode()).hexdigest()[:32])


def check_token(found: Preview, token: str) -> None:
    """Raise BulkChanged when the token is not of exactly this change."""
    if token != found.token:
        raise BulkChanged(
            f"What would change is not what you saw: now it is {found.changes}. Nothing was done.",
            hint="Look at the preview again, and confirm that one.",
            changes=found.changes,
        )
