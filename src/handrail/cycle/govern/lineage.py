"""What rests on what: from a decision back to the people whose answers its model learned from, and forward."""

from __future__ import annotations

from dataclasses import dataclass

from handrail.cycle.datasets import Commit, Datasets
from handrail.cycle.datasets.model import MAIN
from handrail.cycle.datasets.provenance import Given, Span
from handrail.cycle.review import Review
from handrail.cycle.train import ModelVersion, Train
from handrail.foundation.actors import Scope
from handrail.foundation.storage import UnitOfWork

LEARNED = ("train", "feedback")
"""Purposes of labels that a model may learn from."""


@dataclass(frozen=True)
class Origins:
    """What a decision, a model or a version rests on. `given`: for a model, only what it may have learned from.

    `problem` says why the people are not known: no model was asked, or the version is not one of main's.
    """

    decision_id: str | None
    model: ModelVersion | None
    commit: Commit | None
    given: tuple[Given, ...]
    problem: str = ""


@dataclass(frozen=True)
class Reached:
    """A model that may have learned from labels of a span: how many of them, and its decisions by route."""

    model: ModelVersion
    labels: int
    decisions: dict[str, int]


@dataclass(frozen=True)
class Consequences:
    """All that rests on a span: the numbers of main's first commit with a label of it and of the first without any."""

    span: Span
    first_commit: int | None
    end_commit: int | None
    models: tuple[Reached, ...]
    elsewhere: tuple[str, ...]


class Lineage:
    """Follows labels through versions and models to decisions, both ways; each answer is one read."""

    def __init__(self, datasets: Datasets, train: Train, review: Review) -> None:
        self._datasets = datasets
        self._train = train
        self._review = review

    def of_decision(self, uow: UnitOfWork, scope: Scope, decision_id: str) -> Origins:
        """Return what a decision rests on; raises DecisionNotFound."""
        one = self._review.decision(uow, scope, decision_id)
        if one.model_id is None:
            return Origins(one.id, None, None, (), "No model was asked.")
        found = self.of_model(uow, scope, one.model_id)
        return Origins(one.id, found.model, found.commit, found.given, found.problem)

    def of_model(self, uow: UnitOfWork, scope: Scope, model_id: str) -> Origins:
        """Return what a model rests on; raises ModelNotFound."""
        model = self._train.model(uow, scope, model_id)
        found = self.of_version(uow, scope, model.commit_id)
        given = tuple(one for one in found.given if one.question == model.question and one.purpose in LEARNED)
        return Origins(None, model, found.commit, given, found.problem)

    def of_version(self, uow: UnitOfWork, scope: Scope, version: str) -> Origins:
        """Return whose labels a version holds; raises CommitNotFound."""
        commit = self._datasets.commit_of(uow, scope, version)
        if commit.id not in {one.id for one in self._datasets.log(uow, scope, MAIN)}:
            # Only what main held is kept with its answers.
            return Origins(None, None, commit, (), f"The branch main never stood at {commit.id[:12]}.")
        return Origins(None, None, commit, tuple(self._datasets.recalls.given(uow, scope, commit.number)))

    def of_span(self, uow: UnitOfWork, scope: Scope, span: Span) -> Consequences:
        """Return what rests on one actor's labels of a time: versions of main, models, decisions.

        Models that learned from a version that main never stood at are named in `elsewhere`: of them it is not known.
        """
        numbers = {one.id: one.number for one in self._datasets.log(uow, scope, MAIN)}
        decided = self._review.counts_by_model(uow, scope)
        reached, elsewhere = list[Reached](), list[str]()
        for model in self._train.models(uow, scope):
            number = numbers.get(model.commit_id)
            if number is None:
                elsewhere.append(model.id)
            elif span.question in (None, model.question):
                asked = Span(span.actor, span.since, span.until, model.question)
                if labels := self._datasets.recalls.held(uow, scope, asked, number):
                    reached.append(Reached(model, labels, decided.get(model.id, {})))
        first, end = self._datasets.recalls.commits(uow, scope, span) or (None, None)
        return Consequences(span, first, end, tuple(reached), tuple(elsewhere))
