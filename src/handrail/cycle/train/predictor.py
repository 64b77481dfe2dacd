"""Predicts with the weights of a tabular model, in numpy: one row costs microseconds, not the trainer's pipeline. Pure.

Gives what the scikit-learn pipeline of the artefact would give (tests compare them), several times faster for one row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handrail.cycle.train.model import BadRow, Prediction, category_text, class_key

Floats = NDArray[np.float64]
_TOP = 5


class TabularPredictor:
    """A tabular model ready to predict. `parts` is what the trainer put into the artefact."""

    def __init__(self, parts: Mapping[str, Any]) -> None:
        columns = [(str(name), str(kind)) for name, kind in parts["columns"]]
        self._numbers = [name for name, kind in columns if kind == "number"]
        self._categories = [name for name, kind in columns if kind == "category"]
        self._classes = list(parts["classes"])
        self._keys = [class_key(value) for value in self._classes]
        self._pick = itemgetter(*(self._numbers or [""]))  # of several at once: a loop costs as much as the model
        self._read_numbers(parts["numbers"])
        self._read_categories(parts["categories"])
        self._weights, self._offset = _weights(parts["classifier"], float(parts["temperature"]))
        self._centre = np.asarray(parts["centre"], dtype=float)
        self._fields = self._numbers + self._categories
        self._starts = self._field_starts()
        self._plain = len(self._starts) == len(self._centre)

    def predict(self, rows: Sequence[Mapping[str, Any]]) -> list[Prediction]:
        """Return one prediction per row; fields the model does not know are not read. Raises BadRow."""
        if not rows:
            return []
        prepared = self._prepare(rows)
        logits = prepared @ self._weights + self._offset
        return self._told(logits, self._moved(prepared, logits.argmax(axis=1)))

    def _told(self, logits: Floats, moved: Floats) -> list[Prediction]:
        """Return the predictions of these logits; `moved` has one column per field, in the order of the fields."""
        probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        chosen = probabilities.argmax(axis=1)
        order = np.argsort(-np.abs(moved), axis=1, kind="stable")[:, :_TOP]
        amounts = np.take_along_axis(moved, order, axis=1).tolist()
        scores = probabilities.tolist()
        names = self._fields
        return [
            Prediction(
                value=self._classes[place],
                score=row[place],
                scores=dict(zip(self._keys, row, strict=True)),
                top=[(names[index], amount) for index, amount in zip(best, by, strict=True)],
            )
            for place, row, best, by in zip(chosen.tolist(), scores, order.tolist(), amounts, strict=True)
        ]

    def _read_numbers(self, pipeline: Any) -> None:
        if pipeline is None:
            self._fill = self._mean = self._scale = np.empty(0)
            return
        fill, scale = pipeline.named_steps["fill"], pipeline.named_steps["scale"]
        self._fill = np.asarray(fill.statistics_, dtype=float)
        self._mean = np.asarray(scale.mean_, dtype=float)
        self._scale = np.asarray(scale.scale_, dtype=float)

    def _read_categories(self, encoder: Any) -> None:
        self._places: list[dict[str, int]] = []
        self._width = len(self._numbers)
        for values in [] if encoder is None else encoder.categories_:
            self._places.append({str(value): self._width + place for place, value in enumerate(values)})
            self._width += len(values)

    def _field_starts(self) -> NDArray[np.intp]:
        starts = list(range(len(self._numbers)))
        at = len(self._numbers)
        for places in self._places:
            starts.append(at)
            at += len(places)
        return np.array(starts, dtype=np.intp)

    def _prepare(self, rows: Sequence[Mapping[str, Any]]) -> Floats:
        prepared = np.zeros((len(rows), self._width))
        if self._numbers:
            # None becomes NaN here, which is how a missing number reads.
            try:
                given = np.array(self._given(rows), dtype=float)
            except (TypeError, ValueError):
                raise self._bad(rows) from None
            missing = np.isnan(given)
            if missing.any():
                given = np.where(missing, self._fill, given)
            prepared[:, : len(self._numbers)] = (given - self._mean) / self._scale
            if not np.isfinite(prepared).all():
                raise self._bad(rows)
        for name, places in zip(self._categories, self._places, strict=True):
            for index, row in enumerate(rows):
                place = places.get(category_text(row.get(name)))
                if place is not None:
                    prepared[index, place] = 1.0
        return prepared

    def _given(self, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Return the numbers of each row; a missing one is None."""
        if len(self._numbers) > 1:
            try:
                return list(map(self._pick, rows))
            except KeyError:
                pass  # a row without one of them
        return [[row.get(name) for name in self._numbers] for row in rows]

    def _moved(self, prepared: Floats, chosen: NDArray[np.intp]) -> Floats:
        """Return, per row and field, how far the field moved the logit of the chosen class from the average row."""
        # Against the mean of the other classes, so that the amounts do not depend on how the classes are coded.
        against = self._weights - self._weights.mean(axis=1, keepdims=True)
        factor = len(self._classes) / (len(self._classes) - 1)
        moved: Floats = (prepared - self._centre) * against.T[chosen] * factor
        return moved if self._plain else np.add.reduceat(moved, self._starts, axis=1)

    def _bad(self, rows: Sequence[Mapping[str, Any]]) -> BadRow:
        for line, row in enumerate(rows):
            for name in self._numbers:
                value = row.get(name)
                if value is not None and not (isinstance(value, int | float) and np.isfinite(value)):
                    return BadRow(f"The field {name} is not a number that can be used.", row=line, field=name)
        return BadRow("A number is too large to be used.")


def _weights(classifier: Any, temperature: float) -> tuple[Floats, Floats]:
    """Return (columns x classes) weights and the offset of each class, divided by the temperature."""
    weights = np.asarray(classifier.coef_, dtype=float) / temperature
    offset = np.asarray(classifier.intercept_, dtype=float) / temperature
    if len(weights) == 1:
        # Of two classes the first is the zero point.
        weights = np.vstack([np.zeros_like(weights), weights])
        offset = np.concatenate([[0.0], offset])
    return np.ascontiguousarray(weights.T), offset
