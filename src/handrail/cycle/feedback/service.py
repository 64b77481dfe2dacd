"""Feedback: what people decided goes back into the dataset, as a commit that a model can learn from."""

from __future__ import annotations

from handrail.cycle.datasets import Commit, Datasets
from handrail.cycle.datasets.model import MAIN
from handrail.cycle.feedback import store
from handrail.cycle.feedback.events import VerdictsCommitted
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock, micros
from handrail.foundation.journal import Journal
from handrail.foundation.storage import Storage, UnitOfWork


class Feedback:
    """Turns verdicts into commits."""

    def __init__(self, storage: Storage, journal: Journal, clock: Clock, datasets: Datasets) -> None:
        self._storage = storage
        self._journal = journal
        self._clock = clock
        self._datasets = datasets

    def waiting(self, uow: UnitOfWork, scope: Scope, *, question: str | None = None) -> int:
        """Return how many answers of people no commit holds yet: verdicts and audits, not draws for a certificate."""
        return self._datasets.labels_waiting(uow, scope, question=question, purpose="feedback")

    def commit_verdicts(self, actor: Actor, scope: Scope) -> Commit | None:
        """Commit every label that no commit holds yet and return the commit, or None when there is none.

        Repeating after a crash is harmless: the same labels never make a second commit, and one that was made
        without its note in the journal gets it now.
        """
        waiting = self._storage.read(lambda uow: self.waiting(uow, scope))
        noun = "answer" if waiting == 1 else "answers"
        made = self._datasets.commit(actor, scope, f"{waiting} {noun} of people" if waiting else "New items and labels")
        head = made or self._head(scope)
        if head is not None and not self._storage.read(lambda uow: store.is_noted(uow, scope, head.id)):
            self._note(actor, scope, head)
        return made

    def head(self, scope: Scope) -> str | None:
        """Return the id of the newest commit of the main branch, or None before the first."""
        found = self._head(scope)
        return None if found is None else found.id

    def _head(self, scope: Scope) -> Commit | None:
        def unit(uow: UnitOfWork) -> Commit | None:
            main = next(one for one in self._datasets.branches(uow, scope) if one.name == MAIN)
            return None if main.commit_id is None else self._datasets.commit_of(uow, scope, main.commit_id)

        return self._storage.read(unit)

    def _note(self, actor: Actor, scope: Scope, commit: Commit) -> None:
        changes = self._datasets.diff(scope, commit.parents[0] if commit.parents else None, commit.id)
        labels = [one for one in changes if one.kind == "label" and one.new is not None]
        verdicts = [one for one in labels if one.new_purpose == "feedback"]
        relabelled = sum(one.old is not None for one in verdicts)
        at = micros(self._clock.now())

        def unit(uow: UnitOfWork) -> None:
            if store.add_commit(uow, scope, commit.id, verdicts=len(verdicts), relabelled=relabelled, at=at):
                said = VerdictsCommitted(
                    commit_id=commit.id, verdicts=len(verdicts), relabelled=relabelled, labels=len(labels)
                )
                self._journal.append(uow, actor, scope.project_id, said)

        self._storage.write(unit)
