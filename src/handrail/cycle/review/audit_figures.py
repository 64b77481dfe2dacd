"""What the audits of a certificate show, each figure with the number of cases behind it. Pure.

How many were drawn, are open, answered, overdue; how wrong the last block of automatic decisions was; how near the
brake is; and how often reviewers themselves err, as control items show it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handrail.cycle.review import brake, overdue
from handrail.cycle.review.brake import BrakeState
from handrail.cycle.review.controls import Measured
from handrail.cycle.review.interval import BlockError, block_error, last_block
from handrail.cycle.review.model import AuditRow

MOST_WRONG = 500
"""Wrong audits in a row after which the question how many would brake is given up."""
_MOST_MISSED = 0.999


@dataclass(frozen=True)
class Counted:
    """The audits of a certificate: `open` have no verdict and are not due, `overdue` have none and are."""

    drawn: int
    answered: int
    open: int
    overdue: int
    wrong: int


@dataclass(frozen=True)
class Distance:
    """How near the brake is, after `n` audits of `lifetime`.

    `e_value`: W; 1 warns, `brakes_at` = 1 / delta brakes. `wrong_in_a_row`: wrong audits of ordinary weight that would
    brake if they came next; 0 once it has, None where 500 would not. `null`: the share of verdicts "wrong" that a model
    at its certified level may get, `alpha` corrected for `reviewer_error`.
    """

    e_value: float
    brakes_at: float
    wrong_in_a_row: int | None
    level: str
    alpha: float
    null: float
    reviewer_error: float
    n: int
    lifetime: int
    said: str


@dataclass(frozen=True)
class AuditFigures:
    """The figures of the certificate in force, or of the last one that had a brake; None where there is none.

    `reviewers_said`: what its brake was told of the reviewers' error, fixed when it came into force.
    """

    certificate_id: str | None
    number: int | None
    counted: Counted
    error: BlockError | None
    brake: Distance | None
    reviewers_said: str
    controls: Measured
    controls_opened: int
    controls_answered: int


def counted(audits: Sequence[AuditRow], now: int) -> Counted:
    """Return how the audits stand at `now`, in microseconds."""
    late = sum(overdue.is_overdue(one, now) for one in audits)
    answered = sum(one.wrong is not None for one in audits)
    wrong = sum(bool(one.wrong) for one in audits)
    return Counted(len(audits), answered, len(audits) - answered - late, late, wrong)


def block_of(audits: Sequence[AuditRow], now: int) -> tuple[int, int]:
    """Return (audits before it, audits in it) of the last block whose audits all have a verdict or are overdue."""
    return last_block(len(overdue.settled(audits, now)))


def error(state: BrakeState, block: Sequence[AuditRow], before: int, mbar: float | None) -> BlockError:
    """Return the error of the automatic decisions of a block; `mbar`: bound of the share that reviewers miss.

    What is overdue counts as wrong in the upper limit, as right in the lower one.
    """
    return block_error(state, block, before=before, missed=None if mbar is None else min(mbar, _MOST_MISSED))


def distance(state: BrakeState) -> Distance:
    """Return how near the brake is."""
    needed, at = wrong_in_a_row(state), 1.0 / state.delta
    said = f"W is {state.e_value:.3g}; 1 warns, {at:.3g} brakes"
    if state.braked:
        said += ": it has braked"
    elif needed is not None:
        said += f": {needed} wrong audit{'s' if needed > 1 else ''} in a row would brake"
    return Distance(
        e_value=state.e_value,
        brakes_at=at,
        wrong_in_a_row=needed,
        level=state.level,
        alpha=state.alpha,
        null=state.null,
        reviewer_error=state.reviewer_error,
        n=state.audits,
        lifetime=state.lifetime,
        said=said,
    )


def wrong_in_a_row(state: BrakeState) -> int | None:
    """Return how many wrong audits of ordinary weight brake if they come next, by letting them come."""
    for number in range(MOST_WRONG + 1):
        if state.braked:
            return number
        state = brake.update(state, True)
    return None
