"""Facts that datasets publish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from handrail.foundation.journal import Event


@dataclass(frozen=True, kw_only=True)
class ProjectMade(Event):
    """A project was made, with its schema."""

    verb: ClassVar[str] = "datasets.project_made"
    project_id: str
    schema_id: str
    name: str
    description: str
    schema: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ItemsAdded(Event):
    """Items came in by hand or from a file; `known` were there before. Items of decide() stand in its own entries."""

    verb: ClassVar[str] = "datasets.items_added"
    origin: str
    added: int
    known: int
    first_item_id: str | None
    last_item_id: str | None


@dataclass(frozen=True, kw_only=True)
class LabelsImported(Event):
    """Labels came in with the rows of a file."""

    verb: ClassVar[str] = "datasets.labels_imported"
    origin: str
    purpose: str
    labels: int


@dataclass(frozen=True, kw_only=True)
class LabelSet(Event):
    """An item has a new label for a question."""

    verb: ClassVar[str] = "datasets.label_set"
    label_id: str
    item_id: str
    task_id: str | None
    question: str
    value: Any
    source: str
    purpose: str
    probability: float | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class CommitMade(Event):
    """A version of the dataset was made and its branch moved to it; a merge names the version that it merged."""

    verb: ClassVar[str] = "datasets.commit_made"
    commit_id: str
    parent_id: str | None
    merged_id: str | None
    branch: str
    message: str
    items: int
    labels: int


@dataclass(frozen=True, kw_only=True)
class BranchMade(Event):
    """A branch was made at a commit."""

    verb: ClassVar[str] = "datasets.branch_made"
    commit_id: str | None
    name: str


@dataclass(frozen=True, kw_only=True)
class TagMade(Event):
    """A commit was given a name for good."""

    verb: ClassVar[str] = "datasets.tag_made"
    commit_id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class LabelConfigSet(Event):
    """The labelling configuration of another tool was kept for a project; `size` counts its characters."""

    verb: ClassVar[str] = "datasets.label_config_set"
    size: int


@dataclass(frozen=True, kw_only=True)
class LabelsRecalled(Event):
    """Labels of one actor were withdrawn: of `restored` the label before holds again, `emptied` have none."""

    verb: ClassVar[str] = "datasets.labels_recalled"
    recall_id: str
    actor: str
    since: str | None
    until: str | None
    question: str | None
    reason: str
    labels: int
    restored: int
    emptied: int
    certifying: int
