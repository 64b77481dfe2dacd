"""HTTP routes of the work around an answer: drafts, histories, comments.

Permissions: tasks.answer (drafts, answering again, commenting), tasks.read (histories of one's own answers, comments),
tasks.lead (the history of anybody's answer, putting back an earlier entry of it, bulk actions).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from handrail.cycle.tasks.model import MOST_REASON
from handrail.cycle.tasks.working.bulk import Action, Does, Preview
from handrail.cycle.tasks.working.model import Comment, Draft, Entry, History, Thread
from handrail.cycle.tasks.working.service import Working
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.authorize import allowed
from handrail.foundation.http import In, Once, Routes, Who
from handrail.foundation.storage import Storage


class DraftIn(BaseModel):
    """What is not sent yet."""

    model_config = ConfigDict(extra="forbid")
    value: Any = Field(None, description="Any JSON: it is not held against the question.")
    reason: str = Field("", max_length=MOST_REASON)


class DraftOut(BaseModel):
    """Your own draft; nobody else sees it."""

    task_id: str
    value: Any
    reason: str
    saved_at: datetime

    @classmethod
    def of(cls, one: Draft) -> DraftOut:
        """Return what its author sees."""
        return cls(task_id=one.task_id, value=one.value, reason=one.reason, saved_at=one.saved_at)


class RevisionIn(BaseModel):
    """Another answer in place of your own."""

    model_config = ConfigDict(extra="forbid")
    value: Any = Field(description="The answer.")
    reason: str = Field("", max_length=MOST_REASON)


class RestoreIn(BaseModel):
    """An earlier entry to be said again."""

    model_config = ConfigDict(extra="forbid")
    number: int = Field(ge=0, le=10_000, description="The entry's number in the history; 0 is the first answer.")
    reason: str = Field("", max_length=MOST_REASON)


class EntryOut(BaseModel):
    """One entry of a history."""

    number: int
    value: Any
    reason: str
    by: str = Field(description="Who gave it, as kind:id.")
    name: str
    restores: int | None = Field(description="The entry that it says again; null when it is new.")
    at: datetime

    @classmethod
    def of(cls, one: Entry) -> EntryOut:
        """Return what callers see."""
        return cls(
            number=one.number,
            value=one.value,
            reason=one.reason,
            by=f"{one.actor_kind}:{one.actor_id}",
            name=one.actor_name,
            restores=one.restores,
            at=one.at,
        )


class HistoryOut(BaseModel):
    """Every entry of an answer, oldest first; the last one stands."""

    task_id: str
    entries: list[EntryOut]
    until: datetime = Field(description="Until when its author may give another answer.")

    @classmethod
    def of(cls, one: History) -> HistoryOut:
        """Return what callers see."""
        return cls(task_id=one.task_id, entries=[EntryOut.of(entry) for entry in one.entries], until=one.until)


class CommentIn(BaseModel):
    """A comment in plain text."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(min_length=1, max_length=4000)


class CommentOut(BaseModel):
    """A comment."""

    id: str
    item_id: str | None
    task_id: str | None
    text: str
    by: str = Field(description="Who wrote it, as kind:id.")
    name: str
    at: datetime

    @classmethod
    def of(cls, one: Comment) -> CommentOut:
        """Return what callers see."""
        return cls(
            id=one.id,
            item_id=one.item_id,
            task_id=one.task_id,
            text=one.text,
            by=f"{one.actor_kind}:{one.actor_id}",
            name=one.actor_name,
            at=one.written_at,
        )


class ThreadOut(BaseModel):
    """Comments, oldest first, the newest 500."""

    comments: list[CommentOut]
    withheld: bool = Field(description="True while a look of your own at the item waits: then only yours are here.")

    @classmethod
    def of(cls, one: Thread) -> ThreadOut:
        """Return what callers see."""
        return cls(comments=[CommentOut.of(comment) for comment in one.comments], withheld=one.withheld)


class ActionIn(BaseModel):
    """One action on many tasks or labels."""

    model_config = ConfigDict(extra="forbid")
    does: Does
    question: str | None = Field(None, min_length=1, max_length=128)
    campaign_id: str | None = Field(None, max_length=64, description="withdraw: whose unanswered tasks.")
    priority: int | None = Field(None, description="set_priority: what a look is worth from now on.")
    skill: str | None = Field(None, max_length=64, description='assign_skill: what they ask for now, "" nothing.')
    value: Any = Field(None, description="relabel: the label as it is.")
    to: Any = Field(None, description="assign_skill, relabel: the skill or label that it shall be.")
    reason: str = Field("", max_length=2000)

    def action(self) -> Action:
        """Return the action that this says."""
        return Action(**self.model_dump(exclude={"token"}))


class ConfirmedIn(ActionIn):
    """An action that was looked at, with the token of its preview."""

    token: str = Field(min_length=1, max_length=64)


class PreviewOut(BaseModel):
    """What an action changes; `token` does exactly that, and nothing once something else would change."""

    does: Does
    changes: int = Field(description="How many tasks or labels.")
    examples: list[str] = Field(description="Ids of the first five.")
    kept: int = Field(description="Labels that fit and stay: they prove something.")
    token: str

    @classmethod
    def of(cls, one: Preview) -> PreviewOut:
        """Return what callers see."""
        return cls(
            does=one.action.does, changes=one.changes, examples=list(one.examples), kept=one.kept, token=one.token
        )


def routes(storage: Storage, working: Working) -> Routes:
    """Return the routes of the work around an answer."""
    routes = Routes("working", prefix="/projects/{project}")
    _drafts(routes, storage, working)
    _histories(routes, storage, working)
    _comments(routes, storage, working)
    _bulk(routes, storage, working)
    return routes


def _drafts(routes: Routes, storage: Storage, working: Working) -> None:
    @routes.get("/tasks/{task_id}/draft", permission="tasks.answer")
    async def get_draft(task_id: str, who: Who, scope: In) -> DraftOut | None:
        """Return your own draft of a task, null without one."""
        found = await storage.aread(lambda uow: working.draft(uow, who, scope, task_id))
        return None if found is None else DraftOut.of(found)

    @routes.put("/tasks/{task_id}/draft", permission="tasks.answer")
    async def put_draft(task_id: str, body: DraftIn, who: Who, scope: In) -> DraftOut:
        """Keep what you have not sent yet, in place of what you kept before."""
        made = await storage.awrite(lambda uow: working.save_draft(uow, who, scope, task_id, body.value, body.reason))
        return DraftOut.of(made)

    @routes.delete("/tasks/{task_id}/draft", permission="tasks.answer", status=204)
    async def delete_draft(task_id: str, who: Who, scope: In) -> None:
        """Forget your own draft; again changes nothing."""
        await storage.awrite(lambda uow: working.drop_draft(uow, who, scope, task_id))


def _histories(routes: Routes, storage: Storage, working: Working) -> None:
    @routes.get("/tasks/{task_id}/history", permission="tasks.read")
    async def get_history(task_id: str, who: Who, scope: In) -> HistoryOut:
        """Return the history of your own answer; leads see everybody's."""
        lead = _leads(who, scope)
        return HistoryOut.of(await storage.aread(lambda uow: working.history(uow, who, scope, task_id, lead=lead)))

    @routes.post("/tasks/{task_id}/revise", permission="tasks.answer", own_key=True)
    async def revise_answer(task_id: str, body: RevisionIn, who: Who, scope: In) -> HistoryOut:
        """Give another answer in place of your own to a task that asked for a label, within an hour."""
        made = await storage.awrite(lambda uow: working.revise(uow, who, scope, task_id, body.value, body.reason))
        return HistoryOut.of(made)

    @routes.post("/tasks/{task_id}/restore", permission="tasks.answer", own_key=True)
    async def restore_answer(task_id: str, body: RestoreIn, who: Who, scope: In) -> HistoryOut:
        """Say an earlier entry again, as a new one: your own within an hour, a lead anybody's at any time."""
        lead = _leads(who, scope)
        made = await storage.awrite(
            lambda uow: working.restore(uow, who, scope, task_id, body.number, body.reason, lead=lead)
        )
        return HistoryOut.of(made)


def _comments(routes: Routes, storage: Storage, working: Working) -> None:
    @routes.get("/tasks/{task_id}/comments", permission="tasks.read")
    async def task_comments(task_id: str, who: Who, scope: In) -> ThreadOut:
        """Return the comments on the item of a task; others' are kept back while a look of your own waits."""
        return ThreadOut.of(await storage.aread(lambda uow: working.task_thread(uow, who, scope, task_id)))

    @routes.post("/tasks/{task_id}/comments", permission="tasks.answer", status=201)
    async def comment_on_task(task_id: str, body: CommentIn, who: Who, scope: In, once: Once) -> CommentOut:
        """Comment on the item of a task."""
        return await once.write(lambda uow: CommentOut.of(working.comment_on_task(uow, who, scope, task_id, body.text)))

    @routes.get("/items/{item_id}/comments", permission="tasks.read")
    async def item_comments(item_id: str, who: Who, scope: In) -> ThreadOut:
        """Return the comments on an item; others' are kept back while a look of your own waits."""
        return ThreadOut.of(await storage.aread(lambda uow: working.item_thread(uow, who, scope, item_id)))

    @routes.post("/items/{item_id}/comments", permission="tasks.answer", status=201)
    async def comment_on_item(item_id: str, body: CommentIn, who: Who, scope: In, once: Once) -> CommentOut:
        """Comment on an item."""
        return await once.write(lambda uow: CommentOut.of(working.comment_on_item(uow, who, scope, item_id, body.text)))


def _bulk(routes: Routes, storage: Storage, working: Working) -> None:
    @routes.post("/tasks/bulk/preview", permission="tasks.lead", own_key=True)
    async def preview_bulk(body: ActionIn, who: Who, scope: In) -> PreviewOut:
        """Return what an action on many tasks or labels would change, with a token; nothing is changed."""
        action = body.action()
        return PreviewOut.of(await storage.aread(lambda uow: working.acting.preview(uow, who, scope, action)))

    @routes.post("/tasks/bulk", permission="tasks.lead")
    async def do_bulk(body: ConfirmedIn, who: Who, scope: In, once: Once) -> PreviewOut:
        """Do exactly what the preview with this token said, all of it or nothing."""
        action = body.action()
        return await once.write(lambda uow: PreviewOut.of(working.acting.act(uow, who, scope, action, body.token)))


def _leads(who: Actor, scope: Scope) -> bool:
    return allowed(who, "tasks.lead", scope.project_id)
