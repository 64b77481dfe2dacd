"""What of a schema a format can fill: the field of its text or media, the questions of its marks. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handrail.foundation.errors import Invalid

Entry = Mapping[str, Any]


class FormatUnfit(Invalid):
    """The schema of the project has no place for what a format says, or says what the format cannot."""

    code = "datasets.format_unfit"


@dataclass(frozen=True)
class Target:
    """The schema of a project as JSON values, asked for what a format needs."""

    format: str
    fields: Sequence[Entry]
    questions: Sequence[Entry]

    @classmethod
    def of(cls, format_: str, document: Mapping[str, Any]) -> Target:
        """Return the target of a schema."""
        return cls(format_, document["fields"], document["questions"])

    def find_field(self, *types: str) -> str:
        """Return the first field of one of these types, or ""."""
        return next((one["name"] for one in self.fields if one["type"] in types), "")

    def field(self, *types: str) -> str:
        """Return the first field of one of these types; raises FormatUnfit."""
        found = self.find_field(*types)
        if not found:
            raise self.unfit(f"has no field of the type {' or '.join(types)}")
        return found

    def find(self, *types: str, about: str = "") -> Entry | None:
        """Return the first question of one of these types, about the field where it says one, or None."""
        return next(
            (
                one
                for one in self.questions
                if one["type"] in types
                and not one.get("per_region")
                and (not about or one.get("about", about) == about)
            ),
            None,
        )

    def question(self, *types: str, about: str = "") -> Entry:
        """Return the first question of one of these types; raises FormatUnfit."""
        found = self.find(*types, about=about)
        if found is None:
            raise self.unfit(f"asks no question of the type {' or '.join(types)}")
        return found

    def named(self, name: str) -> Entry | None:
        """Return the question of this name, or None."""
        return next((one for one in self.questions if one["name"] == name), None)

    def has_field(self, name: str) -> bool:
        """Return whether the schema has a field of this name."""
        return any(one["name"] == name for one in self.fields)

    def unfit(self, why: str) -> FormatUnfit:
        """Return the error for a schema that does not fit the format."""
        return FormatUnfit(
            f"The schema {why}, which the format {self.format} needs.",
            hint="Nothing was written. Choose another format, or a project whose schema fits.",
            format=self.format,
        )


class Unsaid(FormatUnfit):
    """A value that the format has no words for; the sentence names item and question."""

    code = "datasets.format_cannot_say"


def unsaid(format_: str, item: str, question: str, why: str) -> Unsaid:
    """Return the error for a value that a format cannot say."""
    return Unsaid(
        f"The item {item[:80]} cannot go out as {format_}: {question} {why}.",
        hint="Nothing is left out in silence. Choose a format that can say it, such as label-studio or jsonl.",
        item=item,
        question=question,
    )
