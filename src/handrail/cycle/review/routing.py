"""Sends one item on its way: hard rules, brake, certificate, audit draw, else a person. Pure.

The order is fixed: a rule that demands a person or blocks comes before anything that could automate, and whatever is
not covered by a certificate in force goes to a person. When more wait for people than the policy allows, what would
join them is blocked or gets a deadline; nothing becomes automatic because people are busy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from handrail.cycle.review.condition import Broken as ConditionBroken
from handrail.cycle.review.condition import Condition
from handrail.cycle.review.groups import Grouped, own
from handrail.cycle.review.model import AUTOMATIC, Given, Route, State
from handrail.cycle.review.policy import OverQueue, Rule


@dataclass(frozen=True)
class Queue:
    """The reviews that wait for people, and what the policy says of more than `limit`."""

    waiting: int
    limit: int
    over: OverQueue
    deadline_s: int

    @property
    def full(self) -> bool:
        """Whether one more is over the limit."""
        return self.waiting >= self.limit


@dataclass(frozen=True)
class Drawing:
    """How items of a group are drawn to certify it: at or above `region`, while it is `open`."""

    region: float | None
    open: bool


@dataclass(frozen=True)
class Standing:
    """What routing depends on, as of one epoch; `queue` as of now, None where the policy sets no limit.

    `groups`: what the certificate in force says of groups; `drawing`: how the one that is planned draws from each, None
    where it draws from all together. Of one item (`of`): `held` says why and by whom its group goes to people,
    `certify_over` why it is not drawn to certify.
    """

    state: State
    threshold: float | None
    certificate_open: bool
    certify_share: float
    certify_region: float | None = None
    queue: Queue | None = None
    groups: Grouped | None = None
    drawing: Mapping[str, Drawing] | None = None
    held: tuple[str, str] | None = None
    certify_over: str = ""

    def of(self, attributes: Mapping[str, str], decision_id: str | None = None) -> Standing:
        """Return what routing depends on for one item, by the group that its attributes put it in.

        `decision_id`: as of that decision, where it is a recorded one.
        """
        if self.groups is None and self.drawing is None:
            return self
        made = self
        if self.groups is not None:
            group = own(self.groups.names, attributes)
            held = self.groups.held(attributes, decision_id)
            made = replace(made, threshold=self.groups.threshold(group, self.threshold), held=held)
        if self.drawing is not None:
            drawn = self.drawing.get(own(self.drawing, attributes))
            over = "" if drawn is not None and drawn.open else "the model is being certified from other groups of items"
            made = replace(made, certify_region=None if drawn is None else drawn.region, certify_over=over)
        return made


CONDITION_VARIABLES = frozenset({"item", "prediction", "group", "state", "risk_class", "cost"})
"""The names that a condition may use. `state` is that of automation: shadow, certifying, auto, warned, braked, stopped.

Fields are reached as item.NAME; a missing one makes the condition unreadable, which means a person.
"""

FOREIGN = Standing(state="shadow", threshold=None, certificate_open=False, certify_share=0.0)
"""For a prediction that the caller brings: a certificate speaks about one model, so it is never automated."""


@dataclass(frozen=True)
class Routed:
    """Where an item goes and why; probabilities are those of the draws that were made.

    `deadline_s`: seconds after which a person's answer is too late, where the policy and not the caller says so.
    """

    route: Route
    reasons: tuple[str, ...]
    by: str
    audit_probability: float = 0.0
    audited: bool = False
    certifying: bool = False
    eyes: int = 1
    deadline_s: int | None = None


def condition_values(
    state: State,
    data: Mapping[str, Any],
    group: Mapping[str, str],
    prediction: Given | None,
    risk_class: str | None = None,
    cost: float | None = None,
) -> dict[str, Any]:
    """Return what a policy's conditions read, under the names in `CONDITION_VARIABLES`.

    A risk class or cost that nobody said is missing: a rule that asks for it cannot be read, so a person decides.
    """
    said: dict[str, Any] = {}
    if prediction is not None:
        said = {"value": prediction.value, "score": prediction.score, "scores": dict(prediction.scores)}
    values: dict[str, Any] = {"state": state, "item": dict(data), "group": dict(group), "prediction": said}
    if risk_class is not None:
        values["risk_class"] = risk_class
    if cost is not None:
        values["cost"] = float(cost)
    return values


def route(
    standing: Standing,
    rules: Sequence[tuple[Rule, Condition]],
    prediction: Given | None,
    variables: Mapping[str, Any],
    audit_probability: Callable[[float], float],
    draw: Callable[[], float],
) -> Routed:
    """Return where the item goes.

    `audit_probability` maps a score to the chance of an audit; `draw` gives a uniform number and is called once at
    most, after everything else about the item is fixed.
    """
    return _within(standing.queue, _way(standing, rules, prediction, variables, audit_probability, draw))


def _within(queue: Queue | None, routed: Routed) -> Routed:
    """Keep the number of waiting reviews within the limit; an item drawn to certify needs its label and passes."""
    if queue is None or not queue.full or routed.route != "human" or routed.certifying:
        return routed
    over = f"{queue.waiting} reviews wait for people, the policy allows {queue.limit}"
    if queue.over == "block":
        return replace(routed, route="blocked", reasons=(*routed.reasons, f"{over}: blocked"), by="policy")
    said = f"{over}: it expires in {queue.deadline_s} seconds"
    return replace(routed, reasons=(*routed.reasons, said), deadline_s=queue.deadline_s)


def _way(
    standing: Standing,
    rules: Sequence[tuple[Rule, Condition]],
    prediction: Given | None,
    variables: Mapping[str, Any],
    audit_probability: Callable[[float], float],
    draw: Callable[[], float],
) -> Routed:
    for rule, condition in rules:
        held = condition.holds(variables)
        if isinstance(held, ConditionBroken):
            # A rule that cannot be read never automates.
            why = f"rule {rule.name} could not be evaluated: {held.why}"
            return Routed("human", (why,), f"rule:{rule.name}", eyes=rule.eyes)
        if held:
            reason = f"rule {rule.name}" + (f": {rule.reason}" if rule.reason else "")
            way: Route = "blocked" if rule.then == "block" else "human"
            return Routed(way, (reason,), f"rule:{rule.name}", eyes=rule.eyes)
    if prediction is None:
        return Routed("human", ("no model answers this question yet",), "policy")
    if standing.state == "stopped":
        return Routed("human", ("automation is stopped",), "policy")
    if standing.state == "braked":
        return Routed("human", ("the brake holds automation",), "brake")
    if standing.certificate_open:
        share = standing.certify_share
        if standing.certify_over:
            return Routed("human", (standing.certify_over,), "policy")
        if standing.certify_region is not None and prediction.score < standing.certify_region:
            reason = f"the score {prediction.score:.3f} is under the region that the model is certified in"
            return Routed("human", (reason,), "policy")
        if draw() < share:
            reason = "drawn at random to certify the model"
            return Routed("human", (reason,), "policy", audit_probability=share, certifying=True)
        return Routed("human", ("the model is being certified",), "policy", audit_probability=share)
    threshold = standing.threshold
    if standing.state in AUTOMATIC and standing.held is not None:
        return Routed("human", (standing.held[0],), standing.held[1])
    if standing.state not in AUTOMATIC or threshold is None:
        return Routed("human", ("no certificate is in force",), "policy")
    if prediction.score < threshold:
        reason = f"the score {prediction.score:.3f} is under the certified threshold {threshold:.3f}"
        return Routed("human", (reason,), "policy")
    chance = audit_probability(prediction.score)
    reason = f"the score {prediction.score:.3f} is at or above the certified threshold {threshold:.3f}"
    return Routed("auto", (reason,), "policy", audit_probability=chance, audited=draw() < chance)
