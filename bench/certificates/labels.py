"""Counts the labels that certify 90 % of the oracle's automation: label until certified, against a fixed sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.certificates.measure import DELTA, KNOWN
from bench.certificates.populations import Population, seed_of
from handrail.cycle.review.certificates.until import UntilPlan, plan_until, progress

TARGET = 0.9  # of the oracle's automation
POWER = 0.9
MOST = 400_000  # a fixed sample larger than this is not looked for


@dataclass(frozen=True)
class Labels:
    """One population and alpha: labels of each stream relative to those of the fixed sample, and how streams ended.

    `impossible`: draws whose named threshold has a true error above alpha or so near it that no fixed sample does.
    `at_limit`: streams with an error of exactly alpha, and how many of them were certified.
    """

    population: str
    alpha: float
    ratios: tuple[float, ...]
    taken: tuple[int, ...]
    fixed: tuple[int, ...]
    certified: int
    impossible: int
    at_limit: tuple[int, int]

    @property
    def ratio(self) -> float:
        """The median ratio."""
        return float(np.median(self.ratios))


def count_labels(population: Population, alpha: float, draws: int, streams: int) -> Labels | None:
    """Measure one population; None where the oracle automates less than a twentieth."""
    oracle = population.oracle(alpha)
    if oracle < 0.05:
        return None
    ratios: list[float] = []
    taken: list[int] = []
    fixed: list[int] = []
    certified = impossible = crossed = 0
    for draw in range(draws):
        rng = np.random.default_rng([seed_of(population.name), round(alpha * 1000), 77, draw])
        unlabelled, training = population.draw(rng, KNOWN)[0], population.draw(rng, KNOWN)
        plan = plan_until(unlabelled, training, coverage=TARGET * oracle, alpha=alpha, delta=DELTA)
        crossed += sum(follow(plan, alpha, rng)[1] for _ in range(streams))
        share, risk = population.truth(plan.threshold)
        needed = fixed_labels(share, risk, alpha) if risk < alpha else None
        if needed is None:
            impossible += 1
            continue
        fixed.append(needed)
        for _ in range(streams):
            labels, passed = follow(plan, risk, rng)
            taken.append(labels)
            ratios.append(labels / needed)
            certified += passed
    return Labels(
        population.name,
        alpha,
        tuple(ratios),
        tuple(taken),
        tuple(fixed),
        certified,
        impossible,
        (draws * streams, crossed),
    )


def follow(plan: UntilPlan, risk: float, rng: np.random.Generator) -> tuple[int, bool]:
    """Label a stream of items above the plan's threshold; return (labels, certified or not)."""
    errors = (rng.random(plan.counts[-1]) < risk).astype(np.int64)
    end = progress(plan, errors)
    if end.at is not None:
        return end.at, True
    last = plan.first_errors + len(plan.counts) - 1
    seen = errors.cumsum()
    return (int(np.argmax(seen > last)) + 1 if seen[-1] > last else len(errors)), False


def fixed_labels(share: float, risk: float, alpha: float) -> int | None:
    """Return the smallest fixed sample of all traffic that certifies the threshold in 90 % of draws.

    Of its n labels Bin(n, `share`) lie above the threshold, each wrong with probability `risk`; all n are counted. The
    power is exact; it falls a little between two numbers of errors, so the search ends within that of the smallest.
    """

    def enough(size: int) -> bool:
        return power_of(size, share, risk, alpha) >= POWER

    high = 64
    while not enough(high):
        high *= 2
        if high > MOST:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def power_of(size: int, share: float, risk: float, alpha: float) -> float:
    """Return the chance that a sample of `size` certifies the threshold by one exact binomial test."""
    from scipy.stats import binom

    far = 6.0 * np.sqrt(size * share * (1.0 - share)) + 2.0
    inside = np.arange(max(0, int(size * share - far)), min(size, int(size * share + far)) + 1)
    most = binom.ppf(DELTA, inside, alpha)
    most = np.where(binom.cdf(most, inside, alpha) > DELTA, most - 1, most)
    passed = np.where(most >= 0, binom.cdf(most, inside, risk), 0.0)
    return float((binom.pmf(inside, size, share) * passed).sum())
