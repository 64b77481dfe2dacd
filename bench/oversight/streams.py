"""Simulates the audits of many certificates at once, with the product's own arithmetic.

A step is one audit in every stream. What was decided without an audit since the one before enters through its mean
over the traffic; `recorded` holds one stream's audits as the product logs them, so that its brake can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bench.oversight.populations import LEVEL, RATE, Population, Traffic
from handrail.cycle.review import brake, detector
from handrail.cycle.review.audit_terms import Draw

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DELTA, LIFETIME, CHANGE = 0.05, 4000, 1000
RAMP = 1000  # audits over which the shift of that name grows to its full size
NEVER = np.inf


def limit_of(error: float) -> float:
    """Return the audits that a test needs which knows the change: ln(1/delta) over the divergence of the two errors."""
    far = error * np.log(error / LEVEL) + (1.0 - error) * np.log((1.0 - error) / (1.0 - LEVEL))
    return float(np.log(1.0 / DELTA) / far)


@dataclass(frozen=True)
class Setting:
    """One simulation: `shift` None changes nothing; errors of reviewers both ways, and the bound that corrects them.

    `second_opinion`: an error counts when two of three people call it one.
    """

    shift: str | None = None
    groups: bool = False
    reviewer_error: float = 0.0
    bound: float = 0.0
    second_opinion: bool = False
    streams: int = 300
    seed: int = 0


@dataclass
class Outcome:
    """The audit at which each stream braked, infinite for never; verdicts kept for the controls; stream 0 as logged."""

    braked: Floats
    named: NDArray[np.bool_]
    recorded: list[tuple[bool, Draw]] = field(default_factory=list)
    evidence: float = 0.0

    @property
    def false_alarms(self) -> float:
        """The share of streams that braked at all."""
        return float(np.isfinite(self.braked).mean())

    def delay(self, quantile: float) -> float:
        """Return a quantile of the audits from the change to the brake; brakes before it are left out."""
        after = self.braked[self.braked > CHANGE]
        return float(np.quantile(after, quantile, method="higher")) - CHANGE


class Plan:
    """The audit plan of every stream, as it follows what the audits have shown."""

    def __init__(self, population: Population, streams: int) -> None:
        plan = population.plan
        self.population = population
        self.share = np.array([one.share for one in plan.groups])
        self.root = np.array([one.root for one in plan.groups])
        self.risk = np.array([one.risk for one in plan.groups])
        self.found, self.expected = np.zeros((2, streams, len(plan.groups)))
        self.phi = plan.phi

    def terms(self, null: float) -> tuple[Floats, Floats, Floats]:
        """Return (q, control) by stream and cell, and mean q by stream and group."""
        many = self._multipliers()
        roots = many**0.5 * self.root
        scale = (self.share * roots).sum(axis=1, keepdims=True)
        mean = (self.share * many * self.risk).sum(axis=1, keepdims=True)
        risk = self.population.risks * many[:, self.population.groups]
        q = np.minimum(1.0 / RATE, detector.relative_weight(risk, scale, self.phi))
        control = detector.control_value(risk, mean, null, q, np.minimum)
        return q, control, self.phi + (1.0 - self.phi) * roots / scale

    def certifying_control(self, level: float) -> Floats:
        """Return the control values while certifying, by stream and cell."""
        many = self._multipliers()
        mean = (self.share * many * self.risk).sum(axis=1, keepdims=True)
        risk = self.population.risks * many[:, self.population.groups]
        found: Floats = detector.certifying_control(risk, mean, level, np.minimum)
        return found

    def _multipliers(self) -> Floats:
        found = detector.multiplier(self.found, self.expected)
        return np.clip(found, detector.LEAST_MULTIPLIER, detector.MOST_MULTIPLIER)

    def learn(self, cell: NDArray[np.int64], wrong: Floats) -> None:
        """Take one verdict in each stream."""
        rows, group = np.arange(len(cell)), self.population.groups[cell]
        self.found, self.expected = detector.decayed(self.found), detector.decayed(self.expected)
        self.found[rows, group] += wrong
        self.expected[rows, group] += self.population.risks[cell]


class _Wealth:
    """The wealths of every stream: of all decisions, and of each certified group."""

    def __init__(self, population: Population, levels: Mapping[str, float], bound: float, streams: int) -> None:
        state = brake.start(alpha=LEVEL, delta=DELTA, lifetime=LIFETIME, reviewer_error=bound, group_levels=levels)
        self.null, self.bets, self.state = state.null, np.array(state.bets), state
        self.nulls = np.array([one.null for one in state.groups])
        self.numbers = [population.names.index(one.name) for one in state.groups]
        self.group_bets = np.array([one.bets for one in state.groups])
        self.all = np.zeros((streams, len(state.bets)))
        self.groups = np.zeros((streams, len(state.groups), self.group_bets.shape[-1] if levels else 0))

    def evidence(self) -> tuple[Floats, Floats]:
        """Return (W, R of each group)."""
        total, groups = self.all @ np.array(detector.SHARES), np.zeros((len(self.all), 0))
        if not len(self.nulls):
            return total / LIFETIME, groups
        groups = self.groups @ np.array(detector.GROUP_SHARES)
        return (total + groups.sum(axis=1)) / (2 * LIFETIME), groups


def simulate(population: Population, setting: Setting) -> Outcome:
    """Audit `LIFETIME` decisions in every stream, or until all have braked."""
    rng = np.random.default_rng([setting.seed, setting.streams])
    levels = population.group_levels() if setting.groups else {}
    wealth, plan = _Wealth(population, levels, setting.bound, setting.streams), Plan(population, setting.streams)
    outcome = Outcome(np.full(setting.streams, NEVER), np.zeros((setting.streams, len(levels)), dtype=bool))
    for audit in range(1, LIFETIME + 1):
        traffic = population.before
        if setting.shift is not None and audit > CHANGE:
            grown = min(1.0, (audit - CHANGE) / RAMP) if setting.shift == "ramp" else 1.0
            traffic = traffic.towards(population.after[setting.shift], grown)
        cell, wrong = _step(rng, setting, traffic, plan, wealth, outcome.recorded)
        plan.learn(cell, wrong)
        evidence, groups = wealth.evidence()
        fresh = np.isinf(outcome.braked) & (evidence >= 1.0 / DELTA)
        outcome.braked[fresh] = audit
        outcome.named |= groups >= LIFETIME / DELTA
        if np.isfinite(outcome.braked).all():
            break
    outcome.evidence = float(evidence[0])
    return outcome


def _step(
    rng: np.random.Generator,
    setting: Setting,
    traffic: Traffic,
    plan: Plan,
    wealth: _Wealth,
    recorded: list[tuple[bool, Draw]],
) -> tuple[NDArray[np.int64], Floats]:
    """Audit one decision in every stream; return its cell and verdict."""
    q, control, mean_q = plan.terms(wealth.null)
    rows = np.arange(len(q))
    chances = (traffic.shares * q).cumsum(axis=1)
    cell = (chances < rng.random((len(q), 1)) * chances[:, -1:]).sum(axis=1)
    wrong = _verdict(rng, rng.random(len(q)) < traffic.errors[cell], setting)
    # What is decided and not audited between two audits, by its mean: 1 / (rate * mean q) decisions for each audit.
    idle = traffic.shares * (1.0 - RATE * q) / (RATE * chances[:, -1:])
    gains = detector.idle_gain(control, RATE, wealth.null)
    sums = (idle * gains).sum(axis=1), (idle * gains**2).sum(axis=1)
    growth = detector.idle_growth(wealth.bets, sums[0][:, None], sums[1][:, None])
    gain = detector.audited_gain(wrong, q[rows, cell], control[rows, cell], RATE, wealth.null)
    wealth.all = detector.audited_wealth(wealth.all * np.exp(growth), 1.0, wealth.bets, gain[:, None])
    own = _group_step(wealth, plan, idle, q, mean_q, cell, wrong) if len(wealth.nulls) else {}
    group = int(plan.population.groups[cell[0]])
    drawn = Draw(
        probability=RATE * float(q[0, cell[0]]),
        rate=RATE,
        control=float(control[0, cell[0]]),
        group=plan.population.names[group],
        mean_q=float(mean_q[0, group]),
        risk=float(plan.population.risks[cell[0]]),
        idle={"": (float(sums[0][0]), float(sums[1][0]))} | own,
    )
    recorded.append((bool(wrong[0]), drawn))
    return cell, wrong


def _group_step(
    wealth: _Wealth, plan: Plan, idle: Floats, q: Floats, mean_q: Floats, cell: NDArray[np.int64], wrong: Floats
) -> dict[str, tuple[float, float]]:
    """Move the wealths of the groups; return the sums between the audits of the first stream."""
    groups, rows = plan.population.groups, np.arange(len(q))
    null = wealth.nulls[np.argsort(wealth.numbers)]
    gains = detector.idle_group_gain(RATE * q, mean_q[:, groups], RATE, null[groups])
    inside = np.eye(len(plan.population.names))[groups]
    sums, squares = (idle * gains) @ inside, (idle * gains**2) @ inside
    by = wealth.numbers
    growth = detector.idle_growth(wealth.group_bets, sums[:, by, None], squares[:, by, None])
    group = groups[cell]
    place = np.argsort(by)[group]
    gain = detector.audited_group_gain(wrong, q[rows, cell], mean_q[rows, group], RATE, wealth.nulls[place])
    wealth.groups *= np.exp(growth)
    wealth.groups[rows, place] = detector.audited_wealth(
        wealth.groups[rows, place], 1.0, wealth.group_bets[place], gain[:, None]
    )
    return {
        one.name: (float(sums[0, number]), float(squares[0, number]))
        for one, number in zip(wealth.state.groups, by, strict=True)
    }


def _verdict(rng: np.random.Generator, wrong: NDArray[np.bool_], setting: Setting) -> Floats:
    """Return what reviewers say, each wrong by chance; with a second opinion an error is confirmed or it is none."""
    if setting.reviewer_error == 0.0:
        return wrong.astype(float)
    said = wrong ^ (rng.random((3, len(wrong))) < setting.reviewer_error)
    return (said[0] & (said[1] | said[2]) if setting.second_opinion else said[0]).astype(float)


def compare(outcome: Outcome, levels: Mapping[str, float]) -> float:
    """Return how far the product's brake, fed with stream 0 as logged, is from the simulation, relatively."""
    state = brake.start(alpha=LEVEL, delta=DELTA, lifetime=LIFETIME, group_levels=levels)
    state = brake.replay(state, outcome.recorded)
    return abs(state.e_value - outcome.evidence) / max(outcome.evidence, 1e-300)
