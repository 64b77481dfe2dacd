"""Where to audit: more often where the model is likelier to be wrong, never with probability zero anywhere.

An item's weight is phi + (1 - phi) * sqrt(risk) / scale; the audit probability is rate * weight. The risk is an
isotonic fit of training errors over the score; a wrong fit costs audits, never validity: the probability is logged.
Weights average 1 over the automatic traffic and are capped so that raising the rate up to fourfold, as a warning does,
still gives probabilities of at most 1: an item's weight is then its probability relative to the mean, at any rate.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from handrail.foundation.errors import Invalid
from handrail.foundation.statistics import nondecreasing

MOST_RAISE = 4.0
_WARNED_RAISE = 2.0


class AuditPlanInvalid(Invalid):
    """The numbers handed to an audit plan are not what it needs."""

    code = "review.audit_plan_invalid"


@dataclass(frozen=True)
class AuditPlan:
    """A table from score to audit weight.

    `rate`: nominal share of automatic decisions that is audited. `phi`: the part spread evenly. `edges`: ascending
    scores; `risks` and `weights` hold one more value each, for scores below edges[0], between, and from edges[-1] up.
    """

    rate: float
    phi: float
    edges: tuple[float, ...]
    risks: tuple[float, ...]
    weights: tuple[float, ...]

    @classmethod
    def from_training(
        cls,
        scores: Sequence[float],
        errors: Sequence[float],
        *,
        recent_scores: Sequence[float],
        rate: float,
        phi: float = 0.3,
    ) -> AuditPlan:
        """Make the plan from out-of-fold (score, error) pairs and the scores of recent automatic decisions.

        `rate`: above 0, at most 1. `phi`: 0.3 while monitoring, 0.6 while certifying by audits, 1 for uniform audits.
        Raises `AuditPlanInvalid`.
        """
        if not (0.0 < rate <= 1.0 and 0.0 < phi <= 1.0):
            raise AuditPlanInvalid(f"A rate of {rate} with phi {phi} is impossible.", hint="Both lie in (0, 1].")
        if len(scores) != len(errors) or not len(scores) or not len(recent_scores):
            raise AuditPlanInvalid("An audit plan needs pairs of score and error, and scores of recent decisions.")
        edges, risks = _risk_table([float(score) for score in scores], [float(error) for error in errors])
        found = Counter(bisect_right(edges, float(score)) for score in recent_scores)
        masses = [found[place] / len(recent_scores) for place in range(len(risks))]
        return cls(rate, phi, edges, risks, _weights(risks, masses, phi, max(1.0, 1.0 / (MOST_RAISE * rate))))

    def at_rate(self, rate: float) -> AuditPlan:
        """Return the same plan with another nominal rate, as a warning asks for."""
        if not 0.0 < rate <= 1.0:
            raise AuditPlanInvalid(f"A rate of {rate} is impossible.", hint="It lies in (0, 1].")
        return replace(self, rate=rate)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self) | {name: list(getattr(self, name)) for name in ("edges", "risks", "weights")}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> AuditPlan:
        """Read what `to_dict` wrote."""
        return cls(**{**values, **{name: tuple(values[name]) for name in ("edges", "risks", "weights")}})


def weight(plan: AuditPlan, score: float) -> float:
    """Return an item's audit probability relative to the mean: the q of `brake.update`, whatever the rate was."""
    return plan.weights[bisect_right(plan.edges, score)]


def probability(plan: AuditPlan, score: float) -> float:
    """Return the chance with which an automatic decision at this score is audited."""
    return min(1.0, plan.rate * plan.weights[bisect_right(plan.edges, score)])


def drawing(plan: AuditPlan, *, warned: bool, rate: float | None = None) -> Callable[[float], float]:
    """Return score -> chance of an audit under a plan, at its own rate or at another one.

    A warned certificate is audited twice as often until the warning passes.
    """
    asked = plan.rate if rate is None else rate
    used = plan.at_rate(min(1.0, asked * (_WARNED_RAISE if warned else 1.0)))
    return lambda score: probability(used, score)


def _risk_table(scores: list[float], errors: list[float]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return ascending edges and the isotonic risk between them, falling with the score and never quite zero."""
    seen = Counter(scores)
    wrong: Counter[float] = Counter()
    for score, error in zip(scores, errors, strict=True):
        wrong[score] += int(error > 0)
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


def _weights(risks: Sequence[float], masses: Sequence[float], phi: float, cap: float) -> tuple[float, ...]:
    """Return capped weights with mean 1 over the masses; a cap of 1 means uniform audits."""
    mean = sum(mass * risk**0.5 for mass, risk in zip(masses, risks, strict=True))
    raw = [phi + (1.0 - phi) * risk**0.5 / mean for risk in risks]
    if cap <= 1.0:
        return (1.0,) * len(raw)

    def scaled(factor: float) -> tuple[float, ...]:
        return tuple(min(cap, factor * one) for one in raw)

    def excess(factor: float) -> float:
        return sum(mass * one for mass, one in zip(masses, scaled(factor), strict=True)) - 1.0

    low, high = 0.0, cap / min(raw)
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) < 0 else (low, middle)
    return scaled(high)
