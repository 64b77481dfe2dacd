# Written by `make types` from the file of this name in ../aio; do not edit.
"""The client of a server or a home: projects, people who act, the journal."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from handrail.cycle.datasets.forms import ProjectOut
from handrail.cycle.datasets.schema import Schema
from handrail.doors.sdk.sync.calls import Calls
from handrail.doors.sdk.sync.project import Project
from handrail.doors.sdk.wire import Wire, parsed
from handrail.foundation.http.application import Health
from handrail.foundation.identity.routes import SessionOut, TokenMade
from handrail.foundation.journal.routes import CheckpointOut, ConsistencyOut, KeyOut, ProofOut, VerifiedOut


class Client(Calls):
    """One actor at one server or home. Use it in a `with` block, or `close` it."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connections; a home that was opened in this process is free for another one."""
        self._wire.close()

    def health(self) -> Health:
        """Return that the server is up, and its version."""
        return self._get(Health, "/health")

    # Who acts

    def whoami(self) -> SessionOut:
        """Return who this client acts as."""
        return self._get(SessionOut, "/session")

    def sign_in(self, email: str, password: str) -> Client:
        """Return a client that acts as a person, who signs in with e-mail and password.

        Raises Unauthenticated, Busy after too many attempts.
        """
        wire = self._wire.acting({})
        answer = wire.send("POST", "/session", repeat=False, json={"email": email, "password": password})
        session: SessionOut = parsed(SessionOut, answer)
        wire.http.headers["X-CSRF-Token"] = session.csrf or ""
        return Client(wire)

    def as_simulated(self, name: str, role: str = "reviewer") -> Client:
        """Return a client that acts as a new simulated person, marked as one wherever it shows.

        Raises Conflict in any home that is no demonstration.
        """
        answer = self._wire.send("POST", "/simulated", repeat=False, json={"name": name, "role": role})
        made: TokenMade = parsed(TokenMade, answer)
        return Client(self._wire.acting({"Authorization": f"Bearer {made.secret}"}))

    def make_token(
        self, name: str, role: str = "machine", *, projects: list[str] | None = None, days: int | None = None
    ) -> TokenMade:
        """Make a token for a machine; its secret is shown this once. A token never counts as a human."""
        body: dict[str, Any] = {"name": name, "role": role, "projects": projects, "days": days}
        answer = self._wire.send("POST", "/tokens", repeat=False, json=body)
        made: TokenMade = parsed(TokenMade, answer)
        return made

    # Projects

    def projects(self) -> list[ProjectOut]:
        """Return the projects in reach, oldest first."""
        return self._list(ProjectOut, "/projects")

    def create_project(self, name: str, schema: Schema, description: str = "") -> Project:
        """Make a project and return its calls; raises Conflict when the name is taken."""
        body = {"name": name, "schema": schema.to_dict(), "description": description}
        made = self._post(ProjectOut, "/projects", body)
        return Project(self._wire, made.name)

    def project(self, name: str) -> Project:
        """Return the calls of a project, by name or id; whether it exists shows at the first of them."""
        return Project(self._wire, name)

    # The journal

    def checkpoint(self) -> CheckpointOut:
        """Sign the journal's tree as it is and return the note; keep it elsewhere, and nothing before it can change."""
        return self._post(CheckpointOut, "/journal/checkpoint")

    def journal_key(self) -> KeyOut:
        """Return the public key that checks the journal's signatures."""
        return self._get(KeyOut, "/journal/key")

    def prove(self, entry_id: str) -> ProofOut:
        """Return a journal entry with the proof that the signed tree holds it."""
        return self._get(ProofOut, f"/journal/entries/{entry_id}/proof")

    def consistency(self, old: int, new: int) -> ConsistencyOut:
        """Return the proof that the first `old` entries are unchanged in the tree of `new`."""
        return self._get(ConsistencyOut, "/journal/consistency", old=old, new=new)

    def verify_journal(self) -> VerifiedOut:
        """Recompute the whole journal; what was changed is found and named."""
        return self._post(VerifiedOut, "/journal/verify")

    def export_journal(self, place: str | Path) -> int:
        """Write every entry as a line of JSON and return the file's size in bytes."""
        return self._save(place, "/journal/export")
