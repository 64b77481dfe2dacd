"""From scores and errors to a certificate: design first, then the labels speak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from handrail.cycle.review.certificates import closed, strict
from handrail.cycle.review.certificates.curves import grid
from handrail.cycle.review.certificates.evidence import CertificateInvalid, Evidence, digest, finite
from handrail.cycle.review.certificates.plan import Certificate, Design, FixedSequence, Frame, Mode, Step, Windows
from handrail.foundation.statistics import upper_limit

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from handrail.cycle.review.certificates.curves import Floats

    Numbers = Sequence[float] | ArrayLike
    Pairs = tuple[Numbers, Numbers]

# Shares of the traffic, in hundredths, that a region of labels may cover. Any choice among them is valid, as it is made
# before the labels.
REGIONS = tuple(range(25, 101, 5))


def design(
    unlabelled: Numbers,
    training: Pairs | None = None,
    *,
    labels: int,
    alpha: float,
    delta: float = 0.1,
    mode: Mode = "closed",
    lazy: bool = False,
    region: float | None = None,
    reach: float | None = None,
    seed: int = 0,
) -> Design:
    """Fix everything about a test before the first calibration label is seen.

    `unlabelled`: scores of the traffic (1000 or more are good). `training`: out-of-fold (scores, errors) of the same
    model; without them the test is valid and automates less. `labels`: size of the calibration set to come. `lazy`:
    choose a `region`, so that no label is spent where nothing will be automated; the labels must then be drawn from
    scores at or above `region` only. `region` itself names one that is fixed already. `reach`: no region may begin
    above this score (above it there are too few items to draw from).
    Raises `CertificateInvalid`.
    """
    if not (0.0 < alpha <= 0.5 and 0.0 < delta <= 0.5 and labels >= 1 and seed >= 0):
        raise CertificateInvalid(
            f"alpha {alpha}, delta {delta}, {labels} labels and seed {seed} do not make a certificate.",
            hint="alpha and delta lie above 0 and at most 0.5; labels and seed are whole numbers.",
        )
    if mode not in ("closed", "strict"):
        raise CertificateInvalid(f"There is no mode {mode!r}.", hint="Use closed or strict.")
    traffic, known = finite("unlabelled", unlabelled), Evidence.of_training(training)
    frame = Frame(
        alpha=float(alpha),
        delta=float(delta),
        labels=int(labels),
        seed=int(seed),
        region=None,
        share=1.0,
        unlabelled=len(traffic),
        unlabelled_hash=digest(traffic),
        training=len(known.scores),
        training_hash=known.digest(),
    )
    regions = _regions(traffic, reach) if lazy and len(known.scores) else [None if region is None else float(region)]
    made = [_designed(mode, _inside(frame, traffic, one), traffic, known) for one in regions]
    return max(made, key=lambda one: one.expected_coverage)  # the first of equals, and so the smallest region


def certify(
    scores: Numbers,
    errors: Numbers,
    *,
    unlabelled: Numbers,
    alpha: float,
    delta: float = 0.1,
    training: Pairs | None = None,
    mode: Mode = "closed",
    region: float | None = None,
    seed: int = 0,
) -> Certificate:
    """Return the certificate that n labelled items support: a threshold, or a refusal with the labels still needed.

    `scores`, `errors`: the calibration set, confidence and 0/1 wrong, one per item; a random sample of the traffic (of
    the part at or above `region`, if one was fixed before), every one of them labelled. `unlabelled`, `training`,
    `mode`: as in `design`. `alpha`: highest share of wrong automatic decisions. `delta`: chance of a wrong certificate.
    Raises `CertificateInvalid` for numbers that are not finite, errors other than 0/1, unequal lengths, empty sets.
    """
    calibration = Evidence.read("calibration", scores, errors)
    plan = design(
        unlabelled,
        training,
        labels=len(calibration.scores),
        alpha=alpha,
        delta=delta,
        mode=mode,
        region=region,
        seed=seed,
    )
    return _issue(plan, calibration, Evidence.of_training(training), finite("unlabelled", unlabelled))


def certify_designed(
    plan: Design, scores: Numbers, errors: Numbers, *, unlabelled: Numbers, training: Pairs | None = None
) -> Certificate:
    """Return the certificate of a design made earlier; `unlabelled` and `training` must be what it was made from.

    Raises `CertificateInvalid` when the number of labels or the data are not those of the design.
    """
    calibration, known = Evidence.read("calibration", scores, errors), Evidence.of_training(training)
    traffic = finite("unlabelled", unlabelled)
    frame = plan.frame
    if len(calibration.scores) != frame.labels or known.digest() != frame.training_hash:
        raise CertificateInvalid(
            f"The design was made for {frame.labels} labels and its own training data.",
            hint="Label every drawn item, or make a new design before new labels are drawn.",
        )
    if digest(traffic) != frame.unlabelled_hash:
        raise CertificateInvalid("The design was made from other unlabelled scores.", hint="Use those of the design.")
    return _issue(plan, calibration, known, traffic)


def certified_threshold(plan: Design, scores: Numbers, errors: Numbers) -> float | None:
    """Return the threshold that `certify_designed` certifies, None for a refusal: all that a simulation needs."""
    return _walked(plan, Evidence.read("calibration", scores, errors), None)[1]


def _walked(plan: Design, calibration: Evidence, traffic: Floats | None) -> tuple[list[Step], float | None]:
    """Return the tests made and the certified threshold; in mode closed their coverage needs `traffic`."""
    frame, test = plan.frame, plan.test
    if isinstance(test, FixedSequence):
        steps, certified = strict.walk(frame, test, calibration)
        return steps, certified.threshold if certified else None
    steps, certified = closed.walk(frame, test, calibration, traffic)
    return steps, closed.threshold_of(certified, calibration.scores) if certified else None


def _regions(traffic: Floats, reach: float | None) -> list[float | None]:
    thresholds, _ = grid(traffic)
    begins = [float(thresholds[share - 1]) for share in REGIONS if share < 100]
    return [*(one for one in begins if reach is None or one <= reach), None]


def _inside(frame: Frame, traffic: Floats, region: float | None) -> Frame:
    if region is None:
        return frame
    share = float((traffic >= region).mean())
    if share == 0.0:
        raise CertificateInvalid("No unlabelled score lies in the region.", hint="Fix a lower one.")
    return replace(frame, region=region, share=share)


def _traffic_of(frame: Frame, traffic: Floats) -> Floats:
    """Return the unlabelled scores of the region."""
    return traffic if frame.region is None else traffic[traffic >= frame.region]


def _designed(mode: Mode, frame: Frame, traffic: Floats, known: Evidence) -> Design:
    test_of = strict.design if mode == "strict" else closed.design
    test, value = test_of(frame, _traffic_of(frame, traffic), known.above(frame.region))
    return Design(mode, frame, test, value * frame.share)


def _issue(plan: Design, calibration: Evidence, known: Evidence, traffic: Floats) -> Certificate:
    frame, test = plan.frame, plan.test
    if frame.region is not None and (calibration.scores < frame.region).any():
        raise CertificateInvalid(
            "A calibration item lies outside the region of the design.",
            hint="Draw labels only from scores at or above it.",
        )
    both = known.above(frame.region).joined(calibration)
    steps, threshold = _walked(plan, calibration, traffic)
    fresh = threshold is None and bool(steps)
    needed, power = 0, 1.0
    if threshold is None:
        needed, power = (
            strict.labels_needed(frame, test, both)
            if isinstance(test, FixedSequence)
            else closed.labels_needed(frame, test, both, _traffic_of(frame, traffic))
        )
        needed = needed if fresh else max(1, needed - frame.labels)
    return _certificate(plan, calibration, traffic, steps, threshold, (needed, fresh, power))


def _certificate(
    plan: Design,
    calibration: Evidence,
    traffic: Floats,
    steps: list[Step],
    threshold: float | None,
    needed: tuple[int, bool, float],
) -> Certificate:
    frame, test = plan.frame, plan.test
    shown = threshold if threshold is not None else steps[0].threshold if steps else None
    range_ = calibration.above(shown) if shown is not None else None
    labels = 0 if range_ is None else len(range_.scores)
    errors = 0 if range_ is None else int(range_.errors.sum())
    return Certificate(
        status="refused" if threshold is None else "certified",
        mode=plan.mode,
        alpha=frame.alpha,
        delta=frame.delta,
        region=frame.region,
        threshold=threshold,
        coverage=0.0 if threshold is None else float((traffic >= threshold).mean()),
        labels=frame.labels,
        errors=int(calibration.errors.sum()),
        labels_in_range=labels,
        errors_in_range=errors,
        upper=None if range_ is None else upper_limit(errors, labels, 1.0 - frame.delta),
        start=test.start,
        stride=0 if isinstance(test, Windows) else test.stride,
        width=test.width if isinstance(test, Windows) else None,
        path=test.path,
        steps=tuple(steps),
        needed=needed[0],
        needed_fresh=needed[1],
        needed_power=needed[2],
        unlabelled=frame.unlabelled,
        training=frame.training,
        unlabelled_hash=frame.unlabelled_hash,
        training_hash=frame.training_hash,
        calibration_hash=calibration.digest(),
        design_hash=plan.digest(),
        seed=frame.seed,
    )
