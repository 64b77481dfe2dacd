"""decide(): one item in, one durable decision out.

Predicting and routing happen before the transaction, on a snapshot of the project. The transaction checks that the
snapshot's epoch still holds; when the brake, a promotion or a new policy came between, everything is done again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal

from handrail.cycle.datasets import Datasets, NewItem
from handrail.cycle.datasets.checking import ready as ready_item
from handrail.cycle.datasets.values import read_category
from handrail.cycle.review import store
from handrail.cycle.review.audit_terms import Draw
from handrail.cycle.review.events import Decided
from handrail.cycle.review.model import (
    MOST_DEADLINE_S,
    MOST_KEY,
    CertificateRow,
    Decision,
    Given,
    KeyReused,
    Request,
    WrongState,
)
from handrail.cycle.review.routing import Routed, Standing, route
from handrail.cycle.review.standing import Snapshot, Standings
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

BLIND_REASON = "drawn at random for a look of your own"
_TRIES = 5
_FOREIGN = Standing(state="shadow", threshold=None, certificate_open=False, certify_share=0.0)


class Moved(Exception):
    """The snapshot is out of date; decide again. Never leaves this stage."""


@dataclass(frozen=True)
class _Ready:
    """Everything about one decision that is fixed before its transaction."""

    decision_id: str
    request: Request
    item: dict[str, Any]
    digest: str
    prediction: Given | None
    said: dict[str, Any] | None
    routed: Routed
    task: NewTask | None
    draw: Draw | None


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
            ready = self._route(snapshot, checked, item, prediction)
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
            ready = self._route_many(snapshot, requests, open_, done)
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
    ) -> list[tuple[int, _Ready]]:
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
        return [
            (place, self._route(snapshot, one, item, one.prediction or predicted.get(place)))
            for place, (one, item) in good.items()
        ]

    async def _write_each(
        self, actor: Actor, snapshot: Snapshot, ready: Sequence[_Ready]
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
        if request.deadline_s is not None and not 0 < request.deadline_s <= MOST_DEADLINE_S:
            raise Invalid("The deadline is not a number of seconds within a year.", hint="Send deadline_s above 0.")
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
        given = request.prediction
        if given is not None:
            given = replace(given, value=snapshot.schema.question(snapshot.policy.question).check(given.value))
        kept = Request(  # replace() would cost twice as much, in every decision
            external_id=request.external_id,
            data=item.data,
            idempotency_key=request.idempotency_key,
            group=item.group,
            subject=request.subject,
            observed_at=item.observed_at,
            prediction=given,
            deadline_s=request.deadline_s,
            on_deadline=request.on_deadline,
        )
        return kept, self._datasets.item_row(snapshot.scope, item)

    def _route(self, snapshot: Snapshot, request: Request, item: dict[str, Any], prediction: Given | None) -> _Ready:
        # A certificate speaks about one model; a prediction that the caller brings is never automated under it.
        standing = snapshot.standing if request.prediction is None else _FOREIGN
        terms: list[Draw] = []

        def audit_probability(score: float) -> float:
            assert prediction is not None  # what a score belongs to
            terms[:] = [snapshot.audit_terms(score, prediction.value, request.group)]
            return terms[0].probability

        routed = route(
            standing,
            snapshot.rules,
            prediction,
            _variables(snapshot, request, prediction),
            audit_probability,
            self._randomness.uniform,
        )
        decision_id = self._ids.new()
        said = None if prediction is None else prediction.to_dict()
        return _Ready(
            decision_id,
            request,
            item,
            request.digest(item["data"]),
            prediction,
            said,
            routed,
            self._task(snapshot, request, decision_id, said, routed),
            terms[0] if terms else None,
        )

    def _task(
        self, snapshot: Snapshot, request: Request, decision_id: str, said: dict[str, Any] | None, routed: Routed
    ) -> NewTask | None:
        if routed.route == "blocked" or (routed.route == "auto" and not routed.audited):
            return None
        blind = routed.route == "auto" or routed.certifying
        deadline = None
        if request.deadline_s is not None and request.on_deadline == "deny" and routed.route == "human":
            deadline = self._clock.now() + timedelta(seconds=request.deadline_s)
        return NewTask(
            kind="audit" if routed.route == "auto" else "review",
            question=snapshot.policy.question,
            decision_id=decision_id,
            payload={} if blind or said is None else {"prediction": said},
            reason=BLIND_REASON if blind else routed.reasons[0],
            blind=blind,
            deadline=deadline,
        )

    # The transaction

    def _record(self, uow: UnitOfWork, actor: Actor, snapshot: Snapshot, ready: _Ready) -> Decision:
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
            routed = self._draw(uow, scope, snapshot.planned, item, routed)
            ready = replace(ready, routed=routed)
        text = None if ready.said is None else encode(ready.said)
        task_id = None
        if ready.task is not None:
            payload = f'{{"prediction":{text}}}' if ready.task.payload else "{}"
            task_id = self._tasks.open(uow, actor, scope, replace(ready.task, item_id=item), payload=payload).id
        made = self._decision(snapshot, ready, item, task_id)
        day = _day(request.observed_at or made.created_at)
        store.insert_decision(
            uow,
            scope,
            made,
            key=request.idempotency_key,
            request_hash=ready.digest,
            day=day,
            prediction=text,
            draw=ready.draw,
        )
        if made.audited and ready.draw is not None and made.certificate_id is not None:
            store.add_audit(uow, scope, made.certificate_id, made.id, ready.draw, at=micros(made.created_at))
        self._journal.append(uow, actor, scope.project_id, Decided.of(made, day))
        return made

    def _draw(self, uow: UnitOfWork, scope: Scope, planned: CertificateRow, item: str, routed: Routed) -> Routed:
        """Record the draw; the one that completes the plan moves the epoch, so no other follows.

        An item that comes again is drawn once: its second decision waits for a person too, and counts for nothing.
        """
        now = store.get_certificate(uow, scope, planned.id, lock=True)
        if now is None or now[0].labels_drawn >= now[0].labels_planned:
            raise Moved
        if store.is_drawn(uow, scope, planned.id, item):
            return replace(routed, certifying=False, reasons=("drawn before to certify the model",))
        store.add_drawn(uow, scope, planned.id, [(item, now[0].labels_drawn, routed.audit_probability)])
        if now[0].labels_drawn + 1 >= now[0].labels_planned:
            store.raise_epoch(uow, scope)
        return routed

    def _decision(self, snapshot: Snapshot, ready: _Ready, item: str, task_id: str | None) -> Decision:
        routed, prediction, request = ready.routed, ready.prediction, ready.request
        now = self._clock.now()
        automatic = routed.route == "auto"
        certificate = snapshot.certificate if automatic else (snapshot.planned if routed.certifying else None)
        return Decision(
            id=ready.decision_id,
            project_id=snapshot.control.project_id,
            item_id=item,
            question=snapshot.policy.question,
            status={"auto": "auto", "human": "pending", "blocked": "blocked"}[routed.route],  # type: ignore[arg-type]
            route=routed.route,
            value=prediction.value if automatic and prediction is not None else None,
            by_kind=routed.by.partition(":")[0],
            by_id=routed.by.partition(":")[2] or snapshot.control.policy_id,
            score=None if prediction is None else prediction.score,
            prediction=ready.said,
            reasons=routed.reasons,
            certificate_id=None if certificate is None else certificate.id,
            policy_id=snapshot.control.policy_id,
            model_id=None if request.prediction is not None else snapshot.control.model_id,
            commit_id=None if snapshot.model is None else snapshot.model.commit_id,
            audit_probability=routed.audit_probability,
            audited=routed.audited,
            task_id=task_id,
            created_at=now,
            decided_at=now if routed.route != "human" else None,
            expires_at=None if ready.task is None else ready.task.deadline,
            on_deadline=request.on_deadline,
        )


def _known(uow: UnitOfWork, scope: Scope, ready: _Ready) -> Decision:
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


def _variables(snapshot: Snapshot, request: Request, prediction: Given | None) -> Mapping[str, Any]:
    if not snapshot.rules:
        return {}
    return {
        "item": dict(request.data),
        "group": dict(request.group),
        "prediction": {} if prediction is None else {"value": prediction.value, "score": prediction.score},
    }
