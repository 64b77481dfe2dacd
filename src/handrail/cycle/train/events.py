"""Facts that training publishes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from handrail.foundation.journal.event import Event


@dataclass(frozen=True, kw_only=True)
class RunStarted(Event):
    """Somebody or a rule asked for a run; it waits for its turn."""

    verb: ClassVar[str] = "train.started"
    run_id: str
    workflow: str
    question: str
    args: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class RunEnded(Event):
    """A run ended: done, failed or cancelled."""

    verb: ClassVar[str] = "train.ended"
    run_id: str
    workflow: str
    state: str
    error: str


@dataclass(frozen=True, kw_only=True)
class ModelMade(Event):
    """A model version was trained. `artefact_id` is the SHA-256 of its file, `commit_id` what it learned from."""

    verb: ClassVar[str] = "train.model_made"
    model_id: str
    run_id: str | None
    commit_id: str
    artefact_id: str
    number: int
    question: str
    rows: int
    accuracy: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Promoted(Event):
    """A model version became the champion of its question; `replaced_id` was it before."""

    verb: ClassVar[str] = "train.promoted"
    model_id: str
    replaced_id: str | None
    artefact_id: str
    number: int
    question: str


@dataclass(frozen=True, kw_only=True)
class Retired(Event):
    """A model version is no longer used."""

    verb: ClassVar[str] = "train.retired"
    model_id: str
    number: int
    question: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Rejected(Event):
    """A person or a rule decided against a candidate."""

    verb: ClassVar[str] = "train.rejected"
    model_id: str
    number: int
    question: str
    reason: str
