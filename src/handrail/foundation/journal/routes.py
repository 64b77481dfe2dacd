"""HTTP routes of the journal as a whole: checkpoints, proofs, the check of everything, the export.

Permissions: journal.read (proofs, key), journal.checkpoint, journal.verify, journal.export; of the whole home.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from handrail.foundation.http import Routes
from handrail.foundation.journal import checkpoint as notes
from handrail.foundation.journal.proofs import Prover

_NDJSON = "application/x-ndjson"
_FILE: dict[str, Any] = {
    "response_class": StreamingResponse,
    "openapi_extra": {"responses": {"200": {"content": {_NDJSON: {}}}}},
}
Size = Annotated[int, Query(ge=0, lt=2**53)]


class KeyOut(BaseModel):
    """The public key that checks the signatures of checkpoints."""

    verifier: str = Field(description="C2SP verifier key: name+id+key.")


class CheckpointOut(KeyOut):
    """A signed checkpoint; kept elsewhere, it shows any later change of what came before."""

    note: str = Field(description="C2SP signed note.")
    size: int = Field(description="How many entries the tree holds.")
    root: str = Field(description="Root of the tree, hexadecimal.")


class ProofOut(BaseModel):
    """An entry with the proof that the signed tree holds it. `payload` and `salt` are null once erased."""

    entry: list[Any] = Field(description="id, time in microseconds, actor kind, id, name, project, verb, objects.")
    commitment: str
    payload: dict[str, Any] | None
    salt: str | None
    index: int
    size: int
    path: list[str]
    checkpoint: str
    verifier: str


class ConsistencyOut(BaseModel):
    """The proof that the first `old` entries are unchanged in the tree of `new`."""

    old: int
    new: int
    path: list[str]


class VerifiedOut(BaseModel):
    """What a check of the whole journal found; `problem` is null when all is well, else `index` names the entry."""

    ok: bool
    entries: int
    root: str
    checkpoints: int
    problem: str | None
    entry_id: str | None
    index: int | None


def routes(prover: Prover) -> Routes:
    """Return the routes of the journal. They compute and wait for the database, so they run in threads."""
    routes = Routes("journal", prefix="/journal")

    @routes.get("/key", permission="journal.read")
    def key() -> KeyOut:
        """Return the key that checks the journal's signatures."""
        return KeyOut(verifier=prover.signer.verifier)

    @routes.post("/checkpoint", permission="journal.checkpoint", own_key=True)
    def checkpoint() -> CheckpointOut:
        """Sign the tree as it is; the same tree gives the same note."""
        note = prover.checkpoint()
        signed = notes.read(note, prover.signer.verifier)
        return CheckpointOut(verifier=prover.signer.verifier, note=note, size=signed.size, root=signed.root.hex())

    @routes.get("/entries/{entry_id}/proof", permission="journal.read")
    def proof(entry_id: str) -> ProofOut:
        """Return an entry with the proof that the signed tree holds it."""
        return ProofOut.model_validate(prover.prove(entry_id))

    @routes.get("/consistency", permission="journal.read")
    def consistency(old: Size, new: Size) -> ConsistencyOut:
        """Return the proof that the first `old` entries are unchanged in the tree of `new`."""
        return ConsistencyOut(old=old, new=new, path=prover.consistency(old, new))

    @routes.post("/verify", permission="journal.verify", own_key=True)
    def verify() -> VerifiedOut:
        """Recompute every entry, payload commitment, subtree and checkpoint."""
        found = prover.verify()
        return VerifiedOut(
            ok=found.ok,
            entries=found.entries,
            root=found.root,
            checkpoints=found.checkpoints,
            problem=found.problem,
            entry_id=found.entry_id,
            index=found.index,
        )

    @routes.get("/export", permission="journal.export", **_FILE)
    def export() -> StreamingResponse:
        """Return every entry in the order of the tree, one line of JSON each."""
        return StreamingResponse(_lines(prover), media_type=_NDJSON)

    return routes


def _lines(prover: Prover) -> Iterator[bytes]:
    for one in prover.entries():
        yield json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
