"""decide(): one item in, one durable decision out.

Predicting and routing happen before the transaction, on a snapshot of the project. The transaction checks that the
snapshot's epoch still holds; when the brake, a promotion or a new policy came between, everything is done again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal

from handrail.cycle.datasets import Datasets, NewItem
from handrail.cycle.datasets.checking import ready as ready_item
from handrail.cycle.datasets.values import read_category
from handrail.cycle.review import store
from handrail.cycle.review.audit_terms import EVERYWHERE, Draw
from handrail.cycle.review.certificates.row import CertificateRow, CertifyItem
from handrail.cycle.review.events import Decided
from handrail.cycle.review.four_eyes import kept_away
from handrail.cycle.review.groups import own
from handrail.cycle.review.model import MOST_KEY, Decision, Given, KeyReused, Request, WrongState
from handrail.cycle.review.overdue import due_at
from handrail.cycle.review.policy import Policy
from handrail.cycle.review.routed import Ready, decision_of, task_of
from handrail.cycle.review.routing import FOREIGN, Queue, Routed, condition_values, route
from handrail.cycle.review.seeds import MOST_DELAY_S, odds
from handrail.cycle.review.standing import Snapshot, Standings
from handrail.cycle.review.terms import check_terms, kept_default, meant
from handrail.cycle.tasks import NewTask, Tasks
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.canonical import encode
from handrail.foundation.clock import Clock, micros
from handrail.foundation.errors import Busy, HandrailError, Invalid
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import Storage, UnitOfWork
from handrail.foundation.storage.failures import Duplicate

_TRIES = 5


class Moved(Exception):
    """The snapshot is out of date; decide again. Never leaves this stage."""


class Decider:
    """Decides items of every project."""

    def __init__(
        self,
        storage: Storage,
        journal: Journal,
        clock: Clock,
        ids: Ids,
        randomness: Randomness,
        datasets: Datasets,
        tasks: Tasks,
        standings: Standings,
    ) -> None:
        self._storage = storage
        self._journal = journal
        self._clock = clock
        self._ids = ids
        self._randomness = randomness
        self._datasets = datasets
        self._tasks = tasks
        self._standings = standings

    async def decide(self, actor: Actor, scope: Scope, request: Request) -> Decision:
        """Return the decision for one item, durable.

        Raises Invalid for an item that breaks the schema, KeyReused for a key that came with another payload.
        """
        for _ in range(_TRIES):
            snapshot = await self._standings.get(scope)
            checked, item = self._checked(snapshot, request)
            prediction = checked.prediction
            if prediction is None and snapshot.predict is not None:
                prediction = await snapshot.predict.one(checked.data)
            queue = await self._queue(snapshot)
            ready = self._route(snapshot, checked, item, prediction, queue)
            try:
                return await self._storage.awrite(lambda uow: self._record(uow, actor, snapshot, ready))  # noqa: B023
            except Moved:
                self._standings.forget(scope)
            except Duplicate:
                continue  # the same key or item arrived over another connection, and is there now
        raise Busy("The project's policy or model keeps changing.", hint="Send the same request again.")

    async def decide_many(
        self, actor: Actor, scope: Scope, requests: Sequence[Request]
    ) -> list[Decision | HandrailError]:
        """Return a decision or an error for each request, in order; one that fails spoils no other."""
        done: list[Decision | HandrailError | None] = [None] * len(requests)
        for _ in range(_TRIES):
            open_ = [place for place, one in enumerate(done) if one is None]
            if not open_:
                break
            snapshot = await self._standings.get(scope)
            queue = await self._queue(snapshot)
            ready = self._route_many(snapshot, requests, open_, done, queue)
            made = await self._write_each(actor, snapshot, [one for _, one in ready])
            for (place, _), one in zip(ready, made, strict=True):
                if isinstance(one, Moved):
                    self._standings.forget(scope)
                elif not isinstance(one, Duplicate):
                    done[place] = one
        return [
            one if one is not None else Busy("The project's policy or model keeps changing.", hint="Send it again.")
            for one in done
        ]

    def _route_many(
        self,
        snapshot: Snapshot,
        requests: Sequence[Request],
        places: Sequence[int],
        done: list[Decision | HandrailError | None],
        queue: Queue | None,
    ) -> list[tuple[int, Ready]]:
        good: dict[int, tuple[Request, dict[str, Any]]] = {}
        for place in places:
            try:
                good[place] = self._checked(snapshot, requests[place])
            except HandrailError as error:
                done[place] = error
        wanting = [place for place, (one, _) in good.items() if one.prediction is None]
        predicted: dict[int, Given] = {}
        if snapshot.predict is not None and wanting:
            made = snapshot.predict.many([good[place][0].data for place in wanting])
            predicted = dict(zip(wanting, made, strict=True))
        ready = []
        for place, (one, item) in good.items():
            routed = self._route(snapshot, one, item, one.prediction or predicted.get(place), queue)
            if queue is not None and routed.routed.route == "human":
                queue = replace(queue, waiting=queue.waiting + 1)  # those of this batch wait too
            ready.append((place, routed))
        return ready

    async def _queue(self, snapshot: Snapshot) -> Queue | None:
        """Return how many reviews wait, where the policy limits them; calls at the same moment may pass together."""
        policy = snapshot.policy
        if not policy.queue_limit:
            return None
        found = await self._storage.aread(lambda uow: self._tasks.counts(uow, snapshot.scope))
        reviews = found.get("review", {})
        waiting = reviews.get("open", 0) + reviews.get("claimed", 0)
        return Queue(waiting, policy.queue_limit, policy.over_queue, policy.queue_deadline_s)

    async def _write_each(
        self, actor: Actor, snapshot: Snapshot, ready: Sequence[Ready]
    ) -> list[Decision | HandrailError | Moved]:
        """Write decisions together, each in its own unit; of those with the same key the first one decides."""
        made: dict[int, Decision | HandrailError | Moved] = {}
        left = list(range(len(ready)))
        while left:
            first = {ready[place].request.idempotency_key: place for place in reversed(left)}
            turn = sorted(first.values())
            units = [partial(self._record, actor=actor, snapshot=snapshot, ready=ready[place]) for place in turn]
            for place, one in zip(turn, await self._storage.awrite_each(units), strict=True):
                if isinstance(one, Exception) and not isinstance(one, HandrailError | Moved):
                    raise one
                made[place] = one
            left = [place for place in left if place not in made]
        return [made[place] for place in range(len(ready))]

    def _checked(self, snapshot: Snapshot, request: Request) -> tuple[Request, dict[str, Any]]:
        """Return the request as it is kept (what a rule, the model and the database see is the same), and its item."""
        reason = read_category(request.idempotency_key)[1]
        if reason or len(request.idempotency_key) > MOST_KEY:
            raise Invalid(
                f"The idempotency key {reason or f'is longer than {MOST_KEY} characters'}.",
                hint="Send a name of your own for this request, and the same one when you send it again.",
            )
        check_terms(request, self._clock.now())
        item = ready_item(
            snapshot.schema,
            NewItem(
                external_id=request.external_id,
                data=request.data,
                subject=request.subject,
                group=dict(request.group),
                observed_at=request.observed_at,
            ),
        )
        given, question = request.prediction, snapshot.schema.question(snapshot.policy.question)
        if given is not None:
            given = replace(given, value=question.check(given.value))
        kept = Request(  # replace() would cost twice as much, in every decision
            external_id=request.external_id,
            data=item.data,
            idempotency_key=request.idempotency_key,
            group=item.group,
            subject=request.subject,
            observed_at=item.observed_at,
            prediction=given,
            deadline_s=request.deadline_s,
            deadline=request.deadline,
            on_deadline=meant(request),
            default=kept_default(request, question.check),
            irreversible=request.irreversible,
            risk_class=request.risk_class,
            cost=request.cost,
            action_hash=request.action_hash,
            eyes=request.eyes,
            author=request.author,
        )
        return kept, self._datasets.item_row(snapshot.scope, item)

    def _route(
        self,
        snapshot: Snapshot,
        request: Request,
        item: dict[str, Any],
        prediction: Given | None,
        queue: Queue | None,
    ) -> Ready:
        # A certificate speaks about one model; a prediction that the caller brings is never automated under it.
        standing = snapshot.standing.of(request.group) if request.prediction is None else FOREIGN
        if queue is not None:
            standing = replace(standing, queue=queue)
        terms: list[Draw] = []

        def audit_probability(score: float) -> float:
            assert prediction is not None  # what a score belongs to
            terms[:] = [snapshot.audit_terms(score, prediction.value, request.group)]
            return terms[0].probability

        routed = route(
            standing,
            snapshot.rules,
            prediction,
            _values(snapshot, request, prediction),
            audit_probability,
            self._randomness.uniform,
        )
        decision_id = self._ids.new()
        said = None if prediction is None else prediction.to_dict()
        task = task_of(snapshot, request, decision_id, said, routed, self._clock.now())
        return Ready(
            decision_id,
            request,
            item,
            request.digest(item["data"]),
            prediction,
            said,
            routed,
            task,
            self._seed(snapshot.policy, task),
            terms[0] if terms else None,
            self._control(snapshot.policy, task),
        )

    def _seed(self, policy: Policy, task: NewTask | None) -> tuple[str, datetime] | None:
        """Draw whether a seed goes with a review task on which the model's answer is shown."""
        if not policy.seed_share or task is None or task.blind or not task.payload:
            return None
        if self._randomness.uniform() >= odds(policy.seed_share):
            return None
        return self._later()

    def _control(self, policy: Policy, task: NewTask | None) -> tuple[str, datetime] | None:
        """Draw whether a control item goes with an audit."""
        if not policy.control_share or task is None or task.kind != "audit":
            return None
        return self._later() if self._randomness.uniform() < odds(policy.control_share) else None

    def _later(self) -> tuple[str, datetime]:
        delay = timedelta(seconds=self._randomness.uniform() * MOST_DELAY_S)
        return self._ids.new(), self._clock.now() + delay

    # The transaction

    def _record(self, uow: UnitOfWork, actor: Actor, snapshot: Snapshot, ready: Ready) -> Decision:
        scope, request, routed = snapshot.scope, ready.request, ready.routed
        # A draw may be the last one and move the epoch: taking the row for itself only then would deadlock with others.
        lock: Literal["shared", "exclusive"] = "exclusive" if routed.certifying else "shared"
        found = store.enter(uow, scope, request.idempotency_key, lock=lock)
        if found is None:
            raise WrongState("The project has no policy yet.", hint="Activate a policy, then decide.")
        epoch, repeated = found
        if repeated:
            return _known(uow, scope, ready)
        if epoch != snapshot.control.epoch:
            raise Moved
        item = self._datasets.keep_item(uow, scope, ready.item)
        if routed.certifying and snapshot.planned is not None:
            routed = self._draw(uow, scope, snapshot.planned, item, ready)
            ready = replace(ready, routed=routed)
        text = None if ready.said is None else encode(ready.said)
        task_id = None
        if ready.task is not None:
            payload = f'{{"prediction":{text}}}' if ready.task.payload else "{}"
            away = kept_away(request.author, actor, author_answers=snapshot.policy.author_answers)
            new = replace(ready.task, item_id=item, not_by=away)
            task_id = self._tasks.open(uow, actor, scope, new, payload=payload).id
        if ready.seed is not None:
            question, share = snapshot.policy.question, snapshot.policy.seed_share
            store.plan_seed(uow, scope, ready.seed[0], question=question, share=share, due_at=micros(ready.seed[1]))
        if ready.control is not None:
            question, share = snapshot.policy.question, snapshot.policy.control_share
            opens = micros(ready.control[1])
            store.plan_control(uow, scope, ready.control[0], question=question, share=share, open_at=opens)
        made = decision_of(snapshot, ready, item, task_id, self._clock.now())
        day = _day(request.observed_at or made.created_at)
        store.insert_decision(
            uow,
            scope,
            made,
            key=request.idempotency_key,
            request_hash=ready.digest,
            day=day,
            prediction=text,
            state=snapshot.control.state,
            draw=ready.draw,
        )
        if made.audited and ready.draw is not None and made.certificate_id is not None:
            due = due_at(made.created_at, snapshot.policy.audit_due_days)
            at = micros(made.created_at)
            store.add_audit(uow, scope, made.certificate_id, made.id, ready.draw, at=at, due=micros(due))
        self._journal.append(uow, actor, scope.project_id, Decided.of(made, day))
        return made

    def _draw(self, uow: UnitOfWork, scope: Scope, planned: CertificateRow, item: str, ready: Ready) -> Routed:
        """Record the draw; the one that completes the plan moves the epoch, so no other follows.

        An item that comes again is drawn once: its second decision waits for a person too, and counts for nothing.
        """
        routed, prediction = ready.routed, ready.prediction
        assert prediction is not None  # nothing is drawn to certify without one
        now = store.get_certificate(uow, scope, planned.id, lock=True)
        if now is None or now[0].labels_drawn >= now[0].labels_planned:
            raise Moved
        if store.is_drawn(uow, scope, planned.id, item):
            return replace(routed, certifying=False, reasons=("drawn before to certify the model",))
        place, chance = now[0].labels_drawn, routed.audit_probability
        group, full = self._group_drawn(uow, scope, now[0], ready)
        new = CertifyItem(item, place, chance, prediction.score, prediction.value, group=group)
        store.add_drawn(uow, scope, planned.id, [new])
        if full or now[0].labels_drawn + 1 >= now[0].labels_planned:
            store.raise_epoch(uow, scope)
        return routed

    def _group_drawn(self, uow: UnitOfWork, scope: Scope, planned: CertificateRow, ready: Ready) -> tuple[str, bool]:
        """Return the group that an item is drawn for, and whether it is the last one for that group."""
        parts = {one["group"]: one["labels"] for one in planned.document.get("groups", ())}
        if not parts:
            return EVERYWHERE, False
        group = own(parts, ready.request.group)
        before = store.drawn_by_group(uow, scope, planned.id).get(group, 0)
        if before >= parts[group]:
            raise Moved
        return group, before + 1 >= parts[group]


def _known(uow: UnitOfWork, scope: Scope, ready: Ready) -> Decision:
    """Return the decision that was made under the same key for the same payload."""
    known = store.decision_by_key(uow, scope, ready.request.idempotency_key)
    assert known is not None  # it was seen in this transaction, and decisions stay
    if known[0] != ready.digest:
        raise KeyReused(
            "This idempotency key was used before with another payload.",
            hint="Send a new key for a new request.",
            decision_id=known[1].id,
        )
    return known[1]


def _day(moment: datetime) -> int:
    return moment.year * 10_000 + moment.month * 100 + moment.day


def _values(snapshot: Snapshot, request: Request, prediction: Given | None) -> Mapping[str, Any]:
    if not snapshot.rules:
        return {}
    return condition_values(
        snapshot.control.state, request.data, request.group, prediction, request.risk_class, request.cost
    )
