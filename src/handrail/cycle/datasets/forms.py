"""What the HTTP API takes and gives for datasets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from handrail.cycle.datasets.model import (
    BadRow,
    Change,
    Commit,
    Edit,
    ImportReport,
    Item,
    Label,
    MergeConflict,
    NewItem,
    Pointer,
    Project,
)
from handrail.foundation.errors import Invalid


class ProjectIn(BaseModel):
    """A new project. `schema` holds fields and questions."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(description="1 to 64 small letters, digits, - and _.", max_length=64)
    description: str = Field(default="", max_length=10_000)
    schema_: dict[str, Any] = Field(alias="schema", description="{fields: [...], questions: [...]}")


class ProjectOut(BaseModel):
    """A project."""

    id: str
    name: str
    description: str
    schema_digest: str
    created_at: datetime
    created_by: str

    @classmethod
    def of(cls, one: Project) -> ProjectOut:
        """Return what callers see."""
        return cls(**vars(one))


class SchemaOut(BaseModel):
    """The fields of an item and the questions about it."""

    digest: str
    fields: list[dict[str, Any]]
    questions: list[dict[str, Any]]


class CountsOut(BaseModel):
    """How much a project holds; `waiting` is what the branch main does not hold yet."""

    items: int
    labels: dict[str, int]
    items_waiting: int
    labels_waiting: int


class ItemIn(BaseModel):
    """A new item."""

    model_config = ConfigDict(extra="forbid")
    external_id: str = Field(min_length=1, max_length=256, description="Your name of the item.")
    data: dict[str, Any] = Field(description="The item's fields, as the schema names them.")
    subject: str | None = Field(default=None, max_length=256, description="The person whom the item is about.")
    group: dict[str, str] = Field(default_factory=dict, description="Group attributes, kept apart from the fields.")
    observed_at: datetime | None = Field(default=None, description="When the item was observed, with a time zone.")

    def wanted(self) -> NewItem:
        """Return it as datasets know it."""
        if self.observed_at is not None and self.observed_at.tzinfo is None:
            raise Invalid("observed_at has no time zone.", hint="Write it like 2026-11-05T10:00:00Z.")
        return NewItem(self.external_id, self.data, self.subject, self.group, self.observed_at)


class ItemsIn(BaseModel):
    """Items to put in: all or none."""

    model_config = ConfigDict(extra="forbid")
    items: list[ItemIn] = Field(min_length=1, max_length=1000)


class ItemOut(BaseModel):
    """An item."""

    id: str
    external_id: str
    digest: str
    data: dict[str, Any]
    subject: str | None
    group: dict[str, str]
    observed_at: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, one: Item) -> ItemOut:
        """Return what callers see."""
        return cls(**{name: value for name, value in vars(one).items() if name != "seq"})


class ItemsOut(BaseModel):
    """Items in the order in which they were sent."""

    items: list[ItemOut]


class BadRowOut(BaseModel):
    """What is wrong with a row of a file."""

    line: int
    field: str = Field(description="Empty for the row as a whole.")
    reason: str


class ImportOut(BaseModel):
    """What became of a file: total = kept + known + bad_rows."""

    total: int
    kept: int
    known: int
    bad_rows: int
    bad: list[BadRowOut] = Field(description="What is wrong, line by line; the first ten thousand entries.")
    labels: int
    answers: int = Field(description="What people and models said in another tool, each for itself.")
    complete: bool = Field(description="False when the end of the file was not read.")

    @classmethod
    def of(cls, one: ImportReport) -> ImportOut:
        """Return what callers see."""
        bad = [BadRowOut(line=row.line, field=row.field, reason=row.reason) for row in one.bad[:10_000]]
        return cls(**{**vars(one), "bad": bad})


class LabelConfigIn(BaseModel):
    """The configuration of a project in the language of Label Studio."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(description="XML.", max_length=1_000_000)


class LabelConfigOut(BaseModel):
    """The configuration of a project in the language of Label Studio, and every tag that is not supported."""

    text: str
    unsupported: list[BadRowOut]

    @classmethod
    def of(cls, text: str, unsupported: Sequence[BadRow]) -> LabelConfigOut:
        """Return what callers see."""
        rows = [BadRowOut(line=row.line, field=row.field, reason=row.reason) for row in unsupported]
        return cls(text=text, unsupported=rows)


class LabelOut(BaseModel):
    """A label with where it comes from."""

    id: str
    item_id: str
    question: str
    value: Any
    source: Literal["draw", "review", "audit", "import", "edit"]
    purpose: Literal["train", "certify", "holdout", "feedback"]
    probability: float | None
    task_id: str | None
    actor_kind: str
    actor_id: str
    actor_name: str
    reason: str
    created_at: datetime

    @classmethod
    def of(cls, one: Label) -> LabelOut:
        """Return what callers see."""
        return cls(**vars(one))


class CommitIn(BaseModel):
    """A wish for a new version."""

    model_config = ConfigDict(extra="forbid")
    message: str = Field(min_length=1, max_length=2000)
    branch: str = Field(default="main", min_length=1, max_length=100)


class EditIn(BaseModel):
    """A label to set on a branch, or to take away with a null value."""

    model_config = ConfigDict(extra="forbid")
    item: str = Field(min_length=1, max_length=256, description="The item's id or external id.")
    question: str = Field(min_length=1, max_length=128)
    value: Any = Field(description="The answer; null takes the label away.")
    reason: str = Field(default="", max_length=10_000)
    purpose: Literal["train", "holdout", "feedback"] | None = Field(
        default=None, description="What the label is for; nothing: as before, train for a new one."
    )

    def wanted(self) -> Edit:
        """Return it as datasets know it."""
        return Edit(self.item, self.question, self.value, self.reason, self.purpose)


class EditsIn(BaseModel):
    """Labels to change on a branch, as one version: all or none."""

    model_config = ConfigDict(extra="forbid")
    branch: str = Field(min_length=1, max_length=100, description="Any branch but main.")
    message: str = Field(min_length=1, max_length=2000)
    edits: list[EditIn] = Field(min_length=1, max_length=100_000)


class MergeIn(BaseModel):
    """A wish to merge a version into a branch."""

    model_config = ConfigDict(extra="forbid")
    theirs: str = Field(min_length=1, max_length=100, description="A branch, a tag, or the id of a commit.")
    into: str = Field(default="main", min_length=1, max_length=100, description="The branch that takes it up.")
    message: str = Field(default="", max_length=2000)
    prefer: Literal["ask", "ours", "theirs"] = Field(
        default="ask", description="ask: what both changed goes to people, and ours stands until they answer."
    )


class MergeConflictOut(BaseModel):
    """A label of which two branches made two things."""

    item_id: str
    external_id: str
    question: str
    base: Any
    ours: Any
    theirs: Any
    ours_actor: str
    theirs_actor: str
    ours_reason: str
    theirs_reason: str

    @classmethod
    def of(cls, one: MergeConflict) -> MergeConflictOut:
        """Return what callers see."""
        return cls(**{name: value for name, value in vars(one).items() if name in cls.model_fields})


class CommitOut(BaseModel):
    """One version of the dataset."""

    id: str
    parents: list[str]
    number: int
    message: str
    branch: str
    items: int
    labels: int
    created_at: datetime
    actor_kind: str
    actor_id: str
    actor_name: str

    @classmethod
    def of(cls, one: Commit) -> CommitOut:
        """Return what callers see."""
        return cls(**{**vars(one), "parents": list(one.parents)})


class CommitMadeOut(BaseModel):
    """The new version, or null when there was nothing to commit."""

    commit: CommitOut | None


class MergedOut(BaseModel):
    """A merge: its version, how many labels both sides changed, the first of them, and the tasks opened for them."""

    commit: CommitOut
    total: int
    conflicts: list[MergeConflictOut]
    tasks: list[str]


class ChangeOut(BaseModel):
    """One difference between two versions."""

    kind: Literal["item_added", "item_removed", "label"]
    item_id: str
    external_id: str
    question: str
    old: Any
    new: Any
    old_purpose: str | None
    new_purpose: str | None
    actor: str
    reason: str

    @classmethod
    def of(cls, one: Change) -> ChangeOut:
        """Return what callers see."""
        return cls(**vars(one))


class DiffOut(BaseModel):
    """The differences between two versions: how many, and the first of them."""

    total: int
    changes: list[ChangeOut]


class VerifiedOut(BaseModel):
    """Whether the files of a version, and of all before it, are what its id says; else the broken file."""

    commit_id: str
    verified: bool
    file: str | None
    reason: str


class CompactIn(BaseModel):
    """A wish to have a version, and those before it, read fast."""

    model_config = ConfigDict(extra="forbid")
    version: str = Field(default="main", min_length=1, max_length=100)


class CompactedOut(BaseModel):
    """What compaction did: bases made now, and how many the versions up to this one have."""

    made: int
    bases: int


class AlikeItemsOut(BaseModel):
    """Items that are the same or nearly, and where their labels stand."""

    kind: Literal["exact", "text", "numbers"]
    external_ids: list[str]
    sides: list[str] = Field(description="train, holdout, certify; more than one is a leak.")


class AlikeOut(BaseModel):
    """What is alike in a version: how many groups, how many of them leak, and the first of them, leaks first."""

    items: int
    total: int
    leaks: int
    groups: list[AlikeItemsOut]


class PointerIn(BaseModel):
    """A new branch or tag at what `at` names."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=100)
    at: str = Field(default="main", min_length=1, max_length=100)


class PointerOut(BaseModel):
    """A branch or a tag."""

    name: str
    commit_id: str | None

    @classmethod
    def of(cls, one: Pointer) -> PointerOut:
        """Return what callers see."""
        return cls(name=one.name, commit_id=one.commit_id)
