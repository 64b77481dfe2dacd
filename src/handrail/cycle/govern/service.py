"""Governance as the rest of the system sees it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from handrail.cycle.datasets import Datasets
from handrail.cycle.govern.evidence import Evidence
from handrail.cycle.govern.model import Dossier
from handrail.cycle.review import Decision, Review
from handrail.cycle.review.certificates.row import CertificateRow
from handrail.cycle.review.groups import own
from handrail.cycle.review.model import Sealed
from handrail.cycle.tasks import Task, Tasks
from handrail.cycle.tasks.model import switched
from handrail.cycle.train import Train
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock
from handrail.foundation.journal import Journal
from handrail.foundation.journal.proofs import Prover
from handrail.foundation.storage import Storage, UnitOfWork


class Govern:
    """Answers outsiders from what was written when it happened (AI Act Art. 12 and 86, GDPR Art. 15(1)(h))."""

    def __init__(
        self,
        storage: Storage,
        journal: Journal,
        prover: Prover,
        clock: Clock,
        datasets: Datasets,
        tasks: Tasks,
        train: Train,
        review: Review,
    ) -> None:
        self._storage = storage
        self._journal = journal
        self._prover = prover
        self._datasets = datasets
        self._tasks = tasks
        self._train = train
        self._review = review
        self._evidence = Evidence(storage, journal, prover, clock, datasets, train, review)

    def dossier(self, scope: Scope, decision_id: str, *, reader: Actor | None = None) -> Dossier:
        """Return everything about one decision, with proofs; raises DecisionNotFound.

        Raises Sealed while a look without the model's answer is awaited and the reader may give it.
        """
        self._journal.integrate(self._storage)
        made, entry_ids = self._storage.read(lambda uow: self._collect(uow, scope, decision_id, reader))
        proofs = tuple(self._prover.prove(entry_id) for entry_id in entry_ids)
        return Dossier(**made, entries=proofs)

    def evidence(self, scope: Scope, place: Path) -> None:
        """Write the project's evidence pack over `place`; see Evidence.write and pack.verify_pack."""
        self._evidence.write(scope, place)

    def _collect(
        self, uow: UnitOfWork, scope: Scope, decision_id: str, reader: Actor | None
    ) -> tuple[dict[str, Any], list[str]]:
        one = self._review.decision(uow, scope, decision_id)
        if reader is not None and self._review.sealed_for(uow, reader, scope, [one]):
            raise Sealed(
                "People look at this decision without the model's answer, and yours is not stored yet.",
                hint="Answer its task, or come back when it is decided.",
            )
        item = self._datasets.item(uow, scope, one.item_id)
        version, document = self._review.policy(uow, scope, one.policy_id)
        work = [self._work(uow, scope, task) for task in self._tasks.of_decision(uow, scope, decision_id)]
        made = {
            "decision": _decision(one),
            "item": {"id": item.id, "name": item.external_id, "fields": dict(item.data)},
            "reasons": one.reasons,
            "prediction": one.prediction,
            "model": None if one.model_id is None else self._model(uow, scope, one.model_id),
            "policy": {"id": one.policy_id, "version": version, "document": document},
            "certificate": self._certificate(uow, scope, one, item.group),
            "work": tuple(work),
            "execution": self._execution(uow, scope, one),
        }
        entries = self._journal.about(uow, scope.project_id, "decision", decision_id)
        return made, [entry.entry_id for entry in entries]

    def _model(self, uow: UnitOfWork, scope: Scope, model_id: str) -> dict[str, Any]:
        model = self._train.model(uow, scope, model_id)
        return {
            "id": model.id,
            "name": model.name,
            "digest": model.digest,
            "commit": model.commit_id,
            "metrics": dict(model.metrics),
            "card": dict(model.card),
        }

    def _certificate(
        self, uow: UnitOfWork, scope: Scope, one: Decision, attributes: Mapping[str, str]
    ) -> dict[str, Any] | None:
        if one.certificate_id is None:
            return None
        row = next(found for found in self._review.certificates(uow, scope) if found.id == one.certificate_id)
        return {
            "id": row.id,
            "number": row.number,
            "status": row.status,
            "alpha": row.alpha,
            "delta": row.delta,
            "threshold": row.threshold,
            "mode": row.document["mode"],
            "loss": row.document.get("loss"),
            "loss_digest": row.document.get("loss_digest"),
            "group": _group(row, attributes),
            "model_digest": row.model_digest,
            "ended_why": row.ended_why,
        }

    def _execution(self, uow: UnitOfWork, scope: Scope, one: Decision) -> dict[str, Any] | None:
        """Return who acted on the decision, and what became of that when it was taken back; None when nobody did."""
        receipt = self._review.consuming.receipt(uow, scope, one.id)
        if receipt is None:
            return None
        back = self._review.reversing.reversal(uow, scope, one.id)
        known = None if back is None or back.acknowledged_at is None else back.acknowledged_at.isoformat()
        return {
            "consumed_at": receipt.consumed_at.isoformat(),
            "consumed_by": receipt.actor_id,
            "caller": receipt.caller,
            "action_hash": receipt.action_hash,
            "reversal": None
            if back is None
            else {
                "reason": back.reason,
                "reversed_by": back.reversed_by,
                "reversed_at": back.reversed_at.isoformat(),
                "acknowledge_by": back.acknowledge_by.isoformat(),
                "acknowledged_at": known,
                "acknowledged_by": back.acknowledged_by,
                "note": back.note,
            },
        }

    def _work(self, uow: UnitOfWork, scope: Scope, task: Task) -> dict[str, Any]:
        answer = self._tasks.answer_of(uow, scope, task.id)
        own = None if answer is None else self._tasks.first_of(uow, scope, task.id, answer.actor_id)
        return {
            "kind": task.kind,
            "status": task.status,
            "reason": task.reason,
            "blind": task.blind,
            "opened_at": task.opened_at.isoformat(),
            "answer": None
            if answer is None
            else {
                "verb": answer.verb,
                "value": answer.value,
                "reason": answer.reason,
                "by": {"kind": answer.actor_kind, "name": answer.actor_name},
                "at": answer.answered_at.isoformat(),
                "own": None
                if own is None
                else {
                    "value": own.value,
                    "at": own.answered_at.isoformat(),
                    "switched": switched(own, answer.value),
                },
            },
        }


def _group(row: CertificateRow, attributes: Mapping[str, str]) -> dict[str, Any] | None:
    """Return what the certificate says of the item's group, None where it names no groups."""
    groups = row.groups
    if groups is None:
        return None
    name = own(groups.names, attributes)
    return {
        "name": name,
        "apart": groups.thresholds is not None,
        "threshold": groups.threshold(name, row.threshold),
        "stopped": name in groups.stopped,
    }


def _decision(one: Decision) -> dict[str, Any]:
    return {
        "id": one.id,
        "question": one.question,
        "status": one.status,
        "route": one.route,
        "value": one.value,
        "by": f"{one.by_kind}:{one.by_id}",
        "score": one.score,
        "audit_probability": one.audit_probability,
        "created_at": one.created_at.isoformat(),
        "decided_at": None if one.decided_at is None else one.decided_at.isoformat(),
        "deadline": None if one.expires_at is None else one.expires_at.isoformat(),
        "on_deadline": one.on_deadline,
        "irreversible": one.irreversible,
        "risk_class": one.risk_class,
        "cost": one.cost,
        "action_hash": one.action_hash,
        "eyes": one.eyes,
    }
