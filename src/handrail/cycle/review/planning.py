"""Plans certificates: every choice is made from scores and training data, and written down, before the first label.

Three tests (certificates/): a fixed number of labels, closed or strict, from the region of scores where they are worth
most; or, where a person names the share to automate, labels until the error above that threshold is known well enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handrail.cycle.annotate import Annotate, Draw
from handrail.cycle.datasets import Datasets
from handrail.cycle.review import planning_groups, planning_losses, planning_until, store
from handrail.cycle.review.audit_terms import EVERYWHERE
from handrail.cycle.review.certificates import (
    Design,
    Grounds,
    UntilPlan,
    design,
    plan_until,
)
from handrail.cycle.review.certificates.row import CertificateRow, CertifyItem
from handrail.cycle.review.events import CertificatePlanned, CertificateRefused
from handrail.cycle.review.extending import Extending, as_items, draw_to_certify, so_far
from handrail.cycle.review.groups import levels, own
from handrail.cycle.review.model import Control, NoModel, NotAPerson, WrongState
from handrail.cycle.review.policy import Policy
from handrail.cycle.review.steering import Steering
from handrail.cycle.review.wish import Wish
from handrail.cycle.train import ModelVersion, Train
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.blobs import Blobs
from handrail.foundation.clock import Clock
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.statistics import zero_error_labels
from handrail.foundation.storage import Storage, UnitOfWork

_SEED = 20_260_101  # of design and jitter; written into every certificate so that it can be made again


@dataclass(frozen=True)
class _Plan:
    """A wish with everything that was chosen for it; `document` is what the certificate's row begins with."""

    model: ModelVersion
    policy: Policy
    alpha: float
    delta: float
    labels: int
    frozen_seq: int
    document: dict[str, Any]
    grounds: Grounds
    predicted: Mapping[str, tuple[float, Any]]

    @property
    def region(self) -> float | None:
        """The score at or above which labels are drawn, None for all."""
        value: float | None = self.document.get("region")
        return value

    @property
    def lots(self) -> list[tuple[str, int, list[str]]]:
        """What is drawn from the archive: (group, number of labels, the items that it is drawn from)."""
        parts = self.document.get("groups")
        if parts is None:
            return [(EVERYWHERE, self.labels, self.grounds.above(self.region))]
        return [
            (one["group"], one["labels"], self.grounds.above(one["region"], one["group"]))
            for one in parts
            if one["status"] == "planned"
        ]


class Planning:
    """Turns wishes into plans with their draws."""

    def __init__(
        self,
        storage: Storage,
        journal: Journal,
        clock: Clock,
        ids: Ids,
        blobs: Blobs,
        datasets: Datasets,
        annotate: Annotate,
        train: Train,
        steering: Steering,
    ) -> None:
        self._storage = storage
        self._journal = journal
        self._clock = clock
        self._ids = ids
        self._blobs = blobs
        self.extending = Extending(storage, annotate, blobs)
        self._datasets = datasets
        self._annotate = annotate
        self._train = train
        self._steering = steering

    def plan(self, actor: Actor, scope: Scope, wish: Wish) -> CertificateRow:
        """Plan a certificate for the champion, draw its first labels and return its row.

        `archive` draws at random from the items nobody has labelled or drawn; `stream` draws from the items that
        arrive, each in the region with the policy's share. A wish that no outcome could meet is refused at once, with
        the labels still needed. Raises NoModel before the first promotion, WrongState while a plan is open or when
        the model changes meanwhile, NotAPerson where only a person may (after the brake), TooFewItems,
        CertificateInvalid.
        """
        policy, model = self._storage.read(lambda uow: self._may_plan(uow, actor, scope))
        wish.check(policy)
        least = zero_error_labels(wish.alpha or policy.alpha, wish.delta or policy.delta)
        one_test = not policy.groups_apart and policy.loss is None
        if one_test and wish.labels is not None and wish.labels < least:
            refused = _refused(wish, policy, model, least)
            return self._storage.write(lambda uow: self._keep(uow, actor, scope, wish, refused))
        chosen = self._chosen(scope, wish, policy, model)
        if wish.source == "stream" or not chosen.labels:
            return self._storage.write(lambda uow: self._keep(uow, actor, scope, wish, chosen))
        planned: list[CertificateRow] = []

        def along(uow: UnitOfWork, draws: list[list[Draw]]) -> None:
            # Plan and draws are one unit: a plan without its draws would block every other for ever.
            row = self._keep(uow, actor, scope, wish, chosen)
            made: list[CertifyItem] = []
            for (group, _, _), some in zip(chosen.lots, draws, strict=True):
                made += as_items(some, chosen.predicted, len(made), group)
            store.add_drawn(uow, scope, row.id, made)
            planned[:] = [row]

        lots = [(n, among) for _, n, among in chosen.lots]
        draw_to_certify(self._annotate, actor, scope, policy.question, lots, along)
        row_id = planned[0].id
        return self._storage.read(lambda uow: _found(uow, scope, row_id))

    def grounds(self, row: CertificateRow) -> Grounds:
        """Return what a certificate's design was made from."""
        return self.extending.grounds(row)

    # Choosing

    def _may_plan(self, uow: UnitOfWork, actor: Actor, scope: Scope) -> tuple[Policy, ModelVersion]:
        """Return the policy and the champion; raises NoModel, NotAPerson, WrongState."""
        control, _ = self._steering.control(uow, scope)
        if control.model_id is None:
            raise NoModel("There is no champion to certify.", hint="Train a model and sign its promotion first.")
        if not actor.is_human and (control.state == "braked" or self._holds_a_group(uow, scope, control)):
            raise NotAPerson("Only a person opens automation again after the brake.", hint="Sign in and ask again.")
        return self._steering.policy(uow, scope), self._train.model(uow, scope, control.model_id)

    def _holds_a_group(self, uow: UnitOfWork, scope: Scope, control: Control) -> bool:
        found = None if control.certificate_id is None else store.get_certificate(uow, scope, control.certificate_id)
        groups = None if found is None else found[0].groups
        return groups is not None and bool(groups.stopped)

    def _chosen(self, scope: Scope, wish: Wish, policy: Policy, model: ModelVersion) -> _Plan:
        """Choose everything from scores and training data; no label of the draw exists yet."""
        alpha, delta = wish.alpha or policy.alpha, wish.delta or policy.delta
        seq, waiting, free, spent, attributes = self._storage.read(lambda uow: self._known(uow, scope, policy, model))
        predicted = _predicted(self._train, model, waiting)
        training = self._training(policy, model, spent)
        # Where no item waits, the scores of training tell where thresholds may lie. That costs power when they lie
        # elsewhere, never the guarantee.
        traffic = [score for score, _ in predicted.values()] or training[0]
        watched = levels(policy.groups, alpha)
        groups = [own(watched, attributes[item]) for item in predicted] if watched else []
        grounds = Grounds(list(predicted), [value for _, value in predicted.values()], traffic, *training, groups)
        if policy.groups_apart:
            among = grounds.scores_of(set(free)) if wish.source == "archive" else None
            document = _apart(wish, policy, delta, watched, grounds, among)
            labels, alpha = sum(one["labels"] for one in document["groups"]), max(watched.values())
        else:
            could = [predicted[item][0] for item in free]
            labels, document = _together(wish, policy, alpha, delta, grounds, could)
            document |= {"group_levels": watched} if watched else {}
        document["grounds"] = self._blobs.put(grounds.to_bytes())
        return _Plan(model, policy, alpha, delta, labels, seq, document, grounds, predicted)

    def _training(
        self, policy: Policy, model: ModelVersion, spent: Sequence[CertifyItem]
    ) -> tuple[list[float], list[float]]:
        """Return scores and errors of the model's training rows and of labels spent earlier; losses where declared."""
        scores, errors = self._train.out_of_fold(model)
        known: tuple[list[float], list[float]] = scores.tolist() + [one.score for one in spent], errors.tolist()
        if policy.loss is None:
            return known[0], known[1] + [one.error for one in spent]
        answers = self._train.answers_out_of_fold(model)
        lost = [policy.loss.of(said, true) for said, true in answers]
        return known[0], lost + planning_losses.losses_of(policy.loss, spent)

    def _known(
        self, uow: UnitOfWork, scope: Scope, policy: Policy, model: ModelVersion
    ) -> tuple[int, dict[str, dict[str, Any]], list[str], list[CertifyItem], dict[str, Mapping[str, str]]]:
        """Return (seq, item -> data of all without a label, those that a draw could take, labels spent earlier, item ->
        group attributes).

        Spent labels were looked at, so they never certify again; but they tell a new design where errors lie.
        """
        seq = self._datasets.last_seq(uow, scope)
        waiting = self._datasets.unlabelled(uow, scope, question=policy.question, until_seq=seq)
        ids = [one.id for one in waiting]
        free = self._annotate.drawable(uow, scope, policy.question, ids)
        spent = [
            item
            for one in store.certificates(uow, scope)
            if one.model_id == model.id
            for item in store.drawn_items(uow, scope, one.id)
            if item.value is not None
        ]
        return seq, {one.id: dict(one.data) for one in waiting}, free, spent, {one.id: one.group for one in waiting}

    # Keeping

    def _keep(self, uow: UnitOfWork, actor: Actor, scope: Scope, wish: Wish, plan: _Plan) -> CertificateRow:
        control, planned = self._steering.control(uow, scope, lock=True)
        policy, model = self._may_plan(uow, actor, scope)
        refused = plan.document.get("status") == "refused"
        if planned is not None and not refused:
            raise WrongState(
                "A certificate is being prepared already.", hint="Wait for its labels, or end it.", certificate=planned
            )
        if model.id != plan.model.id:
            raise WrongState("The champion was replaced meanwhile.", hint="Ask again for the new one.")
        if policy.loss != plan.policy.loss:
            raise WrongState("The policy counts errors by another loss now.", hint="Ask again under it.")
        now = self._clock.now()
        row = CertificateRow(
            id=self._ids.new(),
            number=store.next_number(uow, scope),
            project_id=scope.project_id,
            model_id=model.id,
            model_digest=model.digest,
            question=plan.policy.question,
            alpha=plan.alpha,
            delta=plan.delta,
            status="refused" if refused else "planned",
            source=wish.source,
            labels_planned=plan.labels,
            labels_drawn=0,
            frozen_seq=plan.frozen_seq,
            # From here on no change of the policy changes the test.
            document=plan.document | {"asked_by_person": actor.is_human},
            brake=None,
            created_at=now,
            issued_at=now if refused else None,
            ended_at=None,
            ended_why="",
        )
        store.insert_certificate(uow, scope, row)
        self._say(uow, actor, scope, control, row)
        return row

    def _say(self, uow: UnitOfWork, actor: Actor, scope: Scope, control: Control, row: CertificateRow) -> None:
        """Say what became of the wish, and let automation know of the plan."""
        asked = CertificatePlanned(
            certificate_id=row.id,
            model_id=row.model_id,
            mode=row.document["mode"],
            alpha=row.alpha,
            delta=row.delta,
            labels=row.labels_planned,
            source=row.source,
            automate=row.document.get("automate"),
            region=row.document.get("region"),
            design=row.document.get("design"),
            design_hash=row.document.get("design_hash", ""),
            grounds=row.document.get("grounds", ""),
            groups=row.document.get("groups"),
            group_levels=row.document.get("group_levels"),
            loss=row.document.get("loss"),
            loss_digest=row.document.get("loss_digest"),
        )
        self._journal.append(uow, actor, scope.project_id, asked)
        if row.status == "refused":
            said = CertificateRefused(
                certificate_id=row.id, model_id=row.model_id, needed=row.document["needed"], document=row.document
            )
            self._journal.append(uow, actor, scope.project_id, said)
            return
        if control.state in ("shadow", "braked"):
            self._steering.change(uow, actor, scope, "certifying", "a certificate was planned", planned_id=row.id)
        else:
            self._steering.change(uow, actor, scope, control.state, control.note, planned_id=row.id)


def _apart(
    wish: Wish,
    policy: Policy,
    delta: float,
    watched: Mapping[str, float],
    grounds: Grounds,
    among: Mapping[str, Sequence[float]] | None,
) -> dict[str, Any]:
    """Return the document of a plan with a test for each group; `among`: scores by group that a draw could take."""
    if wish.automate is not None:
        return planning_until.planned(wish.automate, delta, watched, grounds, among)
    assert wish.labels is not None  # checked with the wish
    terms = planning_groups.Terms(wish.labels, delta, policy.certificate_mode, wish.lazy, _SEED, among)
    return planning_groups.planned(terms, watched, grounds)


def _together(
    wish: Wish, policy: Policy, alpha: float, delta: float, grounds: Grounds, could: Sequence[float]
) -> tuple[int, dict[str, Any]]:
    """Return (labels, document) of one test for all items; `could`: the scores that a draw could take."""
    test: UntilPlan | Design
    region: float | None
    traffic, training = grounds.unlabelled, grounds.training
    if policy.loss is not None:
        assert wish.labels is not None  # checked with the wish
        document = planning_losses.planned(policy.loss, wish.labels, alpha, delta, grounds, _SEED)
        return (0 if document.get("status") == "refused" else wish.labels), document
    if wish.automate is not None:
        test = plan_until(traffic, training, coverage=wish.automate, alpha=alpha, delta=delta)
        labels, region = test.counts[0], test.threshold
        extra = {"mode": "until", "automate": wish.automate, "progress": so_far(test, [])}
    else:
        assert wish.labels is not None
        labels, mode = wish.labels, policy.certificate_mode
        reach = planning_groups.reach(could, labels) if wish.source == "archive" else None
        terms: dict[str, Any] = {"labels": labels, "alpha": alpha, "delta": delta, "mode": mode, "lazy": wish.lazy}
        test = design(traffic, training, **terms, reach=reach, seed=_SEED)
        region, extra = test.frame.region, {"mode": mode}
    return labels, extra | {"region": region, "design": test.to_dict(), "design_hash": test.digest()}


def _refused(wish: Wish, policy: Policy, model: ModelVersion, least: int) -> _Plan:
    labels = wish.labels or 0
    document = {"mode": policy.certificate_mode, "status": "refused", "needed": least - labels, "labels": labels}
    alpha, delta = wish.alpha or policy.alpha, wish.delta or policy.delta
    return _Plan(model, policy, alpha, delta, labels, 0, document, Grounds([], [], [], [], []), {})


def _predicted(
    train: Train, model: ModelVersion, data: Mapping[str, Mapping[str, Any]]
) -> dict[str, tuple[float, Any]]:
    """Return item -> (score, value) as the model says now."""
    if not data:
        return {}
    made = train.predictor(model).predict(list(data.values()))
    return {item: (one.score, one.value) for item, one in zip(data, made, strict=True)}


def _found(uow: UnitOfWork, scope: Scope, certificate_id: str) -> CertificateRow:
    found = store.get_certificate(uow, scope, certificate_id)
    assert found is not None  # written in this call
    return found[0]
