"""Is the truth from people's answers as good as majority on real people, and better where some of them are bad?

    python -m bench truth [--quick] [--keep]

Real people are recorded ratings, and what stands for truth is the plurality of the ratings that were not drawn: an
opinion of the panel. `--quick` takes fewer seeds and leaves MACE and GLAD out.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.report import Line, report
from bench.stopwatch import Stopwatch
from bench.truth.asking import savings
from bench.truth.crowds import KINDS, SETS, Crowd, drawn, in_classes, million, ratings, simulated, votes_label
from bench.truth.honesty import known_skill, naive_coverage, peer_coverage, refused
from bench.truth.peers import labels, seconds_of_20_rounds
from handrail.cycle.annotate.truth.answers import Floats, Ints
from handrail.cycle.annotate.truth.dawid_skene import Incidence, fit
from handrail.cycle.annotate.truth.held_out import choose, majority
from handrail.cycle.annotate.truth.running import Running

BAD = ("skewed activity, 10 % spam", "30 % spammers", "20 % adversaries")


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    seeds: int
    peers: tuple[str, ...]
    overlaps: tuple[int, ...]


FULL = Sizes(10, ("Dawid-Skene", "MACE", "GLAD"), (3, 5, 8))
QUICK = Sizes(3, ("Dawid-Skene",), (3, 5))


def ours(crowd: Crowd, seed: int) -> tuple[Ints, Floats, Floats]:
    """Return the label, the tempered and the untempered posterior, as `handrail.truth` has them."""
    votes = crowd.answers.votes()
    chosen = choose(crowd.answers, seed=seed)
    found = fit(Incidence.of(crowd.answers), votes, strength=chosen.strength)
    posterior = found.posterior(chosen.gamma)
    label = majority(votes, posterior) if chosen.mode == "majority" else posterior.argmax(axis=1)
    return label, posterior, found.posterior()


def ece(posterior: Floats, truth: Ints) -> float:
    """Return the expected calibration error in ten bins of equal width."""
    known = truth >= 0
    sure, right = posterior[known].max(axis=1), posterior[known].argmax(axis=1) == truth[known]
    place = np.minimum((sure * 10).astype(int), 9)
    n = np.bincount(place, minlength=10)
    gap = np.bincount(place, weights=sure, minlength=10) - np.bincount(place, weights=right, minlength=10)
    return float(np.abs(gap[n > 0]).sum() / n.sum())


@dataclass(frozen=True)
class Compared:
    """Mean accuracies, what peers gain on majority, our worst draw, calibration with and without tempering."""

    ours: float
    majority: float
    worst: float
    peers: dict[str, float]
    before: float
    after: float

    @property
    def said(self) -> str:
        """Majority, and what each peer gains on it on the same draws, in words."""
        each = [f"{name} {100 * value:+.2f}" for name, value in self.peers.items()]
        return f"majority {self.majority:.4f}; points to it: {', '.join(each)}"


def compare(crowds: list[Crowd], peers: tuple[str, ...]) -> Compared:
    """Compare on every crowd; Dawid-Skene on the first three, MACE and GLAD, which take minutes, on the first."""
    rows, others, calibration = [], {name: [] for name in peers}, []
    for seed, crowd in enumerate(crowds):
        label, tempered, plain = ours(crowd, seed)
        by_votes = crowd.accuracy(votes_label(crowd.answers.votes(), seed))
        rows.append((crowd.accuracy(label), by_votes))
        calibration.append((ece(plain, crowd.truth), ece(tempered, crowd.truth)))
        named = tuple(name for name in peers if seed < (3 if name == "Dawid-Skene" else 1))
        for name, said in labels(crowd.answers, named).items():
            others[name].append(crowd.accuracy(said) - by_votes)
    table = np.array(rows)
    before, after = np.mean(calibration, axis=0)
    return Compared(
        float(table[:, 0].mean()),
        float(table[:, 1].mean()),
        float((table[:, 0] - table[:, 1]).min()),
        {name: float(np.mean(one)) for name, one in others.items()},
        float(before),
        float(after),
    )


def real_lines(sets: dict[str, Ints], sizes: Sizes) -> list[Line]:
    """Real people: within a point of majority on the mean of draws; the worst draw, which may lie lower, is shown."""
    lines = []
    for name, given in sets.items():
        for each in sizes.overlaps:
            found = compare([drawn(given, each, seed) for seed in range(sizes.seeds)], sizes.peers)
            what = f"{name}, {len(given):,} texts, {each} answers"
            lines.append(Line(f"{what}: accuracy", found.ours, peer=found.said))
            gain, worst = 100 * (found.ours - found.majority), f"worst draw {100 * found.worst:+.2f}"
            lines.append(Line(f"{what}: mean minus majority", gain, "points", at_least=-1.0, peer=worst))
            peer = f"{found.after:.3f} after, {found.before:.3f} before"
            ratio = found.after / found.before
            lines.append(Line(f"{what}: calibration error, tempered over not", ratio, at_most=1.0, peer=peer))
            if (name, each) == ("tweets", 5):
                lost = 100 * found.peers["Dawid-Skene"]
                lines.append(Line("must fail, plain Dawid-Skene on tweets, 5: minus majority", lost, "points", -0.1))
            print(f"measured {what}", file=sys.stderr, flush=True)
    return lines


def bad_lines(sizes: Sizes) -> list[Line]:
    """Simulated crowds: clearly above majority with bad actors, hardly below it without any difference."""
    lines = []
    for kind in KINDS:
        crowds = [simulated(kind, seed) for seed in range(sizes.seeds)]
        found = compare(crowds, sizes.peers)
        least = 3.0 if kind in BAD else -1.0
        lines.append(Line(f"{kind}: accuracy", found.ours, peer=found.said))
        gain = 100 * (found.ours - found.majority)
        lines.append(Line(f"{kind}: minus majority", gain, "points", at_least=least))
    return lines


def asking_lines(sets: dict[str, Ints], sizes: Sizes) -> list[Line]:
    """Answers needed, where the next one goes where it pays."""
    lines, every = [], []
    for name, given in sets.items():
        found = np.array([savings(given, seed) for seed in range(sizes.seeds)])
        target, needed, reached = found.mean(axis=0)
        every.append(float(100 * (1 - needed / 3)))
        what = f"{name}: fewer answers than 3 each, equal accuracy"
        peer = f"{needed:.2f} answers to {target:.3f}; with 3 on average {reached:.3f}"
        lines.append(Line(what, every[-1], "%", at_least=12.0, peer=peer))
    return [*lines, Line("fewer answers than 3 each, mean of the sets", float(np.mean(every)), "%", at_least=17.0)]


def honest_lines(sets: dict[str, Ints], sizes: Sizes) -> list[Line]:
    """Intervals and refusals."""
    coverage = float(np.mean([peer_coverage(given, sizes.seeds) for given in sets.values()]))
    known = [known_skill(seed) for seed in range(sizes.seeds)]
    naive = naive_coverage([crowd for crowd, _ in known], [skill for _, skill in known])
    given = sets["Amazon"]
    random = np.mean([refused(given, 1 / 3, seed) for seed in range(20)])
    preferred = np.mean([refused(given, 0.7, seed) for seed in range(20)])
    return [
        Line("90 % interval of peer agreement, real people: covers", 100 * coverage, "%", at_least=85.0),
        Line("must fail, Beta on expected counts: covers", 100 * naive, "%", at_most=86.0),
        Line("work at random: comparison refused", 100 * float(random), "%", at_most=5.0),
        Line("work by preferred class: comparison refused", 100 * float(preferred), "%", at_least=95.0),
    ]


def speed_lines() -> list[Line]:
    """CPU of 20 rounds over a million answers, and of one answer more."""
    answers = million()
    with Stopwatch() as taken:
        fit(Incidence.of(answers), answers.votes(), rounds=20, tolerance=0.0)
    theirs = seconds_of_20_rounds(answers)
    one, p99 = one_answer()
    return [
        Line("1,000,000 answers, 20 rounds", taken.cpu, "CPU s", at_most=1.5, peer=f"crowd-kit {theirs:.2f}"),
        Line("times faster than crowd-kit", theirs / taken.cpu, "x", at_least=1.0),
        Line("one answer more, median", one, "ms", at_most=1.0),
        Line("one answer more, p99", p99, "ms", at_most=1.0),
    ]


def one_answer() -> tuple[float, float]:
    """Return median and 99th percentile of adding an answer to 20,000, in CPU ms, refits apart."""
    crowd = simulated("skewed activity, 10 % spam", 0, items=6000)
    order = np.random.default_rng(0).permutation(len(crowd.answers))
    rows = np.stack([crowd.answers.item, crowd.answers.reviewer, crowd.answers.answer], axis=1)[order].tolist()
    running, took = Running(range(4)), []
    for item, who, said in rows:
        began = time.thread_time()
        running.add(item, who, said)
        took.append(1000 * (time.thread_time() - began))
        if running.refit_due:
            running.refit()
    return float(np.median(took)), float(np.quantile(took, 0.99))


def main() -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--keep", action="store_true")
    sizes = QUICK if parser.parse_args().quick else FULL
    with Stopwatch() as taken:
        sets = {name: in_classes(ratings(name)) for name in SETS}
        lines = speed_lines()
        lines += real_lines(sets, sizes) + bad_lines(sizes) + asking_lines(sets, sizes) + honest_lines(sets, sizes)
    lines.append(Line("the whole benchmark", taken.wall / 60, "min"))
    facts: dict[str, Any] = {
        "seeds": sizes.seeds,
        "truth of real sets": "plurality of the ratings not drawn, an opinion of the panel",
        "people": "places in lists, taken for persons",
    }
    return report("truth", lines, facts=facts)


if __name__ == "__main__":
    sys.exit(main())
