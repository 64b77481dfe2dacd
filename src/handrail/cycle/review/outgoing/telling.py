"""What other systems are told of a journal entry about decisions. Pure.

Nothing here says whether an audit was drawn, what a model said about an item that somebody still looks at, or who
holds a task: a check that people could foresee would not be blind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

Kind = Literal["decision.decided", "decision.expired", "decision.reversed"]
StreamKind = Literal[Kind, "decision.pending", "automation.changed"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_HANDS_ON = frozenset({"escalate", "abstain", "skip_ai"})


@dataclass(frozen=True)
class Told:
    """A fact about a decision; `id` is its journal entry's, the same however often it is sent."""

    id: str
    index: int
    kind: Kind
    time: datetime
    data: dict[str, Any]

    def document(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"id": self.id, "type": self.kind, "timestamp": self.time.isoformat(), "data": self.data}


def told(
    entry_id: str,
    index: int,
    time: datetime,
    verb: str,
    by: str,
    objects: Mapping[str, str],
    payload: Mapping[str, Any],
) -> Told | None:
    """Return what an entry tells, None when it settles no decision or when its content was erased."""
    found = _settled(verb, payload)
    if found is None:
        return None
    kind, status, more = found
    data = {"decision_id": objects["decision"], "status": status, "by": more.pop("by", by), **more}
    return Told(entry_id, index, kind, time, data)


def shown(
    index: int, time: datetime, verb: str, objects: Mapping[str, str], payload: Mapping[str, Any]
) -> tuple[int, StreamKind, dict[str, Any]] | None:
    """Return (index, kind, data) of what the stream of a project says of an entry, None when it says nothing.

    Answers are left out: who has to give one of their own may be reading along.
    """
    at = {"timestamp": time.isoformat()}
    if verb == "review.state_changed" and payload:
        return index, "automation.changed", {**at, "old": payload["old"], "new": payload["new"], "why": payload["why"]}
    if verb == "review.decided" and payload and payload["status"] == "pending":
        return index, "decision.pending", {**at, "decision_id": objects["decision"], "status": "pending"}
    found = _settled(verb, payload)
    return None if found is None else (index, found[0], {**at, "decision_id": objects["decision"], "status": found[1]})


def _settled(verb: str, payload: Mapping[str, Any]) -> tuple[Kind, str, dict[str, Any]] | None:
    if not payload:
        return None
    if verb == "review.decided" and payload["status"] != "pending":
        return "decision.decided", payload["status"], {"value": payload["value"], "by": payload["by"]}
    if verb == "review.verdict_given" and payload["verdict"] not in _HANDS_ON:
        status = "blocked" if payload["verdict"] == "reject" else "decided"
        return "decision.decided", status, {"value": payload["value"]}
    if verb == "review.deadline_passed" and payload["status"] != "pending":
        kind: Kind = "decision.expired" if payload["status"] == "expired" else "decision.decided"
        return kind, payload["status"], {"value": payload["value"], "by": "deadline"}
    if verb == "review.reversed":
        more = {name: payload[name] for name in ("reason", "acknowledge_by")}
        return "decision.reversed", "reversed", {"value": payload["new"], "old": payload["old"], **more}
    return None
