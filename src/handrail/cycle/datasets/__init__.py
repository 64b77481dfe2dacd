"""Projects, their items and labels, and every version of the dataset that they make."""

from handrail.cycle.datasets.model import (
    BadRow,
    Change,
    Commit,
    Counts,
    Edit,
    ImportReport,
    Item,
    Label,
    MergeConflict,
    Merged,
    NewItem,
    NewLabel,
    Page,
    Pointer,
    Project,
)
from handrail.cycle.datasets.schema import Field, Question, Schema, ShownField, purpose_column
from handrail.cycle.datasets.service import Datasets

__all__ = [
    "BadRow",
    "Change",
    "Commit",
    "Counts",
    "Datasets",
    "Edit",
    "Field",
    "ImportReport",
    "Item",
    "Label",
    "MergeConflict",
    "Merged",
    "NewItem",
    "NewLabel",
    "Page",
    "Pointer",
    "Project",
    "Question",
    "Schema",
    "ShownField",
    "purpose_column",
]
