"""What a design was made from, kept as one file: whoever has it and the labels can make the certificate again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from handrail.foundation.canonical import encode


@dataclass(frozen=True)
class Grounds:
    """Scores of the traffic, and (score, error) of the same model's training items, as of the plan.

    `items` names the item of each score in `unlabelled`; it is empty where no item waits and the scores of training
    stand for those of the traffic. Scores and names, no content of an item.
    """

    items: Sequence[str]
    unlabelled: Sequence[float]
    training_scores: Sequence[float]
    training_errors: Sequence[int]

    @property
    def training(self) -> tuple[Sequence[float], Sequence[int]]:
        """Scores and errors, as designs take them."""
        return self.training_scores, self.training_errors

    def above(self, region: float | None) -> list[str]:
        """Return the items with a score of at least `region`; all without one."""
        return [
            item
            for item, score in zip(self.items, self.unlabelled, strict=bool(self.items))
            if region is None or score >= region
        ]

    def to_bytes(self) -> bytes:
        """Return canonical JSON; numbers survive it unchanged."""
        values = {
            "items": list(self.items),
            "unlabelled": list(self.unlabelled),
            "training_scores": list(self.training_scores),
            "training_errors": list(self.training_errors),
        }
        return encode(values).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Grounds:
        """Read what `to_bytes` wrote."""
        return cls(**json.loads(content))
