"""How many audits certify "the error is under 4 %" when it is half of that, and how often that is said wrongly."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bench.oversight.populations import RATE, Population
from bench.oversight.streams import DELTA, NEVER, Plan
from handrail.cycle.review import detector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PHI, MOST, SAFETY = 0.6, 4000, 1.1


def certify(population: Population, *, level: float, planned: float, streams: int, seed: int) -> Floats:
    """Return the audits until each stream certifies `level`, infinite for never; `planned` is the error hoped for.

    The true error is that before the change, 2 %: half of a level of 4 %, or the level itself.
    """
    rng = np.random.default_rng([seed, streams])
    plan = Plan(replace(population, plan=replace(population.plan, phi=PHI, null=level)), streams)
    bet = detector.certifying_bet(level, SAFETY * planned, PHI)
    log, taken, rows = np.zeros(streams), np.full(streams, NEVER), np.arange(streams)
    traffic = population.before
    for audit in range(1, MOST + 1):
        q, _, _ = plan.terms(level)
        control = plan.certifying_control(level)
        chances = (traffic.shares * q).cumsum(axis=1)
        cell = (chances < rng.random((streams, 1)) * chances[:, -1:]).sum(axis=1)
        wrong = (rng.random(streams) < traffic.errors[cell]).astype(float)
        idle = traffic.shares * (1.0 - RATE * q) / (RATE * chances[:, -1:])
        gains = detector.idle_gain(control, RATE, level)
        log += detector.idle_growth(-bet, (idle * gains).sum(axis=1), (idle * gains**2).sum(axis=1))
        gain = detector.audited_gain(wrong, q[rows, cell], control[rows, cell], RATE, level)
        log += np.log1p(-bet * gain)
        plan.learn(cell, wrong)
        taken[np.isinf(taken) & (log >= -np.log(DELTA))] = audit
        if np.isfinite(taken).all():
            break
    return taken
