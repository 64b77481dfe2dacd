"""What happens to people, sessions and tokens. Names and addresses stand in the erasable part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from handrail.foundation.journal import Event


@dataclass(frozen=True, kw_only=True)
class SetupUsed(Event):
    """The first person signed up with the one-time link."""

    verb: ClassVar[str] = "identity.setup_used"
    person_id: str


@dataclass(frozen=True, kw_only=True)
class PersonAdded(Event):
    """A person, or a simulated one, is known from now on."""

    verb: ClassVar[str] = "identity.person_added"
    person_id: str
    kind: str
    name: str
    email: str | None = None


@dataclass(frozen=True, kw_only=True)
class PersonJoined(Event):
    """An invited person set a password with the one-time link."""

    verb: ClassVar[str] = "identity.person_joined"
    person_id: str


@dataclass(frozen=True, kw_only=True)
class LinkMade(Event):
    """A person got a new one-time link; their sessions ended."""

    verb: ClassVar[str] = "identity.link_made"
    person_id: str


@dataclass(frozen=True, kw_only=True)
class PersonStopped(Event):
    """A person may not sign in any more; their sessions ended."""

    verb: ClassVar[str] = "identity.person_stopped"
    person_id: str


@dataclass(frozen=True, kw_only=True)
class RoleGiven(Event):
    """A person holds a role from now on, in one project or everywhere."""

    verb: ClassVar[str] = "identity.role_given"
    person_id: str
    role: str


@dataclass(frozen=True, kw_only=True)
class RoleTaken(Event):
    """A person does not hold a role any more."""

    verb: ClassVar[str] = "identity.role_taken"
    person_id: str
    role: str


@dataclass(frozen=True, kw_only=True)
class SignedIn(Event):
    """A person signed in."""

    verb: ClassVar[str] = "identity.signed_in"
    person_id: str
    address: str


@dataclass(frozen=True, kw_only=True)
class SignedOut(Event):
    """A person signed out."""

    verb: ClassVar[str] = "identity.signed_out"
    person_id: str


@dataclass(frozen=True, kw_only=True)
class SignInFailed(Event):
    """Somebody tried to sign in and did not know the password, or is not known."""

    verb: ClassVar[str] = "identity.sign_in_failed"
    email: str
    address: str


@dataclass(frozen=True, kw_only=True)
class TokenMade(Event):
    """A token was made; its secret is kept nowhere."""

    verb: ClassVar[str] = "identity.token_made"
    token_id: str
    name: str
    role: str


@dataclass(frozen=True, kw_only=True)
class TokenRevoked(Event):
    """A token is not valid any more."""

    verb: ClassVar[str] = "identity.token_revoked"
    token_id: str


@dataclass(frozen=True, kw_only=True)
class MarkedDemo(Event):
    """The home is a demonstration: simulated people may act in it."""

    verb: ClassVar[str] = "identity.marked_demo"
