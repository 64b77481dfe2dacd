"""What the HTTP API takes and gives for the rules and the state of a queue."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from handrail.cycle.tasks.competence import LEAST_ANSWERS, MOST_ANSWERS, MOST_DAYS, Gate
from handrail.cycle.tasks.model import MOST_REASON
from handrail.cycle.tasks.outlook import Outlook
from handrail.cycle.tasks.staffing import MOST_LIMIT, MOST_MINUTES, QueueRules

JudgedKind = Literal["label", "review", "audit", "adjudicate"]


class CompetenceForm(BaseModel):
    """How far a person's answers must agree with known truth; who falls under it gets no more tasks."""

    model_config = ConfigDict(extra="forbid")
    least_agreement: float = Field(
        gt=0, lt=1, description="The gate closes when the upper limit of a person's share, 95 % exact, is below it."
    )
    least_answers: int = Field(
        20, ge=LEAST_ANSWERS, le=MOST_ANSWERS, description="Under so many answers of known truth nothing is judged."
    )
    window_days: int = Field(30, ge=1, le=MOST_DAYS, description="Answers of so many days count.")
    of: list[JudgedKind] = Field(default_factory=list, description="Kinds of tasks whose answers count; empty: all.")
    admit_first: bool = Field(False, description="Who has too few answers to be judged works only once admitted.")


class QueueRulesForm(BaseModel):
    """What a project says about its queue; null is no limit."""

    model_config = ConfigDict(extra="forbid")
    most_held: int | None = Field(None, ge=1, le=MOST_LIMIT, description="Tasks that a person may hold at once.")
    most_an_hour: int | None = Field(
        None, ge=1, le=MOST_LIMIT, description="Answers of a person in any 60 minutes; the next claim is refused."
    )
    most_a_day: int | None = Field(None, ge=1, le=MOST_LIMIT, description="Answers of a person in any 24 hours.")
    chain: list[str] = Field(
        default_factory=list, description="Skills that an escalated task climbs through; then it stays with leads."
    )
    skills: dict[str, list[str]] = Field(default_factory=dict, description="Skill -> ids of the people who have it.")
    climb_minutes: int | None = Field(
        None,
        ge=1,
        le=MOST_MINUTES,
        description="After so long without a claim an open task climbs the chain by itself; null: never.",
    )
    competence: CompetenceForm | None = Field(None, description="What is asked of those who answer; null: nothing.")

    @classmethod
    def of(cls, one: QueueRules) -> QueueRulesForm:
        """Return what callers see."""
        return cls.model_validate(one.to_dict() | {"skills": {name: list(ids) for name, ids in one.skills.items()}})

    def rules(self) -> QueueRules:
        """Return the rules; raises RulesInvalid."""
        return QueueRules.from_dict(self.model_dump())


class AdmissionIn(BaseModel):
    """Whom to admit, and why."""

    model_config = ConfigDict(extra="forbid")
    person_id: str = Field(min_length=1, max_length=64)
    reason: str = Field("", max_length=MOST_REASON)


class AdmissionOut(BaseModel):
    """A person who may work; their answers count anew from then on."""

    person_id: str
    admitted_at: datetime


class GateOut(BaseModel):
    """A person who gets no more tasks until a lead admits them: `right` of `n` answers to cases of known truth."""

    person_id: str
    name: str
    closed_at: datetime
    right: int
    n: int
    low: float
    high: float
    least_agreement: float

    @classmethod
    def of(cls, one: Gate) -> GateOut:
        """Return what leads see."""
        assert one.closed_at is not None
        return cls(
            person_id=one.person_id,
            name=one.name,
            closed_at=one.closed_at,
            right=one.tally.right,
            n=one.tally.n,
            low=one.tally.interval.low,
            high=one.tally.interval.high,
            least_agreement=one.least,
        )


class PersonLoadOut(BaseModel):
    """What one person holds now, and answered in the last 60 minutes and 24 hours."""

    person_id: str
    name: str
    held: int
    last_hour: int
    last_day: int


class ForecastOut(BaseModel):
    """Tasks that will miss their deadline in the next 24 hours, if they are like one of the `n` days before.

    `missing` is the median of those days lived again, `low` and `high` the best and the worst of them.
    """

    missing: int
    low: int
    high: int
    level: float = Field(description="Chance that a day like these lies between low and high.")
    n: int = Field(description="Past days.")
    sentence: str


class QueueStateOut(BaseModel):
    """How a queue does now."""

    open: int
    claimed: int
    oldest_at: datetime | None = Field(description="When the oldest open task was opened.")
    answers_last_hour: int
    answers_last_day: int
    due_next_day: int = Field(description="Unanswered tasks whose deadline ends in the next 24 hours.")
    climb_next_hour: int = Field(
        description="Open tasks that climb the chain in the next 60 minutes if nobody claims them; 10,000 at most."
    )
    forecast: ForecastOut | None
    why_no_forecast: str
    people: list[PersonLoadOut]
    closed: list[GateOut] = Field(description="People who get no more tasks until a lead admits them.")

    @classmethod
    def of(cls, one: Outlook) -> QueueStateOut:
        """Return what callers see."""
        told = one.forecast
        return cls(
            open=one.open,
            claimed=one.claimed,
            oldest_at=one.oldest_at,
            answers_last_hour=one.answers_last_hour,
            answers_last_day=one.answers_last_day,
            due_next_day=one.due_next_day,
            climb_next_hour=one.climb_next_hour,
            forecast=None if told is None else ForecastOut(**vars(told), sentence=told.sentence),
            why_no_forecast=one.why,
            people=[PersonLoadOut(**vars(each)) for each in one.people],
            closed=[GateOut.of(each) for each in one.closed],
        )
