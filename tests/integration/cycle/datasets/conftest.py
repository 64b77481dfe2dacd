from __future__ import annotations

from pathlib import Path

import pytest

from handrail.foundation.clock import FixedClock
from handrail.foundation.storage import Storage
from tests.integration.cycle.datasets.world import World, make


@pytest.fixture
def world(storage: Storage, clock: FixedClock, tmp_path: Path) -> World:
    return make(storage, clock, tmp_path / "datasets")
