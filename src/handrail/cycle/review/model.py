"""Values and rules of deciding: request, decision, the states of automation. No I/O, no clock."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

from handrail.cycle.review.audit_terms import Draw
from handrail.foundation.canonical import encode
from handrail.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from handrail.foundation.frozen import at_once

Status = Literal["auto", "pending", "decided", "blocked", "expired", "reversed"]
Route = Literal["auto", "human", "blocked"]
State = Literal["shadow", "certifying", "auto", "warned", "braked", "stopped"]
OnDeadline = Literal["hold", "deny", "escalate", "default"]

MOST_KEY = 200
"""Characters of an idempotency key."""
MOST_DEADLINE_S = 31_536_000
"""Seconds until the furthest deadline: a year."""

AUTOMATIC: frozenset[State] = frozenset({"auto", "warned"})
"""The states in which a model may answer without a person."""


class KeyReused(Conflict):
    """The idempotency key was used before with another payload."""

    code = "review.key_reused"


class AlreadyDecided(Conflict):
    """The decision is final; a person may still reverse it."""

    code = "review.already_decided"


class DecisionNotFound(NotFound):
    """No decision with this id in the project."""

    code = "review.decision_not_found"


class CertificateNotFound(NotFound):
    """No certificate with this id in the project."""

    code = "review.certificate_not_found"


class LabelsMissing(Conflict):
    """The certificate's labels are not complete; skipping the hard ones would void it."""

    code = "review.labels_missing"


class Sealed(Conflict):
    """The model's answer to this decision is sealed for the reader until their own answer is stored."""

    code = "review.sealed"


class NoModel(Conflict):
    """The project has no champion, so there is nothing to certify."""

    code = "review.no_model"


class NotAPerson(Forbidden):
    """Only a person may do this; a machine token never counts as one."""

    code = "review.not_a_person"


class SamePerson(Forbidden):
    """Another person than the one who stopped automation must start it again."""

    code = "review.same_person"


class WrongState(Conflict):
    """Automation is in a state that does not allow this."""

    code = "review.wrong_state"


@dataclass(frozen=True)
class Given:
    """A prediction that the caller brings: value, confidence in it, scores per answer."""

    value: Any
    score: float
    scores: Mapping[str, float] = field(default_factory=dict)
    top: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        score = self.score
        if not isinstance(score, int | float) or isinstance(score, bool) or not 0.0 <= score <= 1.0:
            raise Invalid("The score is not a number from 0 to 1.", hint="Send the calibrated confidence in the value.")
        for name, score in self.scores.items():
            if not isinstance(name, str) or not isinstance(score, int | float) or not math.isfinite(score):
                raise Invalid("The scores are not finite numbers by answer.", hint="Send one number for each answer.")

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "value": self.value,
            "score": self.score,
            "scores": dict(self.scores),
            "top": [[name, weight] for name, weight in self.top],
        }


@dataclass(frozen=True)
class Request:
    """One call of decide(): an item by its content, under an idempotency key.

    `on_deadline` None: deny when `irreversible`, else hold; `default`: what a passed deadline may answer.
    `cost` of an error is relative to an ordinary one (1); rules know it, and it moves the item's task in the queue.
    `eyes` people must agree, 1 or 2. `author` is the id of the person for whom a machine asks.
    """

    external_id: str
    data: Mapping[str, Any]
    idempotency_key: str
    group: Mapping[str, str] = field(default_factory=dict)
    subject: str | None = None
    observed_at: datetime | None = None
    prediction: Given | None = None
    deadline_s: float | None = None
    deadline: datetime | None = None
    on_deadline: OnDeadline | None = None
    default: Any = None
    irreversible: bool = False
    risk_class: str | None = None
    cost: float | None = None
    action_hash: str | None = None
    eyes: int = 1
    author: str | None = None

    def digest(self, data: str | None = None) -> str:
        """Return the SHA-256 of everything but the key: the same key must come with the same payload.

        `data` is the canonical JSON of the data, where the caller has it.
        """
        rest = [
            self.external_id,
            dict(self.group),
            self.subject,
            self.observed_at.isoformat() if self.observed_at else None,
            self.prediction.to_dict() if self.prediction else None,
            self.deadline_s,
            self.deadline.isoformat() if self.deadline else None,
            self.on_deadline,
            self.default,
            self.irreversible,
            self.risk_class,
            self.cost,
            self.action_hash,
            self.eyes,
            self.author,
        ]
        text = (data or encode(dict(self.data))) + encode(rest)
        return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@at_once
@dataclass(frozen=True)
class Decision:
    """What happens to an item. `route` is how it was sent at first, `status` where it stands now.

    `by_kind` is person, simulated, policy, rule, deadline or brake; a deadline is never written as a person.
    `audit_probability` is the chance with which a person was asked to check: 0 only where no draw was made.
    `eyes` is how many people must agree when it is not automatic.
    `sealed`: people do not see the model's answer before their own, blind or blind-first.
    """

    id: str
    project_id: str
    item_id: str
    question: str
    status: Status
    route: Route
    value: Any
    by_kind: str
    by_id: str
    score: float | None
    prediction: dict[str, Any] | None
    reasons: tuple[str, ...]
    certificate_id: str | None
    policy_id: str
    model_id: str | None
    commit_id: str | None
    audit_probability: float
    audited: bool
    task_id: str | None
    created_at: datetime
    decided_at: datetime | None
    expires_at: datetime | None
    on_deadline: OnDeadline
    default: Any = None
    irreversible: bool = False
    risk_class: str | None = None
    cost: float | None = None
    action_hash: str | None = None
    consumed_at: datetime | None = None
    eyes: int = 1
    sealed: bool = False


@dataclass(frozen=True)
class Control:
    """The state of automation in a project; `epoch` grows with every change that routing depends on."""

    project_id: str
    state: State
    epoch: int
    policy_id: str
    model_id: str | None
    certificate_id: str | None
    since: datetime
    changed_by: str
    note: str


@dataclass(frozen=True)
class Audit:
    """One checked automatic decision; `wrong` is 0, 1, or the loss between under the certificate's loss."""

    decision_id: str
    probability: float
    wrong: float


@dataclass(frozen=True)
class AuditRow:
    """An audit from its draw on: the terms, what each person said, and the confirmed verdict, None while it is open.

    `wrong`: 0, 1, or the loss between under the certificate's loss. `measured`: the decisions before it are summed up
    in `draw.idle`. `folded`: it is part of the brake's kept state. `drawn_at`, `due_at`: microseconds.
    """

    decision_id: str
    certificate_id: str
    draw: Draw
    measured: bool
    verdicts: tuple[tuple[str, Any], ...]
    wrong: float | None
    folded: bool
    drawn_at: int
    due_at: int = 0
