"""What is asked for when a certificate is planned. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from handrail.cycle.review.certificates import CertificateInvalid
from handrail.cycle.review.policy import LEAST_SHARE, Policy

Source = Literal["archive", "stream"]


@dataclass(frozen=True)
class Wish:
    """What is asked for: `labels` of a fixed number, or `automate`, the share of the traffic to automate.

    Where the policy certifies groups apart, `labels` is that of each group, and `automate` the share of each group's
    traffic. `lazy`: labels may come from the region of high scores alone, where they are worth most.
    """

    labels: int | None = None
    automate: float | None = None
    source: Source = "archive"
    alpha: float | None = None
    delta: float | None = None
    lazy: bool = True

    def check(self, policy: Policy) -> None:
        """Raise CertificateInvalid for a wish that means nothing under this policy."""
        for name, share in (("alpha", self.alpha), ("delta", self.delta)):
            if share is not None and not LEAST_SHARE <= share < 0.5:
                raise CertificateInvalid(f"{name} must lie between {LEAST_SHARE} and 0.5.", hint="Use 0.05, say.")
        if (self.labels is None) == (self.automate is None):
            raise CertificateInvalid(
                "A certificate is planned for a number of labels, or for a share to automate.",
                hint="Give labels, or automate (0.7 for 70 %), not both.",
            )
        if self.automate is not None and not 0.0 < self.automate <= 1.0:
            raise CertificateInvalid("The share to automate lies above 0 and at most 1.", hint="0.7 means 70 %.")
        if self.labels is None and policy.loss is not None:
            raise CertificateInvalid(
                "A mean loss is certified from a number of labels, not for a share to automate.",
                hint="Give labels.",
            )
