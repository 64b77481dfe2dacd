"""Web hooks of a project: made, listed, removed, set going again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from handrail.cycle.review import store
from handrail.cycle.review.events import WebhookAdded, WebhookEnabled, WebhookRemoved
from handrail.cycle.review.outgoing.signing import SECRET_BYTES, secret_of
from handrail.cycle.review.outgoing.telling import KINDS
from handrail.cycle.review.store import Webhook
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock, micros
from handrail.foundation.errors import Conflict, Invalid, NotFound
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import UnitOfWork

MOST = 10
MOST_URL = 1000
_URL = re.compile(r"https?://[!-~]+")


class WebhookNotFound(NotFound):
    """No web hook with this id in the project."""

    code = "review.webhook_not_found"


class TooManyWebhooks(Conflict):
    """The project has as many web hooks as it may have."""

    code = "review.too_many_webhooks"


class Webhooks:
    """Keeps the web hooks of every project."""

    def __init__(self, journal: Journal, clock: Clock, ids: Ids, randomness: Randomness) -> None:
        self._journal = journal
        self._clock = clock
        self._ids = ids
        self._randomness = randomness

    def add(self, uow: UnitOfWork, actor: Actor, scope: Scope, url: str, events: Sequence[str]) -> Webhook:
        """Make a web hook that is told what happens from now on; its secret is shown here and never again.

        Whether the address may be reached is judged at every delivery. Raises Invalid, TooManyWebhooks.
        """
        if len(url) > MOST_URL or not _URL.fullmatch(url) or not urlsplit(url).hostname or urlsplit(url).username:
            raise Invalid("This is no address for a web hook.", hint="Send one like https://service.example/handrail.")
        unknown = sorted(set(events) - set(KINDS))
        if unknown or not events:
            raise Invalid(f"No such event: {', '.join(unknown) or 'none given'}.", hint=f"Events: {', '.join(KINDS)}.")
        if store.count_webhooks(uow, scope) >= MOST:
            raise TooManyWebhooks(f"A project has at most {MOST} web hooks.", hint="Remove one first.")
        now = self._clock.now()
        made = Webhook(
            id=self._ids.new(),
            project_id=scope.project_id,
            url=url,
            secret=secret_of(self._randomness.bytes(SECRET_BYTES)),
            events=tuple(one for one in KINDS if one in events),
            cursor=self._journal.size(uow) - 1,
            created_at=now,
            tries=0,
            failing_since=None,
            next_at=now,
            delivered_at=None,
            last_error="",
            disabled_at=None,
        )
        store.add_webhook(uow, scope, made, actor.id)
        event = WebhookAdded(webhook_id=made.id, url=url, events=list(made.events))
        self._journal.append(uow, actor, scope.project_id, event)
        return made

    def all(self, uow: UnitOfWork, scope: Scope) -> list[Webhook]:
        """Return the web hooks of a project, oldest first."""
        return store.webhooks(uow, scope)

    def remove(self, uow: UnitOfWork, actor: Actor, scope: Scope, webhook_id: str) -> None:
        """Remove a web hook; raises WebhookNotFound."""
        self._get(uow, scope, webhook_id)
        store.remove_webhook(uow, scope, webhook_id)
        self._journal.append(uow, actor, scope.project_id, WebhookRemoved(webhook_id=webhook_id))

    def enable(self, uow: UnitOfWork, actor: Actor, scope: Scope, webhook_id: str) -> Webhook:
        """Let a web hook go on where it stopped, at once; raises WebhookNotFound."""
        one = self._get(uow, scope, webhook_id)
        now = self._clock.now()
        store.put_state(uow, one, tries=0, since=None, until=micros(now), error="", disabled=None)
        self._journal.append(uow, actor, scope.project_id, WebhookEnabled(webhook_id=webhook_id))
        return replace(one, tries=0, failing_since=None, next_at=now, last_error="", disabled_at=None)

    def _get(self, uow: UnitOfWork, scope: Scope, webhook_id: str) -> Webhook:
        one = store.get_webhook(uow, scope, webhook_id)
        if one is None:
            raise WebhookNotFound("No such web hook in this project.")
        return one
