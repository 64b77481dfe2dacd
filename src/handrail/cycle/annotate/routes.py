"""HTTP routes of annotating: draw items for people, see the campaigns, merge versions.

Permissions: annotate.draw, annotate.read, datasets.commit (merge), tasks.lead (overlap, agreement). A draw's answer
names no item: whoever knew what was drawn could tell an audit, which is drawn by the system, from the rest.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from handrail.cycle.annotate.crowd_forms import CrowdOut, OverlapForm, OverlapOut
from handrail.cycle.annotate.model import Campaign
from handrail.cycle.annotate.service import Annotate
from handrail.cycle.datasets import Datasets
from handrail.cycle.datasets.forms import CommitOut, MergeConflictOut, MergedOut, MergeIn
from handrail.foundation.http import In, Page, Routes, Who
from handrail.foundation.storage import Storage

_SHOWN = 1000


class DrawIn(BaseModel):
    """A draw of items that wait for their label; those of certificates and campaigns are drawn by the system."""

    model_config = ConfigDict(extra="forbid")
    question: str = Field(min_length=1, max_length=128)
    n: int = Field(ge=1, le=100_000, description="How many items to draw.")
    purpose: Literal["train", "holdout"] = Field("train", description="What the labels are for.")
    reason: str = Field("", max_length=2000, description="Why, for the journal.")


class DrawOut(BaseModel):
    """What a draw did."""

    drawn: int = Field(description="How many label tasks were opened.")
    probability: float = Field(description="The chance that each waiting item had.")


class CampaignOut(BaseModel):
    """A campaign: labels asked for after an alarm, up to a target."""

    id: str
    question: str
    reason: str
    target: int
    answered: int
    state: Literal["open", "done"]
    alarm_id: str | None
    opened_at: datetime
    closed_at: datetime | None

    @classmethod
    def of(cls, one: Campaign) -> CampaignOut:
        """Return what callers see."""
        return cls(
            id=one.id,
            question=one.question,
            reason=one.reason,
            target=one.target,
            answered=one.answered,
            state=one.state,
            alarm_id=one.alarm_id,
            opened_at=one.opened_at,
            closed_at=one.closed_at,
        )


Asked = Annotated[str, Query(min_length=1, max_length=128, description="A question of the project.")]


def routes(storage: Storage, annotate: Annotate, datasets: Datasets) -> Routes:
    """Return the routes of annotating."""
    routes = Routes("annotate", prefix="/projects/{project}")

    @routes.post("/draws", permission="annotate.draw", status=201)
    def draw(body: DrawIn, who: Who, scope: In) -> DrawOut:
        """Draw items uniformly at random and open a blind label task for each; all or none."""
        storage.read(lambda uow: datasets.schema(uow, scope)).question(body.question)
        made = annotate.draw(
            who, scope, question=body.question, n=body.n, purpose=body.purpose, reason=body.reason or "a draw"
        )
        return DrawOut(drawn=len(made), probability=made[0].probability)

    @routes.get("/campaigns", permission="annotate.read")
    async def list_campaigns(scope: In) -> Page[CampaignOut]:
        """List the campaigns, newest first."""
        found = await storage.aread(lambda uow: annotate.campaigns(uow, scope))
        return Page(items=[CampaignOut.of(one) for one in found], next=None)

    @routes.post("/merges", permission="datasets.commit")
    def merge(body: MergeIn, who: Who, scope: In) -> MergedOut:
        """Merge a version into a branch by item and question; what both changed goes to people, one task each."""
        found, tasks = annotate.conflicts.merge(
            who, scope, body.theirs, into=body.into, message=body.message, prefer=body.prefer
        )
        shown = [MergeConflictOut.of(one) for one in found.conflicts[:_SHOWN]]
        return MergedOut(
            commit=CommitOut.of(found.commit), total=len(found.conflicts), conflicts=shown, tasks=tasks[:_SHOWN]
        )

    _crowd(routes, storage, annotate)
    return routes


def _crowd(routes: Routes, storage: Storage, annotate: Annotate) -> None:
    @routes.get("/overlap", permission="annotate.read")
    async def overlap(question: Asked, scope: In) -> OverlapOut:
        """Show how many people are asked about an item of a question."""
        found = await storage.aread(lambda uow: annotate.overlapping.rule(uow, scope, question))
        return OverlapOut(question=question, rule=None if found is None else OverlapForm.of(found))

    @routes.put("/overlap", permission="tasks.lead")
    async def put_overlap(question: Asked, body: OverlapForm, who: Who, scope: In) -> OverlapOut:
        """Ask several people about every item of a question, from the next answer on."""
        rule = body.rule()
        await storage.awrite(lambda uow: annotate.overlapping.set_rule(uow, who, scope, question, rule))
        return OverlapOut(question=question, rule=OverlapForm.of(rule))

    @routes.delete("/overlap", permission="tasks.lead")
    async def drop_overlap(question: Asked, who: Who, scope: In) -> None:
        """Let one answer be enough again; what was collected stays."""
        await storage.awrite(lambda uow: annotate.overlapping.set_rule(uow, who, scope, question, None))

    @routes.get("/agreement", permission="tasks.lead")
    def agreement(question: Asked, scope: In) -> CrowdOut:
        """Show how far people agree, and how reliable each of them is, or why nobody is compared."""
        found, names = annotate.overlapping.report(scope, question)
        return CrowdOut.of(question, found, names)
