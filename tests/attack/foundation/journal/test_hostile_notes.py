"""Checkpoints from somebody else: whatever text arrives, it is read or refused, and never believed without the key."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given
from hypothesis import strategies as st

from handrail.foundation.journal.checkpoint import CheckpointInvalid, Signer, read

SIGNER = Signer("example.org/log", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
NOTE = SIGNER.sign(12345, bytes(range(32)))
anything = st.text(max_size=80)  # lone halves of characters too


@given(anything)
@example("\ud800")
@example("\n\n\u2014 a \n")
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(CheckpointInvalid):
        read(text, SIGNER.verifier)
    with pytest.raises(CheckpointInvalid):
        read(NOTE, text)


@given(st.integers(0, len(NOTE)), st.integers(0, 12), anything)
@example(0, 0, "\udfff")
@example(5, 1, "\ud800")
def test_a_note_with_a_part_exchanged_is_refused_or_the_same(start: int, length: int, new: str) -> None:
    changed = NOTE[:start] + new + NOTE[start + length :]
    if changed == NOTE:
        return
    try:
        found = read(changed, SIGNER.verifier)
    except CheckpointInvalid:
        return
    # Only a further line by somebody else may be added without the key.
    assert (found.size, found.root) == (12345, bytes(range(32)))
    assert changed.partition("\n\n")[0] == NOTE.partition("\n\n")[0]


@given(st.integers(0, len(SIGNER.verifier)), st.integers(0, 6), anything)
@example(0, 1, "\ud800")
def test_a_verifier_key_with_a_part_exchanged_is_refused(start: int, length: int, new: str) -> None:
    changed = SIGNER.verifier[:start] + new + SIGNER.verifier[start + length :]
    if changed == SIGNER.verifier:
        return
    with pytest.raises(CheckpointInvalid):
        read(NOTE, changed)


def test_a_note_of_many_lines_costs_little() -> None:
    for tail in ("\u2014 x AAAAAAAA\n" * 200_000, "\n" * 1_000_000, "\n\n" * 300_000 + "x\n", "A" * 3_000_000 + "\n"):
        with pytest.raises(CheckpointInvalid):
            read(NOTE + tail, SIGNER.verifier)
