"""An answer to a review task on which the model's answer was shown, for those who measure how people look. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Reviewed:
    """What a person was shown and said. `own` is what they said before, None where the queue is not blind-first.

    `final` is None for a rejection. `seconds` from shown to answered, None when the page did not say.
    """

    task_id: str
    item_id: str
    person_id: str
    person_name: str
    shown: Any
    own: Any
    final: Any
    seconds: float | None
