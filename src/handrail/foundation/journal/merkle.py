"""The Merkle tree of RFC 9162, section 2.1: roots, inclusion proofs, consistency proofs. Pure.

A tree of n leaves is kept as its complete subtrees: `node(level, index)` is the hash over the leaves
[index * 2**level, (index + 1) * 2**level). Level 0 are the leaf hashes themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

Node = Callable[[int, int], bytes]
"""Returns the hash of the complete subtree (level, index)."""

EMPTY = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash over two subtrees."""
    return sha256(b"\x01" + left + right).digest()


def grown(size: int, leaves: Sequence[bytes], node: Node) -> list[tuple[int, int, bytes]]:
    """Return (level, index, hash) of the complete subtrees of level 1 and up that new leaves complete, in order.

    `size` leaves are there already; `node` gives what they completed.
    """
    made: list[tuple[int, int, bytes]] = []
    level, first, values = 0, size, list(leaves)
    while values:
        if first & 1:
            first -= 1
            values.insert(0, node(level, first))
        level, first = level + 1, first >> 1
        values = [node_hash(left, right) for left, right in zip(values[::2], values[1::2], strict=False)]
        made += [(level, first + place, value) for place, value in enumerate(values)]
    return made


def complete(leaves: Sequence[bytes]) -> bytes:
    """Return the hash over leaves whose number is a power of two."""
    level = list(leaves)
    while len(level) > 1:
        level = [node_hash(level[place], level[place + 1]) for place in range(0, len(level), 2)]
    return level[0]


def root(size: int, node: Node) -> bytes:
    """Return the root hash of the first `size` leaves."""
    return EMPTY if size == 0 else _over(0, size, node)


def inclusion(index: int, size: int, node: Node) -> list[bytes]:
    """Return the audit path of leaf `index` in the tree of `size` leaves, lowest first."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    path: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_over(middle, high, node))
            high = middle
        else:
            path.append(_over(low, middle, node))
            low = middle
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], expected: bytes) -> bool:
    """Return whether `path` proves that `leaf` is number `index` of the tree with this size and root."""
    if not 0 <= index < size:
        return False
    place, last, value = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            value = node_hash(step, value)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            value = node_hash(value, step)
        place, last = place >> 1, last >> 1
    return last == 0 and value == expected


def consistency(old: int, new: int, node: Node) -> list[bytes]:
    """Return the proof that the tree of `old` leaves is the beginning of the tree of `new` leaves."""
    if not 0 < old <= new:
        raise ValueError(f"there is no proof from {old} to {new} leaves")
    if old == new:
        return []
    return _subproof(old, 0, new, True, node)


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Return whether `proof` shows that nothing of the first `old` leaves was changed or left out."""
    if old == new:
        return not proof and old_root == new_root
    if not 0 < old < new:
        return False
    steps = list(proof)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, step)
        place, last = place >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def _split(size: int) -> int:
    return 1 << ((size - 1).bit_length() - 1)


def _over(low: int, high: int, node: Node) -> bytes:
    """Return the hash over leaves [low, high), which begins at a multiple of the power of two that covers it."""
    size = high - low
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return node(level, low >> level)
    middle = low + _split(size)
    return node_hash(_over(low, middle, node), _over(middle, high, node))


def _subproof(old: int, low: int, high: int, whole: bool, node: Node) -> list[bytes]:
    if old == high - low:
        return [] if whole else [_over(low, high, node)]
    split = _split(high - low)
    if old <= split:
        return [*_subproof(old, low, low + split, whole, node), _over(low + split, high, node)]
    return [*_subproof(old - split, low + split, high, False, node), _over(low, low + split, node)]
