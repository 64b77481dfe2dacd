"""What can be wrong with a schema, an item or an answer, and how it is told: each problem with its exact place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handrail.cycle.datasets.values import Problem
from handrail.foundation.errors import Invalid

_MOST = 200
"""Problems told of one value; a list of a million broken regions is not worth more."""


class SchemaInvalid(Invalid):
    """The schema breaks a rule, or asks for a type that is not supported; every problem is listed."""

    code = "datasets.schema_invalid"


class ItemInvalid(Invalid):
    """The data of an item do not fit the schema; every problem is listed with its field."""

    code = "datasets.item_invalid"


class AnswerInvalid(Invalid):
    """The value is not an answer to the question; every problem is listed with its place in the value."""

    code = "datasets.answer_invalid"


class QuestionUnknown(Invalid):
    """The schema has no such question."""

    code = "datasets.question_unknown"


class QuestionOfRegions(Invalid):
    """The question is asked of each region of another question, never of an item by itself."""

    code = "datasets.question_of_regions"


class Problems(list[Problem]):
    """Problems in the order in which they were found. `partial`: what lacks is none, as in a draft."""

    def __init__(self, *, partial: bool = False) -> None:
        super().__init__()
        self.partial = partial

    def add(self, place: str, reason: str) -> None:
        """Keep a problem, the first two hundred."""
        if len(self) < _MOST:
            self.append(Problem(place, reason))


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
