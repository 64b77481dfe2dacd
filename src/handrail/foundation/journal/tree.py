"""The tree as the database keeps it: the leaves stand in the entries, larger subtrees in a table of their own."""

from __future__ import annotations

from handrail.foundation.errors import Broken
from handrail.foundation.journal import merkle, store
from handrail.foundation.storage import UnitOfWork

BATCH = 1000
LOWEST = 4
"""Subtrees of fewer than 16 leaves are not kept: hashing them again is cheaper than writing them."""


class JournalDamaged(Broken):
    """A part of the journal that must be there is missing; `handrail journal verify` says which."""

    code = "journal.damaged"


def stored(uow: UnitOfWork) -> merkle.Node:
    """Return the subtrees as the database holds them; raises JournalDamaged for one that is missing."""

    def node(level: int, index: int) -> bytes:
        if level < LOWEST:
            leaves = store.get_leaves(uow, index << level, (index + 1) << level)
            if len(leaves) != 1 << level:
                raise JournalDamaged(f"Entries {index << level} to {((index + 1) << level) - 1} are not all there.")
            return merkle.complete(leaves)
        found = store.get_node(uow, level, index)
        if found is None:
            raise JournalDamaged(f"The subtree ({level}, {index}) of the journal is missing.")
        return found

    return node


def integrate(uow: UnitOfWork) -> int:
    """Give the next entries that wait their place in the tree, at most BATCH; returns how many got one."""
    size, leaves = store.place(uow, BATCH)
    if leaves:
        grown = merkle.grown(size, leaves, stored(uow))
        store.add_nodes(uow, [made for made in grown if made[0] >= LOWEST])
    return len(leaves)
