"""Compares what clients were told with what is stored: a pure function of the two, so that it can be fed lies."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from bench.crash.heard import Finding, Heard
from handrail.foundation.storage import UnitOfWork

_DECISIONS = text(
    "SELECT d.idem_key, d.id, d.item_id, d.route, d.score, d.status, d.value, d.by_kind, d.by_id, d.consumed_key,"
    " i.external_id FROM decision d JOIN item i ON i.id = d.item_id"
)
_TASKS = text("SELECT id, decision_id, status FROM task WHERE decision_id IS NOT NULL")
_ANSWERS = text(
    "SELECT a.task_id, a.value FROM answer a JOIN task t ON t.id = a.task_id WHERE t.decision_id IS NOT NULL"
)
_ENTRIES = text(
    "SELECT e.seq, e.verb, e.objects, p.content FROM journal_entry e JOIN journal_payload p ON p.entry_id = e.id"
    " WHERE e.verb IN ('review.decided', 'review.verdict_given', 'review.deadline_passed', 'review.audited',"
    " 'review.reversed', 'review.consumed', 'review.state_changed') ORDER BY e.seq"
)
_PASSED_ON = frozenset({"escalate", "abstain", "skip_ai"})
_DEADLINE = frozenset({"deny", "default"})


@dataclass(frozen=True)
class Decided:
    """A decision as it is stored."""

    key: str
    id: str
    item_id: str
    route: str
    score: float | None
    status: str
    value: Any
    by: str
    consumed_by: str | None
    external_id: str


@dataclass(frozen=True)
class Entry:
    """An entry of the journal, in its order: verb, and what it names and says."""

    seq: int
    verb: str
    says: dict[str, Any]


@dataclass(frozen=True)
class Ledger:
    """What is stored: decisions, the decision of each task, the answer to each task, entries of the journal."""

    decisions: tuple[Decided, ...]
    tasks: dict[str, str]
    answers: tuple[tuple[str, Any], ...]
    entries: tuple[Entry, ...]


def read_ledger(uow: UnitOfWork) -> Ledger:
    """Read everything that is compared, in one transaction."""

    def value(given: str | None) -> Any:
        return None if given is None else json.loads(given)

    decisions = tuple(
        Decided(key, id_, item, route, score, status, value(said), f"{kind}:{by}", consumed, external)
        for key, id_, item, route, score, status, said, kind, by, consumed, external in uow.run(_DECISIONS).all()
    )
    entries = tuple(
        Entry(seq, verb, json.loads(content) | json.loads(objects))
        for seq, verb, objects, content in uow.run(_ENTRIES).all()
    )
    tasks = {task: decision for task, decision, _ in uow.run(_TASKS).all()}
    return Ledger(decisions, tasks, tuple((task, value(said)) for task, said in uow.run(_ANSWERS).all()), entries)


def check(heard: Heard, stored: Ledger, *, complete: bool) -> list[Finding]:
    """Return everything that contradicts: what clients were told, what is stored, and what the journal says.

    `complete`: every request was answered in the end, so that what is stored is what was asked, and nothing else.
    """
    return [
        *heard.found,
        *_against_clients(heard, stored, complete),
        *_answers(heard, stored),
        *_against_journal(stored),
    ]


def _against_clients(heard: Heard, stored: Ledger, complete: bool) -> Iterable[Finding]:
    by_key = {one.key: one for one in stored.decisions}
    by_id = {one.id: one for one in stored.decisions}
    for name, many in (("key", "key"), ("item", "external_id"), ("id", "id")):
        for value, times in Counter(getattr(one, many) for one in stored.decisions).items():
            if times > 1:
                yield Finding("doubled", f"{times} decisions have the {name} {value}")
    for key, (decision_id, item_id, route, score, _) in heard.told.items():
        one = by_key.get(key)
        if one is None:
            yield Finding("lost", f"{key} was told as {decision_id} and is not stored")
        elif (one.id, one.item_id, one.route, one.score) != (decision_id, item_id, route, score):
            yield Finding("overwritten", f"{key} was told as {decision_id}, {route} and is stored as {one}")
        elif one.external_id != heard.asked[key]["external_id"]:
            yield Finding("overwritten", f"{key} was asked about another item than {one.external_id}")
    for decision_id, (state, _) in heard.states.items():
        one = by_id.get(decision_id)
        if one is None or state[0] == "pending":
            continue
        if (one.status, one.value, one.by) != state and (state[0], one.status) != ("auto", "reversed"):
            yield Finding("overwritten", f"{decision_id} was heard as {state} and is stored as {one}")
    for decision_id, callers in heard.taken.items():
        if (one := by_id.get(decision_id)) is None or one.consumed_by not in callers:
            yield Finding("lost", f"{decision_id} was given to {callers}, and nobody is stored")
    if complete:
        for key in heard.asked.keys() ^ by_key.keys():
            yield Finding("lost" if key in heard.asked else "doubled", f"{key} is asked or stored, and not both")


def _answers(heard: Heard, stored: Ledger) -> Iterable[Finding]:
    """What the server took of people is there once and holds: no deadline has replaced it."""
    by_id = {one.id: one for one in stored.decisions}
    kept = dict(stored.answers)
    if len(kept) != len(stored.answers):
        yield Finding("doubled", "a task has two answers")
    for task_id, value in heard.answered.items():
        if task_id not in kept:
            yield Finding("lost", f"the answer to task {task_id} was taken and is not stored")
        elif kept[task_id] != value:
            yield Finding("overwritten", f"task {task_id} was answered {value} and is stored as {kept[task_id]}")
    for task_id in kept:
        one = by_id.get(stored.tasks[task_id])
        if one is not None and one.by.startswith("deadline:"):
            yield Finding("overwritten", f"{one.id} was answered by a person, and a deadline decided it")


def _against_journal(stored: Ledger) -> Iterable[Finding]:
    """Every decision is told once, ends at most once, and is stored as its last entry says."""
    told = Counter(one.says["decision"] for one in stored.entries if one.verb == "review.decided")
    ends: defaultdict[str, list[Entry]] = defaultdict(list)
    for one in stored.entries:
        if _is_end(one):
            ends[one.says["decision"]].append(one)
    for each in stored.decisions:
        if told.pop(each.id, 0) != 1:
            yield Finding("doubled", f"{each.id} is not in the journal once")
        over = ends.pop(each.id, [])
        if len(over) > 1:
            yield Finding("overwritten", f"{each.id} ends {len(over)} times: {[end.verb for end in over]}")
        elif each.status in ("auto", "pending"):
            if over:
                yield Finding("lost", f"{each.id} is {each.status}, and the journal ends it with {over[0].verb}")
        elif each.route == "human" and not over:
            yield Finding("overwritten", f"{each.id} is {each.status}, and the journal does not say why")
        elif over and each.by.startswith("deadline:") != (over[0].verb == "review.deadline_passed"):
            yield Finding("overwritten", f"{each.id} is by {each.by}, and the journal says {over[0].verb}")
    for decision_id in [*told, *ends]:
        yield Finding("lost", f"the journal tells of {decision_id}, which is not stored")


def _is_end(one: Entry) -> bool:
    if one.verb == "review.verdict_given":
        return one.says["verdict"] not in _PASSED_ON
    return one.verb == "review.reversed" or (one.verb == "review.deadline_passed" and one.says["then"] in _DEADLINE)


def automatic_after_brake(stored: Ledger) -> tuple[int, int, int]:
    """Return (brakes, automatic decisions before the first of them, and after it) in the journal's order."""
    brakes = [one.seq for one in stored.entries if one.verb == "review.state_changed" and one.says["new"] == "braked"]
    automatic = [one.seq for one in stored.entries if one.verb == "review.decided" and one.says["route"] == "auto"]
    if not brakes:
        return 0, len(automatic), 0
    after = sum(seq > brakes[0] for seq in automatic)
    return len(brakes), len(automatic) - after, after
