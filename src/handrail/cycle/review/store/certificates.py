"""SQL of certificates, the items drawn for them, and audits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update

from handrail.cycle.review.certificates.row import CertificateRow, CertifyItem
from handrail.cycle.review.store.tables import certificate, drawn
from handrail.foundation.actors import Scope
from handrail.foundation.canonical import encode
from handrail.foundation.clock import from_micros, micros
from handrail.foundation.storage import UnitOfWork

_CERTIFICATE_COLUMNS = [
    certificate.c[name]
    for name in (
        "id number project_id model_id model_digest question alpha delta status source labels_planned labels_drawn "
        "frozen_seq document brake created_at issued_at ended_at ended_why labels_in"
    ).split()
]
_INSERT_CERTIFICATE = insert(certificate)
_CERTIFICATE = select(*_CERTIFICATE_COLUMNS).where(
    certificate.c.project_id == bindparam("project"), certificate.c.id == bindparam("by_id")
)
_CERTIFICATE_LOCKED = _CERTIFICATE.with_for_update()
_CERTIFICATES = (
    select(*_CERTIFICATE_COLUMNS).where(certificate.c.project_id == bindparam("project")).order_by(certificate.c.number)
)
_LAST_NUMBER = select(func.max(certificate.c.number)).where(certificate.c.project_id == bindparam("project"))
_FINISH_CERTIFICATE = (
    update(certificate)
    .where(certificate.c.project_id == bindparam("project"), certificate.c.id == bindparam("by_id"))
    .values(
        status=bindparam("new_status"),
        document=bindparam("new_document"),
        brake=bindparam("new_brake"),
        brake_base=bindparam("new_brake"),
        issued_at=bindparam("at"),
    )
)
_END_CERTIFICATE = (
    update(certificate)
    .where(certificate.c.project_id == bindparam("project"), certificate.c.id == bindparam("by_id"))
    .values(status="ended", ended_at=bindparam("at"), ended_why=bindparam("why"))
)
_PUT_BRAKE = (
    update(certificate)
    .where(certificate.c.project_id == bindparam("project"), certificate.c.id == bindparam("by_id"))
    .values(brake=bindparam("new_brake"), brake_base=bindparam("new_base"))
)
_BRAKE_BASE = select(certificate.c.brake_base).where(
    certificate.c.project_id == bindparam("project"), certificate.c.id == bindparam("by_id")
)
_COUNT_DRAWN = (
    update(certificate)
    .where(certificate.c.project_id == bindparam("project"), certificate.c.id == bindparam("by_id"))
    .values(labels_drawn=certificate.c.labels_drawn + bindparam("more"))
)
_COUNT_IN = (
    update(certificate)
    .where(certificate.c.project_id == bindparam("project"), certificate.c.id == bindparam("by_id"))
    .values(labels_in=certificate.c.labels_in + 1)
)
_EXTEND = (
    update(certificate)
    .where(certificate.c.project_id == bindparam("project"), certificate.c.id == bindparam("by_id"))
    .values(labels_planned=bindparam("new_labels"), document=bindparam("new_document"))
)
_INSERT_DRAWN = insert(drawn)
_OPEN_DRAW = (
    select(drawn.c.certificate_id)
    .join(certificate, certificate.c.id == drawn.c.certificate_id)
    .where(
        drawn.c.project_id == bindparam("project"),
        drawn.c.item_id == bindparam("item"),
        drawn.c.value.is_(None),
        certificate.c.status == "planned",
    )
)
_IS_DRAWN = select(drawn.c.position).where(
    drawn.c.project_id == bindparam("project"),
    drawn.c.certificate_id == bindparam("by_id"),
    drawn.c.item_id == bindparam("item"),
)
_LABEL_DRAWN = (
    update(drawn)
    .where(
        drawn.c.project_id == bindparam("project"),
        drawn.c.certificate_id == bindparam("by_id"),
        drawn.c.item_id == bindparam("item"),
    )
    .values(value=bindparam("new_value"))
)
_DRAWN = (
    select(
        *(drawn.c.item_id, drawn.c.position, drawn.c.probability),
        *(drawn.c.score, drawn.c.predicted, drawn.c.value, drawn.c.item_group),
    )
    .where(drawn.c.project_id == bindparam("project"), drawn.c.certificate_id == bindparam("by_id"))
    .order_by(drawn.c.position)
)


_DRAWN_BY_GROUP = (
    select(drawn.c.item_group, func.count())
    .where(drawn.c.project_id == bindparam("project"), drawn.c.certificate_id == bindparam("by_id"))
    .group_by(drawn.c.item_group)
)


def _certificate(row: tuple[Any, ...]) -> tuple[CertificateRow, int]:
    (id_, number, project, model, digest, question, alpha, delta, status, source, planned, drawn_, *rest) = row
    frozen, document, brake, created, issued, ended, why, labels_in = rest
    made = CertificateRow(
        id=id_,
        number=number,
        project_id=project,
        model_id=model,
        model_digest=digest,
        question=question,
        alpha=alpha,
        delta=delta,
        status=status,
        source=source,
        labels_planned=planned,
        labels_drawn=drawn_,
        frozen_seq=frozen,
        document=json.loads(document),
        brake=None if brake is None else json.loads(brake),
        created_at=from_micros(created),
        issued_at=None if issued is None else from_micros(issued),
        ended_at=None if ended is None else from_micros(ended),
        ended_why=why,
    )
    return made, labels_in


def insert_certificate(uow: UnitOfWork, scope: Scope, one: CertificateRow) -> None:
    """Insert a planned or at once refused certificate."""
    uow.add(
        _INSERT_CERTIFICATE,
        id=one.id,
        number=one.number,
        project_id=scope.project_id,
        model_id=one.model_id,
        model_digest=one.model_digest,
        question=one.question,
        alpha=one.alpha,
        delta=one.delta,
        status=one.status,
        source=one.source,
        labels_planned=one.labels_planned,
        labels_drawn=one.labels_drawn,
        labels_in=0,
        frozen_seq=one.frozen_seq,
        document=encode(one.document),
        brake=None,
        created_at=micros(one.created_at),
        issued_at=None if one.issued_at is None else micros(one.issued_at),
        ended_at=None,
        ended_why=one.ended_why,
    )


def next_number(uow: UnitOfWork, scope: Scope) -> int:
    """Return the number of the project's next certificate."""
    return int(uow.run(_LAST_NUMBER, project=scope.project_id).scalar() or 0) + 1


def get_certificate(
    uow: UnitOfWork, scope: Scope, certificate_id: str, *, lock: bool = False
) -> tuple[CertificateRow, int] | None:
    """Return (certificate, labels that are in)."""
    statement = _CERTIFICATE_LOCKED if lock else _CERTIFICATE
    row = uow.run(statement, project=scope.project_id, by_id=certificate_id).first()
    return None if row is None else _certificate(row)


def certificates(uow: UnitOfWork, scope: Scope) -> list[CertificateRow]:
    """Return every certificate of the project, oldest first."""
    return [_certificate(row)[0] for row in uow.run(_CERTIFICATES, project=scope.project_id).all()]


def finish_certificate(
    uow: UnitOfWork,
    scope: Scope,
    certificate_id: str,
    *,
    status: str,
    document: dict[str, Any],
    brake: dict[str, Any] | None,
    at: int,
) -> None:
    """Write what the labels said."""
    uow.add(
        _FINISH_CERTIFICATE,
        project=scope.project_id,
        by_id=certificate_id,
        new_status=status,
        new_document=encode(document),
        new_brake=None if brake is None else encode(brake),
        at=at,
    )


def end_certificate(uow: UnitOfWork, scope: Scope, certificate_id: str, *, at: int, why: str) -> None:
    """Mark a certificate as ended."""
    uow.add(_END_CERTIFICATE, project=scope.project_id, by_id=certificate_id, at=at, why=why)


def put_brake(
    uow: UnitOfWork, scope: Scope, certificate_id: str, *, now: dict[str, Any], before_open: dict[str, Any]
) -> None:
    """Write the brake's state: as it is now, and as it was before the oldest audit that is still open."""
    uow.add(
        _PUT_BRAKE, project=scope.project_id, by_id=certificate_id, new_brake=encode(now), new_base=encode(before_open)
    )


def brake_before_open(uow: UnitOfWork, scope: Scope, certificate_id: str) -> dict[str, Any] | None:
    """Return the brake's state before the oldest open audit, None without a brake."""
    found = uow.run(_BRAKE_BASE, project=scope.project_id, by_id=certificate_id).scalar()
    return None if found is None else dict(json.loads(found))


def extend_certificate(
    uow: UnitOfWork, scope: Scope, certificate_id: str, *, labels: int, document: dict[str, Any]
) -> None:
    """Let a plan ask for labels up to a higher number, and write how far it is."""
    uow.add(_EXTEND, project=scope.project_id, by_id=certificate_id, new_labels=labels, new_document=encode(document))


def add_drawn(uow: UnitOfWork, scope: Scope, certificate_id: str, items: Sequence[CertifyItem]) -> None:
    """Record items drawn to certify, and count them."""
    rows = [
        {
            "certificate_id": certificate_id,
            "item_id": one.item_id,
            "project_id": scope.project_id,
            "position": one.position,
            "probability": one.probability,
            "score": one.score,
            "predicted": encode(one.predicted),
            "item_group": one.group,
        }
        for one in items
    ]
    uow.add_all(_INSERT_DRAWN, rows)
    uow.add(_COUNT_DRAWN, project=scope.project_id, by_id=certificate_id, more=len(rows))


def open_draw(uow: UnitOfWork, scope: Scope, item_id: str) -> str | None:
    """Return the planned certificate that still waits for this item's label."""
    found = uow.run(_OPEN_DRAW, project=scope.project_id, item=item_id).scalar()
    return None if found is None else str(found)


def is_drawn(uow: UnitOfWork, scope: Scope, certificate_id: str, item_id: str) -> bool:
    """Return whether an item was drawn for a certificate before."""
    return uow.run(_IS_DRAWN, project=scope.project_id, by_id=certificate_id, item=item_id).first() is not None


def label_drawn(uow: UnitOfWork, scope: Scope, certificate_id: str, item_id: str, value: Any) -> None:
    """Record the label of a drawn item and count it."""
    uow.add(_LABEL_DRAWN, project=scope.project_id, by_id=certificate_id, item=item_id, new_value=encode(value))
    uow.add(_COUNT_IN, project=scope.project_id, by_id=certificate_id)


def drawn_items(uow: UnitOfWork, scope: Scope, certificate_id: str) -> list[CertifyItem]:
    """Return the items drawn for a certificate, in the order of the draw."""
    rows = uow.run(_DRAWN, project=scope.project_id, by_id=certificate_id).all()
    return [
        CertifyItem(item, place, chance, score, json.loads(said), None if value is None else json.loads(value), group)
        for item, place, chance, score, said, value, group in rows
    ]


def drawn_by_group(uow: UnitOfWork, scope: Scope, certificate_id: str) -> dict[str, int]:
    """Return how many items were drawn for each group of a certificate."""
    rows = uow.run(_DRAWN_BY_GROUP, project=scope.project_id, by_id=certificate_id).all()
    return {str(group): int(number) for group, number in rows}
