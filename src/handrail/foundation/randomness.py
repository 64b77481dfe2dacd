"""Random draws: from the system, or from a seed where a run must repeat (demos, tests)."""

from __future__ import annotations

import os
import random  # the one place that may: `Randomness` is what everybody else is given
import threading


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
        with self._lock:
            return self._source.random()

    def choose(self, population: int, count: int) -> list[int]:
        """Return `count` different indices below `population`, each subset equally likely, in drawn order."""
        with self._lock:
            return self._source.sample(range(population), count)

    def bytes(self, count: int) -> bytes:
        """Return `count` unpredictable bytes."""
        return os.urandom(count)
