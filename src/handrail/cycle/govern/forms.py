"""What the HTTP API takes and gives for lineage and recalls."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from handrail.cycle.datasets.forms import CommitOut
from handrail.cycle.datasets.provenance import Given, Recall, Span
from handrail.cycle.govern.lineage import Consequences, Origins, Reached
from handrail.cycle.govern.recalling import Effect
from handrail.cycle.train import ModelVersion


class GivenOut(BaseModel):
    """How many labels of one kind an actor gave; `answers` of them answered a task."""

    actor: str = Field(description="KIND:ID.")
    name: str
    question: str
    purpose: str
    source: str
    labels: int
    answers: int
    first: datetime
    last: datetime

    @classmethod
    def of(cls, one: Given) -> GivenOut:
        """Return what callers see."""
        return cls(**vars(one))


class LearnedOut(BaseModel):
    """A model version in a lineage."""

    id: str
    number: int
    question: str
    state: str


class OriginsOut(BaseModel):
    """What a decision, a model or a version rests on, down to the people."""

    decision_id: str | None
    model: LearnedOut | None
    commit: CommitOut | None
    given: list[GivenOut]
    problem: str = Field(description="Why the people are not known; empty when they are.")

    @classmethod
    def of(cls, one: Origins) -> OriginsOut:
        """Return what callers see."""
        model = one.model
        return cls(
            decision_id=one.decision_id,
            model=None if model is None else _learned(model),
            commit=None if one.commit is None else CommitOut.of(one.commit),
            given=[GivenOut.of(given) for given in one.given],
            problem=one.problem,
        )


class ReachedOut(BaseModel):
    """A model that may have learned from the labels asked about, and its decisions by route."""

    model: LearnedOut
    labels: int
    decisions: dict[str, int]

    @classmethod
    def of(cls, one: Reached) -> ReachedOut:
        """Return what callers see."""
        return cls(model=_learned(one.model), labels=one.labels, decisions=one.decisions)


class ConsequencesOut(BaseModel):
    """All that rests on one actor's labels of a time."""

    actor: str
    since: datetime | None
    until: datetime | None
    question: str | None
    first_commit: int | None = Field(description="Number of main's first commit that held one; null: none did.")
    end_commit: int | None = Field(description="Number of main's first commit without any; null: one is held still.")
    models: list[ReachedOut]
    elsewhere: list[str] = Field(description="Models trained on versions that main never stood at: not known of them.")

    @classmethod
    def of(cls, one: Consequences) -> ConsequencesOut:
        """Return what callers see."""
        return cls(
            **vars(one.span),
            first_commit=one.first_commit,
            end_commit=one.end_commit,
            models=[ReachedOut.of(reached) for reached in one.models],
            elsewhere=list(one.elsewhere),
        )


class RecallIn(BaseModel):
    """Whose labels of which time to withdraw, and why."""

    model_config = ConfigDict(extra="forbid")
    actor: str = Field(min_length=3, max_length=96, description="KIND:ID, as a commit's rows and a lineage name it.")
    since: datetime | None = Field(default=None, description="Labels from then on; with a time zone.")
    until: datetime | None = Field(default=None, description="Labels before then; with a time zone.")
    question: str | None = Field(default=None, max_length=128, description="Of this question alone.")
    reason: str = Field(min_length=1, max_length=10_000)
    preview: bool = Field(default=True, description="Tell what would happen and change nothing.")
    again: bool = Field(default=True, description="Ask others about the items: one campaign for each question.")

    @property
    def span(self) -> Span:
        """The labels that are meant; raises SpanInvalid."""
        return Span(self.actor, self.since, self.until, self.question)


class RecallOut(BaseModel):
    """A recall: how many labels were withdrawn, of how many the one before holds again, how many items have none."""

    id: str
    actor: str
    since: datetime | None
    until: datetime | None
    question: str | None
    reason: str
    labels: int
    restored: int
    emptied: int
    certifying: int = Field(description="Labels of draws to certify among them: think of a new certificate.")
    created_at: datetime
    by: str
    by_name: str

    @classmethod
    def of(cls, one: Recall) -> RecallOut:
        """Return what callers see."""
        told = {name: value for name, value in vars(one).items() if name in cls.model_fields}
        return cls(**told, **vars(one.span), by=f"{one.by_kind}:{one.by_id}")


class EffectOut(BaseModel):
    """What a recall did, or would do."""

    done: bool
    recall: RecallOut
    rested: ConsequencesOut
    campaigns: list[str]

    @classmethod
    def of(cls, one: Effect, *, done: bool) -> EffectOut:
        """Return what callers see."""
        rested = ConsequencesOut.of(one.consequences)
        return cls(done=done, recall=RecallOut.of(one.recall), rested=rested, campaigns=list(one.campaigns))


def _learned(model: ModelVersion) -> LearnedOut:
    return LearnedOut(id=model.id, number=model.number, question=model.question, state=model.state)
