"""Tries a policy on the recorded decisions of a project, beside the one in force; changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from handrail.cycle.datasets import Datasets, Item
from handrail.cycle.review import store
from handrail.cycle.review.audit_draw import AuditPlan
from handrail.cycle.review.certificates.row import CertificateRow
from handrail.cycle.review.condition import Condition
from handrail.cycle.review.loosening import Compared, compare
from handrail.cycle.review.loss import document_of
from handrail.cycle.review.model import Given, Route
from handrail.cycle.review.policy import Policy, Rule
from handrail.cycle.review.replay import Past, Replay, Replayed, truth_of
from handrail.cycle.review.routing import CONDITION_VARIABLES, FOREIGN, Standing
from handrail.cycle.review.store import RecordedDecision
from handrail.cycle.tasks import LookTime, Tasks
from handrail.foundation.actors import Scope
from handrail.foundation.storage import Storage, UnitOfWork

MOST = 100_000
"""Decisions that one trial reads at most."""
_PAGE = 500


@dataclass(frozen=True)
class Window:
    """What a trial read: the newest decisions until `since` or its limit. `more`: there are older ones."""

    first: datetime | None
    last: datetime | None
    decisions: int
    other_questions: int
    without_item: int
    more: bool
    recorded: Mapping[Route, int]


@dataclass(frozen=True)
class Trial:
    """A policy on the recorded decisions beside the policy in force, which is None before the first one."""

    window: Window
    candidate: Replayed
    in_force: Replayed | None
    compared: Compared
    look: LookTime
    unknown: tuple[str, ...]


class Trying:
    """Replays policies; reads in pages, each in a short unit of its own."""

    def __init__(self, storage: Storage, datasets: Datasets, tasks: Tasks) -> None:
        self._storage = storage
        self._datasets = datasets
        self._tasks = tasks

    def run(
        self, scope: Scope, policy: Policy, in_force: Policy | None, *, since: datetime | None, limit: int
    ) -> Trial:
        """Replay a policy whose conditions were checked. `since` and `limit` bound what is read, the newest first."""
        candidate = Replay(_compiled(policy), policy.audit_rate, policy.loss)
        same = in_force is not None and in_force.question == policy.question
        beside = None
        if in_force is not None and same:
            beside = Replay(_compiled(in_force), in_force.audit_rate, in_force.loss)
        certificates = _Certificates(self._storage.read(lambda uow: store.certificates(uow, scope)))
        seen = _Seen()
        for one, item in self._pages(scope, since, limit, seen):
            if one.decision.question != policy.question:
                seen.other_questions += 1
                continue
            seen.take(one, item)
            past = certificates.past(one, item)
            candidate.add(past)
            if beside is not None:
                beside.add(past)
        question = policy.question
        look = self._storage.read(lambda uow: self._tasks.look_time(uow, scope, question=question, since=since))
        made, other = candidate.result(), None if beside is None else beside.result()
        compared = Compared((), ()) if in_force is None else compare(in_force, policy)
        window = seen.window()
        return Trial(
            window,
            made,
            other,
            _with_share(compared, made, other),
            look,
            tuple(_unknown(policy, certificates, window, made)),
        )

    def _pages(
        self, scope: Scope, since: datetime | None, limit: int, seen: _Seen
    ) -> Iterator[tuple[RecordedDecision, Item | None]]:
        before: str | None = None
        left = min(limit, MOST)
        while True:
            at, size = before, min(_PAGE, left + 1)  # one more than wanted tells whether there is more
            page, items = self._storage.read(lambda uow: self._page(uow, scope, at, size))  # noqa: B023
            for one in page:
                if since is not None and one.decision.created_at < since:
                    return
                if not left:
                    seen.more = True
                    return
                left -= 1
                yield one, items.get(one.decision.item_id)
            if len(page) < size:
                return
            before = page[-1].decision.id

    def _page(
        self, uow: UnitOfWork, scope: Scope, before: str | None, size: int
    ) -> tuple[list[RecordedDecision], dict[str, Item]]:
        page = store.recorded_decisions(uow, scope, before=before, limit=size)
        return page, self._datasets.items_by_id(uow, scope, {one.decision.item_id for one in page})


class _Seen:
    """Counts what a trial reads."""

    def __init__(self) -> None:
        self.first: datetime | None = None
        self.last: datetime | None = None
        self.recorded: Counter[Route] = Counter()
        self.other_questions = 0
        self.without_item = 0
        self.more = False

    def take(self, one: RecordedDecision, item: Item | None) -> None:
        self.first = one.decision.created_at
        self.last = self.last or one.decision.created_at
        self.recorded[one.decision.route] += 1
        self.without_item += item is None

    def window(self) -> Window:
        number = sum(self.recorded.values())
        return Window(
            self.first, self.last, number, self.other_questions, self.without_item, self.more, dict(self.recorded)
        )


class _Certificates:
    """Knows which certificate was in force when."""

    def __init__(self, rows: Sequence[CertificateRow]) -> None:
        self.issued = [row for row in rows if row.issued_at is not None and row.document.get("audit_plan") is not None]
        self._streams = [row for row in rows if row.source == "stream"]
        self.plans = {
            row.id: AuditPlan.from_dict(row.document["audit_plan"])
            for row in self.issued
            if row.document.get("audit_plan") is not None
        }

    def past(self, one: RecordedDecision, item: Item | None) -> Past:
        """Return a recorded decision as a replay takes it."""
        made = one.decision
        prediction = None if made.prediction is None else _given(made.prediction)
        row = self._in_force(one)
        threshold = None if row is None else row.threshold
        foreign = made.model_id is None and prediction is not None
        groups = None if row is None else row.groups
        standing = FOREIGN if foreign else Standing(one.state, threshold, self._open(one), 1.0, groups=groups)
        standing = standing.of({} if item is None else item.group, made.id)
        return Past(
            day=one.day,
            recorded=made.route,
            state=one.state,
            data={} if item is None else item.data,
            group={} if item is None else item.group,
            prediction=prediction,
            standing=standing,
            plan=None if row is None else self.plans.get(row.id),
            truth=truth_of(made, one.audit_said),
            risk_class=made.risk_class,
            cost=made.cost,
        )

    def _in_force(self, one: RecordedDecision) -> CertificateRow | None:
        made, at = one.decision, one.decision.created_at
        for row in self.issued:
            assert row.issued_at is not None
            if made.route == "auto" and row.id == made.certificate_id:
                return row
            ended = row.ended_at is not None and row.ended_at <= at
            if made.route != "auto" and row.model_id == made.model_id and row.issued_at <= at and not ended:
                return row
        return None

    def _open(self, one: RecordedDecision) -> bool:
        """Say whether every item went to people then for a certificate's draw, or may have."""
        made, at = one.decision, one.decision.created_at
        if made.route == "auto":
            return False
        drawing = [row for row in self._streams if row.created_at <= at]
        return any(at < end for row in drawing if (end := row.issued_at or row.ended_at or _never(at)))


def _compiled(policy: Policy) -> tuple[tuple[Rule, Condition], ...]:
    return tuple((rule, Condition.compile(rule.when, CONDITION_VARIABLES)) for rule in policy.rules)


def _given(said: Mapping[str, Any]) -> Given:
    return Given(said["value"], said["score"], said["scores"], tuple((name, weight) for name, weight in said["top"]))


def _with_share(compared: Compared, made: Replayed, other: Replayed | None) -> Compared:
    """Add what the recorded decisions show: more of them automatic is looser whatever the documents say."""
    before, after = None if other is None else other.total.automation, made.total.automation
    if before is None or after is None or before == after:
        return compared
    said = f"on the recorded decisions the automatic share goes from {before:.1%} to {after:.1%}"
    if after > before:
        return replace(compared, looser=(*compared.looser, said))
    return replace(compared, tighter=(*compared.tighter, said))


def _unknown(policy: Policy, certificates: _Certificates, window: Window, made: Replayed) -> Iterator[str]:
    """Yield, a sentence each, what the recorded decisions cannot tell."""
    if not window.decisions:
        yield "No decision is recorded in this window."
        return
    if not certificates.issued:
        yield "No certificate has been issued yet, so nothing could have been automatic under any policy."
    for row in certificates.issued[-1:]:
        terms = [(row.alpha, policy.alpha, "alpha"), (row.delta, policy.delta, "delta")]
        for had, wanted, name in terms:
            if had != wanted:
                yield (
                    f"The threshold is the one certified with {name} {had:g}; what {name} {wanted:g} would give "
                    "is known only after a certificate with it."
                )
        if row.document.get("loss") != document_of(policy.loss):
            yield (
                "The threshold is one that was certified under another loss; which one this loss gives is known only "
                "after a certificate with it."
            )
        plan = certificates.plans.get(row.id)
        if plan is not None and plan.rate != policy.audit_rate:
            yield (
                f"Audits are counted at the policy's rate {policy.audit_rate:g}; the certificate in force was issued "
                f"with {plan.rate:g} and keeps it."
            )
    if policy.queue_limit:
        over = sum(one.people > policy.queue_limit for one in made.days.values())
        yield (
            f"The queue limit is not replayed, because it depends on how fast people answer; on {over} of "
            f"{len(made.days)} days more than {policy.queue_limit} items would have gone to people."
        )
    if window.without_item:
        yield f"{window.without_item} items are erased: a rule that reads one sends it to a person here."
    if made.errors.unknown:
        yield f"The error of automatic decisions is unknown: {made.errors.unknown}."
    if made.errors.verdicts:
        yield "Verdicts on deferred items were given with the model's answer in view: they may agree with it too often."


def _never(at: datetime) -> datetime:
    return at.replace(year=at.year + 1)
