"""The fields of an item. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from handrail.cycle.datasets.schema.contents import read_content
from handrail.cycle.datasets.schema.parts import told
from handrail.cycle.datasets.schema.problems import Problems
from handrail.cycle.datasets.values import read_category, read_flag, read_number, read_text, read_time

FieldType = Literal[
    "number",
    "text",
    "category",
    "time",
    "boolean",
    "image",
    "dicom",
    "audio",
    "video",
    "document",
    "html",
    "time_series",
    "conversation",
    "trace",
    "json",
]


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of an item. `low` and `high` are the reference range shown to people; `min` and `max` are enforced.

    `values` lists what a category may be; empty means any text. A boolean counts as a category of two values.
    """

    name: str
    type: FieldType
    title: str = ""
    unit: str = ""
    low: float | None = None
    high: float | None = None
    required: bool = True
    min: float | None = None
    max: float | None = None
    values: tuple[str, ...] = ()

    @cached_property
    def is_plain(self) -> bool:
        """True for a number without bounds."""
        return self.type == "number" and self.min is None and self.max is None

    def read(self, value: Any, bad: Problems) -> Any:
        """Return the value as it is kept, None where it is missing or after telling why it cannot be kept."""
        if value is None:
            if self.required:
                bad.add(self.name, "is missing")
            return None
        if self.type == "number":
            return told(*read_number(value, self.min, self.max), self.name, bad)
        if self.type == "text":
            return told(*read_text(value), self.name, bad)
        if self.type == "category":
            return told(*read_category(value, self.values), self.name, bad)
        if self.type == "time":
            return told(*read_time(value), self.name, bad)
        if self.type == "boolean":
            return told(*read_flag(value), self.name, bad)
        return read_content(self.type, value, self.name, bad)


@dataclass(frozen=True, kw_only=True)
class ShownField:
    """How a field is shown to people, and the range that its values are read against."""

    name: str
    title: str
    type: FieldType
    unit: str | None
    reference_low: float | None
    reference_high: float | None
