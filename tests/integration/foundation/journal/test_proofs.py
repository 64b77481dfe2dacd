"""Proofs as an outsider checks them: with another implementation of the tree, and the published forms alone."""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pymerkle import InmemoryTree, verify_consistency, verify_inclusion

from handrail.foundation.journal import merkle
from handrail.foundation.journal.proofs import EntryNotFound, NoSuchTree
from tests.integration.foundation.journal.log import Log

SIZE = 37  # two complete subtrees of 16, and a rest that is not kept


def _entry(proof: dict[str, Any]) -> bytes:
    """Return the bytes of a proof's entry, written without our code."""
    whole = [*proof["entry"], proof["commitment"]]
    return json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _signed(note: str, verifier: str) -> tuple[int, bytes]:
    """Check a checkpoint's signature by the C2SP forms and return (size, root)."""
    text, _, signature = note.rpartition("\n\n")
    origin, size, root = text.split("\n")
    name, _, key = verifier.split("+", 2)
    blob = base64.b64decode(signature.split(" ")[2])
    public = base64.b64decode(key)
    assert origin == name
    assert signature.startswith(f"\u2014 {name} ")
    assert blob[:4] == sha256(f"{name}\n".encode() + public).digest()[:4]
    Ed25519PublicKey.from_public_bytes(public[1:]).verify(blob[4:], f"{text}\n".encode())
    return int(size), base64.b64decode(root)


def test_each_entry_is_proved_under_a_signed_root(log: Log) -> None:
    ids = log.fill(SIZE)
    oracle = InmemoryTree(algorithm="sha256")
    proofs = [log.prover.prove(entry_id) for entry_id in ids]
    for proof in proofs:
        oracle.append_entry(_entry(proof))
    root = oracle.get_root(SIZE)
    for index, proof in enumerate(proofs):
        assert (proof["index"], proof["size"]) == (index, SIZE)
        assert _signed(proof["checkpoint"], proof["verifier"]) == (SIZE, root)
        assert [bytes.fromhex(step) for step in proof["path"]] == oracle.prove_inclusion(index + 1, SIZE).path[1:]
        verify_inclusion(oracle.get_leaf(index + 1), root, oracle.prove_inclusion(index + 1, SIZE))
        told = json.dumps(proof["payload"], sort_keys=True, separators=(",", ":")).encode()
        assert sha256(bytes.fromhex(proof["salt"]) + told).hexdigest() == proof["commitment"]
    assert len({proof["checkpoint"] for proof in proofs}) == 1, "a tree that did not grow is signed once"


def test_a_proof_of_something_else_does_not_hold(log: Log) -> None:
    ids = log.fill(SIZE)
    proof = log.prover.prove(ids[20])
    size, root = _signed(proof["checkpoint"], proof["verifier"])
    path = [bytes.fromhex(step) for step in proof["path"]]
    leaf = merkle.leaf_hash(_entry(proof))
    assert merkle.verify_inclusion(leaf, 20, size, path, root)
    for place in range(len(proof["entry"])):
        changed = {**proof, "entry": list(proof["entry"])}
        changed["entry"][place] = "x"
        assert not merkle.verify_inclusion(merkle.leaf_hash(_entry(changed)), 20, size, path, root)
    assert not merkle.verify_inclusion(leaf, 21, size, path, root)
    assert not merkle.verify_inclusion(leaf, 20, size, [*path, path[0]], root)


def test_every_earlier_size_is_a_beginning_of_every_later_one(log: Log) -> None:
    roots: dict[int, bytes] = {}
    oracle = InmemoryTree(algorithm="sha256")
    for count in (1, 2, 4, 9, 1, 16, 4):  # up to 1, 3, 7, 16, 17, 33, 37
        for entry_id in log.fill(count):
            oracle.append_entry(_entry(log.prover.prove(entry_id)))
        size, root = _signed(log.prover.checkpoint(), log.prover.signer.verifier)
        roots[size] = root
    assert list(roots) == [1, 3, 7, 16, 17, 33, 37]
    for old, old_root in roots.items():
        for new, new_root in roots.items():
            if old > new:
                with pytest.raises(NoSuchTree):
                    log.prover.consistency(old, new)
                continue
            proof = [bytes.fromhex(step) for step in log.prover.consistency(old, new)]
            assert merkle.verify_consistency(old, new, old_root, new_root, proof)
            if old < new:
                verify_consistency(old_root, new_root, oracle.prove_consistency(old, new))
                assert not merkle.verify_consistency(old, new, new_root, new_root, proof)


def test_an_unknown_entry_has_no_proof(log: Log) -> None:
    log.fill(3)
    with pytest.raises(EntryNotFound):
        log.prover.prove("nobody")


def test_an_empty_journal_can_be_signed(log: Log) -> None:
    size, root = _signed(log.prover.checkpoint(), log.prover.signer.verifier)
    assert (size, root) == (0, sha256(b"").digest())
    found = log.prover.verify()
    assert (found.ok, found.entries, found.checkpoints, found.root) == (True, 0, 1, root.hex())
    log.fill(1)
    assert log.prover.verify().waiting == 1
    assert _signed(log.prover.checkpoint(), log.prover.signer.verifier)[0] == 1
    assert log.prover.verify().checkpoints == 2
