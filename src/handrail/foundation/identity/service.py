"""Who somebody is: signing in, the first person, sessions and tokens on the path of every request."""

from __future__ import annotations

import hmac
import unicodedata
from dataclasses import dataclass
from datetime import timedelta

from handrail.foundation.actors import Actor
from handrail.foundation.clock import Clock, micros
from handrail.foundation.errors import Conflict, Forbidden, Unauthenticated
from handrail.foundation.identity import events
from handrail.foundation.identity.attempts import Attempts
from handrail.foundation.identity.known import KnownActors, Unknown
from handrail.foundation.identity.model import (
    BUILT_IN,
    LOCAL,
    MAX_PASSWORD,
    Grant,
    actor_of,
    clean_email,
    clean_name,
    clean_password,
)
from handrail.foundation.identity.passwords import Passwords
from handrail.foundation.identity.people import DEMO, NotADemo, People
from handrail.foundation.identity.secret import TOKEN_PREFIX, digest, has_form, new_secret
from handrail.foundation.identity.store import people as store
from handrail.foundation.identity.store import roles as role_store
from handrail.foundation.identity.store import tokens as token_store
from handrail.foundation.identity.tokens import Tokens
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import Storage, UnitOfWork

FIRST_LINK_HOURS = 24
_USED_EVERY_US = 300_000_000


class WrongCredentials(Unauthenticated):
    """E-mail and password do not belong together; which of them is wrong is not told."""

    code = "identity.wrong_credentials"


class LinkNotValid(Forbidden):
    """A one-time link was used, replaced or is too old."""

    code = "identity.link_not_valid"


class AlreadySetUp(Conflict):
    """The first person signed up before."""

    code = "identity.already_set_up"


@dataclass(frozen=True)
class SignedIn:
    """A new session: its secret goes into the cookie and is kept nowhere else."""

    secret: str
    actor: Actor


class Identity:
    """People, machines, sessions. `prepare` it once after the database is open; `close` it at the end.

    `by_session` and `by_token` answer from memory for five seconds and never block the event loop.
    """

    def __init__(
        self,
        storage: Storage,
        journal: Journal,
        clock: Clock,
        ids: Ids,
        randomness: Randomness,
        *,
        session_hours: int = 12,
        passwords: Passwords | None = None,
    ) -> None:
        self._storage = storage
        self._journal = journal
        self._clock = clock
        self._ids = ids
        self._randomness = randomness
        self.session_hours = session_hours
        self._passwords = passwords or Passwords()
        self._attempts = Attempts(clock)
        self._known = KnownActors(clock)
        self._local: str | None = None
        self._has_people = False
        self.is_demo = False
        self.people = People(storage, journal, clock, ids, randomness, self._known)
        self.tokens = Tokens(storage, journal, clock, ids, randomness, self._known)

    # Once, at the start

    def prepare(self, *, demo: bool = False) -> None:
        """Write the built-in roles, and settle for ever whether this home is a demonstration.

        Raises NotADemo when `demo` is asked of a home that was begun as an ordinary one.
        """

        def unit(uow: UnitOfWork) -> bool:
            for role in BUILT_IN:
                role_store.put_role(uow, role)
            if store.set_mark(uow, "kind", DEMO if demo else "home") and demo:
                self._journal.append(uow, Actor.rule("start"), None, events.MarkedDemo())
            return store.marked(uow, "kind") == DEMO

        self.is_demo = self._storage.write(unit)
        if demo and not self.is_demo:
            raise NotADemo(
                "This home was begun as an ordinary one and cannot become a demonstration.",
                hint="Set HANDRAIL_HOME to a new folder for the demonstration.",
            )

    def first_link(self) -> str | None:
        """Return the secret of a new one-time link for the first person, or None when people are known.

        It is valid for 24 hours; one made before ends.
        """
        secret = new_secret(self._randomness)

        def unit(uow: UnitOfWork) -> bool:
            if store.count_people(uow):
                return False
            expires = micros(self._clock.now() + timedelta(hours=FIRST_LINK_HOURS))
            store.add_link(uow, secret=digest(secret), person_id=None, expires_at=expires)
            return True

        return secret if self._storage.write(unit) else None

    def trust_local(self, token: str) -> None:
        """Let the holder of `token` (see `Home.announce`) act as `local` until this process ends."""
        self._local = digest(token)

    def local(self) -> Actor:
        """Return the actor for commands on the computer that holds the home: a machine that may do everything."""
        return Actor("machine", LOCAL, "This computer", frozenset({"*"}))

    def close(self) -> None:
        """End the threads that check passwords."""
        self._passwords.close()

    # On the path of every request

    async def by_token(self, secret: str) -> Actor | None:
        """Return the actor of a token, or None when it is not valid now."""
        if not has_form(secret, TOKEN_PREFIX):
            return None
        wanted = digest(secret)
        if self._local is not None and hmac.compare_digest(wanted, self._local):
            return self.local()
        known = self._known.get(wanted)
        if not isinstance(known, Unknown):
            return known
        generation, now = self._known.generation, micros(self._clock.now())
        found = await self._storage.aread(lambda uow: token_store.valid_token(uow, wanted, now))
        if found is None:
            self._known.put(wanted, None, generation=generation)
            return None
        await self._note_use(found, now)
        actor = self._token_actor(found)
        ends = found.token.expires_at
        self._known.put(wanted, actor, generation=generation, ends=None if ends is None else micros(ends))
        return actor

    def _token_actor(self, found: token_store.ValidToken) -> Actor | None:
        token = found.token
        if token.kind == "machine":
            return Actor("machine", token.id, token.name, found.permissions, token.projects)
        if not self.is_demo or not found.person_active or found.person_id is None:
            return None
        return Actor("simulated", found.person_id, found.person_name, found.permissions, token.projects)

    async def _note_use(self, found: token_store.ValidToken, now: int) -> None:
        # A write for every request would cost more than the request; five minutes are fine enough to find old tokens.
        used = found.token.last_used_at
        if used is None or now - micros(used) > _USED_EVERY_US:
            await self._storage.awrite(lambda uow: token_store.token_used(uow, found.token.id, now))

    async def by_session(self, secret: str) -> Actor | None:
        """Return the person of a session, or None when it has ended."""
        if not has_form(secret):
            return None
        wanted = digest(secret)
        known = self._known.get(wanted)
        if not isinstance(known, Unknown):
            return known
        generation, now = self._known.generation, micros(self._clock.now())
        found = await self._storage.aread(lambda uow: _session(uow, wanted))
        actor, ends = found if found is not None and found[1] > now else (None, None)
        self._known.put(wanted, actor, generation=generation, ends=ends)
        return actor

    # Signing in and out

    async def setup_needed(self) -> bool:
        """Return whether nobody has signed up yet."""
        if not self._has_people:
            self._has_people = await self._storage.aread(store.count_people) > 0
        return not self._has_people

    async def sign_in(self, email: str, password: str, address: str = "") -> SignedIn:
        """Check e-mail and password and begin a new session.

        Raises WrongCredentials, TooManyAttempts, TooManySignIns.
        """
        tried = unicodedata.normalize("NFKC", email).strip().casefold()[:254]
        # Counted before the check: a thousand tries at the same moment are a thousand tries.
        self._attempts.begin(tried, address)
        known = await self._storage.aread(lambda uow: store.by_email(uow, tried))
        kept = known.password if known is not None and known.person.active else None
        fits = len(password) <= MAX_PASSWORD
        given = unicodedata.normalize("NFKC", password) if fits else ""
        if not await self._passwords.check(kept, given) or known is None or kept is None or not fits:
            # What was typed may be a password in the wrong field; only an address is kept.
            event = events.SignInFailed(email=tried if "@" in tried else "", address=address)
            await self._storage.awrite(lambda uow: self._journal.append(uow, Actor.rule("sign-in"), None, event))
            raise WrongCredentials("E-mail and password do not belong together.", hint="Check both and try again.")
        self._attempts.succeeded(tried, address)
        fresh = await self._passwords.make(given) if self._passwords.is_outdated(kept) else None
        person_id, secret = known.person.id, new_secret(self._randomness)

        def unit(uow: UnitOfWork) -> Actor:
            now = store.by_id(uow, person_id)
            if now is None or not now.person.active or now.password != kept:
                raise WrongCredentials("The password was changed meanwhile.", hint="Sign in with the new one.")
            if fresh is not None:
                store.set_password(uow, person_id, fresh)
            return self._begin(uow, person_id, now.person.name, secret, address)

        return SignedIn(secret, await self._storage.awrite(unit))

    def _begin(self, uow: UnitOfWork, person_id: str, name: str, secret: str, address: str) -> Actor:
        now = self._clock.now()
        expires = micros(now + timedelta(hours=self.session_hours))
        store.add_session(uow, secret=digest(secret), person_id=person_id, now=micros(now), expires_at=expires)
        actor = actor_of(person_id, name, "person", role_store.held(uow, person_id))
        self._journal.append(uow, actor, None, events.SignedIn(person_id=person_id, address=address))
        return actor

    async def sign_out(self, secret: str) -> None:
        """End a session; nothing happens when it has ended."""
        wanted = digest(secret)

        def unit(uow: UnitOfWork) -> None:
            found = _session(uow, wanted)
            if found is not None:
                store.end_session(uow, wanted)
                self._journal.append(uow, found[0], None, events.SignedOut(person_id=found[0].id))

        await self._storage.awrite(unit)
        self._known.forget()

    async def join(self, link: str, name: str, email: str, password: str, address: str = "") -> SignedIn:
        """Use a one-time link: the first person becomes the owner, an invited one sets a password; both are signed in.

        Raises LinkNotValid, AlreadySetUp, BadName, BadEmail, BadPassword.
        """
        wanted = digest(link)
        now = micros(self._clock.now())
        found = await self._storage.aread(lambda uow: store.find_link(uow, wanted))
        if found is None or found[1] <= now:
            raise _link_not_valid()
        clean = clean_name(name), clean_email(email)
        # Hashing comes after the link was seen to be good: nobody without one can make the server work.
        hashed = await self._passwords.make(clean_password(password, email=clean[1], name=clean[0]))
        secret, new_id = new_secret(self._randomness), self._ids.new()

        def unit(uow: UnitOfWork) -> Actor:
            link_now = store.find_link(uow, wanted)
            if link_now is None or link_now[1] <= now or not store.use_link(uow, wanted):
                raise _link_not_valid()
            if link_now[0] is None:
                person_id = self._first(uow, new_id, clean, hashed)
            else:
                person_id = self._invited(uow, link_now[0], clean, hashed)
            return self._begin(uow, person_id, clean[0], secret, address)

        actor = await self._storage.awrite(unit)
        self._known.forget()
        return SignedIn(secret, actor)

    def _first(self, uow: UnitOfWork, person_id: str, clean: tuple[str, str], hashed: str) -> str:
        if store.count_people(uow):
            raise AlreadySetUp("Somebody has signed up here before.", hint="Sign in, or ask that person for a link.")
        name, email = clean
        now = micros(self._clock.now())
        store.add_person(uow, person_id=person_id, name=name, email=email, kind="person", password=hashed, now=now)
        owner = Grant("owner")
        role_store.give(uow, person_id, owner)
        actor = actor_of(person_id, name, "person", role_store.held(uow, person_id))
        added = events.PersonAdded(person_id=person_id, kind="person", name=name, email=email)
        self._journal.append(uow, actor, None, added)
        self._journal.append(uow, actor, None, events.RoleGiven(person_id=person_id, role=owner.role))
        self._journal.append(uow, actor, None, events.SetupUsed(person_id=person_id))
        return person_id

    def _invited(self, uow: UnitOfWork, person_id: str, clean: tuple[str, str], hashed: str) -> str:
        known = store.by_id(uow, person_id)
        if known is None or not known.person.active or known.person.email != clean[1]:
            raise LinkNotValid("This link was made for another e-mail address.", hint="Use the invited address.")
        store.set_name(uow, person_id, clean[0])
        store.set_password(uow, person_id, hashed)
        store.end_sessions(uow, person_id)
        actor = actor_of(person_id, clean[0], "person", role_store.held(uow, person_id))
        self._journal.append(uow, actor, None, events.PersonJoined(person_id=person_id))
        return person_id


def _session(uow: UnitOfWork, wanted: str) -> tuple[Actor, int] | None:
    """Return the actor of a session and its end in microseconds."""
    row = store.session_person(uow, wanted)
    if row is None or row[2] != "person":
        return None
    person_id, name, _, ends = row
    return actor_of(person_id, name, "person", role_store.held(uow, person_id)), ends


def _link_not_valid() -> LinkNotValid:
    return LinkNotValid(
        "This link is not valid: it was used, replaced by a newer one, or is too old.",
        hint="Start the server again for a new first link, or ask an owner for one.",
    )
