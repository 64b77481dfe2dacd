"""SQL of projects and their schemas."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import bindparam, insert, or_, select

from handrail.cycle.datasets.model import (
    Project,
)
from handrail.cycle.datasets.store.tables import branch, project, schema
from handrail.foundation.actors import Scope
from handrail.foundation.canonical import encode
from handrail.foundation.clock import from_micros, micros
from handrail.foundation.storage import UnitOfWork, insert_or_ignore

_COLUMNS = [project.c[name] for name in ["id", "name", "description", "schema_digest", "created_at", "created_by"]]
_INSERT = insert_or_ignore(project, returning=[project.c.id])
_FIND = select(*_COLUMNS).where(or_(project.c.id == bindparam("word"), project.c.name == bindparam("word")))
_ALL = select(*_COLUMNS).order_by(project.c.created_at, project.c.name)
_INSERT_SCHEMA = insert(schema)
_INSERT_BRANCH = insert(branch)
_SCHEMA = select(schema.c.document).where(
    schema.c.project_id == bindparam("project"),
    schema.c.digest == select(project.c.schema_digest).where(project.c.id == bindparam("project")).scalar_subquery(),
)


def _project(row: tuple[Any, ...]) -> Project:
    id_, name, description, digest, created, by = row
    return Project(id_, name, description, digest, from_micros(created), by)


def insert_project(uow: UnitOfWork, made: Project, document: dict[str, Any], *, main: str) -> bool:
    """Insert a project with its schema and its first branch; False when the name is taken."""
    created = micros(made.created_at)
    new = uow.run(
        _INSERT,
        id=made.id,
        name=made.name,
        description=made.description,
        schema_digest=made.schema_digest,
        created_at=created,
        created_by=made.created_by,
    ).first()
    if new is None:
        return False
    uow.add(
        _INSERT_SCHEMA,
        project_id=made.id,
        digest=made.schema_digest,
        document=encode(document),
        created_at=created,
    )
    uow.add(_INSERT_BRANCH, project_id=made.id, name=main, commit_id="")
    return True


def find_project(uow: UnitOfWork, name_or_id: str) -> Project | None:
    """Return the project of this id or name."""
    row = uow.run(_FIND, word=name_or_id).first()
    return None if row is None else _project(row)


def all_projects(uow: UnitOfWork) -> list[Project]:
    """Return every project, oldest first."""
    return [_project(row) for row in uow.run(_ALL).all()]


def get_schema(uow: UnitOfWork, scope: Scope) -> Any:
    """Return the document of the project's schema, or None."""
    text = uow.run(_SCHEMA, project=scope.project_id).scalar()
    return None if text is None else json.loads(text)
