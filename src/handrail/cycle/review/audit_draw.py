"""Where to audit: more often where the model is likelier to be wrong, never with probability zero anywhere.

An item's relative weight is q = phi + (1 - phi) * sqrt(risk) / scale, its audit probability rate * q. The
risk is an isotonic fit of training errors over the score, times what the audits have shown about the item's group; a
wrong fit costs audits, never validity: everything that the brake needs is logged with the draw.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from handrail.cycle.review import detector
from handrail.cycle.review.audit_terms import EVERYWHERE, Draw
from handrail.cycle.review.groups import own
from handrail.foundation.errors import Invalid
from handrail.foundation.statistics import nondecreasing

MOST_GROUPS = 64
WARNED_RAISE = 2.0


class AuditPlanInvalid(Invalid):
    """The numbers handed to an audit plan are not what it needs."""

    code = "review.audit_plan_invalid"


@dataclass(frozen=True)
class GroupTraffic:
    """A group's `share` of automatic decisions; over its items the means of sqrt(risk) and risk, and the most risk."""

    name: str
    share: float
    root: float
    risk: float
    most: float


@dataclass(frozen=True)
class AuditPlan:
    """A table from score to risk, and what turns risk into an audit probability.

    `rate`: nominal share of automatic decisions that is audited. `phi`: the part spread evenly. `null`: mean that the
    control values have over the traffic. `edges`: ascending scores; `risks` holds one more value, for scores below
    edges[0], between, and from edges[-1] up. `groups`: the traffic that the means are taken over.
    `multipliers`: how much riskier than its risk each group has turned out to be; 1 where not named.
    """

    rate: float
    phi: float
    null: float
    edges: tuple[float, ...]
    risks: tuple[float, ...]
    groups: tuple[GroupTraffic, ...]
    multipliers: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_training(
        cls,
        scores: Sequence[float],
        errors: Sequence[float],
        *,
        recent_scores: Sequence[float],
        recent_groups: Sequence[str] | None = None,
        rate: float,
        null: float,
        phi: float = 0.3,
    ) -> AuditPlan:
        """Make the plan from out-of-fold (score, error) pairs and the scores of recent automatic decisions.

        An error is 0 or 1, or a loss between them.
        `rate`: above 0, at most 1. `null`: the level that the brake tests. `phi`: 0.3 while monitoring, 0.6 while
        certifying by audits, 1 for uniform audits. `recent_groups`: the group of each recent decision; the 64 most
        frequent are told apart. Raises `AuditPlanInvalid`.
        """
        if not (0.0 < rate <= 1.0 and 0.0 < phi <= 1.0 and 0.0 < null < 1.0):
            raise AuditPlanInvalid(
                f"A rate of {rate} with phi {phi} and null {null} is impossible.", hint="All lie between 0 and 1."
            )
        groups = [EVERYWHERE] * len(recent_scores) if recent_groups is None else list(recent_groups)
        if len(scores) != len(errors) or not len(scores) or not len(recent_scores) or len(groups) != len(recent_scores):
            raise AuditPlanInvalid("An audit plan needs pairs of score and error, and scores of recent decisions.")
        if not all(0.0 <= float(error) <= 1.0 for error in errors):
            raise AuditPlanInvalid("An error of training data is 0 or 1, or a loss between them.")
        edges, risks = _risk_table([float(score) for score in scores], [float(error) for error in errors])
        found = [risks[bisect_right(edges, float(score))] for score in recent_scores]
        return cls(rate, phi, null, edges, risks, _traffic(found, groups))

    def at_rate(self, rate: float) -> AuditPlan:
        """Return the same plan with another nominal rate, as a warning asks for."""
        if not 0.0 < rate <= 1.0:
            raise AuditPlanInvalid(f"A rate of {rate} is impossible.", hint="It lies in (0, 1].")
        return replace(self, rate=rate)

    def with_multipliers(self, multipliers: Mapping[str, float]) -> AuditPlan:
        """Return the same plan as it follows what audits have shown about the groups."""
        return replace(self, multipliers=dict(multipliers))

    def following(self, multipliers: Mapping[str, float], *, warned: bool) -> AuditPlan:
        """Return the plan in force: what audits have shown about the groups, and twice the rate while warned."""
        found = self.with_multipliers(multipliers)
        return found.at_rate(min(1.0, self.rate * WARNED_RAISE)) if warned else found

    @cached_property
    def scale(self) -> float:
        """The mean of sqrt(risk) over the traffic, multipliers included: the mean of q is then 1."""
        return sum(one.share * float(self.multiplier(one.name) ** 0.5) * one.root for one in self.groups)

    @cached_property
    def mean_risk(self) -> float:
        """The mean risk over the traffic, multipliers included."""
        return sum(one.share * self.multiplier(one.name) * one.risk for one in self.groups)

    @cached_property
    def evenly(self) -> float:
        """The part that is spread evenly: phi, or more at a high rate, so that no probability has to be cut at 1.

        So the mean probability is the rate; at a rate of 1 every decision is audited.
        """
        steepest = float(max(self.multiplier(one.name) * one.most for one in self.groups)) ** 0.5 / self.scale
        room = 1.0 / self.rate - 1.0
        return max(self.phi, 1.0 - room / (steepest - 1.0)) if steepest > 1.0 else self.phi

    @cached_property
    def _mean_q(self) -> dict[str, float]:
        return {
            one.name: self.evenly + (1.0 - self.evenly) * self.multiplier(one.name) ** 0.5 * one.root / self.scale
            for one in self.groups
        }

    @cached_property
    def known(self) -> frozenset[str]:
        """The groups that the traffic is told apart by."""
        return frozenset(one.name for one in self.groups)

    def multiplier(self, group: str) -> float:
        """Return how much riskier than its risk a group has turned out to be."""
        return float(self.multipliers.get(group, 1.0)) if group in self.known else 1.0

    def draw(self, score: float, group: str = EVERYWHERE) -> Draw:
        """Return the terms on which an automatic decision at this score is audited."""
        expected = self.risks[bisect_right(self.edges, score)]
        risk = expected * self.multiplier(group)
        probability = min(1.0, self.rate * float(detector.relative_weight(risk, self.scale, self.evenly)))
        control = float(detector.control_value(risk, self.mean_risk, self.null, probability / self.rate))
        return Draw(probability, self.rate, control, group, self._mean_q.get(group, 1.0), expected)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        values = asdict(self)
        return values | {name: list(values[name]) for name in ("edges", "risks", "groups")}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> AuditPlan:
        """Read what `to_dict` wrote."""
        groups = tuple(GroupTraffic(**one) for one in values["groups"])
        return cls(**{**values, "groups": groups, **{name: tuple(values[name]) for name in ("edges", "risks")}})


def group_of(plan: AuditPlan, levels: Collection[str], value: Any, attributes: Mapping[str, str]) -> str:
    """Return the group whose audits an automatic decision belongs to.

    Where the certificate names groups (as "attribute=value"), the item's own, the first of them by name; else the
    answers that the model gives are told apart, as far as the plan knows them.
    """
    if levels:
        return own(levels, attributes)
    answer = str(value)
    return answer if answer in plan.known else EVERYWHERE


def probability(plan: AuditPlan, score: float, group: str = EVERYWHERE) -> float:
    """Return the chance with which an automatic decision at this score is audited."""
    return plan.draw(score, group).probability


def _traffic(risks: Sequence[float], groups: Sequence[str]) -> tuple[GroupTraffic, ...]:
    """Return the traffic by group; what lies beyond the most frequent groups counts as one."""
    kept = {name for name, _ in Counter(groups).most_common(MOST_GROUPS)}
    inside: dict[str, list[float]] = {}
    for risk, group in zip(risks, groups, strict=True):
        inside.setdefault(group if group in kept else EVERYWHERE, []).append(risk)
    return tuple(
        GroupTraffic(
            name, len(own) / len(risks), sum(one**0.5 for one in own) / len(own), sum(own) / len(own), max(own)
        )
        for name, own in sorted(inside.items())
    )


def drawing(plan: AuditPlan, *, warned: bool, rate: float | None = None) -> Callable[[float], float]:
    """Return score -> chance of an audit under a plan, at its own rate or at another one.

    A warned certificate is audited twice as often until the warning passes.
    """
    asked = plan.rate if rate is None else rate
    used = plan.at_rate(min(1.0, asked * (WARNED_RAISE if warned else 1.0)))
    return lambda score: probability(used, score)


def _risk_table(scores: list[float], errors: list[float]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return ascending edges and the isotonic risk between them, falling with the score and never quite zero."""
    seen = Counter(scores)
    wrong = dict.fromkeys(seen, 0.0)
    for score, error in zip(scores, errors, strict=True):
        wrong[score] += error
    levels = sorted(seen, reverse=True)
    fitted = nondecreasing([wrong[s] / seen[s] for s in levels], [float(seen[s]) for s in levels])
    floor = 0.5 / (len(scores) + 1)
    edges: list[float] = []
    risks: list[float] = [max(floor, fitted[-1])]
    # From the least confident up: an edge where the risk falls.
    for score, risk in zip(reversed(levels), reversed(fitted), strict=True):
        if max(floor, risk) != risks[-1]:
            edges.append(score)
            risks.append(max(floor, risk))
    return tuple(edges), tuple(risks)
