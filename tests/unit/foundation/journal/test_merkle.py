"""The tree against another implementation of the same standard."""

from __future__ import annotations

import pytest
from pymerkle import InmemoryTree

from handrail.foundation.journal import merkle


def _tree(leaves: list[bytes]) -> merkle.Node:
    known = {(0, index): leaf for index, leaf in enumerate(leaves)}

    def node(level: int, index: int) -> bytes:
        return known[level, index]

    for level, index, value in merkle.grown(0, leaves, node):
        known[level, index] = value
    return node


@pytest.mark.parametrize("size", range(1, 41))
def test_roots_and_proofs_are_those_of_the_oracle(size: int) -> None:
    oracle = InmemoryTree(algorithm="sha256")
    for number in range(size):
        oracle.append_entry(b"%d" % number)
    leaves = [merkle.leaf_hash(b"%d" % number) for number in range(size)]
    node = _tree(leaves)
    root = merkle.root(size, node)
    assert root == oracle.get_root(size) if hasattr(oracle, "get_root") else oracle.get_state(size)
    for index in range(size):
        path = merkle.inclusion(index, size, node)
        assert path == oracle.prove_inclusion(index + 1, size).path[1:]
        assert merkle.verify_inclusion(leaves[index], index, size, path, root)
        assert not merkle.verify_inclusion(leaves[index], (index + 1) % (size + 1), size, path, root)
        assert not path or not merkle.verify_inclusion(leaves[index], index, size, path[:-1], root)
    for old in range(1, size + 1):
        proof = merkle.consistency(old, size, node)
        old_root = merkle.root(old, node)
        assert merkle.verify_consistency(old, size, old_root, root, proof)
        if old < size:
            assert not merkle.verify_consistency(old, size, root, root, proof)
            assert not merkle.verify_consistency(old, size, old_root, old_root, proof)


def test_known_answers_of_the_standard() -> None:
    entries = [
        bytes.fromhex(text)
        for text in (
            "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
        )
    ]  # fmt: skip
    leaves = [merkle.leaf_hash(entry) for entry in entries]
    node = _tree(leaves)
    assert merkle.root(0, node).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert merkle.root(1, node).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert merkle.root(8, node).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_growing_in_batches_is_growing_at_once() -> None:
    leaves = [merkle.leaf_hash(b"%d" % number) for number in range(37)]
    known = {(0, index): leaf for index, leaf in enumerate(leaves)}
    size = 0
    for batch in (1, 5, 2, 9, 20):
        for level, index, value in merkle.grown(
            size, leaves[size : size + batch], lambda level, index: known[level, index]
        ):
            known[level, index] = value
        size += batch
    once = _tree(leaves)
    assert merkle.root(37, lambda level, index: known[level, index]) == merkle.root(37, once)
