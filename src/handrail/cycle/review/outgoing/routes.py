"""HTTP routes of what is told to other systems."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from handrail.cycle.review.outgoing.streaming import place_of
from handrail.cycle.review.outgoing.telling import KINDS, Kind
from handrail.cycle.review.service import Review
from handrail.cycle.review.store import Webhook
from handrail.foundation.http import In, Once, Routes, Stream, WaitS, Who
from handrail.foundation.storage import Storage, UnitOfWork

_EVENT_STREAM = "text/event-stream"
_EVENTS: dict[str, Any] = {
    "response_class": Response,
    "openapi_extra": {"responses": {"200": {"content": {_EVENT_STREAM: {"schema": {"type": "string"}}}}}},
}


class WebhookIn(BaseModel):
    """Where to tell what."""

    model_config = ConfigDict(extra="forbid")
    url: str = Field(min_length=1, max_length=1000, description="https address that the settings let the server call.")
    events: list[Kind] = Field(default_factory=lambda: list(KINDS), min_length=1, max_length=len(KINDS))


class WebhookOut(BaseModel):
    """A web hook and how it goes: disabled means that nothing is sent until somebody enables it again."""

    id: str
    url: str
    events: list[Kind]
    status: Literal["working", "failing", "disabled"]
    failing_since: datetime | None
    tries: int
    next_try_at: datetime | None
    delivered_at: datetime | None
    last_error: str
    created_at: datetime

    @classmethod
    def of(cls, one: Webhook) -> WebhookOut:
        """Return what callers see; the secret is not among it."""
        failing = one.failing_since is not None
        return cls(
            id=one.id,
            url=one.url,
            events=list(one.events),  # type: ignore[arg-type]  # checked when it was made
            status="disabled" if one.disabled_at is not None else "failing" if failing else "working",
            failing_since=one.failing_since,
            tries=one.tries,
            next_try_at=one.next_at if failing and one.disabled_at is None else None,
            delivered_at=one.delivered_at,
            last_error=one.last_error,
            created_at=one.created_at,
        )


class WebhookMadeOut(WebhookOut):
    """A new web hook with its secret, which is never shown again."""

    secret: str


def outgoing_routes(routes: Routes, storage: Storage, review: Review) -> None:
    """Add the routes of web hooks and of the stream of events."""
    hooks = review.webhooks

    @routes.post("/webhooks", permission="review.set_webhooks", status=201)
    async def add_webhook(body: WebhookIn, who: Who, scope: In, once: Once) -> WebhookMadeOut:
        """Tell another system about decisions from now on; the answer holds the secret that signs, once."""

        def unit(uow: UnitOfWork) -> WebhookMadeOut:
            made = hooks.add(uow, who, scope, body.url, body.events)
            return WebhookMadeOut(**dict(WebhookOut.of(made)), secret=made.secret)

        return await once.write(unit)

    @routes.get("/webhooks", permission="review.read")
    async def list_webhooks(scope: In) -> list[WebhookOut]:
        """List the web hooks and how they go, oldest first."""
        return [WebhookOut.of(one) for one in await storage.aread(lambda uow: hooks.all(uow, scope))]

    @routes.post("/webhooks/{webhook_id}/enable", permission="review.set_webhooks", own_key=True)
    async def enable_webhook(webhook_id: str, who: Who, scope: In) -> WebhookOut:
        """Let a web hook go on where it stopped."""
        return WebhookOut.of(await storage.awrite(lambda uow: hooks.enable(uow, who, scope, webhook_id)))

    @routes.delete("/webhooks/{webhook_id}", permission="review.set_webhooks")
    async def remove_webhook(webhook_id: str, who: Who, scope: In) -> None:
        """Remove a web hook."""
        await storage.awrite(lambda uow: hooks.remove(uow, who, scope, webhook_id))

    _stream(routes, review)


def _stream(routes: Routes, review: Review) -> None:
    @routes.get("/events", permission="review.read", **_EVENTS)
    async def stream_events(
        request: Request,
        scope: In,
        wait_s: WaitS = 0,
        after: Annotated[str | None, Query(max_length=20, description="As Last-Event-ID.")] = None,
    ) -> Response:
        """Follow what is decided and how automation changes, as server-sent events; answers are left out.

        `Last-Event-ID` goes on after that event. Without `Accept: text/event-stream` the answer ends with the first
        events, or after `wait_s` seconds.
        """
        stated = request.headers.get("last-event-id") or after
        last = await review.streams.begin(None if stated is None else place_of(stated))
        live = _EVENT_STREAM in request.headers.get("accept", "")
        told = review.streams.follow(scope, last, gone=request.is_disconnected, wait_s=None if live else wait_s)
        return Stream(told, media_type=_EVENT_STREAM)
