"""HTTP routes of review: decide, policies, certificates, stop and restart."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from handrail.cycle.review.a2i import import_a2i
from handrail.cycle.review.certificates.row import CertificateRow
from handrail.cycle.review.decisions.routes import decision_routes
from handrail.cycle.review.forms import A2IIn, A2IOut, AuditsOut, ErrorOut, TalliesOut, TrialIn, TrialOut
from handrail.cycle.review.group_standing import standings
from handrail.cycle.review.model import Control
from handrail.cycle.review.outgoing.routes import outgoing_routes
from handrail.cycle.review.policy import Policy
from handrail.cycle.review.service import Oversight, Review
from handrail.cycle.review.spending import Spending
from handrail.foundation.http import In, Routes, Waiting, Who
from handrail.foundation.storage import Storage

Loosens = Annotated[bool, Query(description="The policy lowers safeguards, and that is meant.")]


class PolicyOut(BaseModel):
    """A policy that is or was in force."""

    id: str
    version: int
    document: dict[str, Any]


class ProgressOut(BaseModel):
    """How far a plan "until certified" was at its last look; it looks each time the labels it asked for are in."""

    labels: int
    errors: int
    expected_more: float = Field(description="Mean number of labels to come, if errors go on as so far.")
    chance: float = Field(description="Chance of ending certified, if errors go on as so far.")


class GroupOut(BaseModel):
    """What a certificate says of one group: certified apart, or watched by the brake under the threshold of all."""

    group: str
    alpha: float = Field(description="Its highest error, which the brake watches.")
    delta: float | None = Field(description="Its part of delta; null where one threshold is certified for all.")
    spent: float | None = Field(description="What of its part was spent: nothing before labels are drawn for it.")
    status: Literal["planned", "certified", "refused", "stopped"] | None = Field(
        description="Where it stands; stopped by the brake, or null while it goes as the whole does."
    )
    state: Literal["planned", "auto", "warned", "braked", "human", "ended"] = Field(
        description="What happens to its items under this certificate; human: all of them go to people."
    )
    threshold: float | None
    coverage: float | None = Field(description="Share of its waiting items at or above the threshold, when it was set.")
    labels: int | None
    errors: int | None
    needed: int | None
    audits: int | None = Field(description="Its audits so far; a group that was stopped keeps those until then.")
    wrong: int | None

    @classmethod
    def of(cls, one: CertificateRow) -> list[GroupOut] | None:
        """Return what callers see of each group."""
        found = standings(one)
        return None if found is None else [cls(**vars(each)) for each in found]


class CertificateOut(BaseModel):
    """A certificate from plan to end."""

    id: str
    number: int
    model_id: str
    model_digest: str
    status: Literal["planned", "certified", "refused", "ended"]
    source: Literal["archive", "stream"]
    mode: Literal["closed", "strict", "until", "betting"] = Field(
        description="The test; fixed when the certificate was planned."
    )
    loss: dict[str, Any] | None = Field(
        description="What an error costs: alpha is the highest mean of it. Null where alpha is a share of errors."
    )
    loss_digest: str | None = Field(description="The SHA-256 of the loss.")
    automate: float | None = Field(description="The share of the traffic that was asked for, in mode until.")
    region: float | None = Field(description="Labels are drawn at or above this score only.")
    progress: ProgressOut | None = Field(description="How far a plan in mode until is.")
    alpha: float
    delta: float
    threshold: float | None
    labels_planned: int
    labels_drawn: int
    needed: int | None
    groups: list[GroupOut] | None = Field(description="What it says of each group that it names; null without any.")
    document: dict[str, Any]
    brake: dict[str, Any] | None
    created_at: datetime
    issued_at: datetime | None
    ended_at: datetime | None
    ended_why: str

    @classmethod
    def of(cls, one: CertificateRow) -> CertificateOut:
        """Return what callers see."""
        return cls(
            id=one.id,
            number=one.number,
            model_id=one.model_id,
            model_digest=one.model_digest,
            status=one.status,
            source=one.source,
            mode=one.document["mode"],
            loss=one.document.get("loss"),
            loss_digest=one.document.get("loss_digest"),
            automate=one.document.get("automate"),
            region=one.document.get("region"),
            progress=ProgressOut(**one.document["progress"]) if "progress" in one.document else None,
            alpha=one.alpha,
            delta=one.delta,
            threshold=one.threshold,
            labels_planned=one.labels_planned,
            labels_drawn=one.labels_drawn,
            needed=one.document.get("needed"),
            groups=GroupOut.of(one),
            document=one.document,
            brake=one.brake,
            created_at=one.created_at,
            issued_at=one.issued_at,
            ended_at=one.ended_at,
            ended_why=one.ended_why,
        )


class CertificateIn(BaseModel):
    """A wish for a certificate."""

    model_config = ConfigDict(extra="forbid")
    labels: int | None = Field(None, ge=1, le=100_000, description="How many labels to draw; fixed before the first.")
    automate: float | None = Field(None, gt=0, le=1, description="In place of labels: the share to automate.")
    source: Literal["archive", "stream"] = Field(
        default="archive", description="From stored items, or from those to come."
    )
    alpha: float | None = Field(default=None, gt=0, lt=0.5, description="Highest error; the policy's if not given.")
    delta: float | None = Field(None, gt=0, lt=0.5, description="Chance of a wrong certificate; the policy's if not.")
    lazy: bool = Field(default=True, description="Labels may come from high scores alone, where they are worth most.")


class SpentOut(BaseModel):
    """What one certificate spent of the chance to be wrong; with its groups, where they are certified apart."""

    certificate_id: str
    number: int
    model_id: str
    delta: float
    brake_delta: float
    groups: dict[str, float]
    open: bool = Field(description="It is planned, and its labels are to come.")


class SpendingOut(BaseModel):
    """The deltas of all certificates: their sum bounds the chance that any of them was wrong when it was issued."""

    certificates: list[SpentOut]
    models: dict[str, float] = Field(description="Model id -> the sum over its certificates.")
    delta: float
    brake_delta: float = Field(description="Bounds the chance that the brake ever stopped anything falsely.")

    @classmethod
    def of(cls, one: Spending) -> SpendingOut:
        """Return what callers see."""
        return cls(
            certificates=[SpentOut(**vars(each)) for each in one.certificates],
            models=dict(one.models),
            delta=one.delta,
            brake_delta=one.brake_delta,
        )


class OversightOut(BaseModel):
    """The state of automation."""

    state: Literal["shadow", "certifying", "auto", "warned", "braked", "stopped"]
    since: datetime
    changed_by: str
    note: str
    model_id: str | None
    policy_id: str
    policy_version: int
    certificate: CertificateOut | None
    planned: CertificateOut | None
    planned_labels_in: int

    @classmethod
    def of(cls, found: Oversight) -> OversightOut:
        """Return what callers see."""
        control = found.control
        return cls(
            state=control.state,
            since=control.since,
            changed_by=control.changed_by,
            note=control.note,
            model_id=control.model_id,
            policy_id=control.policy_id,
            policy_version=found.policy_version,
            certificate=None if found.certificate is None else CertificateOut.of(found.certificate),
            planned=None if found.planned is None else CertificateOut.of(found.planned),
            planned_labels_in=found.planned_labels_in,
        )


class WhyIn(BaseModel):
    """A reason for the journal."""

    model_config = ConfigDict(extra="forbid")
    why: str = Field(min_length=3, max_length=2000)


class StateOut(BaseModel):
    """The state after a change."""

    state: str
    since: datetime

    @classmethod
    def of(cls, one: Control) -> StateOut:
        """Return what callers see."""
        return cls(state=one.state, since=one.since)


def routes(storage: Storage, review: Review, waiting: Waiting) -> Routes:
    """Return the routes of review."""
    routes = Routes("review", prefix="/projects/{project}")
    decision_routes(routes, storage, review, waiting)
    outgoing_routes(routes, storage, review)
    _policies(routes, storage, review)
    _oversight(routes, storage, review)
    return routes


def _policies(routes: Routes, storage: Storage, review: Review) -> None:
    @routes.put("/policy", permission="review.set_policy")
    def put_policy(body: dict[str, Any], who: Who, scope: In, loosens: Loosens = False) -> PolicyOut:
        """Check a policy and put it into force as the next version; one that lowers a safeguard must say so."""
        policy_id = review.activate_policy(who, scope, Policy.from_dict(body), loosens=loosens)
        version, document = storage.read(lambda uow: review.policy(uow, scope, policy_id))
        return PolicyOut(id=policy_id, version=version, document=document)

    @routes.post("/policy/dry-run", permission="review.try_policy", own_key=True)
    def try_policy(body: TrialIn, scope: In) -> TrialOut:
        """Replay recorded decisions through a policy, beside the one in force; changes nothing."""
        policy = Policy.from_dict(body.policy)
        return TrialOut.of(review.try_policy(scope, policy, since=body.begin(), limit=body.limit), body)

    @routes.post("/policy/import-a2i", permission="review.try_policy", own_key=True)
    def import_policy(body: A2IIn, scope: In) -> A2IOut:
        """Read activation conditions of Amazon A2I into a policy document, and name what has no counterpart."""
        del scope  # nothing of the project is read, and nothing is changed
        return A2IOut.of(import_a2i(body.conditions, body.question, body.fields()))


def _oversight(routes: Routes, storage: Storage, review: Review) -> None:
    @routes.get("/oversight", permission="review.read")
    async def oversight(scope: In) -> OversightOut | None:
        """Return the state of automation with its certificate and policy; null before the first policy."""
        found = await storage.aread(lambda uow: review.oversight(uow, scope))
        return None if found is None else OversightOut.of(found)

    @routes.post("/certificates", permission="review.certify", status=201)
    def plan_certificate(body: CertificateIn, who: Who, scope: In) -> CertificateOut:
        """Ask for a certificate for the champion: its labels are drawn by lot, then they speak."""
        return CertificateOut.of(review.plan_certificate(who, scope, **body.model_dump()))

    @routes.get("/certificates", permission="review.read")
    async def list_certificates(scope: In) -> list[CertificateOut]:
        """List the project's certificates, oldest first."""
        found = await storage.aread(lambda uow: review.certificates(uow, scope))
        return [CertificateOut.of(one) for one in found]

    @routes.get("/certificates/spent", permission="review.read")
    async def spent(scope: In) -> SpendingOut:
        """Return what the certificates spent of the chance to be wrong: each, by model and in sum."""
        return SpendingOut.of(await storage.aread(lambda uow: review.spending(uow, scope)))

    @routes.get("/automatic-error", permission="review.read")
    async def automatic_error(scope: In) -> ErrorOut | None:
        """Return the error of automatic decisions as the audits show it, or their mean loss under a policy that
        declares one; null before the first audit.
        """
        found = await storage.aread(lambda uow: review.audit_estimate(uow, scope))
        return None if found is None else ErrorOut(**found.to_dict())

    @routes.get("/audits", permission="govern.export")
    async def audits(scope: In) -> AuditsOut:
        """Return what audits and control items show, for leads and auditors: counts tell others what is planted."""
        return AuditsOut.of(await storage.aread(lambda uow: review.watching.figures(uow, scope)))

    @routes.get("/tallies", permission="review.read")
    async def tallies(scope: In) -> TalliesOut:
        """Return how many decisions went which way, by day, as far as the loop has counted."""
        return TalliesOut(days=await storage.aread(lambda uow: review.tallies(uow, scope)))

    @routes.post("/stop", permission="review.stop")
    async def stop(body: WhyIn, who: Who, scope: In) -> StateOut:
        """Stop automation: from now on every item goes to a person."""
        return StateOut.of(await storage.awrite(lambda uow: review.stop(uow, who, scope, body.why)))

    @routes.post("/restart", permission="review.restart")
    async def restart(body: WhyIn, who: Who, scope: In) -> StateOut:
        """Start automation again, by another person than the one who stopped it."""
        return StateOut.of(await storage.awrite(lambda uow: review.restart(uow, who, scope, body.why)))
