"""Recalls one actor's labels of a time, says what rested on them, and sends their items to other people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handrail.cycle.annotate import Annotate
from handrail.cycle.datasets import Datasets
from handrail.cycle.datasets.provenance import Affected, Recall, Span
from handrail.cycle.govern.lineage import Consequences, Lineage
from handrail.cycle.tasks import NewTask, Tasks
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.storage import Storage, UnitOfWork


@dataclass(frozen=True)
class Effect:
    """What a recall does, or would do: the labels, what rested on them, and the campaigns that look again."""

    recall: Recall
    consequences: Consequences
    campaigns: tuple[str, ...] = ()


class Recalling:
    """Recalls labels with all that follows, in one unit."""

    def __init__(
        self, storage: Storage, datasets: Datasets, tasks: Tasks, annotate: Annotate, lineage: Lineage
    ) -> None:
        self._storage = storage
        self._datasets = datasets
        self._tasks = tasks
        self._annotate = annotate
        self.lineage = lineage

    def preview(self, actor: Actor, scope: Scope, span: Span, reason: str) -> Effect:
        """Return what a recall would do; nothing is written. Raises NothingToRecall, LabelInvalid."""

        def look(uow: UnitOfWork) -> Effect:
            recall, _, _ = self._datasets.recalls.look(uow, actor, scope, span, reason)
            return Effect(recall, self.lineage.of_span(uow, scope, span))

        return self._storage.read(look)

    def recall(self, actor: Actor, scope: Scope, span: Span, reason: str, *, again: bool = True) -> Effect:
        """Withdraw the labels of a span: the label before each holds again, or none.

        The next commit of main tells the change; versions and models made before stay what they are and are named in
        the answer. With `again` one campaign for each question asks others than that person about the items. Raises
        NothingToRecall, LabelInvalid.
        """

        def unit(uow: UnitOfWork) -> Effect:
            rested = self.lineage.of_span(uow, scope, span)
            recall, found = self._datasets.recalls.do(uow, actor, scope, span, reason)
            campaigns = self._look_again(uow, actor, scope, recall, found) if again else ()
            return Effect(recall, rested, campaigns)

        return self._storage.write(unit)

    def _look_again(
        self, uow: UnitOfWork, actor: Actor, scope: Scope, recall: Recall, found: Sequence[Affected]
    ) -> tuple[str, ...]:
        campaigns = []
        kind, _, who = recall.span.actor.partition(":")
        for question in sorted({one.question for one in found}):
            items = [one.item_id for one in found if one.question == question]
            reason = f"recalled: {recall.reason}"[:2_000]
            made = self._annotate.open_campaign(uow, actor, scope, reason=reason, question=question, target=len(items))
            for item_id in items:
                task = NewTask(
                    kind="label",
                    question=question,
                    item_id=item_id,
                    reason=reason,
                    blind=True,
                    campaign_id=made.id,
                    not_by=(who,) if kind in ("person", "simulated") else (),
                )
                self._tasks.open(uow, actor, scope, task)
            campaigns.append(made.id)
        return tuple(campaigns)
