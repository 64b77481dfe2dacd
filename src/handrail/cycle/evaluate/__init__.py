"""Models on held-out items, two models on the same items, proposals to sign, and the jobs around them."""

from handrail.cycle.evaluate.model import (
    Comparison,
    Evaluation,
    NothingHeldOut,
    Proposal,
    ProposalClosed,
    ProposalNotFound,
    ProposalStale,
)
from handrail.cycle.evaluate.people import People
from handrail.cycle.evaluate.service import Evaluate

__all__ = [
    "Comparison",
    "Evaluate",
    "Evaluation",
    "NothingHeldOut",
    "People",
    "Proposal",
    "ProposalClosed",
    "ProposalNotFound",
    "ProposalStale",
]
