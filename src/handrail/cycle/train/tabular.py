"""The trainer for tables: numbers, categories and texts to calibrated class scores, by logistic regression. Pure.

Numbers: median where missing, scaled to mean 0 and deviation 1. Categories: one column per value seen, none for a value
not seen, missing as a value of its own. Texts: terms weighed as `text.py` says. Scores are calibrated by one
temperature (Guo et al., ICML 2017), found on out-of-fold logits with the smoothed targets of Platt (1999), so that few
labels do not make it over-confident.
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

from handrail.cycle.train import text
from handrail.cycle.train.model import MISSING, BadRow, Column, category_text, class_key
from handrail.foundation.errors import Invalid
from handrail.foundation.statistics import clopper_pearson

Floats = NDArray[np.float64]
Report = Callable[[float, str], None]

FORMAT = "handrail.tabular/1"
TEXT_FORMAT = "handrail.text/1"
"""Of a model that reads texts too."""
FOLDS = 10
TEXT_FOLDS = 5
"""A model of texts has thousands of columns and takes seconds to fit."""
_TEMPERATURES = (0.05, 20.0)
_STRENGTH, _TEXT_STRENGTH = 1.0, 10.0
"""Inverse of the penalty: texts are scaled to length 1, so each term's share is small and needs a larger weight."""
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
class Read:
    """Training rows as arrays (rows x columns); `texts` holds the counted terms of each text field."""

    numbers: Floats
    categories: NDArray[np.object_]
    texts: tuple[text.Counts, ...]

    def at(self, rows: NDArray[np.int64]) -> Read:
        """Return some of the rows."""
        return Read(self.numbers[rows], self.categories[rows], tuple(one.at(rows) for one in self.texts))


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
    folds: int | None = None,
    report: Report = lambda _fraction, _note: None,
) -> Fitted:
    """Train on `table` (values by column name, None where missing) and `labels` (one JSON scalar per row).

    The same rows in the same order with the same seed give the same model. Raises TooFewLabels,
    NothingToLearnFrom, BadColumn.
    """
    classes, target = _target(labels)
    read = _read(columns, table, len(labels))
    count = min(folds or (TEXT_FOLDS if read.texts else FOLDS), int(np.bincount(target).min()))
    splitter = StratifiedKFold(n_splits=count, shuffle=True, random_state=seed)
    logits = np.empty((len(target), len(classes)))
    for fold, (inside, outside) in enumerate(splitter.split(np.zeros(len(target)), target)):
        report(fold / (count + 1), f"fold {fold + 1} of {count}")
        stages = _train(read.at(inside), target[inside], seed)
        logits[outside] = _logits(stages, read.at(outside))
    report(count / (count + 1), "all rows")
    stages = _train(read, target, seed)
    temperature = find_temperature(logits, target)
    probabilities = softmax(logits / temperature, axis=1)
    values = probabilities.argmax(axis=1)
    errors = (values != target).astype(np.int64)
    parts = {
        "format": TEXT_FORMAT if read.texts else FORMAT,
        "question": question,
        "columns": [[column.name, column.kind] for column in _in_order(columns)],
        "classes": list(classes),
        "temperature": temperature,
        "centre": np.asarray(_prepare(stages, read).mean(axis=0)).ravel(),
        **stages,
    }
    if read.texts:
        parts["texts"] = [column.to_parts() for column in stages["texts"]]
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
    return [column for kind in ("number", "category", "text") for column in columns if column.kind == kind]


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


def _read(columns: Sequence[Column], table: Mapping[str, Sequence[Any]], rows: int) -> Read:
    if not columns:
        raise NothingToLearnFrom("The schema has no number, no category and no text to learn from.")
    by_kind: dict[str, list[Column]] = {"number": [], "category": [], "text": []}
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
    return Read(numbers, categories, tuple(_counted(one.name, table[one.name]) for one in by_kind["text"]))


def _counted(name: str, values: Sequence[Any]) -> text.Counts:
    try:
        return text.count(name, [text.read_text(name, value, row) for row, value in enumerate(values)])
    except BadRow as error:
        raise BadColumn(f"The column {name} holds something that is not a text.") from error


def _train(read: Read, target: NDArray[np.int64], seed: int) -> dict[str, Any]:
    numbers, categories = read.numbers, read.categories
    stages: dict[str, Any] = {"numbers": None, "categories": None}
    if numbers.shape[1]:
        imputer = SimpleImputer(strategy="median", keep_empty_features=True)
        stages["numbers"] = Pipeline([("fill", imputer), ("scale", StandardScaler())]).fit(numbers)
    if categories.shape[1]:
        stages["categories"] = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(categories)
    if read.texts:
        stages["texts"] = [text.learn(held) for held in read.texts]
    prepared = _prepare(stages, read)
    if not prepared.shape[1]:
        raise NothingToLearnFrom("No text has a word in common with another one.", hint="Label more items.")
    strength = _TEXT_STRENGTH if read.texts else _STRENGTH
    classifier = LogisticRegression(C=strength, max_iter=2000, random_state=seed)
    stages["classifier"] = classifier.fit(prepared, target)
    return stages


def _prepare(stages: Mapping[str, Any], read: Read) -> Any:
    """Return one row per row: an array, or a sparse matrix where there are texts."""
    parts = [np.empty((len(read.numbers), 0))]
    if stages["numbers"] is not None:
        parts.append(stages["numbers"].transform(read.numbers))
    if stages["categories"] is not None:
        parts.append(stages["categories"].transform(read.categories))
    dense = np.hstack(parts)
    if not read.texts:
        return dense
    prepared = [column.prepare(held) for column, held in zip(stages["texts"], read.texts, strict=True)]
    return text.joined(dense, prepared)


def _logits(stages: Mapping[str, Any], read: Read) -> Floats:
    """Return one column per class; of two classes the first is the zero point."""
    found: Floats = stages["classifier"].decision_function(_prepare(stages, read))
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
    "TEXT_FORMAT",
    "BadColumn",
    "Fitted",
    "NothingToLearnFrom",
    "TooFewLabels",
    "find_temperature",
    "fit",
]
