"""The comparison after crashes: silent about a ledger that is right, loud about every lie."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.crash.controls import LIES, lies
from bench.crash.heard import Heard
from bench.crash.ledger import Decided, Entry, Ledger, automatic_after_brake, check

TASK = "task-of-"


def decided(number: int, status: str, by: str, value: Any, **more: Any) -> Decided:
    route = "auto" if status == "auto" else "human"
    return Decided(
        key=f"key-{number}",
        id=f"decision-{number}",
        item_id=f"item-{number}",
        route=route,
        score=0.9,
        status=status,
        value=value,
        by=by,
        consumed_by=more.get("consumed_by"),
        external_id=f"arrived-{number}",
    )


@pytest.fixture
def stored() -> Ledger:
    one = decided(1, "auto", "policy:1", "benign", consumed_by="caller")
    two = decided(2, "decided", "person:ann", "malignant")
    three = decided(3, "expired", "deadline:task", None)
    made = (one, two, three)
    entries = [Entry(at, "review.decided", {"decision": each.id, "route": each.route}) for at, each in enumerate(made)]
    entries.append(Entry(7, "review.verdict_given", {"decision": two.id, "verdict": "correct"}))
    entries.append(Entry(8, "review.deadline_passed", {"decision": three.id, "then": "deny"}))
    answers = ((TASK + two.id, "malignant"),)
    return Ledger(made, {TASK + each.id: each.id for each in made}, answers, tuple(entries))


@pytest.fixture
def heard(stored: Ledger) -> Heard:
    made = Heard()
    for one in stored.decisions:
        made.asked[one.key] = {"external_id": one.external_id}
        made.decision(one.key, said(one), 0.0, 1.0)
    made.answer(TASK + "decision-2", "malignant")
    made.receipt("decision-1", "caller")
    return made


def said(one: Decided, **more: Any) -> dict[str, Any]:
    names = ("id", "item_id", "route", "score", "status", "value", "by")
    return {**{name: getattr(one, name) for name in names}, "created_at": "then", **more}


def test_nothing_is_found_where_all_is_well(heard: Heard, stored: Ledger) -> None:
    assert check(heard, stored, complete=True) == []


def test_every_lie_is_found(heard: Heard, stored: Ledger) -> None:
    assert len(LIES) == 8
    assert lies(heard, stored) == []


def test_a_lie_about_nothing_counts_as_not_found(stored: Ledger) -> None:
    assert "a receipt is gone (nothing to tell it about)" in lies(Heard(), stored)


def test_a_decision_that_nobody_asked_for_is_found(heard: Heard, stored: Ledger) -> None:
    del heard.asked["key-1"], heard.told["key-1"]
    assert [one.kind for one in check(heard, stored, complete=True)] == ["doubled"]
    assert check(heard, stored, complete=False) == []


@pytest.mark.parametrize(
    ("then", "kind"),
    [
        ({"status": "decided", "value": "benign", "by": "person:ann"}, "overwritten"),
        ({"status": "pending"}, "overwritten"),
        ({"id": "another"}, "doubled"),
    ],
)
def test_what_a_client_hears_later_must_agree(heard: Heard, stored: Ledger, then: dict[str, Any], kind: str) -> None:
    heard.decision("key-3", said(stored.decisions[2], **then), 2.0, 3.0)
    assert kind in {one.kind for one in heard.found}


def test_an_older_answer_that_arrives_late_is_no_contradiction(heard: Heard, stored: Ledger) -> None:
    heard.decision("key-3", said(stored.decisions[2], status="pending", by="policy:1"), 0.5, 3.0)
    assert heard.found == []


def test_an_audit_may_reverse_and_nothing_may_undo_that(heard: Heard, stored: Ledger) -> None:
    one = stored.decisions[0]
    heard.decision("key-1", said(one, status="reversed", value="malignant", by="person:ann"), 2.0, 3.0)
    assert heard.found == []
    heard.decision("key-1", said(one), 4.0, 5.0)
    assert [each.kind for each in heard.found] == ["overwritten"]


def test_two_callers_with_one_decision_are_found(heard: Heard) -> None:
    heard.receipt("decision-1", "caller")
    assert heard.found == []
    heard.receipt("decision-1", "another")
    assert [one.kind for one in heard.found] == ["doubled"]


def test_automatic_decisions_are_counted_by_the_order_of_the_journal(stored: Ledger) -> None:
    brake = Entry(9, "review.state_changed", {"new": "braked"})
    late = Entry(10, "review.decided", {"decision": "x", "route": "auto"})
    assert automatic_after_brake(stored) == (0, 1, 0)
    assert automatic_after_brake(replace(stored, entries=(*stored.entries, brake))) == (1, 1, 0)
    assert automatic_after_brake(replace(stored, entries=(*stored.entries, brake, late))) == (1, 1, 1)
