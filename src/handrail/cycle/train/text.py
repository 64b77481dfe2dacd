"""Texts as numbers: TF-IDF of words and pairs of words, and of pieces of two to four characters within words. Pure.

Terms, their order and weights depend on the training rows alone. Each kind of term is scaled to length 1 by itself
(sublinear counts, smoothed inverse document frequency: Salton and Buckley, 1988). A text is read up to its first
`READ` characters, so that one long one costs no more than a page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from handrail.cycle.train.model import BadRow

READ = 10_000
"""Characters of a text that the model reads."""
_MOST_TERMS = 10_000
_FEW = 20
_KINDS: tuple[tuple[str, tuple[int, int]], ...] = (("word", (1, 2)), ("char_wb", (2, 4)))


@dataclass(frozen=True)
class TextColumn:
    """What is kept of one text field: per kind of term the terms, in order, and the weight of each."""

    name: str
    vectorizers: tuple[TfidfVectorizer, ...]

    @property
    def width(self) -> int:
        """Number of columns that a text becomes."""
        return sum(len(one.vocabulary_) for one in self.vectorizers)

    def prepare(self, texts: Sequence[str]) -> Any:
        """Return a sparse matrix, one row per text."""
        made = [one.transform(texts) for one in self.vectorizers]
        return sparse.hstack(made, format="csr") if made else sparse.csr_matrix((len(texts), 0))

    def to_parts(self) -> dict[str, Any]:
        """Return plain values for the artefact."""
        terms = [
            {"terms": [str(term) for term in one.get_feature_names_out()], "weights": np.asarray(one.idf_, dtype=float)}
            for one in self.vectorizers
        ]
        return {"name": self.name, "terms": terms}

    @classmethod
    def of_parts(cls, parts: Mapping[str, Any]) -> TextColumn:
        """Return the column that `to_parts` described."""
        made = []
        # A text field of which nothing was learned has no terms of either kind.
        for (analyzer, lengths), held in zip(_KINDS, parts["terms"], strict=False):
            one = _vectorizer(analyzer, lengths, vocabulary=list(held["terms"]))
            one.idf_ = np.asarray(held["weights"], dtype=float)
            made.append(one)
        return cls(str(parts["name"]), tuple(made))


def learn(name: str, texts: Sequence[str]) -> TextColumn:
    """Return the terms of a text field, from the training rows; none where the texts hold no term often enough."""
    made = []
    for analyzer, lengths in _KINDS:
        one = _vectorizer(analyzer, lengths, min_df=1 if len(texts) < _FEW else 2)
        try:
            made.append(one.fit(texts))
        except ValueError:  # no term is left: all texts are empty, or none has a term in common
            return TextColumn(name, ())
    return TextColumn(name, tuple(made))


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


def _vectorizer(analyzer: str, lengths: tuple[int, int], **more: Any) -> TfidfVectorizer:
    return TfidfVectorizer(
        analyzer=analyzer,
        ngram_range=lengths,
        sublinear_tf=True,
        max_features=_MOST_TERMS,
        dtype=np.float64,
        **more,
    )
