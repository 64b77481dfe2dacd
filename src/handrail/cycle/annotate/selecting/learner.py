"""The model that selecting fits where it is given none: logistic regression on the vectors as they are. Pure."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from handrail.cycle.annotate.selecting.terms import Floats, Ints, Learn, Predict

STRENGTH = 10.0
_STEPS = 200


def logistic(classes: int, *, balanced: bool = False) -> Learn:
    """Return what learns `classes` classes; `balanced` gives each class the same weight altogether.

    Where all rows are of one class the model says that class with certainty.
    """

    def learn(rows: Floats, codes: Ints) -> Predict:
        known = np.unique(codes)
        if len(known) == 1:
            return _always(int(known[0]), classes)
        model = LogisticRegression(C=STRENGTH, max_iter=_STEPS, class_weight="balanced" if balanced else None)
        with warnings.catch_warnings():
            # Two hundred steps are enough to rank items; the margin needs no more.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(np.asarray(rows, dtype=np.float64), codes)
        return _linear(np.asarray(model.coef_), np.asarray(model.intercept_), known, classes)

    return learn


def _always(code: int, classes: int) -> Predict:
    def predict(rows: Floats) -> Floats:
        scores = np.zeros((len(rows), classes))
        scores[:, code] = 1.0
        return scores

    return predict


def _linear(weights: Floats, offset: Floats, known: Ints, classes: int) -> Predict:
    if len(weights) == 1:  # of two classes the first is the zero point
        weights = np.vstack([np.zeros_like(weights), weights])
        offset = np.concatenate([[0.0], offset])
    turned = np.ascontiguousarray(weights.T)

    def predict(rows: Floats) -> Floats:
        # In the precision of the rows: a pool of half precision is not copied into double.
        kind = rows.dtype if rows.dtype.kind == "f" else np.dtype(np.float64)
        logits = rows @ turned.astype(kind) + offset.astype(kind)
        logits -= logits.max(axis=1, keepdims=True)
        found: Floats = np.exp(logits, out=logits)
        found /= found.sum(axis=1, keepdims=True)
        if len(known) == classes:
            return found
        scores = np.zeros((len(rows), classes), dtype=kind)
        scores[:, known] = found
        return scores

    return predict
