"""The client of a server or a home: projects, people who act, the journal."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from handrail.cycle.datasets.forms import ProjectOut
from handrail.cycle.datasets.schema import Schema
from handrail.doors.sdk.aio.calls import AsyncCalls
from handrail.doors.sdk.aio.project import AsyncProject
from handrail.doors.sdk.wire import AsyncWire, parsed
from handrail.foundation.http.application import Health
from handrail.foundation.identity.routes import SessionOut, TokenMade
from handrail.foundation.journal.routes import CheckpointOut, ConsistencyOut, KeyOut, ProofOut, VerifiedOut


class AsyncClient(AsyncCalls):
    """One actor at one server or home. Use it in a `with` block, or `close` it."""

    def __init__(self, wire: AsyncWire) -> None:
        super().__init__(wire)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the connections; a home that was opened in this process is free for another one."""
        await self._wire.close()

    async def health(self) -> Health:
        """Return that the server is up, and its version."""
        return await self._get(Health, "/health")

    # Who acts

    async def whoami(self) -> SessionOut:
        """Return who this client acts as."""
        return await self._get(SessionOut, "/session")

    async def sign_in(self, email: str, password: str) -> AsyncClient:
        """Return a client that acts as a person, who signs in with e-mail and password.

        Raises Unauthenticated, Busy after too many attempts.
        """
        wire = self._wire.acting({})
        answer = await wire.send("POST", "/session", repeat=False, json={"email": email, "password": password})
        session: SessionOut = parsed(SessionOut, answer)
        wire.http.headers["X-CSRF-Token"] = session.csrf or ""
        return AsyncClient(wire)

    async def as_simulated(self, name: str, role: str = "reviewer") -> AsyncClient:
        """Return a client that acts as a new simulated person, marked as one wherever it shows.

        Raises Conflict in any home that is no demonstration.
        """
        answer = await self._wire.send("POST", "/simulated", repeat=False, json={"name": name, "role": role})
        made: TokenMade = parsed(TokenMade, answer)
        return AsyncClient(self._wire.acting({"Authorization": f"Bearer {made.secret}"}))

    async def make_token(
        self, name: str, role: str = "machine", *, projects: list[str] | None = None, days: int | None = None
    ) -> TokenMade:
        """Make a token for a machine; its secret is shown this once. A token never counts as a human."""
        body: dict[str, Any] = {"name": name, "role": role, "projects": projects, "days": days}
        answer = await self._wire.send("POST", "/tokens", repeat=False, json=body)
        made: TokenMade = parsed(TokenMade, answer)
        return made

    # Projects

    async def projects(self) -> list[ProjectOut]:
        """Return the projects in reach, oldest first."""
        return await self._list(ProjectOut, "/projects")

    async def create_project(self, name: str, schema: Schema, description: str = "") -> AsyncProject:
        """Make a project and return its calls; raises Conflict when the name is taken."""
        body = {"name": name, "schema": schema.to_dict(), "description": description}
        made = await self._post(ProjectOut, "/projects", body)
        return AsyncProject(self._wire, made.name)

    def project(self, name: str) -> AsyncProject:
        """Return the calls of a project, by name or id; whether it exists shows at the first of them."""
        return AsyncProject(self._wire, name)

    # The journal

    async def checkpoint(self) -> CheckpointOut:
        """Sign the journal's tree as it is and return the note; keep it elsewhere, and nothing before it can change."""
        return await self._post(CheckpointOut, "/journal/checkpoint")

    async def journal_key(self) -> KeyOut:
        """Return the public key that checks the journal's signatures."""
        return await self._get(KeyOut, "/journal/key")

    async def prove(self, entry_id: str) -> ProofOut:
        """Return a journal entry with the proof that the signed tree holds it."""
        return await self._get(ProofOut, f"/journal/entries/{entry_id}/proof")

    async def consistency(self, old: int, new: int) -> ConsistencyOut:
        """Return the proof that the first `old` entries are unchanged in the tree of `new`."""
        return await self._get(ConsistencyOut, "/journal/consistency", old=old, new=new)

    async def verify_journal(self) -> VerifiedOut:
        """Recompute the whole journal; what was changed is found and named."""
        return await self._post(VerifiedOut, "/journal/verify")

    async def export_journal(self, place: str | Path) -> int:
        """Write every entry as a line of JSON and return the file's size in bytes."""
        return await self._save(place, "/journal/export")
