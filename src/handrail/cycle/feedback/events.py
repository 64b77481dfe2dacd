"""Facts that feedback publishes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from handrail.foundation.journal.event import Event


@dataclass(frozen=True, kw_only=True)
class VerdictsCommitted(Event):
    """What people decided became part of the dataset; `relabelled` counts answers that replaced an earlier label."""

    verb: ClassVar[str] = "feedback.verdicts_committed"
    commit_id: str
    verdicts: int
    relabelled: int
    labels: int
