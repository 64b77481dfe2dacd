"""Selecting what people label next: a typical start, batches by cluster and margin, and a random audit share.

Every choice comes with its arm and its probability; only the audit share carries design weights.
"""

from handrail.cycle.annotate.selecting.rounds import Pool, choose, select
from handrail.cycle.annotate.selecting.terms import Chosen, SelectionInvalid

__all__ = ["Chosen", "Pool", "SelectionInvalid", "choose", "select"]
