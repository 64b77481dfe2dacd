"""Tasks that climb by themselves: what nobody claims in time goes on to the next skill of the project's chain.

Every task climbs alike, by nothing but how long it has waited for a claim: audits, draws, seeds and what they are made
to look like. A climb by deadline, worth or kind would let people tell a blind task from another by who is asked.
"""

from __future__ import annotations

from datetime import datetime

from handrail.cycle.tasks import store
from handrail.cycle.tasks.events import TasksClimbed
from handrail.cycle.tasks.staffing import QueueRules
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import from_micros, micros
from handrail.foundation.journal import Journal
from handrail.foundation.storage import UnitOfWork

MOST_CLIMBED = 500
"""Tasks that one turn lets climb, shared out among the projects: a claim waits behind it for a few milliseconds."""
_TIMEKEEPER = Actor.rule("timekeeper")


def climb_due(uow: UnitOfWork, journal: Journal, now: datetime) -> int:
    """Let the tasks of every project that nobody has claimed in time climb one skill; returns how many did."""
    projects = store.climbing_projects(uow)
    changed = 0
    for scope, rules, seen in projects:
        store.look_at_new(uow, scope, store.first_open(uow, scope) if seen is None else seen, micros(now))
        changed += _climb(uow, journal, scope, rules, now, max(1, MOST_CLIMBED // len(projects)))
    return changed


def _climb(uow: UnitOfWork, journal: Journal, scope: Scope, rules: QueueRules, now: datetime, most: int) -> int:
    assert rules.climbs_after is not None  # of the projects that have it
    waiting = store.unclaimed(uow, scope, micros(now - rules.climbs_after), most)
    by_skill: dict[str, list[store.Unclaimed]] = {}
    for one in waiting:
        by_skill.setdefault(one.skill, []).append(one)
    for skill, ones in sorted(by_skill.items()):
        following = rules.next_skill(skill)
        store.climb(uow, scope, ones, following, micros(now))
        event = TasksClimbed(
            # A task without a decision may be a seed, which no entry names before its answer.
            task_ids=[one.id for one in ones if one.decision_id is not None],
            tasks=len(ones),
            from_skill=skill,
            to_skill=following,
            waited_s=(now - from_micros(ones[0].waits_since)).total_seconds(),
        )
        journal.append(uow, _TIMEKEEPER, scope.project_id, event)
    return len(waiting)
