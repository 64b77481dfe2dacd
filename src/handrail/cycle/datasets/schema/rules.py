"""The rules that a schema keeps. Pure: takes fields and questions, returns every problem."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, get_args

from handrail.cycle.datasets.schema.answers import Branch
from handrail.cycle.datasets.schema.fields import Field, FieldType
from handrail.cycle.datasets.schema.linking import link_problems
from handrail.cycle.datasets.schema.problems import Problems
from handrail.cycle.datasets.schema.questions import QUESTION_TYPES, REGION_TYPES, Question
from handrail.cycle.datasets.values import read_category, read_text

RESERVED = frozenset({"item", "digest", "salt", "external_id", "subject", "observed_at", "data", "group", "labels"})
"""Words of Handrail's own files; no field or question may be named so."""
GROUP_PREFIX = "group."
"""Columns of a file that start so are group attributes, kept apart from the data."""
PURPOSE_SUFFIX = ".purpose"
"""In the table of a checkout the purpose of a label stands beside it under the question's name and this."""
MOST_RATING = 100

_MAX_NAME = 128
_MAX_FIELDS = 2_000
_MAX_CHOICES = 1_000
_MAX_WORDS = 2_000
_CHOOSING = {"choice": 2, "multi_choice": 1, "ranking": 2}
"""Question type -> the fewest choices that make sense."""


def purpose_column(question: str) -> str:
    """Return the name of the column that holds the purpose of a question's labels in a checkout."""
    return question + PURPOSE_SUFFIX


def schema_problems(fields: Sequence[Field], questions: Sequence[Question]) -> Problems:
    """Return every rule that fields and questions break."""
    bad = Problems()
    if not fields:
        bad.add("fields", "must hold at least one field")
    if not questions:
        bad.add("questions", "must hold at least one question")
    if len(fields) + len(questions) > _MAX_FIELDS:
        bad.add("fields", f"are more than {_MAX_FIELDS:,} with the questions")
    columns: set[str] = set()
    entries: list[Field | Question] = [*fields, *questions]
    for one in entries:
        reason = _name_problem(one.name)
        if reason:
            bad.add(str(one.name)[:_MAX_NAME], reason)
            continue
        taken = {one.name} if isinstance(one, Field) else {one.name, purpose_column(one.name)}
        if taken & columns:
            bad.add(one.name, "stands twice")
        columns |= taken
        for reason in _field_problems(one) if isinstance(one, Field) else _question_problems(one):
            bad.add(one.name, reason)
    if not bad:
        # What names what is looked at once every entry stands for itself.
        bad.extend(link_problems(fields, questions))
    return bad


def _name_problem(name: Any) -> str:
    if not isinstance(name, str) or not name or name != name.strip() or not name.isprintable():
        return "must have a name of printable characters"
    if len(name) > _MAX_NAME:
        return f"has a name longer than {_MAX_NAME} characters"
    if name in RESERVED or name.startswith(GROUP_PREFIX):
        return "is a word of Handrail's own; give it another name"
    return ""


def _type_problem(type_: Any, types: Sequence[str]) -> str:
    return "" if type_ in types else f"has the type {str(type_)[:40]!r}, which is not supported; use {', '.join(types)}"


def _field_problems(one: Field) -> Iterator[str]:
    if reason := _type_problem(one.type, get_args(FieldType)):
        yield reason
        return
    yield from _text_problems(one)
    yield from _range_problems(one, "min", "max", ("number",))
    yield from _range_problems(one, "low", "high", ("number",))
    yield from _flag_problem(one)
    yield from _list_problems("values", one.values)
    if one.values and one.type != "category":
        yield "has values, which only a category can have"


def _question_problems(one: Question) -> Iterator[str]:
    if reason := _type_problem(one.type, QUESTION_TYPES):
        yield reason
        return
    yield from _text_problems(one)
    yield from _range_problems(one, "min", "max", ("number", "rating"))
    yield from _flag_problem(one)
    if not isinstance(one.per_region, str):
        yield "must say per_region as the name of a question"
    if not isinstance(one.about, str | tuple) or not all(isinstance(name, str) for name in one.abouts):
        yield "has an about that is neither a name nor a list of names"
    if one.type == "rating":
        if one.min is not None:
            yield "has a min, and ratings begin with 1"
        if one.max not in range(2, MOST_RATING + 1):
            yield f"needs a max, the highest rating: a whole number from 2 to {MOST_RATING}"
    yield from _list_problems("choices", one.choices)
    least = _CHOOSING.get(one.type, 0)
    if isinstance(one.choices, tuple) and len(one.choices) < least:
        yield "needs at least two choices" if least == 2 else "needs at least one choice"
    if one.choices and not least:
        yield "has choices, which only a choice, multi_choice or ranking can have"
    yield from _list_problems("labels", one.labels)
    if one.labels and one.type not in REGION_TYPES and one.type != "relation":
        yield "has labels, which only questions about regions and relations can have"
    yield from _tree_problems(one)


def _text_problems(one: Field | Question) -> Iterator[str]:
    for name in ("title", "unit", "instructions"):
        text = getattr(one, name, "")
        if read_text(text)[1] or len(text) > _MAX_WORDS:
            yield f"has a {name} that is not a text of up to {_MAX_WORDS:,} characters"


def _flag_problem(one: Field | Question) -> Iterator[str]:
    if not isinstance(one.required, bool):
        yield "must say required as true or false"


def _range_problems(one: Field | Question, below: str, above: str, types: Sequence[str]) -> Iterator[str]:
    given = [value for value in (getattr(one, below), getattr(one, above)) if value is not None]
    if any(
        isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) for value in given
    ):
        yield f"has a {below} or {above} that is not a number"
    elif given and one.type not in types:
        yield f"has a {below} or {above}, which only a number can have"
    elif len(given) == 2 and given[0] > given[1]:
        yield f"has a {below} above its {above}"


def _list_problems(word: str, listed: Any) -> Iterator[str]:
    if not isinstance(listed, tuple) or any(read_category(value, ())[1] for value in listed):
        yield f"has {word} that are not a list of texts"
    elif len(set(listed)) != len(listed):
        yield f"has {word} that stand twice"
    elif len(listed) > _MAX_CHOICES:
        yield f"has more than {_MAX_CHOICES:,} {word}"


def _tree_problems(one: Question) -> Iterator[str]:
    if one.type == "taxonomy" and not one.tree:
        yield "needs a tree of names"
    elif one.tree and one.type != "taxonomy":
        yield "has a tree, which only a taxonomy can have"
    waiting: list[Branch] = list(one.tree)
    while waiting:
        branch = waiting.pop()
        waiting.extend(branch.children)
        reason = read_category(branch.name)[1]
        if reason:
            yield f"has a tree with a name that {reason}"
            return
