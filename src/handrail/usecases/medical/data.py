"""The cases of the record and what they are asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from handrail import Field, Question, Schema

QUESTION = "diagnosis"
SHIFT = {"mean area": 1.6, "worst area": 1.6}
SIZES = ("small", "large")
SMALL_BELOW = 13.0
"""Mean radius, in the unit of the record, under which a mass counts as small here: a teaching example, near the median.

The record names neither site nor age, so size stands in for the groups that a clinic would name.
"""


@dataclass(frozen=True)
class Case:
    """One case of the record: its name, its features, and the diagnosis that is its truth here."""

    name: str
    data: dict[str, float]
    truth: str

    @property
    def group(self) -> dict[str, str]:
        """Its group: how large the mass is. It travels beside the features; the model is not told of it."""
        return {"size": "small" if self.data["mean radius"] < SMALL_BELOW else "large"}

    def shifted(self) -> dict[str, float]:
        """Return its features as a scanner measures them that takes areas too large."""
        return {name: value * SHIFT.get(name, 1.0) for name, value in self.data.items()}


def cases(seed: int) -> list[Case]:
    """Return every case in the simulated order of the stream."""
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    names = [str(name) for name in data.feature_names]
    made = [
        Case(
            f"case-{number:03}", dict(zip(names, map(float, row), strict=True)), "malignant" if kind == 0 else "benign"
        )
        for number, (row, kind) in enumerate(zip(data.data, data.target, strict=True), start=1)
    ]
    return [made[place] for place in np.random.default_rng(seed).permutation(len(made))]


def schema_of(archive: Sequence[Case]) -> Schema:
    """Return the schema: the features as numbers, and one question."""
    question = Question(
        name=QUESTION, type="choice", title="Is this mass benign or malignant?", choices=("benign", "malignant")
    )
    return Schema(
        fields=tuple(Field(name=name, type="number", min=0.0) for name in archive[0].data), questions=(question,)
    )
