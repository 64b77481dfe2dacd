"""The only outgoing HTTP client."""

from handrail.foundation.fetch.addresses import why_dangerous
from handrail.foundation.fetch.client import (
    BadUrl,
    DangerousAddress,
    Fetch,
    HostNotAllowed,
    Reply,
    Rules,
    TooBig,
    TooManyRedirects,
    TooSlow,
    Unreachable,
)

__all__ = [
    "BadUrl",
    "DangerousAddress",
    "Fetch",
    "HostNotAllowed",
    "Reply",
    "Rules",
    "TooBig",
    "TooManyRedirects",
    "TooSlow",
    "Unreachable",
    "why_dangerous",
]
