from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handrail.cycle.tasks.model import (
    BLIND_REASON,
    KINDS,
    MOST_REASON,
    VERBS,
    Answered,
    NewTask,
    Task,
    TaskInvalid,
    VerbNotAllowed,
    check_verb,
    seconds_spent,
)

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SHOWN = {"prediction": {"value": "b", "score": 0.9}}


def task(**more: Any) -> Task:
    values: dict[str, Any] = {
        "id": "t-1",
        "project_id": "p-1",
        "kind": "review",
        "status": "open",
        "question": "kind",
        "item_id": None,
        "decision_id": None,
        "subject_id": None,
        "payload": {},
        "priority": 0,
        "skill": "",
        "reason": "unsure",
        "blind": False,
        "campaign_id": None,
        "not_by": (),
        "opened_at": NOW,
        "deadline": None,
        "claimed_by": None,
        "claimed_until": None,
    }
    return Task(**(values | more))


@pytest.mark.parametrize(
    "payload",
    [
        {"prediction": {"value": "a"}},
        {"Score": 0.9},
        {"context": {"first": [{"suggestion": "a"}]}},
        {"why": ({"top": []},)},
    ],
)
def test_a_blind_task_carries_no_model_answer_at_any_depth(payload: dict[str, Any]) -> None:
    with pytest.raises(TaskInvalid):
        NewTask(kind="audit", question="kind", blind=True, payload=payload)
    assert NewTask(kind="review", question="kind", payload=payload).payload == payload


def test_a_blind_task_may_carry_what_is_no_model_answer() -> None:
    assert NewTask(kind="audit", question="kind", blind=True, payload={"page": 3, "parts": [{"line": "x"}]}).blind


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "chat"},
        {"question": ""},
        {"question": "q" * 129},
        {"skill": "s" * 65},
        {"priority": 1_000_001},
        {"deadline": datetime(2026, 1, 1)},  # noqa: DTZ001 - what is refused
        {"reason": "r" * (MOST_REASON + 1)},
        {"reason": "half \ud800"},
    ],
)
def test_a_task_that_breaks_a_rule_is_not_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(TaskInvalid):
        NewTask(**({"kind": "label", "question": "kind"} | wrong))


def test_blind_tasks_of_every_kind_are_shown_alike() -> None:
    shown = {
        (one.shown_kind, one.shown_reason, one.prediction is None)
        for one in (
            task(kind="audit", blind=True, reason="score 0.97", payload={}),
            task(kind="review", blind=True, reason="certify", payload={}),
            task(kind="label", blind=True, reason="drawn"),
        )
    }
    assert shown == {("label", BLIND_REASON, True)}
    assert (task().shown_kind, task().shown_reason) == ("review", "unsure")


def test_blind_tasks_of_every_kind_take_the_same_verbs() -> None:
    for kind in ("audit", "review", "adjudicate", "label"):
        for verb in ("approve", "correct", "override", "reject", "sign"):
            with pytest.raises(VerbNotAllowed) as refused:
                check_verb(task(kind=kind, blind=True), Answered("a", verb))  # type: ignore[arg-type]
            assert refused.value.hint == "Use one of abstain, escalate, label."


def test_every_kind_has_a_verb_and_refuses_the_others() -> None:
    assert set(VERBS) == set(KINDS)
    every = frozenset().union(*VERBS.values())
    for kind, allowed in VERBS.items():
        for verb in every - allowed:
            with pytest.raises(VerbNotAllowed):
                check_verb(task(kind=kind), Answered(None, verb))  # type: ignore[arg-type]


def test_to_approve_is_to_say_what_was_shown() -> None:
    seen = task(payload=SHOWN)
    assert check_verb(seen, Answered(None, "approve")).value == "b"
    assert check_verb(seen, Answered("b", "approve")).value == "b"
    with pytest.raises(TaskInvalid, match="another value"):
        check_verb(seen, Answered("a", "approve"))
    with pytest.raises(VerbNotAllowed, match="No model answer was shown"):
        check_verb(task(), Answered(None, "approve"))
    with pytest.raises(VerbNotAllowed):
        check_verb(task(blind=True), Answered(None, "approve"))


@pytest.mark.parametrize(
    ("value", "verb"), [("a", "escalate"), ("a", "abstain"), ("a", "reject"), (None, "label"), (None, "correct")]
)
def test_verb_and_value_must_go_together(value: Any, verb: Any) -> None:
    with pytest.raises(TaskInvalid):
        check_verb(task(), Answered(value, verb))


def test_a_reason_that_no_database_keeps_is_refused() -> None:
    for reason in ("zero \x00", "x" * (MOST_REASON + 1)):
        with pytest.raises(TaskInvalid):
            check_verb(task(), Answered("a", "label", reason))


def test_time_spent_is_never_negative_and_unknown_when_the_page_has_a_wrong_clock() -> None:
    assert seconds_spent(NOW - timedelta(seconds=3), NOW) == 3.0
    assert seconds_spent(NOW + timedelta(seconds=2), NOW) == 0.0
    assert seconds_spent(NOW + timedelta(hours=2), NOW) is None
    assert seconds_spent(None, NOW) is None
    with pytest.raises(TaskInvalid):
        check_verb(task(), Answered("a", "label", shown_at=datetime(2026, 1, 1)))  # noqa: DTZ001 - what is refused
