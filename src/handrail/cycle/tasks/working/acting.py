"""Bulk actions: first what would change, then, with the token of exactly that, done in one unit and journalled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from handrail.cycle.datasets import Datasets, Label, NewLabel
from handrail.cycle.tasks.model import NotAPerson, Task
from handrail.cycle.tasks.store import bulk as store
from handrail.cycle.tasks.urgency import priority
from handrail.cycle.tasks.working.bulk import MOST_CHANGED, Action, Preview, check_action, check_token, previewed
from handrail.cycle.tasks.working.events import BulkDone
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock, micros
from handrail.foundation.journal import Journal
from handrail.foundation.storage import UnitOfWork

Withdraw = Callable[[UnitOfWork, Actor, Scope, str, str], None]
_PROVES = frozenset({"certify", "holdout"})


class Acting:
    """Changes many tasks or labels at once."""

    def __init__(self, journal: Journal, clock: Clock, datasets: Datasets, withdraw: Withdraw) -> None:
        self._journal = journal
        self._clock = clock
        self._datasets = datasets
        self._withdraw = withdraw

    def preview(self, uow: UnitOfWork, actor: Actor, scope: Scope, action: Action) -> Preview:
        """Return what an action would change, with the token to do exactly that; nothing is changed.

        Raises NotAPerson, TaskInvalid, BulkTooLarge, QuestionUnknown, AnswerInvalid.
        """
        return self._look(uow, actor, scope, action)[0]

    def act(self, uow: UnitOfWork, actor: Actor, scope: Scope, action: Action, token: str) -> Preview:
        """Do what was seen under `token`, all of it; raises BulkChanged when it would be something else by now."""
        found, tasks, labels = self._look(uow, actor, scope, action, lock=True)
        check_token(found, token)
        now = self._clock.now()
        if action.does == "withdraw":
            for one in tasks:
                self._withdraw(uow, actor, scope, one.id, action.reason or "a bulk action")
        elif action.priority is not None:
            worth = action.priority
            places = [(one.id, priority(worth, one.opened_at, one.heeded_deadline, now)) for one in tasks]
            store.set_worth(uow, scope, worth, places)
        elif action.does == "assign_skill":
            store.set_skill(uow, scope, tasks, action.to, micros(now))
        for label in labels:
            self._datasets.put_label(uow, actor, scope, _again(label, action))
        event = BulkDone(
            does=action.does,
            question=action.question,
            campaign_id=action.campaign_id,
            priority=action.priority,
            skill=action.skill,
            before=action.value,
            to=action.to,
            changed=found.changes,
            token=token,
            reason=action.reason,
        )
        self._journal.append(uow, actor, scope.project_id, event)
        return found

    def _look(
        self, uow: UnitOfWork, actor: Actor, scope: Scope, action: Action, *, lock: bool = False
    ) -> tuple[Preview, list[Task], list[Label]]:
        if not actor.is_human:
            raise NotAPerson("Only a person changes many at once.", hint="Sign in; a token never counts as one.")
        check_action(action)
        if action.question is not None:
            self._datasets.schema(uow, scope).question(action.question)
        if action.does == "relabel":
            return self._labels(uow, actor, scope, action)
        # One more than may be: that there are too many is all that is told then.
        found = store.chosen(uow, scope, action, MOST_CHANGED + 1, lock=lock)
        return previewed(action, actor.id, [one.id for one in found], 0), found, []

    def _labels(
        self, uow: UnitOfWork, actor: Actor, scope: Scope, action: Action
    ) -> tuple[Preview, list[Task], list[Label]]:
        assert action.question is not None
        question = self._datasets.schema(uow, scope).question(action.question)
        wanted: Any = question.check(action.to)
        found = self._datasets.labels(uow, scope, question=action.question)
        fitting = [one for one in found if one.value == action.value != wanted]
        changing = [one for one in fitting if one.purpose not in _PROVES and one.source != "audit"]
        ids = [one.id for one in changing]
        return previewed(action, actor.id, ids, len(fitting) - len(changing)), [], changing


def _again(label: Label, action: Action) -> NewLabel:
    return NewLabel(
        item_id=label.item_id,
        question=label.question,
        value=action.to,
        source="edit",
        purpose=label.purpose,
        probability=label.probability,
        reason=action.reason,
    )
