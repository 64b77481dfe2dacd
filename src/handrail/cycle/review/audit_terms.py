"""The terms of an audit draw, as they are logged with the decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

EVERYWHERE = ""
"""The group of items where no groups are told apart."""


@dataclass(frozen=True)
class Draw:
    """What was known about one automatic decision when its audit was drawn; logged, and never changed afterwards.

    `probability` of the audit, nominal `rate` then in force, `control` value (None: the brake's null), `group`,
    `mean_q` of the group's traffic, `risk` that the plan expected. `idle`: for the decisions since the draw before
    that were not audited, (sum of gains, sum of squared gains) of all under "" and of each certified group.
    `reviewer_error`: the upper bound in force when it was drawn, None for the one that the brake started with.
    `whole`: it counts for all decisions together, and not for its group alone (`braking_groups`).
    """

    probability: float
    rate: float = 1.0
    control: float | None = None
    group: str = EVERYWHERE
    mean_q: float = 1.0
    risk: float | None = None
    idle: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    reviewer_error: float | None = None
    whole: bool = True

    @property
    def q(self) -> float:
        """The audit probability relative to the nominal rate."""
        return self.probability / self.rate
