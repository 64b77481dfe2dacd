"""The bytes of an entry, which are written by hand for speed, are those of the canonical form."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from handrail.foundation.canonical import encode
from handrail.foundation.journal.entry import entry_bytes

texts = st.text(st.characters(exclude_categories=["Cs"]))
actors = st.tuples(texts, texts, texts)
objects = st.dictionaries(texts, texts, max_size=4)


@given(texts, st.integers(-(2**63), 2**63 - 1), actors, st.none() | texts, texts, objects, st.binary(max_size=32))
def test_the_bytes_are_canonical_json(
    entry_id: str,
    time: int,
    actor: tuple[str, str, str],
    project: str | None,
    verb: str,
    named: dict[str, str],
    commitment: bytes,
) -> None:
    made = entry_bytes(entry_id, time, actor, project, verb, encode(named), commitment)
    whole = [entry_id, time, *actor, project, verb, named, commitment.hex()]
    assert made == encode(whole).encode()
    assert json.loads(made) == whole
