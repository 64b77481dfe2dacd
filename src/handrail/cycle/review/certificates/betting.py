"""The betting test behind certificates for losses: bets, wealth, and the path of thresholds. Pure.

Losses lie in [0, 1] here, whoever calls divides by the highest. Source: Waudby-Smith and Ramdas, Estimating means of
bounded random variables by betting (2024); the path is fixed-sequence testing, Angelopoulos et al., Learn then Test
(2021).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handrail.cycle.review.certificates.curves import GRID, SPREAD
from handrail.cycle.review.certificates.evidence import CertificateInvalid, finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from handrail.cycle.review.certificates.curves import Floats

    Numbers = Sequence[float] | ArrayLike

BETS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95)
"""Parts of the highest bet; each gets an equal share of the stake, the bet that training data favour the other half."""
_SETS = 60  # calibration sets drawn from training data to choose the path
_POWER_SETS = 200
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
class Path:
    """Grid indices to test, from 1, and what sets drawn from training data make of them.

    `coverage`: the mean share they let through, None without training data.
    """

    path: tuple[int, ...]
    coverage: float | None = None


def read_losses(name: str, scores: Numbers, losses: Numbers, highest: float) -> tuple[Floats, Floats]:
    """Return scores and losses divided by the highest one; raises CertificateInvalid for what is no such pair."""
    import numpy as np

    read, lost = finite(name, scores), np.asarray(losses, dtype=float).reshape(-1)
    if len(read) != len(lost):
        raise CertificateInvalid(f"The {name} set has {len(read)} scores but {len(lost)} losses.")
    if not ((lost >= 0.0) & (lost <= highest)).all():  # NaN is neither
        raise CertificateInvalid(f"The {name} losses must lie between 0 and {highest:g}.")
    return read, lost / highest


def bets_for(level: float, known: tuple[Floats, Floats] | None) -> tuple[float, ...]:
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


def shares_of(bets: tuple[float, ...]) -> tuple[float, ...]:
    """Return the part of the stake on each bet."""
    spread = len(BETS)
    return (0.5, *[0.5 / spread] * spread) if len(bets) > spread else (1 / spread,) * spread


def wealth_of(losses: Floats, level: float, bets: tuple[float, ...]) -> Floats:
    """Return log wealth against "the mean is above level" after each item; a mean at or above it multiplies by <= 1."""
    import numpy as np
    from scipy.special import logsumexp

    stakes = np.asarray(bets) / (1.0 - level)
    walks = np.log1p(-stakes[:, None] * (losses[None, :] - level)).cumsum(axis=1)
    found: Floats = logsumexp(walks + np.log(shares_of(bets))[:, None], axis=0)
    return found


def least_labels(level: float, delta: float, bets: tuple[float, ...]) -> int:
    """Return the number of labels that suffices when none of them shows a loss."""
    import numpy as np

    size = 64
    while True:
        walk = wealth_of(np.zeros(size), level, bets)
        if walk[-1] >= -math.log(delta):
            return int(np.argmax(walk >= -math.log(delta))) + 1
        size *= 2


def path_of(
    thresholds: Floats,
    coverages: Floats,
    labels: int,
    level: float,
    delta: float,
    known: tuple[Floats, Floats] | None,
    bets: tuple[float, ...],
    seed: int,
) -> Path:
    """Return the grid indices to test: the start and stride that let most through on sets of training items."""
    import numpy as np

    least = least_labels(level, delta, bets)
    if labels < least:
        return Path(())
    first = min(GRID, int(np.searchsorted(coverages * labels, least)) + 1)
    if known is None:
        start = min(GRID, int(np.searchsorted(coverages * labels, _BLIND * least)) + 1)
        return Path(tuple(range(start, GRID + 1)))
    rng = np.random.default_rng([seed, 5])
    passed = np.zeros((_SETS, GRID), dtype=bool)
    for row in range(_SETS):
        drawn = rng.integers(0, len(known[0]), labels)
        passed[row] = passed_at(thresholds, (known[0][drawn], known[1][drawn]), level, delta, bets)
    best, chosen = -1.0, tuple(range(first, GRID + 1))
    for start in range(first, GRID + 1, 2):
        for stride in _STRIDES:
            path = (*range(start, GRID, stride), GRID)
            at = np.asarray(path) - 1
            reached = np.logical_and.accumulate(passed[:, at], axis=1).sum(axis=1)
            value = float(np.concatenate([[0.0], coverages[at]])[reached].mean())
            if value > best:
                best, chosen = value, path
    return Path(chosen, best)


def power_of(
    thresholds: Floats,
    first: int,
    labels: int,
    level: float,
    delta: float,
    known: tuple[Floats, Floats],
    bets: tuple[float, ...],
    seed: int,
) -> float:
    """Return how often the test at grid index `first` passes on sets of `labels` items.

    Each set is drawn from a redraw of the known items, as those are a sample too, its losses scaled by exp(Normal(0,
    0.25)) as plausible curves of errors are (`curves`); none of them chose the path.
    """
    import numpy as np

    rng, n, passed = np.random.default_rng([seed, 7]), len(known[0]), 0
    for _ in range(_POWER_SETS):
        drawn = rng.integers(0, n, n)[rng.integers(0, n, labels)]
        losses = np.minimum(1.0, known[1][drawn] * np.exp(rng.normal(0.0, SPREAD)))
        passed += bool(passed_at(thresholds, (known[0][drawn], losses), level, delta, bets)[first - 1])
    return passed / _POWER_SETS


def at_grid(
    thresholds: Floats, seen: tuple[Floats, Floats], level: float, bets: tuple[float, ...]
) -> tuple[Floats, Any]:
    """Return (log wealth, number of items) at every threshold of the grid."""
    import numpy as np

    order = np.argsort(-seen[0], kind="stable")
    wealth = np.concatenate([[0.0], wealth_of(seen[1][order], level, bets)])
    counts = np.searchsorted(-seen[0][order], -thresholds, side="right")
    return wealth[counts], counts


def passed_at(
    thresholds: Floats, seen: tuple[Floats, Floats], level: float, delta: float, bets: tuple[float, ...]
) -> Any:
    """Return at which thresholds of the grid the test passes."""
    return at_grid(thresholds, seen, level, bets)[0] >= -math.log(delta)


def walk(
    path: tuple[int, ...],
    thresholds: Floats,
    coverages: Floats,
    seen: tuple[Floats, Floats],
    level: float,
    delta: float,
    bets: tuple[float, ...],
    highest: float,
) -> tuple[list[LossStep], LossStep | None]:
    """Return the tests made along a path until the first failure, and the last that passed."""
    wealth, counts = at_grid(thresholds, seen, level, bets)
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
