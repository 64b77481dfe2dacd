"""Certificates for errors that are not just right or wrong: a cost for each kind of mistake, answers of several parts.

A loss lies between 0 and a highest value. Certified is a threshold above which the mean loss is at most alpha, with
probability 1 - delta over the draw of the labels, whatever the law of the losses: a betting bound along a path of
thresholds that is fixed before the first label. Sources: Waudby-Smith and Ramdas, Estimating means of bounded random
variables by betting (2024); fixed-sequence testing, Angelopoulos et al., Learn then Test (2021). Bets and path are
chosen from training data, so a wrong guess costs automation and never the guarantee.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from handrail.cycle.review.certificates.curves import GRID, grid
from handrail.cycle.review.certificates.evidence import CertificateInvalid, digest, finite

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import ArrayLike

    from handrail.cycle.review.certificates.curves import Floats

    Numbers = Sequence[float] | ArrayLike

BETS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95)
"""Parts of the highest bet; each gets an equal share of the stake, the bet that training data favour the other half."""
_SETS = 60  # calibration sets drawn from training data to choose the path
_STRIDES = (1, 2, 4, 8, 13)
_BLIND = 2.0  # without training data the path begins where twice the labels lie that a set without loss needs


@dataclass(frozen=True)
class LossStep:
    """One test of the path: `labels` at or above `threshold` with this mean loss, and the wealth of the bets there."""

    index: int
    threshold: float
    coverage: float
    labels: int
    mean_loss: float
    wealth: float


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
    training: tuple[Numbers, Numbers] | None = None,
    seed: int = 0,
) -> LossCertificate:
    """Return the certificate that n labelled items with losses support.

    `scores`, `losses`: one per item of a random sample of the traffic, every one of them labelled; losses from 0 to
    `highest`. `unlabelled`: scores of the traffic. `training`: out-of-fold (scores, losses) of the same model.
    Raises `CertificateInvalid`.
    """
    if not (0.0 < alpha < highest < math.inf and 0.0 < delta <= 0.5 and seed >= 0):
        raise CertificateInvalid(
            f"alpha {alpha}, highest loss {highest} and delta {delta} do not make a certificate.",
            hint="alpha lies above 0 and below the highest loss, delta above 0 and at most 0.5.",
        )
    traffic, seen = finite("unlabelled", unlabelled), _read("calibration", scores, losses, highest)
    known = None if training is None else _read("training", *training, highest)
    thresholds, coverages = grid(traffic)
    level = alpha / highest
    bets = _bets(level, known)
    path = _path(thresholds, coverages, len(seen[0]), level, delta, known, bets, seed)
    steps, certified = _walk(path, thresholds, coverages, seen, level, delta, bets, highest)
    empty = digest()
    return LossCertificate(
        status="refused" if certified is None else "certified",
        alpha=float(alpha),
        delta=float(delta),
        highest=float(highest),
        threshold=None if certified is None else certified.threshold,
        coverage=0.0 if certified is None else certified.coverage,
        labels=len(seen[0]),
        mean_loss=float(seen[1].mean()) * highest,
        least=_least(level, delta, bets),
        bets=bets,
        path=path,
        steps=tuple(steps),
        unlabelled_hash=digest(traffic),
        training_hash=empty if known is None else digest(*known),
        calibration_hash=digest(*seen),
        seed=seed,
    )


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


# The bets and the path. Losses are divided by the highest from here on.


def _read(name: str, scores: Numbers, losses: Numbers, highest: float) -> tuple[Floats, Floats]:
    import numpy as np

    read, lost = finite(name, scores), np.asarray(losses, dtype=float).reshape(-1)
    if len(read) != len(lost):
        raise CertificateInvalid(f"The {name} set has {len(read)} scores but {len(lost)} losses.")
    if not ((lost >= 0.0) & (lost <= highest)).all():  # NaN is neither
        raise CertificateInvalid(f"The {name} losses must lie between 0 and {highest:g}.")
    return read, lost / highest


def _bets(level: float, known: tuple[Floats, Floats] | None) -> tuple[float, ...]:
    """Return bets as parts of the highest bet 1 / (1 - level); the first is the one that training data favour."""
    import numpy as np

    if known is None:
        return BETS
    # The best bet against mean `level` where the mean is half of it, at the spread that training losses show: those of
    # the sure half, thinned.
    order = np.argsort(-known[0], kind="stable")
    sure = known[1][order[: max(1, len(order) // 2)]]
    mean = float(sure.mean())
    thinned = sure if mean <= level / 2 else sure * (level / 2 / mean)
    parts = np.linspace(0.02, 0.98, 49)
    growth = np.log1p(-parts[:, None] / (1 - level) * (thinned[None, :] - level)).mean(axis=1)
    return (float(parts[int(growth.argmax())]), *BETS)


def _shares(bets: tuple[float, ...]) -> tuple[float, ...]:
    """Return the part of the stake on each bet."""
    spread = len(BETS)
    return (0.5, *[0.5 / spread] * spread) if len(bets) > spread else (1 / spread,) * spread


def _wealth(losses: Floats, level: float, bets: tuple[float, ...]) -> Floats:
    """Return log wealth against "the mean is above level" after each item; a mean at or above it multiplies by <= 1."""
    import numpy as np
    from scipy.special import logsumexp

    stakes = np.asarray(bets) / (1.0 - level)
    walks = np.log1p(-stakes[:, None] * (losses[None, :] - level)).cumsum(axis=1)
    found: Floats = logsumexp(walks + np.log(_shares(bets))[:, None], axis=0)
    return found


def _least(level: float, delta: float, bets: tuple[float, ...]) -> int:
    """Return the number of labels that suffices when none of them shows a loss."""
    import numpy as np

    size = 64
    while True:
        walk = _wealth(np.zeros(size), level, bets)
        if walk[-1] >= -math.log(delta):
            return int(np.argmax(walk >= -math.log(delta))) + 1
        size *= 2


def _path(
    thresholds: Floats,
    coverages: Floats,
    labels: int,
    level: float,
    delta: float,
    known: tuple[Floats, Floats] | None,
    bets: tuple[float, ...],
    seed: int,
) -> tuple[int, ...]:
    """Return the grid indices to test, from 1: the start and stride that let most through on sets of training items."""
    import numpy as np

    least = _least(level, delta, bets)
    if labels < least:
        return ()
    first = min(GRID, int(np.searchsorted(coverages * labels, least)) + 1)
    if known is None:
        start = min(GRID, int(np.searchsorted(coverages * labels, _BLIND * least)) + 1)
        return tuple(range(start, GRID + 1))
    rng = np.random.default_rng([seed, 5])
    passed = np.zeros((_SETS, GRID), dtype=bool)
    for row in range(_SETS):
        drawn = rng.integers(0, len(known[0]), labels)
        passed[row] = _passed(thresholds, (known[0][drawn], known[1][drawn]), level, delta, bets)
    best, chosen = -1.0, tuple(range(first, GRID + 1))
    for start in range(first, GRID + 1, 2):
        for stride in _STRIDES:
            path = (*range(start, GRID, stride), GRID)
            at = np.asarray(path) - 1
            reached = np.logical_and.accumulate(passed[:, at], axis=1).sum(axis=1)
            value = float(np.concatenate([[0.0], coverages[at]])[reached].mean())
            if value > best:
                best, chosen = value, path
    return chosen


def _at(thresholds: Floats, seen: tuple[Floats, Floats], level: float, bets: tuple[float, ...]) -> tuple[Floats, Any]:
    """Return (log wealth, number of items) at every threshold of the grid."""
    import numpy as np

    order = np.argsort(-seen[0], kind="stable")
    wealth = np.concatenate([[0.0], _wealth(seen[1][order], level, bets)])
    counts = np.searchsorted(-seen[0][order], -thresholds, side="right")
    return wealth[counts], counts


def _passed(
    thresholds: Floats, seen: tuple[Floats, Floats], level: float, delta: float, bets: tuple[float, ...]
) -> Any:
    return _at(thresholds, seen, level, bets)[0] >= -math.log(delta)


def _walk(
    path: tuple[int, ...],
    thresholds: Floats,
    coverages: Floats,
    seen: tuple[Floats, Floats],
    level: float,
    delta: float,
    bets: tuple[float, ...],
    highest: float,
) -> tuple[list[LossStep], LossStep | None]:
    wealth, counts = _at(thresholds, seen, level, bets)
    steps: list[LossStep] = []
    certified = None
    for index in path:
        inside = seen[1][seen[0] >= thresholds[index - 1]]
        steps.append(
            LossStep(
                index=index,
                threshold=float(thresholds[index - 1]),
                coverage=float(coverages[index - 1]),
                labels=int(counts[index - 1]),
                mean_loss=float(inside.mean()) * highest if len(inside) else 0.0,
                wealth=float(math.exp(min(wealth[index - 1], 700.0))),
            )
        )
        if wealth[index - 1] < -math.log(delta):
            break
        certified = steps[-1]
    return steps, certified
