"""When an audit counts as wrong, and how late verdicts reach the brake in the order of the decisions. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from handrail.cycle.review import brake
from handrail.cycle.review.audit_terms import Draw
from handrail.cycle.review.brake import BrakeState
from handrail.cycle.review.loss import Loss, loss_of

MOST_OPEN = 512
"""Audits that are replayed; the oldest open one beyond counts as right for good."""


class Drawn(Protocol):
    """An audit from its draw on; `wrong` is None while it is open."""

    @property
    def draw(self) -> Draw:
        """The terms of the draw."""

    @property
    def wrong(self) -> float | None:
        """The confirmed verdict: 0 right, 1 wrong, or the loss between."""


def confirmed(given: Any, values: Sequence[Any], *, second_opinion: bool, loss: Loss | None = None) -> float | None:
    """Return the loss X of the model's answer `given`, 1 for wrong without a declared one; None while another looks.

    `values`: what people answered, in order. One by whom the answer costs nothing settles it. With `second_opinion` one
    by whom it costs asks for another, and a third decides where only one of the two finds a loss. Where two find
    different losses the smaller counts: so much is confirmed, and a mistake of one person alone never brakes.
    """
    lost = [loss_of(loss, given, value) for value in values]
    if not lost[0] or not second_opinion:
        return lost[0]
    if len(lost) == 1 or (len(lost) == 2 and not lost[1]):
        return None
    return min(lost[0], lost[-1])


def replayed(before_open: BrakeState, ring: Sequence[Drawn]) -> tuple[BrakeState, BrakeState, int]:
    """Return (the brake now, before the oldest open audit, how many audits of the ring the latter holds).

    An open audit counts as right; the state before it is kept, so that its verdict finds its place when it comes.
    """
    folded = 0
    while folded < len(ring) and (ring[folded].wrong is not None or len(ring) - folded > MOST_OPEN):
        folded += 1
    kept = brake.replay(before_open, ((one.wrong or 0.0, one.draw) for one in ring[:folded]))
    now = brake.replay(kept, ((one.wrong or 0.0, one.draw) for one in ring[folded:]))
    return now, kept, folded
