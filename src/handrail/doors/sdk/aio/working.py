"""Calls around an answer: drafts before it, another answer after it, comments beside it."""

from __future__ import annotations

from typing import Any

from handrail.cycle.tasks.working.bulk import Does
from handrail.cycle.tasks.working.routes import CommentOut, DraftOut, HistoryOut, PreviewOut, ThreadOut
from handrail.doors.sdk.aio.calls import AsyncCalls
from handrail.doors.sdk.wire import parsed


class AsyncWorking(AsyncCalls):
    """What people keep, say again and write beside their answers."""

    async def draft(self, task_id: str) -> DraftOut | None:
        """Return your own draft of a task, None without one; nobody else sees it. People only."""
        return await self._get_any(DraftOut, f"/tasks/{task_id}/draft")

    async def save_draft(self, task_id: str, value: Any, reason: str = "") -> DraftOut:
        """Keep what you have not sent yet, in place of what you kept before; it goes with the answer. People only."""
        body = {"value": value, "reason": reason}
        answer = await self._wire.send("PUT", f"{self._place}/tasks/{task_id}/draft", json=body)
        made: DraftOut = parsed(DraftOut, answer)
        return made

    async def drop_draft(self, task_id: str) -> None:
        """Forget your own draft of a task."""
        await self._wire.send("DELETE", f"{self._place}/tasks/{task_id}/draft")

    async def history(self, task_id: str) -> HistoryOut:
        """Return every entry of your own answer, oldest first; leads see everybody's."""
        return await self._get(HistoryOut, f"/tasks/{task_id}/history")

    async def revise(self, task_id: str, value: Any, reason: str = "") -> HistoryOut:
        """Give another answer in place of your own to a task that asked for a label, within an hour. People only."""
        return await self._post(HistoryOut, f"/tasks/{task_id}/revise", {"value": value, "reason": reason})

    async def restore(self, task_id: str, number: int, reason: str = "") -> HistoryOut:
        """Say an earlier entry again: your own within an hour, a lead anybody's at any time. People only."""
        return await self._post(HistoryOut, f"/tasks/{task_id}/restore", {"number": number, "reason": reason})

    async def task_comments(self, task_id: str) -> ThreadOut:
        """Return the comments on the item of a task; others' are kept back while a look of your own waits."""
        return await self._get(ThreadOut, f"/tasks/{task_id}/comments")

    async def comment_on_task(self, task_id: str, text: str) -> CommentOut:
        """Comment on the item of a task. People only."""
        return await self._post(CommentOut, f"/tasks/{task_id}/comments", {"text": text})

    async def item_comments(self, item_id: str) -> ThreadOut:
        """Return the comments on an item; others' are kept back while a look of your own waits."""
        return await self._get(ThreadOut, f"/items/{item_id}/comments")

    async def comment_on_item(self, item_id: str, text: str) -> CommentOut:
        """Comment on an item. People only."""
        return await self._post(CommentOut, f"/items/{item_id}/comments", {"text": text})

    async def bulk(self, does: Does, *, token: str | None = None, reason: str = "", **parts: Any) -> PreviewOut:
        """Return what an action on many tasks or labels would change; with the `token` of that, do it. Leads only.

        withdraw(campaign_id), set_priority(question, priority), assign_skill(question, skill, to), relabel(question,
        value, to). Raises Conflict when something else would change by now; nothing is done then.
        """
        body = {"does": does, "reason": reason, **parts}
        if token is None:
            return await self._post(PreviewOut, "/tasks/bulk/preview", body)
        return await self._post(PreviewOut, "/tasks/bulk", {**body, "token": token})
