"""Values and rules of datasets: projects, items, labels, commits. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Generic, Literal, TypeVar

from handrail.cycle.datasets.values import time_text
from handrail.foundation.canonical import encode
from handrail.foundation.errors import Broken, Busy, Conflict, Invalid, NotFound
from handrail.foundation.frozen import at_once

T = TypeVar("T")

Source = Literal["draw", "review", "audit", "import", "edit"]
Purpose = Literal["train", "certify", "holdout", "feedback"]
OnError = Literal["refuse", "keep"]
ImportFormat = Literal[
    "auto", "csv", "jsonl", "json", "label-studio", "argilla", "coco", "conll", "croissant", "doccano", "huggingface",
    "parquet", "prodigy", "sagemaker", "voc", "yolo",
]  # fmt: skip
ExportFormat = Literal[
    "csv", "jsonl", "label-studio", "argilla", "coco", "conll", "croissant", "doccano", "huggingface", "parquet",
    "prodigy", "sagemaker", "voc", "yolo",
]  # fmt: skip
"""The ways in and out, by name."""

MAIN = "main"
"""The branch that every project has."""
EDIT: Source = "edit"
"""The source of a label that somebody changed on a branch."""
EVERY = 8
"""Every so many versions one gets a base, from which it and the later ones are read."""
MAX_ITEM = 1 << 20
"""Bytes of one item in canonical JSON."""
MAX_GROUPS = 100
MAX_REASON = 10_000


class ProjectExists(Conflict):
    """Another project has this name."""

    code = "datasets.project_exists"


class NameInvalid(Invalid):
    """A name may hold only some characters."""

    code = "datasets.name_invalid"


class ItemNotFound(NotFound):
    """No such item in this project."""

    code = "datasets.item_not_found"


class ItemDiffers(Conflict):
    """An item of this external id is there with other content; an item never changes."""

    code = "datasets.item_differs"


class LabelInvalid(Invalid):
    """A label breaks a rule."""

    code = "datasets.label_invalid"


class CommitNotFound(NotFound):
    """No commit, branch or tag of this project has this name."""

    code = "datasets.commit_not_found"


class BranchNotFound(NotFound):
    """The project has no such branch."""

    code = "datasets.branch_not_found"


class PointerExists(Conflict):
    """A branch or tag of this name is there already."""

    code = "datasets.pointer_exists"


class BranchIsLive(Conflict):
    """The branch main takes its labels from people's answers; it is not edited."""

    code = "datasets.branch_is_live"


class EditInvalid(Invalid):
    """Some edits of a branch are wrong; every problem is listed and nothing was written."""

    code = "datasets.edit_invalid"


class NothingToMerge(Conflict):
    """The branch holds all of the other version already, or the two share no version, or one schema."""

    code = "datasets.nothing_to_merge"


class CommitBusy(Busy):
    """Others kept changing what was to be committed."""

    code = "datasets.commit_busy"


class DatasetBroken(Broken):
    """A file of a dataset is damaged or missing; the error names it."""

    code = "datasets.file_broken"


class ImportRefused(Invalid):
    """A file has bad rows and nothing of it was written; `report` lists them."""

    code = "datasets.import_refused"

    def __init__(self, sentence: str, *, report: ImportReport, hint: str = "", **facts: Any) -> None:
        super().__init__(sentence, hint=hint, **facts)
        self.report = report


class FileUnreadable(Invalid):
    """A file is empty, is of no known format, or its columns do not fit the schema; nothing was written."""

    code = "datasets.file_unreadable"


class ExportFormatUnknown(Invalid):
    """There is no export in this format."""

    code = "datasets.export_format_unknown"


@dataclass(frozen=True)
class Page(Generic[T]):
    """Part of a list; `next` is the key after which it goes on, None at the end."""

    items: list[T]
    next: int | None


@dataclass(frozen=True)
class Project:
    """One project; `schema_digest` names its schema."""

    id: str
    name: str
    description: str
    schema_digest: str
    created_at: datetime
    created_by: str


@dataclass(frozen=True)
class NewItem:
    """An item as it comes in. `external_id` is the caller's own name for it, unique in the project.

    `subject` is the person it is about; `group` holds attributes of that person, kept apart from the data.
    """

    external_id: str
    data: Mapping[str, Any]
    subject: str | None = None
    group: Mapping[str, str] = field(default_factory=dict)
    observed_at: datetime | None = None


@dataclass(frozen=True)
class Item:
    """One item. It never changes. `seq` grows in the order of insertion; `digest` is salted (see `item_digest`)."""

    id: str
    seq: int
    external_id: str
    digest: str
    data: Mapping[str, Any]
    subject: str | None
    group: Mapping[str, str]
    observed_at: datetime | None
    created_at: datetime


@at_once
@dataclass(frozen=True)
class NewLabel:
    """An accepted value for an item and a question, and where it comes from.

    `probability` is the chance with which the item was drawn for this label; None when it was not drawn at random.
    """

    item_id: str
    question: str
    value: Any
    source: Source
    purpose: Purpose
    probability: float | None = None
    task_id: str | None = None
    reason: str = ""


@at_once
@dataclass(frozen=True)
class Label:
    """A label as it is kept. A newer one for the same item and question takes its place; none is ever changed."""

    id: str
    item_id: str
    question: str
    value: Any
    source: Source
    purpose: Purpose
    probability: float | None
    task_id: str | None
    actor_kind: str
    actor_id: str
    actor_name: str
    reason: str
    created_at: datetime


@dataclass(frozen=True)
class Counts:
    """How much a project holds: items, labelled items for each question, and what no commit holds yet."""

    items: int
    labels: Mapping[str, int]
    items_waiting: int
    labels_waiting: int


@dataclass(frozen=True)
class Commit:
    """One version of a dataset. `items` and `labels` count what it adds and changes; `number` counts from 1."""

    id: str
    parents: tuple[str, ...]
    number: int
    message: str
    branch: str
    items: int
    labels: int
    created_at: datetime
    actor_kind: str
    actor_id: str
    actor_name: str


@dataclass(frozen=True)
class Edit:
    """A label to set on a branch, or to take away with the value None.

    `item` is the item's id or its external id. Without a purpose the label keeps the one it has, train for a new one.
    """

    item: str
    question: str
    value: Any
    reason: str = ""
    purpose: Purpose | None = None


@dataclass(frozen=True)
class MergeConflict:
    """A label of which two branches made two things. Until somebody settles it, ours stands.

    `base` is what both began from; `ours_actor` and `theirs_actor` are "kind:id" of who changed it.
    """

    item_id: str
    external_id: str
    question: str
    base: Any
    ours: Any
    theirs: Any
    theirs_purpose: str | None
    ours_actor: str
    theirs_actor: str
    ours_reason: str
    theirs_reason: str


@dataclass(frozen=True)
class Merged:
    """A merge: the version that has both, and what they could not agree on."""

    commit: Commit
    conflicts: tuple[MergeConflict, ...]


@dataclass(frozen=True)
class Pointer:
    """A branch or a tag: a name for a commit; `commit_id` is None for a branch before its first commit."""

    name: str
    commit_id: str | None


@at_once
@dataclass(frozen=True)
class Change:
    """One difference between two versions; `actor` is "kind:id" of who made the newer value.

    For kind item_added and item_removed the question is empty and nothing else is set.
    """

    kind: Literal["item_added", "item_removed", "label"]
    item_id: str
    external_id: str
    question: str = ""
    old: Any = None
    new: Any = None
    old_purpose: str | None = None
    new_purpose: str | None = None
    actor: str = ""
    reason: str = ""


@dataclass(frozen=True)
class BadRow:
    """One thing wrong with one row of a file; `line` counts from 1, `field` is empty for the row as a whole."""

    line: int
    field: str
    reason: str


@dataclass(frozen=True)
class ImportReport:
    """What became of a file: total = kept + known + bad_rows; `known` were there before with the same content.

    `bad` lists what is wrong, the first hundred thousand entries; `bad_rows` counts the rows that were not kept.
    `labels` counts the labels that came with the rows, `answers` what people and models said
    there, each for itself. `complete` is False when the end of the file was not read.
    """

    total: int
    kept: int
    known: int
    bad_rows: int
    bad: tuple[BadRow, ...]
    labels: int = 0
    complete: bool = True
    answers: int = 0


@dataclass(frozen=True)
class ImportedAnswer:
    """What one person or one model said about an item in another tool: question -> value.

    `who` is the name that the file gives, which nothing proves; `at` an ISO time or "". An answer that `counts` was the
    accepted one there (ground truth).
    """

    item_id: str
    format: str
    kind: Literal["annotation", "prediction", "draft"]
    who: str
    values: Mapping[str, Any]
    score: float | None
    at: str
    counts: bool


Imported = dict[int, list[ImportedAnswer]]  # by the seq of an item


@at_once
@dataclass(frozen=True)
class ReadyItem:
    """A checked item before it has a salt. `content` is what its digest is taken over, without its id."""

    external_id: str
    data: dict[str, Any]
    subject: str | None
    group: dict[str, str]
    observed_at: datetime | None


def item_content(item_id: str, one: ReadyItem, data: str, group: str) -> str:
    """Return the canonical JSON of everything an item says; its digest is taken over these bytes.

    `data` and `group` are their canonical JSON, which the caller keeps beside the digest anyway.
    """
    observed = "null" if one.observed_at is None else f'"{time_text(one.observed_at)}"'
    subject = "null" if one.subject is None else encode(one.subject)
    return f"[{encode(item_id)},{encode(one.external_id)},{data},{group},{subject},{observed}]"


def item_digest(salt: bytes, content: str) -> str:
    """Return SHA-256(salt || content) in hex. Once the salt is gone, nobody can prove or guess what was named."""
    return sha256(salt + content.encode()).hexdigest()
