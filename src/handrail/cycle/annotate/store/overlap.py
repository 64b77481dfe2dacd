"""Tables and SQL of overlapping answers: the rule of each question, the answers, the model fitted last."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
)

from handrail.cycle.annotate.model import OverlapRule
from handrail.foundation.actors import Scope
from handrail.foundation.canonical import encode
from handrail.foundation.storage import UnitOfWork, metadata

overlap_rule = Table(
    "overlap_rule",
    metadata,
    Column("project_id", String(36), nullable=False),
    Column("question", String(128), nullable=False),
    Column("document", Text, nullable=False),
    Column("set_at", BigInteger, nullable=False),
    Column("set_by", String(128), nullable=False),
    PrimaryKeyConstraint("project_id", "question"),
)

overlap_answer = Table(
    "overlap_answer",
    metadata,
    Column("project_id", String(36), nullable=False),
    Column("question", String(128), nullable=False),
    Column("item_id", String(36), nullable=False),
    Column("actor_id", String(64), nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("task_id", String(36), nullable=False),
    # Counts the answers of a question, so that nobody counts rows; two at the same moment may share a number.
    Column("number", Integer, nullable=False),
    Column("answered_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("project_id", "question", "item_id", "actor_id"),
    Index("overlap_answer_number", "project_id", "question", "number"),
)

truth_model = Table(
    "truth_model",
    metadata,
    Column("project_id", String(36), nullable=False),
    Column("question", String(128), nullable=False),
    Column("answers", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Column("fitted_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("project_id", "question"),
)


class OverlapAnswer(NamedTuple):
    """One person's answer to an item of a question that several people are asked about."""

    item_id: str
    actor_id: str
    actor_name: str
    value: Any
    task_id: str


_RULE = select(overlap_rule.c.document).where(
    overlap_rule.c.project_id == bindparam("project"), overlap_rule.c.question == bindparam("of_question")
)
_DROP_RULE = delete(overlap_rule).where(
    overlap_rule.c.project_id == bindparam("project"), overlap_rule.c.question == bindparam("of_question")
)
_INSERT_RULE = insert(overlap_rule)
_INSERT_ANSWER = insert(overlap_answer)
_COLUMNS = [overlap_answer.c[name] for name in ("item_id", "actor_id", "actor_name", "value", "task_id")]
_OF_ITEM = (
    select(*_COLUMNS)
    .where(
        overlap_answer.c.project_id == bindparam("project"),
        overlap_answer.c.question == bindparam("of_question"),
        overlap_answer.c.item_id == bindparam("of_item"),
    )
    .order_by(overlap_answer.c.number)
)
_ALL = (
    select(*_COLUMNS)
    .where(overlap_answer.c.project_id == bindparam("project"), overlap_answer.c.question == bindparam("of_question"))
    .order_by(overlap_answer.c.number, overlap_answer.c.item_id)
)
_LAST = select(func.max(overlap_answer.c.number)).where(
    overlap_answer.c.project_id == bindparam("project"), overlap_answer.c.question == bindparam("of_question")
)
_MODEL = select(truth_model.c.answers, truth_model.c.document).where(
    truth_model.c.project_id == bindparam("project"), truth_model.c.question == bindparam("of_question")
)
_FITTED = select(truth_model.c.answers).where(
    truth_model.c.project_id == bindparam("project"), truth_model.c.question == bindparam("of_question")
)
_DROP_MODEL = delete(truth_model).where(
    truth_model.c.project_id == bindparam("project"), truth_model.c.question == bindparam("of_question")
)
_INSERT_MODEL = insert(truth_model)


def get_rule(uow: UnitOfWork, scope: Scope, question: str) -> OverlapRule | None:
    """Return the rule of a question, None where one answer is enough."""
    found = uow.run(_RULE, project=scope.project_id, of_question=question).scalar()
    return None if found is None else OverlapRule(**json.loads(found))


def put_rule(uow: UnitOfWork, scope: Scope, question: str, rule: OverlapRule | None, *, at: int, by: str) -> None:
    """Put a rule into force, or with None take it away."""
    uow.run(_DROP_RULE, project=scope.project_id, of_question=question)
    if rule is not None:
        document = encode(rule.to_dict())
        uow.add(_INSERT_RULE, project_id=scope.project_id, question=question, document=document, set_at=at, set_by=by)


def add_answer(uow: UnitOfWork, scope: Scope, question: str, one: OverlapAnswer, at: int) -> None:
    """Keep one person's answer to an item."""
    uow.add(
        _INSERT_ANSWER,
        project_id=scope.project_id,
        question=question,
        item_id=one.item_id,
        actor_id=one.actor_id,
        actor_name=one.actor_name,
        value=encode(one.value),
        task_id=one.task_id,
        number=last_number(uow, scope, question) + 1,
        answered_at=at,
    )


def last_number(uow: UnitOfWork, scope: Scope, question: str) -> int:
    """Return how many answers a question has, give or take those that came at the same moment."""
    return int(uow.run(_LAST, project=scope.project_id, of_question=question).scalar() or 0)


def answers_of_item(uow: UnitOfWork, scope: Scope, question: str, item_id: str) -> list[OverlapAnswer]:
    """Return the answers to an item, oldest first."""
    rows = uow.run(_OF_ITEM, project=scope.project_id, of_question=question, of_item=item_id).all()
    return [_answer(row) for row in rows]


def all_answers(uow: UnitOfWork, scope: Scope, question: str) -> list[OverlapAnswer]:
    """Return every answer to a question, oldest first."""
    return [_answer(row) for row in uow.run(_ALL, project=scope.project_id, of_question=question).all()]


def fitted_answers(uow: UnitOfWork, scope: Scope, question: str) -> int:
    """Return how many answers the model of a question was fitted to, 0 before the first fit."""
    return int(uow.run(_FITTED, project=scope.project_id, of_question=question).scalar() or 0)


def get_model(uow: UnitOfWork, scope: Scope, question: str) -> tuple[int, dict[str, Any]] | None:
    """Return how many answers the model of a question was fitted to, and its document."""
    row = uow.run(_MODEL, project=scope.project_id, of_question=question).first()
    return None if row is None else (row[0], json.loads(row[1]))


def put_model(uow: UnitOfWork, scope: Scope, question: str, answers: int, document: dict[str, Any], at: int) -> None:
    """Keep the model of a question in place of the one before."""
    uow.run(_DROP_MODEL, project=scope.project_id, of_question=question)
    uow.add(
        _INSERT_MODEL,
        project_id=scope.project_id,
        question=question,
        answers=answers,
        document=encode(document),
        fitted_at=at,
    )


def _answer(row: Any) -> OverlapAnswer:
    item, person, name, value, task = row
    return OverlapAnswer(item, person, name, json.loads(value), task)
