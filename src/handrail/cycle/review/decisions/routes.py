"""HTTP routes of decisions: decide one or many, look, wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import Response

from handrail.cycle.review.decisions.forms import (
    AcknowledgeIn,
    ConsumeIn,
    DecideIn,
    DecisionOut,
    ReceiptOut,
    ReversalOut,
    ReverseIn,
)
from handrail.cycle.review.decisions.lines import SMALL, answer_whole, answers
from handrail.cycle.review.model import Decision
from handrail.cycle.review.service import Review
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.authorize import allowed
from handrail.foundation.errors import Invalid
from handrail.foundation.http import Backlog, In, Limit, Once, Page, Routes, Stream, Waiting, WaitS, Who, arriving, read
from handrail.foundation.storage import Storage, UnitOfWork

MOST_WAIT_S = 55
BATCH_BYTES = 64 << 20
_NDJSON = "application/x-ndjson"
_LINES: dict[str, Any] = {
    "response_class": Response,
    "openapi_extra": {
        "requestBody": {"required": True, "content": {_NDJSON: {"schema": {"type": "string"}}}},
        "responses": {"200": {"content": {_NDJSON: {"schema": {"type": "string"}}}}},
    },
}
_WAIT: dict[str, Any] = {
    "openapi_extra": {
        "parameters": [
            {
                "name": "wait_s",
                "in": "query",
                "required": False,
                "description": "Seconds to wait while the decision is pending.",
                "schema": {"type": "number", "minimum": 0, "maximum": MOST_WAIT_S, "default": 0},
            }
        ]
    }
}


def decision_routes(routes: Routes, storage: Storage, review: Review, waiting: Waiting) -> None:
    """Add the routes of decisions."""

    async def sealed(who: Actor, scope: Scope, one: Decision) -> frozenset[str]:
        return await review.sealed_to(who, scope, [one])

    async def settled(scope: Scope, decision_id: str, wait_s: float) -> Decision:
        """Return a decision as soon as it is not pending any more, or as it is after `wait_s` seconds."""

        async def look() -> Decision | None:
            one = await storage.aread(lambda uow: review.decision(uow, scope, decision_id))
            return one if one.status != "pending" else None

        if wait_s:
            found: Decision | None = await waiting.until(f"decision:{decision_id}", look, wait_s)
            if found is not None:
                return found
        return await storage.aread(lambda uow: review.decision(uow, scope, decision_id))

    @routes.post("/decisions", permission="review.decide", own_key=True, **_WAIT)
    async def decide(body: DecideIn, request: Request, who: Who, scope: In) -> DecisionOut:
        """Decide one item: automatic where a certificate covers it, else pending until a person answers.

        With `wait_s` the answer waits so long for the person. A dropped connection loses nothing: the same key gives
        the same decision, and so does its id.
        """
        wait_s = _wait_s(request)
        made = await review.decide(who, scope, body.wanted())
        if wait_s and made.status == "pending":
            made = await settled(scope, made.id, wait_s)
        return DecisionOut.of(made, await sealed(who, scope, made))

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
        found = await settled(scope, decision_id, wait_s)
        return _kept_apart(DecisionOut.of(found, await sealed(who, scope, found)), who, scope)

    _batches(routes, review)
    _execution(routes, storage, review)


def _kept_apart(made: DecisionOut, who: Actor, scope: Scope) -> DecisionOut:
    """Return a sealed decision without its item for those who only answer tasks: the stream names every decision, and
    with their items it would tell which tasks have none behind them.
    """
    hides = made.sealed and not allowed(who, "govern.read", scope.project_id)
    return made.model_copy(update={"item_id": ""}) if hides else made


def _batches(routes: Routes, review: Review) -> None:
    @routes.post("/decisions/batch", permission="review.decide", own_key=True, body_limit=BATCH_BYTES, **_LINES)
    async def decide_batch(request: Request, who: Who, scope: In) -> Response:
        """Decide many items: JSON lines in, one JSON line out for each, a decision or an error, in order.

        Answers come while lines still arrive; a line is at most 1 MiB. An error of the whole batch after the first
        answers is a last line.
        """
        if int(_stated(request) or SMALL + 1) <= SMALL:
            whole = await answer_whole(review, who, scope, await read(request, SMALL))
            return Response(whole, media_type=_NDJSON)
        made = answers(review, who, scope, arriving(request, BATCH_BYTES))
        first = await anext(made, b"")
        return Stream(_sent(first, made), media_type=_NDJSON)


def _execution(routes: Routes, storage: Storage, review: Review) -> None:
    @routes.post("/decisions/{decision_id}/consume", permission="review.decide", own_key=True)
    async def consume(decision_id: str, body: ConsumeIn, who: Who, scope: In) -> ReceiptOut:
        """Take a decision before acting on it: one caller gets it, the same one again gets the same receipt."""
        consume = review.consuming.consume
        made = await storage.awrite(
            lambda uow: consume(uow, who, scope, decision_id, caller=body.caller, action_hash=body.action_hash)
        )
        return ReceiptOut.of(made)

    @routes.post("/decisions/{decision_id}/reverse", permission="review.reverse")
    async def reverse(decision_id: str, body: ReverseIn, who: Who, scope: In, once: Once) -> DecisionOut:
        """Take a settled decision back, as a person; who has acted on it must acknowledge that."""

        def unit(uow: UnitOfWork) -> DecisionOut:
            more = {"reason": body.reason, "value": body.value, "acknowledge_s": body.acknowledge_s}
            made = review.reversing.reverse(uow, who, scope, decision_id, **more)
            return DecisionOut.of(made, review.sealed_for(uow, who, scope, [made]))

        return await once.write(unit)

    @routes.get("/reversals", permission="review.read")
    async def list_reversals(
        scope: In, limit: Limit = 50, before: Annotated[str | None, Query(max_length=36)] = None
    ) -> Page[ReversalOut]:
        """List reversals of decisions that somebody had acted on, newest decision first."""
        found = await storage.aread(lambda uow: review.reversing.reversals(uow, scope, before=before, limit=limit))
        following = found[-1].decision_id if len(found) == limit else None
        return Page(items=[ReversalOut.of(one) for one in found], next=following)

    @routes.post("/reversals/{decision_id}/acknowledge", permission="review.decide", own_key=True)
    async def acknowledge(decision_id: str, body: AcknowledgeIn, who: Who, scope: In) -> ReversalOut:
        """Say that who acted on a decision knows that it was taken back; again changes nothing."""
        made = await storage.awrite(lambda uow: review.reversing.acknowledge(uow, who, scope, decision_id, body.note))
        return ReversalOut.of(made)


def _stated(request: Request) -> str:
    """Return the length that a request says it has, or "" when it says none."""
    stated = request.headers.get("content-length", "")
    return stated if stated.isascii() and stated.isdigit() and len(stated) < 20 else ""


async def _sent(first: bytes, made: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Give the answers as they are made; who reads none of them before the request is sent keeps nobody waiting."""
    backlog = Backlog()
    backlog.add(first)

    async def fill() -> None:
        try:
            async for part in made:
                backlog.add(part)
        finally:
            backlog.end()

    filling = asyncio.create_task(fill())
    try:
        async for part in backlog.parts():
            yield part
        await filling
    finally:
        filling.cancel()


def _wait_s(request: Request) -> float:
    """Read `wait_s` by hand: nearly every decision comes without, and each parameter costs all of them."""
    given = request.query_params.get("wait_s") if request.scope["query_string"] else None
    if given is None:
        return 0.0
    try:
        wait_s = float(given)
    except ValueError:
        wait_s = -1.0
    if not 0 <= wait_s <= MOST_WAIT_S:
        raise Invalid("wait_s is not a number of seconds from 0 to 55.", hint="Wait again with GET for longer.")
    return wait_s
