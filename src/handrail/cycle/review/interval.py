"""The error of the automatic decisions of a block of audits, as an interval that holds for all blocks together. Pure.

For each of many values a the brake's two games are played against "the mean error is a": upwards with the brake's bets,
downwards with those that certify. A value is refuted upwards when the mean wealth of its bets reaches 2 / delta_b,
delta_b = (1 - level) x block / lifetime, so that with probability `level` every block of a lifetime is covered. This
holds for any risk model, rate and traffic, and for the mean over the block when the error drifts inside it. For that
the wealth at the block's end counts, not the highest that it ever had; a test shows how the latter fails. The mean is
weighted by the audit rate. The interval is wide: the brake sees a change much sooner, and nothing brakes on this.

The control value of a decision is scaled to a, so its sums between two audits are too and need not be kept again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from handrail.cycle.review import detector
from handrail.cycle.review.audit_terms import EVERYWHERE, Draw
from handrail.cycle.review.brake import BrakeInvalid, BrakeState

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

BLOCK = 500
"""Audits of a block."""
LOWEST, HIGHEST, VALUES = 0.002, 0.15, 90
"""The values that are tested lie between these, each about 5 % above the one before."""
UP = detector.BETS
DOWN = (0.2, 0.35, 0.48)
# A factor keeps this part of the wealth at least, and a lower bound stands for the product between two audits.
_ROOM, _IDLE_ROOM = 0.9, 0.5


class Answered(Protocol):
    """An audit with its terms; `wrong` is None where it has no verdict, and may be a loss from 0 to 1."""

    @property
    def draw(self) -> Draw:
        """The terms of the draw, with the sums over the decisions before it."""

    @property
    def wrong(self) -> float | None:
        """The confirmed verdict."""


@dataclass(frozen=True)
class BlockError:
    """The error of a block: `value` with limits at confidence `level` for all blocks of a lifetime together.

    The audits `first` to `first + n - 1` of the certificate, counted from 1; `overdue` of them have no verdict: right
    in `low`, wrong in `high`. `complete`: the block has all its audits. `reviewer_error` and `missed`: the
    bounds that the limits were corrected for, None where a rate is not known and taken as 0.
    """

    value: float
    low: float
    high: float
    n: int
    first: int
    overdue: int
    complete: bool
    level: float
    reviewer_error: float | None = None
    missed: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


def last_block(audits: int) -> tuple[int, int]:
    """Return (audits before it, audits in it) of the block to show: the last full one, before that the one so far."""
    full = audits // BLOCK
    return ((full - 1) * BLOCK, BLOCK) if full else (0, audits)


def block_error(
    state: BrakeState, audits: Sequence[Answered], *, before: int = 0, level: float = 0.95, missed: float | None = None
) -> BlockError:
    """Return the error that the audits of a block show, in the order of the decisions.

    `state`: a state of the brake that watches them, for its level, lifetime and least q. `before`: audits before the
    block. `missed`: upper bound of the chance that reviewers call a wrong answer right. An audit without a verdict must
    be overdue: leave out the block's end from the first one that may still be answered. Raises BrakeInvalid.
    """
    if not 0.0 < level < 1.0 or not 0.0 <= (missed or 0.0) < 1.0:
        raise BrakeInvalid(f"A level of {level} with misses {missed} is impossible.", hint="Both are shares.")
    overdue = sum(one.wrong is None for one in audits)
    errors = [_error(state, one.draw) for one in audits]
    trusted = max(errors, default=state.reviewer_error)
    if not audits:
        return BlockError(0.0, 0.0, 1.0, 0, before + 1, 0, complete=False, level=level)
    import numpy as np

    miss = (1.0 - level) / max(1.0, state.lifetime / BLOCK)
    low, high = _limits(state, audits, np.log(2.0 / miss))
    low, high = (low - trusted) / (1.0 - trusted), high / (1.0 - (missed or 0.0))
    value = _value(audits)
    return BlockError(
        value=value,
        low=min(max(0.0, low), value),
        high=max(min(1.0, high), value),
        n=len(audits),
        first=before + 1,
        overdue=overdue,
        complete=len(audits) >= BLOCK,
        level=level,
        reviewer_error=trusted,
        missed=missed,
    )


def _error(state: BrakeState, draw: Draw) -> float:
    return state.reviewer_error if draw.reviewer_error is None else draw.reviewer_error


def _value(audits: Sequence[Answered]) -> float:
    """Return the mean verdict, each audit weighted by 1 / probability (Hajek), of those with one."""
    weights = [(float(one.wrong), 1.0 / one.draw.q) for one in audits if one.wrong is not None]
    total = sum(weight for _, weight in weights)
    return sum(wrong * weight for wrong, weight in weights) / total if total else 0.0


@cache
def _points() -> NDArray[float64]:
    import numpy as np

    return np.geomspace(LOWEST, HIGHEST, VALUES)


def _limits(state: BrakeState, audits: Sequence[Answered], needed: float) -> tuple[float, float]:
    """Return the largest value up to which all are refuted upwards, and the smallest from which all are downwards."""
    import numpy as np

    points = _points()
    up, down = (_log_wealth(state, audits, points, sign) >= needed for sign in (1, -1))
    lowest = int(np.argmin(up)) if not up.all() else len(points)
    highest = int(np.argmin(down[::-1])) if not down.all() else len(points)
    low = 0.0 if lowest == 0 else float(points[lowest - 1])
    high = 1.0 if highest == 0 else float(points[len(points) - highest])
    return low, high


def bets_at(state: BrakeState, value: float, sign: int) -> tuple[float, ...]:
    """Return the bets against one value, cut once for all so that no factor comes near zero.

    Scaled control values are at most `scale` times what the plan allows, which is 0.15 q; no probability is over 1.
    """
    scale = value / state.alpha
    if sign > 0:
        plain = detector.overall_bets(value, state.least_q)
        return tuple(min(bet, _ROOM / (value + detector.ROOM_OF_Q * scale)) for bet in plain)
    most = min(0.97 * state.least_q, _IDLE_ROOM / (detector.ROOM_OF_Q * max(scale, 1.0)))
    return tuple(min(bet, most) for bet in DOWN)


def _log_wealth(state: BrakeState, audits: Sequence[Answered], points: NDArray[float64], sign: int) -> NDArray[float64]:
    """Return the logarithm of the mean wealth against each value after all audits."""
    import numpy as np

    bets = sign * np.array([bets_at(state, float(value), sign) for value in points])
    logs = np.zeros_like(bets)
    nulls = np.array([state.nulls(one.draw.reviewer_error)[0] for one in audits])
    rates = np.array([one.draw.rate for one in audits])
    q = np.array([one.draw.q for one in audits])
    wrong = np.array([float(sign < 0) if one.wrong is None else float(one.wrong) for one in audits])
    controls = np.array(
        [n if one.draw.control is None else one.draw.control for one, n in zip(audits, nulls, strict=True)]
    )
    idle = np.array([one.draw.idle.get(EVERYWHERE, (0.0, 0.0)) for one in audits])
    for place, value in enumerate(points):
        scale = value / nulls
        gains = detector.audited_gain(wrong, q, scale * controls, rates, value)
        # A smaller probability than the plan allows would let a downward factor turn negative.
        stakes = np.where(
            q < state.least_q, np.clip(bets[place][:, None], -0.97 * q, 0.9 * q / value), bets[place][:, None]
        )
        factors = 1.0 + stakes * gains
        if (factors <= 0.0).any():
            raise BrakeInvalid("A control value is too large for its audit probability.", hint="Use AuditPlan.draw.")
        logs[place] = np.log(factors).sum(axis=1)
        logs[place] += detector.idle_growth(stakes, scale * idle[:, 0], scale**2 * idle[:, 1]).sum(axis=1)
    found: NDArray[float64] = np.logaddexp.reduce(logs, axis=1) - np.log(bets.shape[1])
    return found
