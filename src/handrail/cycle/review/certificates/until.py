"""Label until certified: a person names the share to automate, and labels are asked for until the error is known well.

The threshold t is fixed first. Items of the stream with a score of at least t are labelled in order; the plan names
counts N_k, and the threshold is certified at the first N_k at which at most k errors were seen. Errors along these
items are independent with the probability R(t), and the chance of ever being certified falls in R and is at most delta
at alpha: the plan has paid for every look, so anybody may look after every label. No assumption on where errors lie.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

from handrail.cycle.review.certificates.evidence import CertificateInvalid, Evidence, digest, finite
from handrail.foundation.statistics import lower_tail, smallest_sample

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from handrail.cycle.review.certificates.curves import Ints

    Numbers = Sequence[float] | ArrayLike

MOST_ERRORS = 150
SUCCESS = 0.9
_CAUTION, _LEAST, _MOST = 1.1, 0.1, 0.8  # the planned risk, as a part of alpha
_HALVINGS = 40


@dataclass(frozen=True)
class UntilPlan:
    """What is fixed before the first label.

    `counts[i]`: certify when, among so many labels, at most `first_errors + i` are errors. `risk`: the error that the
    plan expects above `threshold`, from `weight` training items; `mean_labels` and `success`: what it takes then.
    """

    threshold: float
    coverage: float
    alpha: float
    delta: float
    level: float
    first_errors: int
    counts: tuple[int, ...]
    risk: float
    weight: int
    mean_labels: float
    success: float
    unlabelled_hash: str
    training_hash: str

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self) | {"counts": list(self.counts)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> UntilPlan:
        """Read what `to_dict` wrote."""
        return cls(**{**values, "counts": tuple(values["counts"])})

    def digest(self) -> str:
        """Return the SHA-256 of the plan."""
        return sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class UntilCertificate:
    """What the labels of a plan supported in the end. Refused: no threshold, and `needed` new labels for another plan.

    `threshold`, `coverage`: as planned, None and 0 when refused. `labels`, `errors`: all that were looked at, every one
    of them with a score of at least the planned threshold; `at`: the count at which it was certified. There is no
    upper limit of the error beside alpha: the labels stopped when they looked good, and the plan has paid for that.
    """

    status: Literal["certified", "refused"]
    alpha: float
    delta: float
    region: float
    threshold: float | None
    coverage: float
    labels: int
    errors: int
    at: int | None
    needed: int
    calibration_hash: str
    design_hash: str

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values, with the words that certificates of every mode have."""
        inside = {"labels_in_range": self.labels, "errors_in_range": self.errors, "upper": None}
        return asdict(self) | inside | {"mode": "until", "needed_fresh": self.status == "refused"}


@dataclass(frozen=True)
class Progress:
    """How far a plan is: `labels` and `errors` so far, and `at`, the count at which it was certified.

    `expected_more`: the mean number of labels until it ends, `chance`: of ending certified, if errors lie as training
    data and the labels so far suggest (0 and 1 or 0 when it has ended).
    """

    status: Literal["open", "certified", "ended"]
    labels: int
    errors: int
    at: int | None
    expected_more: float
    chance: float


def plan_until(
    unlabelled: Numbers,
    training: tuple[Numbers, Numbers],
    *,
    coverage: float,
    alpha: float,
    delta: float = 0.1,
) -> UntilPlan:
    """Return the plan that certifies "automate `coverage` of the traffic" with few labels.

    `unlabelled`: scores of the traffic. `training`: out-of-fold (scores, errors) of the same model, which choose the
    plan; a wrong curve costs labels, never the guarantee. Raises `CertificateInvalid`.
    """
    import numpy as np

    if not (0.0 < coverage <= 1.0 and 0.0 < alpha <= 0.5 and 0.0 < delta <= 0.5):
        raise CertificateInvalid(
            f"coverage {coverage}, alpha {alpha} and delta {delta} do not make a plan.",
            hint="coverage lies above 0 and at most 1, alpha and delta above 0 and at most 0.5.",
        )
    traffic, known = finite("unlabelled", unlabelled), Evidence.read("training", *training)
    threshold = float(np.sort(traffic)[::-1][max(0, int(np.ceil(coverage * len(traffic))) - 1)])
    above = known.above(threshold)
    share = _CAUTION * (float(above.errors.sum()) + 0.5) / (len(above.errors) + 1) / alpha
    risk = min(max(share, _LEAST), _MOST) * alpha
    level, first, counts = _cheapest(alpha, delta, risk)
    success, mean = _outlook(counts, first, risk)
    return UntilPlan(
        threshold=threshold,
        coverage=float((traffic >= threshold).mean()),
        alpha=float(alpha),
        delta=float(delta),
        level=level,
        first_errors=first,
        counts=counts,
        risk=risk,
        weight=len(above.errors),
        mean_labels=mean,
        success=success,
        unlabelled_hash=digest(traffic),
        training_hash=known.digest(),
    )


def _cheapest(alpha: float, delta: float, risk: float) -> tuple[float, int, tuple[int, ...]]:
    """Return level, first number of errors and counts of the plan with the least mean labels at an error of `risk`.

    Only plans that succeed nine times in ten compete; where none does, the likeliest to succeed wins.
    """
    most = alpha * _fixed_size(alpha, delta, risk)
    plans = []
    for first in sorted({0, 1, 3, int(most / 3)}):
        for last in (int(1.1 * most) + 1, int(1.6 * most) + 1):
            last = min(max(last, first), MOST_ERRORS)
            if first <= last:
                level, counts = _counts(alpha, delta, first, last)
                success, mean = _outlook(counts, first, risk)
                worth = (True, -mean) if success >= SUCCESS else (False, success)
                plans.append((worth, (level, first, counts)))
    return max(plans, key=lambda one: one[0])[1]


def progress(plan: UntilPlan, errors: Sequence[int] | ArrayLike) -> Progress:
    """Return where a plan stands after these labels (1 wrong, 0 right), in the order of the stream.

    Raises `CertificateInvalid` for anything but 0 and 1.
    """
    import numpy as np

    wrong = np.asarray(errors, dtype=float).reshape(-1)
    if not np.isin(wrong, (0.0, 1.0)).all():
        raise CertificateInvalid("The errors must be 0 (right) or 1 (wrong).")
    seen = np.concatenate([[0.0], wrong.cumsum()])
    for index, count in enumerate(plan.counts):
        if count > len(wrong):
            break
        if seen[count] <= plan.first_errors + index:
            return Progress("certified", len(wrong), int(seen[-1]), count, 0.0, 1.0)
    labels, total = len(wrong), int(seen[-1])
    if labels >= plan.counts[-1] or total > plan.first_errors + len(plan.counts) - 1:
        return Progress("ended", labels, total, None, 0.0, 0.0)
    risk = (plan.risk * plan.weight + total) / (plan.weight + labels) if plan.weight + labels else plan.risk
    chance, more = _outlook(plan.counts, plan.first_errors, risk, labels, total)
    return Progress("open", labels, total, None, more, chance)


def conclude(
    plan: UntilPlan, scores: Numbers, errors: Sequence[int] | ArrayLike, *, exhausted: bool = False
) -> UntilCertificate | None:
    """Return the certificate or the refusal of a plan whose labels are in, None while it goes on.

    `scores`, `errors`: the labelled items in the order of the draw. `exhausted`: nothing is left to label, so what is
    not certified is refused. What a refusal needs is the mean of a new plan at the error that all labels and training
    data show. Raises `CertificateInvalid`, also for a score under the threshold.
    """
    seen = Evidence.read("calibration", scores, errors)
    if (seen.scores < plan.threshold).any():
        raise CertificateInvalid("A labelled item lies under the threshold of the plan.", hint="Draw above it only.")
    now = progress(plan, seen.errors)
    if now.status == "open" and not exhausted:
        return None
    certified = now.status == "certified"
    return UntilCertificate(
        status="certified" if certified else "refused",
        alpha=plan.alpha,
        delta=plan.delta,
        region=plan.threshold,
        threshold=plan.threshold if certified else None,
        coverage=plan.coverage if certified else 0.0,
        labels=now.labels,
        errors=now.errors,
        at=now.at,
        needed=0 if certified else _needed(plan, now),
        calibration_hash=seen.digest(),
        design_hash=plan.digest(),
    )


def _needed(plan: UntilPlan, now: Progress) -> int:
    shown = _CAUTION * (plan.risk * plan.weight + now.errors + 0.5) / (plan.weight + now.labels + 1) / plan.alpha
    risk = min(max(shown, _LEAST), _MOST) * plan.alpha
    _, first, counts = _cheapest(plan.alpha, plan.delta, risk)
    return math.ceil(_outlook(counts, first, risk)[1])


def labels_to_come(plan: UntilPlan, labels: int) -> int:
    """Return how many more labels the next look takes, 0 after the last one."""
    return next((count - labels for count in plan.counts if count > labels), 0)


@lru_cache(maxsize=256)
def _counts(alpha: float, delta: float, first: int, last: int) -> tuple[float, tuple[int, ...]]:
    """Return the largest common level (to 40 halvings) with P_alpha(ever certified) <= delta, and the counts N_k."""
    import numpy as np

    errors = np.arange(first, last + 1)
    low, high = 0.0, 1.0  # exponent of the level between delta / looks and delta
    bottom, top = np.log(delta / len(errors)), np.log(delta)

    def at(place: float) -> tuple[float, tuple[int, ...]]:
        level = float(np.exp(bottom + place * (top - bottom)))
        return level, _samples(errors, alpha, level)

    if len(errors) == 1:
        return delta, (smallest_sample(first, alpha, delta),)
    found = at(0.0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        tried = at(middle)
        if _outlook(tried[1], first, alpha)[0] <= delta:
            low, found = middle, tried
        else:
            high = middle
        if at(high)[1] == found[1]:
            break
    return found


def _samples(errors: Ints, alpha: float, level: float) -> tuple[int, ...]:
    """Return for each number of errors the smallest N with P(Bin(N, alpha) <= errors) <= level."""
    import numpy as np
    from scipy.special import bdtr

    low = errors.copy()  # so few are never enough
    high = np.full_like(errors, int((errors[-1] + 10) / alpha))
    while (bdtr(errors.astype(float), high, alpha) > level).any():
        high *= 2
    while (high - low > 1).any():
        middle = (low + high) // 2
        enough = bdtr(errors.astype(float), middle, alpha) <= level
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return tuple(high.tolist())


def _outlook(counts: Sequence[int], first: int, risk: float, labels: int = 0, errors: int = 0) -> tuple[float, float]:
    """Return (chance to be certified, mean number of labels to come) at an error of `risk`, from a state on.

    Exact: the law of the errors among those who were not certified yet is carried from count to count. More errors than
    the plan bears end it.
    """
    import numpy as np
    from scipy.special import bdtr

    last = first + len(counts) - 1
    state = np.zeros(last + 1)
    state[errors] = 1.0
    tails = np.arange(last + 1.0)
    at, chance, mean = labels, 0.0, 0.0
    for index, count in enumerate(counts):
        if count <= labels:
            continue
        step = np.diff(bdtr(np.minimum(tails, count - at), count - at, risk), prepend=0.0)
        mean += float(state.sum()) * (count - at)
        state = np.convolve(state, step)[: last + 1]
        chance += float(state[: first + index + 1].sum())
        state[: first + index + 1] = 0.0
        at = count
    return chance, mean


def _fixed_size(alpha: float, delta: float, risk: float) -> int:
    """Return the smallest sample that is certified with probability 0.9 at an error of `risk`."""
    for errors in range(MOST_ERRORS + 1):
        size = smallest_sample(errors, alpha, delta)
        if lower_tail(errors, size, risk) >= SUCCESS:
            return size
    return size
