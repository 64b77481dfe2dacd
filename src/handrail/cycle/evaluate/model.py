"""Values and rules of evaluation: a model on held-out items, two models on the same items, a proposal to sign. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from handrail.foundation.errors import Conflict, Forbidden, Invalid, NotFound

HELD_OUT: tuple[Literal["holdout"], Literal["certify"]] = ("holdout", "certify")
"""Purposes of labels that no model learns from and that were drawn at random."""

ProposalState = Literal["open", "signed", "refused", "superseded"]
Verdict = Literal["better", "worse", "no difference shown"]


class NothingHeldOut(Invalid):
    """There is no held-out label that these models have not learned from."""

    code = "evaluate.nothing_held_out"


class DifferentQuestions(Invalid):
    """Two models answer different questions and cannot be compared."""

    code = "evaluate.different_questions"


class ProposalClosed(Conflict):
    """The proposal has been decided already."""

    code = "evaluate.proposal_closed"


class ProposalStale(Conflict):
    """Another model became the champion since the proposal was made; its comparison no longer applies."""

    code = "evaluate.proposal_stale"


class ProposalNotFound(NotFound):
    """No proposal belongs to this task or model."""

    code = "evaluate.proposal_not_found"


class NotAPerson(Forbidden):
    """Only a person may sign or refuse a promotion."""

    code = "evaluate.not_a_person"


class NotACandidate(Conflict):
    """Only a candidate can be proposed."""

    code = "evaluate.not_a_candidate"


class NotSignedYet(Conflict):
    """The promotion has not been signed."""

    code = "evaluate.not_signed"


@dataclass(frozen=True)
class Evaluation:
    """One model on held-out items. `figures` are JSON values; `labels_digest` names the labels it was measured with.

    `rows` counts the items measured, `excluded` those left out because the model had learned from them.
    """

    id: str
    project_id: str
    model_id: str
    question: str
    rows: int
    excluded: int
    labels_digest: str
    figures: Mapping[str, Any]
    created_at: datetime

    @property
    def accuracy(self) -> Mapping[str, Any]:
        """The share of right answers with its interval: value, low, high, n, level."""
        held: Mapping[str, Any] = self.figures["accuracy"]
        return held


@dataclass(frozen=True)
class Comparison:
    """Champion and challenger on the same held-out items, which neither has learned from.

    `difference`: accuracy of the challenger minus that of the champion, with its paired interval. `only_champion` and
    `only_challenger` count the items that only one of them got right; `p_value` is McNemar's exact one, two-sided.
    """

    champion_id: str
    challenger_id: str
    question: str
    rows: int
    excluded: int
    labels_digest: str
    champion_accuracy: Mapping[str, Any]
    challenger_accuracy: Mapping[str, Any]
    difference: Mapping[str, Any]
    only_champion: int
    only_challenger: int
    p_value: float
    verdict: Verdict
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Comparison:
        """Read what `to_dict` wrote."""
        return cls(**values)


@dataclass(frozen=True)
class Proposal:
    """A candidate put before a person. `document` is what the person was shown when the task was opened."""

    id: str
    project_id: str
    model_id: str
    replaced_id: str | None
    task_id: str
    state: ProposalState
    document: Mapping[str, Any]
    created_at: datetime
    decided_at: datetime | None
    decided_by: str


def judge(low: float, high: float) -> Verdict:
    """Return what the interval of a difference shows."""
    if low > 0:
        return "better"
    return "worse" if high < 0 else "no difference shown"


def sentence(verdict: Verdict, value: float, low: float, high: float, rows: int) -> str:
    """Say a comparison in words, with its interval."""
    shift = f"{value * 100:+.1f} points [{low * 100:+.1f}, {high * 100:+.1f}] on the same {rows} held-out items"
    if verdict == "better":
        return f"The challenger is better: {shift}."
    if verdict == "worse":
        return f"The challenger is worse: {shift}."
    return f"No difference is shown: {shift}."
