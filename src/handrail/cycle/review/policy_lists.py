"""The lists in a policy: answers that a deadline may give, reasons that a verdict chooses from. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

MOST = 100
LONGEST_REASON = 100
NEEDS_REASON = frozenset({"correct", "reject", "override", "escalate", "abstain", "skip_ai"})
"""Verbs of a person who does not simply agree."""


def deadline_defaults(given: Any, problems: list[str]) -> tuple[Any, ...]:
    """Return the answers that a deadline may give; adds what is wrong with them to `problems`."""
    if not isinstance(given, list | tuple) or len(given) > MOST or None in given:
        problems.append(f"deadline_defaults: must be a list of at most {MOST} answers")
        return ()
    return tuple(given)


def listed_reasons(given: Any, problems: list[str]) -> tuple[str, ...]:
    """Return the reasons of a project, each a short text without a colon; adds what is wrong to `problems`."""
    if not isinstance(given, list | tuple) or len(given) > MOST:
        problems.append(f"reasons: must be a list of at most {MOST} texts")
        return ()
    wrong = [
        place
        for place, one in enumerate(given)
        if not isinstance(one, str)
        or not 1 <= len(one) <= LONGEST_REASON
        or not one.isprintable()
        or ":" in one
        or one != one.strip()
    ]
    problems += [
        f"reasons[{place}]: must be 1 to {LONGEST_REASON} printable characters without a colon" for place in wrong
    ]
    if not wrong and len(set(given)) != len(given):
        problems.append("reasons: two are the same")
    return () if wrong else tuple(given)


def is_listed(verb: str, reason: str, reasons: Sequence[str]) -> bool:
    """Return whether a verdict's reason is fit: one of the list, alone or with words of one's own after a colon.

    Without a list, and for verbs that simply answer, any reason is fit.
    """
    return not reasons or verb not in NEEDS_REASON or reason.partition(":")[0].strip() in reasons
