"""The trainer for tables: numbers and categories to calibrated class scores, by logistic regression. Pure.

Numbers: median where missing, scaled to mean 0 and deviation 1. Categories: one column per value seen, none for a value
not seen, missing as a value of its own. Scores are calibrated by one temperature (Guo et al., ICML 2017), found on
out-of-fold logits with the smoothed targets of Platt (1999), so that few labels do not make it over-confident.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from handrail.cycle.train.model import MISSING, Column, category_text, class_key
from handrail.foundation.errors import Invalid
from handrail.foundation.statistics import clopper_pearson

Floats = NDArray[np.float64]
Report = Callable[[float, str], None]

FORMAT = "handrail.tabular/1"
FOLDS = 10
_TEMPERATURES = (0.05, 20.0)
_CATEGORIES = 1000
"""A text with more values than this is an identifier, not a category."""


class TooFewLabels(Invalid):
    """There are not enough labels to train and to know how good the model is."""

    code: ClassVar[str] = "train.too_few_labels"


class NothingToLearnFrom(Invalid):
    """The schema has no field that this trainer can use."""

    code: ClassVar[str] = "train.no_usable_field"


class BadColumn(Invalid):
    """A column of the training table cannot be read as what the schema says it is."""

    code: ClassVar[str] = "train.bad_column"


@dataclass(frozen=True)
class Fitted:
    """A trained model: `parts` go into the artefact; scores, values and errors are out of fold, one per row.

    `scores`: calibrated confidence of the predicted class. `values`, `targets`: index of the predicted class and of the
    right one. `errors`: 0 or 1.
    """

    parts: dict[str, Any]
    scores: Floats
    values: NDArray[np.int64]
    targets: NDArray[np.int64]
    errors: NDArray[np.int64]
    metrics: dict[str, Any]


def fit(
    columns: Sequence[Column],
    table: Mapping[str, Sequence[Any]],
    labels: Sequence[Any],
    *,
    question: str,
    seed: int,
    folds: int = FOLDS,
    report: Report = lambda _fraction, _note: None,
) -> Fitted:
    """Train on `table` (values by column name, None where missing) and `labels` (one JSON scalar per row).

    The same rows in the same order with the same seed give the same model. Raises TooFewLabels,
    NothingToLearnFrom, BadColumn.
    """
    classes, target = _target(labels)
    numbers, categories = _read(columns, table, len(labels))
    count = min(folds, int(np.bincount(target).min()))
    splitter = StratifiedKFold(n_splits=count, shuffle=True, random_state=seed)
    logits = np.empty((len(target), len(classes)))
    for fold, (inside, outside) in enumerate(splitter.split(np.zeros(len(target)), target)):
        report(fold / (count + 1), f"fold {fold + 1} of {count}")
        stages = _train(numbers[inside], categories[inside], target[inside], seed)
        logits[outside] = _logits(stages, numbers[outside], categories[outside])
    report(count / (count + 1), "all rows")
    stages = _train(numbers, categories, target, seed)
    temperature = find_temperature(logits, target)
    probabilities = softmax(logits / temperature, axis=1)
    values = probabilities.argmax(axis=1)
    errors = (values != target).astype(np.int64)
    parts = {
        "format": FORMAT,
        "question": question,
        "columns": [[column.name, column.kind] for column in _in_order(columns)],
        "classes": list(classes),
        "temperature": temperature,
        "centre": _prepare(stages, numbers, categories).mean(axis=0),
        **stages,
    }
    metrics = _metrics(classes, target, values, probabilities, count)
    return Fitted(parts, probabilities.max(axis=1), values.astype(np.int64), target, errors, metrics)


def find_temperature(logits: Floats, target: NDArray[np.int64]) -> float:
    """Return the temperature that makes out-of-fold logits most likely, targets smoothed; within [0.05, 20]."""
    rows, classes = logits.shape
    counts = np.bincount(target, minlength=classes).astype(float)
    right = (counts[target] + 1.0) / (counts[target] + classes)
    wanted = np.repeat(((1.0 - right) / (classes - 1))[:, None], classes, axis=1)
    wanted[np.arange(rows), target] = right

    def loss(log_temperature: float) -> float:
        return float(-(wanted * log_softmax(logits / np.exp(log_temperature), axis=1)).sum() / rows)

    low, high = np.log(_TEMPERATURES)
    found = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))


def _in_order(columns: Sequence[Column]) -> list[Column]:
    return [c for c in columns if c.kind == "number"] + [c for c in columns if c.kind == "category"]


def _target(labels: Sequence[Any]) -> tuple[tuple[Any, ...], NDArray[np.int64]]:
    """Return the classes in a fixed order and the class index of each row."""
    classes = tuple({class_key(value): value for value in sorted(labels, key=class_key)}.values())
    place = {class_key(value): index for index, value in enumerate(classes)}
    target = np.array([place[class_key(value)] for value in labels], dtype=np.int64)
    if len(classes) < 2:
        raise TooFewLabels(
            "All labels have the same value; there is nothing to tell apart.", hint="Label more items at random."
        )
    least = int(np.bincount(target).min())
    if least < 2:
        rare = class_key(classes[int(np.bincount(target).argmin())])
        raise TooFewLabels(
            f"Only one item is labelled {rare}.", hint="Every class needs two labels or more.", label=rare
        )
    return classes, target


def _read(
    columns: Sequence[Column], table: Mapping[str, Sequence[Any]], rows: int
) -> tuple[Floats, NDArray[np.object_]]:
    if not columns:
        raise NothingToLearnFrom("The schema has no number and no category to learn from.")
    by_kind: dict[str, list[Column]] = {"number": [], "category": []}
    for column in columns:
        by_kind[column.kind].append(column)
    numbers = np.empty((rows, len(by_kind["number"])))
    for place, column in enumerate(by_kind["number"]):
        try:
            numbers[:, place] = np.array(table[column.name], dtype=float)
        except (TypeError, ValueError) as error:
            raise BadColumn(f"The column {column.name} holds something that is not a number.") from error
    if np.isinf(numbers).any():
        raise BadColumn("A column holds an infinite number.")
    categories = np.empty((rows, len(by_kind["category"])), dtype=object)
    for place, column in enumerate(by_kind["category"]):
        categories[:, place] = [category_text(value) for value in table[column.name]]
        if len(set(categories[:, place])) > _CATEGORIES:
            raise BadColumn(
                f"The column {column.name} has more than {_CATEGORIES} different values.",
                hint="Declare it as text or leave it out of the schema.",
            )
    return numbers, categories


def _train(numbers: Floats, categories: NDArray[np.object_], target: NDArray[np.int64], seed: int) -> dict[str, Any]:
    stages: dict[str, Any] = {"numbers": None, "categories": None}
    if numbers.shape[1]:
        imputer = SimpleImputer(strategy="median", keep_empty_features=True)
        stages["numbers"] = Pipeline([("fill", imputer), ("scale", StandardScaler())]).fit(numbers)
    if categories.shape[1]:
        stages["categories"] = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(categories)
    classifier = LogisticRegression(C=1.0, max_iter=2000, random_state=seed)
    stages["classifier"] = classifier.fit(_prepare(stages, numbers, categories), target)
    return stages


def _prepare(stages: Mapping[str, Any], numbers: Floats, categories: NDArray[np.object_]) -> Floats:
    parts = []
    if stages["numbers"] is not None:
        parts.append(stages["numbers"].transform(numbers))
    if stages["categories"] is not None:
        parts.append(stages["categories"].transform(categories))
    return np.hstack(parts)


def _logits(stages: Mapping[str, Any], numbers: Floats, categories: NDArray[np.object_]) -> Floats:
    """Return one column per class; of two classes the first is the zero point."""
    found: Floats = stages["classifier"].decision_function(_prepare(stages, numbers, categories))
    return np.column_stack([np.zeros_like(found), found]) if found.ndim == 1 else found


def _metrics(
    classes: Sequence[Any], target: NDArray[np.int64], values: NDArray[np.int64], probabilities: Floats, folds: int
) -> dict[str, Any]:
    rows = len(target)
    right = values == target
    own = probabilities[np.arange(rows), target]
    truth = np.eye(len(classes))[target]
    return {
        "method": f"{folds}-fold cross-validation, stratified",
        "rows": rows,
        "accuracy": clopper_pearson(int(right.sum()), rows).to_dict(),
        "log_loss": float(-np.log(np.clip(own, 1e-15, 1.0)).mean()),
        "brier": float(((probabilities - truth) ** 2).sum(axis=1).mean()),
        "classes": {
            class_key(value): {
                "rows": int((target == index).sum()),
                "recall": clopper_pearson(
                    int((right & (target == index)).sum()), int((target == index).sum())
                ).to_dict(),
                "precision": clopper_pearson(
                    int((right & (values == index)).sum()), int((values == index).sum())
                ).to_dict(),
            }
            for index, value in enumerate(classes)
        },
    }


__all__ = [
    "FOLDS",
    "FORMAT",
    "MISSING",
    "BadColumn",
    "Fitted",
    "NothingToLearnFrom",
    "TooFewLabels",
    "find_temperature",
    "fit",
]
