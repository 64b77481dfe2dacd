"""Random draws: from the system, or from a seed where a run must repeat (demos, tests)."""

from __future__ import annotations

import os
import random  # the one place that may: `Randomness` is what everybody else is given
import threading

_FETCHED = 4096


class _Fetched:
    """The operating system's random bytes, fetched many at a time.

    Python lets other threads run during each fetch; a busy server then waits for its turn far longer than for the
    bytes (bench/http).
    """

    def __init__(self) -> None:
        self.drop()

    def drop(self) -> None:
        """Forget what is left: a forked process must not go on with its parent's bytes."""
        self._lock = threading.Lock()
        self._bytes = b""
        self._used = 0

    def take(self, count: int) -> bytes:
        """Return bytes that nobody else gets."""
        if count > _FETCHED:
            return os.urandom(count)
        with self._lock:
            if self._used + count > len(self._bytes):
                self._bytes, self._used = os.urandom(_FETCHED), 0
            start = self._used
            self._used += count
            return self._bytes[start : self._used]


_fetched = _Fetched()
os.register_at_fork(after_in_child=_fetched.drop)


class Randomness:
    """The system's own random numbers.

    Without a seed every number comes from the operating system. With a seed draws repeat; `bytes`, from which
    identifiers, salts and secrets are made, always comes from the operating system.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed
        self._source: random.Random = random.SystemRandom() if seed is None else random.Random(seed)
        self._lock = threading.Lock()

    def uniform(self) -> float:
        """Return a number drawn uniformly from [0, 1)."""
        if self.seed is None:
            return (int.from_bytes(_fetched.take(7), "big") >> 3) * 2.0**-53
        with self._lock:
            return self._source.random()

    def choose(self, population: int, count: int) -> list[int]:
        """Return `count` different indices below `population`, each subset equally likely, in drawn order."""
        with self._lock:
            return self._source.sample(range(population), count)

    def bytes(self, count: int) -> bytes:
        """Return `count` unpredictable bytes."""
        return _fetched.take(count)
