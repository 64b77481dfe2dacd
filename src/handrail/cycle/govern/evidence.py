"""Writes the evidence pack of a project: what an outsider needs to check its oversight without the home.

Items' fields, subjects and groups are not in it, nor people's addresses: a pack says what was decided, by what and by
whom, on which rules, data and models, and proves each of it under one signed checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from handrail.cycle.datasets import Datasets
from handrail.cycle.govern import pack
from handrail.cycle.govern.pack import PackVerified, verify_pack
from handrail.cycle.review import Decision, Review
from handrail.cycle.review.sealing import SEALED
from handrail.cycle.train import Train
from handrail.foundation.actors import Scope
from handrail.foundation.canonical import encode
from handrail.foundation.clock import Clock
from handrail.foundation.journal import Journal
from handrail.foundation.journal import checkpoint as notes
from handrail.foundation.journal.proofs import Prover
from handrail.foundation.storage import Storage, UnitOfWork

__all__ = ["Evidence", "PackVerified", "verify_pack"]

_AT_ONCE = 500
_KEPT = ("policy", "certificate", "model", "commit")
_PREDICTED = ("value", "score", "scores")


class Evidence:
    """Packs what a project's journal proves."""

    def __init__(
        self,
        storage: Storage,
        journal: Journal,
        prover: Prover,
        clock: Clock,
        datasets: Datasets,
        train: Train,
        review: Review,
    ) -> None:
        self._storage = storage
        self._journal = journal
        self._prover = prover
        self._clock = clock
        self._datasets = datasets
        self._train = train
        self._review = review

    def write(self, scope: Scope, place: Path) -> None:
        """Write the pack of a project over `place`, from one consistent state; memory does not grow with the journal.

        What happens after the checkpoint it signs first is not in it.
        """
        note = self._prover.checkpoint()
        # The unit may be run again; each time it begins the file anew.
        self._storage.read(lambda uow: self._write(uow, scope, note, place))

    def _write(self, uow: UnitOfWork, scope: Scope, note: str, place: Path) -> None:
        verifier = self._prover.signer.verifier
        signed = notes.read(note, verifier)
        project = self._datasets.project(uow, scope.project_id)
        named: dict[str, set[str]] = {kind: set() for kind in _KEPT}
        with ZipFile(place, "w", ZIP_DEFLATED) as archive, TemporaryFile() as answers:
            made = _Members(archive)
            made.add(pack.CHECKPOINT, [note.encode()])
            made.add(pack.VERIFIER, [verifier.encode(), b"\n"])
            proven = self._prover.proven(uow, scope.project_id, signed.size)
            made.add(pack.JOURNAL, _lines(_heard(proven, named, answers)))
            answers.seek(0)
            made.add(pack.ANSWERS, answers)
            made.add(pack.DECISIONS, _lines(self._decisions(uow, scope, signed.size)))
            made.add(pack.POLICIES, _whole(self._policies(uow, scope, named["policy"])))
            made.add(pack.CERTIFICATES, _whole(self._certificates(uow, scope, named["certificate"])))
            made.add(pack.MODELS, _whole(self._models(uow, scope, named["model"])))
            made.add(pack.COMMITS, _whole(self._commits(uow, scope, named["commit"])))
            manifest = {
                "format": pack.FORMAT,
                "project": {"id": project.id, "name": project.name},
                "made_at": self._clock.now().isoformat(),
                "size": signed.size,
                "root": signed.root.hex(),
                "files": made.files,
            }
            content = encode(manifest).encode()
            made.add(pack.MANIFEST, [content])
            made.add(pack.SEAL, [self._prover.signer.sign_text(pack.seal(content)).encode()])

    def _decisions(self, uow: UnitOfWork, scope: Scope, size: int) -> Iterator[dict[str, Any]]:
        """Give the decisions that the signed tree knows, newest first."""
        before: str | None = None
        while found := self._review.decisions(uow, scope, before=before, limit=_AT_ONCE):
            known = self._journal.named_among(uow, "decision", [one.id for one in found], size)
            yield from (_decision(one) for one in found if one.id in known)
            before = found[-1].id

    def _policies(self, uow: UnitOfWork, scope: Scope, ids: set[str]) -> list[dict[str, Any]]:
        found = {one: self._review.policy(uow, scope, one) for one in ids}
        made = [{"id": one, "version": version, "document": document} for one, (version, document) in found.items()]
        return sorted(made, key=lambda policy: int(policy["version"]))

    def _certificates(self, uow: UnitOfWork, scope: Scope, ids: set[str]) -> list[dict[str, Any]]:
        return [
            {
                "id": one.id,
                "number": one.number,
                "status": one.status,
                "question": one.question,
                "alpha": one.alpha,
                "delta": one.delta,
                "threshold": one.threshold,
                "model_id": one.model_id,
                "model_digest": one.model_digest,
                "labels_planned": one.labels_planned,
                "document": one.document,
                "brake": one.brake,
                "created_at": one.created_at.isoformat(),
                "issued_at": None if one.issued_at is None else one.issued_at.isoformat(),
                "ended_at": None if one.ended_at is None else one.ended_at.isoformat(),
                "ended_why": one.ended_why,
            }
            for one in self._review.certificates(uow, scope)
            if one.id in ids
        ]

    def _models(self, uow: UnitOfWork, scope: Scope, ids: set[str]) -> list[dict[str, Any]]:
        return [
            {
                "id": one.id,
                "number": one.number,
                "question": one.question,
                "state": one.state,
                "kind": one.kind,
                "digest": one.digest,
                "commit_id": one.commit_id,
                "seed": one.seed,
                "classes": list(one.classes),
                "metrics": dict(one.metrics),
                "card": dict(one.card),
                "created_at": one.created_at.isoformat(),
            }
            for one in self._train.models(uow, scope)
            if one.id in ids
        ]

    def _commits(self, uow: UnitOfWork, scope: Scope, ids: set[str]) -> list[dict[str, Any]]:
        found = [self._datasets.commit_of(uow, scope, one) for one in ids]
        return [
            {
                "id": one.id,
                "number": one.number,
                "parents": list(one.parents),
                "branch": one.branch,
                "message": one.message,
                "items": one.items,
                "labels": one.labels,
                "created_at": one.created_at.isoformat(),
                "by": {"kind": one.actor_kind, "id": one.actor_id, "name": one.actor_name},
            }
            for one in sorted(found, key=lambda one: (one.number, one.id))
        ]


class _Members:
    """The files of an archive as they are written, with their digests."""

    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive
        self.files: dict[str, dict[str, Any]] = {}

    def add(self, name: str, parts: Iterable[bytes]) -> None:
        member = ZipInfo(name)  # the time of a member says nothing that the manifest does not
        member.compress_type = ZIP_DEFLATED
        member.external_attr = 0o600 << 16
        digest, size = sha256(), 0
        with self._archive.open(member, "w", force_zip64=True) as target:
            for part in parts:
                digest.update(part)
                size += target.write(part)
        self.files[name] = {"sha256": digest.hexdigest(), "bytes": size}


def _heard(
    proven: Iterator[dict[str, Any]], named: dict[str, set[str]], answers: IO[bytes]
) -> Iterator[dict[str, Any]]:
    """Pass entries on; note which objects they name, and write down the answers that they tell."""
    for one in proven:
        verb, objects = one["entry"][6], one["entry"][7]
        for kind in _KEPT:
            if kind in objects:
                named[kind].add(objects[kind])
        if verb == "tasks.answered":
            answers.write(_line(pack.answer_of(one)))
        yield one


def _decision(one: Decision) -> dict[str, Any]:
    # A person may still be to look without the model's answer; and only a verdict tells the journal what it was.
    kept = one.sealed and one.status in ("pending", "expired")
    shown = None if one.prediction is None or kept else {name: one.prediction.get(name) for name in _PREDICTED}
    return {
        "id": one.id,
        "item_id": one.item_id,
        "question": one.question,
        "status": one.status,
        "route": one.route,
        "value": one.value,
        "by": f"{one.by_kind}:{one.by_id}",
        "score": None if kept else one.score,
        "prediction": shown,
        "reasons": [SEALED] if kept else list(one.reasons),
        "certificate_id": one.certificate_id,
        "policy_id": one.policy_id,
        "model_id": one.model_id,
        "commit_id": one.commit_id,
        "audit_probability": one.audit_probability,
        "created_at": one.created_at.isoformat(),
        "decided_at": None if one.decided_at is None else one.decided_at.isoformat(),
    }


def _line(value: Any) -> bytes:
    return encode(value).encode() + b"\n"


def _lines(values: Iterable[Any]) -> Iterator[bytes]:
    return (_line(one) for one in values)


def _whole(value: Any) -> list[bytes]:
    return [_line(value)]
