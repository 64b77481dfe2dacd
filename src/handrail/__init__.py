"""Handrail: one self-hostable human-in-the-loop AI system.

`import handrail` stays light: names resolve on first use (PEP 562).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from handrail.cycle.annotate.selecting import select
    from handrail.cycle.annotate.truth import Truth, truth
    from handrail.cycle.datasets import Field, Question, Schema
    from handrail.cycle.datasets.forms import ItemIn as Item
    from handrail.cycle.review.certificates import Certificate, LossCertificate, certify, certify_loss
    from handrail.cycle.review.decisions.forms import DecideIn as Request
    from handrail.cycle.review.decisions.forms import PredictionIn as Prediction
    from handrail.cycle.review.monitoring import Monitor
    from handrail.cycle.tasks.forms import QueueRulesForm as QueueRules
    from handrail.cycle.tasks.routes import HeldTaskOut as Task
    from handrail.doors.sdk import AsyncClient, AsyncProject, Client, Project, connect, connect_async
    from handrail.foundation.errors import HandrailError

__version__ = "0.1.0"
__all__ = [
    "AsyncClient",
    "AsyncProject",
    "Certificate",
    "Client",
    "Field",
    "HandrailError",
    "Item",
    "LossCertificate",
    "Monitor",
    "Prediction",
    "Project",
    "Question",
    "QueueRules",
    "Request",
    "Schema",
    "Task",
    "Truth",
    "certify",
    "certify_loss",
    "connect",
    "connect_async",
    "select",
    "truth",
]

_HOMES = {
    "AsyncClient": "handrail.doors.sdk:AsyncClient",
    "AsyncProject": "handrail.doors.sdk:AsyncProject",
    "Certificate": "handrail.cycle.review.certificates:Certificate",
    "Client": "handrail.doors.sdk:Client",
    "Field": "handrail.cycle.datasets:Field",
    "HandrailError": "handrail.foundation.errors:HandrailError",
    "Item": "handrail.cycle.datasets.forms:ItemIn",
    "LossCertificate": "handrail.cycle.review.certificates:LossCertificate",
    "Monitor": "handrail.cycle.review.monitoring:Monitor",
    "Prediction": "handrail.cycle.review.decisions.forms:PredictionIn",
    "Project": "handrail.doors.sdk:Project",
    "Question": "handrail.cycle.datasets:Question",
    "QueueRules": "handrail.cycle.tasks.forms:QueueRulesForm",
    "Request": "handrail.cycle.review.decisions.forms:DecideIn",
    "Schema": "handrail.cycle.datasets:Schema",
    "Task": "handrail.cycle.tasks.routes:HeldTaskOut",
    "Truth": "handrail.cycle.annotate.truth:Truth",
    "certify": "handrail.cycle.review.certificates:certify",
    "certify_loss": "handrail.cycle.review.certificates:certify_loss",
    "connect": "handrail.doors.sdk:connect",
    "connect_async": "handrail.doors.sdk:connect_async",
    "select": "handrail.cycle.annotate.selecting:select",
    "truth": "handrail.cycle.annotate.truth:truth",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'handrail' has no attribute {name!r}")
    module, _, attribute = _HOMES[name].partition(":")
    return getattr(import_module(module), attribute)
