"""Merges versions and lets a person settle what two branches said differently."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handrail.cycle.annotate.events import ConflictsAsked, ConflictSettled
from handrail.cycle.datasets import Datasets, Edit, MergeConflict, Merged, NewLabel
from handrail.cycle.datasets.model import MAIN, Purpose
from handrail.cycle.tasks import LEAD, Answer, NewTask, Task, Tasks
from handrail.cycle.tasks.urgency import passed_on
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.journal import Journal, Recorded
from handrail.foundation.storage import UnitOfWork

if TYPE_CHECKING:
    from handrail.cycle.datasets.merging import Prefer

_REASON = "two branches say different things"


class Conflicts:
    """What merges leave for people: one adjudicate task for each label of which two branches made two things."""

    def __init__(self, journal: Journal, datasets: Datasets, tasks: Tasks) -> None:
        self._journal = journal
        self._datasets = datasets
        self._tasks = tasks

    def merge(
        self, actor: Actor, scope: Scope, theirs: str, *, into: str = MAIN, message: str = "", prefer: Prefer = "ask"
    ) -> tuple[Merged, list[str]]:
        """Merge as Datasets.merge does and open a task for each conflict; return the merge and the tasks' ids."""
        opened: list[str] = []

        def along(uow: UnitOfWork, merged: Merged) -> None:
            opened[:] = self._ask(uow, actor, scope, into, merged)

        return self._datasets.merge(
            actor, scope, theirs, into=into, message=message, prefer=prefer, along=along
        ), opened

    def _ask(self, uow: UnitOfWork, actor: Actor, scope: Scope, into: str, merged: Merged) -> list[str]:
        named = [one for one in merged.conflicts if one.item_id]
        if not named:
            return []
        made = self._tasks.open_many(uow, scope, [_task(merged.commit.id, into, one) for one in named])
        ids = [one.id for one in made]
        event = ConflictsAsked(commit_id=merged.commit.id, branch=into, tasks=ids, items=[one.item_id for one in named])
        self._journal.append(uow, actor, scope.project_id, event)
        return ids

    def on_answer(self, uow: UnitOfWork, actor: Actor, scope: Scope, task: Task, answer: Answer) -> None:
        """Let the answer hold: on main at once as the live label, on another branch with its next version.

        Who cannot say hands the task on; to reject both leaves what stands.
        """
        if answer.verb in ("abstain", "escalate"):
            self._pass_on(uow, scope, task, answer, actor)
            return
        assert task.item_id is not None
        conflict = task.payload["conflict"]
        branch = str(conflict["branch"])
        if answer.verb == "label" and branch == MAIN:
            purpose: Purpose = conflict["purpose"] or "train"
            reason = answer.reason or _REASON
            label = NewLabel(task.item_id, task.question, answer.value, "review", purpose, None, task.id, reason)
            self._datasets.put_label(uow, actor, scope, label)
        event = ConflictSettled(
            commit_id=task.subject_id or "",
            task_id=task.id,
            item_id=task.item_id,
            branch=branch,
            question=task.question,
            settled=answer.verb == "label",
            value=answer.value,
            reason=answer.reason,
        )
        self._journal.append(uow, actor, scope.project_id, event)

    def settled(self, scope: Scope, entry: Recorded) -> None:
        """Write what was settled into its branch, when that is not main; again changes nothing."""
        said = entry.payload
        if not said.get("settled") or said["branch"] == MAIN:
            return
        edit = Edit(entry.objects["item"], said["question"], said["value"], said["reason"] or _REASON)
        self._datasets.edit(entry.actor, scope, said["branch"], "A conflict was settled", [edit])

    def _pass_on(self, uow: UnitOfWork, scope: Scope, task: Task, answer: Answer, actor: Actor) -> None:
        new = NewTask(
            kind="adjudicate",
            question=task.question,
            item_id=task.item_id,
            subject_id=task.subject_id,
            payload=task.payload,
            priority=passed_on(task.worth, escalated=answer.verb == "escalate"),
            skill=task.skill,
            reason=task.reason,
            not_by=(*task.not_by, actor.id),
        )
        self._tasks.open(uow, actor, scope, new)


def is_conflict(task: Task) -> bool:
    """Return whether an adjudicate task is about a merge, not about a decision."""
    return task.decision_id is None and "conflict" in task.payload


def _task(commit_id: str, branch: str, one: MergeConflict) -> NewTask:
    people = {
        id_ for actor in (one.ours_actor, one.theirs_actor) for kind, _, id_ in [actor.partition(":")] if kind != "rule"
    }
    return NewTask(
        kind="adjudicate",
        question=one.question,
        item_id=one.item_id,
        subject_id=commit_id,
        payload={
            "answers": [_said(one.ours, one.ours_reason), _said(one.theirs, one.theirs_reason)],
            "conflict": {"branch": branch, "base": one.base, "purpose": one.theirs_purpose},
        },
        skill=LEAD,
        reason=_REASON,
        not_by=tuple(sorted(people)),
    )


def _said(value: Any, reason: str) -> dict[str, Any]:
    return {"verb": "reject" if value is None else "label", "value": value, "reason": reason}
