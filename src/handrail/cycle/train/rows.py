"""Reads from a commit what a trainer may learn from: never the labels that certify or are held out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import feather

from handrail.cycle.datasets import Datasets, Field, Schema
from handrail.cycle.datasets.schema import purpose_column
from handrail.cycle.train.model import Column, NoTrainingRows, QuestionNotLearned, TrainingRows
from handrail.foundation.actors import Scope
from handrail.foundation.storage import Storage

LEARNED_FROM = ("train", "feedback")
"""Purposes of labels that a model may learn from."""
_KINDS = {"number": "number", "category": "category", "boolean": "category", "text": "text"}


def training_rows(storage: Storage, datasets: Datasets, scope: Scope, commit_id: str, question: str) -> TrainingRows:
    """Return the labelled rows of a commit that a model may learn from, ordered by external id.

    `commit_id`: a commit, or a branch or tag that names one. Raises CommitNotFound, QuestionNotLearned for a question
    that is no choice, NoTrainingRows when there is no label.
    """
    schema, commit = storage.read(
        lambda uow: (datasets.schema(uow, scope), datasets.commit_of(uow, scope, commit_id).id)
    )
    asked = schema.question(question)
    if asked.type != "choice":
        raise QuestionNotLearned(
            f"The question {question} asks for a {asked.type}; only a choice can be learned so far.", question=question
        )
    table = learned(datasets.checkout(scope, commit), question)
    if table.num_rows == 0:
        raise NoTrainingRows(
            f"The commit holds no label for {question} that a model may learn from.",
            hint="Draw items at random and label them first.",
            commit=commit,
        )
    columns, unused = _columns(schema)
    items: list[str] = table.column("item").to_pylist()
    known = set(items)
    labels = storage.read(lambda uow: datasets.labels(uow, scope, question=question))
    return TrainingRows(
        commit_id=commit,
        table=table.select([*(column.name for column in columns), question]),
        items=items,
        columns=columns,
        label=question,
        unused=unused,
        simulated=sum(one.actor_kind == "simulated" and one.item_id in known for one in labels),
        meaning=asked.instructions,
    )


def learned(table: Any, question: str) -> Any:
    """Return the rows of a checkout whose label for the question a model may learn from, by external id."""
    purpose = purpose_column(question)
    if question not in table.column_names or purpose not in table.column_names:
        return table.slice(0, 0)
    allowed = pc.is_in(table.column(purpose), value_set=pa.array(LEARNED_FROM))
    # An order of the data's own: the same commit trains the same model wherever it is checked out.
    return table.filter(pc.and_(allowed, pc.is_valid(table.column(question)))).sort_by("external_id")


def write_rows(rows: TrainingRows, place: Path) -> None:
    """Write the table for the training process."""
    feather.write_feather(rows.table, place, compression="uncompressed")


def _columns(schema: Schema) -> tuple[tuple[Column, ...], tuple[str, ...]]:
    """Return the fields that the trainer reads and the names of those it does not."""
    read: list[Column] = []
    unread: list[str] = []
    for field in schema.fields:
        kind = _kind(field)
        if kind is None:
            unread.append(field.name)
        else:
            read.append(kind)
    return tuple(read), tuple(unread)


def _kind(field: Field) -> Column | None:
    kind = _KINDS.get(field.type)
    return None if kind is None else Column(field.name, kind)  # type: ignore[arg-type]
