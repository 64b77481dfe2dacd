"""The questions about an item. Pure.

A question that stands in a schema is bound: it knows the field that it marks and the questions about its regions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from handrail.cycle.datasets.schema import answers
from handrail.cycle.datasets.schema.answers import Branch, chosen
from handrail.cycle.datasets.schema.fields import Field
from handrail.cycle.datasets.schema.parts import told
from handrail.cycle.datasets.schema.problems import AnswerInvalid, Problems, refuse
from handrail.cycle.datasets.schema.regions import MARKS, Marking, read_regions
from handrail.cycle.datasets.values import Problem, read_category, read_number, read_text
from handrail.foundation.canonical import encode

RegionType = Literal["span", "box", "polygon", "keypoint", "mask", "time_region"]
QuestionType = (
    Literal[
        "choice",
        "number",
        "text",
        "multi_choice",
        "taxonomy",
        "date",
        "rating",
        "ranking",
        "preference",
        "edit",
        "relation",
    ]
    | RegionType
)
QUESTION_TYPES: tuple[str, ...] = tuple(name for part in get_args(QuestionType) for name in get_args(part))
REGION_TYPES: frozenset[str] = frozenset(MARKS)
PLAIN_ANSWERS = frozenset({"choice", "number", "text", "date", "rating"})
"""Question types whose answer is one number or text; all others are kept as JSON in the cells and columns of files."""

MAX_ANSWER = 1 << 20
"""Bytes of one answer in JSON."""


@dataclass(frozen=True, kw_only=True)
class When:
    """A condition: that another question is answered so, or that the region bears one of the labels."""

    question: str = ""
    values: tuple[Any, ...] = ()
    region_label: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the condition as JSON values."""
        if self.region_label:
            return {"region_label": list(self.region_label)}
        return {"question": self.question, "is": list(self.values)}

    def holds(self, said: Mapping[str, Any], labels: list[str]) -> bool:
        """Return whether it holds for the answers given, and the labels of the region where there is one."""
        if self.region_label:
            return any(one in self.region_label for one in labels)
        answer = said.get(self.question)
        return answer is not None and any(one in self.values for one in chosen(answer))

    @property
    def words(self) -> str:
        """The condition in words, to go on from "is asked only where"."""
        if self.region_label:
            return f"the region is labelled {_listed(self.region_label)}"
        return f"{self.question} is {_listed(self.values)}"


def _listed(values: tuple[Any, ...]) -> str:
    return " or ".join(str(one) for one in values[:6]) + (" or …" if len(values) > 6 else "")


@dataclass(frozen=True)
class Bound:
    """What a question knows of its schema."""

    marks: Field | None = None
    inner: tuple[Question, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question about an item or, with `per_region`, about each region of another question.

    `choices` are for choice, multi_choice and ranking, `tree` for taxonomy, `labels` for regions and relations, `min`
    and `max` for numbers, `max` for ratings. `about` names the field that is marked or edited, or the questions whose
    regions are related. `required`: a region is not done without it; about a whole item it is kept, and
    changes nothing yet.
    """

    name: str
    type: QuestionType
    title: str = ""
    instructions: str = ""
    choices: tuple[str, ...] = ()
    unit: str = ""
    min: float | None = None
    max: float | None = None
    about: str | tuple[str, ...] = ""
    required: bool = True
    when: When | None = None
    per_region: str = ""
    labels: tuple[str, ...] = ()
    tree: tuple[Branch, ...] = ()
    bound: Bound = field(default_factory=Bound, compare=False, repr=False)

    def __post_init__(self) -> None:
        # One way of writing it: several names for relations, one name alone for all others.
        if self.type == "relation" and isinstance(self.about, str) and self.about:
            object.__setattr__(self, "about", (self.about,))
        elif self.type != "relation" and isinstance(self.about, tuple) and len(self.about) == 1:
            object.__setattr__(self, "about", self.about[0])

    @property
    def abouts(self) -> tuple[str, ...]:
        """The names that it is about."""
        return ((self.about,) if self.about else ()) if isinstance(self.about, str) else self.about

    @property
    def classes(self) -> tuple[str, ...]:
        """The answers of which exactly one is given; empty where the question is no single choice."""
        return self.choices if self.type == "choice" else ()

    @property
    def is_structured(self) -> bool:
        """True where an answer is more than one number or text."""
        return self.type not in PLAIN_ANSWERS

    def read(
        self, value: Any, data: Mapping[str, Any] | None = None, *, partial: bool = False
    ) -> tuple[Any, list[Problem]]:
        """Return the answer as it is kept, and every problem with its place; `data` are the item's, where known.

        `partial`: answers about regions may lack, as in a draft or a prediction.
        """
        bad = Problems(partial=partial)
        if self.per_region:
            bad.add(self.name, f"is asked of each region of {self.per_region}; give the answer with the region")
            return None, bad
        content = None if data is None or self.bound.marks is None else data.get(self.bound.marks.name)
        if data is not None and self.bound.marks is not None and content is None and value and self.is_structured:
            bad.add(self.name, f"is about the field {self.bound.marks.name}, which the item does not have")
            return None, bad
        kept = self.take(value, content, self.name, bad)
        if not bad and self.is_structured and len(encode(kept)) > MAX_ANSWER // 4 and _bytes(kept) > MAX_ANSWER:
            bad.add(self.name, f"is larger than {MAX_ANSWER >> 20} MiB")
        return (None, bad) if bad else (kept, bad)

    def take(self, value: Any, content: Any, place: str, bad: Problems) -> Any:
        """Return the answer at a place of a larger value as it is kept, or None after telling what is wrong."""
        if value is None:
            return told(None, "is missing", place, bad)
        if self.type == "choice":
            return told(*read_category(value, self.choices), place, bad)
        if self.type == "number":
            return told(*read_number(value, self.min, self.max), place, bad)
        if self.type == "text":
            return told(*read_text(value), place, bad)
        if self.type == "date":
            return told(*answers.read_date(value), place, bad)
        if self.type == "rating":
            return answers.rating(value, int(self.max or 1), place, bad)
        return self._take_structured(value, content, place, bad)

    def _take_structured(self, value: Any, content: Any, place: str, bad: Problems) -> Any:
        if self.type == "multi_choice":
            return answers.multi_choice(value, self.choices, place, bad)
        if self.type == "taxonomy":
            return answers.taxonomy(value, self.tree, place, bad)
        if self.type == "ranking":
            return answers.ranking(value, self.choices, place, bad)
        if self.type == "preference":
            return answers.preference(value, place, bad)
        if self.type == "edit":
            return answers.edit(value, place, bad)
        if self.type == "relation":
            return answers.relations(value, self.labels, place, bad)
        field_type = "" if self.bound.marks is None else self.bound.marks.type
        marking = Marking(self.type, field_type, self.labels)
        return read_regions(value, marking, self._answers, content, place, bad)

    def _answers(self, given: Any, labels: list[str], place: str, bad: Problems) -> dict[str, Any]:
        """Return the answers about one region as they are kept."""
        said = answers.object_of(given, place, bad)
        inner = {one.name for one in self.bound.inner}
        for name in said:
            if name not in inner:
                bad.add(f"{place}.{str(name)[:80]}", f"is not asked of the regions of {self.name}")
        kept: dict[str, Any] = {}
        for one in self.bound.inner:
            here, value = f"{place}.{one.name}", said.get(one.name)
            # A condition on an answer about the item is left to who knows that answer (see together).
            is_open = one.when is not None and bool(one.when.question) and one.when.question not in inner
            if not is_open:
                one.tell_asked(said, labels, here, bad)
            if value is not None:
                kept[one.name] = one.take(value, None, here, bad)
        return kept

    def tell_asked(self, said: Mapping[str, Any], labels: list[str], place: str, bad: Problems) -> None:
        """Tell an answer that is not asked for, and one that is and lacks, among the answers about a region."""
        holds = self.when is None or self.when.holds(said, labels)
        if self.when is not None and not holds and said.get(self.name) is not None:
            bad.add(place, f"is asked only where {self.when.words}")
        elif holds and self.required and said.get(self.name) is None and not bad.partial:
            bad.add(place, "is missing")

    def check(self, value: Any, data: Mapping[str, Any] | None = None) -> Any:
        """Return the answer as it is kept; raises AnswerInvalid with every problem."""
        if self.type == "choice" and type(value) is str and value in self.choices and not self.per_region:
            return value  # most answers by far
        kept, problems = self.read(value, data)
        if len(problems) == 1 and problems[0].field == self.name:
            (one,) = problems
            raise AnswerInvalid(
                f"The answer to {self.name} {one.reason}.",
                hint="Nothing was written.",
                problems=[{"field": one.field, "reason": one.reason}],
            )
        refuse(AnswerInvalid, f"The answer to {self.name}", problems)
        return kept


def _bytes(kept: Any) -> int:
    return len(encode(kept).encode())
