"""`handrail.Monitor`: audits, warning and brake for automatic decisions made elsewhere, without a project or a server.

The same code as the server's: `audit_draw` gives the chance of an audit, `hearing` puts verdicts in the order of the
decisions, `brake` keeps the evidence, `interval` says how wrong the last block was. Needs numpy alone.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from handrail.cycle.review import brake, detector
from handrail.cycle.review.audit_draw import AuditPlan, GroupTraffic
from handrail.cycle.review.audit_terms import EVERYWHERE, Draw
from handrail.cycle.review.brake import BrakeState
from handrail.cycle.review.certificates import Certificate
from handrail.cycle.review.error_estimate import ErrorEstimate, with_overdue
from handrail.cycle.review.hearing import replayed
from handrail.cycle.review.interval import BlockError, block_error, last_block
from handrail.foundation.errors import Invalid

Standing = Literal["auto", "warned", "braked", "expired"]
_FORMAT = "handrail.Monitor/1"
_RATE = 0.1


class MonitorInvalid(Invalid):
    """What a monitor was given does not fit what it holds."""

    code = "review.monitor_invalid"


@dataclass(frozen=True)
class Watched:
    """An audited decision: its number, the terms of its draw, its verdict (None while open), and if that is late."""

    number: int
    draw: Draw
    wrong: float | None = None
    overdue: bool = False


@dataclass(frozen=True)
class Planned:
    """What to do about one automatic decision: its `number`, the `probability` of an audit, whether it is `audited`."""

    number: int
    probability: float
    audited: bool


class Monitor:
    """Watches one certificate over its lifetime.

    `alpha`: the certified error, or the certificate. `delta`: chance of one false brake in `horizon` audits. `groups`:
    certified error by group. `rate`: nominal share of decisions that is audited. `scores`, `errors`: out-of-fold pairs
    that say where the model errs; `traffic`, `traffic_groups`: scores and groups of recent automatic decisions. Without
    them every decision has the same chance. `plan`: an audit plan as a certificate of the server has it, in place of
    all of these. `reviewer_error`: upper bound of the chance that a right answer is called wrong. `seed`: draws repeat.

    One caller at a time. Raises BrakeInvalid, AuditPlanInvalid, MonitorInvalid for numbers that make no sense.
    """

    def __init__(
        self,
        alpha: float | Certificate,
        delta: float = 0.05,
        horizon: int = 4000,
        *,
        groups: Mapping[str, float] | None = None,
        rate: float | None = None,
        scores: Sequence[float] | None = None,
        errors: Sequence[float] | None = None,
        traffic: Sequence[float] | None = None,
        traffic_groups: Sequence[str] | None = None,
        plan: Mapping[str, Any] | None = None,
        reviewer_error: float = 0.0,
        seed: int = 0,
    ) -> None:
        level = float(alpha.alpha if isinstance(alpha, Certificate) else alpha)
        self._now = brake.start(
            alpha=level, delta=delta, lifetime=horizon, reviewer_error=reviewer_error, group_levels=groups
        )
        self._base, self._folded = self._now, 0
        self._rate, self._seed = rate, seed
        self._plan = AuditPlan.from_dict(plan) if plan else self._planned(scores, errors, traffic, traffic_groups)
        self._audits: list[Watched] = []
        self._decided = 0
        self._idle = self._no_idle()
        self._chances = self._etas = 0.0
        self._reviewer_error: float | None = None
        self._followed: tuple[tuple[dict[str, float], bool], AuditPlan] | None = None

    # Deciding

    def decide(self, score: float = 1.0, group: str = EVERYWHERE, *, audited: bool | None = None) -> Planned:
        """Return the chance of an audit of the next automatic decision, and its draw.

        `score`: the model's confidence. `audited`: the draw, where it was made elsewhere at this very probability.
        """
        levels = {one.name for one in self._now.groups}
        known = group in levels if levels else group in self._plan.known
        draw = self._in_force().draw(float(score), group if known else EVERYWHERE)
        self._decided += 1
        if audited is None:
            audited = self._uniform(self._decided) < draw.probability
        self._note(draw, audited=audited)
        return Planned(self._decided, draw.probability, audited)

    def verdict(self, number: int, wrong: float) -> Standing:
        """Take the verdict on an audited decision, early or late, in any order; until then it counts as right.

        `wrong`: True or False, or the loss of the answer from 0 to 1; alpha is then the highest mean loss. Raises
        MonitorInvalid for a decision without an audit, and for another verdict than the one given before.
        """
        if not 0.0 <= wrong <= 1.0:
            raise MonitorInvalid(f"A loss of {wrong} is impossible.", hint="It lies from 0 (right) to 1.")
        place = self._place(number)
        one = self._audits[place]
        if one.wrong is not None and one.wrong != wrong:
            raise MonitorInvalid(f"Decision {number} has another verdict already.", hint="A verdict is final.")
        if one.wrong is None:
            self._audits[place] = replace(one, wrong=float(wrong), overdue=False)
            if place >= self._folded:  # beyond the ring it was counted as right for good
                self._replay()
        return self.state

    def overdue(self, number: int) -> None:
        """Say that an audit should have its verdict by now: `estimate` and `interval` then count it both ways."""
        place = self._place(number)
        if self._audits[place].wrong is None:
            self._audits[place] = replace(self._audits[place], overdue=True)

    def update(self, error: float | None, audit_probability: float, eta: float | None = None) -> Standing:
        """Take one decision whose draw was made elsewhere: its verdict or loss, None where it was not audited.

        `audit_probability`: that of its draw. `eta`: the error that was expected of it before; where it is given, give
        the decisions without an audit too, else they do not matter. Raises MonitorInvalid, BrakeInvalid.
        """
        if not 0.0 < audit_probability <= 1.0 or (eta is not None and not 0.0 < eta < 1.0):
            raise MonitorInvalid(
                f"An audit probability of {audit_probability} with an expected error of {eta} is impossible.",
                hint="A probability lies in (0, 1], an expected error in (0, 1).",
            )
        self._decided += 1
        self._chances += audit_probability
        # Any rate known before the verdict is valid; the mean so far keeps q near 1.
        rate = self._chances / self._decided if self._rate is None else self._rate
        null, _ = self._now.nulls(self._reviewer_error)
        control = None
        if eta is not None:
            self._etas += eta
            control = float(detector.control_value(eta, self._etas / self._decided, null, audit_probability / rate))
        self._note(Draw(audit_probability, rate, control, risk=eta), audited=error is not None)
        return self.state if error is None else self.verdict(self._decided, error)

    def trust_reviewers(self, bound: float) -> None:
        """Test the decisions to come under another upper bound of the reviewers' error, as control items gave it."""
        if not 0.0 <= bound < 1.0:
            raise MonitorInvalid(f"A reviewer error of {bound} is impossible.", hint="It lies in [0, 1).")
        self._reviewer_error = float(bound)

    # Looking

    @property
    def state(self) -> Standing:
        """Where automation stands: braked is for good, expired asks for a new certificate, warned doubles the rate."""
        return "expired" if self._now.expired and not self._now.braked else self._now.level

    @property
    def braked_groups(self) -> tuple[str, ...]:
        """The groups that alone need to stop; () when all do, or nothing does."""
        return self._now.only_groups if self._now.braked else ()

    @property
    def brake(self) -> BrakeState:
        """All that the brake remembers."""
        return self._now

    @property
    def e_value(self) -> float:
        """The evidence W that some stretch ending now was worse than certified: 1 warns, 1/delta brakes."""
        return self._now.e_value

    @property
    def open(self) -> tuple[int, ...]:
        """The numbers of the audited decisions that have no verdict."""
        return tuple(one.number for one in self._audits if one.wrong is None)

    @property
    def estimate(self) -> ErrorEstimate:
        """The error over all audits with a verdict, and those overdue counted both ways: value, low, high."""
        answered = Counter((one.wrong, one.draw.probability) for one in self._audits if one.wrong is not None)
        overdue = [one.draw.probability for one in self._audits if one.overdue]
        return with_overdue(answered, overdue, exact=False)

    @property
    def interval(self) -> BlockError:
        """The error of the last block of 500 audits; before that of those so far, up to the oldest open one."""
        settled = next(
            (place for place, one in enumerate(self._audits) if one.wrong is None and not one.overdue),
            len(self._audits),
        )
        before, n = last_block(settled)
        return block_error(self._now, self._audits[before : before + n], before=before)

    # Keeping

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values from which `from_dict` makes the same monitor, bit for bit."""
        return {
            "format": _FORMAT,
            "seed": self._seed,
            "rate": self._rate,
            "plan": self._plan.to_dict(),
            "now": self._now.to_dict(),
            "base": self._base.to_dict(),
            "folded": self._folded,
            "decided": self._decided,
            "idle": {name: list(sums) for name, sums in self._idle.items()},
            "chances": self._chances,
            "etas": self._etas,
            "reviewer_error": self._reviewer_error,
            "audits": [asdict(one) for one in self._audits],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Monitor:
        """Read what `to_dict` wrote; raises MonitorInvalid for anything else."""
        if values.get("format") != _FORMAT:
            raise MonitorInvalid("This is not a saved monitor.", hint="Load what Monitor.save wrote.")
        made = cls.__new__(cls)
        made._now, made._base = BrakeState.from_dict(values["now"]), BrakeState.from_dict(values["base"])
        made._plan = AuditPlan.from_dict(values["plan"])
        for name in ("seed", "rate", "folded", "decided", "chances", "etas", "reviewer_error"):
            setattr(made, f"_{name}", values[name])
        made._followed = None
        made._idle = {name: (sums[0], sums[1]) for name, sums in values["idle"].items()}
        made._audits = [_watched(one) for one in values["audits"]]
        return made

    def save(self, path: str | Path) -> None:
        """Write the monitor to a file, as JSON."""
        Path(path).write_text(json.dumps(self.to_dict()), "utf-8")

    @classmethod
    def load(cls, path: str | Path) -> Monitor:
        """Read a file that `save` wrote; raises MonitorInvalid for another one."""
        try:
            values = json.loads(Path(path).read_text("utf-8"))
        except ValueError:
            values = None
        return cls.from_dict(values if isinstance(values, dict) else {})

    # Parts

    def _planned(
        self,
        scores: Sequence[float] | None,
        errors: Sequence[float] | None,
        traffic: Sequence[float] | None,
        groups: Sequence[str] | None,
    ) -> AuditPlan:
        rate, null = _RATE if self._rate is None else self._rate, self._now.null
        if scores is None or errors is None:
            even = GroupTraffic(EVERYWHERE, 1.0, null**0.5, null, null)
            return AuditPlan(rate, 1.0, null, (), (null,), (even,)).at_rate(rate)
        recent = scores if traffic is None else traffic
        return AuditPlan.from_training(scores, errors, recent_scores=recent, recent_groups=groups, rate=rate, null=null)

    def _in_force(self) -> AuditPlan:
        """Return the plan as it follows the audits so far; made anew only when they change it."""
        key = (self._now.multipliers, self._now.level == "warned")
        if self._followed is None or self._followed[0] != key:
            self._followed = key, self._plan.following(key[0], warned=key[1])
        return self._followed[1]

    def _uniform(self, number: int) -> float:
        import numpy as np

        # A source for each decision: what is drawn does not depend on what was asked for or saved before.
        return float(np.random.default_rng([self._seed, number]).random())

    def _no_idle(self) -> dict[str, tuple[float, float]]:
        return {EVERYWHERE: (0.0, 0.0)}

    def _note(self, draw: Draw, *, audited: bool) -> None:
        """Keep an audited decision, and of another one what it adds to the sums before the next audit."""
        if audited:
            draw = replace(draw, idle=self._idle, reviewer_error=self._reviewer_error)
            self._audits.append(Watched(self._decided, draw))
            self._idle = self._no_idle()
            return
        null, levels = self._now.nulls(self._reviewer_error)
        if draw.control is not None:
            self._add(EVERYWHERE, float(detector.idle_gain(draw.control, draw.rate, null)))
        if draw.group in levels:
            gain = detector.idle_group_gain(draw.probability, draw.mean_q, draw.rate, levels[draw.group])
            self._add(draw.group, float(gain))

    def _add(self, name: str, gain: float) -> None:
        gains, squares = self._idle.get(name, (0.0, 0.0))
        self._idle[name] = gains + gain, squares + gain * gain

    def _place(self, number: int) -> int:
        place = bisect_left(self._audits, number, key=lambda one: one.number)
        if place == len(self._audits) or self._audits[place].number != number:
            raise MonitorInvalid(f"Decision {number} was not audited.", hint="Only audited decisions have a verdict.")
        return place

    def _replay(self) -> None:
        last = max(place for place, one in enumerate(self._audits) if one.wrong is not None)
        self._now, self._base, folded = replayed(self._base, self._audits[self._folded : last + 1])
        self._folded += folded


def _watched(values: Mapping[str, Any]) -> Watched:
    draw = dict(values["draw"])
    idle = {name: (sums[0], sums[1]) for name, sums in draw.pop("idle").items()}
    return Watched(values["number"], Draw(**draw, idle=idle), values["wrong"], values["overdue"])
