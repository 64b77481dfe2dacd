"""What people label next: random draws with their probability, and campaigns."""

from handrail.cycle.annotate.model import Campaign, Draw, Lot, Sampled
from handrail.cycle.annotate.service import Annotate

__all__ = ["Annotate", "Campaign", "Draw", "Lot", "Sampled"]
