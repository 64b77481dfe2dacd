"""Commits and kills its own process before the n-th step that changes anything.

`python killed_commit.py URL FOLDER PROJECT_ID N`
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from handrail.cycle.datasets import Datasets, store
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import SystemClock
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import open_storage


class Steps:
    """Counts steps down and kills."""

    def __init__(self, last: int) -> None:
        self.left = last

    def watch(self, place: Any, name: str) -> None:
        """Make every call of `place.name` a step: die before it."""
        real: Callable[..., Any] = getattr(place, name)

        def step(*given: Any, **named: Any) -> Any:
            self.take()
            return real(*given, **named)

        setattr(place, name, step)

    def take(self) -> None:
        """Take one step, or die before it."""
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def main(url: str, folder: str, project: str, last: int) -> None:
    """Commit, or die."""
    clock, randomness = SystemClock(), Randomness()
    ids = Ids(clock, randomness)
    storage = open_storage(url)
    datasets = Datasets(storage, Journal(clock, ids, randomness), clock, ids, randomness, Path(folder))
    anna = Actor(kind="person", id="p-anna", name="Anna")
    steps = Steps(last)
    for name in ("mkdir", "open", "fsync", "replace"):
        steps.watch(os, name)
    for name in ("move_branch", "insert_commit", "mark_items", "mark_labels"):
        steps.watch(store, name)
    made = datasets.commit(anna, Scope(project), "first")
    assert made is not None
    steps.take()
    sys.stdout.write(made.id)
    storage.close()


if __name__ == "__main__":
    main(*sys.argv[1:4], int(sys.argv[4]))
