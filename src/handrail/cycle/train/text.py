"""Texts as numbers: TF-IDF of words and pairs of words, and of pieces of two to four characters within words. Pure.

Terms, their order and weights depend on the training rows alone. Each kind of term is scaled to length 1 by itself
(sublinear counts, smoothed inverse document frequency: Salton and Buckley, 1988). A text is read up to its first
`READ` characters, so that one long one costs no more than a page. Texts are cut into terms once; every fold then
chooses and weighs terms from its own rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import normalize

from handrail.cycle.train.model import BadRow

READ = 10_000
"""Characters of a text that the model reads."""
_MOST_TERMS = 5_000
_FEW = 20
_KINDS: tuple[tuple[str, tuple[int, int]], ...] = (("word", (1, 2)), ("char_wb", (2, 4)))


@dataclass(frozen=True)
class Counts:
    """How often each term stands in each text of one field: per kind of term the terms, and rows x terms."""

    name: str
    terms: tuple[NDArray[np.object_], ...]
    counts: tuple[Any, ...]

    def at(self, rows: NDArray[np.int64]) -> Counts:
        """Return some of the rows."""
        return Counts(self.name, self.terms, tuple(one[rows] for one in self.counts))


@dataclass(frozen=True)
class Terms:
    """The terms of one kind that a model knows: their places among those counted, in order, and their weights."""

    terms: list[str]
    weights: NDArray[np.float64]
    places: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class TextColumn:
    """What is learned of one text field; of one that taught nothing there are no kinds of terms."""

    name: str
    kinds: tuple[Terms, ...]

    @property
    def width(self) -> int:
        """Number of columns that a text becomes."""
        return sum(len(one.terms) for one in self.kinds)

    def prepare(self, counted: Counts) -> Any:
        """Return a sparse matrix (rows x width) of texts counted together with those that were learned from."""
        return _side_by_side(
            [_weighed(held[:, one.places], one) for held, one in zip(counted.counts, self.kinds, strict=False)],
            counted.counts[0].shape[0],
        )

    def to_parts(self) -> dict[str, Any]:
        """Return plain values for the artefact."""
        return {"name": self.name, "terms": [{"terms": one.terms, "weights": one.weights} for one in self.kinds]}


class TextReader:
    """Prepares new texts as a trained model's column wants them; `parts` are those of `TextColumn.to_parts`."""

    def __init__(self, parts: Mapping[str, Any]) -> None:
        self.name = str(parts["name"])
        self._kinds = [Terms(list(one["terms"]), np.asarray(one["weights"], dtype=float)) for one in parts["terms"]]
        self._counters = [
            CountVectorizer(analyzer=analyzer, ngram_range=lengths, vocabulary=one.terms)
            for (analyzer, lengths), one in zip(_KINDS, self._kinds, strict=False)
        ]

    @property
    def width(self) -> int:
        """Number of columns that a text becomes."""
        return sum(len(one.terms) for one in self._kinds)

    def prepare(self, texts: Sequence[str]) -> Any:
        """Return a sparse matrix, texts x width."""
        made = [
            _weighed(counter.transform(texts), one) for counter, one in zip(self._counters, self._kinds, strict=True)
        ]
        return _side_by_side(made, len(texts))


def count(name: str, texts: Sequence[str]) -> Counts:
    """Cut the texts of a field into terms and count them; a term in one text alone is left out where there are many."""
    terms, counts = [], []
    for analyzer, lengths in _KINDS:
        counter = CountVectorizer(analyzer=analyzer, ngram_range=lengths, min_df=_least(len(texts)))
        try:
            counts.append(counter.fit_transform(texts).tocsr())
            terms.append(counter.get_feature_names_out())
        except ValueError:  # no term is left: all texts are empty, or none has a term in common
            counts.append(sparse.csr_matrix(np.zeros((len(texts), 0), dtype=np.int64)))
            terms.append(np.empty(0, dtype=object))
    return Counts(name, tuple(terms), tuple(counts))


def learn(counted: Counts) -> TextColumn:
    """Return the terms of a text field, chosen and weighed from these rows: the most frequent, if in two texts."""
    kinds = []
    for terms, counts in zip(counted.terms, counted.counts, strict=True):
        rows = counts.shape[0]
        texts = np.bincount(counts.indices, minlength=len(terms))
        often = np.asarray(counts.sum(axis=0)).ravel()
        known = np.flatnonzero(texts >= _least(rows))
        # Of equally frequent terms the first by the alphabet: an order of the data's own.
        chosen = np.sort(known[np.argsort(-often[known], kind="stable")[:_MOST_TERMS]])
        weights = np.log((1 + rows) / (1 + texts[chosen])) + 1.0
        kinds.append(Terms([str(term) for term in terms[chosen]], weights, chosen))
    return TextColumn(counted.name, tuple(kinds) if all(one.terms for one in kinds) else ())


def read_text(name: str, value: Any, row: int) -> str:
    """Return the part of a text that is read, "" where it is missing; raises BadRow."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRow(f"The field {name} is not a text.", row=row, field=name)
    return value[:READ]


def joined(dense: NDArray[np.float64], texts: Sequence[Any]) -> Any:
    """Return numbers and categories with the texts after them, as one sparse matrix."""
    return sparse.hstack([sparse.csr_matrix(dense), *texts], format="csr")


def _least(rows: int) -> int:
    return 1 if rows < _FEW else 2


def _weighed(counts: Any, terms: Terms) -> Any:
    made = sparse.csr_matrix(counts, dtype=float)
    made.data = (1.0 + np.log(made.data)) * terms.weights[made.indices]
    return normalize(made, norm="l2", copy=False)


def _side_by_side(made: Sequence[Any], rows: int) -> Any:
    return sparse.hstack(made, format="csr") if made else sparse.csr_matrix(np.zeros((rows, 0)))
