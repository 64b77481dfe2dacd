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
