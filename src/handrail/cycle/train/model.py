"""Values and rules of training: model versions, their predictions, runs. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from handrail.foundation.errors import Conflict, Invalid, NotFound

ColumnKind = Literal["number", "category", "text"]
ModelState = Literal["candidate", "champion", "retired", "rejected"]
RunState = Literal["queued", "running", "done", "failed", "cancelled"]

MISSING = "(missing)"
"""How a category that is not there reads."""

ENDED: frozenset[RunState] = frozenset({"done", "failed", "cancelled"})


class ModelNotFound(NotFound):
    """No such model version in this project."""

    code = "train.model_not_found"


class RunNotFound(NotFound):
    """No such run in this project."""

    code = "train.run_not_found"


class NotACandidate(Conflict):
    """The state of the model version does not allow this."""

    code = "train.not_a_candidate"


class RunHasEnded(Conflict):
    """The run has ended already."""

    code = "train.run_ended"


class NoTrainingRows(Invalid):
    """The commit holds no label that may be used for training."""

    code = "train.no_training_rows"


class QuestionNotLearned(Invalid):
    """No trainer answers a question of this type yet."""

    code = "train.question_not_learned"


class BadRow(Invalid):
    """A row cannot be read by the model: a number is not a number."""

    code = "train.bad_row"


@dataclass(frozen=True)
class Column:
    """One field of the schema as a trainer sees it."""

    name: str
    kind: ColumnKind


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says of one row.

    `score`: calibrated confidence of `value`, 0 to 1. `scores`: one per class, by its name. `top`: the features that
    moved the answer most, with the signed change of the logit against the average row.
    """

    value: Any
    score: float
    scores: dict[str, float]
    top: list[tuple[str, float]]


class Predictor(Protocol):
    """Anything that predicts rows."""

    def predict(self, rows: Sequence[Mapping[str, Any]]) -> list[Prediction]:
        """Return one prediction per row; raises BadRow."""
        ...


@dataclass(frozen=True)
class ModelVersion:
    """One trained model: its artefact (`digest`), the commit it learned from, its figures, its card.

    `out_of_fold` and `rows` are digests of the scores and errors, and of the items, of training. `classes` are the
    values it can give. `metrics` come from cross-validation inside the training rows.
    """

    id: str
    project_id: str
    number: int
    question: str
    state: ModelState
    kind: str
    digest: str
    commit_id: str
    run_id: str | None
    seed: int
    classes: tuple[Any, ...]
    metrics: Mapping[str, Any]
    card: Mapping[str, Any]
    out_of_fold: str
    rows: str
    note: str
    created_at: datetime
    created_by: str
    changed_at: datetime

    @property
    def name(self) -> str:
        """Say which model this is, for people."""
        return f"model {self.number}"


@dataclass(frozen=True)
class NewModel:
    """A trained model before it has a number."""

    question: str
    kind: str
    digest: str
    commit_id: str
    run_id: str | None
    seed: int
    classes: tuple[Any, ...]
    metrics: Mapping[str, Any]
    card: Mapping[str, Any]
    out_of_fold: str
    rows: str
    note: str


@dataclass(frozen=True)
class TrainingRows:
    """What a commit offers to learn from: an Arrow table of `columns` and the label in the column `label`.

    `items` are the ids of the items, one per row. `unused` are fields that the trainer cannot read. `simulated` counts
    labels that simulated people gave. `meaning` is what the schema says that the question is about.
    """

    commit_id: str
    table: Any
    items: list[str]
    columns: tuple[Column, ...]
    label: str
    unused: tuple[str, ...]
    simulated: int
    meaning: str


@dataclass(frozen=True)
class Run:
    """One job of a project: what it does, how far it is, what came out. `progress` from 0 to 1, `step` in words."""

    id: str
    project_id: str
    workflow: str
    question: str
    state: RunState
    progress: float
    step: str
    args: Mapping[str, Any]
    result: Mapping[str, Any]
    error: str
    created_at: datetime
    created_by: str
    changed_at: datetime


def class_key(value: Any) -> str:
    """Return the name of a class: its text, or its JSON when it is no text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, allow_nan=False)


def category_text(value: Any) -> str:
    """Return how a category reads: its text, its JSON when it is no text, `(missing)` when it is not there."""
    return MISSING if value is None else class_key(value)


def may_promote(model: ModelVersion) -> None:
    """Raise NotACandidate when a model version may not become the champion; a retired one may come back."""
    if model.state == "rejected":
        raise NotACandidate(f"The {model.name} was rejected and cannot be promoted.", hint="Train a new model.")
