"""A clinic with the breast-mass data, once on SQLite and once on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handrail.foundation.clock import FixedClock
from handrail.foundation.ids import Ids
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import Storage
from tests.integration.cycle.breast_mass import Clinic
from tests.integration.cycle.review.ward import Ward


@pytest.fixture
def clinic(storage: Storage, clock: FixedClock, ids: Ids, randomness: Randomness, tmp_path: Path) -> Iterator[Clinic]:
    """Open the services over an empty home with one project."""
    made = Clinic.open(storage, clock, ids, randomness, tmp_path)
    yield made
    made.compute.close()


@pytest.fixture
def ward(clinic: Clinic, clock: FixedClock, ids: Ids, randomness: Randomness, tmp_path: Path) -> Ward:
    """Tie the stages that decide, watch and prove to the clinic."""
    return Ward(clinic, clock, ids, randomness, tmp_path)
