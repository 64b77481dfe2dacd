"""The tree against the definitions of RFC 9162, section 2.1, computed by plain recursion over lists."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.foundation.journal import merkle

LARGEST = 64


@cache
def data(index: int) -> bytes:
    return b"entry %d" % index


@cache
def tree_hash(first: int, end: int) -> bytes:
    """Return MTH(D[first:end])."""
    if first == end:
        return sha256(b"").digest()
    if end - first == 1:
        return sha256(b"\x00" + data(first)).digest()
    middle = first + split(end - first)
    return sha256(b"\x01" + tree_hash(first, middle) + tree_hash(middle, end)).digest()


def split(n: int) -> int:
    """Return the largest power of two smaller than n."""
    return max(1 << power for power in range(n.bit_length()) if 1 << power < n)


def path(m: int, first: int, end: int) -> list[bytes]:
    """Return PATH(m, D[first:end])."""
    n = end - first
    if n == 1:
        return []
    k = split(n)
    if m < k:
        return [*path(m, first, first + k), tree_hash(first + k, end)]
    return [*path(m - k, first + k, end), tree_hash(first, first + k)]


def subproof(m: int, first: int, end: int, known: bool) -> list[bytes]:
    """Return SUBPROOF(m, D[first:end], known)."""
    n = end - first
    if m == n:
        return [] if known else [tree_hash(first, end)]
    k = split(n)
    if m <= k:
        return [*subproof(m, first, first + k, known), tree_hash(first + k, end)]
    return [*subproof(m - k, first + k, end, False), tree_hash(first, first + k)]


def grown(batches: Sequence[int]) -> merkle.Node:
    """Return the complete subtrees of a tree that grew by these batches."""
    known: dict[tuple[int, int], bytes] = {}
    size = 0
    for count in batches:
        leaves = [merkle.leaf_hash(data(size + number)) for number in range(count)]
        known.update(((0, size + number), leaf) for number, leaf in enumerate(leaves))
        made = merkle.grown(size, leaves, lambda level, index: known[level, index])
        assert not {(level, index) for level, index, _ in made} & known.keys(), "a subtree is complete once"
        known.update({(level, index): value for level, index, value in made})
        size += count
    return lambda level, index: known[level, index]


WHOLE = grown([LARGEST])


@pytest.mark.parametrize("n", range(LARGEST + 1))
def test_roots_and_inclusion(n: int) -> None:
    root = merkle.root(n, WHOLE)
    assert root == tree_hash(0, n)
    for m in range(n):
        leaf, proof = merkle.leaf_hash(data(m)), merkle.inclusion(m, n, WHOLE)
        assert proof == path(m, 0, n)
        assert merkle.verify_inclusion(leaf, m, n, proof, root)
        for other in {m - 1, m + 1, m ^ 1, n - 1 - m, n, -1} - {m}:
            assert not merkle.verify_inclusion(leaf, other, n, proof, root)
        for wrong in damaged(proof):
            assert not merkle.verify_inclusion(leaf, m, n, wrong, root)
        assert not merkle.verify_inclusion(merkle.leaf_hash(b"other"), m, n, proof, root)
    for m in (-1, n, n + 1):
        with pytest.raises(ValueError, match="not in a tree"):
            merkle.inclusion(m, n, WHOLE)


@pytest.mark.parametrize("n", range(1, LARGEST + 1))
def test_consistency(n: int) -> None:
    root = tree_hash(0, n)
    for m in range(1, n + 1):
        old, proof = tree_hash(0, m), merkle.consistency(m, n, WHOLE)
        assert proof == subproof(m, 0, n, True)
        assert merkle.verify_consistency(m, n, old, root, proof)
        assert not merkle.verify_consistency(m, n, merkle.leaf_hash(old), root, proof)
        assert not merkle.verify_consistency(m, n, old, merkle.leaf_hash(root), proof)
        for wrong in damaged(proof):
            assert not merkle.verify_consistency(m, n, old, root, wrong)
        if m > 1:
            assert not merkle.verify_consistency(m - 1, n, old, root, proof)
        assert not merkle.verify_consistency(n + 1, n, old, root, proof)
        assert not merkle.verify_consistency(0, n, tree_hash(0, 0), root, proof)
    for m, of in ((0, n), (n + 1, n), (-1, n)):
        with pytest.raises(ValueError, match="no proof"):
            merkle.consistency(m, of, WHOLE)


def damaged(proof: list[bytes]) -> list[list[bytes]]:
    """Return proofs with one step changed, left out, doubled, or with two steps exchanged."""
    found = [[*proof, bytes(32)], [bytes(32), *proof]]
    for place, step in enumerate(proof):
        found.append([*proof[:place], bytes([step[0] ^ 1]) + step[1:], *proof[place + 1 :]])
        found.append(proof[:place] + proof[place + 1 :])
        found.append([*proof[:place], step, *proof[place:]])
    found += [
        [*proof[:place], proof[place + 1], proof[place], *proof[place + 2 :]]
        for place in range(len(proof) - 1)
        if proof[place] != proof[place + 1]
    ]
    return found


@given(st.lists(st.integers(0, 40), max_size=12), st.data())
def test_growing_in_any_batches_is_one_tree(batches: list[int], draw: st.DataObject) -> None:
    node, n = grown(batches), sum(batches)
    assert merkle.root(n, node) == tree_hash(0, n)
    if n == 0:
        return
    m = draw.draw(st.integers(0, n - 1))
    assert merkle.inclusion(m, n, node) == path(m, 0, n)
    assert merkle.consistency(m + 1, n, node) == subproof(m + 1, 0, n, True)


@given(st.integers(0, 7))
def test_a_complete_subtree_is_its_leaves_hashed_together(level: int) -> None:
    leaves = [merkle.leaf_hash(data(number)) for number in range(1 << level)]
    assert merkle.complete(leaves) == tree_hash(0, 1 << level)
