"""Checkpoints, proofs and the check of the whole journal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache, partial
from typing import Any

from handrail.foundation.clock import Clock, micros
from handrail.foundation.errors import Invalid, NotFound
from handrail.foundation.journal import checkpoint as notes
from handrail.foundation.journal import merkle, store
from handrail.foundation.journal.checkpoint import Signer
from handrail.foundation.journal.service import Journal
from handrail.foundation.journal.tree import JournalDamaged, stored
from handrail.foundation.journal.verifying import Verified, verify
from handrail.foundation.storage import Storage, UnitOfWork

__all__ = ["EntryNotFound", "NoSuchTree", "Prover", "Verified"]

_AT_ONCE = 500
_NODES_KEPT = 1 << 14


class EntryNotFound(NotFound):
    """No entry with this id has its place in the journal."""

    code = "journal.entry_not_found"


class NoSuchTree(Invalid):
    """The journal never had a tree of this many entries."""

    code = "journal.no_such_tree"


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
            path = merkle.inclusion(int(row[0]), signed.size, stored(uow))
            return {
                **_told(row),
                "size": signed.size,
                "path": [step.hex() for step in path],
                "checkpoint": note,
                "verifier": self.signer.verifier,
            }

        return self._storage.read(unit)

    def proven(self, uow: UnitOfWork, project_id: str, size: int) -> Iterator[dict[str, Any]]:
        """Give a project's entries in the order of the tree of `size`, each with its path to that tree's root."""
        node = lru_cache(_NODES_KEPT)(stored(uow))  # neighbours share most of their way up
        last = -1
        while rows := store.of_project(uow, project_id, last, size, _AT_ONCE):
            for row in rows:
                last = int(row[0])
                yield {**_told(row), "path": [step.hex() for step in merkle.inclusion(last, size, node)]}

    def consistency(self, old: int, new: int) -> list[str]:
        """Return the proof that the first `old` entries are unchanged in the tree of `new`; raises NoSuchTree."""

        def unit(uow: UnitOfWork) -> list[bytes]:
            held = store.size(uow)
            if not 0 < old <= new <= held:
                raise NoSuchTree(f"There is no proof from {old} to {new} entries; the tree holds {held}.", size=held)
            return merkle.consistency(old, new, stored(uow))

        return [step.hex() for step in self._storage.read(unit)]

    def entries(self) -> Iterator[dict[str, Any]]:
        """Give every entry in the order of the tree, read in parts; what an entry says is null once erased.

        Raises JournalDamaged at an entry that is missing.
        """
        self._journal.integrate(self._storage)
        last = -1
        while rows := self._storage.read(partial(store.placed_rows, last=last, most=_AT_ONCE)):
            for row in rows:
                last += 1
                if row[0] != last or row[1] is None:
                    raise JournalDamaged(f"The entry {last} of the journal is missing.")
                yield {**_told(row[:12]), "leaf": bytes(row[12]).hex()}

    def verify(self) -> Verified:
        """Recompute every leaf, payload commitment, subtree and checkpoint; damage is reported, never raised."""
        return verify(self._storage, self.signer.verifier)


def _told(row: tuple[Any, ...]) -> dict[str, Any]:
    index, entry_id, time, kind, actor_id, name, project_id, verb, objects, content, commitment, salt = row
    return {
        "index": int(index),
        "entry": [entry_id, time, kind, actor_id, name, project_id, verb, json.loads(objects)],
        "commitment": bytes(commitment).hex(),
        "payload": None if content is None else json.loads(content),
        "salt": None if salt is None else bytes(salt).hex(),
    }
