"""SQL of roles and of who holds them."""

from __future__ import annotations

import json

from sqlalchemy import bindparam, delete, select

from handrail.foundation.identity.model import Grant, Role
from handrail.foundation.identity.store.tables import grant, role
from handrail.foundation.storage import UnitOfWork, insert_or_ignore, upsert

_GRANTS = (
    select(grant.c.project_id, grant.c.role)
    .where(grant.c.person_id == bindparam("by_person"))
    .order_by(grant.c.project_id, grant.c.role)
)
_HELD = (
    select(grant.c.project_id, role.c.permissions)
    .select_from(grant.join(role, role.c.name == grant.c.role))
    .where(grant.c.person_id == bindparam("by_person"))
)
_GIVE = insert_or_ignore(grant)
_TAKE = delete(grant).where(
    grant.c.person_id == bindparam("by_person"),
    grant.c.project_id == bindparam("by_project"),
    grant.c.role == bindparam("by_role"),
)
_ROLES = select(role.c.name, role.c.permissions, role.c.note).order_by(role.c.name)
_ROLE = select(role.c.name, role.c.permissions, role.c.note).where(role.c.name == bindparam("by_name"))
_PUT_ROLE = upsert(role, key=["name"], set=["permissions", "note"])


def permissions_in(text: str) -> frozenset[str]:
    """Return the permissions in a JSON list."""
    return frozenset(json.loads(text))


def grants(uow: UnitOfWork, person_id: str) -> list[Grant]:
    """Return the roles that a person holds."""
    return [Grant(row[1], row[0] or None) for row in uow.run(_GRANTS, by_person=person_id).all()]


def held(uow: UnitOfWork, person_id: str) -> list[tuple[str, frozenset[str]]]:
    """Return (project id or "", permissions) for each role that a person holds."""
    return [(row[0], permissions_in(row[1])) for row in uow.run(_HELD, by_person=person_id).all()]


def give(uow: UnitOfWork, person_id: str, given: Grant) -> bool:
    """Give a role; False when it was held already."""
    done = uow.run(_GIVE, person_id=person_id, project_id=given.project_id or "", role=given.role)
    return done.rowcount == 1


def take(uow: UnitOfWork, person_id: str, taken: Grant) -> bool:
    """Take a role back; False when it was not held."""
    done = uow.run(_TAKE, by_person=person_id, by_project=taken.project_id or "", by_role=taken.role)
    return done.rowcount == 1


def roles(uow: UnitOfWork) -> list[Role]:
    """Return every role by name."""
    return [Role(row[0], permissions_in(row[1]), row[2]) for row in uow.run(_ROLES).all()]


def role_named(uow: UnitOfWork, name: str) -> Role | None:
    """Return a role, or None."""
    row = uow.run(_ROLE, by_name=name).first()
    return None if row is None else Role(row[0], permissions_in(row[1]), row[2])


def put_role(uow: UnitOfWork, put: Role) -> None:
    """Insert a role or replace what it holds."""
    uow.add(_PUT_ROLE, name=put.name, permissions=json.dumps(sorted(put.permissions)), note=put.note)
