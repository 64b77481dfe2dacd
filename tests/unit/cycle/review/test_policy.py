"""Policies and brought predictions: what a document may say, and what is told of one that may not."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.cycle.review.model import Given, Request
from handrail.cycle.review.policy import MOST_RULES, Policy, PolicyInvalid, Rule
from handrail.foundation.errors import Invalid

RULE = {"name": "large", "when": "item.size > 3.0", "then": "human", "reason": "too large"}


def problems(document: dict[str, Any]) -> list[str]:
    with pytest.raises(PolicyInvalid) as caught:
        Policy.from_dict(document)
    found: list[str] = caught.value.facts["problems"]
    return found


def test_a_document_and_back() -> None:
    policy = Policy(question="kind", alpha=0.1, rules=(Rule(**RULE),))  # type: ignore[arg-type]
    assert Policy.from_dict(policy.to_dict()) == policy
    assert Policy.from_dict({"question": "kind"}) == Policy(question="kind")
    assert Policy.from_dict({"question": "kind", "rules": [RULE]}).rules == policy.rules
    assert Policy.from_dict({"question": "kind", "rules": policy.rules}).rules == policy.rules


@pytest.mark.parametrize("name", ["alpha", "delta", "audit_rate", "brake_delta", "certify_share"])
@pytest.mark.parametrize("value", [0, -1, 1e-6, 1.01, math.nan, math.inf, "0.1", None, True, [0.1]])
def test_shares_are_numbers_within_their_limits(name: str, value: Any) -> None:
    (told,) = problems({"question": "kind", name: value})
    assert told.startswith(f"{name}: must be a number from ")


@pytest.mark.parametrize("name", ["brake_lifetime", "certify_labels", "retrain_after"])
@pytest.mark.parametrize("value", [-1, 1.5, 10**7, "7", None, True, math.nan])
def test_counts_are_whole_numbers_within_their_limits(name: str, value: Any) -> None:
    (told,) = problems({"question": "kind", name: value})
    assert told.startswith(f"{name}: must be a whole number from ")


@pytest.mark.parametrize("value", [-0.1, 0.21, math.nan, "0", None])
def test_a_reviewers_error_is_small(value: Any) -> None:
    assert problems({"question": "kind", "reviewer_error": value}) == ["reviewer_error: must be a number from 0 to 0.2"]
    assert Policy.from_dict({"question": "kind", "reviewer_error": 0}).reviewer_error == 0


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"surprise": 1}, "surprise is not a part of a rule"),
        ({"name": ""}, "name must be 1 to 64"),
        ({"name": "x" * 65}, "name must be 1 to 64"),
        ({"name": "a:b"}, "without a colon"),
        ({"name": "a\nb"}, "printable"),
        ({"when": ""}, "when must be a condition"),
        ({"when": 1}, "when must be a condition"),
        ({"then": "auto"}, "then must be human or block"),
        ({"reason": "x" * 1001}, "reason must be a text"),
        ({"reason": "\x00"}, "reason must be a text"),
    ],
)
def test_rules(more: dict[str, Any], told: str) -> None:
    (found,) = problems({"question": "kind", "rules": [{**RULE, **more}]})
    assert found.startswith("rules[0]: ")
    assert told in found


def test_a_policy_has_a_limited_number_of_rules_each_with_its_own_name() -> None:
    many = [{**RULE, "name": f"r{place}"} for place in range(MOST_RULES + 1)]
    assert problems({"question": "kind", "rules": many}) == [f"rules: must be a list of at most {MOST_RULES}"]
    assert len(Policy.from_dict({"question": "kind", "rules": many[:-1]}).rules) == MOST_RULES
    assert problems({"question": "kind", "rules": [RULE, RULE]}) == ["rules: two rules have the same name"]


def test_every_problem_is_told_and_no_answer_is_endless() -> None:
    document = {f"{'x' * 500}{place}": 1 for place in range(1000)}
    with pytest.raises(PolicyInvalid) as caught:
        Policy.from_dict({"question": "", **document})
    assert "1001 problems" in caught.value.sentence
    assert len(caught.value.sentence) < 1000
    assert len(caught.value.facts["problems"]) == 100
    assert all(len(one) < 200 for one in caught.value.facts["problems"])


@pytest.mark.parametrize("score", [-0.01, 1.01, math.nan, math.inf, None, "0.5", True])
def test_a_score_is_a_share(score: Any) -> None:
    with pytest.raises(Invalid):
        Given("a", score)


@pytest.mark.parametrize("scores", [{"a": math.nan}, {"a": math.inf}, {"a": "1"}, {"a": None}, {1: 0.5}])
def test_scores_are_finite_numbers_by_answer(scores: Any) -> None:
    with pytest.raises(Invalid):
        Given("a", 0.5, scores)
    assert Given("a", 0, {"a": 0, "b": 1.0}).scores == {"a": 0, "b": 1.0}


def test_the_digest_of_a_request_covers_all_but_its_key() -> None:
    one = Request("case", {"b": 1.0, "a": 2.0}, "key")
    assert one.digest() == replace(one, idempotency_key="other", data={"a": 2.0, "b": 1.0}).digest()
    others = [
        replace(one, external_id="case-2"),
        replace(one, data={"a": 2.0}),
        replace(one, group={"sex": "f"}),
        replace(one, subject="s"),
        replace(one, observed_at=datetime(2026, 1, 1, tzinfo=UTC)),
        replace(one, prediction=Given("a", 0.5)),
        replace(one, prediction=Given("a", 0.6)),
        replace(one, deadline_s=1.0),
        replace(one, on_deadline="deny"),
    ]
    assert len({other.digest() for other in (one, *others)}) == len(others) + 1
