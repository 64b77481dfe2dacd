"""Sends what the journal says to web hooks: in order, at least once, also after the process was killed.

How far each web hook is stands in the database and moves after the receiver has said yes. A receiver that does not is
asked again after a pause that doubles; meanwhile nothing overtakes.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from handrail.cycle.review import store
from handrail.cycle.review.events import WebhookDisabled
from handrail.cycle.review.outgoing.signing import GIVE_UP_S, headers, pause_s
from handrail.cycle.review.outgoing.telling import Told, told
from handrail.cycle.review.store import Webhook
from handrail.foundation.actors import Actor
from handrail.foundation.canonical import encode
from handrail.foundation.clock import Clock, micros
from handrail.foundation.errors import HandrailError
from handrail.foundation.fetch import Fetch, Rules, why_dangerous
from handrail.foundation.journal import Journal, Recorded
from handrail.foundation.storage import Storage, UnitOfWork

_SENDER = Actor.rule("webhooks")
_TICK_S = 0.5
_BATCH = 200
_AT_ONCE = 8
_LEASE = timedelta(seconds=15)
_TIMEOUT_S = 10.0
_MOST_ANSWER = 1 << 16
_ANSWERED = "It answered "
_GONE = 410
_NAME = "not a numeric address"  # what foundation/fetch says of a name
_SKIPPED = 100  # entries with nothing to tell that are passed over before it is written down


class Deliveries:
    """Sends for every project. `reach`: the hosts and networks that the settings name."""

    def __init__(self, storage: Storage, journal: Journal, clock: Clock, reach: Rules) -> None:
        self._storage = storage
        self._journal = journal
        self._clock = clock
        self._reach = reach
        self._stopping = threading.Event()
        self._under_way: dict[str, Future[int]] = {}

    def run(self) -> None:
        """Send until `stop`; for a thread of its own. A slow receiver keeps no other one waiting."""
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="handrail-webhook") as senders:
            while not self._stopping.wait(_TICK_S):
                try:
                    self._under_way = {key: one for key, one in self._under_way.items() if not one.done()}
                    for hook in self._due():
                        if hook.id not in self._under_way:
                            self._under_way[hook.id] = senders.submit(self._turn, hook)
                except Exception:
                    logging.getLogger("handrail.webhooks").exception("Web hooks could not be looked at; again soon.")

    def stop(self) -> None:
        """End `run` after what is being sent."""
        self._stopping.set()

    def tick(self) -> int:
        """Send everything that is due, one after another, and return how many deliveries were received."""
        return sum(self._turn(hook) for hook in self._due())

    def _due(self) -> list[Webhook]:
        now = micros(self._clock.now())
        return self._storage.read(lambda uow: store.webhooks_due(uow, now))

    def _turn(self, hook: Webhook) -> int:
        try:
            return self._send_all(hook)
        except HandrailError as error:
            logging.getLogger("handrail.webhooks").warning("Web hook %s: %s (%s)", hook.id, error.sentence, error.code)
            return 0

    def _send_all(self, hook: Webhook) -> int:
        entries = self._storage.read(lambda uow: self._journal.following(uow, hook.project_id, hook.cursor, _BATCH))
        messages = [one for entry in entries if (one := _message(entry)) is not None and one.kind in hook.events]
        if not messages:
            if len(entries) >= _SKIPPED:
                self._storage.write(lambda uow: store.move_webhook(uow, hook, entries[-1].index))
            return 0
        if not self._storage.write(lambda uow: store.take_webhook(uow, hook, micros(self._clock.now() + _LEASE))):
            return 0
        sent = 0
        while sent < len(messages) and not self._stopping.is_set():
            one = messages[sent]
            wrong = self._send(hook, one)
            if wrong is not None:
                self._storage.write(lambda uow: self._failed(uow, hook, wrong, received=sent))  # noqa: B023
                return sent
            self._storage.write(lambda uow: self._received(uow, hook, one))  # noqa: B023
            sent += 1
        self._storage.write(
            lambda uow: store.put_state(
                uow, hook, tries=0, since=None, until=micros(self._clock.now()), error="", disabled=None
            )
        )
        return sent

    def _send(self, hook: Webhook, one: Told) -> str | None:
        """Return None when the receiver said yes, else what was wrong."""
        body = encode(one.document()).encode()
        sent = headers(hook.secret, one.id, int(self._clock.now().timestamp()), body)
        try:
            reply = Fetch(self._rules(hook.url)).send("POST", hook.url, headers=sent, content=body)
        except HandrailError as error:
            return f"{error.sentence} ({error.code})"
        return None if 200 <= reply.status < 300 else f"{_ANSWERED}{reply.status}"

    def _rules(self, url: str) -> Rules:
        """Return what this delivery may reach: the settings decide about the host, this about the way there.

        Without encryption only addresses that are not public are reached, and those only where the settings name
        their network.
        """
        parts = urlsplit(url)
        host = parts.hostname or ""
        inside = host == "localhost" or (why_dangerous(host) or _NAME) != _NAME
        return replace(
            self._reach,
            schemes=("https", "http") if inside else ("https",),
            ports=(parts.port or {"https": 443}.get(parts.scheme, 80),),
            redirects=0,
            max_bytes=_MOST_ANSWER,
            timeout_s=_TIMEOUT_S,
        )

    def _received(self, uow: UnitOfWork, hook: Webhook, one: Told) -> None:
        now = self._clock.now()
        store.delivered(uow, hook, one.index, now=micros(now), until=micros(now + _LEASE))

    def _failed(self, uow: UnitOfWork, hook: Webhook, wrong: str, *, received: int) -> None:
        """Try again after a pause; give up on a receiver that is gone or has not said yes for three days."""
        now = self._clock.now()
        first = received > 0 or hook.failing_since is None
        since: datetime = now if first or hook.failing_since is None else hook.failing_since
        tries = 1 if first else hook.tries + 1
        gone = wrong == f"{_ANSWERED}{_GONE}"
        over = gone or (now - since).total_seconds() >= GIVE_UP_S
        store.put_state(
            uow,
            hook,
            tries=tries,
            since=micros(since),
            until=micros(now + timedelta(seconds=pause_s(tries))),
            error=wrong[:500],
            disabled=micros(now) if over else None,
        )
        if over:
            event = WebhookDisabled(webhook_id=hook.id, why=wrong[:500], tries=tries)
            self._journal.append(uow, _SENDER, hook.project_id, event)


def _message(entry: Recorded) -> Told | None:
    by = f"{entry.actor.kind}:{entry.actor.id}"
    return told(entry.entry_id, entry.index, entry.time, entry.verb, by, entry.objects, entry.payload)
