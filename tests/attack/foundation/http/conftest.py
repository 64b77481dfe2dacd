from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handrail.foundation.clock import FixedClock
from handrail.foundation.storage import Storage
from tests.served import Served, create_tables


@pytest.fixture
def served(storage_url: str, storage: Storage, clock: FixedClock, tmp_path: Path) -> Iterator[Served]:
    create_tables(storage_url)
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    made = Served(storage, clock, uploads)
    yield made
    made.identity.close()
