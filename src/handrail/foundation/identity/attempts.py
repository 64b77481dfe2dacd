"""Slows down guessing: after a few failures each further one costs twice the wait of the one before."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from math import ceil

from handrail.foundation.clock import Clock, micros
from handrail.foundation.errors import Busy

_LONGEST_S = 900.0
_FORGOTTEN_S = 3600.0
_KEPT = 20_000
# Free failures before waiting begins: of one person from one address, of one address, of one person from anywhere.
# The last is wide, or a stranger could lock a person out by failing on purpose.
_FREE = {"pair": 5, "address": 30, "email": 100}


class TooManyAttempts(Busy):
    """Too many failed sign-ins; `retry_after_s` says how long to wait."""

    code = "identity.too_many_attempts"
    status = 429


@dataclass
class _Failures:
    count: int
    last: float


class Attempts:
    """Failed sign-ins by e-mail and address, in memory, with a bounded number of entries."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[tuple[str, str], _Failures] = OrderedDict()

    def begin(self, email: str, address: str) -> None:
        """Count a try, as failed until `succeeded` says otherwise; raises TooManyAttempts when it comes too early."""
        now = self._now()
        with self._lock:
            wait = max(self._wait(place, now) for place in _places(email, address))
            if wait <= 0:
                self._count(email, address, now)
        if wait > 0:
            seconds = ceil(wait)
            raise TooManyAttempts(
                f"Too many failed tries. Wait {seconds} seconds.",
                hint="An owner can give you a new link if the password is lost.",
                retry_after_s=seconds,
            )

    def succeeded(self, email: str, address: str) -> None:
        """Forget the failures of this person from this address; the other counts lose this one try."""
        pair, *wide = _places(email, address)
        with self._lock:
            self._failures.pop(pair, None)
            for place in wide:
                known = self._failures.get(place)
                if known is not None:
                    known.count -= 1

    def _count(self, email: str, address: str, now: float) -> None:
        for place in _places(email, address):
            known = self._failures.pop(place, None)
            if known is None or now - known.last > _FORGOTTEN_S:
                known = _Failures(0, now)
            known.count += 1
            known.last = now
            self._failures[place] = known
        while len(self._failures) > _KEPT:
            self._failures.popitem(last=False)

    def _wait(self, place: tuple[str, str], now: float) -> float:
        known = self._failures.get(place)
        if known is None or now - known.last > _FORGOTTEN_S:
            return 0.0
        over = known.count - _FREE[place[0]]
        return known.last + min(2.0**over, _LONGEST_S) - now if over >= 0 else 0.0

    def _now(self) -> float:
        return micros(self._clock.now()) / 1e6


def _places(email: str, address: str) -> tuple[tuple[str, str], tuple[str, str], tuple[str, str]]:
    return ("pair", f"{email}\n{address}"), ("address", address), ("email", email)
