"""All SQL of evaluation."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    insert,
    select,
    update,
)

from handrail.cycle.evaluate.model import Evaluation, Proposal, ProposalState
from handrail.foundation.actors import Scope
from handrail.foundation.canonical import encode
from handrail.foundation.clock import from_micros, micros
from handrail.foundation.storage import UnitOfWork, metadata

evaluation = Table(
    "evaluation",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(36), nullable=False),
    Column("model_id", String(36), nullable=False),
    Column("question", String(128), nullable=False),
    Column("rows", Integer, nullable=False),
    Column("excluded", Integer, nullable=False),
    Column("labels_digest", String(64), nullable=False),
    Column("figures", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # The same model on the same labels is the same evaluation: a step that runs again makes no second one.
    UniqueConstraint("project_id", "model_id", "labels_digest"),
)

proposal = Table(
    "proposal",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(36), nullable=False),
    Column("model_id", String(36), nullable=False),
    Column("replaced_id", String(36)),
    Column("task_id", String(36), nullable=False),
    Column("state", String(16), nullable=False),
    Column("document", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("decided_at", BigInteger),
    Column("decided_by", String(64), nullable=False),
    UniqueConstraint("project_id", "model_id"),
    UniqueConstraint("project_id", "task_id"),
)

_EVALUATION_NAMES = [column.name for column in evaluation.columns]
_INSERT_EVALUATION = insert(evaluation)
_EVALUATIONS = select(evaluation).where(evaluation.c.project_id == bindparam("project"))
_OF_LABELS = _EVALUATIONS.where(
    evaluation.c.model_id == bindparam("by_model"), evaluation.c.labels_digest == bindparam("by_labels")
)
_OF_MODEL = _EVALUATIONS.where(evaluation.c.model_id == bindparam("by_model")).order_by(
    evaluation.c.created_at.desc(), evaluation.c.id.desc()
)

_PROPOSAL_NAMES = [column.name for column in proposal.columns]
_INSERT_PROPOSAL = insert(proposal)
_PROPOSALS = select(proposal).where(proposal.c.project_id == bindparam("project"))
_PROPOSAL_OF_MODEL = _PROPOSALS.where(proposal.c.model_id == bindparam("by_model"))
_PROPOSAL_OF_TASK = _PROPOSALS.where(proposal.c.task_id == bindparam("by_task"))
_PROPOSALS_IN_ORDER = _PROPOSALS.order_by(proposal.c.created_at, proposal.c.id)
_DECIDE = (
    update(proposal)
    .where(
        proposal.c.project_id == bindparam("project"),
        proposal.c.id == bindparam("by_id"),
        proposal.c.state == "open",
    )
    .values(state=bindparam("to"), decided_at=bindparam("at"), decided_by=bindparam("who"))
)


def insert_evaluation(uow: UnitOfWork, one: Evaluation) -> None:
    """Add an evaluation."""
    values = {name: getattr(one, name) for name in _EVALUATION_NAMES}
    values["figures"], values["created_at"] = encode(dict(one.figures)), micros(one.created_at)
    uow.run(_INSERT_EVALUATION, **values)


def evaluation_of(uow: UnitOfWork, scope: Scope, model_id: str, labels_digest: str) -> Evaluation | None:
    """Return the evaluation of a model on exactly these labels, or None."""
    row = uow.run(_OF_LABELS, project=scope.project_id, by_model=model_id, by_labels=labels_digest).first()
    return None if row is None else _evaluation(row)


def evaluations_of(uow: UnitOfWork, scope: Scope, model_id: str) -> list[Evaluation]:
    """Return the evaluations of a model, newest first."""
    return [_evaluation(row) for row in uow.run(_OF_MODEL, project=scope.project_id, by_model=model_id).all()]


def insert_proposal(uow: UnitOfWork, one: Proposal) -> None:
    """Add a proposal."""
    values = {name: getattr(one, name) for name in _PROPOSAL_NAMES}
    values["document"], values["created_at"] = encode(dict(one.document)), micros(one.created_at)
    uow.run(_INSERT_PROPOSAL, **values)


def proposal_of_model(uow: UnitOfWork, scope: Scope, model_id: str) -> Proposal | None:
    """Return the proposal to promote a model, or None."""
    row = uow.run(_PROPOSAL_OF_MODEL, project=scope.project_id, by_model=model_id).first()
    return None if row is None else _proposal(row)


def proposal_of_task(uow: UnitOfWork, scope: Scope, task_id: str) -> Proposal | None:
    """Return the proposal that a sign-off task is about, or None."""
    row = uow.run(_PROPOSAL_OF_TASK, project=scope.project_id, by_task=task_id).first()
    return None if row is None else _proposal(row)


def list_proposals(uow: UnitOfWork, scope: Scope) -> list[Proposal]:
    """Return every proposal of the project, oldest first."""
    return [_proposal(row) for row in uow.run(_PROPOSALS_IN_ORDER, project=scope.project_id).all()]


def decide_proposal(
    uow: UnitOfWork, scope: Scope, proposal_id: str, state: ProposalState, *, at: int, who: str
) -> bool:
    """Close an open proposal and return True; False when it was closed before. `at` in microseconds."""
    found = uow.run(_DECIDE, project=scope.project_id, by_id=proposal_id, to=state, at=at, who=who)
    return found.rowcount == 1


def _evaluation(row: tuple[Any, ...]) -> Evaluation:
    values = dict(zip(_EVALUATION_NAMES, row, strict=True))
    values["figures"], values["created_at"] = json.loads(values["figures"]), from_micros(values["created_at"])
    return Evaluation(**values)


def _proposal(row: tuple[Any, ...]) -> Proposal:
    values = dict(zip(_PROPOSAL_NAMES, row, strict=True))
    values["document"], values["created_at"] = json.loads(values["document"]), from_micros(values["created_at"])
    values["decided_at"] = None if values["decided_at"] is None else from_micros(values["decided_at"])
    return Proposal(**values)
