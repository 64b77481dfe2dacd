"""Facts that tasks publish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from handrail.cycle.tasks.model import Answer, FirstAnswer, Task, switched
from handrail.foundation.journal import Event


@dataclass(frozen=True, kw_only=True)
class TaskOpened(Event):
    """A task was opened that no other entry speaks of."""

    verb: ClassVar[str] = "tasks.opened"
    task_id: str
    item_id: str | None
    kind: str
    question: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class TaskAnswered(Event):
    """A person answered."""

    verb: ClassVar[str] = "tasks.answered"
    task_id: str
    answer_id: str
    item_id: str | None
    decision_id: str | None
    subject_id: str | None
    kind: str
    answer: str
    value: Any
    reason: str
    seconds: float | None
    own: Any
    switched: bool | None

    @classmethod
    def of(cls, one: Task, made: Answer) -> TaskAnswered:
        """Return the fact that an answer is; `own` is what the person said before the model's answer was shown."""
        return cls(
            task_id=one.id,
            answer_id=made.id,
            item_id=one.item_id,
            decision_id=one.decision_id,
            subject_id=one.subject_id,
            kind=one.kind,
            answer=made.verb,
            value=made.value,
            reason=made.reason,
            seconds=made.seconds,
            own=None if one.own is None else one.own.value,
            switched=switched(one.own, made.value),
        )


@dataclass(frozen=True, kw_only=True)
class FirstAnswered(Event):
    """A person gave an answer of their own, before the model's was shown."""

    verb: ClassVar[str] = "tasks.first_answered"
    task_id: str
    item_id: str | None
    decision_id: str | None
    kind: str
    value: Any
    seconds: float | None

    @classmethod
    def of(cls, one: Task, own: FirstAnswer) -> FirstAnswered:
        """Return the fact that a person's own answer is."""
        return cls(
            task_id=one.id,
            item_id=one.item_id,
            decision_id=one.decision_id,
            kind=one.kind,
            value=own.value,
            seconds=own.seconds,
        )


@dataclass(frozen=True, kw_only=True)
class QueueRulesSet(Event):
    """Limits, skills or the chain of the queue were changed."""

    verb: ClassVar[str] = "tasks.queue_rules_set"
    document: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class TasksClimbed(Event):
    """Nobody claimed tasks in time: they ask for the next skill of the chain. `waited_s` is the longest wait.

    `task_ids` are those about decisions, of the number `tasks`; what no entry has named is counted and not named.
    """

    verb: ClassVar[str] = "tasks.climbed"
    task_ids: list[str]
    tasks: int
    from_skill: str
    to_skill: str
    waited_s: float


@dataclass(frozen=True, kw_only=True)
class GateClosedFor(Event):
    """A person gets no more tasks: of `n` answers to cases of known truth too few were right, at 95 % confidence."""

    verb: ClassVar[str] = "tasks.gate_closed"
    person_id: str
    right: int
    n: int
    low: float
    high: float
    least_agreement: float


@dataclass(frozen=True, kw_only=True)
class PersonAdmitted(Event):
    """A lead let a person work; `closed` says whether the gate was closed, `right` and `n` with which tally."""

    verb: ClassVar[str] = "tasks.admitted"
    person_id: str
    closed: bool
    right: int | None
    n: int | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class TaskExpired(Event):
    """Nobody answered before the deadline."""

    verb: ClassVar[str] = "tasks.expired"
    task_id: str
    decision_id: str | None
    kind: str


@dataclass(frozen=True, kw_only=True)
class TaskWithdrawn(Event):
    """The task is not needed any more."""

    verb: ClassVar[str] = "tasks.withdrawn"
    task_id: str
    kind: str
    why: str
