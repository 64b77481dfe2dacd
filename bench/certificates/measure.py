"""Draws labels from a population again and again, lets every method choose a threshold, and looks up the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bench.certificates import peers
from bench.certificates.populations import Population, seed_of
from handrail.cycle.review.certificates import Design, certified_threshold, certify_designed, design
from handrail.foundation.statistics import holm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Pairs = tuple[Floats, Floats]

DELTA = 0.10
SIZES = (100, 200, 500, 1000, 2000)
ALPHAS = (0.01, 0.02, 0.05)
KNOWN = 1000  # training pairs, and unlabelled scores
MODES = ("closed", "strict", "lazy")
NOTHING = peers.NOTHING
COMPARED = 16  # in one setting of so many, the test's threshold is compared with that of the whole certificate
TOLERANCE = 1e-9  # sums of risks are rounded


@dataclass
class Tally:
    """What one method did in one setting."""

    repeats: int = 0
    wrong: int = 0  # thresholds with a true error above alpha
    coverage: float = 0.0  # summed

    def add(self, population: Population, threshold: float, alpha: float) -> None:
        """Note a chosen threshold."""
        share, risk = population.truth(threshold)
        self.note(share, risk > alpha + TOLERANCE)

    def note(self, share: float, wrong: bool) -> None:
        """Note what share is automated and whether its error is above alpha."""
        self.repeats += 1
        self.coverage += share
        self.wrong += wrong

    @property
    def automated(self) -> float:
        """The mean share of the traffic that is automated."""
        return self.coverage / self.repeats if self.repeats else 0.0

    @property
    def violation(self) -> float:
        """How often the true error was above alpha."""
        return self.wrong / self.repeats if self.repeats else 0.0


@dataclass
class Setting:
    """One population, one number of labels, one alpha: what every method did."""

    population: str
    kind: str
    labels: int
    alpha: float
    oracle: float
    tallies: dict[str, Tally] = field(default_factory=dict)

    def of(self, method: str) -> Tally:
        """Return the tally of a method, a new one at first."""
        return self.tallies.setdefault(method, Tally())


def threshold_of(plan: Design, scores: Floats, errors: Floats) -> float:
    """Return the certified threshold, infinite for a refusal; `checked` compares it with the whole certificate's."""
    found = certified_threshold(plan, scores, errors)
    return NOTHING if found is None else found


def checked(plan: Design, labels: Pairs, unlabelled: Floats, training: Pairs) -> float:
    """Return the threshold of `certify_designed`, having compared it with that of `threshold_of`."""
    made = certify_designed(plan, *labels, unlabelled=unlabelled, training=training)
    found = NOTHING if made.threshold is None else made.threshold
    if found != threshold_of(plan, *labels):
        raise AssertionError(f"certify_designed says {found}, its test {threshold_of(plan, *labels)}")
    return found


def designs_of(unlabelled: Floats, training: Pairs, labels: int, alpha: float, modes: tuple[str, ...]) -> list[Design]:
    """Return one design for each mode; "lazy" is the closed test with labels where something may be automated."""
    return [
        design(
            unlabelled,
            training,
            labels=labels,
            alpha=alpha,
            delta=DELTA,
            mode="strict" if mode == "strict" else "closed",
            lazy=mode == "lazy",
        )
        for mode in modes
    ]


def measure(
    population: Population,
    labels: int,
    alpha: float,
    repeats: int,
    draws: int,
    *,
    modes: tuple[str, ...] = MODES,
    curve: Callable[[Pairs, np.random.Generator], Pairs] | None = None,
    mapie: int = 0,
) -> Setting:
    """Measure one setting: `draws` designs with repeats / `draws` calibration sets each.

    `curve` changes the training pairs. The first `mapie` calibration sets of each draw go to MAPIE as well.
    """
    found = Setting(population.name, population.kind, labels, alpha, population.oracle(alpha))
    for draw in range(draws):
        rng = np.random.default_rng([seed_of(population.name), labels, round(alpha * 1000), draw])
        unlabelled, training = population.draw(rng, KNOWN)[0], population.draw(rng, KNOWN)
        if curve is not None:
            training = curve(training, rng)
        made = dict(zip(modes, designs_of(unlabelled, training, labels, alpha, modes), strict=True))
        grid = peers.grid_of(unlabelled)
        for repeat in range(repeats // draws):
            scores, errors, places = population.draw_places(rng, labels)
            for mode, plan in made.items():
                drawn = population.draw(rng, labels, plan.frame.region) if mode == "lazy" else (scores, errors)
                compare = draw == repeat == 0 and seed_of(f"{population.name} {labels} {alpha}") % COMPARED == 0
                threshold = checked(plan, drawn, unlabelled, training) if compare else threshold_of(plan, *drawn)
                found.of(mode).add(population, threshold, alpha)
            _add_peers(found, population, peers.Sorted(scores, errors, alpha), grid)
            if population.right is not None and curve is None:
                _add_singleton(found, population, places)
            if repeat < mapie:
                for method in ("bonferroni_holm", "fixed_sequence"):
                    threshold = peers.mapie(scores, errors, alpha, DELTA, method)
                    found.of(f"mapie {method}").add(population, threshold, alpha)
    return found


def _add_peers(found: Setting, population: Population, labels: peers.Sorted, grid: Floats) -> None:
    alpha = found.alpha
    found.of("envelope").add(population, peers.envelope(labels, DELTA, grid), alpha)
    found.of("envelope everywhere").add(population, peers.envelope_everywhere(labels, DELTA), alpha)
    found.of("naive").add(population, peers.naive(labels), alpha)
    found.of("sgr").add(population, peers.sgr(labels, DELTA), alpha)


def _add_singleton(found: Setting, population: Population, places: NDArray[np.int64]) -> None:
    assert population.right is not None
    assert population.second is not None
    cut = peers.singleton_cut(population.right[places], found.alpha)
    single = (population.scores >= cut) & (population.second < cut)
    risk = float(population.risks[single].mean()) if single.any() else 0.0
    found.of("singleton").note(float(single.mean()), risk > found.alpha + TOLERANCE)


def significant(settings: list[Setting], method: str, level: float = 0.05) -> list[Setting]:
    """Return the settings whose violation is significantly above delta: exact binomial tests, Holm over all of them."""
    from scipy.stats import binom

    tallies = [setting.tallies[method] for setting in settings]
    p_values = [float(binom.sf(tally.wrong - 1, tally.repeats, DELTA)) for tally in tallies]
    return [setting for setting, p_value in zip(settings, holm(p_values), strict=True) if p_value <= level]


def thinned(training: Pairs, rng: np.random.Generator) -> Pairs:
    """Leave three of ten training errors: a curve that is far too optimistic."""
    scores, errors = training
    return scores, np.where(rng.random(len(errors)) < 0.3, errors, 0.0)


def tripled(training: Pairs, _: np.random.Generator) -> Pairs:
    """Show each training error three times: a curve that is far too pessimistic."""
    scores, errors = training
    more = np.flatnonzero(errors == 1.0).repeat(2)
    return np.concatenate([scores, scores[more]]), np.concatenate([errors, errors[more]])


def shuffled(training: Pairs, rng: np.random.Generator) -> Pairs:
    """Give training errors to any items: a curve that says nothing."""
    scores, errors = training
    return scores, rng.permutation(errors)


CURVES: dict[str, Callable[[Pairs, np.random.Generator], Pairs]] = {
    "errors thinned to 30 %": thinned,
    "errors tripled": tripled,
    "errors shuffled": shuffled,
}
