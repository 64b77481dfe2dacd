"""A certificate of a project from plan to end, and the items that were drawn for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

CertificateStatus = Literal["planned", "certified", "refused", "ended"]


@dataclass(frozen=True)
class CertificateRow:
    """A certificate from plan to end, with the state of the brake that guards it."""

    id: str
    number: int
    project_id: str
    model_id: str
    model_digest: str
    question: str
    alpha: float
    delta: float
    status: CertificateStatus
    source: Literal["archive", "stream"]
    labels_planned: int
    labels_drawn: int
    frozen_seq: int
    document: dict[str, Any]
    brake: dict[str, Any] | None
    created_at: datetime
    issued_at: datetime | None
    ended_at: datetime | None
    ended_why: str

    @property
    def threshold(self) -> float | None:
        """The lowest score that may be automatic, None when refused or only planned."""
        value = self.document.get("threshold")
        return None if value is None else float(value)


@dataclass(frozen=True)
class CertifyItem:
    """An item drawn to certify: at which place, with which chance, what the model said of it then, and its label.

    `score` and `predicted` are those of the draw, so that a certificate does not depend on predicting again.
    """

    item_id: str
    position: int
    probability: float
    score: float
    predicted: Any
    value: Any = None

    @property
    def error(self) -> int:
        """1 where the model was wrong, 0 where it was right."""
        return int(self.predicted != self.value)
