"""Adding people, giving roles, ending access."""

from __future__ import annotations

from datetime import timedelta

from handrail.foundation.actors import Actor
from handrail.foundation.authorize import authorize, covers
from handrail.foundation.clock import Clock, micros
from handrail.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from handrail.foundation.identity import events
from handrail.foundation.identity.known import KnownActors
from handrail.foundation.identity.model import LOCAL, Grant, Person, Role, actor_of, clean_email, clean_name
from handrail.foundation.identity.secret import digest, new_secret
from handrail.foundation.identity.store import people as store
from handrail.foundation.identity.store import roles as role_store
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import Storage, UnitOfWork

LINK_DAYS = 7
DEMO = "demo"


class EmailTaken(Conflict):
    """Somebody with this e-mail address is known."""

    code = "identity.email_taken"


class PersonUnknown(NotFound):
    """No such person."""

    code = "identity.person_unknown"


class RoleUnknown(Invalid):
    """No such role."""

    code = "identity.role_unknown"


class NotAPerson(Forbidden):
    """Only a person, or a command on the computer that holds the home, may let others in."""

    code = "identity.not_a_person"


class TooMuch(Forbidden):
    """Nobody gives away more than they hold."""

    code = "identity.more_than_you_hold"


class LastOwner(Conflict):
    """The home would be left without anybody who may administer it."""

    code = "identity.last_owner"


class NotADemo(Conflict):
    """Simulated people act in demonstration homes only."""

    code = "identity.not_a_demo"


def require_person(actor: Actor) -> None:
    """Raise NotAPerson for a token and for a simulated person: neither may make others able to act as people."""
    if actor.kind not in ("person", "rule") and actor.id != LOCAL:
        raise NotAPerson("A token cannot let people in.", hint="Sign in as a person and repeat.")


def role_to_give(uow: UnitOfWork, actor: Actor, given: Grant) -> Role:
    """Return the role that `actor` wants to give; raises RoleUnknown, TooMuch."""
    role = role_store.role_named(uow, given.role)
    if role is None:
        raise RoleUnknown(f"There is no role {given.role!r}.", hint="The roles are listed under People.")
    if not all(covers(actor, form, given.project_id) for form in role.permissions):
        raise TooMuch(
            f"You cannot give the role {role.name}: it may do more than you may.", hint="Ask an owner to give it."
        )
    return role


class People:
    """The verbs about people. They block the calling thread; call them from a plain `def` route or the command line."""

    def __init__(
        self, storage: Storage, journal: Journal, clock: Clock, ids: Ids, randomness: Randomness, known: KnownActors
    ) -> None:
        self._storage = storage
        self._journal = journal
        self._clock = clock
        self._ids = ids
        self._randomness = randomness
        self._known = known

    def list(self, after: str = "", limit: int = 100) -> list[Person]:
        """Return up to `limit` people with an id above `after`."""
        return self._storage.read(lambda uow: store.people(uow, after, limit))

    def roles(self) -> tuple[Role, ...]:
        """Return every role."""
        return tuple(self._storage.read(role_store.roles))

    def add(self, actor: Actor, name: str, email: str, given: Grant) -> tuple[Person, str]:
        """Add a person with a role and return them with the secret of a one-time link, valid for seven days.

        Raises BadName, BadEmail, EmailTaken, RoleUnknown, TooMuch, NotAPerson, PermissionMissing.
        """
        require_person(actor)
        authorize(actor, "people.add", given.project_id)
        clean = clean_name(name), clean_email(email)
        person_id, secret = self._ids.new(), new_secret(self._randomness)
        made = self._storage.write(lambda uow: self._add(uow, actor, person_id, clean, given, secret))
        return made, secret

    def _add(
        self, uow: UnitOfWork, actor: Actor, person_id: str, clean: tuple[str, str], given: Grant, secret: str
    ) -> Person:
        name, email = clean
        role_to_give(uow, actor, given)
        if store.by_email(uow, email) is not None:
            raise EmailTaken("Somebody with this e-mail address is known here.", hint="Give that person the role.")
        now = self._clock.now()
        store.add_person(
            uow, person_id=person_id, name=name, email=email, kind="person", password=None, now=micros(now)
        )
        self._journal.append(
            uow, actor, None, events.PersonAdded(person_id=person_id, kind="person", name=name, email=email)
        )
        self._grant(uow, actor, person_id, given)
        expires = micros(now + timedelta(days=LINK_DAYS))
        store.add_link(uow, secret=digest(secret), person_id=person_id, expires_at=expires)
        return Person(person_id, name, email, "person", active=True, joined=False, grants=(given,))

    def new_link(self, actor: Actor, person_id: str) -> str:
        """Return the secret of a new one-time link for a person who lost link or password; their sessions end.

        Raises PersonUnknown, NotAPerson, TooMuch when the person may do more than `actor`.
        """
        require_person(actor)
        secret = new_secret(self._randomness)

        def unit(uow: UnitOfWork) -> None:
            person = self._person(uow, person_id)
            for given in person.grants:
                role_to_give(uow, actor, given)
            expires = micros(self._clock.now() + timedelta(days=LINK_DAYS))
            store.add_link(uow, secret=digest(secret), person_id=person_id, expires_at=expires)
            store.end_sessions(uow, person_id)
            self._journal.append(uow, actor, None, events.LinkMade(person_id=person_id))

        self._storage.write(unit)
        self._known.forget()
        return secret

    def stop(self, actor: Actor, person_id: str) -> None:
        """End a person's access at once. Raises PersonUnknown, LastOwner, NotAPerson, TooMuch."""
        require_person(actor)

        def unit(uow: UnitOfWork) -> None:
            person = self._person(uow, person_id)
            for given in person.grants:
                role_to_give(uow, actor, given)
            if Grant("owner") in person.grants and not store.has_other_owner(uow, person_id):
                raise _last_owner()
            store.stop(uow, person_id)
            self._journal.append(uow, actor, None, events.PersonStopped(person_id=person_id))

        self._storage.write(unit)
        self._known.forget()

    def give(self, actor: Actor, person_id: str, given: Grant) -> None:
        """Give a person a role. Raises PersonUnknown, RoleUnknown, TooMuch, NotAPerson, PermissionMissing."""
        require_person(actor)
        authorize(actor, "people.add", given.project_id)

        def unit(uow: UnitOfWork) -> None:
            self._person(uow, person_id)
            role_to_give(uow, actor, given)
            self._grant(uow, actor, person_id, given)

        self._storage.write(unit)
        self._known.forget()

    def take(self, actor: Actor, person_id: str, taken: Grant) -> None:
        """Take a role back; nothing happens when it is not held. Raises PersonUnknown, LastOwner, TooMuch."""
        require_person(actor)
        authorize(actor, "people.add", taken.project_id)

        def unit(uow: UnitOfWork) -> None:
            self._person(uow, person_id)
            role_to_give(uow, actor, taken)
            if taken == Grant("owner") and not store.has_other_owner(uow, person_id):
                raise _last_owner()
            if role_store.take(uow, person_id, taken):
                event = events.RoleTaken(person_id=person_id, role=taken.role)
                self._journal.append(uow, actor, taken.project_id, event)

        self._storage.write(unit)
        self._known.forget()

    def add_simulated(self, actor: Actor, name: str, given: Grant) -> Actor:
        """Add a simulated person to a demonstration home and return them. Raises NotADemo, RoleUnknown, BadName."""
        person_id, clean = self._ids.new(), clean_name(name)

        def unit(uow: UnitOfWork) -> Actor:
            if store.marked(uow, "kind") != DEMO:
                raise NotADemo("Simulated people act in demonstration homes only.", hint="Use `handrail demo`.")
            role_to_give(uow, actor, given)
            now = micros(self._clock.now())
            store.add_person(uow, person_id=person_id, name=clean, email=None, kind="simulated", password=None, now=now)
            event = events.PersonAdded(person_id=person_id, kind="simulated", name=clean)
            self._journal.append(uow, actor, None, event)
            self._grant(uow, actor, person_id, given)
            return actor_of(person_id, clean, "simulated", role_store.held(uow, person_id))

        return self._storage.write(unit)

    def _grant(self, uow: UnitOfWork, actor: Actor, person_id: str, given: Grant) -> None:
        if role_store.give(uow, person_id, given):
            event = events.RoleGiven(person_id=person_id, role=given.role)
            self._journal.append(uow, actor, given.project_id, event)

    def _person(self, uow: UnitOfWork, person_id: str) -> Person:
        found = store.by_id(uow, person_id)
        if found is None or not found.person.active:
            raise PersonUnknown("There is no such person, or their access has ended.")
        return found.person


def _last_owner() -> LastOwner:
    return LastOwner("This is the last owner who can sign in.", hint="Make somebody else an owner first.")
