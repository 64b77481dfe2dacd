"""Withdraws one actor's labels of a time: what they replaced holds again, or nothing does."""

from __future__ import annotations

from handrail.cycle.datasets import store
from handrail.cycle.datasets.events import LabelsRecalled
from handrail.cycle.datasets.model import MAX_REASON, LabelInvalid
from handrail.cycle.datasets.provenance import MOST_RECALLED, Affected, Given, NothingToRecall, Recall, Span
from handrail.cycle.datasets.values import read_text
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.storage import UnitOfWork


class Recalls:
    """Withdraws labels; none is deleted, and a version that held them stays what it is."""

    def __init__(self, journal: Journal, clock: Clock, ids: Ids) -> None:
        self._journal = journal
        self._clock = clock
        self._ids = ids

    def look(
        self, uow: UnitOfWork, actor: Actor, scope: Scope, span: Span, reason: str
    ) -> tuple[Recall, list[str], list[Affected]]:
        """Return what a recall would do, and to which labels; raises NothingToRecall, LabelInvalid."""
        if not reason.strip() or read_text(reason)[1] or len(reason) > MAX_REASON:
            raise LabelInvalid(f"A recall needs a reason, a text of up to {MAX_REASON:,} characters.")
        found = store.labels_of(uow, scope, span, MOST_RECALLED + 1)
        if not found or len(found) > MOST_RECALLED:
            raise NothingToRecall(
                f"More than {MOST_RECALLED:,} labels are meant." if found else f"{span.actor} gave no label then.",
                hint="Recall a shorter time." if found else "Look at the lineage first.",
            )
        current = store.current_of(uow, scope, span)
        made = Recall(
            id=self._ids.new(),
            span=span,
            reason=reason,
            labels=len(found),
            restored=sum(1 for one in current if one.earlier),
            emptied=sum(1 for one in current if not one.earlier),
            certifying=sum(1 for _, purpose in found if purpose == "certify"),
            created_at=self._clock.now(),
            by_kind=actor.kind,
            by_id=actor.id,
            by_name=actor.name,
        )
        return made, [one for one, _ in found], current

    def do(self, uow: UnitOfWork, actor: Actor, scope: Scope, span: Span, reason: str) -> tuple[Recall, list[Affected]]:
        """Withdraw the labels of a span; see Datasets.recall."""
        made, labels, current = self.look(uow, actor, scope, span, reason)
        store.withdraw(uow, scope, made, labels, current)
        event = LabelsRecalled(
            recall_id=made.id,
            actor=span.actor,
            since=None if span.since is None else span.since.isoformat(),
            until=None if span.until is None else span.until.isoformat(),
            question=span.question,
            reason=reason,
            labels=made.labels,
            restored=made.restored,
            emptied=made.emptied,
            certifying=made.certifying,
        )
        self._journal.append(uow, actor, scope.project_id, event)
        return made, current

    def all(self, uow: UnitOfWork, scope: Scope) -> list[Recall]:
        """Return every recall, newest first."""
        return store.recalls(uow, scope)

    def given(self, uow: UnitOfWork, scope: Scope, number: int) -> list[Given]:
        """Return whose labels main held at its commit of this number, by question, purpose and source."""
        return store.given_at(uow, scope, number)

    def held(self, uow: UnitOfWork, scope: Scope, span: Span, number: int) -> int:
        """Return how many labels of a span, to train on or from people's verdicts, main held at this commit."""
        return store.held_of(uow, scope, span, number)

    def commits(self, uow: UnitOfWork, scope: Scope, span: Span) -> tuple[int, int | None] | None:
        """Return the numbers of main's first commit that held a label of a span and of the first without any.

        None when no commit ever held one; the second is None while one is held.
        """
        return store.commits_of(uow, scope, span)
