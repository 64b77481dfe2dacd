"""Requests and decisions as callers send and see them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from handrail.cycle.review.execution import ACKNOWLEDGE_S, MOST_ACKNOWLEDGE_S, MOST_CALLER, Receipt, Reversal
from handrail.cycle.review.model import Decision, Given, OnDeadline
from handrail.cycle.review.model import Request as Wanted
from handrail.cycle.review.sealing import kept_back
from handrail.foundation.errors import Invalid


class PredictionIn(BaseModel):
    """A prediction that the caller brings; it is shown to people and never automated under a champion's certificate."""

    model_config = ConfigDict(extra="forbid")
    value: Any
    score: float = Field(ge=0, le=1, description="Calibrated confidence in the value.")
    scores: dict[str, float] = Field(default_factory=dict)


class DecideIn(BaseModel):
    """One item to decide."""

    model_config = ConfigDict(extra="forbid")
    external_id: str = Field(min_length=1, max_length=200, description="Your name of the item.")
    data: dict[str, Any] = Field(description="The item's fields, as the schema names them.")
    idempotency_key: str = Field(
        min_length=1, max_length=200, description="Same key and payload: same decision; other payload: 409."
    )
    group: dict[str, str] = Field(default_factory=dict, description="Group attributes, kept apart from the fields.")
    subject: str | None = Field(default=None, max_length=200, description="The person whom the item is about.")
    observed_at: datetime | None = Field(default=None, description="When the item was observed; now if not given.")
    prediction: PredictionIn | None = None
    deadline_s: float | None = Field(
        default=None, gt=0, le=31_536_000, description="Seconds until the deadline counts."
    )
    deadline: AwareDatetime | None = Field(default=None, description="The deadline as a time, instead of deadline_s.")
    on_deadline: OnDeadline | None = Field(
        default=None,
        description="hold: wait on; deny: the decision expires; escalate: a lead gets it; default: the answer in "
        "`default`, where the policy names it and the certificate covers it, else hold. Not given: deny when "
        "irreversible, else hold.",
    )
    default: Any = Field(default=None, description="With on_deadline default: the answer that a deadline may give.")
    irreversible: bool = Field(default=False, description="What follows cannot be undone: deny is the default.")
    risk_class: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", description="A short name; rules read risk_class."
    )
    cost: float | None = Field(
        default=None,
        ge=0,
        allow_inf_nan=False,
        description="What a wrong answer costs beside an ordinary one (1): rules read cost, and up to 100 it moves the "
        "item forward in the queue.",
    )
    action_hash: str | None = Field(
        default=None, pattern=r"^[!-~]{1,128}$", description="Hash of what will be carried out; binds the decision."
    )
    eyes: Literal[1, 2] = Field(default=1, description="How many people must agree where it is not automatic.")
    author: str | None = Field(
        default=None, max_length=64, description="Id of the person for whom you ask; a policy may part them from it."
    )

    def wanted(self) -> Wanted:
        """Return the request as review knows it."""
        given = self.prediction
        if self.observed_at is not None and self.observed_at.tzinfo is None:
            raise Invalid("observed_at has no time zone.", hint="Write it like 2026-11-05T10:00:00Z.")
        return Wanted(
            external_id=self.external_id,
            data=self.data,
            idempotency_key=self.idempotency_key,
            group=self.group,
            subject=self.subject,
            observed_at=self.observed_at,
            prediction=None if given is None else Given(given.value, given.score, given.scores),
            deadline_s=self.deadline_s,
            deadline=self.deadline,
            on_deadline=self.on_deadline,
            default=self.default,
            irreversible=self.irreversible,
            risk_class=self.risk_class,
            cost=self.cost,
            action_hash=self.action_hash,
            eyes=self.eyes,
            author=self.author,
        )


class DecisionOut(BaseModel):
    """A decision. `by` is person:…, simulated:…, policy:…, rule:…, deadline:… or brake:…; never a person by default."""

    id: str
    item_id: str = Field(description="Empty for those who only answer tasks, while it is sealed to them.")
    question: str
    status: Literal["auto", "pending", "decided", "blocked", "expired", "reversed"]
    route: Literal["auto", "human", "blocked"]
    value: Any
    by: str
    score: float | None
    prediction: dict[str, Any] | None
    reasons: list[str]
    certificate_id: str | None
    policy_id: str
    model_id: str | None
    commit_id: str | None
    audit_probability: float | None
    task_id: str | None
    created_at: datetime
    decided_at: datetime | None
    expires_at: datetime | None
    on_deadline: OnDeadline
    irreversible: bool
    risk_class: str | None
    cost: float | None
    action_hash: str | None
    consumed_at: datetime | None
    eyes: int = Field(description="How many people must agree where it is not automatic.")
    sealed: bool = Field(description="True while the model's answer is kept from you.")

    @classmethod
    def of(cls, one: Decision, sealed_for: Collection[str] = ()) -> DecisionOut:
        """Return what callers see; whether an audit was drawn is not told, or a check would not be blind."""
        made = cls(
            id=one.id,
            item_id=one.item_id,
            question=one.question,
            status=one.status,
            route=one.route,
            value=one.value,
            by=f"{one.by_kind}:{one.by_id}",
            score=one.score,
            prediction=one.prediction,
            reasons=list(one.reasons),
            certificate_id=one.certificate_id,
            policy_id=one.policy_id,
            model_id=one.model_id,
            commit_id=one.commit_id,
            audit_probability=one.audit_probability,
            task_id=None if one.route == "auto" else one.task_id,
            created_at=one.created_at,
            decided_at=one.decided_at,
            expires_at=one.expires_at,
            on_deadline=one.on_deadline,
            irreversible=one.irreversible,
            risk_class=one.risk_class,
            cost=one.cost,
            action_hash=one.action_hash,
            consumed_at=one.consumed_at,
            eyes=one.eyes,
            sealed=one.id in sealed_for,
        )
        return made.model_copy(update=kept_back(one)) if made.sealed else made


class ConsumeIn(BaseModel):
    """Who acts on a decision, and on which action."""

    model_config = ConfigDict(extra="forbid")
    caller: str = Field(
        min_length=1, max_length=MOST_CALLER, description="Your name of this attempt: the same one when you try again."
    )
    action_hash: str | None = Field(
        default=None, pattern=r"^[!-~]{1,128}$", description="Hash of what is carried out now; as it was decided on."
    )


class ReceiptOut(BaseModel):
    """That this caller, and nobody else, may act on the decision."""

    decision_id: str
    value: Any
    caller: str
    action_hash: str | None
    consumed_at: datetime

    @classmethod
    def of(cls, one: Receipt) -> ReceiptOut:
        """Return what callers see."""
        return cls(
            decision_id=one.decision_id,
            value=one.value,
            caller=one.caller,
            action_hash=one.action_hash,
            consumed_at=one.consumed_at,
        )


class ReverseIn(BaseModel):
    """Why a decision is taken back."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=2000)
    value: Any = Field(default=None, description="What holds instead; null when nothing does.")
    acknowledge_s: float = Field(
        default=ACKNOWLEDGE_S,
        gt=0,
        le=MOST_ACKNOWLEDGE_S,
        description="Seconds in which who acted on it must acknowledge; then leads get a task.",
    )


class AcknowledgeIn(BaseModel):
    """What was done about a decision that was taken back."""

    model_config = ConfigDict(extra="forbid")
    note: str = Field(default="", max_length=2000)


class ReversalOut(BaseModel):
    """That a consumed decision was taken back, and whether those who acted on it know."""

    decision_id: str
    reason: str
    reversed_by: str
    reversed_at: datetime
    acknowledge_by: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    note: str
    task_id: str | None = Field(description="The task of leads that opened because nobody acknowledged in time.")

    @classmethod
    def of(cls, one: Reversal) -> ReversalOut:
        """Return what callers see."""
        return cls(**{name: getattr(one, name) for name in cls.model_fields})
