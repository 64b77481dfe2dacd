"""Review as the rest of the system sees it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from handrail.cycle.annotate import Annotate
from handrail.cycle.datasets import Datasets
from handrail.cycle.review import store
from handrail.cycle.review.certificates.row import CertificateRow
from handrail.cycle.review.certify import Certifying
from handrail.cycle.review.consuming import Consuming
from handrail.cycle.review.controlling import Controlling
from handrail.cycle.review.decide import Decider
from handrail.cycle.review.error_estimate import ErrorEstimate, with_overdue
from handrail.cycle.review.escalating import Escalating
from handrail.cycle.review.loss import document_of
from handrail.cycle.review.model import Control, Decision, DecisionNotFound, Request
from handrail.cycle.review.outgoing.streaming import Streams
from handrail.cycle.review.outgoing.webhooks import Webhooks
from handrail.cycle.review.planning import Planning
from handrail.cycle.review.policy import Policy
from handrail.cycle.review.reversing import Reversing
from handrail.cycle.review.sealing import may_be_sealed
from handrail.cycle.review.seeding import Seeding
from handrail.cycle.review.spending import Spending, spending
from handrail.cycle.review.standing import Standings
from handrail.cycle.review.steering import Steering, policy_of
from handrail.cycle.review.trying import Trial, Trying
from handrail.cycle.review.verdict import Verdicts
from handrail.cycle.review.watching import Watching
from handrail.cycle.review.wish import Wish
from handrail.cycle.tasks import Tasks
from handrail.cycle.train import Train
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.authorize import allowed
from handrail.foundation.blobs import Blobs
from handrail.foundation.clock import Clock, micros
from handrail.foundation.errors import HandrailError
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal, Recorded
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import Storage, UnitOfWork


@dataclass(frozen=True)
class Oversight:
    """The state of automation with what stands behind it."""

    control: Control
    policy: Policy
    policy_version: int
    certificate: CertificateRow | None
    planned: CertificateRow | None
    planned_labels_in: int


class Review:
    """Decides items, certifies models, hears verdicts, and holds the brake."""

    def __init__(
        self,
        storage: Storage,
        journal: Journal,
        clock: Clock,
        ids: Ids,
        randomness: Randomness,
        datasets: Datasets,
        tasks: Tasks,
        annotate: Annotate,
        train: Train,
        blobs: Blobs,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._tasks = tasks
        self._train = train
        self._steering = Steering(storage, journal, clock, ids, datasets)
        self._standings = Standings(storage, datasets, train)
        self._steering.moved = self._standings.forget
        self._decider = Decider(storage, journal, clock, ids, randomness, datasets, tasks, self._standings)
        self._trying = Trying(storage, datasets, tasks)
        planning = Planning(storage, journal, clock, ids, blobs, datasets, annotate, train, self._steering)
        self.controlling = Controlling(journal, clock, randomness, datasets, tasks, self._steering)
        self.escalating = Escalating(storage, journal, tasks, self._steering, self.controlling)
        self.watching = Watching(clock, self._steering, self.controlling)
        self.certifying = Certifying(storage, journal, clock, self._steering, planning, self.controlling)
        self.consuming = Consuming(journal, clock)
        self.reversing = Reversing(journal, clock, datasets, tasks)
        self.streams = Streams(storage, journal)
        self.webhooks = Webhooks(journal, clock, ids, randomness)
        self.seeding = Seeding(journal, clock, randomness, datasets, tasks, self._steering)
        self.verdicts = Verdicts(
            journal,
            clock,
            datasets,
            tasks,
            self.certifying,
            self._steering,
            self.reversing,
            self.seeding,
            self.controlling,
        )

    async def decide(self, actor: Actor, scope: Scope, request: Request) -> Decision:
        """Return the durable decision for one item; see Decider.decide."""
        return await self._decider.decide(actor, scope, request)

    async def decide_many(
        self, actor: Actor, scope: Scope, requests: Sequence[Request]
    ) -> list[Decision | HandrailError]:
        """Return a decision or an error for each request, in order."""
        return await self._decider.decide_many(actor, scope, requests)

    def activate_policy(self, actor: Actor, scope: Scope, policy: Policy, *, loosens: bool = False) -> str:
        """Check a policy and put it into force; returns its id. Raises PolicyInvalid, PolicyLooser.

        One that lowers a safeguard needs `loosens`, and the journal lists what it lowers; tightening needs nothing.

        With the first policy, and with one that asks another question, that question's champion is taken into use.
        """
        self._steering.check_policy(scope, policy)

        def unit(uow: UnitOfWork) -> str:
            before = self.oversight(uow, scope)
            policy_id = self._steering.activate(uow, actor, scope, policy, loosens=loosens)
            if before is None or before.policy.question != policy.question:
                champion = self._train.champion(uow, scope, policy.question)
                model_id = None if champion is None else champion.id
                self._steering.use(uow, actor, scope, model_id, "the policy asks another question")
            return policy_id

        return self._storage.write(unit)

    def try_policy(self, scope: Scope, policy: Policy, *, since: datetime | None = None, limit: int = 10_000) -> Trial:
        """Check a policy and replay recorded decisions through it, beside the one in force; changes nothing.

        Reads the newest decisions, made at `since` or later, `limit` at most. Raises PolicyInvalid.
        """
        self._steering.check_policy(scope, policy)
        found = self._storage.read(lambda uow: self.oversight(uow, scope))
        in_force = None if found is None else found.policy
        return self._trying.run(scope, policy, in_force, since=since, limit=limit)

    def plan_certificate(
        self,
        actor: Actor,
        scope: Scope,
        *,
        labels: int | None = None,
        automate: float | None = None,
        source: Literal["archive", "stream"] = "archive",
        alpha: float | None = None,
        delta: float | None = None,
        lazy: bool = True,
    ) -> CertificateRow:
        """Ask for a certificate for the champion; see Wish and Planning.plan."""
        return self.certifying.plan(actor, scope, Wish(labels, automate, source, alpha, delta, lazy))

    def complete_certificate(self, actor: Actor, scope: Scope, certificate_id: str) -> CertificateRow:
        """Let the labels of a planned certificate speak; see Certifying.complete."""
        return self.certifying.complete(actor, scope, certificate_id)

    def plan_certificate_once(
        self, actor: Actor, scope: Scope, *, model_id: str, labels: int | None, automate: float | None
    ) -> None:
        """Plan a certificate from the stream for a model unless it has had one planned, issued or refused."""
        known = self._storage.read(lambda uow: store.certificates(uow, scope))
        if all(one.model_id != model_id for one in known):
            self.plan_certificate(actor, scope, labels=labels, automate=automate, source="stream")

    def count(self, uow: UnitOfWork, decided: Sequence[Recorded]) -> None:
        """Add journal entries of decisions to the tallies by day and route; the caller sees to it that it is once."""
        more: Counter[tuple[str, int, str]] = Counter()
        for one in decided:
            assert one.project_id is not None
            more[one.project_id, int(one.payload["day"]), str(one.payload["route"])] += 1
        for (project_id, day, way), number in sorted(more.items()):
            store.add_to_tally(uow, Scope(project_id), day, way, number)

    def tallies(self, uow: UnitOfWork, scope: Scope) -> dict[int, dict[str, int]]:
        """Return day -> route -> number of decisions, as far as the loop has counted."""
        return store.tallies(uow, scope)

    def decided_on(self, uow: UnitOfWork, scope: Scope, day: int, limit: int = 2000) -> list[tuple[str, str]]:
        """Return (item id, route) of the decisions about a day, at most `limit`."""
        return store.decided_on(uow, scope, day, limit)

    def routes_on(self, uow: UnitOfWork, scope: Scope, day: int) -> Counter[str]:
        """Return route -> number of the decisions about a day, all of them."""
        return Counter(store.routes_on(uow, scope, day))

    def automatic_answers(self, uow: UnitOfWork, scope: Scope) -> list[tuple[str, Any]]:
        """Return (item id, the model's value) of every item that was answered without a person."""
        return store.automatic_answers(uow, scope)

    def audit_estimate(self, uow: UnitOfWork, scope: Scope) -> ErrorEstimate | None:
        """Return the error of automatic decisions as all audits so far show it, None before the first.

        One that is overdue counts as right in the lower limit and as wrong in the upper one. Under a policy with a loss
        it is their mean loss. Audits under another loss than the policy's are another figure, and left out.
        """
        found = store.get_control(uow, scope)
        loss = None if found is None else policy_of(uow, scope, found[0].policy_id).loss
        rows = [row.id for row in store.certificates(uow, scope) if row.document.get("loss") == document_of(loss)]
        late = store.overdue_chances(uow, scope, rows, micros(self._clock.now()))
        answered = Counter((one.wrong, one.probability) for row in rows for one in store.audits(uow, scope, row))
        return with_overdue(answered, late, exact=loss is None) if answered or late else None

    def promoted(self, uow: UnitOfWork, actor: Actor, scope: Scope, model_id: str) -> None:
        """Take a new champion into use; the old certificate dies with its model. Again changes nothing.

        A model that answers another question than the policy's is left alone, and so is one that another champion has
        replaced meanwhile. Before the first policy there is nothing to use it for; that policy takes it into use.
        """
        found = self.oversight(uow, scope)
        model = self._train.model(uow, scope, model_id)
        if found is not None and model.state == "champion" and model.question == found.policy.question:
            self._steering.use(uow, actor, scope, model_id, "another model was promoted")

    def stop(self, uow: UnitOfWork, actor: Actor, scope: Scope, why: str) -> Control:
        """Stop automation at once; every item goes to people."""
        return self._steering.stop(uow, actor, scope, why)

    def restart(self, uow: UnitOfWork, actor: Actor, scope: Scope, why: str) -> Control:
        """Start again after a stop, by another person than the one who stopped it."""
        return self._steering.restart(uow, actor, scope, why)

    def decision(self, uow: UnitOfWork, scope: Scope, decision_id: str) -> Decision:
        """Return a decision; raises DecisionNotFound."""
        found = store.get_decision(uow, scope, decision_id)
        if found is None:
            raise DecisionNotFound("No such decision in this project.")
        return found

    def counts_by_model(self, uow: UnitOfWork, scope: Scope) -> dict[str, dict[str, int]]:
        """Return model -> route -> number of the decisions that it was asked about."""
        return store.counts_by_model(uow, scope)

    def decisions(self, uow: UnitOfWork, scope: Scope, *, before: str | None = None, limit: int = 50) -> list[Decision]:
        """Return decisions, newest first."""
        return store.recent_decisions(uow, scope, before=before, limit=limit)

    def sealed_for(self, uow: UnitOfWork, actor: Actor, scope: Scope, found: Sequence[Decision]) -> frozenset[str]:
        """Return the ids of those decisions whose model answer is kept from a reader; see review/sealing.py."""
        if not actor.is_human:
            return frozenset()
        reads = allowed(actor, "govern.read", scope.project_id)
        ids = frozenset(one.id for one in found if may_be_sealed(one, reads_dossiers=reads))
        return ids - self._tasks.judged(uow, scope, actor.id, ids) if ids else ids

    async def sealed_to(self, actor: Actor, scope: Scope, found: Sequence[Decision]) -> frozenset[str]:
        """Return what `sealed_for` does, for callers that hold no unit of work; a machine's are never sealed."""
        if not actor.is_human:
            return frozenset()
        return await self._storage.aread(lambda uow: self.sealed_for(uow, actor, scope, found))

    def listed(
        self, uow: UnitOfWork, actor: Actor, scope: Scope, *, before: str | None, limit: int
    ) -> tuple[list[Decision], frozenset[str], str | None]:
        """Return decisions for a reader, newest first, the ids of those that are sealed, and where to go on.

        Who only answers tasks gets those of which they have said a value: the items of all others would tell which
        task has no decision behind it, and so is a seed.
        """
        found = self.decisions(uow, scope, before=before, limit=limit)
        following = found[-1].id if len(found) == limit else None
        kept = self.sealed_for(uow, actor, scope, found)
        if not allowed(actor, "govern.read", scope.project_id):
            found = [one for one in found if one.id not in kept]
        return found, kept, following

    def certificates(self, uow: UnitOfWork, scope: Scope) -> list[CertificateRow]:
        """Return every certificate of the project, oldest first."""
        return store.certificates(uow, scope)

    def spending(self, uow: UnitOfWork, scope: Scope) -> Spending:
        """Return the deltas that the project's certificates and their brakes spent, each and in sum."""
        return spending(store.certificates(uow, scope))

    def oversight(self, uow: UnitOfWork, scope: Scope) -> Oversight | None:
        """Return the state of automation, or None before the first policy."""
        found = store.get_control(uow, scope)
        if found is None:
            return None
        control, planned_id = found
        version, document = store.get_policy(uow, scope, control.policy_id) or (0, {})
        current = None if control.certificate_id is None else store.get_certificate(uow, scope, control.certificate_id)
        planned = None if planned_id is None else store.get_certificate(uow, scope, planned_id)
        return Oversight(
            control=control,
            policy=Policy.from_dict(document),
            policy_version=version,
            certificate=None if current is None else current[0],
            planned=None if planned is None else planned[0],
            planned_labels_in=0 if planned is None else planned[1],
        )

    def policy(self, uow: UnitOfWork, scope: Scope, policy_id: str) -> tuple[int, dict[str, Any]]:
        """Return (version, document) of a policy that is or was in force."""
        return store.get_policy(uow, scope, policy_id) or (0, {})
