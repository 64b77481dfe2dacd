"""Facts that the work around an answer publishes. The text of a comment is in none of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from handrail.foundation.journal import Event


@dataclass(frozen=True, kw_only=True)
class AnswerRevised(Event):
    """A person gave another answer in place of their own, or somebody put back an earlier entry (`restores`)."""

    verb: ClassVar[str] = "tasks.answer_revised"
    task_id: str
    item_id: str | None
    number: int
    value: Any
    reason: str
    restores: int | None


@dataclass(frozen=True, kw_only=True)
class Commented(Event):
    """Somebody commented on an item, or on a task without one."""

    verb: ClassVar[str] = "tasks.commented"
    comment_id: str
    item_id: str | None


@dataclass(frozen=True, kw_only=True)
class BulkDone(Event):
    """A person changed many tasks or labels at once; what was withdrawn or labelled has its own entry too."""

    verb: ClassVar[str] = "tasks.bulk_done"
    does: str
    question: str | None
    campaign_id: str | None
    priority: int | None
    skill: str | None
    before: Any
    to: Any
    changed: int
    token: str
    reason: str
