"""How much a method automates, relative to another one and to the oracle."""

from __future__ import annotations

import numpy as np

from bench.certificates.measure import Setting

LEAST = 0.05  # where the oracle automates less, there is nothing to compare with
CERTIFIED = 0.01  # where the other method automates less on average, it certified nothing


def of_oracle(settings: list[Setting], method: str) -> float:
    """Return the mean automation relative to the oracle, over settings that have one and where the method ran."""
    ratios = [
        setting.tallies[method].automated / setting.oracle
        for setting in settings
        if setting.oracle >= LEAST and method in setting.tallies
    ]
    return float(np.mean(ratios)) if ratios else float("nan")


def share(settings: list[Setting], method: str, of: str = "envelope") -> float:
    """Return the mean over (labels, alpha) of: automation / oracle, mean over populations, of `method` and of `of`.

    A pair of labels and alpha at which `of` certifies nothing on average is left out. Easy populations weigh more than
    hard ones, as in the method's own tables; `each_share` is the harder reading, and both are printed.
    """
    ratios = []
    for cell in sorted({(one.labels, one.alpha) for one in settings}):
        chosen = [one for one in settings if (one.labels, one.alpha) == cell]
        other = of_oracle(chosen, of)
        if other >= CERTIFIED:
            ratios.append(of_oracle(chosen, method) / other)
    return float(np.mean(ratios)) if ratios else float("nan")


def each_share(settings: list[Setting], method: str, of: str = "envelope") -> float:
    """Return the mean over single settings of the ratio of automations: a hard one counts as much as an easy one.

    Settings where `of` certifies nothing on average are left out.
    """
    ratios = [
        setting.tallies[method].automated / setting.tallies[of].automated
        for setting in settings
        if setting.tallies[of].automated >= CERTIFIED
    ]
    return float(np.mean(ratios)) if ratios else float("nan")


def standard_error(settings: list[Setting], method: str, of: str = "envelope") -> float:
    """Return how far `share` would move with other populations of the kind: the jackknife over populations."""
    names = sorted({one.population for one in settings})
    without = np.array([share([one for one in settings if one.population != name], method, of) for name in names])
    return float(np.sqrt((len(names) - 1) * without.var()))
