"""What a project's certificates spent: the chance that one was wrong adds up over all that were asked for. Pure.

A certificate spends its delta once labels were drawn for it, whatever they said; one that was refused before any label
spends nothing, and of groups certified apart only those that labels were drawn for spend their part. The brake spends a
delta of its own for the lifetime of each certificate that was issued; that is the chance of a false stop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from handrail.cycle.review.certificates.row import CertificateRow


@dataclass(frozen=True)
class Spent:
    """What one certificate spent: `delta` of its own, `brake_delta` of its brake; `open`: its labels are to come.

    `groups`: group -> its part of delta, where groups were certified apart.
    """

    certificate_id: str
    number: int
    model_id: str
    delta: float
    brake_delta: float
    groups: Mapping[str, float]
    open: bool


@dataclass(frozen=True)
class Spending:
    """Of all certificates of a project: each, and the sums over all and by model (`models`: model id -> delta).

    `delta` bounds the chance that any of them was wrong when it was issued, `brake_delta` that of any false stop; both
    may pass 1, and then say nothing.
    """

    certificates: tuple[Spent, ...]
    models: Mapping[str, float]
    delta: float
    brake_delta: float


def spending(rows: Sequence[CertificateRow]) -> Spending:
    """Return what certificates spent, in the order given."""
    found = tuple(_spent(row) for row in rows)
    models: dict[str, float] = {}
    for one in found:
        models[one.model_id] = models.get(one.model_id, 0.0) + one.delta
    return Spending(found, models, sum(one.delta for one in found), sum(one.brake_delta for one in found))


def spent_by(row: CertificateRow) -> dict[str, float]:
    """Return group -> the part of delta that a certificate spent on it; empty where one test speaks for all items."""
    asked = row.status == "planned" or row.labels_drawn > 0
    parts = row.document.get("groups") or ()
    return {one["group"]: one["delta"] if asked and one["labels"] else 0.0 for one in parts}


def _spent(row: CertificateRow) -> Spent:
    waits = row.status == "planned"
    groups = spent_by(row)
    delta = row.delta if waits or row.labels_drawn > 0 else 0.0
    if row.document.get("groups") is not None:
        delta = sum(groups.values())
    for_bound = row.document.get("reviewers", {}).get("control_delta", 0.0)  # of the reviewers' error
    brake_delta = 0.0 if row.brake is None else row.brake["delta"] + for_bound
    return Spent(row.id, row.number, row.model_id, delta, brake_delta, groups, waits)
