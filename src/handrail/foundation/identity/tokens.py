"""Making and revoking tokens. A token is a machine, or in a demonstration home a simulated person; never a person."""

from __future__ import annotations

from datetime import timedelta

from handrail.foundation.actors import Actor
from handrail.foundation.authorize import project_unknown
from handrail.foundation.clock import Clock, micros
from handrail.foundation.errors import Invalid, NotFound
from handrail.foundation.identity import events
from handrail.foundation.identity.known import KnownActors
from handrail.foundation.identity.model import Grant, Token, clean_name
from handrail.foundation.identity.people import DEMO, NotADemo, PersonUnknown, require_person, role_to_give
from handrail.foundation.identity.secret import TOKEN_PREFIX, digest, new_secret
from handrail.foundation.identity.store import people as people_store
from handrail.foundation.identity.store import tokens as store
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import Storage, UnitOfWork

MAX_DAYS = 3650


class TokenUnknown(NotFound):
    """No such token, or it is revoked already."""

    code = "identity.token_unknown"


class BadTerm(Invalid):
    """A token lasts 1 to 3650 days, or until it is revoked."""

    code = "identity.bad_term"


class Tokens:
    """The verbs about tokens. They block the calling thread."""

    def __init__(
        self, storage: Storage, journal: Journal, clock: Clock, ids: Ids, randomness: Randomness, known: KnownActors
    ) -> None:
        self._storage = storage
        self._journal = journal
        self._clock = clock
        self._ids = ids
        self._randomness = randomness
        self._known = known

    def list(self, after: str = "", limit: int = 100) -> list[Token]:
        """Return up to `limit` tokens with an id above `after`, revoked ones included."""
        return self._storage.read(lambda uow: store.tokens(uow, after, limit))

    def make(
        self,
        actor: Actor,
        name: str,
        role: str = "machine",
        *,
        projects: frozenset[str] | None = None,
        days: int | None = None,
        simulated_id: str | None = None,
    ) -> tuple[Token, str]:
        """Make a token and return it with its secret, which is kept nowhere.

        `projects` None means every project. `simulated_id` names the simulated person that the token acts as.
        Raises BadName, BadTerm, RoleUnknown, TooMuch, NotAPerson, ProjectUnknown, NotADemo.
        """
        require_person(actor)
        if days is not None and not 1 <= days <= MAX_DAYS:
            raise BadTerm(f"A token lasts 1 to {MAX_DAYS} days, or until it is revoked.")
        clean = clean_name(name)
        secret, token_id = new_secret(self._randomness, TOKEN_PREFIX), self._ids.new()

        def unit(uow: UnitOfWork) -> Token:
            for project_id in projects if projects is not None else (None,):
                if project_id is not None and actor.projects is not None and project_id not in actor.projects:
                    raise project_unknown()
                role_to_give(uow, actor, Grant(role, project_id))
            if simulated_id is not None:
                _require_simulated(uow, simulated_id)
            now = self._clock.now()
            expires = None if days is None else micros(now + timedelta(days=days))
            store.add_token(
                uow,
                token_id=token_id,
                secret=digest(secret),
                name=clean,
                person_id=simulated_id,
                role_name=role,
                projects=projects,
                now=micros(now),
                expires_at=expires,
            )
            self._journal.append(uow, actor, None, events.TokenMade(token_id=token_id, name=clean, role=role))
            made = store.token_by_id(uow, token_id)
            assert made is not None
            return made

        return self._storage.write(unit), secret

    def revoke(self, actor: Actor, token_id: str) -> None:
        """End a token at once. Raises TokenUnknown."""

        def unit(uow: UnitOfWork) -> None:
            if not store.revoke_token(uow, token_id, micros(self._clock.now())):
                raise TokenUnknown("There is no such token, or it was revoked before.")
            self._journal.append(uow, actor, None, events.TokenRevoked(token_id=token_id))

        self._storage.write(unit)
        self._known.forget()


def _require_simulated(uow: UnitOfWork, person_id: str) -> None:
    if people_store.marked(uow, "kind") != DEMO:
        raise NotADemo("Simulated people act in demonstration homes only.", hint="Use `handrail demo`.")
    found = people_store.by_id(uow, person_id)
    if found is None or found.person.kind != "simulated" or not found.person.active:
        raise PersonUnknown("There is no such simulated person. A token never acts as a real one.")
