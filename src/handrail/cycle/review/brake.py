"""The brake: stops automation when random audits show an error above the certified level.

A Shiryaev-Roberts e-detector. Claim: while the error of automatic decisions has never been above alpha, the chance of
any false brake in a lifetime of T audits is at most delta, at any number of looks, whatever the model of the risk.
It needs audits drawn at random with known probabilities, verdicts given blind, and a bound on how often a reviewer
calls a right answer wrong. A verdict that is late counts as right until it comes (`replay`).

Each audit multiplies every wealth by 1 + bet * (wrong - alpha) / q, with q the audit probability over the nominal rate
then in force: a fair bet for any risk model, any changing rate and any change of the traffic, because the mean of
(wrong - alpha) / q over audits has the sign of (error - alpha) over all automatic decisions. Betting on
wrong / q - alpha instead would brake up to a fifth sooner, but only while the mean of q over the traffic stays 1; when
the traffic moves it brakes falsely nearly always.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from handrail.foundation.errors import Invalid
from handrail.foundation.statistics import clopper_pearson

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

Level = Literal["auto", "warned", "braked"]

# About 1.5, 2 and 5 times the certified error, in that order, with the shares of the starting wealth.
BETS = (0.6, 1.3, 4.0)
SHARES = (0.25, 0.55, 0.2)
# A bet stays under this part of least_q / null, so that no single right answer takes nearly all of a wealth.
_ROOM = 0.9
# Wealth stops growing here, far above every threshold, so that it stays a number in JSON.
_FULL = 1e250
# Bets of the interval for unequal probabilities, upwards and downwards.
_UP = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
_DOWN = (0.1, 0.2, 0.4, 0.6, 0.8, 0.95)
_POINTS = 800


class BrakeInvalid(Invalid):
    """An audit or a setting of the brake makes no sense."""

    code = "review.brake_invalid"


@dataclass(frozen=True)
class BrakeState:
    """All that the brake remembers: constant size, rebuilt bit for bit by replaying its audits.

    `alpha`: certified error. `reviewer_error`: upper bound of P(reviewer says wrong | answer right); the test is
    against `null`, alpha corrected for it. `delta`: false-alarm budget of `lifetime` audits. `least_q`: smaller
    relative audit probabilities count as this one. `wealths`: one per bet.
    `warned`, `braked`: a warning ends when W falls under 0.5, a brake never ends; `braked_at` counts audits.
    """

    alpha: float
    delta: float
    lifetime: int
    reviewer_error: float
    least_q: float
    bets: tuple[float, ...]
    shares: tuple[float, ...]
    wealths: tuple[float, ...]
    audits: int = 0
    wrong: int = 0
    warned: bool = False
    braked: bool = False
    braked_at: int | None = None

    @property
    def null(self) -> float:
        """The highest share of "wrong" verdicts that a model at its certified level may get."""
        return self.alpha + (1.0 - self.alpha) * self.reviewer_error

    @property
    def e_value(self) -> float:
        """W: evidence that some stretch of automatic decisions ending now was worse than certified.

        1 warns, 1/delta brakes.
        """
        total = sum(share * wealth for share, wealth in zip(self.shares, self.wealths, strict=True))
        return total / self.lifetime

    @property
    def level(self) -> Level:
        """Where automation stands."""
        if self.braked:
            return "braked"
        return "warned" if self.warned else "auto"

    @property
    def expired(self) -> bool:
        """Whether the lifetime is over: no new stretch is watched, so the certificate must be renewed."""
        return self.audits >= self.lifetime

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self) | {name: list(getattr(self, name)) for name in ("bets", "shares", "wealths")}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> BrakeState:
        """Read what `to_dict` wrote."""
        return cls(**{**values, **{name: tuple(values[name]) for name in ("bets", "shares", "wealths")}})


@dataclass(frozen=True)
class ErrorEstimate:
    """The error of automatic decisions as `n` audits show it: value, limits at confidence `level`, and the method."""

    value: float
    low: float
    high: float
    n: int
    level: float
    method: Literal["clopper-pearson", "betting"]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


def start(
    *, alpha: float, delta: float = 0.05, lifetime: int = 4000, reviewer_error: float = 0.0, least_q: float = 0.3
) -> BrakeState:
    """Return the state of a certificate without audits; `least_q` is the phi of its audit plan.

    Raises `BrakeInvalid`.
    """
    shares = (alpha, delta, least_q, 1.0 - reviewer_error)
    if not (all(0.0 < share <= 1.0 for share in shares) and alpha < 1.0 and lifetime >= 1):
        raise BrakeInvalid(
            f"alpha {alpha}, delta {delta}, lifetime {lifetime}, reviewer error {reviewer_error} and least q {least_q} "
            "make no brake.",
            hint="Shares lie between 0 and 1; the lifetime counts audits.",
        )
    null = alpha + (1.0 - alpha) * reviewer_error
    bets = tuple(min(bet, _ROOM * least_q / null) for bet in BETS)
    return BrakeState(alpha, delta, lifetime, reviewer_error, least_q, bets, SHARES, (0.0,) * len(bets))


def update(state: BrakeState, wrong: bool, q: float = 1.0) -> BrakeState:
    """Return the state after one audit, in the order of the decisions.

    `wrong`: the confirmed verdict on the automatic answer. `q`: the decision's audit probability over the nominal rate
    in force when it was made, `audit_draw.weight` of its score (1 for uniform audits). Dividing by another rate keeps
    the claim and only makes the bets smaller or larger.
    Source: Shiryaev-Roberts recursion as an e-detector, Shin, Ramdas and Rinaldo (2023).
    """
    if not 0.0 < q < float("inf"):
        raise BrakeInvalid(f"A relative audit probability of {q} is impossible.", hint="It is positive.")
    gain = (float(wrong) - state.null) / max(q, state.least_q)
    begun = 0.0 if state.expired else 1.0  # no new starts after the lifetime
    wealths = tuple(
        min(_FULL, (wealth + begun) * (1.0 + bet * gain)) for bet, wealth in zip(state.bets, state.wealths, strict=True)
    )
    after = replace(state, wealths=wealths, audits=state.audits + 1, wrong=state.wrong + bool(wrong))
    evidence = after.e_value
    braked = state.braked or evidence >= 1.0 / state.delta
    return replace(
        after,
        warned=evidence >= (0.5 if state.warned else 1.0),
        braked=braked,
        braked_at=after.audits if braked and not state.braked else state.braked_at,
    )


def replay(state: BrakeState, audits: Iterable[tuple[bool, float]]) -> BrakeState:
    """Return the state after many audits of (wrong, q), in the order of the decisions.

    Put an audit whose verdict is still open as (False, q): the result never brakes too early, and replaying once the
    verdict is known brakes if any moment in between would have. The state to start from may be kept, or be new.
    """
    for wrong, q in audits:
        state = update(state, wrong, q)
    return state


def estimate(audits: Sequence[tuple[bool, float]], *, level: float = 0.95) -> ErrorEstimate:
    """Return the error of automatic decisions from audits given as (wrong, audit probability).

    Equal probabilities: the share wrong with the exact Clopper-Pearson interval. Otherwise: the mean weighted by 1 /
    probability (Hajek) with a betting interval. Under error a the mean of (wrong - a) / probability over audits is 0,
    so a mixture of fixed bets on it is a fair game; the values of a that the game does not refute at 2 / (1 - level)
    form the interval. Both hold at every sample size for a block of audits with one error rate; wide is honest here.
    Without audits the interval is [0, 1]. A verdict that is still open must not be left out as if it were right.
    Source: betting intervals after Waudby-Smith and Ramdas (2024).
    """
    return estimate_counted(Counter((bool(wrong), probability) for wrong, probability in audits), level=level)


def estimate_counted(audits: Mapping[tuple[bool, float], int], *, level: float = 0.95) -> ErrorEstimate:
    """Return the same as `estimate` for audits that were counted: (wrong, audit probability) -> how many.

    Fixed bets do not look at the order, so nothing is lost, and any number of audits takes no more memory.
    """
    if not 0.0 < level < 1.0:
        raise BrakeInvalid(f"A level of {level} is impossible.", hint="Use 0.95.")
    if any(not 0.0 < probability <= 1.0 for _, probability in audits):
        raise BrakeInvalid("An audit probability lies outside 0 to 1.", hint="Give the probability that was logged.")
    n = sum(audits.values())
    if len({probability for _, probability in audits}) <= 1:
        exact = clopper_pearson(sum(number for (wrong, _), number in audits.items() if wrong), n, level)
        return ErrorEstimate(exact.value, exact.low, exact.high, n, level, "clopper-pearson")
    import numpy as np

    wrong = np.array([float(one) for one, _ in audits])
    inverse = 1.0 / np.array([probability for _, probability in audits])
    counts = np.array([float(number) for number in audits.values()])
    value = float((wrong * inverse * counts).sum() / (inverse * counts).sum())
    low, high = _betting(wrong, inverse / inverse.max(), counts, 1.0 - level)
    return ErrorEstimate(value, min(low, value), max(high, value), n, level, "betting")


def _betting(
    wrong: NDArray[float64], weights: NDArray[float64], counts: NDArray[float64], miss: float
) -> tuple[float, float]:
    """Return the limits of the error that fixed bets do not refute; `weights` are 1 at most."""
    import numpy as np

    points = np.linspace(0.0, 1.0, _POINTS + 1) ** 2  # fine where errors are rare
    gains = (wrong - points[:, None]) * weights
    needed = np.log(2.0 / miss)

    def refuted(bets: tuple[float, ...], sign: float, room: NDArray[float64]) -> NDArray[np.bool_]:
        logs = []
        for bet in bets:
            # A bet too large for this point stays in cash: its wealth remains 1.
            stake = np.where(bet * room <= _ROOM if sign > 0 else bet * room < 1.0, sign * bet, 0.0)
            logs.append(np.log1p(stake[:, None] * gains) @ counts)
        found: NDArray[np.bool_] = np.logaddexp.reduce(logs, axis=0) - np.log(len(bets)) >= needed
        return found

    open_points = np.flatnonzero(~(refuted(_UP, 1.0, points) | refuted(_DOWN, -1.0, 1.0 - points)))
    if not len(open_points):
        return 0.0, 1.0  # the two games disagree on everything: the audits have no one error rate
    first, last = max(0, open_points[0] - 1), min(_POINTS, open_points[-1] + 1)
    return float(points[first]), float(points[last])
