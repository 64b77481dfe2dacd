"""The certificate by a designed fixed sequence: how far a model may decide alone, from few labels, at any error curve.

Claim: P(the certified threshold lets through an error rate above alpha) <= delta. It holds for every shape of the error
curve, because the thresholds come from unlabelled scores, the path through them from training data, and both are fixed
before the first calibration label counts: the first true null on the path is then one fixed test at level delta.
It needs calibration items that are a random sample of the traffic, every one of them labelled, and right labels.

Items with equal scores stay together: a threshold lies between two different scores, never inside a block of equal
ones. So the claim is about exactly the rule that routing applies, `score >= threshold`, and no item depends on a
tie-breaking draw.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from handrail.cycle.review import certificate_design as designing
from handrail.cycle.review.certificate_design import CertificateInvalid, Design, Evidence
from handrail.foundation.statistics import lower_tail, upper_limit

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["Certificate", "CertificateInvalid", "Design", "Step", "certify", "certify_designed", "design"]


@dataclass(frozen=True)
class Step:
    """One test on the path: at or above `threshold` lay `labels` calibration items with `errors` wrong ones.

    `index` counts the grid from 1 (most confident) to 100 (everything), `coverage` is the share of the unlabelled
    scores, `p_value` is P(Bin(labels, alpha) <= errors), 1 without labels.
    """

    index: int
    threshold: float
    coverage: float
    labels: int
    errors: int
    p_value: float


@dataclass(frozen=True)
class Certificate:
    """What the labels support. A refused certificate has no threshold and says how many labels are needed.

    `threshold`: decide alone when score >= threshold. `coverage`: share of the unlabelled scores there (0 if refused).
    `labels`, `errors`: the whole calibration set. `labels_in_range`, `errors_in_range`, `upper`: at or above the
    threshold, or, when refused, at the first threshold tested; `upper` is the exact one-sided limit of the error there
    at confidence 1 - delta (None when nothing could be tested). What is certified is alpha, not `upper`.
    `start`, `stride`, `path`: the designed sequence of grid indices; `steps`: the tests made, the first failure last.
    `needed`: labels still needed, 0 when certified. It is the smallest number with which some certificate is issued
    with probability 0.8 if errors lie as training and calibration data together suggest (errors redrawn as in the
    design), never below what a set without any error needs; `needed_power` is that probability, lower than 0.8 where
    more labels would hardly help. `needed_fresh`: True when a test was spent, so that `needed` counts a new random set
    (the old pairs then join `training`); False when the set was too small for any test and may simply be enlarged.
    Hashes are SHA-256 of the inputs; the same inputs and seed give the same certificate bit for bit.
    """

    status: Literal["certified", "refused"]
    mode: Literal["strict"]
    alpha: float
    delta: float
    threshold: float | None
    coverage: float
    labels: int
    errors: int
    labels_in_range: int
    errors_in_range: int
    upper: float | None
    start: int
    stride: int
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


def design(
    unlabelled: Sequence[float] | ArrayLike,
    training: tuple[Sequence[float] | ArrayLike, Sequence[float] | ArrayLike],
    *,
    labels: int,
    alpha: float,
    delta: float = 0.1,
    seed: int = 0,
) -> Design:
    """Fix grid and path before the first calibration label is seen.

    `unlabelled`: scores of the traffic (some hundreds). `training`: out-of-fold (scores, errors) of the same model.
    `labels`: size of the calibration set to come. Raises `CertificateInvalid`.
    Source: the designed fixed sequence; fixed-sequence testing after Angelopoulos et al., Learn then Test (2021).
    """
    return designing.design(unlabelled, Evidence.read("training", *training), labels, alpha, delta, seed)


def certify(
    scores: Sequence[float] | ArrayLike,
    errors: Sequence[float] | ArrayLike,
    *,
    unlabelled: Sequence[float] | ArrayLike,
    training: tuple[Sequence[float] | ArrayLike, Sequence[float] | ArrayLike],
    alpha: float,
    delta: float = 0.1,
    seed: int = 0,
) -> Certificate:
    """Return the certificate that n labelled items support: the loosest threshold on the designed path, or a refusal.

    `scores`, `errors`: the calibration set, confidence and 0/1 wrong, one per item. `unlabelled`, `training`: as in
    `design`. `alpha`: highest share of wrong automatic decisions. `delta`: chance of a wrong certificate.
    Raises `CertificateInvalid` for numbers that are not finite, errors other than 0/1, unequal lengths, empty sets.
    """
    calibration = Evidence.read("calibration", scores, errors)
    known = Evidence.read("training", *training)
    plan = designing.design(unlabelled, known, len(calibration.scores), alpha, delta, seed)
    return _walk(plan, calibration, known)


def certify_designed(
    plan: Design,
    scores: Sequence[float] | ArrayLike,
    errors: Sequence[float] | ArrayLike,
    *,
    training: tuple[Sequence[float] | ArrayLike, Sequence[float] | ArrayLike],
) -> Certificate:
    """Return the certificate of a design made earlier; `training` must be what the design was made from.

    Raises `CertificateInvalid` when the number of labels or the training data are not those of the design.
    """
    calibration, known = Evidence.read("calibration", scores, errors), Evidence.read("training", *training)
    if len(calibration.scores) != plan.labels or known.digest() != plan.training_hash:
        raise CertificateInvalid(
            f"The design was made for {plan.labels} labels and its own training data.",
            hint="Label every drawn item, or make a new design before new labels are drawn.",
        )
    return _walk(plan, calibration, known)


def _walk(plan: Design, calibration: Evidence, training: Evidence) -> Certificate:
    steps: list[Step] = []
    certified: Step | None = None
    for index in plan.path:
        step = _step(plan, calibration, index)
        steps.append(step)
        if step.p_value > plan.delta:
            break
        certified = step
    shown = certified or (steps[0] if steps else None)
    needed, power = (0, 1.0) if certified else designing.labels_needed(plan, training.joined(calibration))
    fresh = certified is None and bool(plan.path)
    return Certificate(
        status="certified" if certified else "refused",
        mode="strict",
        alpha=plan.alpha,
        delta=plan.delta,
        threshold=certified.threshold if certified else None,
        coverage=certified.coverage if certified else 0.0,
        labels=plan.labels,
        errors=int(calibration.errors.sum()),
        labels_in_range=shown.labels if shown else 0,
        errors_in_range=shown.errors if shown else 0,
        upper=upper_limit(shown.errors, shown.labels, 1.0 - plan.delta) if shown else None,
        start=plan.start,
        stride=plan.stride,
        path=plan.path,
        steps=tuple(steps),
        needed=needed if certified or fresh else max(1, needed - plan.labels),
        needed_fresh=fresh,
        needed_power=power,
        unlabelled=plan.unlabelled,
        training=len(training.scores),
        unlabelled_hash=plan.unlabelled_hash,
        training_hash=plan.training_hash,
        calibration_hash=calibration.digest(),
        design_hash=hashlib.sha256(json.dumps(plan.to_dict(), sort_keys=True).encode()).hexdigest(),
        seed=plan.seed,
    )


def _step(plan: Design, calibration: Evidence, index: int) -> Step:
    threshold = plan.thresholds[index - 1]
    inside = calibration.scores >= threshold
    labels, errors = int(inside.sum()), int(calibration.errors[inside].sum())
    p_value = lower_tail(errors, labels, plan.alpha)
    return Step(index, threshold, plan.coverages[index - 1], labels, errors, p_value)
