"""Lies about what is stored: each must be found, or the comparison proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import get_args

from bench.crash.heard import Heard, Kind
from bench.crash.ledger import Decided, Entry, Ledger, check


def lies(heard: Heard, stored: Ledger) -> list[str]:
    """Return the names of the lies that `check` does not report, each told alone about a ledger that is right."""
    known = {kind: sum(one.kind == kind for one in check(heard, stored, complete=True)) for kind in get_args(Kind)}
    missed = []
    for name, (kind, told) in LIES.items():
        try:
            changed = told(heard, stored)
        except StopIteration:
            missed.append(f"{name} (nothing to tell it about)")
            continue
        found = sum(one.kind == kind for one in check(heard, changed, complete=True))
        if changed == stored or found <= known[kind]:
            missed.append(name)
    return missed


def _told(heard: Heard, stored: Ledger, status: str) -> Decided:
    """Return a decision that clients heard of with this status."""
    return next(
        one
        for one in stored.decisions
        if one.status == status and heard.states.get(one.id, ((), 0))[0][:1] == (status,)
    )


def _with(stored: Ledger, old: Decided, *new: Decided) -> Ledger:
    kept = tuple(one for one in stored.decisions if one != old)
    return replace(stored, decisions=(*kept, *new))


def _gone(heard: Heard, stored: Ledger) -> Ledger:
    return _with(stored, _told(heard, stored, "auto"))


def _twice(heard: Heard, stored: Ledger) -> Ledger:
    one = _told(heard, stored, "auto")
    return _with(stored, one, one, replace(one, id=f"{one.id[:-1]}x"))


def _another_value(heard: Heard, stored: Ledger) -> Ledger:
    one = _told(heard, stored, "auto")
    return _with(stored, one, replace(one, value="something else"))


def _late_answer(heard: Heard, stored: Ledger) -> Ledger:
    one = _told(heard, stored, "expired")
    return _with(stored, one, replace(one, status="decided", value="benign", by="person:late"))


def _two_ends(heard: Heard, stored: Ledger) -> Ledger:
    one = _told(heard, stored, "expired")
    says = {"decision": one.id, "verdict": "correct"}
    return replace(stored, entries=(*stored.entries, Entry(stored.entries[-1].seq + 1, "review.verdict_given", says)))


def _answer_gone(heard: Heard, stored: Ledger) -> Ledger:
    lost = next(iter(heard.answered))
    return replace(stored, answers=tuple(one for one in stored.answers if one[0] != lost))


def _entry_gone(_: Heard, stored: Ledger) -> Ledger:
    first = next(one for one in stored.entries if one.verb == "review.decided")
    return replace(stored, entries=tuple(one for one in stored.entries if one is not first))


def _receipt_gone(heard: Heard, stored: Ledger) -> Ledger:
    one = next(one for one in stored.decisions if one.id in heard.taken)
    return _with(stored, one, replace(one, consumed_by=None))


LIES: dict[str, tuple[Kind, Callable[[Heard, Ledger], Ledger]]] = {
    "a decision is gone": ("lost", _gone),
    "a decision is there twice": ("doubled", _twice),
    "a decision has another value": ("overwritten", _another_value),
    "a late answer replaced a deadline": ("overwritten", _late_answer),
    "a decision ends twice": ("overwritten", _two_ends),
    "an answer is gone": ("lost", _answer_gone),
    "an entry is gone": ("doubled", _entry_gone),
    "a receipt is gone": ("lost", _receipt_gone),
}
