"""Certificates from plan to answer: the design is fixed first, labels come by lot, then the labels speak."""

from __future__ import annotations

from typing import Any, Literal

from handrail.cycle.annotate import Annotate, Draw
from handrail.cycle.datasets import Datasets
from handrail.cycle.review import audit_draw, brake, store
from handrail.cycle.review.audit_terms import EVERYWHERE
from handrail.cycle.review.certificates import CertificateInvalid, certify
from handrail.cycle.review.events import (
    CertificateIssued,
    CertificatePlanned,
    CertificateReady,
    CertificateRefused,
)
from handrail.cycle.review.model import (
    LEAST_SHARE,
    CertificateNotFound,
    CertificateRow,
    Control,
    LabelsMissing,
    NoModel,
    NotAPerson,
    Policy,
    State,
    WrongState,
)
from handrail.cycle.review.steering import Steering
from handrail.cycle.train import ModelVersion, Train
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock, micros
from handrail.foundation.errors import Broken
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.statistics import zero_error_labels
from handrail.foundation.storage import Storage, UnitOfWork

_SEED = 20_260_101  # of design and jitter; written into every certificate so that it can be made again


class Certifying:
    """Plans certificates and answers them."""

    def __init__(
        self,
        storage: Storage,
        journal: Journal,
        clock: Clock,
        ids: Ids,
        datasets: Datasets,
        annotate: Annotate,
        train: Train,
        steering: Steering,
    ) -> None:
        self._storage = storage
        self._journal = journal
        self._clock = clock
        self._ids = ids
        self._datasets = datasets
        self._annotate = annotate
        self._train = train
        self._steering = steering

    def plan(
        self,
        actor: Actor,
        scope: Scope,
        *,
        labels: int,
        source: Literal["archive", "stream"] = "archive",
        alpha: float | None = None,
        delta: float | None = None,
    ) -> CertificateRow:
        """Ask for a certificate for the champion and return its plan.

        `archive` draws `labels` items at random from the items nobody has labelled or decided; `stream` draws the
        next items that arrive, each with the policy's share. A wish that no outcome could meet is refused at once,
        with the labels still needed. Raises NoModel before the first promotion, WrongState while a plan is open,
        NotAPerson where only a person may (after the brake), TooFewItems.
        """

        def plan(uow: UnitOfWork) -> CertificateRow:
            return self._plan(uow, actor, scope, labels=labels, source=source, alpha=alpha, delta=delta)

        for name, share in (("alpha", alpha), ("delta", delta)):
            if share is not None and not LEAST_SHARE <= share < 0.5:
                raise CertificateInvalid(f"{name} must lie between {LEAST_SHARE} and 0.5.", hint="Use 0.05, say.")
        policy = self._storage.read(lambda uow: self._may_plan(uow, actor, scope))
        if source == "stream" or labels < zero_error_labels(alpha or policy.alpha, delta or policy.delta):
            return self._storage.write(plan)
        planned: list[CertificateRow] = []

        def along(uow: UnitOfWork, draws: list[Draw]) -> None:
            # Plan and draw are one unit: a plan without its draw would block every other for ever.
            row = plan(uow)
            store.add_drawn(uow, scope, row.id, [(one.item_id, one.position, one.probability) for one in draws])
            planned[:] = [row]

        self._annotate.draw(
            actor,
            scope,
            question=policy.question,
            n=labels,
            purpose="certify",
            reason="drawn at random",
            along=along,
        )
        return self._storage.read(lambda uow: self.get(uow, scope, planned[0].id))

    def _plan(
        self,
        uow: UnitOfWork,
        actor: Actor,
        scope: Scope,
        *,
        labels: int,
        source: Literal["archive", "stream"],
        alpha: float | None,
        delta: float | None,
    ) -> CertificateRow:
        control, planned = self._steering.control(uow, scope, lock=True)
        policy = self._may_plan(uow, actor, scope)
        assert control.model_id is not None
        model = self._train.model(uow, scope, control.model_id)
        alpha, delta = alpha or policy.alpha, delta or policy.delta
        least = zero_error_labels(alpha, delta)
        refused = labels < least
        if planned is not None and not refused:
            raise WrongState(
                "A certificate is being prepared already.", hint="Wait for its labels, or end it.", certificate=planned
            )
        now = self._clock.now()
        row = CertificateRow(
            id=self._ids.new(),
            number=store.next_number(uow, scope),
            project_id=scope.project_id,
            model_id=model.id,
            model_digest=model.digest,
            question=policy.question,
            alpha=alpha,
            delta=delta,
            status="refused" if refused else "planned",
            source=source,
            labels_planned=labels,
            labels_drawn=0,
            frozen_seq=self._datasets.last_seq(uow, scope),
            document={"mode": policy.certificate_mode}  # from here on no change of the policy changes the test
            | ({"status": "refused", "needed": least - labels, "labels": labels} if refused else {}),
            brake=None,
            created_at=now,
            issued_at=now if refused else None,
            ended_at=None,
            ended_why="",
        )
        store.insert_certificate(uow, scope, row)
        self._planned(uow, actor, scope, control, row)
        return row

    def _may_plan(self, uow: UnitOfWork, actor: Actor, scope: Scope) -> Policy:
        """Return the policy in force; raises NoModel, NotAPerson."""
        control, _ = self._steering.control(uow, scope)
        if control.model_id is None:
            raise NoModel("There is no champion to certify.", hint="Train a model and sign its promotion first.")
        if control.state == "braked" and not actor.is_human:
            raise NotAPerson("Only a person opens automation again after the brake.", hint="Sign in and ask again.")
        return self._policy(uow, scope, control.policy_id)

    def _planned(self, uow: UnitOfWork, actor: Actor, scope: Scope, control: Control, row: CertificateRow) -> None:
        """Say what became of the wish, and let automation know of the plan."""
        asked = CertificatePlanned(
            certificate_id=row.id,
            model_id=row.model_id,
            mode=row.document["mode"],
            alpha=row.alpha,
            delta=row.delta,
            labels=row.labels_planned,
            source=row.source,
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

    def labelled(self, uow: UnitOfWork, actor: Actor, scope: Scope, item_id: str, value: Any) -> None:
        """Take the label of an item that was drawn to certify; the last one makes the certificate ready."""
        certificate_id = store.open_draw(uow, scope, item_id)
        if certificate_id is None:
            return
        store.label_drawn(uow, scope, certificate_id, item_id, value)
        found = store.get_certificate(uow, scope, certificate_id)
        assert found is not None
        if found[1] >= found[0].labels_planned:
            self._journal.append(uow, actor, scope.project_id, CertificateReady(certificate_id=certificate_id))

    def complete(self, actor: Actor, scope: Scope, certificate_id: str) -> CertificateRow:
        """Let the labels of a planned certificate speak: certified with a threshold, or refused with what is missing.

        Raises LabelsMissing while a drawn item has no label: leaving out the hard ones would void it.
        """
        row = self._storage.read(lambda uow: self.get(uow, scope, certificate_id))
        if row.status != "planned":
            return row
        drawn = self._storage.read(lambda uow: store.drawn_items(uow, scope, certificate_id))
        missing = row.labels_planned - sum(value is not None for _, _, value in drawn)
        if missing > 0:
            raise LabelsMissing(
                f"{missing} of {row.labels_planned} drawn items have no label yet.",
                hint="Every drawn item needs its label, also the hard ones.",
                missing=missing,
            )
        document = self._answer(scope, row, drawn)
        return self._storage.write(lambda uow: self._finish(uow, actor, scope, row, document))

    def _answer(self, scope: Scope, row: CertificateRow, drawn: list[tuple[str, float, Any]]) -> dict[str, Any]:
        model, unlabelled, items = self._storage.read(lambda uow: self._evidence(uow, scope, row, drawn))
        predictor = self._train.predictor(model)
        oof_scores, oof_errors = self._train.out_of_fold(model)
        earlier_scores, earlier_errors = self._spent(scope, row)
        training_scores = oof_scores.tolist() + earlier_scores
        training_errors = oof_errors.tolist() + earlier_errors
        predicted = predictor.predict([items[item] for item, _, _ in drawn])
        scores = [one.score for one in predicted]
        errors = [int(one.value != value) for one, (_, _, value) in zip(predicted, drawn, strict=True)]
        # Where the draw took the whole archive, the scores of training tell where thresholds may lie. That costs power
        # when they lie elsewhere, never the guarantee: no label of the draw is looked at.
        others = [(one.score, str(one.value)) for one in predictor.predict(unlabelled)] if unlabelled else []
        others = others or [(score, EVERYWHERE) for score in training_scores]
        made = certify(
            scores,
            errors,
            unlabelled=[score for score, _ in others],
            training=(training_scores, training_errors),
            alpha=row.alpha,
            delta=row.delta,
            mode=row.document["mode"],
            seed=_SEED,
        )
        document = made.to_dict()
        if made.threshold is not None:
            policy = self._storage.read(lambda uow: self._policy_in_force(uow, scope))
            traffic = [(score, group) for score, group in others if score >= made.threshold] or others
            plan = audit_draw.AuditPlan.from_training(
                training_scores,
                training_errors,
                recent_scores=[score for score, _ in traffic],
                recent_groups=[group for _, group in traffic],
                rate=policy.audit_rate,
                null=brake.null_of(row.alpha, policy.reviewer_error),
            )
            document["audit_plan"] = plan.to_dict()
            document["second_opinion"] = policy.second_opinion
        return document

    def _spent(self, scope: Scope, row: CertificateRow) -> tuple[list[float], list[int]]:
        """Return (scores, errors) of the labels that earlier certificates of this model used up.

        They were looked at, so they never certify again; but they tell the design of a new plan where errors lie.
        """

        def unit(uow: UnitOfWork) -> list[tuple[dict[str, Any], Any]]:
            found: list[tuple[dict[str, Any], Any]] = []
            for one in store.certificates(uow, scope):
                if one.model_id != row.model_id or one.number >= row.number:
                    continue
                labelled = [
                    (item, value) for item, _, value in store.drawn_items(uow, scope, one.id) if value is not None
                ]
                items = self._datasets.items_by_id(uow, scope, [item for item, _ in labelled])
                found += [(dict(items[item].data), value) for item, value in labelled]
            return found

        pairs = self._storage.read(unit)
        if not pairs:
            return [], []
        model = self._storage.read(lambda uow: self._train.model(uow, scope, row.model_id))
        predicted = self._train.predictor(model).predict([data for data, _ in pairs])
        errors = [int(one.value != value) for one, (_, value) in zip(predicted, pairs, strict=True)]
        return [one.score for one in predicted], errors

    def _evidence(
        self, uow: UnitOfWork, scope: Scope, row: CertificateRow, drawn: list[tuple[str, float, Any]]
    ) -> tuple[ModelVersion, list[dict[str, Any]], dict[str, dict[str, Any]]]:
        model = self._train.model(uow, scope, row.model_id)
        if model.digest != row.model_digest:
            raise Broken("The model is not the one that the certificate was planned for.")
        chosen = {item for item, _, _ in drawn}
        archive = self._datasets.unlabelled(uow, scope, question=row.question, until_seq=row.frozen_seq)
        items = {key: dict(item.data) for key, item in self._datasets.items_by_id(uow, scope, chosen).items()}
        return model, [dict(item.data) for item in archive if item.id not in chosen], items

    def _finish(
        self, uow: UnitOfWork, actor: Actor, scope: Scope, row: CertificateRow, document: dict[str, Any]
    ) -> CertificateRow:
        control, planned = self._steering.control(uow, scope, lock=True)
        if planned != row.id:
            return self.get(uow, scope, row.id)
        policy = self._policy(uow, scope, control.policy_id)
        certified = document["status"] == "certified"
        state = None
        if certified:
            state = brake.start(
                alpha=row.alpha,
                delta=policy.brake_delta,
                lifetime=policy.brake_lifetime,
                reviewer_error=policy.reviewer_error,
                group_levels=document.get("group_levels"),
            ).to_dict()
        status = "certified" if certified else "refused"
        at = micros(self._clock.now())
        store.finish_certificate(uow, scope, row.id, status=status, document=document, brake=state, at=at)
        if certified:
            if control.certificate_id is not None:
                self._steering.end_certificate(uow, actor, scope, control.certificate_id, "a newer one took its place")
            said = CertificateIssued(certificate_id=row.id, model_id=row.model_id, document=document)
            self._journal.append(uow, actor, scope.project_id, said)
            to: State = "stopped" if control.state == "stopped" else "auto"
            why = "a certificate was issued"
            self._steering.change(uow, actor, scope, to, why, certificate_id=row.id, planned_id=None)
        else:
            no = CertificateRefused(
                certificate_id=row.id, model_id=row.model_id, needed=document.get("needed"), document=document
            )
            self._journal.append(uow, actor, scope.project_id, no)
            back: State = "shadow" if control.state == "certifying" else control.state
            self._steering.change(uow, actor, scope, back, "a certificate was refused", planned_id=None)
        return self.get(uow, scope, row.id)

    def get(self, uow: UnitOfWork, scope: Scope, certificate_id: str) -> CertificateRow:
        """Return a certificate; raises CertificateNotFound."""
        found = store.get_certificate(uow, scope, certificate_id)
        if found is None:
            raise CertificateNotFound("No such certificate in this project.")
        return found[0]

    def _policy(self, uow: UnitOfWork, scope: Scope, policy_id: str) -> Policy:
        found = store.get_policy(uow, scope, policy_id)
        if found is None:
            raise Broken("The policy in force is not in the database.")
        return Policy.from_dict(found[1])

    def _policy_in_force(self, uow: UnitOfWork, scope: Scope) -> Policy:
        return self._policy(uow, scope, self._steering.control(uow, scope)[0].policy_id)
