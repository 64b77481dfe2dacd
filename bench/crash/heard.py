"""What clients remember: what they asked, what they were told, and every answer that contradicts an earlier one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["lost", "doubled", "overwritten", "unexpected"]
State = tuple[str, Any, str]  # status, value, by

_SAME = ("id", "item_id", "route", "score", "created_at")
_RANK = {"pending": 0, "auto": 1, "decided": 1, "blocked": 1, "expired": 1, "reversed": 2}


@dataclass(frozen=True)
class Finding:
    """Something that must not be: a kind, and a sentence that names what it is about."""

    kind: Kind
    sentence: str


@dataclass
class Heard:
    """The memory of all clients of a run; nothing in it comes from the database.

    `asked`: key -> payload. `told`: key -> what never changes of its decision. `states`: decision -> the last state
    that was heard, and when. `answered`: task -> the value of the answer that the server said it took. `taken`:
    decision -> callers who were told that they may act on it. `refused`: how often what was refused, by code.
    """

    asked: dict[str, dict[str, Any]] = field(default_factory=dict)
    told: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    states: dict[str, tuple[State, float]] = field(default_factory=dict)
    answered: dict[str, Any] = field(default_factory=dict)
    taken: dict[str, list[str]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    found: list[Finding] = field(default_factory=list)

    def decision(self, key: str, answer: dict[str, Any], began: float, now: float) -> None:
        """Take what a server said about the decision of a key; the request began at `began` and was heard `now`."""
        same = tuple(answer[name] for name in _SAME)
        if self.told.setdefault(key, same) != same:
            self._find("doubled", f"{key} was {self.told[key]} and is {same}")
        state = (answer["status"], answer["value"], answer["by"])
        before, when = self.states.get(answer["id"], (None, 0.0))
        if before is None or before[0] == "pending" or (before[0], state[0]) == ("auto", "reversed"):
            if before is None or state[0] != "pending":
                self.states[answer["id"]] = state, now
        elif before != state and (_RANK[state[0]] >= _RANK[before[0]] or began > when):
            self._find("overwritten", f"{answer['id']} was {before} and is {state}")

    def answer(self, task_id: str, value: Any) -> None:
        """Take that a server took this answer to a task."""
        if self.answered.setdefault(task_id, value) != value:
            self._find("doubled", f"task {task_id} took {self.answered[task_id]} and {value}")

    def receipt(self, decision_id: str, caller: str) -> None:
        """Take that a server let this caller act on a decision."""
        callers = self.taken.setdefault(decision_id, [])
        if caller not in callers:
            callers.append(caller)
        if len(callers) > 1:
            self._find("doubled", f"{decision_id} was given to {callers}")

    def unexpected(self, what: str, status: int, text: str) -> None:
        """Take an answer that no client can do anything with."""
        self._find("unexpected", f"{what}: {status} {text[:300]}")

    def _find(self, kind: Kind, sentence: str) -> None:
        self.found.append(Finding(kind, sentence))
