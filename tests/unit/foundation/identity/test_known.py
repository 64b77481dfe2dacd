from __future__ import annotations

import pytest

from handrail.foundation.actors import Actor
from handrail.foundation.clock import FixedClock, micros
from handrail.foundation.identity import known as module
from handrail.foundation.identity.known import UNKNOWN, KnownActors

ANN = Actor("person", "p", "Ann")


def test_an_actor_is_remembered_for_a_few_seconds(clock: FixedClock) -> None:
    known = KnownActors(clock)
    assert known.get("d") is UNKNOWN
    known.put("d", ANN, generation=known.generation)
    known.put("nobody", None, generation=known.generation)
    assert known.get("d") is ANN
    assert known.get("nobody") is None
    clock.advance(seconds=5)
    assert known.get("d") is UNKNOWN


def test_never_longer_than_the_session(clock: FixedClock) -> None:
    known = KnownActors(clock)
    known.put("d", ANN, generation=known.generation, ends=micros(clock.now()) + 1_000_000)
    assert known.get("d") is ANN
    clock.advance(seconds=1)
    assert known.get("d") is UNKNOWN


def test_what_was_read_before_a_change_is_not_remembered_after_it(clock: FixedClock) -> None:
    known = KnownActors(clock)
    generation = known.generation
    known.forget()
    known.put("d", ANN, generation=generation)
    assert known.get("d") is UNKNOWN


def test_memory_is_bounded(clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 10)
    known = KnownActors(clock)
    for number in range(100):
        known.put(str(number), ANN, generation=known.generation)
    assert len(known._entries) <= 10
