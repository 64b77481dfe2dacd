"""Sends recorded decisions through another policy and counts what would have been. Pure; memory grows with days alone.

The same `routing.route` decides as for live items, in the state that was recorded and under the certificate that was
in force then. Nothing is drawn: an audit counts with its probability. What nobody looked at stays unknown, and where
nothing speaks about the errors there is no figure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from handrail.cycle.review.audit_draw import AuditPlan, drawing
from handrail.cycle.review.brake import ErrorEstimate, estimate_counted
from handrail.cycle.review.condition import Condition
from handrail.cycle.review.model import Decision, Given, Route, Rule, State
from handrail.cycle.review.routing import Routed, Standing, condition_values, route

Basis = Literal["audit", "verdict", "open", "undrawn", "unseen"]


@dataclass(frozen=True)
class Truth:
    """What is known of the model's answer to a recorded decision.

    `basis`: audit and verdict are a person's (`wrong` says what they found, `probability` how likely the look was);
    open is a look that was asked for and has not come; undrawn an automatic decision whose audit was not drawn, which
    the drawn ones speak for; unseen a blocked one, which nobody was to look at.
    """

    basis: Basis
    wrong: bool = False
    probability: float = 1.0


@dataclass(frozen=True)
class Past:
    """A recorded decision: what routing saw then, where it went, and what people said since.

    `day` as 20261105; `state` of automation then; `standing` what routing depended on, `plan` that of its certificate.
    """

    day: int
    recorded: Route
    state: State
    data: Mapping[str, Any]
    group: Mapping[str, str]
    prediction: Given | None
    standing: Standing
    plan: AuditPlan | None
    truth: Truth
    risk_class: str | None = None
    cost: float | None = None


@dataclass
class Flow:
    """Where decisions went. `audits` is the number expected, `rules` how many each rule caught."""

    automatic: int = 0
    people: int = 0
    blocked: int = 0
    audits: float = 0.0
    rules: Counter[str] = field(default_factory=Counter)

    @property
    def decisions(self) -> int:
        """All decisions."""
        return self.automatic + self.people + self.blocked

    @property
    def automation(self) -> float | None:
        """The share of automatic decisions, None without any decision."""
        return self.automatic / self.decisions if self.decisions else None

    @property
    def tasks(self) -> float:
        """The looks that people are asked for: reviews and expected audits."""
        return self.people + self.audits

    def add(self, routed: Routed) -> None:
        """Count one decision."""
        if routed.route == "auto":
            self.automatic += 1
            self.audits += routed.audit_probability
        elif routed.route == "blocked":
            self.blocked += 1
        else:
            self.people += 1
        if routed.by.startswith("rule:"):
            self.rules[routed.by.removeprefix("rule:")] += 1


@dataclass(frozen=True)
class Errors:
    """The error of the decisions that would have been automatic, as far as people's answers speak about them.

    `share` is None where they do not, and `unknown` says why. `audits` and `verdicts`: answers that speak. `open` and
    `unseen` count as right in the lower limit and as wrong in the upper one. `expected`: errors among all of them.
    """

    share: ErrorEstimate | None
    audits: int
    verdicts: int
    open: int
    undrawn: int
    unseen: int
    expected: tuple[float, float, float] | None
    unknown: str


@dataclass(frozen=True)
class Replayed:
    """What a policy makes of the recorded decisions. `moves`: (recorded route, route now) -> number."""

    total: Flow
    days: Mapping[int, Flow]
    moves: Mapping[tuple[Route, Route], int]
    errors: Errors


class Replay:
    """Takes recorded decisions one by one and adds up what a policy would have made of them.

    `audit_rate`: the policy's; audits are counted as under a certificate issued with it.
    """

    def __init__(self, rules: Sequence[tuple[Rule, Condition]], audit_rate: float) -> None:
        self._rules = rules
        self._audit_rate = audit_rate
        self._total = Flow()
        self._days: dict[int, Flow] = {}
        self._moves: Counter[tuple[Route, Route]] = Counter()
        self._known: Counter[tuple[bool, float]] = Counter()
        self._open: Counter[float] = Counter()
        self._bases: Counter[Basis] = Counter()
        self._chances: dict[tuple[int, bool], tuple[AuditPlan, Callable[[float], float]]] = {}

    def add(self, past: Past) -> Routed:
        """Route a recorded decision and count it."""
        values = {}
        if self._rules:
            values = condition_values(past.state, past.data, past.group, past.prediction, past.risk_class, past.cost)
        routed = route(past.standing, self._rules, past.prediction, values, self._chance(past), _no_draw)
        self._total.add(routed)
        self._days.setdefault(past.day, Flow()).add(routed)
        self._moves[past.recorded, routed.route] += 1
        if routed.route == "auto":
            self._look(past.truth)
        return routed

    def result(self) -> Replayed:
        """Return the sums so far."""
        return Replayed(self._total, dict(sorted(self._days.items())), dict(self._moves), self._errors())

    def _chance(self, past: Past) -> Callable[[float], float]:
        if past.plan is None:
            return _no_audit
        key = (id(past.plan), past.state == "warned")
        if key not in self._chances:  # the plan is kept with it: an id is free again when its object is gone
            self._chances[key] = (past.plan, drawing(past.plan, warned=key[1], rate=self._audit_rate))
        return self._chances[key][1]

    def _look(self, truth: Truth) -> None:
        self._bases[truth.basis] += 1
        if truth.basis in ("audit", "verdict"):
            self._known[truth.wrong, truth.probability] += 1
        elif truth.basis in ("open", "unseen"):
            self._open[truth.probability] += 1

    def _errors(self) -> Errors:
        bases, number = self._bases, self._total.automatic
        unknown = _why_unknown(bases, number)
        share = None if unknown else _worst_case(self._known, self._open)
        expected = None if share is None else (share.value * number, share.low * number, share.high * number)
        return Errors(
            share,
            bases["audit"],
            bases["verdict"],
            bases["open"],
            bases["undrawn"],
            bases["unseen"],
            expected,
            unknown,
        )


def truth_of(one: Decision, audit_wrong: bool | None) -> Truth:
    """Return what people's answers say of the model's answer to a decision; `audit_wrong` is its audit's, if any.

    A person who rejected the item outright did not let the model's answer pass: that counts as wrong.
    """
    if one.route == "auto":
        if audit_wrong is not None:
            return Truth("audit", audit_wrong, one.audit_probability)
        return Truth("open", probability=one.audit_probability) if one.audited else Truth("undrawn")
    if one.route == "blocked":
        return Truth("unseen")
    if one.by_kind not in ("person", "simulated") or one.prediction is None:
        return Truth("open")
    return Truth("verdict", one.value != one.prediction["value"])


def _why_unknown(bases: Mapping[Basis, int], number: int) -> str:
    """Return why no error can be given, or ""."""
    if not number:
        return "nothing would have been automatic"
    if bases["undrawn"] and not bases["audit"]:
        return f"{bases['undrawn']} of {number} were automatic then, and no audit of one of them has been answered"
    if not bases["audit"] and not bases["verdict"]:
        return f"no person has answered for any of the {number}"
    return ""


def _worst_case(known: Counter[tuple[bool, float]], still_open: Mapping[float, int]) -> ErrorEstimate:
    """Return the error with limits that hold whatever the answers that are still open will say."""
    found = estimate_counted(known)
    if not still_open:
        return found
    right = estimate_counted(known + Counter({(False, chance): number for chance, number in still_open.items()}))
    wrong = estimate_counted(known + Counter({(True, chance): number for chance, number in still_open.items()}))
    low, high = min(found.low, right.low), max(found.high, wrong.high)
    return ErrorEstimate(found.value, low, high, found.n, found.level, found.method)


def _no_draw() -> float:
    return 1.0  # nothing is drawn: the probability itself is what counts


def _no_audit(score: float) -> float:
    del score
    return 0.0
