"""HTTP routes of evaluating: start and cancel a retraining, see proposals, evaluations and how people look.

Permissions: train.run (start, cancel), evaluate.read, review.read (how oneself looks; with tasks.lead or govern.export
how everybody does). A proposal is signed as a task; see the routes of the tasks.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from handrail.cycle.datasets import Datasets
from handrail.cycle.evaluate.jobs import Pipelines
from handrail.cycle.evaluate.model import Evaluation, Proposal
from handrail.cycle.evaluate.people import People
from handrail.cycle.evaluate.service import Evaluate
from handrail.cycle.train import Run
from handrail.foundation.authorize import allowed
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


class IntervalOut(BaseModel):
    """An estimate with its confidence limits at `level`, from `n` cases."""

    value: float
    low: float
    high: float
    n: int
    level: float


class MeasuredOut(BaseModel):
    """A share, or a median in seconds; `interval` is null while `n` is under `needed`, and `said` says so."""

    interval: IntervalOut | None
    n: int
    needed: int
    said: str


class ToldOut(BaseModel):
    """Whether the seeds tell a person who catches 20 in 100 from one who catches 80 in 100."""

    caught: int
    n: int
    needed: int
    more: int = Field(description="Seeds with a wrong answer that are still needed.")
    verdict: Literal["careful", "stamper", "between", "cannot tell"]
    said: str


class LooksOut(BaseModel):
    """What the answers of a person, or about a group of items, show."""

    about: str = Field(description="Id of the person, or the group.")
    name: str
    looks: int
    told: ToldOut
    caught: MeasuredOut = Field(description="Seeds with a wrong answer that were not accepted.")
    overridden_right: MeasuredOut = Field(description="Seeds with the right answer that were overridden.")
    switched: MeasuredOut = Field(description="Blind first, another answer than the model's: took the model's.")
    switched_to_wrong: MeasuredOut = Field(description="Blind first right, the model wrong: took the model's.")
    accepted_wrong: MeasuredOut = Field(description="The model wrong: its answer was accepted.")
    override_precision: MeasuredOut = Field(description="Overrides that were right.")
    seconds: MeasuredOut = Field(description="Median seconds from shown to answered.")


class PeopleOut(BaseModel):
    """How people look at the model's answers. Who does not lead gets their own figures alone."""

    question: str
    seeds: int
    second_looks: int
    everybody: LooksOut | None
    people: list[LooksOut]
    groups: list[LooksOut]


class TeamOut(BaseModel):
    """Error rates of the person alone, the model alone and both, over the same items; null while `n` is too small."""

    question: str
    truth: str = Field(description="Where what is true comes from.")
    n: int
    needed: int
    person: IntervalOut | None
    model: IntervalOut | None
    team: IntervalOut | None
    difference: IntervalOut | None = Field(description="Team minus the better one alone.")
    better: Literal["person", "model"] | None
    said: str


def routes(storage: Storage, datasets: Datasets, evaluate: Evaluate, pipelines: Pipelines, people: People) -> Routes:
    """Return the routes of evaluating."""
    routes = Routes("evaluate", prefix="/projects/{project}")
    _oversight(routes, storage, people)

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


def _oversight(routes: Routes, storage: Storage, people: People) -> None:
    @routes.get("/oversight/people", permission="review.read")
    async def oversight_people(who: Who, scope: In) -> PeopleOut:
        """Return how people look at the model's answers; your own figures alone, unless you lead or audit."""
        everybody = any(allowed(who, one, scope.project_id) for one in ("tasks.lead", "govern.export"))
        only = None if everybody else who.id
        found = await storage.aread(lambda uow: people.people(uow, scope, only=only))
        return PeopleOut.model_validate(asdict(found))

    @routes.get("/oversight/team", permission="evaluate.read")
    async def oversight_team(scope: In) -> TeamOut:
        """Return whether people and model together do better than the better of both alone."""
        found = await storage.aread(lambda uow: people.team(uow, scope))
        return TeamOut.model_validate({"question": found.question, "truth": found.truth, **asdict(found.report)})
