"""Control items: blind audits about cases of known truth, which measure how often reviewers themselves err. Pure.

A control item stands for an automatic answer that is known to be right, or made up to be wrong. It goes through the two
steps of an audit. f is the chance that they call a right answer wrong, m that they call a wrong one right:

    fbar = exact upper limit (Clopper and Pearson 1934) of f at 1 - CONTROL_PART x delta
    null of the brake = alpha + (1 - alpha) fbar, at the delta that is left

A union bound: fbar is too low with a chance of at most CONTROL_PART x delta, and the brake stops falsely with at most
the rest while it is not; so delta is the chance of a false stop altogether. It holds where the control items err as the
audited answers do: both are looked at blind by the same people, and nobody can tell them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from handrail.cycle.review.hearing import confirmed
from handrail.foundation.statistics import upper_limit, zero_error_labels

Stands = Literal["right", "wrong"]
Outcome = Literal["upheld", "false_alarm", "caught", "missed"]

MOST_CONTROLS = 0.2
"""Highest share of control items among audits: more would cost people's time for nothing that is decided."""
WRONG_SHARE = 0.1
"""Share of control items that stand for a wrong answer: they show misses, which no certificate waits for."""
CONTROL_PART = 0.2
"""The part of the brake's delta that the bound of the reviewers' error spends."""
LEAST_WRONG = 20
"""Control items that stand for a wrong answer before the share of misses is said."""
LEVEL = 0.95
"""Confidence of the bound of misses."""
MOST_BOUND = 0.5
"""A higher bound of false alarms is not used: no brake could hear the model's errors above the reviewers'."""


@dataclass(frozen=True)
class Answered:
    """A control item as it counts: what it stands for; `wrong`: the confirmed verdict, None while there is none.

    `begun`: somebody has answered. `overdue`: its verdict should be there by now.
    """

    stands: Stands
    wrong: bool | None
    begun: bool = False
    overdue: bool = False


@dataclass(frozen=True)
class Measured:
    """The reviewers' error: `false_alarms` of `right` control items, `misses` of `wrong` ones, and their upper bounds.

    `late`: control items among them without a verdict, counted as an error of the reviewers. `fbar` at `f_level`, None
    without a case; `mbar` at 0.95, None while there are fewer than 20.
    """

    right: int
    false_alarms: int
    wrong: int
    misses: int
    late: int
    fbar: float | None
    f_level: float
    mbar: float | None

    @property
    def n(self) -> int:
        """Control items that count."""
        return self.right + self.wrong


@dataclass(frozen=True)
class ReviewerTerms:
    """The bound of the reviewers' error that a brake starts with, fixed with its certificate.

    `source`: measured by control items, or the policy's `reviewer_error`, which nobody measured. `delta`: what is left
    of the brake's budget for its detector, after `control_delta` for the bound. `n`, `false_alarms`: the cases behind
    it; `needed`: how few would not do. `said`: all this in a sentence.
    """

    source: Literal["controls", "policy"]
    reviewer_error: float
    delta: float
    control_delta: float
    n: int
    false_alarms: int
    needed: int
    said: str

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


def stand_for(truth: Any, choices: Sequence[str], draw: Callable[[], float]) -> tuple[Stands, Any]:
    """Return what a control item of this truth stands for, and the automatic answer that it has.

    A wrong answer is drawn among the other choices; without any the answer is right.
    """
    others = [choice for choice in choices if choice != truth]
    if others and draw() < WRONG_SHARE:
        return "wrong", others[min(int(draw() * len(others)), len(others) - 1)]
    return "right", truth


def heard(given: Any, values: Sequence[Any], *, second_opinion: bool) -> bool | None:
    """Return whether the automatic answer `given` counts as wrong, None while another person has to look.

    The rule of audits itself, so that what is measured is what the brake hears.
    """
    found = confirmed(given, values, second_opinion=second_opinion)
    return None if found is None else found > 0.0


def outcome(stands: Stands, wrong: bool) -> Outcome:
    """Return what a verdict on a control item shows."""
    if stands == "right":
        return "false_alarm" if wrong else "upheld"
    return "caught" if wrong else "missed"


def measured(found: Iterable[Answered], *, delta: float) -> Measured:
    """Return the reviewers' error as control items show it; `delta`: the brake's whole budget.

    A verdict that hangs on a second look, or is overdue, counts as an error of the reviewers: leaving out the hard
    cases would make the bounds too low. One that nobody has begun and that is not due is left out.
    """
    right = false_alarms = wrong = misses = late = 0
    for one in found:
        if one.wrong is None and not (one.begun or one.overdue):
            continue
        late += one.wrong is None
        if one.stands == "right":
            right, false_alarms = right + 1, false_alarms + (one.wrong is not False)
        else:
            wrong, misses = wrong + 1, misses + (one.wrong is not True)
    f_level = 1.0 - CONTROL_PART * delta
    fbar = upper_limit(false_alarms, right, f_level) if right else None
    mbar = upper_limit(misses, wrong, LEVEL) if wrong >= LEAST_WRONG else None
    return Measured(right, false_alarms, wrong, misses, late, fbar, f_level, mbar)


def least_controls(alpha: float, delta: float) -> int:
    """Return how many control items with a right answer a brake needs: with fewer, even a record without any false
    alarm leaves a bound above alpha, and the brake could not see an error twice as high as certified.
    """
    return zero_error_labels(alpha, CONTROL_PART * delta)


def terms(found: Measured, *, alpha: float, delta: float, fallback: float, share: float) -> ReviewerTerms:
    """Return the terms that a new certificate's brake starts with.

    `fallback`: the policy's `reviewer_error`, used where control items are too few; a value that is too low makes the
    brake stop too early, never too late. `share`: the policy's `control_share`, 0 where none are asked for.
    """
    needed = least_controls(alpha, delta)
    enough = found.right >= needed and found.fbar is not None
    if share > 0.0 and enough and found.fbar is not None and found.fbar <= MOST_BOUND:
        said = (
            f"measured: {found.false_alarms} of {found.right} control items with a right answer were called wrong, so "
            f"that reviewers do so in at most {found.fbar:.2%} of cases (confidence {found.f_level:.1%})"
        )
        spent = CONTROL_PART * delta
        return ReviewerTerms(
            "controls", found.fbar, delta - spent, spent, found.right, found.false_alarms, needed, said
        )
    said = f"not measured: the policy says that reviewers call a right answer wrong in at most {fallback:.2%} of cases"
    if share > 0.0:
        why = f"{found.false_alarms} were called wrong, too many for any brake" if enough else f"{needed} are needed"
        said = f"{found.right} control items with a right answer have counted, {why}; {said}"
    return ReviewerTerms("policy", fallback, delta, 0.0, found.right, found.false_alarms, needed, said)
