"""The same answers through crowd-kit: majority, Dawid-Skene, MACE, GLAD."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.stopwatch import Stopwatch
from handrail.cycle.annotate.truth.answers import Answers, Ints


def _methods() -> dict[str, Callable[[], Any]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from crowdkit.aggregation.classification import GLAD, MACE, DawidSkene
    return {
        "Dawid-Skene": lambda: DawidSkene(n_iter=100),
        "MACE": lambda: MACE(n_restarts=4, n_iter=50, random_state=0),
        "GLAD": lambda: GLAD(n_iter=30),
    }


def labels(answers: Answers, names: tuple[str, ...]) -> dict[str, Ints]:
    """Return what each method labels the items."""
    table, methods, found = _table(answers), _methods(), {}
    for name in names:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            said = methods[name]().fit_predict(table)
        found[name] = said.reindex(range(len(answers.items))).to_numpy().astype(np.int64)
    return found


def seconds_of_20_rounds(answers: Answers) -> float:
    """Return CPU seconds of 20 rounds of crowd-kit's Dawid-Skene."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from crowdkit.aggregation.classification import DawidSkene
    table = _table(answers)
    with Stopwatch() as taken:
        DawidSkene(n_iter=20, tol=0).fit(table)
    return taken.cpu


def _table(answers: Answers) -> Any:
    import pandas as pd

    return pd.DataFrame({"task": answers.item, "worker": answers.reviewer, "label": answers.answer})
