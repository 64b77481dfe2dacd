"""What is told to other systems, and how it is signed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from handrail.cycle.review.outgoing.signing import headers, pause_s, secret_of
from handrail.cycle.review.outgoing.telling import told

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DECIDED = {
    "status": "auto", "value": "a", "by": "policy:1", "score": 0.9, "reasons": ["x"], "audit_probability": 0.5,
}  # fmt: skip


def tell(verb: str, payload: dict[str, Any]) -> dict[str, Any] | None:
    found = told("e", 7, NOW, verb, "person:p", {"decision": "d", "task": "t"}, payload)
    return None if found is None else found.document()


def test_a_settled_decision_is_told_without_what_could_give_a_check_away() -> None:
    assert tell("review.decided", DECIDED) == {
        "id": "e",
        "type": "decision.decided",
        "timestamp": "2026-01-01T00:00:00+00:00",
        "data": {"decision_id": "d", "status": "auto", "value": "a", "by": "policy:1"},
    }


@pytest.mark.parametrize(
    ("verb", "payload"),
    [
        ("review.decided", {**DECIDED, "status": "pending"}),
        ("review.decided", {}),
        ("review.verdict_given", {"verdict": "abstain", "value": None}),
        ("review.verdict_given", {"verdict": "escalate", "value": None}),
        ("review.verdict_given", {"verdict": "skip_ai", "value": None}),
        ("review.deadline_passed", {"status": "pending", "value": None}),
        ("review.audited", {"wrong": False}),
        ("tasks.opened", {"kind": "audit"}),
    ],
)
def test_everything_else_is_not(verb: str, payload: dict[str, Any]) -> None:
    assert tell(verb, payload) is None


def test_the_signature_is_that_of_the_standard() -> None:
    secret = secret_of(bytes(range(24)))
    body = '{"a":"ä"}'
    made = headers(secret, "msg_1", 1_700_000_000, body.encode())
    at = datetime.fromtimestamp(1_700_000_000, UTC)
    assert made["webhook-signature"] == Webhook(secret).sign("msg_1", at, body)


def test_pauses_double_up_to_an_hour() -> None:
    assert [pause_s(tries) for tries in (1, 2, 3, 11, 12, 10_000)] == [2, 4, 8, 2048, 3600, 3600]
