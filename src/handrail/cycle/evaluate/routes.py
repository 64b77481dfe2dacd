"""HTTP routes of evaluating: start and cancel a retraining, see proposals and evaluations.

Permissions: train.run (start, cancel), evaluate.read. A proposal is signed as a task; see the routes of the tasks.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from handrail.cycle.datasets import Datasets
from handrail.cycle.evaluate.jobs import Pipelines
from handrail.cycle.evaluate.model import Evaluation, Proposal
from handrail.cycle.evaluate.service import Evaluate
from handrail.cycle.train import Run
from handrail.foundation.http import In, Page, Routes, Who
from handrail.foundation.storage import Storage


class RetrainIn(BaseModel):
    """What to train."""

    model_config = ConfigDict(extra="forbid")
    question: str = Field(min_length=1, max_length=128)
    seed: int = Field(0, ge=0, lt=2**32)
    note: str = Field("", max_length=2000)


class ModelIn(BaseModel):
    """Which model."""

    model_config = ConfigDict(extra="forbid")
    model_id: str = Field(min_length=1, max_length=36)


class StartedOut(BaseModel):
    """A run that was asked for or cancelled; follow it at /runs/{id}."""

    id: str
    workflow: str
    question: str
    state: str

    @classmethod
    def of(cls, one: Run) -> StartedOut:
        """Return what callers see."""
        return cls(id=one.id, workflow=one.workflow, question=one.question, state=one.state)


class ProposalOut(BaseModel):
    """A model put before a person to sign."""

    id: str
    model_id: str
    replaced_id: str | None
    task_id: str
    state: str
    document: dict[str, Any] = Field(description="What the person who signs is shown.")
    created_at: datetime
    decided_at: datetime | None
    decided_by: str

    @classmethod
    def of(cls, one: Proposal) -> ProposalOut:
        """Return what callers see."""
        return cls(
            id=one.id,
            model_id=one.model_id,
            replaced_id=one.replaced_id,
            task_id=one.task_id,
            state=one.state,
            document=dict(one.document),
            created_at=one.created_at,
            decided_at=one.decided_at,
            decided_by=one.decided_by,
        )


class EvaluationOut(BaseModel):
    """A model measured on held-out items."""

    id: str
    model_id: str
    question: str
    rows: int
    excluded: int
    labels_digest: str
    figures: dict[str, Any]
    created_at: datetime

    @classmethod
    def of(cls, one: Evaluation) -> EvaluationOut:
        """Return what callers see."""
        return cls(
            id=one.id,
            model_id=one.model_id,
            question=one.question,
            rows=one.rows,
            excluded=one.excluded,
            labels_digest=one.labels_digest,
            figures=dict(one.figures),
            created_at=one.created_at,
        )


def routes(storage: Storage, datasets: Datasets, evaluate: Evaluate, pipelines: Pipelines) -> Routes:
    """Return the routes of evaluating."""
    routes = Routes("evaluate", prefix="/projects/{project}")

    @routes.post("/runs", permission="train.run", status=202)
    def retrain(body: RetrainIn, who: Who, scope: In) -> StartedOut:
        """Start a retraining; while one for the question is under way, that one is returned."""
        storage.read(lambda uow: datasets.schema(uow, scope)).question(body.question)
        return StartedOut.of(pipelines.retrain(who, scope, body.question, seed=body.seed, note=body.note))

    @routes.post("/runs/{run_id}/cancel", permission="train.run")
    def cancel(run_id: str, who: Who, scope: In) -> StartedOut:
        """Cancel a run that has not ended."""
        return StartedOut.of(pipelines.cancel(who, scope, run_id))

    @routes.post("/evaluations", permission="evaluate.run", status=201)
    def measure(body: ModelIn, who: Who, scope: In) -> EvaluationOut:
        """Measure a model on every held-out label; on the same labels the evaluation that is there is returned."""
        return EvaluationOut.of(evaluate.evaluate(who, scope, body.model_id))

    @routes.post("/proposals", permission="evaluate.propose", status=201)
    def propose(body: ModelIn, who: Who, scope: In) -> ProposalOut:
        """Compare a candidate with the champion and put it before a person to sign; again returns the same one."""
        return ProposalOut.of(evaluate.put_forward(who, scope, body.model_id))

    @routes.get("/proposals", permission="evaluate.read")
    async def list_proposals(scope: In) -> Page[ProposalOut]:
        """List the proposals, oldest first."""
        found = await storage.aread(lambda uow: evaluate.proposals(uow, scope))
        return Page(items=[ProposalOut.of(one) for one in found], next=None)

    @routes.get("/evaluations", permission="evaluate.read")
    async def list_evaluations(scope: In, model_id: Annotated[str, Query(max_length=36)]) -> Page[EvaluationOut]:
        """List the evaluations of a model, newest first."""
        found = await storage.aread(lambda uow: evaluate.evaluations(uow, scope, model_id))
        return Page(items=[EvaluationOut.of(one) for one in found], next=None)

    return routes
