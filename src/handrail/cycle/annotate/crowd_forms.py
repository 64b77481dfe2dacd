"""Overlap and agreement as callers see them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from handrail.cycle.annotate.model import MOST_OVERLAP, OverlapRule

if TYPE_CHECKING:
    from handrail.cycle.annotate.truth.agreement import Agreement
    from handrail.cycle.annotate.truth.reliability import Reliability
    from handrail.cycle.annotate.truth.report import CrowdReport


class OverlapForm(BaseModel):
    """How many people are asked about an item, one after another, before its label holds."""

    model_config = ConfigDict(extra="forbid")
    error: float = Field(
        default=0.05, gt=0, lt=1, description="Stop when the posterior's chance of being wrong is below this."
    )
    least: int = Field(default=2, ge=1, le=MOST_OVERLAP, description="Answers that are always asked for.")
    most: int = Field(default=5, ge=1, le=MOST_OVERLAP, description="Answers after which a lead is asked instead.")
    price: float = Field(default=0.0, ge=0, lt=1, description="The least error that another answer must take away.")
    random_share: float = Field(
        default=0.15, ge=0, le=1, description="Share of items, by chance, that gets the most answers."
    )

    def rule(self) -> OverlapRule:
        """Return the rule; raises OverlapInvalid."""
        return OverlapRule(**self.model_dump())

    @classmethod
    def of(cls, rule: OverlapRule) -> OverlapForm:
        """Return what callers see."""
        return cls(**rule.to_dict())


class OverlapOut(BaseModel):
    """The rule of a question, null where one answer is enough."""

    question: str
    rule: OverlapForm | None


class AgreementOut(BaseModel):
    """Krippendorff's alpha with its bootstrap interval at 90 %; null where it is not defined."""

    value: float | None
    low: float | None
    high: float | None
    items: int = Field(description="Items with two answers or more.")

    @classmethod
    def of(cls, one: Agreement) -> AgreementOut:
        """Return what callers see."""
        return cls(value=one.value, low=one.low, high=one.high, items=one.items)


class ReliabilityOut(BaseModel):
    """One person: peer agreement with its interval at 90 %, and a tier against the panel; never a rank."""

    person_id: str
    name: str
    answers: int
    with_peer: int
    agreement: float | None
    low: float | None
    high: float | None
    tier: Literal["above", "within", "below"] | None
    why: str = Field(description="Why a figure or the tier is missing.")

    @classmethod
    def of(cls, one: Reliability, name: str) -> ReliabilityOut:
        """Return what callers see."""
        found = one.agreement
        return cls(
            person_id=str(one.reviewer),
            name=name,
            answers=one.answers,
            with_peer=one.with_peer,
            agreement=None if found is None else found.value,
            low=None if found is None else found.low,
            high=None if found is None else found.high,
            tier=one.tier,
            why=one.why,
        )


class RefusalOut(BaseModel):
    """Why nobody is compared, and what to do about it."""

    code: str
    sentence: str
    remedy: str


class CrowdOut(BaseModel):
    """What the answers to a question say about agreement and about the people who gave them."""

    question: str
    items: int
    answers: int
    agreement: AgreementOut | None
    of_class: dict[str, AgreementOut]
    people: list[ReliabilityOut]
    refusal: RefusalOut | None
    drift: Literal["nobody", "people", "task"]
    drifting: list[str] = Field(description="Ids of people who became worse: a reason for a blind audit, no verdict.")

    @classmethod
    def of(cls, question: str, one: CrowdReport | None, names: Mapping[str, str]) -> CrowdOut:
        """Return what callers see; None where nobody has answered yet."""
        if one is None:
            return cls(
                question=question, items=0, answers=0, agreement=None, of_class={}, people=[], refusal=None,
                drift="nobody", drifting=[],
            )  # fmt: skip
        refused = one.refusal
        return cls(
            question=question,
            items=one.items,
            answers=one.answers,
            agreement=AgreementOut.of(one.agreement),
            of_class={str(name): AgreementOut.of(each) for name, each in one.of_class.items()},
            people=[ReliabilityOut.of(each, names.get(str(each.reviewer), "")) for each in one.people],
            refusal=None
            if refused is None
            else RefusalOut(code=refused.code, sentence=refused.sentence, remedy=refused.remedy),
            drift=one.drift,
            drifting=[str(name) for name in one.drifting],
        )
