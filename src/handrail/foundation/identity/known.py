"""Who a session or token belongs to, remembered for a few seconds, so that a request needs no database."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

from handrail.foundation.actors import Actor
from handrail.foundation.clock import Clock, micros

_KEPT_US = 5_000_000
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class _Entry:
    actor: Actor | None
    until: int


class Unknown:
    """Nothing is remembered; the database must be asked."""


UNKNOWN: Final = Unknown()


class KnownActors:
    """Actors by digest of their secret. A change in this process is seen at once, one elsewhere within 5 seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: dict[str, _Entry] = {}
        self._lock = threading.Lock()
        self.generation = 0

    def get(self, digest: str) -> Actor | Unknown | None:
        """Return the actor, None for a secret that is known to be of nobody, or UNKNOWN."""
        entry = self._entries.get(digest)
        if entry is None or entry.until <= micros(self._clock.now()):
            return UNKNOWN
        return entry.actor

    def put(self, digest: str, actor: Actor | None, *, generation: int, ends: int | None = None) -> None:
        """Remember what was read when `generation` was in force; at most until `ends` (microseconds)."""
        until = micros(self._clock.now()) + _KEPT_US
        entry = _Entry(actor, until if ends is None else min(until, ends))
        with self._lock:
            if generation != self.generation:
                return  # something changed while it was read
            if len(self._entries) >= _MOST:
                self._entries.clear()
            self._entries[digest] = entry

    def forget(self) -> None:
        """Forget everybody; called after every commit that changes what somebody may do."""
        with self._lock:
            self.generation += 1
            self._entries.clear()
