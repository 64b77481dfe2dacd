"""SQL of web hooks: where to send, how far it is, how it goes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update

from handrail.cycle.review.store.tables import webhook
from handrail.foundation.actors import Scope
from handrail.foundation.canonical import encode
from handrail.foundation.clock import from_micros, micros
from handrail.foundation.storage import UnitOfWork

_COLUMNS = [
    webhook.c[name]
    for name in (
        "id project_id url secret events cursor created_at tries failing_since next_at delivered_at last_error "
        "disabled_at"
    ).split()
]
_INSERT = insert(webhook)
_LIST = select(*_COLUMNS).where(webhook.c.project_id == bindparam("project")).order_by(webhook.c.id)
_COUNT = select(func.count()).where(webhook.c.project_id == bindparam("project"))
_GET = select(*_COLUMNS).where(webhook.c.project_id == bindparam("project"), webhook.c.id == bindparam("of_webhook"))
_DELETE = delete(webhook).where(webhook.c.project_id == bindparam("project"), webhook.c.id == bindparam("of_webhook"))
# every project: one thread sends for all of them and takes the scope from the row
_DUE = select(*_COLUMNS).where(webhook.c.disabled_at.is_(None), webhook.c.next_at <= bindparam("now"))
_TAKE = (
    update(webhook)
    .where(
        webhook.c.project_id == bindparam("project"),
        webhook.c.id == bindparam("of_webhook"),
        webhook.c.next_at == bindparam("seen"),
        webhook.c.cursor == bindparam("at_index"),
        webhook.c.disabled_at.is_(None),
    )
    .values(next_at=bindparam("until"))
)
_MOVED = (
    update(webhook)
    .where(
        webhook.c.project_id == bindparam("project"),
        webhook.c.id == bindparam("of_webhook"),
        webhook.c.cursor < bindparam("at_index"),
    )
    .values(cursor=bindparam("at_index"))
)
_DELIVERED = (
    update(webhook)
    .where(
        webhook.c.project_id == bindparam("project"),
        webhook.c.id == bindparam("of_webhook"),
        webhook.c.cursor < bindparam("at_index"),
    )
    .values(
        cursor=bindparam("at_index"),
        delivered_at=bindparam("now"),
        next_at=bindparam("until"),
        tries=0,
        failing_since=None,
        last_error="",
    )
)
_STATE = (
    update(webhook)
    .where(webhook.c.project_id == bindparam("project"), webhook.c.id == bindparam("of_webhook"))
    .values(
        tries=bindparam("failures"),
        failing_since=bindparam("since"),
        next_at=bindparam("until"),
        last_error=bindparam("error"),
        disabled_at=bindparam("disabled"),
    )
)


@dataclass(frozen=True)
class Webhook:
    """Where to tell what; `cursor` is the journal index up to which it was told."""

    id: str
    project_id: str
    url: str
    secret: str = field(repr=False)
    events: tuple[str, ...]
    cursor: int
    created_at: datetime
    tries: int
    failing_since: datetime | None
    next_at: datetime
    delivered_at: datetime | None
    last_error: str
    disabled_at: datetime | None

    @property
    def scope(self) -> Scope:
        """The project whose decisions it tells of."""
        return Scope(self.project_id)


def _webhook(row: tuple[Any, ...]) -> Webhook:
    id_, project, url, secret, events, cursor, created, tries, since, following, delivered, error, disabled = row
    return Webhook(
        id=id_,
        project_id=project,
        url=url,
        secret=secret,
        events=tuple(json.loads(events)),
        cursor=int(cursor),
        created_at=from_micros(created),
        tries=int(tries),
        failing_since=None if since is None else from_micros(since),
        next_at=from_micros(following),
        delivered_at=None if delivered is None else from_micros(delivered),
        last_error=error,
        disabled_at=None if disabled is None else from_micros(disabled),
    )


def add_webhook(uow: UnitOfWork, scope: Scope, one: Webhook, created_by: str) -> None:
    """Insert a web hook."""
    uow.add(
        _INSERT,
        id=one.id,
        project_id=scope.project_id,
        url=one.url,
        secret=one.secret,
        events=encode(one.events),
        cursor=one.cursor,
        created_at=micros(one.created_at),
        created_by=created_by,
        tries=0,
        failing_since=None,
        next_at=micros(one.next_at),
        delivered_at=None,
        last_error="",
        disabled_at=None,
    )


def webhooks(uow: UnitOfWork, scope: Scope) -> list[Webhook]:
    """Return a project's web hooks, oldest first."""
    return [_webhook(row) for row in uow.run(_LIST, project=scope.project_id).all()]


def count_webhooks(uow: UnitOfWork, scope: Scope) -> int:
    """Return how many web hooks a project has."""
    return int(uow.run(_COUNT, project=scope.project_id).scalar())


def get_webhook(uow: UnitOfWork, scope: Scope, webhook_id: str) -> Webhook | None:
    """Return a web hook."""
    row = uow.run(_GET, project=scope.project_id, of_webhook=webhook_id).first()
    return None if row is None else _webhook(row)


def remove_webhook(uow: UnitOfWork, scope: Scope, webhook_id: str) -> None:
    """Delete a web hook."""
    uow.add(_DELETE, project=scope.project_id, of_webhook=webhook_id)


def webhooks_due(uow: UnitOfWork, now: int) -> list[Webhook]:
    """Return the web hooks of every project that may send now."""
    return [_webhook(row) for row in uow.run(_DUE, now=now).all()]


def take_webhook(uow: UnitOfWork, one: Webhook, until: int) -> bool:
    """Keep every other process from sending for a web hook until then; False when one does already."""
    found = uow.run(
        _TAKE, project=one.project_id, of_webhook=one.id, seen=micros(one.next_at), at_index=one.cursor, until=until
    )
    return found.rowcount == 1


def move_webhook(uow: UnitOfWork, one: Webhook, index: int) -> None:
    """Remember that there was nothing to tell up to an index."""
    uow.add(_MOVED, project=one.project_id, of_webhook=one.id, at_index=index)


def delivered(uow: UnitOfWork, one: Webhook, index: int, *, now: int, until: int) -> None:
    """Remember that everything up to an index was received, and keep the web hook until then."""
    uow.add(_DELIVERED, project=one.project_id, of_webhook=one.id, at_index=index, now=now, until=until)


def put_state(
    uow: UnitOfWork, one: Webhook, *, tries: int, since: int | None, until: int, error: str, disabled: int | None
) -> None:
    """Write how sending goes: failures in a row, since when, when to try again, what was wrong."""
    uow.add(
        _STATE,
        project=one.project_id,
        of_webhook=one.id,
        failures=tries,
        since=since,
        until=until,
        error=error,
        disabled=disabled,
    )
