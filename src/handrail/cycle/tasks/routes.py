"""HTTP routes of the tasks: the queue, claims, answers.

Permissions: tasks.read (see the queue), tasks.answer (claim, renew, release, answer), tasks.lead (also get the tasks
that others could not settle). A blind task looks like any
other: whoever could tell an audit from a draw would answer it differently, and what audits say would be worth nothing.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from handrail.cycle.datasets import Datasets, Question, ShownField
from handrail.cycle.tasks.forms import AdmissionIn, AdmissionOut, QueueRulesForm, QueueStateOut
from handrail.cycle.tasks.model import (
    ABOUT,
    LEAD,
    MOST_CLAIMS,
    MOST_REASON,
    SHOWN_BLIND,
    About,
    Answered,
    Task,
    Verb,
)
from handrail.cycle.tasks.service import Tasks
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.authorize import allowed
from handrail.foundation.http import After, In, Limit, Once, Routes, Who
from handrail.foundation.storage import Storage, UnitOfWork


class TaskOut(BaseModel):
    """One task of the queue."""

    id: str
    kind: str = Field(description="What is asked for; a blind task is always shown as label.")
    question: str
    item_id: str | None
    item_name: str | None = Field(description="The item's external id.")
    reason: str = Field(description="Why a person is asked.")
    priority: int
    opened_at: datetime
    deadline: datetime | None
    status: str
    claimed_by: str | None
    skill: str = Field(description='What a person must have to get it: "" nothing special, lead: the end of the chain.')
    for_you: bool = Field(description="False when it needs another person than you, or a skill that you lack.")
    climbs_at: datetime | None = Field(
        description="When people with the next skill of the chain are asked, if nobody claims it before."
    )

    @classmethod
    def of(cls, one: Task, name: str | None, *, for_you: bool, climbs_at: datetime | None) -> TaskOut:
        """Return what callers see."""
        return cls(
            id=one.id,
            kind=one.shown_kind,
            question=one.question,
            item_id=one.item_id,
            item_name=name,
            reason=one.shown_reason,
            priority=one.priority,
            opened_at=one.opened_at,
            deadline=None if one.blind else one.deadline,
            status=one.status,
            claimed_by=one.claimed_by,
            skill=one.skill,
            for_you=for_you,
            climbs_at=climbs_at,
        )


class QueueOut(BaseModel):
    """A page of the queue."""

    items: list[TaskOut]
    next: str | None = Field(description="Send this as `after` for the next page; null at the end.")
    counts: dict[str, int] = Field(description="Number of tasks by status, over all kinds.")


class OptionOut(BaseModel):
    """One possible answer."""

    value: str
    title: str


class QuestionOut(BaseModel):
    """What is asked."""

    name: str
    title: str
    type: str
    options: list[OptionOut]


class TaskItemOut(BaseModel):
    """The item that the task is about."""

    id: str
    name: str
    values: dict[str, Any] = Field(description="By field, in the order of `fields`; what is missing is left out.")


class ContributionOut(BaseModel):
    """How much a field spoke for the value."""

    feature: str
    contribution: float


class ShownPredictionOut(BaseModel):
    """The model's answer, shown with a task that is not blind."""

    value: Any
    score: float
    words: str
    top: list[ContributionOut]


class TaskDetailOut(BaseModel):
    """Everything that a person needs for the answer."""

    id: str
    kind: str
    question: QuestionOut
    item: TaskItemOut | None
    prediction: ShownPredictionOut | None
    blind: bool
    reason: str
    payload: dict[str, Any]
    claim_until: datetime | None
    guideline: str | None
    first_needed: bool = Field(False, description="True while your own answer is wanted before the model's is shown.")
    own_answer: Any = Field(None, description="What you said before the model's answer was shown.")


class HeldTaskOut(TaskDetailOut):
    """A task that the caller holds now, and how its item is shown."""

    fields: tuple[ShownField, ...]

    @classmethod
    def of(cls, claimed: ClaimedOut) -> list[HeldTaskOut]:
        """Return each task of a claim with the fields that the claim says once."""
        return [cls(**dict(one), fields=claimed.fields) for one in claimed.items]


class ClaimedOut(BaseModel):
    """The tasks that the caller holds now, and how their items are shown."""

    items: list[TaskDetailOut]
    fields: tuple[ShownField, ...]


class ClaimIn(BaseModel):
    """How many tasks to claim."""

    model_config = ConfigDict(extra="forbid")
    n: int = Field(1, ge=1, le=MOST_CLAIMS)
    about: About | None = Field(
        None, description="items: only tasks about items; models: only promotions to sign; null: whatever is urgent."
    )


class TaskCountsOut(BaseModel):
    """Number of tasks by kind, then by status; audits, which are always blind, are counted as what they look like."""

    counts: dict[str, dict[str, int]]


class TaskAnswerIn(BaseModel):
    """A person's answer."""

    model_config = ConfigDict(extra="forbid")
    value: Any = Field(None, description="The answer; null for a verb without one.")
    verb: Verb
    reason: str = Field("", max_length=MOST_REASON)
    shown_at: AwareDatetime | None = Field(None, description="When the page showed the task.")


class FirstAnswerIn(BaseModel):
    """A person's own answer, before the model's is shown."""

    model_config = ConfigDict(extra="forbid")
    value: Any = Field(description="The answer.")
    shown_at: AwareDatetime | None = Field(None, description="When the page showed the task.")


class TaskAnswerOut(BaseModel):
    """The stored answer, and the task to go on with."""

    answer_id: str
    next_task_id: str | None = Field(description="A task that the caller holds or may claim; null when none waits.")


def routes(storage: Storage, tasks: Tasks, datasets: Datasets) -> Routes:
    """Return the routes of the tasks."""
    routes = Routes("tasks", prefix="/projects/{project}")
    _queue(routes, storage, tasks, datasets)
    _claims(routes, storage, tasks, datasets)
    _answers(routes, tasks, datasets)
    _rules(routes, storage, tasks)
    return routes


def _queue(routes: Routes, storage: Storage, tasks: Tasks, datasets: Datasets) -> None:
    @routes.get("/tasks", permission="tasks.read")
    async def list_tasks(
        who: Who,
        scope: In,
        status: Annotated[Literal["open"], Query(description="Which tasks.")] = "open",
        limit: Limit = 50,
        after: After = None,
    ) -> QueueOut:
        """List the open tasks, the most urgent first."""
        del status  # one value so far; the parameter keeps the address stable

        def unit(uow: UnitOfWork) -> QueueOut:
            page = tasks.open_tasks(uow, scope, after, limit)
            about = {one.item_id for one in page.items if one.item_id is not None}
            items = datasets.items_by_id(uow, scope, sorted(about))
            rules = tasks.staffing.rules(uow, scope)
            skills = tasks.staffing.skills(uow, scope, who, _skills(who, scope))
            rows = [
                TaskOut.of(
                    one,
                    items[one.item_id].external_id if one.item_id else None,
                    for_you=one.is_for(who.id, skills),
                    climbs_at=rules.climbs_at(one),
                )
                for one in page.items
            ]
            counts: Counter[str] = Counter()
            for by_status in tasks.counts(uow, scope).values():
                counts.update({str(name): number for name, number in by_status.items()})
            return QueueOut(items=rows, next=page.next, counts=dict(counts))

        return await storage.aread(unit)

    @routes.get("/tasks/counts", permission="tasks.read")
    async def count_tasks(scope: In) -> TaskCountsOut:
        """Count the tasks by kind and status."""
        found = await storage.aread(lambda uow: tasks.counts(uow, scope))
        shown: dict[str, Counter[str]] = {}
        for kind, by_status in found.items():
            shown.setdefault(SHOWN_BLIND if kind == "audit" else kind, Counter()).update(
                {str(status): number for status, number in by_status.items() if number}
            )
        return TaskCountsOut(counts={kind: dict(one) for kind, one in shown.items() if one})


def _claims(routes: Routes, storage: Storage, tasks: Tasks, datasets: Datasets) -> None:
    @routes.post("/tasks/claim", permission="tasks.answer")
    async def claim_tasks(body: ClaimIn, who: Who, scope: In, once: Once) -> ClaimedOut:
        """Claim the most urgent open tasks for ten minutes."""

        def unit(uow: UnitOfWork) -> ClaimedOut:
            kinds = None if body.about is None else ABOUT[body.about]
            got = tasks.claim(uow, who, scope, n=body.n, kinds=kinds, skills=_skills(who, scope))
            return _claimed(uow, datasets, scope, got)

        return await once.write(unit)

    @routes.post("/tasks/{task_id}/claim", permission="tasks.answer")
    async def claim_task(task_id: str, who: Who, scope: In, once: Once) -> HeldTaskOut:
        """Claim this task for ten minutes, or lengthen the claim on it."""

        def unit(uow: UnitOfWork) -> HeldTaskOut:
            got = tasks.claim_one(uow, who, scope, task_id, skills=_skills(who, scope))
            return _held(uow, datasets, scope, got)

        return await once.write(unit)

    @routes.post("/tasks/{task_id}/renew", permission="tasks.answer", own_key=True)
    async def renew_task(task_id: str, who: Who, scope: In) -> HeldTaskOut:
        """Lengthen a claim while working on the task."""
        return await storage.awrite(lambda uow: _held(uow, datasets, scope, tasks.renew(uow, who, scope, task_id)))

    @routes.post("/tasks/{task_id}/release", permission="tasks.answer", own_key=True, status=204)
    async def release_task(task_id: str, who: Who, scope: In) -> None:
        """Give a task back unanswered; giving back what one does not hold changes nothing."""
        await storage.awrite(lambda uow: tasks.release(uow, who, scope, task_id))


def _answers(routes: Routes, tasks: Tasks, datasets: Datasets) -> None:
    @routes.post("/tasks/{task_id}/first", permission="tasks.answer")
    async def first_answer(task_id: str, body: FirstAnswerIn, who: Who, scope: In, once: Once) -> HeldTaskOut:
        """Give your own answer to a blind-first task; then the model's answer is shown. It is never changed."""
        given = Answered(value=body.value, verb="label", shown_at=body.shown_at)

        def unit(uow: UnitOfWork) -> HeldTaskOut:
            got = tasks.first(uow, who, scope, task_id, given, skills=_skills(who, scope))
            return _held(uow, datasets, scope, got)

        return await once.write(unit)

    @routes.post("/tasks/{task_id}/answer", permission="tasks.answer")
    async def answer_task(task_id: str, body: TaskAnswerIn, who: Who, scope: In, once: Once) -> TaskAnswerOut:
        """Answer a task; the same answer again changes nothing."""
        given = Answered(value=body.value, verb=body.verb, reason=body.reason, shown_at=body.shown_at)

        def unit(uow: UnitOfWork) -> TaskAnswerOut:
            skills = _skills(who, scope)
            made = tasks.answer(uow, who, scope, task_id, given, skills=skills)
            return TaskAnswerOut(answer_id=made.id, next_task_id=tasks.next_for(uow, who, scope, skills=skills))

        return await once.write(unit)


def _rules(routes: Routes, storage: Storage, tasks: Tasks) -> None:
    @routes.get("/queue", permission="tasks.lead")
    async def queue_state(scope: In) -> QueueStateOut:
        """Return what waits, how fast people answer and who, and what will miss its deadline."""
        return QueueStateOut.of(await storage.aread(lambda uow: tasks.staffing.outlook(uow, scope)))

    @routes.get("/queue/rules", permission="tasks.read")
    async def queue_rules(scope: In) -> QueueRulesForm:
        """Return how much one person may take, who has which skill, and where an escalated task goes."""
        return QueueRulesForm.of(await storage.aread(lambda uow: tasks.staffing.rules(uow, scope)))

    @routes.put("/queue/rules", permission="tasks.lead")
    async def put_queue_rules(body: QueueRulesForm, who: Who, scope: In) -> QueueRulesForm:
        """Put rules of the queue into force, from the next claim on."""
        rules = body.rules()
        return QueueRulesForm.of(await storage.awrite(lambda uow: tasks.staffing.set_rules(uow, who, scope, rules)))

    @routes.post("/queue/admissions", permission="tasks.lead", own_key=True)
    async def admit_person(body: AdmissionIn, who: Who, scope: In) -> AdmissionOut:
        """Let a person work on the queue from now on, whatever their answers were before."""
        at = await storage.awrite(
            lambda uow: tasks.staffing.judging.admit(uow, who, scope, body.person_id, body.reason)
        )
        return AdmissionOut(person_id=body.person_id, admitted_at=at)


def _skills(who: Actor, scope: Scope) -> tuple[str, ...]:
    return ("", LEAD) if allowed(who, "tasks.lead", scope.project_id) else ("",)


def _held(uow: UnitOfWork, datasets: Datasets, scope: Scope, one: Task) -> HeldTaskOut:
    return HeldTaskOut.of(_claimed(uow, datasets, scope, [one]))[0]


def _claimed(uow: UnitOfWork, datasets: Datasets, scope: Scope, several: list[Task]) -> ClaimedOut:
    schema = datasets.schema(uow, scope)
    about = {one.item_id for one in several if one.item_id is not None}
    items = {
        key: TaskItemOut(id=item.id, name=item.external_id, values=dict(item.data))
        for key, item in datasets.items_by_id(uow, scope, sorted(about)).items()
    }
    questions = {name: _question(schema.question(name)) for name in {one.question for one in several}}
    details = [
        TaskDetailOut(
            id=one.id,
            kind=one.shown_kind,
            question=questions[one.question],
            item=None if one.item_id is None else items[one.item_id],
            prediction=_prediction(one),
            blind=one.blind,
            reason=one.shown_reason,
            payload={} if one.blind else {name: held for name, held in one.payload.items() if name != "prediction"},
            claim_until=one.claimed_until,
            guideline=schema.question(one.question).instructions or None,
            first_needed=one.blind_first and one.own is None,
            own_answer=None if one.own is None else one.own.value,
        )
        for one in several
    ]
    return ClaimedOut(items=details, fields=schema.shown if items else ())


def _question(question: Question) -> QuestionOut:
    return QuestionOut(
        name=question.name,
        title=question.title or question.name,
        type=question.type,
        options=[OptionOut(value=choice, title=choice) for choice in question.choices],
    )


def _prediction(one: Task) -> ShownPredictionOut | None:
    held = one.prediction
    if held is None:
        return None
    top = [ContributionOut(feature=str(name), contribution=float(weight)) for name, weight in held.get("top", [])]
    score = float(held["score"])
    return ShownPredictionOut(value=held["value"], score=score, words=_words(score), top=top)


def _words(score: float) -> str:
    """Say a calibrated confidence as a frequency, and never as certainty."""
    return "more than 99 in 100 like this" if score > 0.99 else f"about {round(score * 100)} in 100 like this"
