"""Keeps which answers to cases of known truth were right, closes the gate for who is too often wrong, and admits again.

Every answer with a value to a question with choices is looked at, whatever its task is for: a seed, an audit or an item
with an outcome on record. So nothing has to be opened as a test, and nobody can tell one from other work.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from handrail.cycle.datasets import Datasets, Label
from handrail.cycle.tasks import store
from handrail.cycle.tasks.competence import (
    JUDGED,
    OPEN_TO_ALL,
    Competence,
    Gate,
    OwnAdmission,
    Tally,
    closes,
    counts_since,
    not_admitted,
    refused,
)
from handrail.cycle.tasks.events import GateClosedFor, PersonAdmitted
from handrail.cycle.tasks.model import Answer, Task, TaskInvalid, check_reason
from handrail.cycle.tasks.staffing import QueueRules
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock, micros
from handrail.foundation.journal import Journal
from handrail.foundation.storage import UnitOfWork

_RULE = Actor.rule("competence")
_KNOWN_SOURCES = frozenset({"import", "draw", "audit"})
_KNOWN_PURPOSES = frozenset({"certify", "holdout"})
_LONGEST_ID = 64


class Judging:
    """Counts answers of known truth for each person and holds the gate."""

    def __init__(self, journal: Journal, clock: Clock, datasets: Datasets) -> None:
        self._journal = journal
        self._clock = clock
        self._datasets = datasets

    def known(self, uow: UnitOfWork, scope: Scope, task: Task, answer: Answer) -> Label | None:
        """Return the label that says whether an answer is right, None where the truth is not known.

        To be asked before the answer becomes a label itself. A label is known truth when somebody else gave it without
        the model's answer in sight: an outcome that was imported, a label of a random draw, or a blind audit.
        """
        if answer.value is None or task.item_id is None or task.kind not in JUDGED:
            return None
        label = self._datasets.label(uow, scope, task.item_id, task.question)
        if label is None or label.actor_id == answer.actor_id:
            return None
        if label.source not in _KNOWN_SOURCES and label.purpose not in _KNOWN_PURPOSES:
            return None
        choice = self._datasets.schema(uow, scope).question(task.question).type == "choice"
        return label if choice else None

    def heard(self, uow: UnitOfWork, scope: Scope, task: Task, answer: Answer, known: Label | None) -> None:
        """Keep whether an answer was right, where `known` says it; close the gate when the project's rules say so."""
        if known is None:
            return
        store.add_known(uow, scope, task, answer, right=answer.value == known.value)
        asked = store.get_rules(uow, scope).competence
        if asked is not None:
            self._judge(uow, scope, asked, answer.actor_id, answer.actor_name, answer.answered_at)

    def judge_all(self, uow: UnitOfWork, scope: Scope, asked: Competence) -> None:
        """Close the gate for everybody whose answers so far fall under rules that are new."""
        now = self._clock.now()
        for person_id, name in store.known_people(uow, scope, micros(now - asked.window)):
            self._judge(uow, scope, asked, person_id, name, now)

    def check_open(
        self, uow: UnitOfWork, scope: Scope, rules: QueueRules, actor: Actor, kinds: Collection[str] | None
    ) -> None:
        """Return when the actor may take tasks of these kinds (None: any); raises GateClosed."""
        asked = rules.competence
        if asked is None or (kinds is not None and OPEN_TO_ALL.issuperset(kinds)):
            return
        gate = store.gate_of(uow, scope, actor.id)
        if gate is not None and gate.closed_at is not None:
            raise refused(gate)
        if asked.admit_first and (gate is None or gate.admitted_at is None):
            tally = store.tally(uow, scope, actor.id, asked.kinds, micros(self._clock.now() - asked.window))
            if tally.n < asked.least_answers:
                raise not_admitted(asked, tally.n)

    def admit(self, uow: UnitOfWork, actor: Actor, scope: Scope, person_id: str, reason: str) -> datetime:
        """Let a person work from now on, and count their answers anew; raises OwnAdmission, TaskInvalid."""
        if not 1 <= len(person_id) <= _LONGEST_ID or not person_id.isprintable():
            raise TaskInvalid(f"A person's id has 1 to {_LONGEST_ID} characters.")
        check_reason(reason)
        if person_id == actor.id:
            raise OwnAdmission("Nobody admits themselves.", hint="Ask another lead.")
        now = self._clock.now()
        gate = store.gate_of(uow, scope, person_id)
        closed = gate is not None and gate.closed_at is not None
        store.admit(uow, scope, person_id, micros(now), f"{actor.kind}:{actor.id}")
        event = PersonAdmitted(
            person_id=person_id,
            closed=closed,
            right=gate.tally.right if gate is not None and closed else None,
            n=gate.tally.n if gate is not None and closed else None,
            reason=reason,
        )
        self._journal.append(uow, actor, scope.project_id, event)
        return now

    def _judge(
        self, uow: UnitOfWork, scope: Scope, asked: Competence, person_id: str, name: str, now: datetime
    ) -> None:
        store.hold_person(uow, scope, person_id)  # two answers at a time would close it twice
        gate = store.gate_of(uow, scope, person_id)
        if gate is not None and gate.closed_at is not None:
            return
        found: Tally = store.tally(uow, scope, person_id, asked.kinds, micros(counts_since(asked, gate, now)))
        if not closes(asked, found):
            return
        store.close_gate(uow, scope, Gate(person_id, name, found, asked.least_agreement, now, None))
        event = GateClosedFor(
            person_id=person_id,
            right=found.right,
            n=found.n,
            low=found.interval.low,
            high=found.interval.high,
            least_agreement=asked.least_agreement,
        )
        self._journal.append(uow, _RULE, scope.project_id, event)
