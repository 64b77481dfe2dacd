"""Answers of several people to one question, checked and turned into codes; what every method here computes on."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import float64, int64
from numpy.typing import NDArray

from handrail.foundation.errors import Invalid

Floats = NDArray[float64]
Ints = NDArray[int64]

MOST_CELLS = 200_000_000
"""Reviewers x classes x classes that are kept at once: 1.6 GB."""


class TruthInvalid(Invalid):
    """The answers handed over are not what the method needs; nothing was computed."""

    code = "annotate.truth_invalid"


@dataclass(frozen=True)
class Answers:
    """Answers as codes: `item`, `reviewer`, `answer` hold one whole number a row, places in the lists of names.

    `anonymous`: rows without a reviewer, each of them a source of its own; `left_out`: rows without an answer.
    """

    item: Ints
    reviewer: Ints
    answer: Ints
    items: tuple[Any, ...]
    reviewers: tuple[Any, ...]
    classes: tuple[Any, ...]
    anonymous: int = 0
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.item)

    def only(self, keep: NDArray[np.bool_]) -> Answers:
        """Return the rows where `keep` is true; items, reviewers and classes stay."""
        return Answers(
            self.item[keep], self.reviewer[keep], self.answer[keep], self.items, self.reviewers, self.classes
        )

    def votes(self) -> Floats:
        """Return how often each class was answered, items x classes."""
        width = len(self.classes)
        flat = np.bincount(self.item * width + self.answer, minlength=len(self.items) * width)
        return flat.reshape(len(self.items), width).astype(float)

    def per_item(self) -> Ints:
        """Return the number of answers of each item."""
        return np.bincount(self.item, minlength=len(self.items))

    def per_reviewer(self) -> Ints:
        """Return the number of answers of each reviewer."""
        return np.bincount(self.reviewer, minlength=len(self.reviewers))


class Codes:
    """Gives every new name the next whole number."""

    def __init__(self, names: Iterable[Hashable] = ()) -> None:
        self.of: dict[Hashable, int] = {}
        for name in names:
            self.code(name)

    def __len__(self) -> int:
        return len(self.of)

    def code(self, name: Hashable) -> int:
        """Return the number of a name."""
        return self.of.setdefault(name, len(self.of))

    def codes(self, names: Iterable[Hashable]) -> Ints:
        """Return the numbers of names."""
        known = self.of
        return np.fromiter((known.setdefault(name, len(known)) for name in names), dtype=np.int64)

    @property
    def names(self) -> tuple[Any, ...]:
        """All names in the order of their numbers."""
        return tuple(self.of)


def as_list(values: Any) -> list[Any]:
    """Return the values of a list, an array or a column as plain Python values."""
    plain = values.tolist() if hasattr(values, "tolist") else list(values)
    return plain if isinstance(plain, list) else [plain]


def read_answers(
    item: Sequence[Any], reviewer: Sequence[Any], answer: Sequence[Any], *, classes: Sequence[Any] | None = None
) -> Answers:
    """Check three columns of equal length and return them as codes; None in `answer` is an abstention.

    `classes`: every value that may be answered, else those found, sorted where they can be. Raises TruthInvalid for
    columns of different lengths, no answer at all, a value outside `classes`, values that cannot be told apart, and
    for one reviewer with two answers to one item.
    """
    columns = as_list(item), as_list(reviewer), as_list(answer)
    _check_lengths(*columns)
    kept = [row for row, value in enumerate(columns[2]) if not _missing(value)]
    if not kept:
        raise TruthInvalid("There is no answer at all.", hint="Give at least one answer that is not empty.")
    whole = len(kept) == len(columns[2])
    given_items, given_people, given = columns if whole else tuple([one[row] for row in kept] for one in columns)
    anonymous = sum(1 for person in given_people if _missing(person))
    if anonymous:
        given_people = [_Unknown(row) if _missing(person) else person for row, person in enumerate(given_people)]
    try:
        known = tuple(classes) if classes is not None else _ordered(set(given))
        item_codes, person_codes, class_codes = Codes(), Codes(), Codes(known)
        i, w, label = item_codes.codes(given_items), person_codes.codes(given_people), class_codes.codes(given)
    except TypeError as error:
        raise TruthInvalid(
            f"An item, a reviewer or an answer cannot be told from others ({error}).", hint="Use text or numbers."
        ) from error
    if len(class_codes) > len(known):
        row = int(np.flatnonzero(label >= len(known))[0])
        raise TruthInvalid(f"Row {kept[row]}: {given[row]!r} is none of the classes.", row=kept[row])
    _check_once(i, w, len(person_codes), kept)
    if len(person_codes) * len(known) ** 2 > MOST_CELLS:
        raise TruthInvalid(
            f"{len(person_codes):,} reviewers with {len(known):,} classes need too much memory.",
            hint="Join rare classes, or reviewers with few answers.",
        )
    left_out = len(columns[2]) - len(kept)
    return Answers(i, w, label, item_codes.names, person_codes.names, class_codes.names, anonymous, left_out)


@dataclass(frozen=True)
class _Unknown:
    """A source that nobody named: its own answer and no other."""

    row: int


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value)


def _ordered(values: set[Any]) -> tuple[Any, ...]:
    try:
        return tuple(sorted(values))
    except TypeError:
        return tuple(sorted(values, key=lambda one: (type(one).__name__, repr(one))))


def _check_lengths(item: list[Any], reviewer: list[Any], answer: list[Any]) -> None:
    if not len(item) == len(reviewer) == len(answer):
        raise TruthInvalid(
            f"There are {len(item)} items, {len(reviewer)} reviewers and {len(answer)} answers.",
            hint="Give three columns of one length: a row is one answer.",
        )
    if (row := next((row for row, one in enumerate(item) if _missing(one)), None)) is not None:
        raise TruthInvalid(f"Row {row} names no item.", row=row)


def _check_once(item: Ints, reviewer: Ints, reviewers: int, rows: list[int]) -> None:
    pair = item * reviewers + reviewer
    order = np.argsort(pair, kind="stable")
    twice = np.flatnonzero(np.diff(pair[order]) == 0)
    if len(twice):
        first, second = rows[order[twice[0]]], rows[order[twice[0] + 1]]
        raise TruthInvalid(
            f"Rows {first} and {second} are two answers of one reviewer to one item.",
            hint="Keep the one that counts.",
            row=second,
        )
