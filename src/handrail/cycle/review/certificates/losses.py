"""Certificates for errors that are not just right or wrong: a cost for each kind of mistake, answers of several parts.

A loss lies between 0 and a highest value. Certified is a threshold above which the mean loss is at most alpha, with
probability 1 - delta over the draw of the labels, whatever the law of the losses: a betting bound along a path of
thresholds that is fixed before the first label (`betting`). Bets and path are chosen from training data, so a wrong
guess costs automation and never the guarantee.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from handrail.cycle.review.certificates import betting
from handrail.cycle.review.certificates.betting import LossStep
from handrail.cycle.review.certificates.curves import FARTHEST, GROWTH, POWER, grid
from handrail.cycle.review.certificates.evidence import CertificateInvalid, digest, finite

if TYPE_CHECKING:
    from collections.abc import Hashable

    from handrail.cycle.review.certificates.betting import Numbers

    Pairs = tuple[Numbers, Numbers]

__all__ = [
    "LossCertificate",
    "LossDesign",
    "LossStep",
    "certify_loss",
    "certify_loss_designed",
    "cost_of",
    "design_loss",
    "loss_labels_needed",
    "set_loss",
    "span_loss",
]


@dataclass(frozen=True)
class LossDesign:
    """Everything that is fixed before the first label: journal it then.

    `labels`: size of the calibration set to come; `least`: labels that a set without any loss needs. `thresholds`: the
    grid from most confident to everything, with `coverages` of the unlabelled scores; `path`: grid indices to test,
    from 1, empty where the labels are too few for any. `expected_coverage`: mean over sets drawn from training data,
    None without them.
    """

    alpha: float
    delta: float
    highest: float
    labels: int
    seed: int
    bets: tuple[float, ...]
    least: int
    thresholds: tuple[float, ...]
    coverages: tuple[float, ...]
    path: tuple[int, ...]
    expected_coverage: float | None
    unlabelled: int
    unlabelled_hash: str
    training: int
    training_hash: str

    @property
    def level(self) -> float:
        """Alpha as a part of the highest loss."""
        return self.alpha / self.highest

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {name: list(one) if isinstance(one, tuple) else one for name, one in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LossDesign:
        """Read what `to_dict` wrote."""
        held: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in values.items()}
        return cls(**held)

    def digest(self) -> str:
        """Return the SHA-256 of the design."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class LossCertificate:
    """What the labels support: alone when score >= `threshold`, at a mean loss of at most `alpha`, in the losses' unit.

    `coverage`: share of the unlabelled scores there, 0 when refused. `path`: grid indices that were to be tested;
    `steps`: those that were, the first failure last. A test passes when its wealth is at least 1/delta. `least`: labels
    that a set without any loss needs at or above the threshold.
    """

    status: Literal["certified", "refused"]
    alpha: float
    delta: float
    highest: float
    threshold: float | None
    coverage: float
    labels: int
    mean_loss: float
    least: int
    bets: tuple[float, ...]
    path: tuple[int, ...]
    steps: tuple[LossStep, ...]
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
        return asdict(self) | {"bets": list(self.bets), "path": list(self.path), "steps": list(map(asdict, self.steps))}


def certify_loss(
    scores: Numbers,
    losses: Numbers,
    *,
    unlabelled: Numbers,
    alpha: float,
    delta: float = 0.1,
    highest: float = 1.0,
    training: Pairs | None = None,
    seed: int = 0,
) -> LossCertificate:
    """Return the certificate that n labelled items with losses support.

    `scores`, `losses`: one per item of a random sample of the traffic, every one of them labelled; losses from 0 to
    `highest`. `unlabelled`: scores of the traffic. `training`: out-of-fold (scores, losses) of the same model.
    Raises `CertificateInvalid`.
    """
    labels = len(finite("calibration", scores))
    plan = design_loss(unlabelled, training, labels=labels, alpha=alpha, delta=delta, highest=highest, seed=seed)
    return certify_loss_designed(plan, scores, losses, unlabelled=unlabelled, training=training)


def design_loss(
    unlabelled: Numbers,
    training: Pairs | None = None,
    *,
    labels: int,
    alpha: float,
    delta: float = 0.1,
    highest: float = 1.0,
    seed: int = 0,
) -> LossDesign:
    """Fix bets and path before the first calibration label is seen.

    `unlabelled`, `training`, `highest`: as in `certify_loss`. `labels`: size of the calibration set to come, a random
    sample of all the traffic. Raises `CertificateInvalid`.
    """
    if not (0.0 < alpha < highest < math.inf and 0.0 < delta <= 0.5 and labels >= 1 and seed >= 0):
        raise CertificateInvalid(
            f"alpha {alpha}, highest loss {highest}, delta {delta} and {labels} labels do not make a certificate.",
            hint="alpha lies above 0 and below the highest loss, delta above 0 and at most 0.5.",
        )
    traffic = finite("unlabelled", unlabelled)
    known = None if training is None else betting.read_losses("training", *training, highest)
    thresholds, coverages = grid(traffic)
    level = alpha / highest
    bets = betting.bets_for(level, known)
    chosen = betting.path_of(thresholds, coverages, labels, level, delta, known, bets, seed)
    return LossDesign(
        alpha=float(alpha),
        delta=float(delta),
        highest=float(highest),
        labels=int(labels),
        seed=int(seed),
        bets=bets,
        least=betting.least_labels(level, delta, bets),
        thresholds=tuple(thresholds.tolist()),
        coverages=tuple(coverages.tolist()),
        path=chosen.path,
        expected_coverage=chosen.coverage,
        unlabelled=len(traffic),
        unlabelled_hash=digest(traffic),
        training=0 if known is None else len(known[0]),
        training_hash=digest() if known is None else digest(*known),
    )


def certify_loss_designed(
    plan: LossDesign, scores: Numbers, losses: Numbers, *, unlabelled: Numbers, training: Pairs | None = None
) -> LossCertificate:
    """Return the certificate of a design made earlier; `unlabelled` and `training` must be what it was made from.

    Raises `CertificateInvalid` when the number of labels or the data are not those of the design.
    """
    import numpy as np

    seen = betting.read_losses("calibration", scores, losses, plan.highest)
    known = digest() if training is None else digest(*betting.read_losses("training", *training, plan.highest))
    if len(seen[0]) != plan.labels or known != plan.training_hash:
        raise CertificateInvalid(
            f"The design was made for {plan.labels} labels and its own training data.",
            hint="Label every drawn item, or make a new design before new labels are drawn.",
        )
    if digest(finite("unlabelled", unlabelled)) != plan.unlabelled_hash:
        raise CertificateInvalid("The design was made from other unlabelled scores.", hint="Use those of the design.")
    thresholds, coverages = np.asarray(plan.thresholds), np.asarray(plan.coverages)
    steps, certified = betting.walk(
        plan.path, thresholds, coverages, seen, plan.level, plan.delta, plan.bets, plan.highest
    )
    return LossCertificate(
        status="refused" if certified is None else "certified",
        alpha=plan.alpha,
        delta=plan.delta,
        highest=plan.highest,
        threshold=None if certified is None else certified.threshold,
        coverage=0.0 if certified is None else certified.coverage,
        labels=plan.labels,
        mean_loss=float(seen[1].mean()) * plan.highest,
        least=plan.least,
        bets=plan.bets,
        path=plan.path,
        steps=tuple(steps),
        unlabelled_hash=plan.unlabelled_hash,
        training_hash=plan.training_hash,
        calibration_hash=digest(*seen),
        design_hash=plan.digest(),
        seed=plan.seed,
    )


def loss_labels_needed(plan: LossDesign, known: Pairs) -> tuple[int | None, float]:
    """Return (labels, probability): the smallest fresh set that certifies something with probability 0.8.

    `known`: every (score, loss) of the model, training and calibration together, from which sets are redrawn, each from
    a redraw of its own, because `known` is a sample too. It is an estimate: where few known items hold the few dear
    mistakes, it tends to be low. None where no set up to 50 times the least one does so; the probability is then that
    of the largest.
    """
    import numpy as np

    both = betting.read_losses("known", *known, plan.highest)
    thresholds, coverages = np.asarray(plan.thresholds), np.asarray(plan.coverages)
    level, bets = plan.level, betting.bets_for(plan.level, both)
    size = least = betting.least_labels(level, plan.delta, bets)
    power = 0.0
    while size <= FARTHEST * least:
        path = betting.path_of(thresholds, coverages, size, level, plan.delta, both, bets, plan.seed).path
        power = betting.power_of(thresholds, path[0], size, level, plan.delta, both, bets, plan.seed)
        if power >= POWER:
            return size, power
        size = math.ceil(size * GROWTH)
    return None, power


# Losses


def cost_of(costs: Mapping[Hashable, Mapping[Hashable, float]], predicted: Hashable, true: Hashable) -> float:
    """Return what it costs to answer `predicted` where `true` is right: 0 for a right answer, else from the table.

    Raises `CertificateInvalid` for a mistake that the table does not price.
    """
    if predicted == true:
        return 0.0
    try:
        return float(costs[predicted][true])
    except KeyError:
        raise CertificateInvalid(
            f"The table of costs does not say what {predicted!r} costs where {true!r} is right.",
            hint="Give every mistake its cost.",
        ) from None


def set_loss(predicted: Sequence[Hashable], true: Sequence[Hashable]) -> float:
    """Return 1 - |A and B| / |A or B| of two sets of answers (Jaccard distance); 0 when both are empty."""
    one, other = set(predicted), set(true)
    return 1.0 - len(one & other) / len(one | other) if one | other else 0.0


def span_loss(predicted: Sequence[tuple[int, int, str]], true: Sequence[tuple[int, int, str]]) -> float:
    """Return 1 - F1 over exact spans (begin, end, label); 0 when there are none and none were found."""
    found, right = set(predicted), set(true)
    return 1.0 - 2 * len(found & right) / (len(found) + len(right)) if found or right else 0.0
