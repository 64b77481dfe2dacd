"""What is fixed before the first calibration label, and what the labels then say."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Mode = Literal["closed", "strict"]


@dataclass(frozen=True)
class Frame:
    """What both tests are designed from.

    `labels`: size of the calibration set to come. `region`: labels are drawn from scores at or above it only (None:
    from all traffic); `share`: the part of the unlabelled scores there. `training`: how many training pairs.
    """

    alpha: float
    delta: float
    labels: int
    seed: int
    region: float | None
    share: float
    unlabelled: int
    unlabelled_hash: str
    training: int
    training_hash: str


@dataclass(frozen=True)
class FixedSequence:
    """The designed fixed sequence, mode "strict".

    `thresholds` and `coverages` (of the region) hold the grid from most confident to everything; `path` holds grid
    indices from 1, `start` and `stride` how it was made (0 and an empty path: too few labels for any test).
    """

    thresholds: tuple[float, ...]
    coverages: tuple[float, ...]
    start: int
    stride: int
    path: tuple[int, ...]


@dataclass(frozen=True)
class Windows:
    """The closed window test, mode "closed".

    `path`: the counts of most confident items that are looked at, in order (empty: too few labels). `start`: the first
    of them that is tested. `width`: a window reaches to counts larger by this share; None reaches to the last one.
    """

    start: int
    width: float | None
    path: tuple[int, ...]


@dataclass(frozen=True)
class Design:
    """Everything that is fixed before the first label: journal it then.

    `expected_coverage`: the mean share of all traffic that simulated calibration sets let through.
    """

    mode: Mode
    frame: Frame
    test: FixedSequence | Windows
    expected_coverage: float

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        test = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self.test).items()}
        return {
            "mode": self.mode,
            "frame": asdict(self.frame),
            "test": test,
            "expected_coverage": self.expected_coverage,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Design:
        """Read what `to_dict` wrote."""
        held: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values["test"].items()
        }
        test = FixedSequence(**held) if values["mode"] == "strict" else Windows(**held)
        return cls(values["mode"], Frame(**values["frame"]), test, values["expected_coverage"])

    def digest(self) -> str:
        """Return the SHA-256 of the design."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Step:
    """One test: among the `labels` most confident calibration items lay `errors` wrong ones.

    `index` counts the design's path from 1. At `threshold` lies the least confident of these items, or, in mode strict,
    the grid's threshold; `coverage` is the share of the unlabelled scores at or above it, of all traffic. `p_value` is
    P(Bin(labels, alpha) <= errors), 1 without labels; `level` is what it is compared with.
    """

    index: int
    threshold: float
    coverage: float
    labels: int
    errors: int
    p_value: float
    level: float


@dataclass(frozen=True)
class Certificate:
    """What the labels support. A refused certificate has no threshold and says how many labels are needed.

    `mode`: the test, chosen before the labels were drawn. `region`: labels were drawn from scores at or above it only.
    `threshold`: decide alone when score >= threshold. `coverage`: share of the unlabelled scores there (0 if refused).
    `labels`, `errors`: the whole calibration set. `labels_in_range`, `errors_in_range`, `upper`: at or above the
    threshold, or, when refused, at the first threshold tested; `upper` is the exact one-sided limit of the error there
    at confidence 1 - delta (None when nothing could be tested). What is certified is alpha, not `upper`.
    `start`, `stride`, `width`, `path`: see `FixedSequence` and `Windows` (stride 0 and width None where a mode has
    none); `steps`: the tests made.
    `needed`: labels still needed, 0 when certified. It is the smallest number with which some certificate is issued
    with probability 0.8 if errors lie as training and calibration data together suggest (errors redrawn as in the
    design), never below what a set without any error needs; `needed_power` is that probability, lower than 0.8 where
    more labels would hardly help. `needed_fresh`: True when a test was spent, so that `needed` counts a new random set
    (the old pairs then join `training`); False when the set was too small for any test and may simply be enlarged.
    Hashes are SHA-256 of the inputs; the same inputs and seed give the same certificate bit for bit.
    """

    status: Literal["certified", "refused"]
    mode: Mode
    alpha: float
    delta: float
    region: float | None
    threshold: float | None
    coverage: float
    labels: int
    errors: int
    labels_in_range: int
    errors_in_range: int
    upper: float | None
    start: int
    stride: int
    width: float | None
    path: tuple[int, ...]
    steps: tuple[Step, ...]
    needed: int
    needed_fresh: bool
    needed_power: float
    unlabelled: int
    training: int
    unlabelled_hash: str
    training_hash: str
    calibration_hash: str
    design_hash: str
    seed: int

    def covers(self, score: float) -> bool:
        """Return whether an item with this score may be decided without a person."""
        return self.threshold is not None and score >= self.threshold

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        values = asdict(self)
        return values | {"path": list(self.path), "steps": [asdict(step) for step in self.steps]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Certificate:
        """Read what `to_dict` wrote."""
        steps = tuple(Step(**step) for step in values["steps"])
        return cls(**{**values, "path": tuple(values["path"]), "steps": steps})
