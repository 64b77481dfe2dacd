"""What a question's answers say about its people: the figures of the page on agreement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from handrail.cycle.annotate.truth.agreement import Agreement, alpha, class_alphas
from handrail.cycle.annotate.truth.answers import read_answers
from handrail.cycle.annotate.truth.confounding import Refusal, islands, refusal
from handrail.cycle.annotate.truth.dawid_skene import Incidence, fit
from handrail.cycle.annotate.truth.reliability import Reliability, reliabilities
from handrail.cycle.annotate.truth.reviewer_drift import concerns, drift_of


@dataclass(frozen=True)
class CrowdReport:
    """Agreement on a question and on each of its classes, every person's reliability, and whom a drift concerns.

    `drift`: "nobody", "people" (then `drifting` names them) or "task", when many of them move together.
    """

    items: int
    answers: int
    agreement: Agreement
    of_class: Mapping[Any, Agreement]
    people: tuple[Reliability, ...]
    refusal: Refusal | None
    drift: Literal["nobody", "people", "task"]
    drifting: tuple[Any, ...]


def report(rows: Sequence[tuple[Any, Any, Any]], classes: Sequence[Any]) -> CrowdReport:
    """Return the figures of rows (item, person, value) in the order in which they were answered.

    Raises TruthInvalid for no rows, and for what is none of the classes.
    """
    item, person, value = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    answers = read_answers(item, person, value, classes=classes)
    votes = answers.votes()
    refused = refusal(answers)
    apart = islands(answers) if refused is None else dict.fromkeys(range(len(answers.reviewers)), refused.sentence)
    whom, names = concerns(drift_of(answers, fit(Incidence.of(answers), votes)))
    return CrowdReport(
        items=len(answers.items),
        answers=len(answers),
        agreement=alpha(votes),
        of_class=dict(zip(answers.classes, class_alphas(votes), strict=True)),
        people=tuple(reliabilities(answers, apart)),
        refusal=refused,
        drift=whom,
        drifting=names,
    )
