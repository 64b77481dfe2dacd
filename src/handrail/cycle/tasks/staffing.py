"""The rules of a project's queue: how much one person may take, who has which skill, where tasks climb. Pure.

Attention fades long before a shift is over, and people who tire get faster, not more careful; so a project may say how
many tasks a person holds at once and answers in an hour and a day. A limit refuses the next claim and says when it
opens again; what a person holds already may always be answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from handrail.cycle.tasks.competence import Competence, competence_problems
from handrail.cycle.tasks.model import LEAD, Task, TaskInvalid
from handrail.foundation.errors import Conflict

MOST_LIMIT = 5000
MOST_CHAIN = 8
"""Skills that a task climbs through before it stays with leads."""
MOST_NAMED = 16
"""Skills that a project may give to people."""
MOST_PEOPLE = 500
MOST_SKILL = 64
MOST_MINUTES = 30 * 24 * 60
"""The longest that a task may wait before it climbs."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_NUMBERS = {
    "most_held": MOST_LIMIT,
    "most_an_hour": MOST_LIMIT,
    "most_a_day": MOST_LIMIT,
    "climb_minutes": MOST_MINUTES,
}


class LimitReached(Conflict):
    """The person has as much work as the project's rules allow; nothing was claimed."""

    code = "tasks.limit_reached"


class RulesInvalid(TaskInvalid):
    """The rules of the queue break a rule themselves; every problem is listed."""

    code = "tasks.rules_invalid"


@dataclass(frozen=True)
class QueueRules:
    """What a project says about its queue; None is no limit.

    `most_held`: tasks that a person may hold at once. `most_an_hour`, `most_a_day`: answers of a person, of what they
    hold too, in any 60 minutes and any 24 hours. `chain`: the skills that an escalated task climbs through; after the
    last it stays with leads. `skills`: skill -> ids of the people who have it. `climb_minutes`: after so long without a
    claim an open task climbs by itself, one skill at a time. `competence`: how far people must agree with known truth.
    """

    most_held: int | None = None
    most_an_hour: int | None = None
    most_a_day: int | None = None
    chain: tuple[str, ...] = ()
    skills: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    climb_minutes: int | None = None
    competence: Competence | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> QueueRules:
        """Read a document; raises RulesInvalid with every problem, unknown keys included."""
        known = {one.name for one in fields(cls)}
        problems = [f"{str(name)[:80]}: not a part of the rules of a queue" for name in document if name not in known]
        limits = {name: document.get(name) for name in _NUMBERS}
        for name, value in limits.items():
            if value is not None and (type(value) is not int or not 1 <= value <= _NUMBERS[name]):
                problems.append(f"{name}: must be a whole number from 1 to {_NUMBERS[name]}, or null")
        chain, skills = document.get("chain", ()), document.get("skills", {})
        problems += _chain_problems(chain) + _skill_problems(skills)
        competence = document.get("competence")
        problems += competence_problems(competence)
        if problems:
            raise RulesInvalid(
                f"The rules of the queue cannot be used: {'; '.join(problems[:5])}.",
                hint="Nothing was changed. Mend the document and send it again.",
                problems=problems[:100],
            )
        people = {name: tuple(dict.fromkeys(ids)) for name, ids in sorted(skills.items())}
        asked = None if competence is None else Competence.from_dict(competence)
        return cls(**limits, chain=tuple(chain), skills=people, competence=asked)

    def skills_of(self, person: str) -> tuple[str, ...]:
        """Return the skills that the project gives to a person."""
        return tuple(name for name, people in self.skills.items() if person in people)

    def next_skill(self, skill: str) -> str:
        """Return the skill to which a task that asks for `skill` climbs; leads are the end of every chain."""
        if skill in self.chain:
            return (*self.chain, LEAD)[self.chain.index(skill) + 1]
        return LEAD if skill == LEAD or not self.chain else self.chain[0]

    @property
    def climbs_after(self) -> timedelta | None:
        """How long an open task waits for a claim before it climbs, None when it never does."""
        return None if self.climb_minutes is None else timedelta(minutes=self.climb_minutes)

    def climbs_at(self, one: Task) -> datetime | None:
        """Return when a task climbs if nobody claims it before; None when it does not."""
        if self.climbs_after is None or one.status != "open" or one.skill == LEAD:
            return None
        return (one.waits_since or one.opened_at) + self.climbs_after

    @property
    def rates(self) -> tuple[tuple[int, timedelta, str], ...]:
        """The limits on answers: (most, in how long, in words)."""
        given = ((self.most_an_hour, HOUR, "hour"), (self.most_a_day, DAY, "day"))
        return tuple((most, span, words) for most, span, words in given if most is not None)

    @property
    def limits_people(self) -> bool:
        """True when a person may not take whatever they like."""
        return self.most_held is not None or bool(self.rates)


NO_RULES = QueueRules()


def room_to_hold(rules: QueueRules, held: int, wanted: int) -> int:
    """Return how many of the wanted tasks a person who holds `held` may take; raises LimitReached for none."""
    if rules.most_held is None:
        return wanted
    if held >= rules.most_held:
        raise LimitReached(
            f"You hold {held} {_tasks(held)}, and {rules.most_held} is the most that one person may hold here.",
            hint="Answer one or give one back, then claim again.",
            limit="most_held",
        )
    return min(wanted, rules.most_held - held)


def room_to_answer(most: int, words: str, answered: int, held: int, wanted: int) -> int:
    """Return how many of the wanted tasks fit under a limit on answers; 0 when the answers alone fill it.

    Raises LimitReached when only what the person holds fills the rest.
    """
    if answered >= most:
        return 0
    if answered + held >= most:
        raise LimitReached(
            f"With the {held} {_tasks(held)} that you hold you have the {most} answers that one person may give in"
            f" {'an' if words == 'hour' else 'a'} {words} here.",
            hint="Answer what you hold, or give it back.",
            limit=f"most in an {words}" if words == "hour" else f"most in a {words}",
        )
    return min(wanted, most - answered - held)


def tired(most: int, words: str, opens_at: datetime) -> LimitReached:
    """Return the refusal of a person who answered as many tasks as one may; it says when the limit opens again."""
    article = "an" if words == "hour" else "a"
    return LimitReached(
        f"You answered {most} {_tasks(most)} in the last {words}, the most that one person may in {article} {words}"
        f" here; the next claim is open from {opens_at:%Y-%m-%d %H:%M:%S} UTC.",
        hint="Take a break. What you hold you may still answer.",
        limit=f"most in {article} {words}",
        opens_at=opens_at.isoformat(),
    )


def _tasks(number: int) -> str:
    return "task" if number == 1 else "tasks"


def _is_skill(name: Any) -> bool:
    return isinstance(name, str) and 1 <= len(name) <= MOST_SKILL and name.isprintable() and name == name.strip()


def _chain_problems(chain: Any) -> list[str]:
    if not isinstance(chain, list | tuple) or len(chain) > MOST_CHAIN or not all(map(_is_skill, chain)):
        return [f"chain: must be a list of up to {MOST_CHAIN} skills of 1 to {MOST_SKILL} printable characters"]
    if LEAD in chain:
        return [f"chain: {LEAD} is the end of every chain and is not written in it"]
    return ["chain: a skill is there twice"] if len(set(chain)) != len(chain) else []


def _skill_problems(skills: Any) -> list[str]:
    if not isinstance(skills, Mapping) or len(skills) > MOST_NAMED:
        return [f"skills: must be an object of up to {MOST_NAMED} skills, each with the ids of people"]
    found = []
    for name, people in skills.items():
        if not _is_skill(name) or name == LEAD:
            found.append(f"skills: {str(name)[:80]} is no name of a skill ({LEAD} comes with the role)")
        elif not isinstance(people, list | tuple) or len(people) > MOST_PEOPLE:
            found.append(f"skills: {name} must be a list of up to {MOST_PEOPLE} people")
        elif not all(isinstance(one, str) and 1 <= len(one) <= MOST_SKILL for one in people):
            found.append(f"skills: {name} must list ids of people")
    return found
