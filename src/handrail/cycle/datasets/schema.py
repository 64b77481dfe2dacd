"""What an item looks like and what is asked about it: fields, questions, and the check of every value. Pure.

A schema never changes once its project is made, so its digest stands for it in every commit.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from hashlib import sha256
from operator import itemgetter
from typing import Any, Literal, get_args

from handrail.cycle.datasets.values import Problem, Reading, read_category, read_flag, read_number, read_text, read_time
from handrail.foundation.errors import Invalid

FieldType = Literal["number", "text", "category", "time", "boolean"]
QuestionType = Literal["choice", "number", "text"]

RESERVED = frozenset({"item", "digest", "salt", "external_id", "subject", "observed_at", "data", "group", "labels"})
"""Words of Handrail's own files; no field or question may be named so."""
GROUP_PREFIX = "group."
"""Columns of a file that start so are group attributes, kept apart from the data."""
PURPOSE_SUFFIX = ".purpose"
"""In the table of a checkout the purpose of a label stands beside it under the question's name and this."""

_MAX_NAME = 128
_MAX_FIELDS = 2_000
_MAX_CHOICES = 1_000
_MAX_WORDS = 2_000


class SchemaInvalid(Invalid):
    """The schema breaks a rule, or asks for a type that is not supported yet; every problem is listed."""

    code = "datasets.schema_invalid"


class ItemInvalid(Invalid):
    """The data of an item do not fit the schema; every problem is listed with its field."""

    code = "datasets.item_invalid"


class AnswerInvalid(Invalid):
    """The value is not an answer to the question."""

    code = "datasets.answer_invalid"


class QuestionUnknown(Invalid):
    """The schema has no such question."""

    code = "datasets.question_unknown"


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

    def read(self, value: Any) -> Reading:
        """Return the value as it is kept, or why it cannot be; None means missing."""
        if value is None:
            return None, "is missing" if self.required else ""
        if self.type == "number":
            return read_number(value, self.min, self.max)
        if self.type == "text":
            return read_text(value)
        if self.type == "category":
            return read_category(value, self.values)
        return read_time(value) if self.type == "time" else read_flag(value)


@dataclass(frozen=True, kw_only=True)
class ShownField:
    """How a field is shown to people, and the range that its values are read against."""

    name: str
    title: str
    unit: str | None
    reference_low: float | None
    reference_high: float | None


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question about an item: a choice among `choices`, a number from `min` to `max`, or a text."""

    name: str
    type: QuestionType
    title: str = ""
    instructions: str = ""
    choices: tuple[str, ...] = ()
    unit: str = ""
    min: float | None = None
    max: float | None = None

    def read(self, value: Any) -> Reading:
        """Return the answer as it is kept, or why it is none."""
        if value is None:
            return None, "is missing"
        if self.type == "choice":
            return read_category(value, self.choices)
        if self.type == "number":
            return read_number(value, self.min, self.max)
        return read_text(value)

    def check(self, value: Any) -> Any:
        """Return the answer as it is kept; raises AnswerInvalid."""
        kept, reason = self.read(value)
        if reason:
            raise AnswerInvalid(
                f"The answer to {self.name} {reason}.",
                hint="Nothing was written.",
                problems=[{"field": self.name, "reason": reason}],
            )
        return kept


@dataclass(frozen=True)
class Schema:
    """The fields and questions of a project; raises SchemaInvalid when it is made with a broken rule."""

    fields: tuple[Field, ...]
    questions: tuple[Question, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "fields", tuple(self.fields))
        object.__setattr__(self, "questions", tuple(self.questions))
        refuse(SchemaInvalid, "The schema", _schema_problems(self.fields, self.questions))

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {one.name: one for one in self.fields}

    @cached_property
    def _pick(self) -> Callable[[Mapping[str, Any]], tuple[Any, ...]] | None:
        """Takes the values of all fields out of the data, where each is a number without bounds."""
        plain = len(self.fields) > 1 and all(one.is_plain for one in self.fields)
        return itemgetter(*self._by_name) if plain else None

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the schema in canonical JSON, 64 hex digits."""
        text = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return sha256(text.encode()).hexdigest()

    @cached_property
    def shown(self) -> tuple[ShownField, ...]:
        """How each field is shown."""
        return tuple(
            ShownField(
                name=one.name,
                title=one.title or one.name,
                unit=one.unit or None,
                reference_low=one.low,
                reference_high=one.high,
            )
            for one in self.fields
        )

    def field(self, name: str) -> Field | None:
        """Return the field of this name, or None."""
        return self._by_name.get(name)

    def question(self, name: str) -> Question:
        """Return the question of this name; raises QuestionUnknown."""
        for one in self.questions:
            if one.name == name:
                return one
        raise QuestionUnknown(
            f"The schema has no question {name!r}.",
            hint=f"It asks: {', '.join(one.name for one in self.questions)}.",
            question=name,
        )

    def read(self, data: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
        """Return the data as they are kept, in the order of the fields, and every problem.

        Numbers become floats, times become UTC; a missing value that may be missing is left out.
        """
        if (easy := self._read_plain(data)) is not None:
            return easy, []
        kept: dict[str, Any] = {}
        problems: list[Problem] = []
        for one in self.fields:
            value = data.get(one.name)
            if type(value) is float and one.is_plain and value - value == 0.0:
                kept[one.name] = value  # most values by far: a finite number without bounds
                continue
            value, reason = one.read(value)
            if reason:
                problems.append(Problem(one.name, reason))
            elif value is not None:
                kept[one.name] = value
        if not data.keys() <= self._by_name.keys():
            for name in sorted(map(str, data.keys() - self._by_name.keys())):
                problems.append(Problem(name[:_MAX_NAME], "is not a field of the schema"))
        return kept, problems

    def _read_plain(self, data: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the data where every field is a number without bounds and all are there as finite floats, else None.

        Rows of sensors and of clinics are so, and every decision reads one.
        """
        if self._pick is None or len(data) != len(self.fields):
            return None
        try:
            values = self._pick(data)
        except KeyError:
            return None
        if set(map(type, values)) != {float} or not math.isfinite(sum(values)):
            return None
        return dict(zip(self._by_name, values, strict=True))

    def check(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the data as they are kept; raises ItemInvalid with every problem."""
        kept, problems = self.read(data)
        refuse(ItemInvalid, "The item", problems)
        return kept

    def to_dict(self) -> dict[str, Any]:
        """Return the schema as JSON values, without what is as by default."""
        return {
            "fields": [_plain(one) for one in self.fields],
            "questions": [_plain(one) for one in self.questions],
        }

    @classmethod
    def from_dict(cls, document: Any) -> Schema:
        """Return the schema of a JSON document; raises SchemaInvalid with every problem."""
        problems: list[Problem] = []
        if not isinstance(document, Mapping):
            raise SchemaInvalid("A schema is an object with fields and questions.")
        for word in sorted(map(str, set(document) - {"fields", "questions"})):
            problems.append(Problem(word, "is not a part of a schema"))
        made_fields = _entries(document, "fields", Field, problems)
        made_questions = _entries(document, "questions", Question, problems)
        refuse(SchemaInvalid, "The schema", problems)
        return cls(tuple(made_fields), tuple(made_questions))


def refuse(kind: type[Invalid], what: str, problems: Sequence[Problem], **facts: Any) -> None:
    """Raise an error of `kind` that lists the problems, when there are any."""
    if not problems:
        return
    first = "; ".join(f"{one.field} {one.reason}".strip() for one in problems[:5])
    more = f" and {len(problems) - 5} more" if len(problems) > 5 else ""
    raise kind(
        f"{what} has {len(problems)} problem{'s' if len(problems) > 1 else ''}: {first}{more}.",
        hint="Nothing was written.",
        problems=[{"field": one.field, "reason": one.reason} for one in problems],
        **facts,
    )


def purpose_column(question: str) -> str:
    """Return the name of the column that holds the purpose of a question's labels in a checkout."""
    return question + PURPOSE_SUFFIX


def _plain(one: Field | Question) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for part in fields(one):
        value = getattr(one, part.name)
        if part.name in ("name", "type") or value != part.default:
            made[part.name] = list(value) if isinstance(value, tuple) else value
    return made


def _entries(document: Mapping[str, Any], word: str, kind: type, problems: list[Problem]) -> list[Any]:
    given = document.get(word)
    if not isinstance(given, list | tuple):
        problems.append(Problem(word, "must be a list"))
        return []
    allowed = {part.name for part in fields(kind)}
    made = []
    for place, one in enumerate(given):
        if not isinstance(one, Mapping):
            problems.append(Problem(f"{word}[{place}]", "must be an object"))
            continue
        unknown = sorted(map(str, set(one) - allowed))
        missing = sorted({"name", "type"} - set(one))
        problems.extend(Problem(f"{word}[{place}].{name}", "is not known") for name in unknown)
        problems.extend(Problem(f"{word}[{place}].{name}", "is missing") for name in missing)
        if not unknown and not missing:
            parts = {name: tuple(value) if isinstance(value, list) else value for name, value in one.items()}
            made.append(kind(**parts))
    return made


def _schema_problems(made_fields: Sequence[Field], questions: Sequence[Question]) -> list[Problem]:
    problems: list[Problem] = []
    if not made_fields:
        problems.append(Problem("fields", "must hold at least one field"))
    if not questions:
        problems.append(Problem("questions", "must hold at least one question"))
    if len(made_fields) + len(questions) > _MAX_FIELDS:
        problems.append(Problem("fields", f"are more than {_MAX_FIELDS:,} with the questions"))
    columns: set[str] = set()
    entries: list[Field | Question] = [*made_fields, *questions]
    for one in entries:
        reason = _name_problem(one.name)
        if reason:
            problems.append(Problem(str(one.name)[:_MAX_NAME], reason))
            continue
        taken = {one.name} if isinstance(one, Field) else {one.name, purpose_column(one.name)}
        if taken & columns:
            problems.append(Problem(one.name, "stands twice"))
        columns |= taken
        problems.extend(Problem(one.name, reason) for reason in _entry_problems(one))
    return problems


def _name_problem(name: Any) -> str:
    if not isinstance(name, str) or not name or name != name.strip() or not name.isprintable():
        return "must have a name of printable characters"
    if len(name) > _MAX_NAME:
        return f"has a name longer than {_MAX_NAME} characters"
    if name in RESERVED or name.startswith(GROUP_PREFIX):
        return "is a word of Handrail's own; give it another name"
    return ""


def _entry_problems(one: Field | Question) -> list[str]:
    reasons: list[str] = []
    types = get_args(FieldType if isinstance(one, Field) else QuestionType)
    if one.type not in types:
        reasons.append(f"has the type {str(one.type)[:40]!r}, which is not supported yet; use {', '.join(types)}")
    for name in ("title", "unit", "instructions"):
        text = getattr(one, name, "")
        if read_text(text)[1] or len(text) > _MAX_WORDS:
            reasons.append(f"has a {name} that is not a text of up to {_MAX_WORDS:,} characters")
    ranges = [("min", "max"), ("low", "high")] if isinstance(one, Field) else [("min", "max")]
    for below, above in ranges:
        reasons.extend(_range_problems(one, below, above))
    if isinstance(one, Field) and not isinstance(one.required, bool):
        reasons.append("must say required as true or false")
    word = "values" if isinstance(one, Field) else "choices"
    return reasons + _list_problems(word, getattr(one, word), one.type)


def _range_problems(one: Field | Question, below: str, above: str) -> list[str]:
    values = [getattr(one, below), getattr(one, above)]
    given = [value for value in values if value is not None]
    if any(
        isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) for value in given
    ):
        return [f"has a {below} or {above} that is not a number"]
    if given and one.type != "number":
        return [f"has a {below} or {above}, which only a number can have"]
    if len(given) == 2 and given[0] > given[1]:
        return [f"has a {below} above its {above}"]
    return []


def _list_problems(word: str, listed: Any, type_: str) -> list[str]:
    if not isinstance(listed, tuple) or any(read_category(value, ())[1] for value in listed):
        return [f"has {word} that are not a list of texts"]
    if len(set(listed)) != len(listed):
        return [f"has {word} that stand twice"]
    if len(listed) > _MAX_CHOICES:
        return [f"has more than {_MAX_CHOICES:,} {word}"]
    if type_ == "choice" and len(listed) < 2:
        return ["needs at least two choices"]
    if listed and type_ not in ("choice", "category"):
        return [f"has {word}, which only a {'choice' if word == 'choices' else 'category'} can have"]
    return []
