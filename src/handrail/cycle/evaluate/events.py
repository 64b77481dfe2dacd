"""Facts that evaluation publishes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from handrail.foundation.journal.event import Event


@dataclass(frozen=True, kw_only=True)
class Evaluated(Event):
    """A model was measured on held-out items."""

    verb: ClassVar[str] = "evaluate.evaluated"
    evaluation_id: str
    model_id: str
    question: str
    rows: int
    accuracy: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Proposed(Event):
    """A candidate was put before a person to sign; `replaced_id` is the champion it would replace."""

    verb: ClassVar[str] = "evaluate.proposed"
    model_id: str
    replaced_id: str | None
    task_id: str
    question: str
    comparison: dict[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class Signed(Event):
    """A person signed the promotion of a candidate."""

    verb: ClassVar[str] = "evaluate.signed"
    model_id: str
    task_id: str
    question: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Refused(Event):
    """A person refused the promotion of a candidate."""

    verb: ClassVar[str] = "evaluate.refused"
    model_id: str
    task_id: str
    question: str
    reason: str
