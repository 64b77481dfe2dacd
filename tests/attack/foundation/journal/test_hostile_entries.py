"""Hostile contents of entries: kept as they are or refused, and the writer serves the next caller."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from handrail.foundation.actors import Actor
from handrail.foundation.clock import FixedClock
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Event, Journal
from handrail.foundation.journal.checkpoint import Signer
from handrail.foundation.journal.proofs import Prover
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import Storage, UnitOfWork


@dataclass(frozen=True, kw_only=True)
class Said(Event):
    """Somebody said something."""

    verb: ClassVar[str] = "test.said"
    decision_id: str = "t"
    said: Any


TEXTS = [
    "'; DROP TABLE journal_entry; --",
    '"}],"x":[{"',
    "\u2028\u2029\ufeff\u202e\u0000".replace("\u0000", "\\u0000"),
    "\x7f\x80\x9f",
    "NaN",
    "\U0010ffff",
    "%s %(x)s ? :x $1 ${x}",
]


@pytest.fixture
def says(
    storage: Storage, clock: FixedClock, ids: Ids, randomness: Randomness
) -> Callable[[Any, str, str], Callable[[UnitOfWork], str]]:
    journal = Journal(clock, ids, randomness)

    def make(said: Any, name: str = "Ann", decision: str = "t") -> Callable[[UnitOfWork], str]:
        actor = Actor(kind="person", id=decision, name=name)
        return lambda uow: journal.append(uow, actor, "p", Said(decision_id=decision, said=said))

    return make


@pytest.fixture
def prover(storage: Storage, clock: FixedClock, ids: Ids, randomness: Randomness, tmp_path: Path) -> Prover:
    return Prover(storage, Journal(clock, ids, randomness), clock, Signer.of_home(tmp_path))


def test_every_text_is_kept_and_proved_as_it_is(storage: Storage, says: Any, prover: Prover) -> None:
    made = {text: storage.write(says(text, text, text[:64])) for text in TEXTS}
    for text, entry_id in made.items():
        proof = prover.prove(entry_id)
        assert proof["payload"] == {"said": text}
        assert proof["entry"][4] == text
        assert proof["entry"][7] == {"decision": text[:64]}
    assert prover.verify().ok
    journal = Journal(prover._clock, Ids(prover._clock, Randomness()), Randomness())
    for text in TEXTS:
        found = storage.read(lambda uow, text=text: journal.about(uow, "p", "decision", text[:64]))  # type: ignore[misc]
        assert [one.payload["said"] for one in found] == [text]


def test_what_cannot_be_kept_is_refused_and_the_next_one_is_kept(storage: Storage, says: Any, prover: Prover) -> None:
    deep: Any = []
    for _ in range(200_000):
        deep = [deep]
    itself: list[Any] = []
    itself.append(itself)
    for bad in (deep, itself, float("nan"), {1: {2: object()}}, b"x", "\ud800", {"\udfff": 1}):
        with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is, it is no crash
            storage.write(says(bad))
        assert not isinstance(caught.value, MemoryError)
    while deep:  # taken apart by hand: Python would do it by recursion
        deep = deep[0]
    kept = storage.write(says("fine"))
    found = prover.verify()
    assert (found.ok, found.waiting) == (True, 1)
    assert prover.prove(kept)["payload"] == {"said": "fine"}


def test_zero_characters_mean_the_same_on_both_databases(storage: Storage, says: Any, prover: Prover) -> None:
    """PostgreSQL's columns cannot hold one; in a payload it is written as JSON writes it, in a name it is refused."""
    entry_id = storage.write(says("a\0b"))
    assert prover.prove(entry_id)["payload"] == {"said": "a\0b"}
    assert prover.verify().ok
    with pytest.raises(Exception, match="zero character"):
        storage.write(says("x", "a\0b"))


def test_a_large_payload_is_kept_whole(storage: Storage, says: Any, prover: Prover) -> None:
    large = "ä" * 5_000_000
    began = time.monotonic()
    entry_id = storage.write(says(large))
    assert prover.prove(entry_id)["payload"] == {"said": large}
    assert prover.verify().ok
    assert time.monotonic() - began < 20


def test_an_object_name_cannot_pass_for_another_one(storage: Storage, says: Any, prover: Prover) -> None:
    """Names are JSON texts in a JSON text; none can end its own and begin another."""
    storage.write(says("x", decision='t","decision":"o'))
    storage.write(says("y", decision="o"))
    prover.checkpoint()
    journal = Journal(prover._clock, Ids(prover._clock, Randomness()), Randomness())
    assert storage.read(lambda uow: journal.about(uow, "p", "decision", "o"))[0].payload == {"said": "y"}
    (found,) = storage.read(lambda uow: journal.about(uow, "p", "decision", 't","decision":"o'))
    assert found.objects == json.loads('{"decision":"t\\",\\"decision\\":\\"o"}')
