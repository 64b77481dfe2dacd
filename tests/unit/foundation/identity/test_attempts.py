from __future__ import annotations

import pytest

from handrail.foundation.clock import FixedClock
from handrail.foundation.identity import attempts as module
from handrail.foundation.identity.attempts import Attempts, TooManyAttempts


def _fail(attempts: Attempts, times: int, email: str = "a@b", address: str = "1.1.1.1") -> int:
    """Try `times` times and return how many were let through."""
    passed = 0
    for _ in range(times):
        try:
            attempts.begin(email, address)
        except TooManyAttempts:
            continue
        passed += 1
    return passed


def test_a_few_tries_are_free_and_then_each_costs_twice_the_wait(clock: FixedClock) -> None:
    attempts = Attempts(clock)
    assert _fail(attempts, 20) == 5
    with pytest.raises(TooManyAttempts) as refused:
        attempts.begin("a@b", "1.1.1.1")
    assert refused.value.facts == {"retry_after_s": 1}
    assert refused.value.status == 429
    clock.advance(seconds=1)
    assert _fail(attempts, 20) == 1
    clock.advance(seconds=1)
    assert _fail(attempts, 20) == 0
    clock.advance(seconds=1)
    assert _fail(attempts, 20) == 1


def test_guessing_for_a_day_stays_slow(clock: FixedClock) -> None:
    attempts = Attempts(clock)
    passed = 0
    for _ in range(24 * 60):
        passed += _fail(attempts, 3)
        clock.advance(seconds=60)
    assert passed < 130


def test_success_clears_this_person_from_this_address_only(clock: FixedClock) -> None:
    attempts = Attempts(clock)
    assert _fail(attempts, 5) == 5
    clock.advance(seconds=2)
    attempts.begin("a@b", "1.1.1.1")
    attempts.succeeded("a@b", "1.1.1.1")
    assert _fail(attempts, 20) == 5


def test_a_stranger_cannot_lock_somebody_out_from_one_place(clock: FixedClock) -> None:
    attempts = Attempts(clock)
    _fail(attempts, 1000, address="6.6.6.6")
    attempts.begin("a@b", "1.1.1.1")


def test_one_address_cannot_try_many_people(clock: FixedClock) -> None:
    attempts = Attempts(clock)
    assert sum(_fail(attempts, 1, email=f"{number}@b") for number in range(200)) == 30


def test_many_addresses_cannot_try_one_person_for_ever(clock: FixedClock) -> None:
    attempts = Attempts(clock)
    assert sum(_fail(attempts, 1, address=str(number)) for number in range(1000)) == 100


def test_failures_are_forgotten_after_an_hour(clock: FixedClock) -> None:
    attempts = Attempts(clock)
    _fail(attempts, 20)
    clock.advance(seconds=3601)
    assert _fail(attempts, 20) == 5


def test_memory_is_bounded(clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_KEPT", 50)
    attempts = Attempts(clock)
    for number in range(500):
        _fail(attempts, 1, email=f"{number}@b", address=str(number))
    assert len(attempts._failures) <= 50
