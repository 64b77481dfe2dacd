"""How many answers are needed when the next one goes where it pays, to be as right as a fixed overlap of three."""

from __future__ import annotations

import numpy as np

from bench.truth.crowds import Crowd, made, plurality, votes_label
from handrail.cycle.annotate.truth.answers import Answers, Floats, Ints
from handrail.cycle.annotate.truth.dawid_skene import Incidence, fit
from handrail.cycle.annotate.truth.next_answer import value_of_asking

ITEMS, BATCH, MOST = 1500, 0.05, 9


def _fitted(answers: Answers) -> tuple[Floats, Floats]:
    found = fit(Incidence.of(answers), answers.votes())
    return found.posterior(), np.asarray(found.theta.mean(axis=0))


def savings(given: Ints, seed: int, fixed: int = 3) -> tuple[float, float, float]:
    """Return (accuracy of the better of model and majority at `fixed`, answers an item to reach it, accuracy there).

    The reference is the plurality of all ratings. The answers needed are `fixed` + 1 when it was not reached by then.
    """
    rng = np.random.default_rng(seed)
    given = given[rng.choice(len(given), min(ITEMS, len(given)), replace=False)]
    order = np.argsort(rng.random(given.shape), axis=1)
    said = np.take_along_axis(given, order, axis=1)
    truth = plurality(given)

    def taken(many: Ints) -> Crowd:
        item = np.repeat(np.arange(len(given)), many)
        place = np.concatenate([np.arange(one) for one in many])
        return Crowd(made(item, order[item, place], said[item, place], len(given), given.shape[1], 3), truth)

    at_fixed = taken(np.full(len(given), fixed))
    posterior, _ = _fitted(at_fixed.answers)
    by_votes = at_fixed.accuracy(votes_label(at_fixed.answers.votes(), seed))
    target = max(at_fixed.accuracy(posterior.argmax(axis=1)), by_votes)
    many, needed, reached = np.full(len(given), 2), float(fixed + 1), 0.0
    while many.mean() <= fixed:
        now = taken(many)
        posterior, theta = _fitted(now.answers)
        reached = now.accuracy(posterior.argmax(axis=1))
        if reached >= target and needed > fixed:
            needed = float(many.mean())
        worth = np.where(many < MOST, value_of_asking(posterior, theta), -1.0)
        many[np.argsort(-worth, kind="stable")[: int(BATCH * len(given))]] += 1
    return target, needed, reached
