"""Designs the fixed sequence of a certificate: grid of thresholds from unlabelled scores, path from training data."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from handrail.foundation.errors import Invalid
from handrail.foundation.statistics import nondecreasing, zero_error_labels

if TYPE_CHECKING:
    from numpy import float64
    from numpy.random import Generator
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[float64]

GRID = 100
DRAWS = 300
SPREAD = 0.25
STRIDES = (1, 2, 3, 4, 6, 9, 13)
METHOD = "strict-1"
# The label estimate: wished probability of success, growth of the trial sizes, largest trial in label floors.
POWER, GROWTH, FARTHEST = 0.8, 1.2, 50
# Stands for "no lower limit" where a score may be negative; JSON knows no minus infinity.
EVERYTHING = -sys.float_info.max


class CertificateInvalid(Invalid):
    """The numbers handed to the certificate are not what it needs."""

    code = "review.certificate_invalid"


@dataclass(frozen=True)
class Evidence:
    """Scores (confidence, higher is surer) and errors (1 wrong, 0 right) of the same items."""

    scores: Floats
    errors: Floats

    @classmethod
    def read(cls, name: str, scores: Sequence[float] | ArrayLike, errors: Sequence[float] | ArrayLike) -> Evidence:
        """Check and copy arrays; `name` says in the error which set is meant."""
        import numpy as np

        read = _finite(name, scores)
        wrong = np.asarray(errors, dtype=float).reshape(-1)
        if len(read) != len(wrong):
            raise CertificateInvalid(f"The {name} set has {len(read)} scores but {len(wrong)} errors.")
        if not np.isin(wrong, (0.0, 1.0)).all():
            raise CertificateInvalid(f"The {name} errors must be 0 (right) or 1 (wrong).")
        return cls(read, wrong)

    def joined(self, other: Evidence) -> Evidence:
        """Return both sets as one."""
        import numpy as np

        return Evidence(np.concatenate([self.scores, other.scores]), np.concatenate([self.errors, other.errors]))

    def digest(self) -> str:
        """Return the SHA-256 of scores and errors, in order."""
        return _digest(self.scores, self.errors)


@dataclass(frozen=True)
class Design:
    """Everything that is fixed before the first label: journal it then.

    `thresholds` and `coverages` hold the grid from most confident to everything; `path` holds grid indices from 1,
    `start` and `stride` how it was made (0 and an empty path: too few labels for any test).
    """

    method: str
    alpha: float
    delta: float
    labels: int
    seed: int
    thresholds: tuple[float, ...]
    coverages: tuple[float, ...]
    start: int
    stride: int
    path: tuple[int, ...]
    expected_coverage: float
    unlabelled: int
    unlabelled_hash: str
    training_hash: str

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        lists = {name: list(getattr(self, name)) for name in ("thresholds", "coverages", "path")}
        return asdict(self) | lists

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Design:
        """Read what `to_dict` wrote."""
        return cls(**{**values, **{name: tuple(values[name]) for name in ("thresholds", "coverages", "path")}})


def design(
    unlabelled: Sequence[float] | ArrayLike, training: Evidence, labels: int, alpha: float, delta: float, seed: int
) -> Design:
    """Return the design; see `certificate.design`."""
    import numpy as np

    if not (0.0 < alpha <= 0.5 and 0.0 < delta <= 0.5 and labels >= 1 and seed >= 0):
        raise CertificateInvalid(
            f"alpha {alpha}, delta {delta}, {labels} labels and seed {seed} do not make a certificate.",
            hint="alpha and delta lie above 0 and at most 0.5; labels and seed are whole numbers.",
        )
    traffic = _finite("unlabelled", unlabelled)
    thresholds, coverages = grid(traffic)
    masses = np.diff(coverages, prepend=0.0)
    floor = zero_error_labels(alpha, delta)
    start, stride, value = 0, 0, 0.0
    path: tuple[int, ...] = ()
    if labels >= floor:
        rng = np.random.default_rng([seed, 1])
        rates = band_rates(training, thresholds, masses, rng)
        passed = _passed(rates, masses, labels, alpha, delta, rng)
        first = int(np.searchsorted(coverages * labels, floor)) + 1
        start, stride, path, value = _best_path(passed, coverages, max(1, min(first, GRID) - 3))
    return Design(
        method=METHOD,
        alpha=float(alpha),
        delta=float(delta),
        labels=labels,
        seed=seed,
        thresholds=tuple(thresholds.tolist()),
        coverages=tuple(coverages.tolist()),
        start=start,
        stride=stride,
        path=path,
        expected_coverage=value,
        unlabelled=len(traffic),
        unlabelled_hash=_digest(traffic),
        training_hash=training.digest(),
    )


def grid(traffic: Floats) -> tuple[Floats, Floats]:
    """Return thresholds and the shares of `traffic` at or above them, for coverages 1/100 to 1.

    A threshold lies halfway between two neighbouring different scores, so that rounding of a score does not matter.
    The last one lets everything through. Equal scores stay together: then some thresholds repeat.
    """
    import numpy as np

    descending = np.sort(traffic)[::-1]
    ranks = -(-np.arange(1, GRID + 1) * len(traffic) // GRID)
    values = descending[ranks - 1]
    counts = np.searchsorted(-descending, -values, side="right")
    below = descending[np.minimum(counts, len(traffic) - 1)]
    middle = below + (values - below) / 2
    thresholds = np.where(middle > below, middle, values)
    thresholds[-1] = 0.0 if descending[-1] >= 0.0 else EVERYTHING
    return thresholds, counts / len(traffic)


def band_rates(known: Evidence, thresholds: Floats, masses: Floats, rng: Generator) -> Floats:
    """Return 300 plausible error rates for each band between thresholds, shape (300, 100).

    Isotonic fit of the known errors, Gamma draws around it, each draw scaled by exp(Normal(0, 0.25)), capped at 1.
    Bands without known items share the items of the next less confident band that has some (the last ones those of
    the band before), so that sixty items are enough; with items in every band nothing is shared.
    """
    import numpy as np

    band = np.minimum(np.searchsorted(-thresholds, -known.scores, side="left"), GRID - 1)
    items = np.bincount(band, weights=np.ones(len(band)), minlength=GRID)
    wrong = np.bincount(band, weights=known.errors, minlength=GRID)
    group, groups, filled, room = np.zeros(GRID, dtype=int), 0, 0.0, 0.0
    for j in range(GRID):
        group[j] = groups
        filled, room = filled + items[j], room + masses[j]
        if filled > 0 and room > 0 and items[j:].sum() > items[j] and masses[j + 1 :].sum() > 0:
            groups, filled, room = groups + 1, 0.0, 0.0
    share = masses / np.bincount(group, weights=masses)[group]
    real = np.flatnonzero(masses > 0)
    m = (np.bincount(group, weights=items)[group] * share)[real]
    e = (np.bincount(group, weights=wrong)[group] * share)[real]
    prior = 0.5 / GRID
    fitted = nondecreasing(((e + prior) / (m + prior)).tolist(), m.tolist())
    rates = np.zeros((DRAWS, GRID))
    rates[:, real] = rng.gamma(np.maximum(m * np.asarray(fitted), 1e-4), 1.0 / m, size=(DRAWS, len(real)))
    rates *= np.exp(rng.normal(0.0, SPREAD, size=(DRAWS, 1)))
    return np.minimum(rates, 1.0)


def labels_needed(plan: Design, known: Evidence) -> tuple[int, float]:
    """Return (size of a calibration set that would probably be certified somewhere, that probability).

    The smallest size, from the label floor up to 50 times that, with probability 0.8; where no size reaches it, the
    smallest that comes within 0.02 of the best. Rates are drawn from `known` as in a design.
    """
    import numpy as np

    masses = np.diff(np.asarray(plan.coverages), prepend=0.0)
    rates = band_rates(known, np.asarray(plan.thresholds), masses, np.random.default_rng([plan.seed, 2]))
    floor = zero_error_labels(plan.alpha, plan.delta)

    def power(size: int) -> float:
        rng = np.random.default_rng([plan.seed, 3])
        return float(_passed(rates, masses, size, plan.alpha, plan.delta, rng).mean(axis=0).max())

    sizes, powers = [floor], [power(floor)]
    while powers[-1] < POWER and sizes[-1] < FARTHEST * floor:
        sizes.append(int(sizes[-1] * GROWTH) + 1)
        powers.append(power(sizes[-1]))
    goal = min(POWER, max(powers) - 0.02)
    chosen = next(i for i, reached in enumerate(powers) if reached >= goal)
    return sizes[chosen], powers[chosen]


def _passed(rates: Floats, masses: Floats, labels: int, alpha: float, delta: float, rng: Generator) -> NDArray[Any]:
    """Return which grid tests pass in each simulated calibration set, shape (300, 100)."""
    import numpy as np
    from scipy.special import bdtr

    counts = rng.multinomial(labels, masses / masses.sum(), size=len(rates))
    errors = rng.binomial(counts, rates).cumsum(axis=1)
    seen = counts.cumsum(axis=1)
    p_values = bdtr(errors.astype(float), seen, alpha)
    return np.asarray(np.where(seen == 0, 1.0, p_values) <= delta)


def _best_path(passed: NDArray[Any], coverages: Floats, earliest: int) -> tuple[int, int, tuple[int, ...], float]:
    """Return start, stride, path and mean coverage of the best path; `earliest` is the first start, from 1."""
    import numpy as np

    best: tuple[float, int, int, tuple[int, ...]] = (0.0, 0, 0, ())
    # The last index always counts as a start: with labels near the floor nothing else can pass.
    for start in sorted({*range(earliest, GRID + 1, 2), GRID}):
        for stride in STRIDES:
            path = (*range(start, GRID, stride), GRID)
            at = np.asarray(path) - 1
            reached = np.logical_and.accumulate(passed[:, at], axis=1).sum(axis=1)
            value = float(np.concatenate([[0.0], coverages[at]])[reached].mean())
            if value > best[0]:
                best = (value, start, stride, path)
    if not best[3]:
        # No simulated set passed anywhere: keep a chance by testing the range where most labels will lie first.
        start = min(GRID, earliest + 3)
        return start, 1, tuple(range(start, GRID + 1)), 0.0
    return best[1], best[2], best[3], best[0]


def _finite(name: str, values: Sequence[float] | ArrayLike) -> Floats:
    import numpy as np

    read = np.array(values, dtype=float).reshape(-1)
    if not len(read) or not np.isfinite(read).all():
        raise CertificateInvalid(
            f"The {name} scores must be finite numbers, at least one.", hint="Drop rows without a score before."
        )
    return read


def _digest(*arrays: Floats) -> str:
    content = hashlib.sha256()
    for array in arrays:
        content.update(len(array).to_bytes(8, "little"))
        content.update(array.astype("<f8").tobytes())
    return content.hexdigest()
