"""Predicts with a model that reads texts, beside numbers and categories. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from handrail.cycle.train.model import Prediction
from handrail.cycle.train.predictor import TabularPredictor
from handrail.cycle.train.text import TextReader, read_text


class TextPredictor(TabularPredictor):
    """A model with text fields ready to predict; the amount of a text field is the sum over its terms."""

    def __init__(self, parts: Mapping[str, Any]) -> None:
        super().__init__(parts)
        self._columns = [TextReader(one) for one in parts["texts"]]
        self._fields = [*self._fields, *(one.name for one in self._columns)]
        # Texts stand after numbers and categories: what is inherited sees only those.
        self._all_weights, self._all_centre = self._weights, self._centre
        self._weights, self._centre = self._all_weights[: self._width], self._all_centre[: self._width]
        self._plain = len(self._starts) == self._width

    def predict(self, rows: Sequence[Mapping[str, Any]]) -> list[Prediction]:
        """Return one prediction per row; fields the model does not know are not read. Raises BadRow."""
        if not rows:
            return []
        prepared = self._prepare(rows)
        logits = prepared @ self._weights + self._offset
        amounts, at = [], self._width
        for column in self._columns:
            texts = [read_text(column.name, row.get(column.name), line) for line, row in enumerate(rows)]
            end = at + column.width
            if end > at:
                own = self._all_weights[at:end]
                found = np.asarray(column.prepare(texts) @ own)
                logits = logits + found
                amounts.append(found - self._all_centre[at:end] @ own)
            else:
                amounts.append(np.zeros_like(logits))
            at = end
        chosen = logits.argmax(axis=1)
        classes = len(self._classes)
        # Against the mean of the other classes, as for numbers.
        each = np.arange(len(rows))
        texts_moved = [(one[each, chosen] - one.mean(axis=1)) * classes / (classes - 1) for one in amounts]
        dense = self._moved(prepared, chosen) if self._width else np.empty((len(rows), 0))
        return self._told(logits, np.column_stack([dense, *texts_moved]))
