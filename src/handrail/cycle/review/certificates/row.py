"""A certificate of a project from plan to end, and the items that were drawn for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from handrail.cycle.review.audit_terms import EVERYWHERE
from handrail.cycle.review.groups import Grouped, own

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
        """The lowest score that may be automatic, None when refused, only planned, or where each group has its own."""
        value = self.document.get("threshold")
        return None if value is None else float(value)

    @property
    def groups(self) -> Grouped | None:
        """What it says of groups, None where it names none."""
        parts: list[dict[str, Any]] | None = self.document.get("groups")
        names = frozenset(self.document.get("group_levels", ()) if parts is None else (one["group"] for one in parts))
        if not names:
            return None
        stops = () if self.brake is None else self.brake["stopped"]
        return Grouped(
            names,
            None if parts is None else {one["group"]: one.get("threshold") for one in parts},
            {one["group"]: one["needed"] for one in parts or () if one.get("needed")},
            {one["name"]: one["after"] for one in stops},
        )

    def threshold_for(self, attributes: Mapping[str, str]) -> float | None:
        """Return the lowest score that may be automatic for an item with these group attributes, None where none may.

        None is also the answer for a group that the brake stopped.
        """
        groups = self.groups
        if groups is None:
            return self.threshold
        if groups.held(attributes):
            return None
        return groups.threshold(own(groups.names, attributes), self.threshold)


@dataclass(frozen=True)
class CertifyItem:
    """An item drawn to certify: at which place, with which chance, what the model said of it then, and its label.

    `score` and `predicted` are those of the draw, so that a certificate does not depend on predicting again. `group`:
    the one that it was drawn for, "" where all items are certified together.
    """

    item_id: str
    position: int
    probability: float
    score: float
    predicted: Any
    value: Any = None
    group: str = EVERYWHERE

    @property
    def error(self) -> int:
        """1 where the model was wrong, 0 where it was right."""
        return int(self.predicted != self.value)
