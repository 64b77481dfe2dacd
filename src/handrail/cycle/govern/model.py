"""What an outsider is shown of one decision. No I/O, no clock."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Dossier:
    """Everything about one decision, in JSON values: who or what decided, why, on which model, data and rules.

    `reasons` are those written at decision time, never recomputed. `execution` says who acted on it, None while nobody
    has. `entries` are the journal entries that name the decision, each with its inclusion proof under a signed
    checkpoint, so that a stranger can check them offline.
    """

    decision: dict[str, Any]
    item: dict[str, Any]
    reasons: tuple[str, ...]
    prediction: dict[str, Any] | None
    model: dict[str, Any] | None
    policy: dict[str, Any]
    certificate: dict[str, Any] | None
    work: tuple[dict[str, Any], ...]
    execution: dict[str, Any] | None
    entries: tuple[dict[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {**asdict(self), "reasons": list(self.reasons), "work": list(self.work), "entries": list(self.entries)}
