"""Collects what people were shown and said, with what is known to be true, and lets the figures be made of it.

What is true of a seed is known before. Of a decided item it is what its label says when somebody else gave it without
this answer in sight: a recorded outcome that was imported, a label of a random draw, or a blind audit.
"""

from __future__ import annotations

from dataclasses import dataclass

from handrail.cycle.datasets import Datasets
from handrail.cycle.datasets.model import Label
from handrail.cycle.evaluate.oversight import Figures, Look, by_group, by_person, figures
from handrail.cycle.evaluate.team import Case, Team, compare
from handrail.cycle.review import Review
from handrail.cycle.review.model import WrongState
from handrail.cycle.tasks import Tasks
from handrail.foundation.actors import Scope
from handrail.foundation.storage import UnitOfWork

MOST = 20_000
"""Newest answers that figures are made of."""
SECOND_LOOKS = frozenset({"import", "draw", "audit"})
"""Sources of a label that nobody gave with the model's answer in sight."""


@dataclass(frozen=True)
class PeopleReport:
    """The figures of people, of groups of items and, for a lead, of all; and how many truths come from where."""

    question: str
    seeds: int
    second_looks: int
    everybody: Figures | None
    people: tuple[Figures, ...]
    groups: tuple[Figures, ...]


@dataclass(frozen=True)
class TeamReport:
    """People alone, the model alone and both together, on decided items of known truth; seeds are not among them."""

    question: str
    truth: str
    report: Team


class People:
    """Measures how people look, and what they and the model come to together."""

    def __init__(self, datasets: Datasets, tasks: Tasks, review: Review) -> None:
        self._datasets = datasets
        self._tasks = tasks
        self._review = review

    def people(self, uow: UnitOfWork, scope: Scope, *, only: str | None = None) -> PeopleReport:
        """Return the figures of everybody, or of one person alone; raises WrongState before the first policy."""
        question = self._question(uow, scope)
        looks = [one for one in self._looks(uow, scope, question) if only in (None, one.person_id)]
        return PeopleReport(
            question=question,
            seeds=sum(one.outcome is not None for one in looks),
            second_looks=sum(one.outcome is None and one.truth is not None for one in looks),
            everybody=figures("everybody", "everybody", looks) if only is None else None,
            people=by_person(looks),
            groups=by_group(looks),
        )

    def team(self, uow: UnitOfWork, scope: Scope) -> TeamReport:
        """Return the three error rates over the same items; raises WrongState before the first policy."""
        question = self._question(uow, scope)
        cases = [
            Case(one.own, one.shown, one.final, one.truth)
            for one in self._looks(uow, scope, question)
            if one.outcome is None and one.own is not None and one.truth is not None
        ]
        truth = "labels of the same items from recorded outcomes, random draws and blind audits, by somebody else"
        return TeamReport(question, truth, compare(cases))

    def _question(self, uow: UnitOfWork, scope: Scope) -> str:
        found = self._review.oversight(uow, scope)
        if found is None:
            raise WrongState("The project has no policy yet.", hint="Activate a policy, then decide.")
        return found.policy.question

    def _looks(self, uow: UnitOfWork, scope: Scope, question: str) -> list[Look]:
        reviewed = self._tasks.reviewed(uow, scope, question, MOST)
        seeds = [
            one
            for one in self._review.seeding.answered(uow, scope)
            if one.question == question and one.outcome != "passed_on" and one.person_id is not None
        ]
        labels = {one.item_id: one for one in self._datasets.labels(uow, scope, question=question)}
        about = {one.item_id for one in reviewed} | {one.item_id for one in seeds}
        groups = {
            key: tuple(f"{name}: {value}" for name, value in sorted(item.group.items()))
            for key, item in self._datasets.items_by_id(uow, scope, sorted(about)).items()
        }
        real = [
            Look(
                person_id=one.person_id,
                person_name=one.person_name,
                item_id=one.item_id,
                shown=one.shown,
                own=one.own,
                final=one.final,
                truth=_truth(labels.get(one.item_id), one.task_id, one.person_id),
                seconds=one.seconds,
                groups=groups[one.item_id],
            )
            for one in reviewed
        ]
        planted = [
            Look(
                person_id=str(one.person_id),
                person_name=str(one.person_name),
                item_id=one.item_id,
                shown=one.shown_value,
                own=one.own,
                final=one.value,
                truth=one.truth,
                outcome=one.outcome,  # type: ignore[arg-type]  # passed_on was left out
                seconds=one.seconds,
                groups=groups[one.item_id],
            )
            for one in seeds
        ]
        return real + planted


def _truth(label: Label | None, task_id: str, person_id: str) -> object:
    """Return what a second look says, or None where the label is this answer's own, or was given with it in sight."""
    if label is None or label.source not in SECOND_LOOKS or label.task_id == task_id or label.actor_id == person_id:
        return None
    value: object = label.value
    return value
