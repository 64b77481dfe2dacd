"""Sets labels and finds them."""

from __future__ import annotations

from typing import Any

from handrail.cycle.datasets import store
from handrail.cycle.datasets.checking import check_label
from handrail.cycle.datasets.events import LabelSet
from handrail.cycle.datasets.model import Counts, ItemNotFound, Label, NewLabel, Page, Purpose
from handrail.cycle.datasets.projects import Projects
from handrail.cycle.datasets.schema import AnswerInvalid, needs, refuse, together
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.storage import UnitOfWork


class Labels:
    """The labels of every project: rows are only ever added, the newest of an item and question holds."""

    def __init__(self, journal: Journal, clock: Clock, ids: Ids, projects: Projects) -> None:
        self._journal = journal
        self._clock = clock
        self._ids = ids
        self._projects = projects

    def put(self, uow: UnitOfWork, actor: Actor, scope: Scope, new: NewLabel) -> Label:
        """Set a label; raises ItemNotFound, QuestionUnknown, AnswerInvalid, LabelInvalid."""
        value = self.check(uow, scope, new.item_id, new.question, new.value)
        check_label(new)
        seq = store.seq_of(uow, scope, new.item_id)
        if seq is None:
            raise ItemNotFound("There is no such item in this project.", item_id=new.item_id)
        made = self.made(actor, new, value)
        store.insert_label(uow, scope, made, seq)
        event = LabelSet(
            label_id=made.id,
            item_id=made.item_id,
            task_id=made.task_id,
            question=made.question,
            value=made.value,
            source=made.source,
            purpose=made.purpose,
            probability=made.probability,
            reason=made.reason,
        )
        self._journal.append(uow, actor, scope.project_id, event)
        return made

    def check(self, uow: UnitOfWork, scope: Scope, item_id: str | None, question: str, value: Any) -> Any:
        """Return an answer about an item as it is kept; raises QuestionUnknown, AnswerInvalid.

        A plain answer is checked without a look at the database.
        """
        schema = self._projects.schema(uow, scope)
        asked = schema.question(question)
        if item_id is None:
            return asked.check(value)
        item = store.get_item(uow, scope, item_id) if asked.bound.marks is not None else None
        found = {name: store.current_label(uow, scope, item_id, name) for name in needs(schema, asked)}
        kept = asked.check(value, None if item is None else item.data)
        known = {name: label.value for name, label in found.items() if label is not None}
        refuse(AnswerInvalid, f"The answer to {question}", together(schema, {question: kept}, known))
        return kept

    def made(self, actor: Actor, new: NewLabel, value: Any) -> Label:
        """Return the label that a checked NewLabel becomes."""
        return Label(
            id=self._ids.new(),
            item_id=new.item_id,
            question=new.question,
            value=value,
            source=new.source,
            purpose=new.purpose,
            probability=None if new.probability is None else float(new.probability),
            task_id=new.task_id,
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_name=actor.name,
            reason=new.reason,
            created_at=self._clock.now(),
        )

    def current(self, uow: UnitOfWork, scope: Scope, question: str, purpose: Purpose | None) -> list[Label]:
        """Return the current labels of a question; raises QuestionUnknown."""
        self._projects.schema(uow, scope).question(question)
        return store.current_labels(uow, scope, question, purpose)

    def page(self, uow: UnitOfWork, scope: Scope, question: str, after: int | None, limit: int) -> Page[Label]:
        """Return current labels in the order of their items, those behind seq `after`; raises QuestionUnknown."""
        self._projects.schema(uow, scope).question(question)
        found = store.page_of_labels(uow, scope, question, after or 0, limit + 1)
        more = len(found) > limit
        return Page([one for _, one in found[:limit]], found[limit - 1][0] if more else None)

    def waiting(
        self, uow: UnitOfWork, scope: Scope, question: str | None = None, purpose: Purpose | None = None
    ) -> int:
        """Return how many labels the branch main does not hold yet."""
        counted = store.count_waiting(uow, scope)
        return sum(
            count
            for (asked, wanted), count in counted.items()
            if question in (None, asked) and purpose in (None, wanted)
        )

    def counts(self, uow: UnitOfWork, scope: Scope) -> Counts:
        """Return how much the project holds."""
        items, items_waiting = store.count_items(uow, scope)
        return Counts(items, store.count_labels(uow, scope), items_waiting, self.waiting(uow, scope))
