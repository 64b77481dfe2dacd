"""Values of annotating: a draw with its probability, a campaign with its stop rule. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal, NamedTuple

from handrail.foundation.errors import Conflict, Invalid, NotFound

Purpose = Literal["train", "certify", "holdout", "feedback"]
DrawState = Literal["waiting", "passed_on", "labelled"]
CampaignState = Literal["open", "done"]

MOST_DRAWN = 100_000
MOST_TARGET = 1_000_000


class TooFewItems(Conflict):
    """Fewer items wait for a label than were to be drawn."""

    code = "annotate.too_few_items"


class DrawInvalid(Invalid):
    """A draw of this size makes no sense."""

    code = "annotate.draw_invalid"


class DrawBusy(Conflict):
    """Others drew items for the same question at the same time, again and again."""

    code = "annotate.draw_busy"


class SampleIncomplete(Conflict):
    """Some drawn items have no label yet; leaving out the hard ones would bias whatever is computed from the rest."""

    code = "annotate.sample_incomplete"


class CampaignNotFound(NotFound):
    """No such campaign in this project."""

    code = "annotate.campaign_not_found"


class CampaignClosedAlready(Conflict):
    """The campaign has its answers; nothing more is drawn for it."""

    code = "annotate.campaign_closed"


@dataclass(frozen=True)
class Lot:
    """One drawing: `drawn` items out of the `among` that could have been, each with the chance drawn / among.

    `number` counts the drawings of a question. `pool` is the SHA-256 of the ids of those `among`, in order. `seed` is
    the seed of the draw, "" when it came from the operating system.
    """

    id: str
    project_id: str
    question: str
    number: int
    purpose: Purpose
    drawn: int
    among: int
    pool: str
    seed: str
    reason: str
    campaign_id: str | None
    drawn_at: datetime

    @property
    def probability(self) -> float:
        """The chance that each item of the pool had to be in this lot."""
        return self.drawn / self.among


@dataclass(frozen=True)
class Draw:
    """One item drawn for a label. `probability` is the chance that it had to be in this draw."""

    id: str
    project_id: str
    item_id: str
    question: str
    purpose: Purpose
    probability: float
    position: int
    campaign_id: str | None
    task_id: str
    lot_id: str
    state: DrawState = "waiting"


class Sampled(NamedTuple):
    """One labelled item of a random sample, with the chance that it had to be drawn."""

    item_id: str
    value: Any
    probability: float


@dataclass(frozen=True)
class Campaign:
    """Tasks opened for a reason; it ends when `target` answers are in."""

    id: str
    project_id: str
    question: str
    reason: str
    target: int
    drawn: int
    answered: int
    state: CampaignState
    alarm_id: str | None
    opened_at: datetime
    closed_at: datetime | None


def pool_digest(item_ids: Sequence[str]) -> str:
    """Return the SHA-256 of a pool, 64 hex digits: the ids in order, one on each line."""
    return sha256("\n".join(item_ids).encode()).hexdigest()
