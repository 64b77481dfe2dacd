"""Stopping a group alone: who broke the certificate, and how the brake begins again for those that go on. Pure.

Where exactly the groups whose own evidence reached the threshold hold nine tenths of all evidence, they alone stop. R
over all decisions then begins again with the first audit drawn after that moment, because it spoke about the traffic
that the groups were part of; every other group keeps its evidence, which was about its own decisions only.

Nothing is paid for twice: R is a sum over audits of processes that start one by one, and beginning again drops those
that started before. What is left is at most the sum that the proof bounds, so one delta covers the stop of a group, the
stops that follow and the stop of the whole, in one lifetime of audits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handrail.cycle.review.brake import BrakeState
    from handrail.cycle.review.certificates.row import CertificateRow
    from handrail.cycle.review.model import AuditRow

# The named groups alone are stopped when they hold this part of all evidence.
NAMED_PART = 0.9


@dataclass(frozen=True)
class Stopped:
    """A group that the brake stopped: `after` the last audited decision before that, with its audits until then.

    `audits` and `wrong` count the group's own, `evidence` is its R.
    """

    name: str
    after: str
    audits: int
    wrong: int
    evidence: float


def named(state: BrakeState) -> tuple[str, ...]:
    """Return the groups whose own evidence reaches the whole threshold."""
    return tuple(one.name for one in state.groups if one.evidence >= state.lifetime / state.delta)


def alone(state: BrakeState) -> tuple[str, ...]:
    """Return the groups that alone need to stop: those named, when they hold nine tenths of the evidence; else none."""
    found = named(state)
    total = state.evidence + sum(one.evidence for one in state.groups)
    held = sum(one.evidence for one in state.groups if one.name in found)
    return found if found and held >= NAMED_PART * total else ()


def begun_again(state: BrakeState, after: str) -> BrakeState:
    """Return the state before the first audit of a brake that stopped `only_groups` after the audited decision `after`.

    All audits have to be replayed over it: those up to `after` count for the groups that go on, not for the whole.
    """
    stops = tuple(
        Stopped(one.name, after, one.audits, one.wrong, one.evidence)
        for one in state.groups
        if one.name in state.only_groups
    )
    left = tuple(
        replace(one, wealths=(0.0,) * len(one.bets), audits=0, wrong=0)
        for one in state.groups
        if one.name not in state.only_groups
    )
    return replace(
        state,
        wealths=(0.0,) * len(state.bets),
        groups=left,
        learned=(),
        audits=0,
        wrong=0,
        warned=False,
        braked=False,
        braked_at=None,
        named=(),
        only_groups=(),
        stopped=(*state.stopped, *stops),
    )


def counted(state: BrakeState, ring: Sequence[AuditRow]) -> list[AuditRow]:
    """Return audits to replay; those drawn before the last stop of a group say nothing about all that goes on."""
    after = max((one.after for one in state.stopped), default="")
    return [one if one.decision_id > after else replace(one, draw=replace(one.draw, whole=False)) for one in ring]


def stops_alone(row: CertificateRow, state: BrakeState) -> bool:
    """Return whether the brake stops groups alone: some alone broke it, and others go on under the certificate."""
    if not state.braked or not state.only_groups:
        return False
    groups = row.groups
    if groups is None or groups.thresholds is None:
        return True  # items of no group go on
    gone = {one.name for one in state.stopped} | set(state.only_groups)
    return any(one is not None for name, one in groups.thresholds.items() if name not in gone)
