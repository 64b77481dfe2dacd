"""SQL of commits, branches and tags."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import bindparam, func, select, update

from handrail.cycle.datasets.model import (
    Commit,
    Pointer,
)
from handrail.cycle.datasets.store.tables import branch, commit, tag
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.canonical import encode
from handrail.foundation.clock import from_micros, micros
from handrail.foundation.storage import UnitOfWork, insert_or_ignore

_COLUMNS = [
    commit.c[name]
    for name in [
        "id",
        "parents",
        "number",
        "message",
        "branch",
        "items",
        "labels",
        "created_at",
        "actor_kind",
        "actor_id",
        "actor_name",
    ]
]
_INSERT = insert_or_ignore(commit)
_BY_ID = select(*_COLUMNS).where(commit.c.project_id == bindparam("project"), commit.c.id == bindparam("commit_id"))
_ALL = select(*_COLUMNS).where(commit.c.project_id == bindparam("project"))
_BEGIN_SO = (
    select(commit.c.id)
    .where(
        commit.c.project_id == bindparam("project"),
        commit.c.id >= bindparam("begin"),
        commit.c.id < bindparam("end"),
    )
    .limit(2)
)
_COUNT = select(func.count()).select_from(commit).where(commit.c.project_id == bindparam("project"))
_BRANCH = select(branch.c.commit_id).where(
    branch.c.project_id == bindparam("project"), branch.c.name == bindparam("named")
)
_BRANCHES = (
    select(branch.c.name, branch.c.commit_id).where(branch.c.project_id == bindparam("project")).order_by(branch.c.name)
)
_INSERT_BRANCH = insert_or_ignore(branch, returning=[branch.c.name])
_MOVE = (
    update(branch)
    .where(
        branch.c.project_id == bindparam("project"),
        branch.c.name == bindparam("named"),
        branch.c.commit_id == bindparam("old_commit"),
    )
    .values(commit_id=bindparam("new_commit"))
)
_TAG = select(tag.c.commit_id).where(tag.c.project_id == bindparam("project"), tag.c.name == bindparam("named"))
_TAGS = select(tag.c.name, tag.c.commit_id).where(tag.c.project_id == bindparam("project")).order_by(tag.c.name)
_INSERT_TAG = insert_or_ignore(tag, returning=[tag.c.name])


def _commit(row: tuple[Any, ...]) -> Commit:
    id_, parents, number, message, branch_name, items, labels, created, kind, actor, name = row
    return Commit(
        id=id_,
        parents=tuple(json.loads(parents)),
        number=number,
        message=message,
        branch=branch_name,
        items=items,
        labels=labels,
        created_at=from_micros(created),
        actor_kind=kind,
        actor_id=actor,
        actor_name=name,
    )


def insert_commit(uow: UnitOfWork, scope: Scope, made: Commit) -> None:
    """Insert a commit; one of the same id says the same and stays."""
    uow.add(
        _INSERT,
        project_id=scope.project_id,
        id=made.id,
        number=made.number,
        parents=encode(list(made.parents)),
        message=made.message,
        branch=made.branch,
        items=made.items,
        labels=made.labels,
        created_at=micros(made.created_at),
        actor_kind=made.actor_kind,
        actor_id=made.actor_id,
        actor_name=made.actor_name,
    )


def get_commit(uow: UnitOfWork, scope: Scope, commit_id: str) -> Commit | None:
    """Return the commit of this id."""
    row = uow.run(_BY_ID, project=scope.project_id, commit_id=commit_id).first()
    return None if row is None else _commit(row)


def all_commits(uow: UnitOfWork, scope: Scope) -> dict[str, Commit]:
    """Return id -> commit of every commit."""
    return {row[0]: _commit(row) for row in uow.run(_ALL, project=scope.project_id).all()}


def commits_beginning(uow: UnitOfWork, scope: Scope, prefix: str) -> list[str]:
    """Return the ids that begin with `prefix`, two at most."""
    # "g" comes behind every hexadecimal digit.
    return [row[0] for row in uow.run(_BEGIN_SO, project=scope.project_id, begin=prefix, end=prefix + "g").all()]


def head_of(uow: UnitOfWork, scope: Scope, name: str) -> str | None:
    """Return the commit of a branch, "" before its first one, None when there is no such branch."""
    head: str | None = uow.run(_BRANCH, project=scope.project_id, named=name).scalar()
    return head


def branches(uow: UnitOfWork, scope: Scope) -> list[Pointer]:
    """Return every branch by name."""
    return [Pointer(row[0], row[1] or None) for row in uow.run(_BRANCHES, project=scope.project_id).all()]


def insert_branch(uow: UnitOfWork, scope: Scope, name: str, commit_id: str) -> bool:
    """Insert a branch; False when the name is taken."""
    made = uow.run(_INSERT_BRANCH, project_id=scope.project_id, name=name, commit_id=commit_id)
    return made.first() is not None


def move_branch(uow: UnitOfWork, scope: Scope, name: str, old: str, new: str) -> bool:
    """Move a branch from commit `old` to `new`; False when it is not at `old` any more."""
    moved = uow.run(_MOVE, project=scope.project_id, named=name, old_commit=old, new_commit=new)
    return moved.rowcount == 1


def tagged(uow: UnitOfWork, scope: Scope, name: str) -> str | None:
    """Return the commit of a tag."""
    found: str | None = uow.run(_TAG, project=scope.project_id, named=name).scalar()
    return found


def tags(uow: UnitOfWork, scope: Scope) -> list[Pointer]:
    """Return every tag by name."""
    return [Pointer(row[0], row[1]) for row in uow.run(_TAGS, project=scope.project_id).all()]


def insert_tag(uow: UnitOfWork, scope: Scope, actor: Actor, name: str, commit_id: str, at: int) -> bool:
    """Insert a tag; False when the name is taken."""
    made = uow.run(
        _INSERT_TAG,
        project_id=scope.project_id,
        name=name,
        commit_id=commit_id,
        created_at=at,
        created_by=actor.id,
    )
    return made.first() is not None
