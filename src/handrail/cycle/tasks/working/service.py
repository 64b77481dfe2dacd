"""The work around an answer as the rest of the system sees it; nothing is overwritten, no draft leaves its author."""

from __future__ import annotations

from typing import Any

from handrail.cycle.datasets import Datasets, NewLabel
from handrail.cycle.datasets.model import ItemNotFound
from handrail.cycle.tasks import store as queue
from handrail.cycle.tasks.model import AlreadyAnswered, NotAPerson, Task, TaskClosed, TaskNotFound, check_reason
from handrail.cycle.tasks.store import around
from handrail.cycle.tasks.working.acting import Acting, Withdraw
from handrail.cycle.tasks.working.events import AnswerRevised, Commented
from handrail.cycle.tasks.working.model import (
    MOST_COMMENTS,
    Comment,
    Draft,
    Entry,
    History,
    NotYours,
    Thread,
    check_comment,
    check_draft,
    check_revisable,
    history,
)
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.storage import UnitOfWork


class Working:
    """Keeps drafts, histories of answers and comments."""

    def __init__(self, journal: Journal, clock: Clock, ids: Ids, datasets: Datasets, withdraw: Withdraw) -> None:
        self._journal = journal
        self._clock = clock
        self._ids = ids
        self._datasets = datasets
        self.acting = Acting(journal, clock, datasets, withdraw)

    # Drafts

    def save_draft(
        self, uow: UnitOfWork, actor: Actor, scope: Scope, task_id: str, value: Any, reason: str = ""
    ) -> Draft:
        """Keep what a person has not sent yet, in place of what they kept before; it is not held against the question.

        Raises NotAPerson, TaskNotFound, AlreadyAnswered, TaskClosed, TaskInvalid.
        """
        _check_person(actor)
        check_reason(reason)
        text = check_draft(value)
        one = self._task(uow, scope, task_id)
        if one.status == "answered":
            raise AlreadyAnswered("This task has its answer.", hint="Take the next one.")
        if one.status not in ("open", "claimed"):
            raise TaskClosed("This task is closed.", hint="Take the next one.")
        made = Draft(one.id, value, reason, self._clock.now())
        around.put_draft(uow, scope, actor.id, made, text)
        return made

    def draft(self, uow: UnitOfWork, actor: Actor, scope: Scope, task_id: str) -> Draft | None:
        """Return the actor's own draft, None without one; there is no way to another's. Raises TaskNotFound."""
        self._task(uow, scope, task_id)
        return around.draft_of(uow, scope, task_id, actor.id)

    def drop_draft(self, uow: UnitOfWork, actor: Actor, scope: Scope, task_id: str) -> None:
        """Forget the actor's own draft; again changes nothing. Raises TaskNotFound."""
        self._task(uow, scope, task_id)
        around.drop_draft(uow, scope, task_id, actor.id)

    # Histories

    def history(self, uow: UnitOfWork, actor: Actor, scope: Scope, task_id: str, *, lead: bool) -> History:
        """Return the history of an answer, for its author and leads; raises TaskNotFound, NotAnswered, NotYours."""
        found = self._history(uow, scope, self._task(uow, scope, task_id))
        if found.entries[0].actor_id != actor.id and not lead:
            raise NotYours("This answer is somebody else's.", hint="Its author and leads see its history.")
        return found

    def revise(
        self, uow: UnitOfWork, actor: Actor, scope: Scope, task_id: str, value: Any, reason: str = ""
    ) -> History:
        """Give another answer in place of one's own to a task that asked for a label, within an hour.

        The item's label follows where it still rests on this task. What counts the first answer goes on to count it:
        certificates, audits, agreement with known truth. The same value again changes nothing. Raises NotAPerson,
        TaskNotFound, NotAnswered, NotYours, NotRevisable, EditOver, AnswerInvalid, TaskInvalid.
        """
        _check_person(actor)
        check_reason(reason)
        one = self._task(uow, scope, task_id, lock=True)
        found = self._history(uow, scope, one)
        check_revisable(one, found, actor, self._clock.now())
        value = self._datasets.schema(uow, scope).question(one.question).check(value)
        return self._add(uow, actor, scope, one, found, value, reason, restores=None)

    def restore(
        self,
        uow: UnitOfWork,
        actor: Actor,
        scope: Scope,
        task_id: str,
        number: int,
        reason: str = "",
        *,
        lead: bool = False,
    ) -> History:
        """Say an earlier entry again, as a new one: one's own within an hour, a lead anybody's at any time.

        Raises EntryNotFound, and what revising raises.
        """
        _check_person(actor)
        check_reason(reason)
        one = self._task(uow, scope, task_id, lock=True)
        found = self._history(uow, scope, one)
        check_revisable(one, found, actor, self._clock.now(), lead=lead)
        value = self._datasets.schema(uow, scope).question(one.question).check(found.entry(number).value)
        return self._add(uow, actor, scope, one, found, value, reason, restores=number)

    def _add(
        self,
        uow: UnitOfWork,
        actor: Actor,
        scope: Scope,
        one: Task,
        found: History,
        value: Any,
        reason: str,
        *,
        restores: int | None,
    ) -> History:
        if value == found.standing.value:
            return found
        made = Entry(
            number=len(found.entries),
            value=value,
            reason=reason,
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_name=actor.name,
            restores=restores,
            at=self._clock.now(),
        )
        around.add_revision(uow, scope, one.id, made)
        event = AnswerRevised(
            task_id=one.id, item_id=one.item_id, number=made.number, value=value, reason=reason, restores=restores
        )
        self._journal.append(uow, actor, scope.project_id, event)
        self._label(uow, actor, scope, one, made)
        return History(found.task_id, (*found.entries, made), found.until)

    def _label(self, uow: UnitOfWork, actor: Actor, scope: Scope, one: Task, made: Entry) -> None:
        """Let the item's label follow, where it still rests on this task; somebody else's later word stands."""
        assert one.item_id is not None
        label = self._datasets.label(uow, scope, one.item_id, one.question)
        if label is None or label.task_id != one.id:
            return
        new = NewLabel(
            item_id=label.item_id,
            question=label.question,
            value=made.value,
            source=label.source,
            purpose=label.purpose,
            probability=label.probability,
            task_id=one.id,
            reason=made.reason,
        )
        self._datasets.put_label(uow, actor, scope, new)

    # Comments

    def comment_on_task(self, uow: UnitOfWork, actor: Actor, scope: Scope, task_id: str, text: str) -> Comment:
        """Comment on the item of a task, or on the task where it has none; raises NotAPerson, TaskInvalid."""
        one = self._task(uow, scope, task_id)
        return self._comment(uow, actor, scope, one.item_id, one.id, text)

    def comment_on_item(self, uow: UnitOfWork, actor: Actor, scope: Scope, item_id: str, text: str) -> Comment:
        """Comment on an item; raises NotAPerson, ItemNotFound, TaskInvalid."""
        self._check_item(uow, scope, item_id)
        return self._comment(uow, actor, scope, item_id, None, text)

    def task_thread(self, uow: UnitOfWork, actor: Actor, scope: Scope, task_id: str) -> Thread:
        """Return the comments on the item of a task (on the task where it has none), as `item_thread` does."""
        one = self._task(uow, scope, task_id)
        if one.item_id is not None:
            return self._thread(uow, actor, scope, one.item_id)
        return Thread(tuple(around.task_comments(uow, scope, one.id, MOST_COMMENTS)), withheld=False)

    def item_thread(self, uow: UnitOfWork, actor: Actor, scope: Scope, item_id: str) -> Thread:
        """Return the newest 500 comments on an item, oldest first; while a blind look at the item waits that the actor
        may still give, only the actor's own. Raises ItemNotFound.
        """
        self._check_item(uow, scope, item_id)
        return self._thread(uow, actor, scope, item_id)

    def _thread(self, uow: UnitOfWork, actor: Actor, scope: Scope, item_id: str) -> Thread:
        withheld = any(self._may_look(uow, actor, scope, one) for one in around.unseen(uow, scope, item_id))
        found = around.item_comments(uow, scope, item_id, MOST_COMMENTS, actor.id if withheld else None)
        return Thread(tuple(found), withheld)

    def _may_look(self, uow: UnitOfWork, actor: Actor, scope: Scope, one: Task) -> bool:
        """Return whether the actor may still give their own answer to a blind or blind-first task."""
        if actor.id in one.not_by:
            return False
        return one.blind or queue.first_of(uow, scope, one.id, actor.id) is None

    def _comment(
        self, uow: UnitOfWork, actor: Actor, scope: Scope, item_id: str | None, task_id: str | None, text: str
    ) -> Comment:
        _check_person(actor)
        made = Comment(
            id=self._ids.new(),
            item_id=item_id,
            task_id=task_id,
            text=check_comment(text),
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_name=actor.name,
            written_at=self._clock.now(),
        )
        around.add_comment(uow, scope, made)
        self._journal.append(uow, actor, scope.project_id, Commented(comment_id=made.id, item_id=item_id))
        return made

    # Rules that need the database

    def _task(self, uow: UnitOfWork, scope: Scope, task_id: str, *, lock: bool = False) -> Task:
        found = queue.get(uow, scope, task_id, lock=lock)
        if found is None:
            raise TaskNotFound("No such task in this project.", task=task_id)
        return found

    def _history(self, uow: UnitOfWork, scope: Scope, one: Task) -> History:
        return history(one, queue.answer_of(uow, scope, one.id), around.revisions(uow, scope, one.id))

    def _check_item(self, uow: UnitOfWork, scope: Scope, item_id: str) -> None:
        if item_id not in self._datasets.items_by_id(uow, scope, [item_id]):
            raise ItemNotFound("There is no such item in this project.", item_id=item_id)


def _check_person(actor: Actor) -> None:
    if not actor.is_human:
        raise NotAPerson("Only a person works on tasks.", hint="Sign in; a token never counts as one.")
