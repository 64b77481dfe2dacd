"""From whom the model's answer to a decision is kept, so that people look for themselves. Pure.

A machine gave the item and gets the answer. A person who may read dossiers (a lead, an auditor) sees all but what
waits for a look without it. Anybody else, who answers tasks, sees the model's answer to a decision once a value of
their own about it is stored, whether or not a check of it was drawn: what is hidden does not tell that one was.
"""

from __future__ import annotations

from typing import Any

from handrail.cycle.review.model import Decision

SEALED = "sealed until the reader's own answer is stored"
"""What stands in the place of the reasons, which may name the score."""


def may_be_sealed(one: Decision, *, reads_dossiers: bool) -> bool:
    """Return whether the model's answer is kept from a person unless they have said a value of their own."""
    return not reads_dossiers or (one.sealed and one.status == "pending")


def kept_back(one: Decision) -> dict[str, Any]:
    """Return what replaces all that would tell the model's answer, or which task is about the decision."""
    automatic = {"value": None} if one.status == "auto" else {}
    names = ("score", "prediction", "certificate_id", "audit_probability", "task_id")
    return {**automatic, **dict.fromkeys(names), "reasons": [SEALED]}
