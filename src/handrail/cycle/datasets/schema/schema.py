"""A schema as a whole: what an item looks like and what is asked about it. Pure.

Its digest stands for it in every commit.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from operator import itemgetter
from typing import Any

from handrail.cycle.datasets.schema.contents import STRUCTURED
from handrail.cycle.datasets.schema.document import fields_of, plain, questions_of
from handrail.cycle.datasets.schema.fields import Field, ShownField
from handrail.cycle.datasets.schema.linking import bound
from handrail.cycle.datasets.schema.problems import (
    ItemInvalid,
    Problems,
    QuestionOfRegions,
    QuestionUnknown,
    SchemaInvalid,
    refuse,
)
from handrail.cycle.datasets.schema.questions import Question
from handrail.cycle.datasets.schema.rules import schema_problems
from handrail.cycle.datasets.schema.together import together
from handrail.cycle.datasets.values import Problem

_SHOWN = 128


@dataclass(frozen=True)
class Schema:
    """The fields and questions of a project; raises SchemaInvalid when it is made with a broken rule."""

    fields: tuple[Field, ...]
    questions: tuple[Question, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "fields", tuple(self.fields))
        refuse(SchemaInvalid, "The schema", schema_problems(self.fields, tuple(self.questions)))
        object.__setattr__(self, "questions", bound(self.fields, tuple(self.questions)))

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {one.name: one for one in self.fields}

    @cached_property
    def _asked(self) -> dict[str, Question]:
        return {one.name: one for one in self.questions}

    @cached_property
    def _pick(self) -> Callable[[Mapping[str, Any]], tuple[Any, ...]] | None:
        """Takes the values of all fields out of the data, where each is a number without bounds."""
        plain_ = len(self.fields) > 1 and all(one.is_plain for one in self.fields)
        return itemgetter(*self._by_name) if plain_ else None

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
                type=one.type,
                unit=one.unit or None,
                reference_low=one.low,
                reference_high=one.high,
            )
            for one in self.fields
        )

    @cached_property
    def item_questions(self) -> tuple[Question, ...]:
        """The questions about an item, without those about each of its regions: those that labels answer."""
        return tuple(one for one in self.questions if not one.per_region)

    @cached_property
    def structured(self) -> frozenset[str]:
        """The fields and questions whose values stand as JSON in the cells and columns of files."""
        return frozenset(one.name for one in self.fields if one.type in STRUCTURED) | frozenset(
            one.name for one in self.questions if one.is_structured
        )

    @cached_property
    def references(self) -> frozenset[str]:
        """The fields among the structured ones whose value may be a reference to a file instead."""
        return frozenset(one.name for one in self.fields if one.type == "time_series")

    def field(self, name: str) -> Field | None:
        """Return the field of this name, or None."""
        return self._by_name.get(name)

    def question(self, name: str) -> Question:
        """Return the question of this name; raises QuestionUnknown."""
        found = self._asked.get(name)
        if found is None:
            raise QuestionUnknown(
                f"The schema has no question {name!r}.",
                hint=f"It asks: {', '.join(self._asked)}.",
                question=name,
            )
        return found

    def item_question(self, name: str) -> Question:
        """Return the question of this name; raises QuestionUnknown, and QuestionOfRegions for one about regions."""
        found = self.question(name)
        if found.per_region:
            raise QuestionOfRegions(
                f"The question {name} is asked of each region of {found.per_region}, not of an item.",
                hint=f"Ask {found.per_region}; its answers carry those to {name}.",
                question=name,
            )
        return found

    def read(self, data: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
        """Return the data as they are kept, in the order of the fields, and every problem with its place.

        Numbers become floats, times become UTC; a missing value that may be missing is left out.
        """
        if (easy := self._read_plain(data)) is not None:
            return easy, []
        kept: dict[str, Any] = {}
        bad = Problems()
        for one in self.fields:
            value = data.get(one.name)
            if type(value) is float and one.is_plain and value - value == 0.0:
                kept[one.name] = value  # most values by far: a finite number without bounds
                continue
            value = one.read(value, bad)
            if value is not None:
                kept[one.name] = value
        if not data.keys() <= self._by_name.keys():
            for name in sorted(map(str, data.keys() - self._by_name.keys())):
                bad.add(name[:_SHOWN], "is not a field of the schema")
        return kept, bad

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

    def read_answers(
        self, answers: Mapping[str, Any], data: Mapping[str, Any] | None = None, *, partial: bool = False
    ) -> tuple[dict[str, Any], list[Problem]]:
        """Return answers to several questions about one item as they are kept, and every problem with its place.

        They must fit each other too: conditions hold, relations name regions that are there. `data`: the item's, where
        they are known. `partial`: nothing has to be there, as in a draft or a prediction.
        """
        kept: dict[str, Any] = {}
        problems: list[Problem] = []
        for name, value in answers.items():
            question = self._asked.get(name)
            if question is None:
                problems.append(Problem(str(name)[:_SHOWN], "is not a question of the schema"))
                continue
            read, wrong = question.read(value, data, partial=partial)
            problems += wrong
            if not wrong:
                kept[name] = read
        if not problems and not partial:
            problems += together(self, kept, kept)
        return kept, problems

    def to_dict(self) -> dict[str, Any]:
        """Return the schema as JSON values, without what is as by default."""
        return {
            "fields": [plain(one) for one in self.fields],
            "questions": [plain(one) for one in self.questions],
        }

    @classmethod
    def from_dict(cls, document: Any) -> Schema:
        """Return the schema of a JSON document; raises SchemaInvalid with every problem."""
        if not isinstance(document, Mapping):
            raise SchemaInvalid("A schema is an object with fields and questions.")
        bad = Problems()
        for word in sorted(map(str, set(document) - {"fields", "questions"})):
            bad.add(word, "is not a part of a schema")
        fields, questions = fields_of(document, bad), questions_of(document, bad)
        refuse(SchemaInvalid, "The schema", bad)
        return cls(tuple(fields), tuple(questions))
