"""Selecting what people label next: a typical start, batches by cluster and margin, and a random audit share.

What each arm chose is on record with its probability; from the audit share alone comes an honest statement of what the
selection saved (`saving`), how right the model is (`accuracy`) and when to stop (`stopping`).
"""

from handrail.cycle.annotate.selecting.rounds import Pool, choose, select
from handrail.cycle.annotate.selecting.terms import Chosen, SelectionInvalid

__all__ = ["Chosen", "Pool", "SelectionInvalid", "choose", "select"]
