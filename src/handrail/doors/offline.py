"""What is done to a home that no server has open."""

from __future__ import annotations

from pathlib import Path

from handrail.foundation.clock import SystemClock
from handrail.foundation.home import Home
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.journal.checkpoint import Signer
from handrail.foundation.journal.proofs import Prover, Verified
from handrail.foundation.randomness import Randomness
from handrail.foundation.settings import load
from handrail.foundation.storage import open_storage


def verify_home(home: Path | None) -> Verified:
    """Check the journal of a home without starting anything else; raises HomeInUse, SettingsRefused."""
    settings = load(home=home)
    with Home(settings.home) as owned:
        storage = open_storage(settings.database)
        try:
            clock, randomness = SystemClock(), Randomness()
            journal = Journal(clock, Ids(clock, randomness), randomness)
            return Prover(storage, journal, clock, Signer.of_home(owned.keys)).verify()
        finally:
            storage.close()
