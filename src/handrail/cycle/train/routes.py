"""HTTP routes of training: runs and model versions, to read. Permission: train.read.

Runs are asked for and cancelled in the routes of evaluate, which owns the pipeline.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from handrail.cycle.train.model import ModelVersion, Run
from handrail.cycle.train.service import Train
from handrail.foundation.http import In, Limit, Page, Routes
from handrail.foundation.storage import Storage


class RunOut(BaseModel):
    """One job of a project."""

    id: str
    workflow: str
    question: str
    state: str
    progress: float = Field(description="From 0 to 1.")
    step: str
    result: dict[str, Any]
    error: str
    created_at: datetime
    created_by: str
    changed_at: datetime

    @classmethod
    def of(cls, one: Run) -> RunOut:
        """Return what callers see."""
        return cls(
            id=one.id,
            workflow=one.workflow,
            question=one.question,
            state=one.state,
            progress=one.progress,
            step=one.step,
            result=dict(one.result),
            error=one.error,
            created_at=one.created_at,
            created_by=one.created_by,
            changed_at=one.changed_at,
        )


class ModelOut(BaseModel):
    """One model version."""

    id: str
    name: str
    number: int
    question: str
    state: str
    kind: str
    digest: str
    commit_id: str
    run_id: str | None
    classes: list[Any]
    metrics: dict[str, Any] = Field(description="From cross-validation inside the training rows.")
    note: str
    created_at: datetime
    created_by: str
    changed_at: datetime

    @classmethod
    def of(cls, one: ModelVersion) -> ModelOut:
        """Return what callers see."""
        return cls(**_plain(one))


class ModelDetailOut(ModelOut):
    """One model version with its card."""

    card: dict[str, Any]

    @classmethod
    def of(cls, one: ModelVersion) -> ModelDetailOut:
        """Return what callers see."""
        return cls(**_plain(one), card=dict(one.card))


def routes(storage: Storage, train: Train) -> Routes:
    """Return the routes of training."""
    routes = Routes("train", prefix="/projects/{project}")

    @routes.get("/runs", permission="train.read")
    async def list_runs(scope: In, limit: Limit = 50) -> Page[RunOut]:
        """List the newest runs, newest first."""
        found = await storage.aread(lambda uow: train.runs.newest(uow, scope, limit))
        return Page(items=[RunOut.of(one) for one in found], next=None)

    @routes.get("/runs/{run_id}", permission="train.read")
    async def get_run(run_id: str, scope: In) -> RunOut:
        """Return a run: how far it is, and what came out."""
        return RunOut.of(await storage.aread(lambda uow: train.runs.get(uow, scope, run_id)))

    @routes.get("/models", permission="train.read")
    async def list_models(scope: In) -> Page[ModelOut]:
        """List the model versions, oldest first."""
        found = await storage.aread(lambda uow: train.models(uow, scope))
        return Page(items=[ModelOut.of(one) for one in found], next=None)

    @routes.get("/models/{model_id}", permission="train.read")
    async def get_model(model_id: str, scope: In) -> ModelDetailOut:
        """Return a model version with its card."""
        return ModelDetailOut.of(await storage.aread(lambda uow: train.model(uow, scope, model_id)))

    return routes


def _plain(one: ModelVersion) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "number": one.number,
        "question": one.question,
        "state": one.state,
        "kind": one.kind,
        "digest": one.digest,
        "commit_id": one.commit_id,
        "run_id": one.run_id,
        "classes": list(one.classes),
        "metrics": dict(one.metrics),
        "note": one.note,
        "created_at": one.created_at,
        "created_by": one.created_by,
        "changed_at": one.changed_at,
    }
