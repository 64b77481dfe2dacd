"""People, tokens and roles as values, and the rules about names, addresses and passwords. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from handrail.foundation.actors import Actor
from handrail.foundation.errors import Invalid

PersonKind = Literal["person", "simulated"]
LOCAL = "local"
"""Id of the actor for commands on the computer that holds the home."""

MIN_PASSWORD, MAX_PASSWORD = 10, 1024
_MAX_NAME, _MAX_EMAIL = 200, 254
_EMAIL = re.compile(r"[^\s@<>()\[\],;:\\\"]+@[^\s@<>()\[\],;:\\\"]+")


class BadName(Invalid):
    """A name is empty, too long, or holds control characters."""

    code = "identity.bad_name"


class BadEmail(Invalid):
    """An e-mail address does not look like one."""

    code = "identity.bad_email"


class BadPassword(Invalid):
    """A password is too short, too long, or too easy to guess."""

    code = "identity.bad_password"


@dataclass(frozen=True)
class Grant:
    """A role held in one project, or with `project_id` None in all of them."""

    role: str
    project_id: str | None = None


@dataclass(frozen=True)
class Person:
    """Somebody who can act; a simulated one exists in demonstration homes only."""

    id: str
    name: str
    email: str | None
    kind: PersonKind
    active: bool
    joined: bool
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True)
class Token:
    """A machine's (or simulated person's) key, without its secret."""

    id: str
    name: str
    kind: Literal["machine", "simulated"]
    role: str
    projects: frozenset[str] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True)
class Role:
    """A named set of permissions, in the forms that `foundation/authorize` knows."""

    name: str
    permissions: frozenset[str]
    note: str


BUILT_IN: tuple[Role, ...] = (
    Role("owner", frozenset({"*"}), "May do everything, including people, tokens and roles."),
    Role(
        "lead",
        frozenset(
            {
                "*.read", "annotate.*", "datasets.*", "evaluate.*", "feedback.*", "govern.*", "journal.*", "monitor.*",
                "people.add", "projects.*", "review.*", "tasks.*", "train.*",
            }
        ),
        "Runs projects: policy, certificate, brake, campaigns, signatures, and the people in them.",
    ),
    Role(
        "reviewer",
        frozenset(
            {
                "datasets.read", "loop.read", "projects.read", "review.read", "tasks.answer", "tasks.claim",
                "tasks.read", "tasks.release",
            }
        ),
        "Claims and answers tasks.",
    ),
    Role(
        "data_scientist",
        frozenset(
            {
                "*.read", "annotate.*", "datasets.*", "evaluate.*", "feedback.*", "monitor.*", "projects.create",
                "review.certify", "review.try_policy", "train.*",
            }
        ),
        "Works on data, models and their evaluation; does not sign.",
    ),
    Role("auditor", frozenset({"*.read", "govern.export", "journal.*"}), "Reads everything, changes nothing."),
    Role(
        "machine",
        frozenset(
            {
                "datasets.read", "datasets.write", "labels.read", "loop.read", "projects.read", "review.decide",
                "review.read", "tasks.read", "train.read",
            }
        ),
        "A service that asks for decisions and sends items.",
    ),
    Role("local", frozenset({"*"}), "Commands on the computer that holds the home. A machine: it answers no task."),
)  # fmt: skip


def clean_name(text: str) -> str:
    """Return a name without surrounding space; raises BadName."""
    name = unicodedata.normalize("NFC", text).strip()
    if not name or len(name) > _MAX_NAME or any(unicodedata.category(sign).startswith("C") for sign in name):
        raise BadName(f"A name has 1 to {_MAX_NAME} characters and no control characters.")
    return name


def clean_email(text: str) -> str:
    """Return an e-mail address in the one form in which it is kept and compared; raises BadEmail."""
    email = unicodedata.normalize("NFKC", text).strip().casefold()
    if (
        len(email) > _MAX_EMAIL
        or not _EMAIL.fullmatch(email)
        or any(unicodedata.category(sign).startswith("C") for sign in email)
    ):
        raise BadEmail("This does not look like an e-mail address.", hint="It looks like name@example.org.")
    return email


def clean_password(text: str, *, email: str = "", name: str = "") -> str:
    """Return a new password in the form in which it is hashed (NFKC, NIST SP 800-63B); raises BadPassword."""
    password = unicodedata.normalize("NFKC", text)
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise BadPassword(
            f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters.", hint="A few words are easier to keep."
        )
    said = password.casefold()
    guessable = len(set(password)) < 5 or said in _steps() or said in {email.casefold(), name.casefold()}
    if guessable or (said.startswith(("password", "handrail")) and len(password) < 14):
        raise BadPassword("This password is too easy to guess.", hint="A few unrelated words are hard to guess.")
    return password


def _steps() -> frozenset[str]:
    rows = ("12345678901234567890", "qwertyuiopasdfghjklzxcvbnm", "abcdefghijklmnopqrstuvwxyz", "09876543210987654321")
    return frozenset(row[:size] for row in rows for size in range(MIN_PASSWORD, len(row) + 1))


def actor_of(person_id: str, name: str, kind: PersonKind, grants: list[tuple[str, frozenset[str]]]) -> Actor:
    """Return a person as an actor; `grants` are (project id or "", permissions of the role held there)."""
    held: set[str] = set()
    projects: set[str] = set()
    everywhere = False
    for project_id, permissions in grants:
        if project_id:
            projects.add(project_id)
            held |= {f"{form}@{project_id}" for form in permissions}
        else:
            everywhere = True
            held |= permissions
    return Actor(kind, person_id, name, frozenset(held), None if everywhere else frozenset(projects))
