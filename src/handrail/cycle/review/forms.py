"""What the HTTP API takes and gives when a policy is tried or imported, and the figures of what it did."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from handrail.cycle.review.a2i import FormFields, Imported
from handrail.cycle.review.audit_figures import AuditFigures
from handrail.cycle.review.replay import Errors, Flow, Replayed
from handrail.cycle.review.trying import MOST, Trial
from handrail.cycle.tasks import LookTime
from handrail.foundation.errors import Invalid

Way = Literal["auto", "human", "blocked"]


class ErrorOut(BaseModel):
    """A share of errors with its interval at confidence `level`, from `n` audits."""

    value: float
    low: float
    high: float
    n: int
    level: float
    method: str


class BlockOut(BaseModel):
    """The error of the automatic decisions of one block of audits, with an interval for all blocks together."""

    value: float = Field(description="Each audit weighted by 1 / probability; those with a verdict alone.")
    low: float = Field(description="Audits that are overdue count as right here, and as wrong in `high`.")
    high: float
    n: int
    first: int = Field(description="The block's first audit, counted from 1 over the certificate's life.")
    overdue: int
    complete: bool = Field(description="The block has all of its 500 audits.")
    level: float
    reviewer_error: float | None = Field(description="Bound of false alarms that the interval is corrected for.")
    missed: float | None = Field(description="Bound of misses that it is corrected for; null: not known, taken as 0.")


class DistanceOut(BaseModel):
    """How near the brake is."""

    e_value: float = Field(description="W: 1 warns.")
    brakes_at: float
    wrong_in_a_row: int | None = Field(
        description="Wrong audits of ordinary weight that would brake if they came next."
    )
    level: Literal["auto", "warned", "braked"]
    alpha: float
    null: float = Field(description="Share of verdicts `wrong` that a model at its certified level may get.")
    reviewer_error: float
    n: int
    lifetime: int
    said: str


class ControlsOut(BaseModel):
    """How often reviewers themselves err, from audits of known truth. One that is late counts as an error of theirs."""

    opened: int
    answered: int
    right: int = Field(description="Control items that stand for a right answer, and count.")
    false_alarms: int = Field(description="Of these called wrong, confirmed as an audit is.")
    fbar: float | None = Field(description="Upper bound of the chance of a false alarm; null without a case.")
    f_level: float
    wrong: int = Field(description="Control items that stand for a wrong answer, and count.")
    misses: int
    mbar: float | None = Field(description="Upper bound of the chance of a miss at 0.95; null under 20 cases.")
    late: int


class AuditsOut(BaseModel):
    """What the audits show of the certificate in force, or of the last one that had a brake."""

    certificate_id: str | None
    number: int | None
    drawn: int
    answered: int
    open: int = Field(description="No verdict, and not due.")
    overdue: int = Field(description="No verdict, and due.")
    wrong: int
    error: BlockOut | None = Field(description="Of the last block of 500 audits, before that of those so far.")
    brake: DistanceOut | None
    reviewers_said: str = Field(description="What its brake was told of the reviewers' error.")
    controls: ControlsOut

    @classmethod
    def of(cls, one: AuditFigures) -> AuditsOut:
        """Return what callers see."""
        known = {name: getattr(one.controls, name) for name in ControlsOut.model_fields if hasattr(one.controls, name)}
        return cls(
            certificate_id=one.certificate_id,
            number=one.number,
            **asdict(one.counted),
            error=None if one.error is None else BlockOut(**asdict(one.error)),
            brake=None if one.brake is None else DistanceOut.model_validate(asdict(one.brake)),
            reviewers_said=one.reviewers_said,
            controls=ControlsOut(opened=one.controls_opened, answered=one.controls_answered, **known),
        )


class TalliesOut(BaseModel):
    """Number of decisions: by day (YYYYMMDD), then by route."""

    days: dict[int, dict[str, int]]


class TrialIn(BaseModel):
    """A policy to try on recorded decisions, and how far back to read."""

    model_config = ConfigDict(extra="forbid")
    policy: dict[str, Any] = Field(description="The policy document.")
    since: datetime | None = Field(default=None, description="Read decisions made since then; all if not given.")
    limit: int = Field(default=10_000, ge=1, le=MOST, description="Read so many at most, the newest first.")
    look_cost: float | None = Field(default=None, ge=0, allow_inf_nan=False, description="What one look costs you.")
    error_cost: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="What one wrong automatic decision costs you."
    )

    def begin(self) -> datetime | None:
        """Return `since`; raises Invalid without a time zone."""
        if self.since is not None and self.since.tzinfo is None:
            raise Invalid("since has no time zone.", hint="Write it like 2026-11-05T10:00:00Z.")
        return self.since


class FlowOut(BaseModel):
    """Where decisions would have gone. `audits` is the number expected; `tasks` are people's looks of both kinds."""

    decisions: int
    automatic: int
    people: int
    blocked: int
    audits: float
    tasks: float
    automation: float | None = Field(description="Automatic share; null without any decision.")
    rules: dict[str, int] = Field(description="Rule -> number of decisions that it caught.")

    @classmethod
    def of(cls, one: Flow) -> FlowOut:
        """Return what callers see."""
        return cls(
            decisions=one.decisions,
            automatic=one.automatic,
            people=one.people,
            blocked=one.blocked,
            audits=one.audits,
            tasks=one.tasks,
            automation=one.automation,
            rules=dict(one.rules),
        )


class RangeOut(BaseModel):
    """A figure with its limits at confidence 0.95."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, one: tuple[float, float, float] | None, factor: float = 1.0) -> RangeOut | None:
        """Return what callers see, times a factor; None stays None."""
        return None if one is None else cls(value=one[0] * factor, low=one[1] * factor, high=one[2] * factor)


class MistakesOut(BaseModel):
    """The error of what would have been automatic, as far as people's answers speak about it.

    `share` is null where they do not, and `unknown` says why. What is `open` or `unseen` counts as right in `low` and
    as wrong in `high`.
    """

    share: RangeOut | None
    mean_loss: RangeOut | None = Field(description="The mean of the policy's loss; null where it declares none.")
    expected: RangeOut | None = Field(description="Wrong decisions among all automatic ones.")
    n: int = Field(description="Answers that speak about them: audits and verdicts.")
    audits: int
    verdicts: int
    open: int = Field(description="Looks that were asked for and have not come.")
    undrawn: int = Field(description="Automatic decisions whose audit was not drawn; the drawn ones speak for them.")
    unseen: int = Field(description="Blocked ones, which nobody looked at.")
    method: str | None
    unknown: str

    @classmethod
    def of(cls, one: Errors) -> MistakesOut:
        """Return what callers see."""
        share, lost = one.share, one.mean_loss
        return cls(
            share=None if share is None else RangeOut(value=share.value, low=share.low, high=share.high),
            mean_loss=None if lost is None else RangeOut(value=lost.value, low=lost.low, high=lost.high),
            expected=RangeOut.of(one.expected),
            n=one.audits + one.verdicts,
            audits=one.audits,
            verdicts=one.verdicts,
            open=one.open,
            undrawn=one.undrawn,
            unseen=one.unseen,
            method=None if share is None else share.method,
            unknown=one.unknown,
        )


class CostOut(BaseModel):
    """What it would have cost: seconds of looking where answers were timed, and money where you gave prices."""

    looks: float
    seconds: float | None
    look_cost: float | None
    error_cost: RangeOut | None

    @classmethod
    def of(cls, made: Replayed, look: LookTime, asked: TrialIn) -> CostOut:
        """Return what callers see."""
        looks = made.total.tasks
        return cls(
            looks=looks,
            seconds=None if look.mean_s is None else looks * look.mean_s,
            look_cost=None if asked.look_cost is None else looks * asked.look_cost,
            error_cost=None if asked.error_cost is None else RangeOut.of(made.errors.expected, asked.error_cost),
        )


class MoveOut(BaseModel):
    """How many decisions went one way then and go another way in the replay."""

    recorded: Way
    replayed: Way
    n: int


class ReplayedOut(BaseModel):
    """What one policy makes of the recorded decisions, in total and by day (YYYYMMDD)."""

    total: FlowOut
    days: dict[int, FlowOut]
    tasks_per_day: float | None = Field(description="Mean over the days with decisions.")
    most_tasks_a_day: float
    moves: list[MoveOut]
    errors: MistakesOut
    cost: CostOut

    @classmethod
    def of(cls, made: Replayed, look: LookTime, asked: TrialIn) -> ReplayedOut:
        """Return what callers see."""
        tasks = [one.tasks for one in made.days.values()]
        return cls(
            total=FlowOut.of(made.total),
            days={day: FlowOut.of(one) for day, one in made.days.items()},
            tasks_per_day=sum(tasks) / len(tasks) if tasks else None,
            most_tasks_a_day=max(tasks, default=0.0),
            moves=[
                MoveOut(recorded=then, replayed=now, n=number) for (then, now), number in sorted(made.moves.items())
            ],
            errors=MistakesOut.of(made.errors),
            cost=CostOut.of(made, look, asked),
        )


class TrialOut(BaseModel):
    """A policy on the recorded decisions beside the policy in force. Nothing was changed."""

    first: datetime | None
    last: datetime | None
    decisions: int
    more: bool = Field(description="Older decisions exist that were not read.")
    other_questions: int = Field(description="Decisions about other questions, left out.")
    recorded: dict[Way, int] = Field(description="Where the decisions really went.")
    policy: ReplayedOut
    in_force: ReplayedOut | None = Field(description="Null before the first policy, or when it asks something else.")
    looser: list[str] = Field(description="Safeguards that the policy lowers; activation asks to acknowledge them.")
    tighter: list[str]
    look_seconds: float | None = Field(description="Mean seconds of a look, from `looks_timed` answers.")
    looks_timed: int
    unknown: list[str] = Field(description="What the recorded decisions cannot tell.")

    @classmethod
    def of(cls, one: Trial, asked: TrialIn) -> TrialOut:
        """Return what callers see."""
        window = one.window
        return cls(
            first=window.first,
            last=window.last,
            decisions=window.decisions,
            more=window.more,
            other_questions=window.other_questions,
            recorded=dict(window.recorded),
            policy=ReplayedOut.of(one.candidate, one.look, asked),
            in_force=None if one.in_force is None else ReplayedOut.of(one.in_force, one.look, asked),
            looser=list(one.compared.looser),
            tighter=list(one.compared.tighter),
            look_seconds=one.look.mean_s,
            looks_timed=one.look.timed,
            unknown=list(one.unknown),
        )


class A2IIn(BaseModel):
    """Activation conditions of Amazon A2I, and where the items of this project hold what the form keys mean there."""

    model_config = ConfigDict(extra="forbid")
    conditions: dict[str, Any] | str = Field(description="HumanLoopActivationConditions: the object, or its text.")
    question: str = Field(min_length=1, max_length=128, description="The question that the policy routes.")
    values: dict[str, str] = Field(default_factory=dict, description="Form key -> field with its value.")
    confidences: dict[str, str] = Field(
        default_factory=dict, description="Form key -> field with its confidence in percent."
    )

    def fields(self) -> FormFields:
        """Return where the items hold what the form keys mean."""
        return FormFields(self.values, self.confidences)


class UnsupportedOut(BaseModel):
    """A part of the document without a counterpart: where, why, and what leaving it out means."""

    path: str
    why: str
    effect: str


class A2IOut(BaseModel):
    """The policy document that came out, not in force, and everything that did not come along."""

    policy: dict[str, Any]
    unsupported: list[UnsupportedOut]

    @classmethod
    def of(cls, one: Imported) -> A2IOut:
        """Return what callers see."""
        return cls(policy=one.policy.to_dict(), unsupported=[UnsupportedOut(**vars(part)) for part in one.unsupported])
