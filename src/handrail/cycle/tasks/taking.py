"""How much one person may take now, counted in the unit of the claim; and the rules that say so."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from handrail.cycle.datasets import Datasets
from handrail.cycle.tasks import store
from handrail.cycle.tasks.climbing import climb_due
from handrail.cycle.tasks.events import QueueRulesSet
from handrail.cycle.tasks.judging import Judging
from handrail.cycle.tasks.model import (
    AlreadyAnswered,
    ClaimedByOther,
    SecondLook,
    SkillMissing,
    Task,
    TaskClosed,
)
from handrail.cycle.tasks.outlook import Outlook, outlook
from handrail.cycle.tasks.staffing import NO_RULES, QueueRules, room_to_answer, room_to_hold, tired
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock, from_micros, micros
from handrail.foundation.journal import Journal
from handrail.foundation.storage import UnitOfWork


def room(uow: UnitOfWork, scope: Scope, rules: QueueRules, actor: Actor, wanted: int, now: datetime) -> int:
    """Return how many of the wanted tasks the actor may take now, at least 1; raises LimitReached."""
    if not rules.limits_people:
        return wanted
    store.hold_person(uow, scope, actor.id)
    held = store.held_number(uow, scope, actor.id, micros(now))
    wanted = room_to_hold(rules, held, wanted)
    for most, span, words in rules.rates:
        since = micros(now - span)
        answered = store.answered_number(uow, scope, actor.id, since)
        wanted = room_to_answer(most, words, answered, held, wanted)
        if wanted == 0:
            freed = store.nth_latest_answer(uow, scope, actor.id, since, most)
            assert freed is not None  # that many were counted in this unit
            raise tired(most, words, from_micros(freed) + span)
    return wanted


class Staffing:
    """Keeps the rules of every project's queue, and says how it does."""

    def __init__(self, journal: Journal, clock: Clock, datasets: Datasets) -> None:
        self._journal = journal
        self._clock = clock
        self.judging = Judging(journal, clock, datasets)

    def rules(self, uow: UnitOfWork, scope: Scope) -> QueueRules:
        """Return the rules of the project's queue."""
        return store.get_rules(uow, scope)

    def set_rules(self, uow: UnitOfWork, actor: Actor, scope: Scope, rules: QueueRules) -> QueueRules:
        """Put rules into force from the next claim on; the same again changes nothing."""
        before = store.get_rules(uow, scope)
        if rules != before:
            store.put_rules(uow, scope, rules, at=micros(self._clock.now()), by=f"{actor.kind}:{actor.id}")
            self._journal.append(uow, actor, scope.project_id, QueueRulesSet(document=rules.to_dict()))
            if rules.competence is not None and rules.competence != before.competence:
                self.judging.judge_all(uow, scope, rules.competence)
        return rules

    def open_to(self, uow: UnitOfWork, scope: Scope, actor: Actor, kinds: Collection[str] | None) -> QueueRules:
        """Return the rules of the queue when the actor may take tasks of these kinds (None: any); raises GateClosed."""
        rules = store.get_rules(uow, scope)
        self.judging.check_open(uow, scope, rules, actor, kinds)
        return rules

    def outlook(self, uow: UnitOfWork, scope: Scope) -> Outlook:
        """Return how the project's queue does now, who works on it, and what will miss its deadline."""
        return outlook(uow, scope, self._clock.now())

    def skills(self, uow: UnitOfWork, scope: Scope, actor: Actor, given: Sequence[str]) -> tuple[str, ...]:
        """Return the given skills with those that the project gives to the actor, each once."""
        rules = store.get_rules(uow, scope)
        return tuple(given) if rules is NO_RULES else tuple(dict.fromkeys((*given, *rules.skills_of(actor.id))))

    def check_free(
        self, uow: UnitOfWork, scope: Scope, one: Task, actor: Actor, now: datetime, skills: Sequence[str] | None
    ) -> None:
        """Return when the actor may have the task; `skills` None is every skill.

        Raises AlreadyAnswered, TaskClosed, SecondLook, SkillMissing, ClaimedByOther, GateClosed, LimitReached.
        """
        if one.status == "answered":
            raise AlreadyAnswered("This task has its answer.", hint="Take the next one.")
        if one.status in ("expired", "withdrawn") or (one.deadline is not None and one.deadline <= now):
            what = one.status if one.status in ("expired", "withdrawn") else "past its deadline"
            raise TaskClosed(f"This task is {what}.", hint="Take the next one.")
        if actor.id in one.not_by:
            raise SecondLook("This task needs another person.", hint="Take the next one.")
        if skills is not None and one.skill not in self.skills(uow, scope, actor, skills):
            raise SkillMissing(f"This task needs the skill {one.skill}.", hint="Take the next one.", skill=one.skill)
        if one.claimed_by != actor.id and one.is_held(now):
            raise ClaimedByOther("Somebody else holds this task.", hint="Take the next one.")
        if not one.is_held(now):
            room(uow, scope, self.open_to(uow, scope, actor, [one.kind]), actor, 1, now)

    def climb_due(self, uow: UnitOfWork, now: datetime) -> int:
        """Let tasks that nobody has claimed in time climb the chains of their projects; 500 a turn at most."""
        return climb_due(uow, self._journal, now)

    def next_skill(self, uow: UnitOfWork, scope: Scope, skill: str) -> str:
        """Return the skill to which an escalated task that asks for `skill` goes."""
        return store.get_rules(uow, scope).next_skill(skill)
