"""Identifiers: UUIDv7 as text (RFC 9562 section 5.7), growing within one process."""

from __future__ import annotations

import threading

from handrail.foundation.clock import Clock
from handrail.foundation.randomness import Randomness

_STEPS = 4_096_000  # in a second: what 12 bits divide a millisecond into
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


class Ids:
    """Gives identifiers that sort by the time they were given."""

    def __init__(self, clock: Clock, randomness: Randomness) -> None:
        self._clock = clock
        self._randomness = randomness
        self._lock = threading.Lock()
        self._last = 0

    def new(self) -> str:
        """Return a new UUIDv7: 48 bits of milliseconds, 12 bits of order within them, 62 random bits."""
        tail = self._randomness.bytes(8).hex()
        step = int(self._clock.now().timestamp() * _STEPS)
        with self._lock:
            # A clock that stands still or runs back still gives growing identifiers.
            if step <= self._last:
                step = self._last + 1
            self._last = step
        time = f"{step:015x}"
        return f"{time[:8]}-{time[8:12]}-7{time[12:]}-{_VARIANT[tail[0]]}{tail[1:4]}-{tail[4:]}"
