"""Where each group of a certificate stands: automatic, warned, braked, or with people, and on what it rests. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from handrail.cycle.review.brake import BrakeState
from handrail.cycle.review.brake import GroupState as Watched
from handrail.cycle.review.braking_groups import Stopped
from handrail.cycle.review.certificates.row import CertificateRow
from handrail.cycle.review.groups import Grouped
from handrail.cycle.review.spending import spent_by

GroupStatus = Literal["planned", "certified", "refused", "stopped"]
GroupState = Literal["planned", "auto", "warned", "braked", "human", "ended"]


@dataclass(frozen=True)
class GroupStanding:
    """One group of a certificate.

    `delta`: its part of delta, `spent`: what of it was spent; both None where one threshold is certified for all.
    `status`: what its labels said, or stopped; None where they spoke about all items together. `coverage`: the share of
    its waiting items that its threshold let through when it was fixed. `state`: what happens to its items under this
    certificate. `audits`, `wrong`: its own, None before the certificate was issued.
    """

    group: str
    alpha: float
    delta: float | None
    spent: float | None
    status: GroupStatus | None
    state: GroupState
    threshold: float | None
    coverage: float | None
    labels: int | None
    errors: int | None
    needed: int | None
    audits: int | None
    wrong: int | None


def standings(row: CertificateRow) -> tuple[GroupStanding, ...] | None:
    """Return where each group of a certificate stands, None where it names none.

    A group is warned while the brake warns and the group's own evidence reached the warning: R_g >= T, as it is named
    at R_g >= T / delta.
    """
    groups = row.groups
    if groups is None:
        return None
    levels: Mapping[str, float] = row.document.get("group_levels") or {}
    parts = row.document.get("groups") or [{"group": name, "alpha": level} for name, level in levels.items()]
    brake = None if row.brake is None else BrakeState.from_dict(row.brake)
    watched = row.document.get("group_coverage") or {}
    return tuple(_standing(row, groups, part, brake, watched) for part in parts)


def _standing(
    row: CertificateRow, groups: Grouped, part: Mapping[str, Any], brake: BrakeState | None, watched: Mapping[str, Any]
) -> GroupStanding:
    name = part["group"]
    audits, wrong, evidence = _audited(brake, name)
    threshold = groups.threshold(name, row.threshold)
    return GroupStanding(
        group=name,
        alpha=part["alpha"],
        delta=part.get("delta"),
        spent=spent_by(row).get(name),
        status="stopped" if name in groups.stopped else part.get("status"),
        state=_state(row, groups, part, brake, threshold, evidence),
        threshold=threshold,
        coverage=watched.get(name, part.get("coverage")),
        labels=part.get("labels"),
        errors=part.get("errors"),
        needed=part.get("needed"),
        audits=audits,
        wrong=wrong,
    )


def _audited(brake: BrakeState | None, name: str) -> tuple[int | None, int | None, float]:
    """Return (audits, wrong, evidence) of a group; one that was stopped keeps those until then."""
    if brake is None:
        return None, None, 0.0
    found: tuple[Watched | Stopped, ...] = (*brake.groups, *brake.stopped)
    return next(((one.audits, one.wrong, one.evidence) for one in found if one.name == name), (None, None, 0.0))


def _state(
    row: CertificateRow,
    groups: Grouped,
    part: Mapping[str, Any],
    brake: BrakeState | None,
    threshold: float | None,
    evidence: float,
) -> GroupState:
    if row.status == "planned":
        return "human" if part.get("status") == "refused" else "planned"
    if threshold is None:
        return "human"
    if brake is not None and (brake.braked or part["group"] in groups.stopped):
        return "braked"
    if row.status != "certified":
        return "ended"
    return "warned" if brake is not None and brake.warned and evidence >= brake.lifetime else "auto"
