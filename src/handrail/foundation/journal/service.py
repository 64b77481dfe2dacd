"""The journal as the rest of the system sees it: append in the unit of the change, read in the order of the tree."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from handrail.foundation.actors import Actor
from handrail.foundation.canonical import encode
from handrail.foundation.clock import Clock, from_micros, micros
from handrail.foundation.ids import Ids
from handrail.foundation.journal import merkle, store, tree
from handrail.foundation.journal.entry import entry_bytes
from handrail.foundation.journal.event import Event
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import Storage, UnitOfWork

_NEWEST = 2**62


@dataclass(frozen=True)
class Recorded:
    """An entry as readers get it; `index` is its place in the tree, without gaps. An erased payload is empty."""

    entry_id: str
    index: int
    time: datetime
    actor: Actor
    project_id: str | None
    verb: str
    objects: dict[str, str]
    payload: dict[str, Any]
    erased: bool = False


class Journal:
    """The append-only log of everything that happened."""

    def __init__(self, clock: Clock, ids: Ids, randomness: Randomness) -> None:
        self._clock = clock
        self._ids = ids
        self._randomness = randomness

    def append(self, uow: UnitOfWork, actor: Actor, project_id: str | None, event: Event) -> str:
        """Record `event` in this unit and return the entry's id."""
        objects, content = event.split()
        entry_id = self._ids.new()
        time = micros(self._clock.now())
        salt = self._randomness.bytes(16)
        text = encode(content)
        commitment = sha256(salt + text.encode()).digest()
        who = (actor.kind, actor.id, actor.name)
        named = encode(objects)
        leaf = merkle.leaf_hash(entry_bytes(entry_id, time, who, project_id, event.verb, named, commitment))
        store.add_entry(
            uow,
            entry_id=entry_id,
            time=time,
            actor=who,
            project_id=project_id,
            verb=event.verb,
            objects=named,
            commitment=commitment,
            leaf=leaf,
            salt=salt,
            content=text,
        )
        return entry_id

    # The tree

    def integrate(self, storage: Storage) -> int:
        """Give every entry that waits its place in the tree; returns how many got one."""
        total = 0
        while placed := storage.write(tree.integrate):
            total += placed
        return total

    def size(self, uow: UnitOfWork) -> int:
        """Return how many entries have their place in the tree."""
        return store.size(uow)

    # Reading

    def read_after(self, uow: UnitOfWork, index: int, limit: int) -> list[Recorded]:
        """Return entries after an index, in order."""
        return [_recorded(row) for row in store.after(uow, index, limit)]

    def cursor(self, uow: UnitOfWork, reader: str) -> int:
        """Return the index of the last entry that a reader has acted on, -1 at first."""
        return store.get_cursor(uow, reader)

    def hold(self, uow: UnitOfWork, reader: str) -> int:
        """Return the reader's cursor and let nobody else move it until the unit ends; before `advance`."""
        store.hold_reader(uow, reader)
        return store.get_cursor(uow, reader)

    def advance(self, uow: UnitOfWork, reader: str, index: int) -> None:
        """Remember, in the unit of what the reader did, how far it is."""
        store.put_cursor(uow, reader, index)

    def recent(self, uow: UnitOfWork, project_id: str, before: int | None = None, limit: int = 50) -> list[Recorded]:
        """Return a project's entries, newest first, below the index `before`."""
        rows = store.recent(uow, project_id, _NEWEST if before is None else before, limit)
        return [_recorded(row) for row in rows]

    def following(self, uow: UnitOfWork, project_id: str, index: int, limit: int) -> list[Recorded]:
        """Return a project's entries after an index, in order."""
        return [_recorded(row) for row in store.of_project(uow, project_id, index, _NEWEST, limit)]

    def about(
        self, uow: UnitOfWork, project_id: str, kind: store.Kind, object_id: str, limit: int = 200
    ) -> list[Recorded]:
        """Return the entries of a project that name an object ("decision", id), in order."""
        return [_recorded(row) for row in store.about(uow, project_id, kind, object_id, limit)]

    def named_among(self, uow: UnitOfWork, kind: store.Kind, ids: list[str], before: int) -> set[str]:
        """Return which of these objects ("decision", ids) an entry below an index names."""
        return store.named_among(uow, kind, ids, before)

    def unplaced(self, uow: UnitOfWork) -> int:
        """Return how many entries wait for their place."""
        return store.unplaced(uow)


def _recorded(row: tuple[Any, ...]) -> Recorded:
    index, entry_id, time, kind, actor_id, name, project_id, verb, objects, content, _, _ = row
    return Recorded(
        entry_id=entry_id,
        index=int(index),
        time=from_micros(time),
        actor=Actor(kind=kind, id=actor_id, name=name),
        project_id=project_id,
        verb=verb,
        objects=json.loads(objects),
        payload={} if content is None else json.loads(content),
        erased=content is None,
    )
