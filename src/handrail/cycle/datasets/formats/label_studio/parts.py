"""A Label Studio configuration as read: the objects it shows and the controls that ask about them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from handrail.cycle.datasets.formats.label_studio.tags import Kind
from handrail.cycle.datasets.model import BadRow


@dataclass(frozen=True, slots=True)
class Shown:
    """An object of the configuration: the name that controls call it by, its key in a task, and the field it became."""

    name: str
    tag: str
    key: str
    field: str
    type: str
    line: int
    role_key: str = "author"
    text_key: str = "text"
    frame_rate: float = 24.0


@dataclass(frozen=True, slots=True)
class Control:
    """A control of the configuration and the question that it became.

    `labels_from` names the Labels control whose labels a bare geometry (Rectangle, Brush ...) carries.
    """

    name: str
    tag: str
    kind: Kind
    question: str
    to_name: str
    line: int
    choices: tuple[str, ...] = ()
    multiple: bool = False
    nested: bool = False
    per_region: str = ""
    labels_from: str = ""


@dataclass(frozen=True)
class Config:
    """A configuration as read: what it shows, what it asks, and every tag that is not supported with its line."""

    objects: tuple[Shown, ...]
    controls: tuple[Control, ...]
    fields: tuple[dict[str, Any], ...]
    questions: tuple[dict[str, Any], ...]
    unsupported: tuple[BadRow, ...]
    aside: frozenset[str]
    """Names of controls that are not supported: what they marked is kept as it came and becomes no label."""

    @property
    def document(self) -> dict[str, Any]:
        """The schema as JSON values, for Schema.from_dict."""
        return {"fields": [dict(one) for one in self.fields], "questions": [dict(one) for one in self.questions]}

    def shown(self, name: str) -> Shown | None:
        """Return the object of this name, or None."""
        return next((one for one in self.objects if one.name == name), None)

    def control(self, name: str) -> Control | None:
        """Return the control of this name, or None."""
        return next((one for one in self.controls if one.name == name), None)

    def per_region(self, name: str, region_question: str) -> Control | None:
        """Return the control of this name that asks about the regions of a question, or None."""
        makers = {one.name for one in self.controls if one.question == region_question}
        return next((one for one in self.controls if one.name == name and one.per_region in makers), None)

    def asks(self, question: str) -> Control | None:
        """Return the control that became this question, or None."""
        return next((one for one in self.controls if one.question == question), None)
