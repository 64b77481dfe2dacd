"""Whose labels a version rests on, and what a recall takes away. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from handrail.foundation.errors import Invalid

MOST_RECALLED = 100_000
KINDS = ("person", "machine", "rule", "simulated")


class SpanInvalid(Invalid):
    """Whose labels, and of which time, is not said in a way that can be understood."""

    code = "datasets.span_invalid"


class NothingToRecall(Invalid):
    """There is no label like that, or more than one recall takes."""

    code = "datasets.nothing_to_recall"


@dataclass(frozen=True)
class Span:
    """The labels of one actor ("kind:id"), of one question or all, from `since` up to and without `until`.

    Raises SpanInvalid for an actor of no known kind, a time without a zone, or an end that is not after the beginning.
    """

    actor: str
    since: datetime | None = None
    until: datetime | None = None
    question: str | None = None

    def __post_init__(self) -> None:
        kind, _, who = self.actor.partition(":")
        if kind not in KINDS or not who or len(self.actor) > 96:
            raise SpanInvalid(
                f"{self.actor[:96]!r} names nobody.", hint=f"Write KIND:ID, where KIND is {', '.join(KINDS)}."
            )
        if any(one is not None and one.tzinfo is None for one in (self.since, self.until)):
            raise SpanInvalid("A time has no time zone.", hint="Write it like 2026-11-05T10:00:00Z.")
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise SpanInvalid("The time ends before it begins.")


@dataclass(frozen=True)
class Given:
    """How many labels of one kind an actor gave; `answers` of them answered a task. The times are those of labels."""

    actor: str
    name: str
    question: str
    purpose: str
    source: str
    labels: int
    answers: int
    first: datetime
    last: datetime


@dataclass(frozen=True)
class Affected:
    """A label that holds now and is to be withdrawn; `earlier` is the one that holds instead, "" where none does."""

    label_id: str
    item_id: str
    seq: int
    question: str
    earlier: str


@dataclass(frozen=True)
class Recall:
    """Labels that were withdrawn, or would be: how many, of how many the one before holds again, how many items have
    none any more, and how many had been drawn to certify.
    """

    id: str
    span: Span
    reason: str
    labels: int
    restored: int
    emptied: int
    certifying: int
    created_at: datetime
    by_kind: str
    by_id: str
    by_name: str
