"""The check of everything that is stored: what was changed is found and named, never raised."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any

from handrail.foundation.errors import HandrailError
from handrail.foundation.journal import checkpoint as notes
from handrail.foundation.journal import merkle, store
from handrail.foundation.journal.checkpoint import CheckpointInvalid
from handrail.foundation.journal.entry import entry_bytes
from handrail.foundation.journal.tree import LOWEST
from handrail.foundation.storage import Storage, UnitOfWork

_ROWS = 4000
_BLOCK = 1 << LOWEST


@dataclass(frozen=True)
class Verified:
    """What a check of the journal found. `problem` is a sentence, None when all is well; `index` names the entry.

    `entries` and `root` are of the tree as far as it was sound; `waiting` entries have no place in it yet.
    """

    ok: bool
    entries: int
    root: str
    checkpoints: int
    problem: str | None = None
    entry_id: str | None = None
    index: int | None = None
    waiting: int = 0


class _Found(Exception):
    """Something differs from what was written."""

    def __init__(self, problem: str, index: int | None, entry_id: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.index = index
        self.entry_id = entry_id


def verify(storage: Storage, verifier: str) -> Verified:
    """Recompute every leaf, payload commitment, subtree, checkpoint, and by what entries are found.

    `verifier` is the public key in text form.
    A payload that was erased is fine: what it said cannot be read any more, that it was there stays proved. Nothing is
    written. A row that the database cannot read any more is damage too.
    """
    tree = _Tree()
    try:
        return storage.read(lambda uow: _verify(uow, tree, verifier))
    except (HandrailError, TypeError, ValueError, AttributeError) as error:
        index, entry_id = _unreadable(storage, tree.size)
        return Verified(False, tree.size, tree.root().hex(), 0, f"it cannot be read: {error}", entry_id, index)


def _verify(uow: UnitOfWork, tree: _Tree, verifier: str) -> Verified:
    signed = store.checkpoints(uow)
    waiting = 0
    try:
        _check_entries(uow, tree, signed, verifier)
        _check_nodes(uow, tree)
        _check_names(uow)
        for row in _waiting(uow):
            _check_entry(row, None)
            waiting += 1
        _check_payloads(uow)
    except _Found as found:
        root = tree.root().hex()
        return Verified(False, tree.size, root, len(signed), found.problem, found.entry_id, found.index, waiting)
    return Verified(True, tree.size, tree.root().hex(), len(signed), waiting=waiting)


def _unreadable(storage: Storage, first: int) -> tuple[int | None, str | None]:
    """Return which entry from `first` on the database cannot give back: (index, id), as far as it can be told."""
    for index in range(first, first + _ROWS):
        try:
            rows = storage.read(partial(store.placed_rows, last=index - 1, most=1))
            if not rows:
                break
        except HandrailError:
            try:
                return index, storage.read(partial(store.id_at, index=index))
            except HandrailError:
                return index, None
    return None, None


def _check_entries(uow: UnitOfWork, tree: _Tree, signed: list[tuple[int, str, int]], verifier: str) -> None:
    notes_left = [(size, note) for size, note, _ in reversed(signed)]
    last_id: str | None = None
    while notes_left and notes_left[-1][0] == 0:
        _check_note(notes_left.pop(), tree, verifier, None)
    for row in _placed(uow):
        if row[0] != tree.size:
            raise _Found("its place in the tree is missing", tree.size, store.id_without(uow, "place"))
        if row[1] is None:
            raise _Found("the entry is missing", tree.size, store.id_without(uow, "entry"))
        last_id = row[1]
        tree.add(_check_entry(row, tree.size))
        while notes_left and notes_left[-1][0] == tree.size:
            _check_note(notes_left.pop(), tree, verifier, last_id)
    if notes_left:
        size = notes_left[-1][0]
        raise _Found(
            f"entries are missing: a checkpoint of {size} entries was signed, {tree.size} are there", tree.size
        )


def _check_entry(row: tuple[Any, ...], index: int | None) -> bytes:
    """Return the leaf hash of a sound entry."""
    _, entry_id, time, kind, actor_id, name, project_id, verb, objects, content, commitment, salt, leaf = row
    try:
        told = entry_bytes(entry_id, time, (kind, actor_id, name), project_id, verb, objects, commitment)
        whole = sha256(b"\x00" + told).digest() == leaf
        sound = content is None or sha256(salt + content.encode()).digest() == commitment
    except (TypeError, ValueError, AttributeError):  # a value of another type than was ever written
        whole = sound = False
    if not whole:
        raise _Found("its columns are not those that were written", index, str(entry_id))
    if not sound:
        raise _Found("its payload is not the one that was written", index, str(entry_id))
    return bytes(leaf)


def _check_note(signed: tuple[int, str], tree: _Tree, verifier: str, entry_id: str | None) -> None:
    size, note = signed
    index = size - 1 if size else None
    try:
        told = notes.read(note, verifier)
    except CheckpointInvalid as error:
        raise _Found(f"the checkpoint of {size} entries is not valid: {error.sentence}", index, entry_id) from None
    if told.size != size or told.root != tree.root():
        raise _Found(
            f"the entries up to here are not those that the checkpoint of {told.size} entries signed", index, entry_id
        )


def _check_nodes(uow: UnitOfWork, tree: _Tree) -> None:
    kept = tree.kept()
    for level, index, value in _stored_nodes(uow):
        expected = next(kept, None)
        if expected != (level, index, value):
            if expected is not None and expected < (level, index, b""):
                level, index = expected[0], expected[1]
            _raise_node(level, index)
    expected = next(kept, None)
    if expected is not None:
        _raise_node(expected[0], expected[1])


def _check_payloads(uow: UnitOfWork) -> None:
    """An erased payload is gone; one that belongs to no entry was taken away from the entry that commits to it."""
    lost = store.lost_payload(uow)
    if lost is None:
        return
    salt, content = lost
    entry_id, index = store.of_commitment(uow, sha256(salt + content.encode()).digest())
    raise _Found("its payload is kept under the name of an entry that is not there", index, entry_id)


def _check_names(uow: UnitOfWork) -> None:
    """Entries are found by what they name: a dossier from a list that was changed would leave something out."""
    index = store.misnamed(uow)
    if index is not None:
        raise _Found("it is not found by what it names, or by something else", index, store.id_at(uow, index))


def _raise_node(level: int, index: int) -> None:
    first = index << level
    last = first + (1 << level) - 1
    raise _Found(
        f"the subtree over the entries {first} to {last} is not the one that was kept: "
        "it, a place or the order of these entries was changed",
        first,
    )


class _Tree:
    """The tree of the entries seen so far: complete blocks of leaves, and their subtrees level by level."""

    def __init__(self) -> None:
        self.size = 0
        self._open: list[bytes] = []
        self._levels: list[list[bytes]] = []  # from LOWEST up

    def add(self, leaf: bytes) -> None:
        self.size += 1
        self._open.append(leaf)
        if len(self._open) == _BLOCK:
            self._keep(merkle.complete(self._open))
            self._open = []

    def root(self) -> bytes:
        def node(level: int, index: int) -> bytes:
            if level >= LOWEST:
                return self._levels[level - LOWEST][index]
            first = (index << level) % _BLOCK
            return merkle.complete(self._open[first : first + (1 << level)])

        return merkle.root(self.size, node)

    def kept(self) -> Iterator[tuple[int, int, bytes]]:
        """Return every (level, index, hash) that must be stored, in order."""
        for level, values in enumerate(self._levels, LOWEST):
            for index, value in enumerate(values):
                yield level, index, value

    def _keep(self, value: bytes) -> None:
        for values in self._levels:
            values.append(value)
            if len(values) % 2:
                return
            value = merkle.node_hash(values[-2], value)
        self._levels.append([value])


def _placed(uow: UnitOfWork) -> Iterator[tuple[Any, ...]]:
    last = -1
    while rows := store.placed_rows(uow, last, _ROWS):
        yield from rows
        last = rows[-1][0]


def _waiting(uow: UnitOfWork) -> Iterator[tuple[Any, ...]]:
    last = 0
    while rows := store.waiting_rows(uow, last, _ROWS):
        yield from rows
        last = rows[-1][0]


def _stored_nodes(uow: UnitOfWork) -> Iterator[tuple[int, int, bytes]]:
    level, index = 0, -1
    while rows := store.all_nodes(uow, level, index, _ROWS):
        yield from rows
        level, index = rows[-1][0], rows[-1][1]
