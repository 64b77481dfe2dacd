"""Who goes on answering: agreement with known truth, and when it closes the gate for a person. Pure.

An answer counts where the truth of its item was known before and came from somebody else. The gate closes when the
upper limit of the exact interval (Clopper and Pearson 1934) lies below the level, so that bad luck with a few answers
does not send a good person home; nothing is judged under a least number of answers. The limit is looked at after every
such answer: a person exactly at a level of 0.8 is sent home by chance within 200 of them in 12 of 100 cases, one who is
right in 85 of 100 in 1 of 100 (tests/unit/cycle/tasks/test_competence.py repeats it).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from handrail.cycle.tasks.model import KINDS
from handrail.foundation.errors import Forbidden
from handrail.foundation.statistics import Interval, clopper_pearson

LEVEL = 0.95
JUDGED: tuple[str, ...] = tuple(kind for kind in KINDS if kind in ("label", "review", "audit", "adjudicate"))
"""Kinds of tasks whose answer is a value that may be known."""
OPEN_TO_ALL = frozenset({"sign_off"})
"""Kinds that the gate does not keep from anybody: they are not about items."""
LEAST_ANSWERS, MOST_ANSWERS, MOST_DAYS = 5, 1000, 365


class GateClosed(Forbidden):
    """The person's answers agree too little with known truth, or nobody has admitted them yet; nothing was claimed."""

    code = "tasks.gate_closed"


class OwnAdmission(Forbidden):
    """A lead wants to admit themselves."""

    code = "tasks.own_admission"


@dataclass(frozen=True)
class Competence:
    """What a project asks of those who answer.

    Of a person's answers with known truth in the last `window_days`, to tasks of the kinds `of` (all when empty), at
    least the share `least_agreement` must be right; under `least_answers` of them nothing is judged. `admit_first`: who
    has fewer works only once a lead has admitted them.
    """

    least_agreement: float
    least_answers: int = 20
    window_days: int = 30
    of: tuple[str, ...] = ()
    admit_first: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of tasks whose answers count."""
        return self.of or JUDGED

    @property
    def window(self) -> timedelta:
        """How far back answers count."""
        return timedelta(days=self.window_days)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Competence:
        """Read a document that `competence_problems` found nothing in."""
        return cls(
            least_agreement=float(document["least_agreement"]),
            least_answers=document.get("least_answers", 20),
            window_days=document.get("window_days", 30),
            of=tuple(document.get("of") or ()),
            admit_first=document.get("admit_first", False),
        )


@dataclass(frozen=True)
class Tally:
    """How many of a person's `n` answers with known truth were right."""

    right: int
    n: int

    @property
    def interval(self) -> Interval:
        """The share that was right, with its exact interval at 95 %."""
        return clopper_pearson(self.right, self.n, LEVEL)

    @property
    def said(self) -> str:
        """The figure in words."""
        found = self.interval
        return f"{self.right} of {self.n} ({found.value:.0%}, {LEVEL:.0%} interval {found.low:.0%} to {found.high:.0%})"


@dataclass(frozen=True)
class Gate:
    """What stands about a person: the tally with which the gate was closed, and when a lead admitted them last."""

    person_id: str
    name: str
    tally: Tally
    least: float
    closed_at: datetime | None
    admitted_at: datetime | None


def closes(asked: Competence, tally: Tally) -> bool:
    """Return whether a tally closes the gate: enough answers, and the upper limit of the share below the level."""
    return tally.n >= asked.least_answers and tally.interval.high < asked.least_agreement


def counts_since(asked: Competence, gate: Gate | None, now: datetime) -> datetime:
    """Return from when on answers count: an admission begins anew."""
    begins = now - asked.window
    return begins if gate is None or gate.admitted_at is None else max(begins, gate.admitted_at)


def refused(gate: Gate) -> GateClosed:
    """Return the refusal of a person for whom the gate is closed."""
    return GateClosed(
        f"Of your answers to cases of known truth {gate.tally.said} were right, and this project asks for"
        f" {gate.least:.0%}. You get no more tasks here until a lead admits you again.",
        hint="Ask a lead of the project, who sees the same figure. What you hold you may still answer.",
        n=gate.tally.n,
        right=gate.tally.right,
        low=gate.tally.interval.low,
        high=gate.tally.interval.high,
        least_agreement=gate.least,
    )


def not_admitted(asked: Competence, n: int) -> GateClosed:
    """Return the refusal of a person whom nobody has admitted and of whom too little is known."""
    return GateClosed(
        f"Your answers to {n} cases of known truth are known, and this project lets nobody work unasked under"
        f" {asked.least_answers}.",
        hint="Ask a lead of the project to admit you.",
        n=n,
        least_answers=asked.least_answers,
    )


def competence_problems(document: Any) -> list[str]:
    """Return what is wrong with the part `competence` of the rules of a queue; None asks nothing."""
    if document is None:
        return []
    if not isinstance(document, Mapping):
        return ["competence: must be an object, or null"]
    known = {one.name for one in fields(Competence)}
    found = [f"competence: {str(name)[:80]} is not a part of it" for name in document if name not in known]
    least = document.get("least_agreement")
    if type(least) not in (int, float) or not 0 < float(least) < 1:  # type: ignore[arg-type]
        found.append("competence: least_agreement must be a number between 0 and 1")
    for name, low, high in (("least_answers", LEAST_ANSWERS, MOST_ANSWERS), ("window_days", 1, MOST_DAYS)):
        value = document.get(name, low)
        if type(value) is not int or not low <= value <= high:
            found.append(f"competence: {name} must be a whole number from {low} to {high}")
    kinds = document.get("of") or ()
    if not isinstance(kinds, list | tuple) or any(kind not in JUDGED for kind in kinds):
        found.append(f"competence: of must be a list of kinds among {', '.join(JUDGED)}")
    if type(document.get("admit_first", False)) is not bool:
        found.append("competence: admit_first must be true or false")
    return found
