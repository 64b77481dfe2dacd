"""What of a schema names what else of it: marked fields, questions about regions, conditions. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from handrail.cycle.datasets.schema.fields import Field
from handrail.cycle.datasets.schema.problems import Problems
from handrail.cycle.datasets.schema.questions import Bound, Question
from handrail.cycle.datasets.schema.regions import MARKS

_EDITED = ("text", "html")
_PER_REGION = frozenset({"choice", "multi_choice", "taxonomy", "number", "date", "text", "rating"})
"""Question types that can be asked of a region."""
_ASKED_ON = frozenset({"choice", "multi_choice", "rating"})
"""Question types on whose answer another question can depend."""


def bound(fields: Sequence[Field], questions: Sequence[Question]) -> tuple[Question, ...]:
    """Return the questions, each knowing the field that it marks and what is asked of its regions."""
    return tuple(
        replace(
            one,
            bound=Bound(
                marks=marked(one, fields),
                inner=tuple(other for other in questions if other.per_region == one.name),
            ),
        )
        for one in questions
    )


def marked(one: Question, fields: Sequence[Field]) -> Field | None:
    """Return the field that a question marks or edits: the one it names, or the only one that fits."""
    types = _EDITED if one.type == "edit" else MARKS.get(one.type)
    if types is None:
        return None
    fitting = [other for other in fields if other.type in types and (not one.about or other.name == one.about)]
    return fitting[0] if len(fitting) == 1 else None


def link_problems(fields: Sequence[Field], questions: Sequence[Question]) -> Problems:
    """Return what names something that is not there, or does not fit."""
    bad = Problems()
    by_name = {one.name: one for one in questions}
    for one in questions:
        for reason in _about_problems(one, fields, by_name):
            bad.add(one.name, reason)
        for reason in _region_problems(one, by_name):
            bad.add(one.name, reason)
        for reason in _when_problems(one, by_name):
            bad.add(one.name, reason)
    return bad


def _about_problems(one: Question, fields: Sequence[Field], by_name: Mapping[str, Question]) -> Iterator[str]:
    if one.type == "relation":
        regions = [name for name, other in by_name.items() if other.type in MARKS]
        if not regions:
            yield "relates regions, and no question marks any"
        for name in one.abouts:
            if name not in regions:
                yield f"is about {name[:80]!r}, which is no question that marks regions"
        return
    names = {other.name for other in fields}
    for name in one.abouts:
        if name not in names:
            yield f"is about {name[:80]!r}, which is no field"
            return
    types = _EDITED if one.type == "edit" else MARKS.get(one.type)
    if types is None or marked(one, fields) is not None:
        return
    if one.about:
        yield f"is about {one.abouts[0]!r}; a {one.type} is about a field of the type {' or '.join(types)}"
    elif any(other.type in types for other in fields):
        yield "must say which field it is about: several fit"
    else:
        yield f"needs a field of the type {' or '.join(types)}"


def _region_problems(one: Question, by_name: Mapping[str, Question]) -> Iterator[str]:
    if not one.per_region:
        return
    regions = by_name.get(one.per_region)
    if regions is None or regions.type not in MARKS or regions.per_region:
        yield f"is asked per region of {one.per_region[:80]!r}, which is no question that marks regions"
    if one.type not in _PER_REGION:
        yield f"is a {one.type}, which cannot be asked of a region"


def _when_problems(one: Question, by_name: Mapping[str, Question]) -> Iterator[str]:
    when = one.when
    if when is None:
        return
    if when.region_label or not when.question:
        regions = by_name.get(one.per_region)
        labels = () if regions is None else regions.labels
        strange = [label for label in when.region_label if label not in labels]
        if regions is None:
            yield "depends on the label of a region, and is not asked per region"
        elif strange or not when.region_label:
            yield f"depends on labels that {regions.name} does not have: {', '.join(map(str, strange[:8])) or 'none'}"
        return
    asked = by_name.get(when.question) if isinstance(when.question, str) else None
    if asked is None or asked.type not in _ASKED_ON:
        yield f"depends on {str(when.question)[:80]!r}, which is no question of the type {', '.join(sorted(_ASKED_ON))}"
    elif asked.per_region not in ("", one.per_region):
        yield f"depends on {asked.name}, which is asked of other regions"
    elif not when.values:
        yield f"depends on no answer of {asked.name}"
    else:
        yield from _value_problems(one, asked)
        yield from _circle_problem(one, by_name)


def _value_problems(one: Question, asked: Question) -> Iterator[str]:
    assert one.when is not None
    for value in one.when.values:
        if asked.type == "rating":
            fits = type(value) is int and 1 <= value <= (asked.max or 1)
        else:
            fits = value in asked.choices
        if not fits:
            yield f"depends on the answer {str(value)[:40]!r}, which {asked.name} cannot have"


def _circle_problem(one: Question, by_name: Mapping[str, Question]) -> Iterator[str]:
    seen = {one.name}
    other = one
    while other.when is not None and other.when.question:
        following = by_name.get(other.when.question)
        if following is None:
            return
        if following.name in seen:
            yield "depends on itself, by way of other questions"
            return
        seen.add(following.name)
        other = following
