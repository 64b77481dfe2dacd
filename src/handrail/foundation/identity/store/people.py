"""SQL of people, their sessions and one-time links, and the marks of a home."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update

from handrail.foundation.identity.model import Grant, Person
from handrail.foundation.identity.store.roles import grants
from handrail.foundation.identity.store.tables import grant, link, mark, person, session
from handrail.foundation.storage import UnitOfWork, insert_or_ignore

_PERSON = (person.c.id, person.c.name, person.c.email, person.c.kind, person.c.active, person.c.password)
_ADD_PERSON = insert(person)
_PERSON_BY_ID = select(*_PERSON).where(person.c.id == bindparam("by_id"))
_PERSON_BY_EMAIL = select(*_PERSON).where(person.c.email == bindparam("by_email"))
_PEOPLE = select(*_PERSON).where(person.c.id > bindparam("after")).order_by(person.c.id).limit(bindparam("most"))
_COUNT_PEOPLE = select(func.count()).select_from(person).where(person.c.kind == "person", person.c.active == 1)
_SET_PASSWORD = update(person).where(person.c.id == bindparam("by_id")).values(password=bindparam("new_password"))
_SET_NAME = update(person).where(person.c.id == bindparam("by_id")).values(name=bindparam("new_name"))
_STOP = update(person).where(person.c.id == bindparam("by_id")).values(active=0)
_OTHER_OWNERS = (
    select(func.count())
    .select_from(grant.join(person, person.c.id == grant.c.person_id))
    .where(
        grant.c.role == "owner",
        grant.c.project_id == "",
        person.c.active == 1,
        person.c.kind == "person",
        person.c.password.is_not(None),
        person.c.id != bindparam("but"),
    )
)
_ADD_SESSION = insert(session)
_SESSION = (
    select(person.c.id, person.c.name, person.c.kind, session.c.expires_at)
    .select_from(session.join(person, person.c.id == session.c.person_id))
    .where(session.c.secret == bindparam("by_secret"), person.c.active == 1)
)
_END_SESSION = delete(session).where(session.c.secret == bindparam("by_secret"))
_END_SESSIONS = delete(session).where(session.c.person_id == bindparam("by_person"))
_OLD_SESSIONS = delete(session).where(session.c.expires_at < bindparam("before"))
_ADD_LINK = insert(link)
_LINK = select(link.c.person_id, link.c.expires_at).where(link.c.secret == bindparam("by_secret"))
_USE_LINK = delete(link).where(link.c.secret == bindparam("by_secret"))
_DROP_FIRST_LINKS = delete(link).where(link.c.person_id.is_(None))
_DROP_LINKS = delete(link).where(link.c.person_id == bindparam("by_person"))
_MARK = select(mark.c.value).where(mark.c.name == bindparam("by_name"))
_SET_MARK = insert_or_ignore(mark)


@dataclass(frozen=True)
class Known:
    """A person with the hash of the password, for signing in."""

    person: Person
    password: str | None


def _known(row: tuple[Any, ...], grants: Sequence[Grant] = ()) -> Known:
    person_id, name, email, kind, active, password = row
    joined = password is not None or kind == "simulated"
    return Known(Person(person_id, name, email, kind, bool(active), joined, tuple(grants)), password)


def add_person(
    uow: UnitOfWork, *, person_id: str, name: str, email: str | None, kind: str, password: str | None, now: int
) -> None:
    """Insert a person."""
    uow.run(_ADD_PERSON, id=person_id, name=name, email=email, kind=kind, password=password, active=1, created_at=now)


def by_id(uow: UnitOfWork, person_id: str) -> Known | None:
    """Return a person, or None."""
    row = uow.run(_PERSON_BY_ID, by_id=person_id).first()
    return None if row is None else _known(row, grants(uow, person_id))


def by_email(uow: UnitOfWork, email: str) -> Known | None:
    """Return the person with this address, or None."""
    row = uow.run(_PERSON_BY_EMAIL, by_email=email).first()
    return None if row is None else _known(row)


def people(uow: UnitOfWork, after: str, limit: int) -> list[Person]:
    """Return people with an id above `after`, in order of id, with their roles."""
    rows = uow.run(_PEOPLE, after=after, most=limit).all()
    return [_known(row, grants(uow, row[0])).person for row in rows]


def count_people(uow: UnitOfWork) -> int:
    """Return how many people who are not simulated may sign in or were invited."""
    return int(uow.run(_COUNT_PEOPLE).scalar())


def set_password(uow: UnitOfWork, person_id: str, password: str) -> None:
    """Keep a new hash."""
    uow.add(_SET_PASSWORD, by_id=person_id, new_password=password)


def set_name(uow: UnitOfWork, person_id: str, name: str) -> None:
    """Keep a new name."""
    uow.add(_SET_NAME, by_id=person_id, new_name=name)


def stop(uow: UnitOfWork, person_id: str) -> None:
    """Let a person not act any more: no sessions, no links."""
    uow.add(_STOP, by_id=person_id)
    uow.add(_END_SESSIONS, by_person=person_id)
    uow.add(_DROP_LINKS, by_person=person_id)


def has_other_owner(uow: UnitOfWork, person_id: str) -> bool:
    """Return whether somebody else owns the home and can sign in."""
    return int(uow.run(_OTHER_OWNERS, but=person_id).scalar()) > 0


def add_session(uow: UnitOfWork, *, secret: str, person_id: str, now: int, expires_at: int) -> None:
    """Insert a session and drop those that have ended by themselves."""
    uow.add(_OLD_SESSIONS, before=now)
    uow.add(_ADD_SESSION, secret=secret, person_id=person_id, created_at=now, expires_at=expires_at)


def session_person(uow: UnitOfWork, secret: str) -> tuple[str, str, str, int] | None:
    """Return (person id, name, kind, end in microseconds) of a session of an active person, or None."""
    row = uow.run(_SESSION, by_secret=secret).first()
    return None if row is None else (row[0], row[1], row[2], row[3])


def end_session(uow: UnitOfWork, secret: str) -> None:
    """Delete a session."""
    uow.add(_END_SESSION, by_secret=secret)


def end_sessions(uow: UnitOfWork, person_id: str) -> None:
    """Delete every session of a person."""
    uow.add(_END_SESSIONS, by_person=person_id)


def add_link(uow: UnitOfWork, *, secret: str, person_id: str | None, expires_at: int) -> None:
    """Insert a one-time link; an earlier one for the same person (or for the first person) ends."""
    if person_id is None:
        uow.add(_DROP_FIRST_LINKS)
    else:
        uow.add(_DROP_LINKS, by_person=person_id)
    uow.add(_ADD_LINK, secret=secret, person_id=person_id, expires_at=expires_at)


def find_link(uow: UnitOfWork, secret: str) -> tuple[str | None, int] | None:
    """Return (person id or None for the first person, end in microseconds) of a link that was not used, or None."""
    row = uow.run(_LINK, by_secret=secret).first()
    return None if row is None else (row[0], row[1])


def use_link(uow: UnitOfWork, secret: str) -> bool:
    """Use a link up; False when somebody else did so first."""
    return uow.run(_USE_LINK, by_secret=secret).rowcount == 1


def marked(uow: UnitOfWork, name: str) -> str | None:
    """Return the value of a mark of this home, or None."""
    found: str | None = uow.run(_MARK, by_name=name).scalar()
    return found


def set_mark(uow: UnitOfWork, name: str, value: str) -> bool:
    """Set a mark that never changes again; False when it was set already."""
    return uow.run(_SET_MARK, name=name, value=value).rowcount == 1
