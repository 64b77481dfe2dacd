"""Facts that review publishes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from handrail.cycle.review.model import Decision
from handrail.cycle.review.sealing import SEALED
from handrail.foundation.frozen import at_once
from handrail.foundation.journal import Event


@at_once
@dataclass(frozen=True, kw_only=True)
class Decided(Event):
    """A decision was recorded: automatic, sent to a person, or blocked."""

    verb: ClassVar[str] = "review.decided"
    decision_id: str
    item_id: str
    task_id: str | None
    policy_id: str
    model_id: str | None
    certificate_id: str | None
    commit_id: str | None
    status: str
    route: str
    value: Any
    by: str
    score: float | None
    reasons: list[str]
    audit_probability: float
    sealed: bool
    day: int

    @classmethod
    def of(cls, one: Decision, day: int) -> Decided:
        """Return the fact that a decision is; `day` is the one that it counts for, as 20261105.

        Of a sealed one score and reasons are told with the verdict: whoever reads the journal before gives their own
        answer first too.
        """
        return cls(
            decision_id=one.id,
            item_id=one.item_id,
            task_id=one.task_id,
            policy_id=one.policy_id,
            model_id=one.model_id,
            certificate_id=one.certificate_id,
            commit_id=one.commit_id,
            status=one.status,
            route=one.route,
            value=one.value,
            by=f"{one.by_kind}:{one.by_id}",
            score=None if one.sealed else one.score,
            reasons=[SEALED] if one.sealed else list(one.reasons),
            audit_probability=one.audit_probability,
            sealed=one.sealed,
            day=day,
        )


@dataclass(frozen=True, kw_only=True)
class VerdictGiven(Event):
    """A person answered a review task, and the decision is final or goes on to another person."""

    verb: ClassVar[str] = "review.verdict_given"
    decision_id: str
    item_id: str
    task_id: str
    model_id: str | None
    verdict: str
    value: Any
    agreed: bool | None
    reason: str
    score: float | None
    reasons: list[str] | None


@dataclass(frozen=True, kw_only=True)
class SecondLookAsked(Event):
    """One of two people answered; the other is asked, and is not told what the first said."""

    verb: ClassVar[str] = "review.second_look_asked"
    decision_id: str
    item_id: str
    task_id: str
    next_task_id: str


@dataclass(frozen=True, kw_only=True)
class LooksDiffer(Event):
    """Two people said different things; a lead settles it."""

    verb: ClassVar[str] = "review.looks_differ"
    decision_id: str
    item_id: str
    task_id: str
    next_task_id: str


@dataclass(frozen=True, kw_only=True)
class Audited(Event):
    """A person checked an automatic decision, blind. `loss`: what the answer cost under the certificate's loss."""

    verb: ClassVar[str] = "review.audited"
    decision_id: str
    item_id: str
    task_id: str
    certificate_id: str
    model_id: str | None
    value: Any
    wrong: bool
    loss: float
    probability: float
    e_value: float
    level: str


@dataclass(frozen=True, kw_only=True)
class SeedAnswered(Event):
    """A person answered a seed, and only now it is revealed as one: what was shown, what is true, what it shows."""

    verb: ClassVar[str] = "review.seed_answered"
    seed_id: str
    task_id: str
    item_id: str
    shown: str
    truth: Any
    shown_value: Any
    value: Any
    outcome: str
    share: float
    opened_at: str


@dataclass(frozen=True, kw_only=True)
class ControlAnswered(Event):
    """A control item has its verdict, and only now it is revealed as one: its truth, the automatic answer that it stood
    for, what people said, and what that shows of them.
    """

    verb: ClassVar[str] = "review.control_answered"
    control_id: str
    task_id: str
    item_id: str
    stands: str
    truth: Any
    given: Any
    values: list[Any]
    outcome: str
    second_opinion: bool
    share: float
    opened_at: str


@dataclass(frozen=True, kw_only=True)
class AuditOverdue(Event):
    """An audit has no verdict when it is due; it goes on to the people who settle what others leave."""

    verb: ClassVar[str] = "review.audit_overdue"
    decision_id: str
    item_id: str
    task_id: str
    next_task_id: str
    certificate_id: str
    due_at: str


@dataclass(frozen=True, kw_only=True)
class Reversed(Event):
    """A decision was taken back: an audit found it wrong, or a person said why.

    Who acted on it must acknowledge that by `acknowledge_by`, which is null when nobody did.
    """

    verb: ClassVar[str] = "review.reversed"
    decision_id: str
    item_id: str
    old: Any
    new: Any
    reason: str
    acknowledge_by: str | None


@dataclass(frozen=True, kw_only=True)
class ReversalAcknowledged(Event):
    """Those who acted on a decision said that they know it was taken back."""

    verb: ClassVar[str] = "review.reversal_acknowledged"
    decision_id: str
    note: str


@dataclass(frozen=True, kw_only=True)
class IncidentOpened(Event):
    """Nobody acknowledged a reversal in time; leads have a task about it."""

    verb: ClassVar[str] = "review.incident_opened"
    decision_id: str
    task_id: str
    why: str


@dataclass(frozen=True, kw_only=True)
class DeadlinePassed(Event):
    """No person answered in time; the declared consequence holds."""

    verb: ClassVar[str] = "review.deadline_passed"
    decision_id: str
    task_id: str
    certificate_id: str | None
    status: str
    then: str
    value: Any


@dataclass(frozen=True, kw_only=True)
class DecisionConsumed(Event):
    """Somebody acted on a decision; nobody else may."""

    verb: ClassVar[str] = "review.consumed"
    decision_id: str
    value: Any
    caller: str
    action_hash: str | None


@dataclass(frozen=True, kw_only=True)
class PolicyActivated(Event):
    """A policy version came into force; `loosens` lists the safeguards that it lowers, as a person acknowledged."""

    verb: ClassVar[str] = "review.policy_activated"
    policy_id: str
    version: int
    document: dict[str, Any]
    loosens: list[str]


@dataclass(frozen=True, kw_only=True)
class CertificatePlanned(Event):
    """A certificate was asked for; its test and its terms are fixed before the first label.

    `groups`: the part of each group where they are certified apart; `group_levels`: the error of each that the brake
    watches. `loss`: what an error costs, with the SHA-256 of it, null where each costs 1.
    """

    verb: ClassVar[str] = "review.certificate_planned"
    certificate_id: str
    model_id: str
    mode: str
    alpha: float
    delta: float
    labels: int
    source: str
    automate: float | None
    region: float | None
    design: dict[str, Any] | None
    design_hash: str
    grounds: str
    groups: list[dict[str, Any]] | None
    group_levels: dict[str, float] | None
    loss: dict[str, Any] | None
    loss_digest: str | None


@dataclass(frozen=True, kw_only=True)
class CertificateReady(Event):
    """Every label that the plan asked for is there."""

    verb: ClassVar[str] = "review.certificate_ready"
    certificate_id: str


@dataclass(frozen=True, kw_only=True)
class CertificateIssued(Event):
    """The labels support automation above a threshold."""

    verb: ClassVar[str] = "review.certificate_issued"
    certificate_id: str
    model_id: str
    document: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class CertificateRefused(Event):
    """The labels do not support the wish; people go on deciding."""

    verb: ClassVar[str] = "review.certificate_refused"
    certificate_id: str
    model_id: str
    needed: int | None
    document: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class CertificateEnded(Event):
    """A certificate stopped to hold: its model was replaced, or the brake stopped it."""

    verb: ClassVar[str] = "review.certificate_ended"
    certificate_id: str
    why: str


@dataclass(frozen=True, kw_only=True)
class GroupBraked(Event):
    """The brake stopped groups alone: their items go to people, the others go on under the same certificate."""

    verb: ClassVar[str] = "review.group_braked"
    certificate_id: str
    model_id: str
    groups: list[str]
    after: str
    e_value: float
    why: str


@dataclass(frozen=True, kw_only=True)
class StateChanged(Event):
    """Automation went from one state to another."""

    verb: ClassVar[str] = "review.state_changed"
    certificate_id: str | None
    model_id: str | None
    old: str
    new: str
    why: str


@dataclass(frozen=True, kw_only=True)
class WebhookAdded(Event):
    """Another system is told about decisions from now on."""

    verb: ClassVar[str] = "review.webhook_added"
    webhook_id: str
    url: str
    events: list[str]


@dataclass(frozen=True, kw_only=True)
class WebhookRemoved(Event):
    """A web hook was removed."""

    verb: ClassVar[str] = "review.webhook_removed"
    webhook_id: str


@dataclass(frozen=True, kw_only=True)
class WebhookEnabled(Event):
    """A web hook goes on where it stopped."""

    verb: ClassVar[str] = "review.webhook_enabled"
    webhook_id: str


@dataclass(frozen=True, kw_only=True)
class WebhookDisabled(Event):
    """A receiver is gone or has not answered for so long that nothing is sent to it any more."""

    verb: ClassVar[str] = "review.webhook_disabled"
    webhook_id: str
    why: str
    tries: int
