"""SQL of drafts, histories of answers and comments."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, text

from handrail.cycle.tasks.model import Task
from handrail.cycle.tasks.store.rows import read_task
from handrail.cycle.tasks.store.tables import answer_revision, comment, draft, task
from handrail.cycle.tasks.working.model import Comment, Draft, Entry
from handrail.foundation.actors import Scope
from handrail.foundation.canonical import encode
from handrail.foundation.clock import from_micros, micros
from handrail.foundation.storage import UnitOfWork, upsert

_OWN_DRAFT = (
    draft.c.project_id == bindparam("project"),
    draft.c.task_id == bindparam("of_task"),
    draft.c.actor_id == bindparam("actor"),
)
_PUT_DRAFT = upsert(draft, key=["project_id", "task_id", "actor_id"], set=["value", "reason", "saved_at"])
_DRAFT = select(draft.c.task_id, draft.c.value, draft.c.reason, draft.c.saved_at).where(*_OWN_DRAFT)
_DROP_DRAFT = delete(draft).where(*_OWN_DRAFT)
_INSERT_REVISION = insert(answer_revision)
_REVISIONS = (
    select(
        *(
            answer_revision.c[name]
            for name in "number value reason actor_kind actor_id actor_name restores revised_at".split()
        )
    )
    .where(answer_revision.c.project_id == bindparam("project"), answer_revision.c.task_id == bindparam("of_task"))
    .order_by(answer_revision.c.number)
)
_INSERT_COMMENT = insert(comment)
_COMMENTS = (
    select(*(comment.c[name] for name in "id item_id task_id text actor_kind actor_id actor_name written_at".split()))
    .where(comment.c.project_id == bindparam("project"))
    .order_by(comment.c.id.desc())
    .limit(bindparam("most"))
)
_OF_ITEM = _COMMENTS.where(comment.c.item_id == bindparam("of_item"))
_OWN_OF_ITEM = _OF_ITEM.where(comment.c.actor_id == bindparam("actor"))
_OF_TASK = _COMMENTS.where(comment.c.task_id == bindparam("of_task"))
# The condition as the index says it, word for word, or neither database uses the index.
_UNSEEN = select(task).where(
    task.c.item_id == bindparam("of_item"),
    task.c.project_id == bindparam("project"),
    text("status < 2 AND blind + blind_first > 0"),
)


def put_draft(uow: UnitOfWork, scope: Scope, actor_id: str, one: Draft, value: str) -> None:
    """Keep a person's draft of a task in place of the one before; `value` is its value in JSON."""
    uow.add(
        _PUT_DRAFT,
        project_id=scope.project_id,
        task_id=one.task_id,
        actor_id=actor_id,
        value=value,
        reason=one.reason,
        saved_at=micros(one.saved_at),
    )


def draft_of(uow: UnitOfWork, scope: Scope, task_id: str, actor_id: str) -> Draft | None:
    """Return a person's own draft of a task."""
    row = uow.run(_DRAFT, project=scope.project_id, of_task=task_id, actor=actor_id).first()
    return None if row is None else Draft(row[0], json.loads(row[1]), row[2], from_micros(row[3]))


def drop_draft(uow: UnitOfWork, scope: Scope, task_id: str, actor_id: str) -> None:
    """Delete a person's own draft of a task."""
    uow.add(_DROP_DRAFT, project=scope.project_id, of_task=task_id, actor=actor_id)


def add_revision(uow: UnitOfWork, scope: Scope, task_id: str, one: Entry) -> None:
    """Insert an entry that comes after the answer."""
    uow.add(
        _INSERT_REVISION,
        project_id=scope.project_id,
        task_id=task_id,
        number=one.number,
        value=encode(one.value),
        reason=one.reason,
        actor_kind=one.actor_kind,
        actor_id=one.actor_id,
        actor_name=one.actor_name,
        restores=one.restores,
        revised_at=micros(one.at),
    )


def revisions(uow: UnitOfWork, scope: Scope, task_id: str) -> list[Entry]:
    """Return what was said after the answer of a task, oldest first."""
    rows = uow.run(_REVISIONS, project=scope.project_id, of_task=task_id).all()
    return [
        Entry(number, json.loads(value), reason, kind, actor, name, restores, from_micros(at))
        for number, value, reason, kind, actor, name, restores, at in rows
    ]


def add_comment(uow: UnitOfWork, scope: Scope, one: Comment) -> None:
    """Insert a comment."""
    uow.add(
        _INSERT_COMMENT,
        id=one.id,
        project_id=scope.project_id,
        item_id=one.item_id,
        task_id=one.task_id,
        text=one.text,
        actor_kind=one.actor_kind,
        actor_id=one.actor_id,
        actor_name=one.actor_name,
        written_at=micros(one.written_at),
    )


def item_comments(uow: UnitOfWork, scope: Scope, item_id: str, most: int, only_by: str | None) -> list[Comment]:
    """Return the newest comments on an item, oldest first; with `only_by` those of one person."""
    asked: dict[str, Any] = {"project": scope.project_id, "of_item": item_id, "most": most}
    if only_by is None:
        return _read(uow.run(_OF_ITEM, **asked).all())
    return _read(uow.run(_OWN_OF_ITEM, **asked, actor=only_by).all())


def task_comments(uow: UnitOfWork, scope: Scope, task_id: str, most: int) -> list[Comment]:
    """Return the newest comments on a task, oldest first."""
    return _read(uow.run(_OF_TASK, project=scope.project_id, of_task=task_id, most=most).all())


def unseen(uow: UnitOfWork, scope: Scope, item_id: str) -> list[Task]:
    """Return the unanswered blind and blind-first tasks about an item."""
    return [read_task(row) for row in uow.run(_UNSEEN, project=scope.project_id, of_item=item_id).all()]


def _read(rows: Sequence[Sequence[Any]]) -> list[Comment]:
    return [
        Comment(id_, item, of_task, words, kind, actor, name, from_micros(at))
        for id_, item, of_task, words, kind, actor, name, at in reversed(rows)
    ]
