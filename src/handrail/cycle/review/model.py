"""Values and rules of deciding: policy, request, decision, the states of automation. No I/O, no clock."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal, get_args

from handrail.cycle.review.audit_terms import Draw
from handrail.cycle.review.certificates.plan import Mode
from handrail.foundation.canonical import encode
from handrail.foundation.errors import Conflict, Forbidden, Invalid, NotFound

Status = Literal["auto", "pending", "decided", "blocked", "expired", "reversed"]
Route = Literal["auto", "human", "blocked"]
State = Literal["shadow", "certifying", "auto", "warned", "braked", "stopped"]
OnDeadline = Literal["hold", "deny"]
CertificateStatus = Literal["planned", "certified", "refused", "ended"]

MOST_KEY = 200
"""Characters of an idempotency key."""
MOST_DEADLINE_S = 31_536_000
"""Seconds until the furthest deadline: a year."""

AUTOMATIC: frozenset[State] = frozenset({"auto", "warned"})
"""The states in which a model may answer without a person."""


class PolicyInvalid(Invalid):
    """The policy document breaks a rule; every problem is listed."""

    code = "review.policy_invalid"


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
class Rule:
    """A hard rule: when the CEL condition holds, a person decides or the item is blocked, whatever the score."""

    name: str
    when: str
    then: Literal["human", "block"]
    reason: str = ""


@dataclass(frozen=True)
class Policy:
    """The versioned document that routes.

    `alpha`: highest share of wrong automatic decisions. `delta`: chance that a certificate is wrong.
    `certificate_mode`: its test, closed or strict, see docs/explanation/certificates.md. `audit_rate`: nominal share
    of automatic decisions that a person checks. `brake_delta`: chance of one false stop in `brake_lifetime` audits.
    `reviewer_error`: upper bound of the chance that an audit calls a right answer wrong, second opinions included.
    `second_opinion`: an audit that disagrees with the model counts once another person, blind too, confirms it; a
    third decides where they differ. `audit_due_days`: an audit without a verdict is overdue after so many days.
    `certify_labels` and `certify_share`: how many labels a new model's certificate draws from the stream, and the
    probability with which each item is drawn meanwhile (0 labels: no certificate is planned by itself).
    `retrain_after`: verdicts that start a training run (0: never by itself).
    """

    question: str
    alpha: float = 0.05
    delta: float = 0.10
    certificate_mode: Mode = "closed"
    rules: tuple[Rule, ...] = ()
    audit_rate: float = 0.10
    brake_delta: float = 0.05
    brake_lifetime: int = 4000
    reviewer_error: float = 0.0
    second_opinion: bool = False
    audit_due_days: int = 14
    certify_labels: int = 0
    certify_share: float = 1.0
    retrain_after: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the document as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Policy:
        """Read a document; raises PolicyInvalid with every problem, unknown keys included."""
        problems: list[str] = []
        known = {one.name: one for one in fields(cls)}
        problems += [f"{str(name)[:80]}: not a part of a policy" for name in document if name not in known]
        values = {name: value for name, value in document.items() if name in known and name != "rules"}
        rules = _rules(document.get("rules", ()), problems)
        for name, low, high in _SHARES:
            if name in values and not _is_number(values[name], low, high):
                problems.append(f"{name}: must be a number from {low} to {high}")
        if not _is_number(values.get("reviewer_error", 0.0), 0.0, 0.2):
            problems.append("reviewer_error: must be a number from 0 to 0.2")
        for name, least in _COUNTS:
            value = values.get(name, least)
            if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= 1_000_000:
                problems.append(f"{name}: must be a whole number from {least} to 1000000")
        if not isinstance(values.get("second_opinion", False), bool):
            problems.append("second_opinion: must be true or false")
        if values.get("certificate_mode", "closed") not in get_args(Mode):
            problems.append(f"certificate_mode: must be one of {', '.join(get_args(Mode))}")
        if not isinstance(document.get("question"), str) or not 1 <= len(document["question"]) <= 128:
            problems.append("question: must name a question of the schema")
        refuse_policy(problems)
        return cls(rules=rules, **values)


def refuse_policy(problems: Sequence[str]) -> None:
    """Raise PolicyInvalid when there are problems; it lists the first hundred."""
    if problems:
        first = "; ".join(problems[:5]) + (f"; and {len(problems) - 5} more" if len(problems) > 5 else "")
        raise PolicyInvalid(
            f"The policy has {len(problems)} problem{'s' if len(problems) > 1 else ''}: {first}.",
            hint="Nothing was changed. Mend the document and send it again.",
            problems=list(problems[:100]),
        )


# A smaller alpha or delta asks for more labels than anybody has, and sums over them would not end.
LEAST_SHARE = 1e-5
_SHARES = (
    ("alpha", LEAST_SHARE, 0.5),
    ("delta", LEAST_SHARE, 0.5),
    ("audit_rate", LEAST_SHARE, 1.0),
    ("brake_delta", LEAST_SHARE, 0.5),
    ("certify_share", LEAST_SHARE, 1.0),
)
MOST_RULES = 100
LONGEST_NAME = 64
LONGEST_REASON = 1000
_COUNTS = (("brake_lifetime", 100), ("audit_due_days", 1), ("certify_labels", 0), ("retrain_after", 0))


def _is_number(value: Any, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0.0 <= value <= 1.0


def _rules(given: Any, problems: list[str]) -> tuple[Rule, ...]:
    if not isinstance(given, list | tuple) or len(given) > MOST_RULES:
        problems.append(f"rules: must be a list of at most {MOST_RULES}")
        return ()
    made: list[Rule] = []
    for position, one in enumerate(given):
        found = len(problems)
        document = asdict(one) if isinstance(one, Rule) else one
        if not isinstance(document, Mapping):
            problems.append(f"rules[{position}]: must be an object")
            continue
        problems += [f"rules[{position}]: {problem}" for problem in _rule_problems(document)]
        if len(problems) == found:
            made.append(Rule(**document))
    names = [rule.name for rule in made]
    if len(set(names)) != len(names):
        problems.append("rules: two rules have the same name")
    return tuple(made)


def _rule_problems(document: Mapping[str, Any]) -> list[str]:
    known = {"name", "when", "then", "reason"}
    found = [f"{str(name)[:80]} is not a part of a rule" for name in document if name not in known]
    name, reason = document.get("name"), document.get("reason", "")
    if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_NAME or not name.isprintable() or ":" in name:
        found.append(f"name must be 1 to {LONGEST_NAME} printable characters without a colon")
    if not isinstance(document.get("when"), str) or not document["when"]:
        found.append("when must be a condition")
    if document.get("then") not in ("human", "block"):
        found.append("then must be human or block")
    if not isinstance(reason, str) or len(reason) > LONGEST_REASON or not (reason.isprintable() or not reason):
        found.append(f"reason must be a text of at most {LONGEST_REASON} printable characters")
    return found


@dataclass(frozen=True)
class Given:
    """A prediction that the caller brings: value, confidence in it, scores per answer."""

    value: Any
    score: float
    scores: Mapping[str, float] = field(default_factory=dict)
    top: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        if not _is_share(self.score):
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
    """One call of decide(): an item by its content, under an idempotency key."""

    external_id: str
    data: Mapping[str, Any]
    idempotency_key: str
    group: Mapping[str, str] = field(default_factory=dict)
    subject: str | None = None
    observed_at: datetime | None = None
    prediction: Given | None = None
    deadline_s: float | None = None
    on_deadline: OnDeadline = "hold"

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
            self.on_deadline,
        ]
        text = (data or encode(dict(self.data))) + encode(rest)
        return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Decision:
    """What happens to an item. `route` is how it was sent at first, `status` where it stands now.

    `by_kind` is person, simulated, policy, rule, deadline or brake; a deadline is never written as a person.
    `audit_probability` is the chance with which a person was asked to check: 0 only where no draw was made.
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
class Audit:
    """One checked automatic decision."""

    decision_id: str
    probability: float
    wrong: bool


@dataclass(frozen=True)
class AuditRow:
    """An audit from its draw on: the terms, what each person said, and the confirmed verdict, None while it is open.

    `measured`: the decisions before it are summed up in `draw.idle`. `folded`: it is part of the brake's kept state.
    `drawn_at`: microseconds.
    """

    decision_id: str
    certificate_id: str
    draw: Draw
    measured: bool
    verdicts: tuple[tuple[str, Any], ...]
    wrong: bool | None
    folded: bool
    drawn_at: int
