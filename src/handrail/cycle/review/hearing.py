"""When an audit counts as wrong, and how late verdicts reach the brake in the order of the decisions. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from handrail.cycle.review import brake
from handrail.cycle.review.audit_terms import Draw
from handrail.cycle.review.brake import BrakeState

MOST_OPEN = 512
"""Audits that are replayed; the oldest open one beyond counts as right for good."""


class Drawn(Protocol):
    """An audit from its draw on; `wrong` is None while it is open."""

    @property
    def draw(self) -> Draw:
        """The terms of the draw."""

    @property
    def wrong(self) -> bool | None:
        """The confirmed verdict."""


def confirmed(given: Any, values: Sequence[Any], *, second_opinion: bool) -> bool | None:
    """Return whether the model's answer `given` counts as wrong, None while another person has to look.

    `values`: what people answered, in order. One who agrees with the model settles it. With `second_opinion` one who
    differs asks for another; it is wrong when that one differs too, and a third decides where they do not agree.
    """
    differ = [bool(value != given) for value in values]
    if not differ[0] or not second_opinion:
        return differ[0]
    if len(differ) == 1 or (len(differ) == 2 and not differ[1]):
        return None
    return differ[-1]


def replayed(before_open: BrakeState, ring: Sequence[Drawn]) -> tuple[BrakeState, BrakeState, int]:
    """Return (the brake now, before the oldest open audit, how many audits of the ring the latter holds).

    An open audit counts as right; the state before it is kept, so that its verdict finds its place when it comes.
    """
    folded = 0
    while folded < len(ring) and (ring[folded].wrong is not None or len(ring) - folded > MOST_OPEN):
        folded += 1
    kept = brake.replay(before_open, ((bool(one.wrong), one.draw) for one in ring[:folded]))
    now = brake.replay(kept, ((bool(one.wrong), one.draw) for one in ring[folded:]))
    return now, kept, folded
