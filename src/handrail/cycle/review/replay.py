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
from handrail.cycle.review.condition import Condition
from handrail.cycle.review.error_estimate import estimate_counted
from handrail.cycle.review.loss import Loss, loss_of
from handrail.cycle.review.model import Decision, Given, Route, State
from handrail.cycle.review.policy import Rule
from handrail.cycle.review.routing import Routed, Standing, condition_values, route

Basis = Literal["audit", "audit_open", "undrawn", "verdict", "verdict_open", "unseen"]
_LEVEL = 0.95


@dataclass(frozen=True)
class Truth:
    """What is known of the model's answer to a recorded decision.

    `basis`: audit and verdict are a person's (`wrong` says what they found, `probability` how likely the look was);
    audit_open and verdict_open are looks that were asked for and have not come; undrawn is an automatic decision whose
    audit was not drawn, which the drawn ones speak for; unseen a blocked one, which nobody was to look at. `said`: the
    model's answer and the person's; None where there are not both, and what is wrong then costs 1.
    """

    basis: Basis
    wrong: bool = False
    probability: float = 1.0
    said: tuple[Any, Any] | None = None

    def lost(self, loss: Loss) -> float:
        """Return what the model's answer cost."""
        return float(self.wrong) if self.said is None else loss_of(loss, *self.said)


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
class Share:
    """A share of errors with its limits at confidence `level`, from `n` answers, and how it was made."""

    value: float
    low: float
    high: float
    n: int
    level: float
    method: str


@dataclass(frozen=True)
class Errors:
    """The error of the decisions that would have been automatic, as far as people's answers speak about them.

    `share` is None where they do not, and `unknown` says why. `audits` and `verdicts`: answers that speak. `open` and
    `unseen` count as right in the lower limit and as wrong in the upper one. `expected`: errors among all of them.
    `mean_loss`: the same as `share` for the policy's loss, None where it declares none.
    """

    share: Share | None
    audits: int
    verdicts: int
    open: int
    undrawn: int
    unseen: int
    expected: tuple[float, float, float] | None
    unknown: str
    mean_loss: Share | None = None


@dataclass(frozen=True)
class Replayed:
    """What a policy makes of the recorded decisions. `moves`: (recorded route, route now) -> number."""

    total: Flow
    days: Mapping[int, Flow]
    moves: Mapping[tuple[Route, Route], int]
    errors: Errors


class Replay:
    """Takes recorded decisions one by one and adds up what a policy would have made of them.

    `audit_rate`: the policy's; audits are counted as under a certificate issued with it. `loss`: the policy's.
    """

    def __init__(self, rules: Sequence[tuple[Rule, Condition]], audit_rate: float, loss: Loss | None = None) -> None:
        self._rules = rules
        self._audit_rate = audit_rate
        self._total = Flow()
        self._days: dict[int, Flow] = {}
        self._moves: Counter[tuple[Route, Route]] = Counter()
        self._loss = loss
        self._seen: Counter[tuple[Basis, float, float]] = Counter()
        self._lost: Counter[tuple[Basis, float, float]] = Counter()
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
        if truth.basis not in ("undrawn", "unseen"):
            self._seen[truth.basis, float(truth.wrong), truth.probability] += 1
            if self._loss is not None:
                self._lost[truth.basis, truth.lost(self._loss), truth.probability] += 1

    def _errors(self) -> Errors:
        bases, number = self._bases, self._total.automatic
        unknown = _why_unknown(bases, number)
        share = None if unknown else _share(self._seen, bases, number)
        lost = None if unknown or self._loss is None else _share(self._lost, bases, number, exact=False)
        expected = None if share is None else (share.value * number, share.low * number, share.high * number)
        return Errors(
            share,
            bases["audit"],
            bases["verdict"],
            bases["audit_open"] + bases["verdict_open"],
            bases["undrawn"],
            bases["unseen"],
            expected,
            unknown,
            lost,
        )


def truth_of(one: Decision, audit_said: Any) -> Truth:
    """Return what people's answers say of the model's answer to a decision; `audit_said` is its audit's, if any.

    A person who rejected the item outright did not let the model's answer pass: that counts as wrong.
    """
    if one.route == "auto":
        if audit_said is not None:
            given = None if one.prediction is None else one.prediction["value"]
            return Truth("audit", audit_said != given, one.audit_probability, (given, audit_said))
        return Truth("audit_open", probability=one.audit_probability) if one.audited else Truth("undrawn")
    if one.route == "blocked":
        return Truth("unseen")
    if one.by_kind not in ("person", "simulated") or one.prediction is None:
        return Truth("verdict_open")
    given = one.prediction["value"]
    return Truth("verdict", one.value != given, said=None if one.value is None else (given, one.value))


def _why_unknown(bases: Mapping[Basis, int], number: int) -> str:
    """Return why no error can be given, or ""."""
    if not number:
        return "nothing would have been automatic"
    if (then := bases["undrawn"] + bases["audit_open"]) and not bases["audit"]:
        return f"{then} of {number} were automatic then, and no audit of one of them has been answered"
    if not bases["audit"] and not bases["verdict"]:
        return f"no person has answered for any of the {number}"
    return ""


def _share(
    seen: Mapping[tuple[Basis, float, float], int], bases: Mapping[Basis, int], number: int, *, exact: bool = True
) -> Share:
    """Return the error of the automatic decisions, stratum by stratum.

    What was automatic is estimated from its audits, what people decided from their verdicts, each at its own share of
    the decisions; with both, each interval misses with half the probability, so that together they keep the level.
    The limits hold whatever the open answers will say, and count what nobody saw as all right and as all wrong.
    """
    strata: list[tuple[int, Basis, Basis]] = [
        (bases["audit"] + bases["audit_open"] + bases["undrawn"], "audit", "audit_open"),
        (bases["verdict"] + bases["verdict_open"], "verdict", "verdict_open"),
    ]
    filled = [one for one in strata if one[0]]
    level = 1.0 - (1.0 - _LEVEL) / len(filled)
    value = low = high = 0.0
    answered, methods = 0, []
    for size, known, waiting in filled:
        some = {(wrong, chance): n for (basis, wrong, chance), n in seen.items() if basis == known}
        chances = {chance: n for (basis, _, chance), n in seen.items() if basis == waiting}
        right, wrong = (
            estimate_counted(
                some | {(said, c): some.get((said, c), 0) + n for c, n in chances.items()}, level=level, exact=exact
            )
            for said in (0.0, 1.0)
        )
        if some:
            found = estimate_counted(some, level=level, exact=exact)
            value += size * found.value
            answered += size
            methods.append(found.method)
        low += size * right.low / number
        high += size * wrong.high / number
    high += bases["unseen"] / number
    value /= answered
    n = bases["audit"] + bases["verdict"]
    method = " and ".join(methods)
    return Share(value, min(low, value), min(1.0, max(high, value)), n, _LEVEL, method)


def _no_draw() -> float:
    return 1.0  # nothing is drawn: the probability itself is what counts


def _no_audit(score: float) -> float:
    del score
    return 0.0
