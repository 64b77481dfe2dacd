"""The brake: stops automation when random audits show an error above the certified level.

A Shiryaev-Roberts e-detector. Claim: while the error of automatic decisions has never been above alpha, nor a certified
group's above its own level, the chance of any false brake in a lifetime of T audits is at most delta, at any number of
looks, whatever the model of the risk; and so is the chance that an innocent group is ever named. It needs audits drawn
at random with known probabilities, verdicts given blind, and a bound on how often a reviewer calls a right answer
wrong. A verdict that is late counts as right until it comes (`replay`).

A verdict may also be a loss X from 0 to 1: a factor is linear in X, so its mean depends on the mean of X alone, and X
between 0 and 1 keeps it positive. "Error" then reads "mean loss", and the bound on reviewers is on the chance that
they report more loss than there was.

Every audit starts one process among all and one in its own group, so the number of groups costs nothing. The
arithmetic is that of `detector`; the decisions between two audits count through the sums in `Draw.idle`, so the claim
holds for any changing rate and any change of the traffic. Betting on wrong / q - alpha without them would brake falsely
nearly always once the traffic moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import exp, log
from typing import Any, Literal

from handrail.cycle.review import braking_groups, detector
from handrail.cycle.review.audit_terms import EVERYWHERE, Draw
from handrail.cycle.review.braking_groups import Stopped
from handrail.cycle.review.detector import BETS, GROUP_SHARES, SHARES
from handrail.foundation.errors import Invalid

__all__ = ["BETS", "SHARES", "BrakeInvalid", "BrakeState", "GroupState", "Learned"]

Level = Literal["auto", "warned", "braked"]

# Wealth stops growing here, far above every threshold, so that it stays a number in JSON.
_FULL = 1e250
_STEP = 1.25


class BrakeInvalid(Invalid):
    """An audit or a setting of the brake makes no sense."""

    code = "review.brake_invalid"


@dataclass(frozen=True)
class GroupState:
    """A certified group: its `null`, and one wealth per bet, moved by its own decisions alone."""

    name: str
    null: float
    bets: tuple[float, ...]
    wealths: tuple[float, ...]
    audits: int = 0
    wrong: int = 0

    @property
    def evidence(self) -> float:
        """R of the group: its wealths, weighted."""
        return sum(share * wealth for share, wealth in zip(GROUP_SHARES, self.wealths, strict=True))


@dataclass(frozen=True)
class Learned:
    """What audits showed about a group for the audits to come: errors `found` and `expected`, both forgetting."""

    name: str
    found: float
    expected: float

    @property
    def multiplier(self) -> float:
        """How much riskier the group is than its risk says, from 0.3 to 12."""
        raw = float(detector.multiplier(self.found, self.expected))
        return min(detector.MOST_MULTIPLIER, max(detector.LEAST_MULTIPLIER, raw))


@dataclass(frozen=True)
class BrakeState:
    """All that the brake remembers: constant size, rebuilt bit for bit by replaying its audits.

    `alpha`: certified error. `reviewer_error`: upper bound of P(reviewer says wrong | answer right); the test is
    against `null`, alpha corrected for it. `delta`: false-alarm budget of `lifetime` audits. `least_q`: smaller
    relative audit probabilities count as this one. `wealths`: one per bet. `groups`: those the certificate names.
    `warned`, `braked`: a warning ends when W falls under 0.5, a brake never ends; `braked_at` counts audits and
    `named` holds the groups that the brake names, `only_groups` those that alone need to stop, `stopped` those that
    were stopped alone before.
    """

    alpha: float
    delta: float
    lifetime: int
    reviewer_error: float
    least_q: float
    bets: tuple[float, ...]
    shares: tuple[float, ...]
    wealths: tuple[float, ...]
    groups: tuple[GroupState, ...] = ()
    learned: tuple[Learned, ...] = ()
    audits: int = 0
    wrong: int = 0
    warned: bool = False
    braked: bool = False
    braked_at: int | None = None
    named: tuple[str, ...] = ()
    only_groups: tuple[str, ...] = ()
    stopped: tuple[Stopped, ...] = ()

    @property
    def null(self) -> float:
        """The highest share of "wrong" verdicts that a model at its certified level may get."""
        return null_of(self.alpha, self.reviewer_error)

    def nulls(self, reviewer_error: float | None) -> tuple[float, dict[str, float]]:
        """Return the null and those of the groups under another bound of the reviewers' error; None is the first one.

        A bound that is known before an audit is drawn counts for that audit.
        """
        if reviewer_error is None:
            return self.null, {one.name: one.null for one in self.groups}
        own = {one.name: (one.null - self.reviewer_error) / (1.0 - self.reviewer_error) for one in self.groups}
        return null_of(self.alpha, reviewer_error), {
            name: null_of(level, reviewer_error) for name, level in own.items()
        }

    @property
    def evidence(self) -> float:
        """R over all automatic decisions: the wealths, weighted."""
        return sum(share * wealth for share, wealth in zip(self.shares, self.wealths, strict=True))

    @property
    def e_value(self) -> float:
        """W: evidence that some stretch of automatic decisions ending now was worse than certified.

        1 warns, 1/delta brakes. With groups, half of the budget is for all decisions and half for the groups.
        """
        if not self.groups and not self.stopped:
            return self.evidence / self.lifetime
        return (self.evidence + sum(one.evidence for one in self.groups)) / (2 * self.lifetime)

    @property
    def multipliers(self) -> dict[str, float]:
        """How much riskier than its risk each group has turned out to be, for `AuditPlan.with_multipliers`.

        In steps of a quarter, so that they change seldom: whoever decides has to hear of every change.
        """
        return {one.name: _STEP ** round(log(one.multiplier, _STEP)) for one in self.learned}

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
        plain: dict[str, Any] = _plain(asdict(self))
        return plain

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> BrakeState:
        """Read what `to_dict` wrote."""
        groups = tuple(
            GroupState(**{**one, "bets": tuple(one["bets"]), "wealths": tuple(one["wealths"])})
            for one in values["groups"]
        )
        learned = tuple(Learned(**one) for one in values["learned"])
        lists = {name: tuple(values[name]) for name in ("bets", "shares", "wealths", "named", "only_groups")}
        stopped = tuple(Stopped(**one) for one in values["stopped"])
        return cls(**{**values, **lists, "groups": groups, "learned": learned, "stopped": stopped})


def null_of(alpha: float, reviewer_error: float) -> float:
    """Return the level for verdicts: alpha, and right answers that a reviewer calls wrong."""
    return alpha + (1.0 - alpha) * reviewer_error


def start(
    *,
    alpha: float,
    delta: float = 0.05,
    lifetime: int = 4000,
    reviewer_error: float = 0.0,
    least_q: float = 0.3,
    group_levels: Mapping[str, float] | None = None,
) -> BrakeState:
    """Return the state of a certificate without audits; `least_q` is the phi of its audit plan.

    `group_levels`: certified error of each group that the certificate names. Raises `BrakeInvalid`.
    """
    levels = dict(group_levels or {})
    shares = (alpha, delta, least_q, 1.0 - reviewer_error, *levels.values())
    if (
        not (all(0.0 < share <= 1.0 for share in shares) and all(one < 1.0 for one in (alpha, *levels.values())))
        or lifetime < 1
    ):
        raise BrakeInvalid(
            f"alpha {alpha}, delta {delta}, lifetime {lifetime}, reviewer error {reviewer_error}, least q {least_q} "
            f"and group levels {levels} make no brake.",
            hint="Shares lie between 0 and 1; the lifetime counts audits.",
        )
    bets = detector.overall_bets(null_of(alpha, reviewer_error), least_q)
    groups = []
    for name, level in sorted(levels.items()):
        own = detector.group_bets(null_of(level, reviewer_error))
        groups.append(GroupState(name, null_of(level, reviewer_error), own, (0.0,) * len(own)))
    return BrakeState(
        alpha, delta, lifetime, reviewer_error, least_q, bets, SHARES, (0.0,) * len(bets), groups=tuple(groups)
    )


def update(state: BrakeState, wrong: float, drawn: Draw | float = 1.0) -> BrakeState:
    """Return the state after one audit, in the order of the decisions.

    `wrong`: the confirmed verdict on the automatic answer, 0 right, 1 wrong, or the loss between. `drawn`: the terms
    of its draw, or q alone: the decision's audit probability over the nominal rate in force when it was made (1 for
    uniform audits). With q alone the control value is the null, and the decisions between do not matter.
    """
    one = drawn if isinstance(drawn, Draw) else Draw(drawn)
    if not (0.0 < one.probability < float("inf") and 0.0 < one.rate <= 1.0 and one.mean_q > 0.0):
        raise BrakeInvalid(f"A relative audit probability of {drawn} is impossible.", hint="It is positive.")
    if not 0.0 <= wrong <= 1.0:
        raise BrakeInvalid(f"A loss of {wrong} is impossible.", hint="It lies from 0 (right) to 1.")
    q, begun = max(one.q, state.least_q), 0.0 if state.expired else 1.0  # no new starts after the lifetime
    (null, levels), bets = state.nulls(one.reviewer_error), state.bets
    if null > state.null:  # a higher null leaves a bet less room
        bets = tuple(map(min, bets, detector.overall_bets(null, state.least_q)))
    gain = detector.audited_gain(float(wrong), q, null if one.control is None else one.control, one.rate, null)
    after = replace(
        state,
        wealths=_moved(state.wealths, bets, one.idle.get(EVERYWHERE), begun, gain) if one.whole else state.wealths,
        groups=tuple(_group_moved(each, levels[each.name], float(wrong), one, begun) for each in state.groups),
        learned=_learned(state.learned, float(wrong), one),
        audits=state.audits + 1,
        wrong=state.wrong + bool(wrong),
    )
    evidence = after.e_value
    braked = state.braked or evidence >= 1.0 / state.delta
    first = braked and not state.braked
    return replace(
        after,
        warned=evidence >= (0.5 if state.warned else 1.0),
        braked=braked,
        braked_at=after.audits if first else state.braked_at,
        named=braking_groups.named(after) if first else state.named,
        only_groups=braking_groups.alone(after) if first else state.only_groups,
    )


def replay(state: BrakeState, audits: Iterable[tuple[float, Draw | float]]) -> BrakeState:
    """Return the state after many audits of (wrong, draw), in the order of the decisions.

    Put an audit whose verdict is still open as (0, draw): the result never brakes too early, and replaying once the
    verdict is known brakes if any moment in between would have. The state to start from may be kept, or be new.
    """
    for wrong, drawn in audits:
        state = update(state, wrong, drawn)
    return state


def _moved(
    wealths: Sequence[float], bets: Sequence[float], idle: tuple[float, float] | None, begun: float, gain: float | None
) -> tuple[float, ...]:
    """Return wealths after the decisions since the audit before, and after an audit where there is a gain."""
    found = list(wealths)
    if idle is not None:
        growths = [min(500.0, detector.idle_growth(bet, *idle)) for bet in bets]
        found = [min(_FULL, wealth) * exp(growth) for wealth, growth in zip(found, growths, strict=True)]
    if gain is not None:
        if any(1.0 + bet * gain <= 0.0 for bet in bets):
            raise BrakeInvalid("A control value is too large for its audit probability.", hint="Use AuditPlan.draw.")
        found = [detector.audited_wealth(wealth, begun, bet, gain) for wealth, bet in zip(found, bets, strict=True)]
    return tuple(min(_FULL, one) for one in found)


def _group_moved(group: GroupState, null: float, wrong: float, one: Draw, begun: float) -> GroupState:
    idle = one.idle.get(group.name)
    bets = group.bets if null <= group.null else tuple(map(min, group.bets, detector.group_bets(null)))
    if one.group != group.name:
        return group if idle is None else replace(group, wealths=_moved(group.wealths, bets, idle, 0.0, None))
    gain = detector.audited_group_gain(wrong, one.q, one.mean_q, one.rate, null)
    return replace(
        group,
        wealths=_moved(group.wealths, bets, idle, begun, gain),
        audits=group.audits + 1,
        wrong=group.wrong + bool(wrong),
    )


def _learned(before: Sequence[Learned], wrong: float, one: Draw) -> tuple[Learned, ...]:
    """Return the learning sums after an audit; only draws that say what was expected teach."""
    if one.risk is None:
        return tuple(before)
    known = {each.name: each for each in before} | (
        {} if any(each.name == one.group for each in before) else {one.group: Learned(one.group, 0.0, 0.0)}
    )
    return tuple(
        Learned(
            name,
            detector.decayed(each.found) + (wrong if name == one.group else 0.0),
            detector.decayed(each.expected) + (one.risk if name == one.group else 0.0),
        )
        for name, each in known.items()
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
