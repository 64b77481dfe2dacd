"""Proves oversight to an outsider: the dossier of one decision."""

from handrail.cycle.govern.model import Dossier
from handrail.cycle.govern.service import Govern

__all__ = ["Dossier", "Govern"]
