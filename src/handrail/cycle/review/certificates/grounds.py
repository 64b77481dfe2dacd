"""What a design was made from, kept as one file: whoever has it and the labels can make the certificate again."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from handrail.foundation.canonical import encode


@dataclass(frozen=True)
class Grounds:
    """Scores of the traffic, and (score, error) of the same model's training items, as of the plan.

    Where a loss is declared, an error is a loss from 0 to 1.
    `items` names the item of each score in `unlabelled`, `answers` what the model says of it; both are empty where no
    item waits and the scores of training stand for those of the traffic. `groups`: the group of each item, "" for none,
    where groups are named. No content of an item is kept.
    """

    items: Sequence[str]
    answers: Sequence[Any]
    unlabelled: Sequence[float]
    training_scores: Sequence[float]
    training_errors: Sequence[float]
    groups: Sequence[str] = field(default_factory=list)

    def waiting(self, group: str) -> list[float]:
        """Return the scores of a group's items that wait."""
        return [score for score, one in zip(self.unlabelled, self.groups, strict=False) if one == group]

    def of(self, group: str) -> Sequence[float]:
        """Return the scores of a group's traffic; where none of it waits, those of training."""
        return self.waiting(group) or self.training_scores

    @property
    def training(self) -> tuple[Sequence[float], Sequence[float]]:
        """Scores and errors, as designs take them."""
        return self.training_scores, self.training_errors

    def scores_of(self, items: Collection[str]) -> dict[str, list[float]]:
        """Return group -> the scores of those of `items` that are in it."""
        found: dict[str, list[float]] = {}
        for item, score, group in zip(self.items, self.unlabelled, self.groups, strict=bool(self.items)):
            if item in items:
                found.setdefault(group, []).append(score)
        return found

    def above(self, region: float | None, group: str | None = None) -> list[str]:
        """Return the items with a score of at least `region`, all without one; of a group where one is named."""
        groups = self.groups or [""] * len(self.items)
        return [
            item
            for item, score, own in zip(self.items, self.unlabelled, groups, strict=bool(self.items))
            if (region is None or score >= region) and (group is None or own == group)
        ]

    @property
    def said(self) -> dict[str, tuple[float, Any]]:
        """Return item -> (score, the model's answer)."""
        if not self.items:
            return {}
        said = zip(self.unlabelled, self.answers, strict=True)
        return dict(zip(self.items, said, strict=True))

    def to_bytes(self) -> bytes:
        """Return canonical JSON; numbers survive it unchanged."""
        values = {
            "items": list(self.items),
            "answers": list(self.answers),
            "unlabelled": list(self.unlabelled),
            "training_scores": list(self.training_scores),
            "training_errors": list(self.training_errors),
            "groups": list(self.groups),
        }
        return encode(values).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Grounds:
        """Read what `to_bytes` wrote."""
        return cls(**json.loads(content))
