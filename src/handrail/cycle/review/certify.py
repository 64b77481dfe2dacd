"""Certificates from plan to answer: the design is fixed first, labels come by lot, then the labels speak."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import Any

from handrail.cycle.annotate.model import TooFewItems
from handrail.cycle.review import audit_draw, brake, planning_groups, planning_losses, planning_until, store
from handrail.cycle.review.audit_terms import EVERYWHERE
from handrail.cycle.review.certificates import Design, UntilPlan, certify_designed, conclude
from handrail.cycle.review.certificates.row import CertificateRow, CertifyItem
from handrail.cycle.review.controlling import Controlling
from handrail.cycle.review.controls import ReviewerTerms, terms
from handrail.cycle.review.events import CertificateIssued, CertificateReady, CertificateRefused
from handrail.cycle.review.model import CertificateNotFound, LabelsMissing, State, WrongState
from handrail.cycle.review.planning import Planning
from handrail.cycle.review.policy import Policy
from handrail.cycle.review.steering import Steering
from handrail.cycle.review.wish import Wish
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock, micros
from handrail.foundation.journal import Journal
from handrail.foundation.storage import Storage, UnitOfWork


class Certifying:
    """Plans certificates and answers them."""

    def __init__(
        self,
        storage: Storage,
        journal: Journal,
        clock: Clock,
        steering: Steering,
        planning: Planning,
        controlling: Controlling,
    ) -> None:
        self._storage = storage
        self._journal = journal
        self._clock = clock
        self._steering = steering
        self._planning = planning
        self._controlling = controlling

    def plan(self, actor: Actor, scope: Scope, wish: Wish) -> CertificateRow:
        """Ask for a certificate for the champion and return its plan; see Planning.plan."""
        return self._planning.plan(actor, scope, wish)

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

        A plan "until certified" may also go on: the labels up to its next look are asked for then. Raises LabelsMissing
        while a drawn item of another plan has no label: leaving out the hard ones would void it.
        """
        row = self._storage.read(lambda uow: self.get(uow, scope, certificate_id))
        if row.status != "planned":
            return row
        drawn = self._storage.read(lambda uow: store.drawn_items(uow, scope, certificate_id))
        missing = row.labels_planned - sum(one.value is not None for one in drawn)
        if row.document["mode"] == "until":
            look = self._looked_apart if "groups" in row.document else self._looked
            document = None if missing > 0 else look(actor, scope, row, drawn)
            if document is None:
                return self._storage.read(lambda uow: self.get(uow, scope, certificate_id))
        elif missing > 0:
            raise LabelsMissing(
                f"{missing} of {row.labels_planned} drawn items have no label yet.",
                hint="Every drawn item needs its label, also the hard ones.",
                missing=missing,
            )
        else:
            document = self._answer(row, drawn)
        document = self._audited(scope, row, document)
        return self._storage.write(lambda uow: self._finish(uow, actor, scope, row, document))

    def _answer(self, row: CertificateRow, drawn: Sequence[CertifyItem]) -> dict[str, Any]:
        """Return what the labels of a fixed number say, by the design that was kept with the plan."""
        grounds = self._planning.grounds(row)
        parts = row.document.get("groups")
        if parts is not None:
            fixed = {"mode": row.document["mode"], "design_hash": row.document["design_hash"]}
            return fixed | planning_groups.answered(parts, grounds, drawn)
        if row.document["mode"] == planning_losses.MODE:
            return planning_losses.answered(row.document, grounds, drawn)
        made = certify_designed(
            Design.from_dict(row.document["design"]),
            [one.score for one in drawn],
            [one.error for one in drawn],
            unlabelled=grounds.unlabelled,
            training=grounds.training,
        )
        return made.to_dict()

    def _looked(
        self, actor: Actor, scope: Scope, row: CertificateRow, drawn: Sequence[CertifyItem]
    ) -> dict[str, Any] | None:
        """Return what a look at the labels so far says, None when more are asked for."""
        plan = UntilPlan.from_dict(row.document["design"])
        scores, errors = [one.score for one in drawn], [one.error for one in drawn]
        made = conclude(plan, scores, errors)
        if made is None:
            try:
                self._planning.extending.go_on(actor, scope, row, drawn)
            except TooFewItems:  # nothing is left above the threshold: the plan ends here
                made = conclude(plan, scores, errors, exhausted=True)
            except WrongState:  # somebody else saw to it
                return None
        return None if made is None else made.to_dict() | {"automate": row.document["automate"]}

    def _looked_apart(
        self, actor: Actor, scope: Scope, row: CertificateRow, drawn: Sequence[CertifyItem]
    ) -> dict[str, Any] | None:
        """Return what a look at the labels of all groups says, None when some group asks for more."""
        parts = planning_until.looked(row.document["groups"], drawn)
        while planning_until.is_open(parts):
            # A group of which too few are left above its threshold ends here; the others go on.
            parts = planning_until.looked(parts, drawn, self._planning.extending.short_of_items(scope, row, parts))
            if not planning_until.is_open(parts):
                break
            try:
                self._planning.extending.go_on_apart(actor, scope, row, parts)
            except TooFewItems:  # somebody else drew meanwhile
                continue
            except WrongState:  # somebody else saw to it
                return None
            return None
        fixed = {name: row.document[name] for name in ("mode", "automate", "design_hash")}
        return fixed | planning_groups.summed(parts, self._planning.grounds(row), drawn)

    def _audited(self, scope: Scope, row: CertificateRow, document: dict[str, Any]) -> dict[str, Any]:
        """Return the document with what stands behind it and, when certified, the plan of its audits."""
        document = document | {"grounds": row.document["grounds"]}
        if "groups" not in document and "group_levels" in row.document:
            document["group_levels"] = row.document["group_levels"]
        if document["status"] != "certified":
            return document
        grounds = self._planning.grounds(row)
        if "groups" not in document and "group_levels" in document:
            document["group_coverage"] = planning_groups.coverages(
                grounds, document["group_levels"], document["threshold"]
            )
        policy, reviewers = self._storage.read(lambda uow: self._reviewers(uow, scope, row))
        others = [(score, str(value)) for score, value in grounds.said.values()]
        if grounds.groups:  # audits are told apart by the groups that the brake watches
            others = list(zip(grounds.unlabelled, grounds.groups, strict=True))
        others = others or [(score, EVERYWHERE) for score in grounds.unlabelled]
        lowest = _lowest(document)
        traffic = [(score, group) for score, group in others if score >= lowest(group)] or others
        plan = audit_draw.AuditPlan.from_training(
            *grounds.training,
            recent_scores=[score for score, _ in traffic],
            recent_groups=[group for _, group in traffic],
            rate=policy.audit_rate,
            null=brake.null_of(row.alpha, reviewers.reviewer_error),
        )
        return document | {
            "audit_plan": plan.to_dict(),
            "second_opinion": policy.second_opinion,
            "reviewers": reviewers.to_dict(),
        }

    def _reviewers(self, uow: UnitOfWork, scope: Scope, row: CertificateRow) -> tuple[Policy, ReviewerTerms]:
        """Return the policy in force, and what a brake that starts now is to know of the reviewers' error."""
        policy = self._steering.policy(uow, scope)
        second, delta = policy.second_opinion, policy.brake_delta
        found = self._controlling.measured(uow, scope, row.question, second_opinion=second, delta=delta)
        share, fallback = policy.control_share, policy.reviewer_error
        return policy, terms(found, alpha=row.alpha, delta=delta, fallback=fallback, share=share)

    def _finish(
        self, uow: UnitOfWork, actor: Actor, scope: Scope, row: CertificateRow, document: dict[str, Any]
    ) -> CertificateRow:
        control, planned = self._steering.control(uow, scope, lock=True)
        if planned != row.id:
            return self.get(uow, scope, row.id)
        policy = self._steering.policy(uow, scope)
        certified = document["status"] == "certified"
        state = None
        if certified:
            state = brake.start(
                alpha=row.alpha,
                delta=document["reviewers"]["delta"],
                lifetime=policy.brake_lifetime,
                reviewer_error=document["reviewers"]["reviewer_error"],
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


def _lowest(document: dict[str, Any]) -> Callable[[str], float]:
    """Return group -> the lowest score that a certificate lets through; infinite where its items go to people."""
    parts = document.get("groups")
    if parts is None:
        return lambda group: float(document["threshold"])
    known = {one["group"]: one["threshold"] for one in parts if one["threshold"] is not None}
    return lambda group: float(known.get(group, inf))
