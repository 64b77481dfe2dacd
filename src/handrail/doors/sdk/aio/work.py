"""Calls about people's work: draws, tasks, campaigns."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from handrail.cycle.annotate.crowd_forms import CrowdOut, OverlapForm, OverlapOut
from handrail.cycle.annotate.routes import CampaignOut, DrawOut
from handrail.cycle.tasks.forms import AdmissionOut, QueueRulesForm, QueueStateOut
from handrail.cycle.tasks.model import About, Verb
from handrail.cycle.tasks.routes import ClaimedOut, HeldTaskOut, QueueOut, TaskAnswerOut, TaskCountsOut
from handrail.doors.sdk.aio.calls import AsyncCalls
from handrail.doors.sdk.wire import parsed


class AsyncWork(AsyncCalls):
    """What waits for people, and their answers."""

    async def draw(
        self, question: str, n: int, *, purpose: Literal["train", "holdout"] = "train", reason: str = ""
    ) -> DrawOut:
        """Draw `n` items at random, with logged probability, and open a blind label task for each."""
        body = {"question": question, "n": n, "purpose": purpose, "reason": reason}
        return await self._post(DrawOut, "/draws", body)

    async def campaigns(self) -> list[CampaignOut]:
        """Return the campaigns, newest first."""
        return await self._list(CampaignOut, "/campaigns")

    async def overlap(self, question: str) -> OverlapForm | None:
        """Return how many people are asked about an item of a question, None where one answer is enough."""
        return (await self._get(OverlapOut, "/overlap", question=question)).rule

    async def set_overlap(self, question: str, rule: OverlapForm) -> OverlapForm:
        """Ask several people about every item of a question, from the next answer on; leads only."""
        body = rule.model_dump(mode="json")
        place, asked = self._place + "/overlap", {"question": question}
        answer = await self._wire.send("PUT", place, params=asked, json=body)
        made: OverlapOut = parsed(OverlapOut, answer)
        return made.rule or rule

    async def drop_overlap(self, question: str) -> None:
        """Let one answer be enough again; leads only."""
        await self._wire.send("DELETE", self._place + "/overlap", params={"question": question})

    async def agreement(self, question: str) -> CrowdOut:
        """Return how far people agree and how reliable each is, or why nobody is compared; leads only."""
        return await self._get(CrowdOut, "/agreement", question=question)

    async def open_tasks(self, *, limit: int = 50, after: str | None = None) -> QueueOut:
        """Return a page of the open tasks, the most urgent first."""
        return await self._get(QueueOut, "/tasks", limit=limit, after=after)

    async def task_counts(self) -> dict[str, dict[str, int]]:
        """Return kind -> status -> number of tasks; audits count as what they look like."""
        return (await self._get(TaskCountsOut, "/tasks/counts")).counts

    async def queue(self) -> QueueStateOut:
        """Return what waits, how fast people answer and who, and what will miss its deadline; leads only."""
        return await self._get(QueueStateOut, "/queue")

    async def queue_rules(self) -> QueueRulesForm:
        """Return how much one person may take, who has which skill, and where an escalated task goes."""
        return await self._get(QueueRulesForm, "/queue/rules")

    async def set_queue_rules(self, rules: QueueRulesForm) -> QueueRulesForm:
        """Put rules of the queue into force, from the next claim on; leads only."""
        answer = await self._wire.send("PUT", self._place + "/queue/rules", json=rules.model_dump(mode="json"))
        made: QueueRulesForm = parsed(QueueRulesForm, answer)
        return made

    async def admit(self, person_id: str, reason: str = "") -> AdmissionOut:
        """Let a person work on the queue from now on, whatever their answers were before; another lead's word only."""
        return await self._post(AdmissionOut, "/queue/admissions", {"person_id": person_id, "reason": reason})

    async def claim(self, n: int = 1, *, about: About | None = None) -> list[HeldTaskOut]:
        """Claim up to `n` (at most 5) tasks for ten minutes, the most urgent first; people only."""
        return HeldTaskOut.of(await self._post(ClaimedOut, "/tasks/claim", {"n": n, "about": about}))

    async def claim_task(self, task_id: str) -> HeldTaskOut:
        """Claim one task for ten minutes; raises Conflict when somebody else has it."""
        return await self._post(HeldTaskOut, f"/tasks/{task_id}/claim")

    async def renew(self, task_id: str) -> HeldTaskOut:
        """Lengthen a claim while working on the task."""
        return await self._post(HeldTaskOut, f"/tasks/{task_id}/renew")

    async def release(self, task_id: str) -> None:
        """Give a task back unanswered."""
        await self._wire.send("POST", f"{self._place}/tasks/{task_id}/release")

    async def first_answer(self, task_id: str, value: Any, *, shown_at: datetime | None = None) -> HeldTaskOut:
        """Give your own answer to a blind-first task; returns it with the model's answer. People only."""
        body = {"value": value, "shown_at": None if shown_at is None else shown_at.isoformat()}
        return await self._post(HeldTaskOut, f"/tasks/{task_id}/first", body)

    async def answer(
        self, task_id: str, value: Any, verb: Verb, reason: str = "", *, shown_at: datetime | None = None
    ) -> TaskAnswerOut:
        """Answer a claimed task; the same answer again changes nothing. People only."""
        shown = None if shown_at is None else shown_at.isoformat()
        body = {"value": value, "verb": verb, "reason": reason, "shown_at": shown}
        return await self._post(TaskAnswerOut, f"/tasks/{task_id}/answer", body)
