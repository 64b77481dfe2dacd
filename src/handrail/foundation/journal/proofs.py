"""Checkpoints, proofs and the check of the whole journal."""

from __future__ import annotations

import json
from typing import Any

from handrail.foundation.clock import Clock, micros
from handrail.foundation.errors import NotFound
from handrail.foundation.journal import checkpoint as notes
from handrail.foundation.journal import merkle, store
from handrail.foundation.journal.checkpoint import Signer
from handrail.foundation.journal.service import Journal
from handrail.foundation.journal.tree import stored
from handrail.foundation.journal.verifying import Verified, verify
from handrail.foundation.storage import Storage, UnitOfWork

__all__ = ["EntryNotFound", "Prover", "Verified"]


class EntryNotFound(NotFound):
    """No entry with this id has its place in the journal."""

    code = "journal.entry_not_found"


class Prover:
    """Signs checkpoints, proves entries to outsiders, and checks everything that is stored."""

    def __init__(self, storage: Storage, journal: Journal, clock: Clock, signer: Signer) -> None:
        self._storage = storage
        self._journal = journal
        self._clock = clock
        self.signer = signer

    def checkpoint(self) -> str:
        """Integrate what waits, sign the tree as it is, keep the note and return it."""
        self._journal.integrate(self._storage)

        def unit(uow: UnitOfWork) -> str:
            size = store.size(uow)
            note = store.checkpoint_at(uow, size)
            if note is None:
                note = self.signer.sign(size, merkle.root(size, stored(uow)))
                store.add_checkpoint(uow, size, note, micros(self._clock.now()))
            return note

        return self._storage.write(unit)

    def prove(self, entry_id: str) -> dict[str, Any]:
        """Return an entry with its inclusion proof under a signed checkpoint; raises EntryNotFound.

        What the entry says is included while it is not erased.
        """
        note = self.checkpoint()
        signed = notes.read(note, self.signer.verifier)

        def unit(uow: UnitOfWork) -> dict[str, Any]:
            row = store.by_id(uow, entry_id)
            if row is None:
                raise EntryNotFound("No such entry is in the journal.", entry=entry_id)
            index, _, time, kind, actor_id, name, project_id, verb, objects, content, commitment, salt = row
            path = merkle.inclusion(int(index), signed.size, stored(uow))
            return {
                "entry": [entry_id, time, kind, actor_id, name, project_id, verb, json.loads(objects)],
                "commitment": bytes(commitment).hex(),
                "payload": None if content is None else json.loads(content),
                "salt": None if salt is None else bytes(salt).hex(),
                "index": int(index),
                "size": signed.size,
                "path": [step.hex() for step in path],
                "checkpoint": note,
                "verifier": self.signer.verifier,
            }

        return self._storage.read(unit)

    def consistency(self, old: int, new: int) -> list[str]:
        """Return the proof that the first `old` entries are unchanged in the tree of `new`."""
        proof = self._storage.read(lambda uow: merkle.consistency(old, new, stored(uow)))
        return [step.hex() for step in proof]

    def verify(self) -> Verified:
        """Recompute every leaf, payload commitment, subtree and checkpoint; damage is reported, never raised."""
        return verify(self._storage, self.signer.verifier)
