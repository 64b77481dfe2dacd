"""One entry of a file in any format, as every format gives and takes it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

from handrail.cycle.datasets.model import BadRow
from handrail.cycle.datasets.reading import Unread, shown
from handrail.foundation.canonical import encode

AnswerKind = Literal["annotation", "prediction", "draft"]


@dataclass(frozen=True, slots=True)
class Answered:
    """What one person or one model said about an item: question -> value.

    `who` is the name that the file gives; nothing proves it. `at` is an ISO time or "". An answer that `counts` is
    the accepted one (ground truth).
    """

    kind: AnswerKind
    who: str
    values: Mapping[str, Any]
    score: float | None = None
    at: str = ""
    counts: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """One item with what is said about it.

    `origin` is what the format says beyond that (ids, times, flags), given back unchanged when the item goes out in
    the same format; JSON values, or None.
    """

    line: int
    external_id: str
    data: Mapping[str, Any]
    labels: Mapping[str, Any] = field(default_factory=dict)
    answers: tuple[Answered, ...] = ()
    origin: Mapping[str, Any] | None = None
    subject: str | None = None
    group: Mapping[str, str] = field(default_factory=dict)
    observed_at: str | None = None

    @property
    def content(self) -> dict[str, Any]:
        """The record as a row that an import reads."""
        row: dict[str, Any] = {"external_id": self.external_id, "data": dict(self.data), "labels": dict(self.labels)}
        if self.subject is not None:
            row["subject"] = self.subject
        if self.group:
            row["group"] = dict(self.group)
        if self.observed_at is not None:
            row["observed_at"] = self.observed_at
        return row


@dataclass(frozen=True, slots=True)
class Refused:
    """An entry that cannot be taken, with every reason."""

    problems: tuple[BadRow, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """What a file of another tool said about one item beside data and labels; `origin` is JSON text."""

    answers: Sequence[Answered] = ()
    origin: str | None = None


Found = Record | Refused | Unread


def refused(line: int, problems: Iterable[tuple[str, str]]) -> Refused:
    """Return the refusal of an entry for these (field, reason)."""
    return Refused(tuple(BadRow(line, shown(name), reason) for name, reason in problems))


def agreed(answers: Sequence[Answered]) -> dict[str, Any]:
    """Return question -> value of what the annotations agree on; a ground truth settles its questions alone.

    Where people disagree there is no label: their answers are kept, and finding the truth in them is another stage's.
    """
    given = [one for one in answers if one.kind == "annotation"]
    labels: dict[str, Any] = {}
    for question in dict.fromkeys(name for one in given for name in one.values):
        said = [one for one in given if question in one.values]
        said = [one for one in said if one.counts] or said
        if len({encode(bare(one.values[question])) for one in said}) == 1:
            labels[question] = said[-1].values[question]
    return labels


def bare(value: Any) -> Any:
    """Return a value without the ids and scores of its regions, which two people's equal answers do not share."""
    if not isinstance(value, list) or not all(isinstance(one, Mapping) and "id" in one for one in value):
        return value
    return [{key: part for key, part in one.items() if key not in ("id", "score")} for one in value]


def name_of(content: Any) -> str:
    """Return a name for an entry that has none: the same for the same content."""
    return "entry-" + sha256(encode(content).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def settled(found: Iterable[Found]) -> Iterator[Found]:
    """Yield everything up to and with the first Unread."""
    for one in found:
        yield one
        if isinstance(one, Unread):
            return
