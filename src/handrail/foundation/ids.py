"""Identifiers: UUIDv7 as text (RFC 9562 section 5.7), growing within one process."""

from __future__ import annotations

import threading

from handrail.foundation.clock import Clock, micros
from handrail.foundation.randomness import Randomness

_HEX = "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}"


class Ids:
    """Gives identifiers that sort by the time they were given."""

    def __init__(self, clock: Clock, randomness: Randomness) -> None:
        self._clock = clock
        self._randomness = randomness
        self._lock = threading.Lock()
        self._last = 0

    def new(self) -> str:
        """Return a new UUIDv7: 48 bits of milliseconds, 12 bits of order within them, 62 random bits."""
        tail = int.from_bytes(self._randomness.bytes(8), "big") & ((1 << 62) - 1)
        moment = micros(self._clock.now())
        with self._lock:
            # One step is 1/4096 ms; a clock that stands still or runs back still gives growing identifiers.
            step = max((moment // 1000 << 12) | (moment % 1000 * 4096 // 1000), self._last + 1)
            self._last = step
        millis, order = step >> 12, step & 0xFFF
        high = 0x8000 | (tail >> 48)
        return _HEX.format(millis >> 16 & 0xFFFFFFFF, millis & 0xFFFF, 0x7000 | order, high, tail & 0xFFFFFFFFFFFF)
