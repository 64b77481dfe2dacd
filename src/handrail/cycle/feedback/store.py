"""All SQL of feedback."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Table, bindparam, select

from handrail.foundation.actors import Scope
from handrail.foundation.storage import UnitOfWork, insert_or_ignore, metadata

feedback_commit = Table(
    "feedback_commit",
    metadata,
    Column("project_id", String(36), primary_key=True),
    Column("commit_id", String(64), primary_key=True),
    Column("verdicts", Integer, nullable=False),
    Column("relabelled", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

_INSERT = insert_or_ignore(feedback_commit)
_KNOWN = select(feedback_commit.c.verdicts).where(
    feedback_commit.c.project_id == bindparam("project"), feedback_commit.c.commit_id == bindparam("by_commit")
)


def add_commit(uow: UnitOfWork, scope: Scope, commit_id: str, *, verdicts: int, relabelled: int, at: int) -> bool:
    """Note what people's verdicts brought into a commit; False when that was noted before. `at` in microseconds."""
    values = {"commit_id": commit_id, "verdicts": verdicts, "relabelled": relabelled, "created_at": at}
    return uow.run(_INSERT, project_id=scope.project_id, **values).rowcount == 1


def is_noted(uow: UnitOfWork, scope: Scope, commit_id: str) -> bool:
    """Return whether a commit has been noted."""
    return uow.run(_KNOWN, project=scope.project_id, by_commit=commit_id).first() is not None
