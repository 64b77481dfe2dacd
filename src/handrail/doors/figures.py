"""The loop page's figures: five stages, each with what is so now. Nothing is stored here; every number is read."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from handrail.app import Handrail
from handrail.cycle.review.certificates.row import CertificateRow
from handrail.cycle.review.group_standing import standings
from handrail.cycle.review.routes import GroupOut
from handrail.cycle.review.service import Oversight
from handrail.doors import stages
from handrail.doors.stages import Stage
from handrail.foundation.actors import Scope
from handrail.foundation.authorize import allowed
from handrail.foundation.http import In, Limit, Routes, Who
from handrail.foundation.journal import Recorded
from handrail.foundation.storage import UnitOfWork


class Tally(BaseModel):
    """Decisions by route."""

    auto: int = 0
    human: int = 0
    blocked: int = 0
    expired: int = 0
    total: int = 0


class CertificateOut(BaseModel):
    """The certificate in force, or the last one that was asked for."""

    id: str
    number: int
    status: str
    alpha: float
    delta: float
    threshold: float | None
    coverage: float | None
    labels: int | None
    errors: int | None
    labels_in_range: int | None
    errors_in_range: int | None
    upper: float | None
    needed: int | None
    mode: str | None
    model_id: str
    model: str
    issued_at: datetime | None
    groups: list[GroupOut] | None
    groups_apart: bool


class Brake(BaseModel):
    """How near the brake is."""

    e_value: float
    warns_at: float
    stops_at: float
    level: str
    audits: int
    wrong: int


class EventOut(BaseModel):
    """One journal entry."""

    id: str
    index: int
    time: datetime
    actor: dict[str, str]
    verb: str
    objects: dict[str, str]
    payload: dict[str, Any]


class Settled(BaseModel):
    """Whether nothing is under way."""

    settled: bool


class LoopOut(BaseModel):
    """The loop as it stands."""

    project: dict[str, str]
    as_of: datetime
    automation: str
    all: Tally
    stages: list[Stage]
    certificate: CertificateOut | None
    brake: Brake | None
    open_tasks: int
    journal_entries: int
    events: list[EventOut]


def routes(system: Handrail) -> Routes:
    """Return the routes of the loop page and the journal."""
    routes = Routes("loop", prefix="/projects/{project}")

    @routes.get("/loop", permission="loop.read")
    async def loop(who: Who, scope: In) -> LoopOut:
        """Return the five stages with their live figures; what the events say only to who may read the journal."""
        told = await system.storage.aread(lambda uow: _loop(system, uow, scope))
        if not allowed(who, "journal.read", scope.project_id):
            # An entry may name a task with its decision, or hold the model's answer that a person is not to see yet.
            told.events = [one.model_copy(update={"objects": {}, "payload": {}}) for one in told.events]
        return told

    @routes.get("/settled", permission="loop.read")
    async def settled(scope: In) -> Settled:
        """Tell whether every fact in the journal was acted on and no run is under way, in the whole home."""
        del scope  # who may see a project's loop may know this
        return Settled(settled=await asyncio.to_thread(system.loop.settled))

    @routes.get("/journal", permission="journal.read")
    async def journal(scope: In, limit: Limit = 50, before: int | None = None) -> list[EventOut]:
        """List the project's journal entries, newest first."""
        return await system.storage.aread(
            lambda uow: [_event(one) for one in system.journal.recent(uow, scope.project_id, before, limit)]
        )

    return routes


def _loop(system: Handrail, uow: UnitOfWork, scope: Scope) -> LoopOut:
    project = system.datasets.project(uow, scope.project_id)
    oversight = system.review.oversight(uow, scope)
    certificates = system.review.certificates(uow, scope)
    current = (oversight.certificate if oversight else None) or (certificates[-1] if certificates else None)
    open_tasks = sum(one.get("open", 0) + one.get("claimed", 0) for one in system.tasks.counts(uow, scope).values())
    return LoopOut(
        project={"id": project.id, "name": project.name, "description": project.description},
        as_of=system.clock.now(),
        automation=oversight.control.state if oversight else "shadow",
        all=_tally(system, uow, scope),
        stages=_stages(system, uow, scope, oversight),
        certificate=None
        if current is None
        else _certificate(current, system.train.model(uow, scope, current.model_id).name),
        brake=_brake(oversight),
        open_tasks=open_tasks,
        journal_entries=system.journal.size(uow),
        events=[_event(one) for one in system.journal.recent(uow, scope.project_id, None, 8)],
    )


def _tally(system: Handrail, uow: UnitOfWork, scope: Scope) -> Tally:
    made = Tally()
    for routes_of_day in system.review.tallies(uow, scope).values():
        made.auto += routes_of_day.get("auto", 0)
        made.human += routes_of_day.get("human", 0)
        made.blocked += routes_of_day.get("blocked", 0)
    made.total = made.auto + made.human + made.blocked
    return made


def _stages(system: Handrail, uow: UnitOfWork, scope: Scope, oversight: Oversight | None) -> list[Stage]:
    counts = system.datasets.counts(uow, scope)
    waiting = {
        kind: one.get("open", 0) + one.get("claimed", 0) for kind, one in system.tasks.counts(uow, scope).items()
    }
    return [
        stages.prepare(counts.items, counts.labels, counts.labels_waiting),
        _train(system, uow, scope, oversight),
        stages.review(waiting, oversight.control.state if oversight else "shadow", _groups(oversight)),
        stages.feedback(system.feedback.waiting(uow, scope)),
        _watch(system, uow, scope),
    ]


def _train(system: Handrail, uow: UnitOfWork, scope: Scope, oversight: Oversight | None) -> Stage:
    running = bool(system.pipelines.under_way(uow))
    if oversight is None or oversight.control.model_id is None:
        return stages.train(None, "", None, running)
    champion = system.train.model(uow, scope, oversight.control.model_id)
    measured = system.evaluate.evaluations(uow, scope, champion.id)
    last = max(measured, key=lambda one: one.created_at, default=None)
    return stages.train(champion.name, champion.commit_id, None if last is None else last.accuracy, running)


def _watch(system: Handrail, uow: UnitOfWork, scope: Scope) -> Stage:
    campaigns = {one.id: one for one in system.annotate.campaigns(uow, scope) if one.state == "open"}
    going = [one for one in system.monitor.alarms(uow, scope) if one.status == "open" or one.campaign_id in campaigns]
    newest = max(going, key=lambda one: one.created_at, default=None)
    campaign = campaigns.get(newest.campaign_id or "") if newest else None
    return stages.watch(
        len(going),
        newest.sentence if newest else "",
        None if campaign is None else (campaign.answered, campaign.target),
        len(system.monitor.profiles(uow, scope)),
    )


def _groups(oversight: Oversight | None) -> list[str]:
    """Return the state of each group of the certificate in force."""
    found = None if oversight is None or oversight.certificate is None else standings(oversight.certificate)
    return [one.state for one in found or ()]


def _certificate(one: CertificateRow, model: str) -> CertificateOut:
    said = one.document
    return CertificateOut(
        id=one.id,
        number=one.number,
        status=one.status,
        alpha=one.alpha,
        delta=one.delta,
        threshold=one.threshold,
        coverage=said.get("coverage"),
        labels=said.get("labels"),
        errors=said.get("errors"),
        labels_in_range=said.get("labels_in_range"),
        errors_in_range=said.get("errors_in_range"),
        upper=said.get("upper"),
        needed=said.get("needed"),
        mode=said.get("mode"),
        model_id=one.model_id,
        model=model,
        issued_at=one.issued_at,
        groups=GroupOut.of(one),
        groups_apart="groups" in said,
    )


def _brake(oversight: Oversight | None) -> Brake | None:
    from handrail.cycle.review.brake import BrakeState

    if oversight is None or oversight.certificate is None or oversight.certificate.brake is None:
        return None
    state = BrakeState.from_dict(oversight.certificate.brake)
    return Brake(
        e_value=state.e_value,
        warns_at=1.0,
        stops_at=1.0 / state.delta,
        level=state.level,
        audits=state.audits,
        wrong=state.wrong,
    )


def _event(one: Recorded) -> EventOut:
    return EventOut(
        id=one.entry_id,
        index=one.index,
        time=one.time,
        actor={"kind": one.actor.kind, "name": one.actor.name},
        verb=one.verb,
        objects=one.objects,
        payload=one.payload,
    )
