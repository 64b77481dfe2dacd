"""Values of annotating: a draw with its probability, a campaign with its stop rule. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
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


class OverlapInvalid(Invalid):
    """The rule of overlapping answers breaks a rule, or the question is not one that it can be set for."""

    code = "annotate.overlap_invalid"


MOST_OVERLAP, MOST_OVERLAP_CHOICES = 9, 50


@dataclass(frozen=True)
class OverlapRule:
    """How many people are asked about an item, one after another, before its label holds.

    `least` answers are always asked for; then one more, while the posterior's chance of being wrong is above `error`
    and an answer is expected to take away at least `price` of it. After `most` answers, or where another is not worth
    it, what is still above `error` goes to a lead. The share `random_share` of items, by chance, gets `most` answers
    whatever they say: how far answers may be trusted is learnt from these alone, because elsewhere only items on which
    people differ have many answers.
    """

    error: float = 0.05
    least: int = 2
    most: int = 5
    price: float = 0.0
    random_share: float = 0.15

    def __post_init__(self) -> None:
        if not 1 <= self.least <= self.most <= MOST_OVERLAP:
            raise OverlapInvalid(f"Answers wanted are 1 <= least <= most <= {MOST_OVERLAP}.")
        if not 0.0 < self.error < 1.0 or not 0.0 <= self.price < 1.0:
            raise OverlapInvalid("The error lies between 0 and 1, the price from 0 to below 1.")
        if not 0.0 <= self.random_share <= 1.0:
            raise OverlapInvalid("The random share lies from 0 to 1.")

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)

    def asks_all(self, scope_id: str, question: str, item_id: str) -> bool:
        """Return whether this item is of the random share: by a hash of its random id, so always the same."""
        drawn = int.from_bytes(sha256(f"{scope_id}\n{question}\n{item_id}".encode()).digest()[:8], "big")
        return drawn < self.random_share * 2**64


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
