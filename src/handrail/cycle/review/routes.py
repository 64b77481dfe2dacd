"""HTTP routes of review: decide, policies, certificates, stop and restart."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from handrail.cycle.review.model import CertificateRow, Control, Decision, Given, Policy
from handrail.cycle.review.model import Request as Wanted
from handrail.cycle.review.sealing import kept_back
from handrail.cycle.review.service import Oversight, Review
from handrail.foundation.actors import Actor
from handrail.foundation.canonical import encode
from handrail.foundation.errors import HandrailError, Invalid
from handrail.foundation.http import In, Limit, Page, Routes, Waiting, WaitS, Who
from handrail.foundation.storage import Storage

BATCH = 1000
Sealing = Callable[..., Awaitable[frozenset[str]]]
_NDJSON = "application/x-ndjson"
_LINES: dict[str, Any] = {
    "response_class": Response,
    "openapi_extra": {
        "requestBody": {"required": True, "content": {_NDJSON: {"schema": {"type": "string"}}}},
        "responses": {"200": {"content": {_NDJSON: {"schema": {"type": "string"}}}}},
    },
}


class PredictionIn(BaseModel):
    """A prediction that the caller brings; it is shown to people and never automated under a champion's certificate."""

    model_config = ConfigDict(extra="forbid")
    value: Any
    score: float = Field(ge=0, le=1, description="Calibrated confidence in the value.")
    scores: dict[str, float] = Field(default_factory=dict)


class DecideIn(BaseModel):
    """One item to decide."""

    model_config = ConfigDict(extra="forbid")
    external_id: str = Field(min_length=1, max_length=200, description="Your name of the item.")
    data: dict[str, Any] = Field(description="The item's fields, as the schema names them.")
    idempotency_key: str = Field(
        min_length=1, max_length=200, description="Same key and payload: same decision; other payload: 409."
    )
    group: dict[str, str] = Field(default_factory=dict, description="Group attributes, kept apart from the fields.")
    subject: str | None = Field(default=None, max_length=200, description="The person whom the item is about.")
    observed_at: datetime | None = Field(default=None, description="When the item was observed; now if not given.")
    prediction: PredictionIn | None = None
    deadline_s: float | None = Field(
        default=None, gt=0, le=31_536_000, description="Seconds until the deadline counts."
    )
    on_deadline: Literal["hold", "deny"] = Field(
        default="hold", description="hold: wait on; deny: the decision expires."
    )

    def wanted(self) -> Wanted:
        """Return the request as review knows it."""
        given = self.prediction
        if self.observed_at is not None and self.observed_at.tzinfo is None:
            raise Invalid("observed_at has no time zone.", hint="Write it like 2026-11-05T10:00:00Z.")
        return Wanted(
            external_id=self.external_id,
            data=self.data,
            idempotency_key=self.idempotency_key,
            group=self.group,
            subject=self.subject,
            observed_at=self.observed_at,
            prediction=None if given is None else Given(given.value, given.score, given.scores),
            deadline_s=self.deadline_s,
            on_deadline=self.on_deadline,
        )


class DecisionOut(BaseModel):
    """A decision. `by` is person:…, simulated:…, policy:…, rule:…, deadline:… or brake:…; never a person by default."""

    id: str
    item_id: str
    question: str
    status: Literal["auto", "pending", "decided", "blocked", "expired", "reversed"]
    route: Literal["auto", "human", "blocked"]
    value: Any
    by: str
    score: float | None
    prediction: dict[str, Any] | None
    reasons: list[str]
    certificate_id: str | None
    policy_id: str
    model_id: str | None
    commit_id: str | None
    audit_probability: float | None
    task_id: str | None
    created_at: datetime
    decided_at: datetime | None
    expires_at: datetime | None
    sealed: bool = Field(description="True while the model's answer is kept from you.")

    @classmethod
    def of(cls, one: Decision, sealed_for: Collection[str] = ()) -> DecisionOut:
        """Return what callers see; whether an audit was drawn is not told, or a check would not be blind."""
        made = cls(
            id=one.id,
            item_id=one.item_id,
            question=one.question,
            status=one.status,
            route=one.route,
            value=one.value,
            by=f"{one.by_kind}:{one.by_id}",
            score=one.score,
            prediction=one.prediction,
            reasons=list(one.reasons),
            certificate_id=one.certificate_id,
            policy_id=one.policy_id,
            model_id=one.model_id,
            commit_id=one.commit_id,
            audit_probability=one.audit_probability,
            task_id=None if one.route == "auto" else one.task_id,
            created_at=one.created_at,
            decided_at=one.decided_at,
            expires_at=one.expires_at,
            sealed=one.id in sealed_for,
        )
        return made.model_copy(update=kept_back(one)) if made.sealed else made


class PolicyOut(BaseModel):
    """A policy that is or was in force."""

    id: str
    version: int
    document: dict[str, Any]


class CertificateOut(BaseModel):
    """A certificate from plan to end."""

    id: str
    number: int
    model_id: str
    model_digest: str
    status: Literal["planned", "certified", "refused", "ended"]
    source: Literal["archive", "stream"]
    mode: Literal["closed", "strict"] = Field(description="The test; fixed when the certificate was planned.")
    alpha: float
    delta: float
    threshold: float | None
    labels_planned: int
    labels_drawn: int
    needed: int | None
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
            alpha=one.alpha,
            delta=one.delta,
            threshold=one.threshold,
            labels_planned=one.labels_planned,
            labels_drawn=one.labels_drawn,
            needed=one.document.get("needed"),
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
    labels: int = Field(ge=1, le=100_000, description="How many labels to draw; fixed before the first one.")
    source: Literal["archive", "stream"] = Field(
        default="archive", description="From stored items, or from those to come."
    )
    alpha: float | None = Field(default=None, gt=0, lt=0.5, description="Highest error; the policy's if not given.")
    delta: float | None = Field(
        default=None, gt=0, lt=0.5, description="Chance of a wrong certificate; the policy's if not."
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


class ErrorOut(BaseModel):
    """A share of errors with its interval at confidence `level`, from `n` audits."""

    value: float
    low: float
    high: float
    n: int
    level: float
    method: str


class TalliesOut(BaseModel):
    """Number of decisions: by day (YYYYMMDD), then by route."""

    days: dict[int, dict[str, int]]


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
    _decisions(routes, storage, review, waiting)
    _oversight(routes, storage, review)
    return routes


def _decisions(routes: Routes, storage: Storage, review: Review, waiting: Waiting) -> None:
    async def sealed(who: Actor, scope: In, *found: Decision) -> frozenset[str]:
        return await storage.aread(lambda uow: review.sealed_for(uow, who, scope, found))

    @routes.post("/decisions", permission="review.decide", own_key=True)
    async def decide(body: DecideIn, who: Who, scope: In) -> DecisionOut:
        """Decide one item: automatic where a certificate covers it, else pending until a person answers."""
        made = await review.decide(who, scope, body.wanted())
        return DecisionOut.of(made, await sealed(who, scope, made) if who.is_human else ())

    @routes.post("/decisions/batch", permission="review.decide", own_key=True, body_limit=64 << 20, **_LINES)
    async def decide_batch(request: Request, who: Who, scope: In) -> Response:
        """Decide many items: JSON lines in, one JSON line out for each, a decision or an error, in order."""
        lines = await _decide_lines(review, who, scope, await request.body(), sealed)
        return Response("".join(line + "\n" for line in lines), media_type=_NDJSON)

    @routes.get("/decisions", permission="review.read")
    async def list_decisions(
        who: Who, scope: In, limit: Limit = 50, before: Annotated[str | None, Query(max_length=36)] = None
    ) -> Page[DecisionOut]:
        """List decisions, newest first; to whom they are sealed until their own answer only those they answered."""
        found, kept, following = await storage.aread(
            lambda uow: review.listed(uow, who, scope, before=before, limit=limit)
        )
        return Page(items=[DecisionOut.of(one, kept) for one in found], next=following)

    @routes.get("/decisions/{decision_id}", permission="review.read")
    async def get_decision(decision_id: str, who: Who, scope: In, wait_s: WaitS = 0) -> DecisionOut:
        """Return a decision; with `wait_s` wait until it is no longer pending."""

        async def look() -> Decision | None:
            one = await storage.aread(lambda uow: review.decision(uow, scope, decision_id))
            return one if one.status != "pending" else None

        if wait_s:
            settled = await waiting.until(f"decision:{decision_id}", look, wait_s)
            if settled is not None:
                return DecisionOut.of(settled, await sealed(who, scope, settled))
        found = await storage.aread(lambda uow: review.decision(uow, scope, decision_id))
        return DecisionOut.of(found, await sealed(who, scope, found))


async def _decide_lines(review: Review, who: Actor, scope: In, body: bytes, sealed: Sealing) -> list[str]:
    raw = [line for line in body.split(b"\n") if line.strip()]
    if len(raw) > BATCH:
        raise Invalid(f"A batch holds at most {BATCH} lines.", hint="Send several batches.", lines=len(raw))
    out = [""] * len(raw)
    wanted: list[Wanted] = []
    places: list[int] = []
    for place, line in enumerate(raw):
        try:
            wanted.append(DecideIn.model_validate_json(line).wanted())
            places.append(place)
        except ValidationError as error:
            what = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            out[place] = _error("request.invalid", f"Line {place + 1}: {what}")
        except HandrailError as refused:
            out[place] = _error(refused.code, f"Line {place + 1}: {refused.sentence}", refused.hint)
    decided = await review.decide_many(who, scope, wanted)
    kept = await sealed(who, scope, *(one for one in decided if isinstance(one, Decision)))
    for place, made in zip(places, decided, strict=True):
        if isinstance(made, HandrailError):
            out[place] = _error(made.code, f"Line {place + 1}: {made.sentence}", made.hint)
        else:
            out[place] = DecisionOut.of(made, kept).model_dump_json()
    return out


def _error(code: str, sentence: str, hint: str = "") -> str:
    return encode({"error": {"code": code, "detail": sentence, "hint": hint}})


def _oversight(routes: Routes, storage: Storage, review: Review) -> None:
    @routes.put("/policy", permission="review.set_policy")
    def put_policy(body: dict[str, Any], who: Who, scope: In) -> PolicyOut:
        """Check a policy and put it into force as the next version."""
        policy_id = review.activate_policy(who, scope, Policy.from_dict(body))
        version, document = storage.read(lambda uow: review.policy(uow, scope, policy_id))
        return PolicyOut(id=policy_id, version=version, document=document)

    @routes.get("/oversight", permission="review.read")
    async def oversight(scope: In) -> OversightOut | None:
        """Return the state of automation with its certificate and policy; null before the first policy."""
        found = await storage.aread(lambda uow: review.oversight(uow, scope))
        return None if found is None else OversightOut.of(found)

    @routes.post("/certificates", permission="review.certify", status=201)
    def plan_certificate(body: CertificateIn, who: Who, scope: In) -> CertificateOut:
        """Ask for a certificate for the champion: its labels are drawn by lot, then they speak."""
        made = review.plan_certificate(
            who, scope, labels=body.labels, source=body.source, alpha=body.alpha, delta=body.delta
        )
        return CertificateOut.of(made)

    @routes.get("/certificates", permission="review.read")
    async def list_certificates(scope: In) -> list[CertificateOut]:
        """List the project's certificates, oldest first."""
        found = await storage.aread(lambda uow: review.certificates(uow, scope))
        return [CertificateOut.of(one) for one in found]

    @routes.get("/automatic-error", permission="review.read")
    async def automatic_error(scope: In) -> ErrorOut | None:
        """Return the error of automatic decisions as the audits show it; null before the first audit."""
        found = await storage.aread(lambda uow: review.audit_estimate(uow, scope))
        return None if found is None else ErrorOut(**found.to_dict())

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
