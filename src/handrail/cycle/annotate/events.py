"""Facts that annotating publishes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from handrail.foundation.journal import Event


@dataclass(frozen=True, kw_only=True)
class Drawn(Event):
    """Items were drawn at random for labels, each with the same probability.

    `items` are those drawn, in the order of the draw; `tasks` the tasks opened for them; `pool` is the digest of all
    that could have been drawn.
    """

    verb: ClassVar[str] = "annotate.drawn"
    lot_id: str
    campaign_id: str | None
    question: str
    purpose: str
    drawn: int
    among: int
    probability: float
    pool: str
    seed: str
    reason: str
    items: list[str]
    tasks: list[str]


@dataclass(frozen=True, kw_only=True)
class DrawPassedOn(Event):
    """A person could not say; the drawn item went on to another one, or to a lead."""

    verb: ClassVar[str] = "annotate.passed_on"
    lot_id: str | None
    item_id: str | None
    task_id: str
    next_task_id: str
    verb_given: str
    to: str


@dataclass(frozen=True, kw_only=True)
class CampaignOpened(Event):
    """Tasks are opened for a reason."""

    verb: ClassVar[str] = "annotate.campaign_opened"
    campaign_id: str
    alarm_id: str | None
    question: str
    reason: str
    target: int


@dataclass(frozen=True, kw_only=True)
class CampaignClosed(Event):
    """A campaign has the answers that it asked for."""

    verb: ClassVar[str] = "annotate.campaign_closed"
    campaign_id: str
    alarm_id: str | None
    answered: int


@dataclass(frozen=True, kw_only=True)
class ConflictsAsked(Event):
    """A merge met labels of which two branches made two things; people are asked, one task for each."""

    verb: ClassVar[str] = "annotate.conflicts_asked"
    commit_id: str
    branch: str
    tasks: list[str]
    items: list[str]


@dataclass(frozen=True, kw_only=True)
class ConflictSettled(Event):
    """A person said which label holds after a merge; `settled` is False where what stood was left."""

    verb: ClassVar[str] = "annotate.conflict_settled"
    commit_id: str
    task_id: str
    item_id: str
    branch: str
    question: str
    settled: bool
    value: Any
    reason: str


@dataclass(frozen=True, kw_only=True)
class OverlapSet(Event):
    """From the next answer on so many people are asked about an item; without a document one answer is enough."""

    verb: ClassVar[str] = "annotate.overlap_set"
    question: str
    document: dict[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class AskedAgain(Event):
    """The answers so far do not settle an item: another person is asked, who has not seen it."""

    verb: ClassVar[str] = "annotate.asked_again"
    item_id: str
    task_id: str
    next_task_id: str
    question: str
    answers: int
    doubt: float


@dataclass(frozen=True, kw_only=True)
class TruthAccepted(Event):
    """Several people's answers settle an item; `posterior`: by class, `model_answers`: to how many it was fitted."""

    verb: ClassVar[str] = "annotate.truth_accepted"
    item_id: str
    task_id: str
    question: str
    value: Any
    answers: int
    posterior: dict[str, float]
    model_answers: int


@dataclass(frozen=True, kw_only=True)
class Disagreed(Event):
    """People go on disagreeing about an item: a lead is asked, who sees what was answered and not by whom."""

    verb: ClassVar[str] = "annotate.disagreed"
    item_id: str
    task_id: str
    next_task_id: str
    question: str
    answers: int
    doubt: float
    why: str
