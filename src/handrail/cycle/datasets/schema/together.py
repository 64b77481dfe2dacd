"""Whether answers about one item fit each other: conditions hold, relations name regions that are there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from handrail.cycle.datasets.schema.problems import Problems
from handrail.cycle.datasets.schema.questions import REGION_TYPES, Question

if TYPE_CHECKING:
    from handrail.cycle.datasets.schema.schema import Schema


def needs(schema: Schema, question: Question) -> tuple[str, ...]:
    """Return the other questions whose answers say whether an answer to this one fits."""
    found: list[str] = []
    for one in (question, *question.bound.inner):
        asked = "" if one.when is None else one.when.question
        if asked and not schema.question(asked).per_region:
            found.append(asked)
    if question.type == "relation":
        found += related(schema, question)
    return tuple(dict.fromkeys(found))


def related(schema: Schema, question: Question) -> tuple[str, ...]:
    """Return the questions whose regions a relation relates."""
    return question.abouts or tuple(one.name for one in schema.questions if one.type in REGION_TYPES)


def together(schema: Schema, given: Mapping[str, Any], known: Mapping[str, Any]) -> Problems:
    """Return what does not fit of the answers given, each as it is kept, where `known` are all answers of the item."""
    bad = Problems()
    for name, value in given.items():
        question = schema.question(name)
        if question.when is not None and not question.when.holds(known, []):
            bad.add(name, f"is asked only where {question.when.words}")
        if question.type == "relation":
            _ends(schema, question, value, known, bad)
        _conditions_of_regions(schema, question, value, known, bad)
    return bad


def _ends(schema: Schema, question: Question, value: Any, known: Mapping[str, Any], bad: Problems) -> None:
    about = related(schema, question)
    there = {region["id"] for name in about for region in known.get(name) or ()}
    for at, pair in enumerate(value):
        for end in ("from", "to"):
            if pair[end] not in there:
                bad.add(f"{question.name}[{at}].{end}", f"names {pair[end][:40]!r}, no region of {', '.join(about)}")


def _conditions_of_regions(
    schema: Schema, question: Question, value: Any, known: Mapping[str, Any], bad: Problems
) -> None:
    """Tell answers about regions that depend on an answer about the item, and those that are missing for that."""
    for inner in question.bound.inner:
        if inner.when is None or not inner.when.question or schema.question(inner.when.question).per_region:
            continue
        for at, region in enumerate(value):
            said = region.get("answers", {})
            place = f"{question.name}[{at}].answers.{inner.name}"
            inner.tell_asked({**known, inner.name: said.get(inner.name)}, region["labels"], place, bad)
