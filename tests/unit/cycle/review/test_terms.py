"""What a request says beside its item, and what follows from a deadline."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.cycle.review.certificates.row import CertificateRow
from handrail.cycle.review.model import Control, Decision, Request
from handrail.cycle.review.policy import Policy
from handrail.cycle.review.terms import check_terms, consequence, ends, kept_default, meant
from handrail.foundation.errors import Invalid

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REQUEST = Request(external_id="a", data={}, idempotency_key="k")
CONTROL = Control("p", "auto", 1, "policy-1", "model-1", "cert-1", NOW, "rule", "")
CERTIFICATE = CertificateRow(
    id="cert-1", number=1, project_id="p", model_id="model-1", model_digest="d", question="q", alpha=0.1, delta=0.1,
    status="certified", source="archive", labels_planned=1, labels_drawn=1, frozen_seq=0,
    document={"threshold": 0.8}, brake=None, created_at=NOW, issued_at=NOW, ended_at=None, ended_why="",
)  # fmt: skip
DECISION = Decision(
    id="d", project_id="p", item_id="i", question="q", status="pending", route="human", value=None, by_kind="policy",
    by_id="policy-1", score=0.8, prediction={"value": "no"}, reasons=(), certificate_id=None, policy_id="policy-1",
    model_id="model-1", commit_id=None, audit_probability=0.0, audited=False, task_id="t", created_at=NOW,
    decided_at=None, expires_at=NOW, on_deadline="default", default="no",
)  # fmt: skip


def then(one: Decision = DECISION, allowed: Any = ("no",), *, has_rules: bool = False, **more: Any) -> str:
    control = replace(CONTROL, **{name: value for name, value in more.items() if name in vars(CONTROL)})
    certificate = replace(CERTIFICATE, **{name: value for name, value in more.items() if name == "document"})
    return consequence(one, allowed, control, certificate, has_rules=has_rules, group=more.get("group", {}))


def test_a_default_is_given_where_the_policy_names_it_and_the_certificate_covers_it() -> None:
    assert then() == "default"
    assert then(has_rules=True) == "default"


@pytest.mark.parametrize(
    ("one", "more"),
    [
        ({}, {"allowed": ()}),
        ({}, {"allowed": ("yes",)}),
        ({"score": 0.79}, {}),
        ({"score": None}, {}),
        ({"prediction": {"value": "yes"}}, {}),
        ({"model_id": "model-0"}, {}),
        ({"model_id": None}, {}),
        ({"by_kind": "rule"}, {}),
        ({}, {"policy_id": "policy-2", "has_rules": True}),
        ({}, {"state": "braked"}),
        ({}, {"state": "stopped"}),
        ({}, {"state": "certifying"}),
        ({}, {"certificate_id": "cert-2"}),
        ({}, {"document": {}}),
        ({"default": 1, "prediction": {"value": True}}, {"allowed": (1, True)}),
    ],
)
def test_otherwise_it_is_held(one: dict[str, Any], more: dict[str, Any]) -> None:
    assert then(replace(DECISION, **one), **more) == "hold"
    assert consequence(replace(DECISION, **one), ("no",), CONTROL, None, has_rules=False, group={}) == "hold"


@pytest.mark.parametrize("on", ["hold", "deny", "escalate"])
def test_the_other_consequences_ask_nobody(on: Any) -> None:
    assert then(replace(DECISION, on_deadline=on), ()) == on


@given(st.sampled_from([None, "hold", "deny", "escalate", "default"]), st.booleans())
def test_what_cannot_be_undone_is_denied_unless_the_caller_says_otherwise(on: Any, irreversible: bool) -> None:
    one = replace(REQUEST, on_deadline=on, irreversible=irreversible, deadline_s=60.0)
    assert meant(one) == (on or ("deny" if irreversible else "hold"))
    assert ends(one, NOW) == (None if meant(one) == "hold" else NOW + timedelta(seconds=60))


def test_a_deadline_is_seconds_or_a_time() -> None:
    at = NOW + timedelta(days=2)
    assert ends(replace(REQUEST, deadline=at, on_deadline="deny"), NOW) == at
    assert ends(replace(REQUEST, on_deadline="deny"), NOW) is None
    check_terms(replace(REQUEST, deadline=NOW - timedelta(days=1)), NOW)  # a repeated call may come late


@pytest.mark.parametrize(
    "more",
    [
        {"deadline_s": 0.0},
        {"deadline_s": math.nan},
        {"deadline_s": 5.0, "deadline": NOW},
        {"deadline": NOW.replace(tzinfo=None)},
        {"deadline": NOW + timedelta(days=367)},
        {"risk_class": ""},
        {"risk_class": "a b"},
        {"risk_class": "x" * 65},
        {"risk_class": "a\n"},
        {"cost": -0.1},
        {"cost": math.nan},
        {"cost": math.inf},
        {"cost": True},
        {"cost": "1"},
        {"action_hash": ""},
        {"action_hash": "a b"},
        {"action_hash": "a" * 129},
    ],
)
def test_terms_that_break_a_rule_are_refused(more: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        check_terms(replace(REQUEST, **more), NOW)


def test_a_default_and_its_value_go_together() -> None:
    assert kept_default(REQUEST, str) is None
    assert kept_default(replace(REQUEST, on_deadline="default", default=3), str) == "3"
    for more in ({"on_deadline": "default"}, {"on_deadline": "deny", "default": 1}, {"default": 1}):
        with pytest.raises(Invalid):
            kept_default(replace(REQUEST, **more), str)


def test_every_term_is_part_of_the_digest() -> None:
    more: list[dict[str, Any]] = [
        {"deadline": NOW}, {"deadline_s": 1.0}, {"on_deadline": "deny"}, {"default": 1}, {"irreversible": True},
        {"risk_class": "high"}, {"cost": 1.0}, {"action_hash": "abc"},
    ]  # fmt: skip
    digests = {replace(REQUEST, **one).digest() for one in more}
    assert len(digests | {REQUEST.digest()}) == len(more) + 1


def test_a_policy_names_the_answers_that_a_deadline_may_give() -> None:
    policy = Policy.from_dict({"question": "kind", "deadline_defaults": ["no"]})
    assert policy.deadline_defaults == ("no",)
    assert Policy.from_dict(policy.to_dict()) == policy
    for wrong in ("no", [None], ["no"] * 101, 7):
        with pytest.raises(Invalid):
            Policy.from_dict({"question": "kind", "deadline_defaults": wrong})


def test_a_default_is_given_by_the_threshold_of_the_items_group() -> None:
    parts = [
        {"group": "site=a", "threshold": 0.7},
        {"group": "site=b", "threshold": 0.9},
        {"group": "site=c", "threshold": None, "needed": 12},
    ]
    apart = {"threshold": None, "groups": parts}
    assert then(document=apart, group={"site": "a"}) == "default"
    for site in ({"site": "b"}, {"site": "c"}, {"site": "d"}, {}):
        assert then(document=apart, group=site) == "hold"
