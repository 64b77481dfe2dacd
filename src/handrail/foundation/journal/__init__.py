"""The append-only, provable log; also the outbox that the loop reads."""

from handrail.foundation.journal.event import Event
from handrail.foundation.journal.service import Journal, Recorded

__all__ = ["Event", "Journal", "Recorded"]
