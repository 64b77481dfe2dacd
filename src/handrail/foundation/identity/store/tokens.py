"""SQL of tokens."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, insert, or_, select, update

from handrail.foundation.clock import from_micros
from handrail.foundation.identity.model import Token
from handrail.foundation.identity.store.roles import permissions_in
from handrail.foundation.identity.store.tables import person, role, token
from handrail.foundation.storage import UnitOfWork

_TOKEN = (
    token.c.id,
    token.c.name,
    token.c.person_id,
    token.c.role,
    token.c.projects,
    token.c.created_at,
    token.c.expires_at,
    token.c.revoked_at,
    token.c.last_used_at,
)
_ADD_TOKEN = insert(token)
_TOKENS = select(*_TOKEN).where(token.c.id > bindparam("after")).order_by(token.c.id).limit(bindparam("most"))
_TOKEN_BY_ID = select(*_TOKEN).where(token.c.id == bindparam("by_id"))
_VALID_TOKEN = (
    select(*_TOKEN, role.c.permissions, person.c.name, person.c.kind, person.c.active)
    .select_from(token.join(role, role.c.name == token.c.role).outerjoin(person, person.c.id == token.c.person_id))
    .where(
        token.c.secret == bindparam("by_secret"),
        token.c.revoked_at.is_(None),
        or_(token.c.expires_at.is_(None), token.c.expires_at > bindparam("now")),
    )
)
_REVOKE = (
    update(token)
    .where(and_(token.c.id == bindparam("by_id"), token.c.revoked_at.is_(None)))
    .values(revoked_at=bindparam("now"))
)
_USED = update(token).where(token.c.id == bindparam("by_id")).values(last_used_at=bindparam("now"))


@dataclass(frozen=True)
class ValidToken:
    """A token that is valid now, with what it may do."""

    token: Token
    permissions: frozenset[str]
    person_id: str | None
    person_name: str
    person_active: bool


def _token(row: tuple[Any, ...]) -> Token:
    token_id, name, person_id, role_name, projects, created, expires, revoked, used = row
    return Token(
        id=token_id,
        name=name,
        kind="machine" if person_id is None else "simulated",
        role=role_name,
        projects=None if projects is None else frozenset(json.loads(projects)),
        created_at=from_micros(created),
        expires_at=None if expires is None else from_micros(expires),
        revoked_at=None if revoked is None else from_micros(revoked),
        last_used_at=None if used is None else from_micros(used),
    )


def add_token(
    uow: UnitOfWork,
    *,
    token_id: str,
    secret: str,
    name: str,
    person_id: str | None,
    role_name: str,
    projects: frozenset[str] | None,
    now: int,
    expires_at: int | None,
) -> None:
    """Insert a token."""
    uow.add(
        _ADD_TOKEN,
        id=token_id,
        secret=secret,
        name=name,
        person_id=person_id,
        role=role_name,
        projects=None if projects is None else json.dumps(sorted(projects)),
        created_at=now,
        expires_at=expires_at,
        revoked_at=None,
        last_used_at=None,
    )


def tokens(uow: UnitOfWork, after: str, limit: int) -> list[Token]:
    """Return tokens with an id above `after`, in order of id."""
    return [_token(row) for row in uow.run(_TOKENS, after=after, most=limit).all()]


def token_by_id(uow: UnitOfWork, token_id: str) -> Token | None:
    """Return a token, or None."""
    row = uow.run(_TOKEN_BY_ID, by_id=token_id).first()
    return None if row is None else _token(row)


def valid_token(uow: UnitOfWork, secret: str, now: int) -> ValidToken | None:
    """Return the token with this secret when it is neither revoked nor expired, or None."""
    row = uow.run(_VALID_TOKEN, by_secret=secret, now=now).first()
    if row is None:
        return None
    *kept, permissions, person_name, _person_kind, person_active = row
    return ValidToken(_token(tuple(kept)), permissions_in(permissions), kept[2], person_name or "", bool(person_active))


def revoke_token(uow: UnitOfWork, token_id: str, now: int) -> bool:
    """Revoke a token; False when it is revoked already or not known."""
    return uow.run(_REVOKE, by_id=token_id, now=now).rowcount == 1


def token_used(uow: UnitOfWork, token_id: str, now: int) -> None:
    """Keep when a token was last used."""
    uow.add(_USED, by_id=token_id, now=now)
