"""A journal, once on SQLite and once on PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from handrail.foundation.clock import FixedClock
from handrail.foundation.ids import Ids
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import Storage
from tests.integration.foundation.journal.log import Log


@pytest.fixture
def log(storage: Storage, clock: FixedClock, ids: Ids, randomness: Randomness, tmp_path: Path) -> Log:
    """Return an empty journal with a key of its own."""
    return Log(storage, clock, ids, randomness, tmp_path)
