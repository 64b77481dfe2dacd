"""Handrail: one self-hostable human-in-the-loop AI system.

`import handrail` stays light: names resolve on first use (PEP 562).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from handrail.cycle.datasets import Field, NewItem, Question, Schema
    from handrail.cycle.review import Request
    from handrail.doors.sdk import Client, connect

__version__ = "0.1.0"
__all__ = ["Client", "Field", "NewItem", "Question", "Request", "Schema", "connect"]

_HOMES = {
    "Client": "handrail.doors.sdk",
    "Field": "handrail.cycle.datasets",
    "NewItem": "handrail.cycle.datasets",
    "Question": "handrail.cycle.datasets",
    "Request": "handrail.cycle.review",
    "Schema": "handrail.cycle.datasets",
    "connect": "handrail.doors.sdk",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'handrail' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
