"""Two people about one decision: who may not, when they agree, what a policy may say of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.cycle.review.condition import Condition
from handrail.cycle.review.four_eyes import kept_away, same, shown_to_lead
from handrail.cycle.review.policy import Policy, PolicyInvalid
from handrail.cycle.review.routing import Standing, route
from handrail.cycle.tasks import Answer
from handrail.foundation.actors import Actor

ANNA = Actor(kind="person", id="anna", name="Anna")
SERVICE = Actor(kind="machine", id="m-1", name="Service")


def answer(verb: str, value: Any) -> Answer:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Answer("a-1", "t-1", verb, value, "seen", "person", "anna", "Anna", None, at, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("first", "second", "agree"),
    [
        (("approve", "b"), ("label", "b"), True),
        (("correct", "a"), ("approve", "b"), False),
        (("reject", None), ("reject", None), True),
        (("reject", None), ("label", "b"), False),
    ],
)
def test_two_agree_on_what_they_say_not_on_how(first: tuple[str, Any], second: tuple[str, Any], agree: bool) -> None:
    assert same(answer(*first), answer(*second)) is agree
    assert same(answer(*second), answer(*first)) is agree


def test_a_lead_is_told_what_was_said_and_not_by_whom() -> None:
    told = shown_to_lead([answer("label", "b"), answer("reject", None)])
    assert told == [
        {"verb": "label", "value": "b", "reason": "seen"},
        {"verb": "reject", "value": None, "reason": "seen"},
    ]


def test_who_asked_is_kept_away_where_the_policy_says_so() -> None:
    assert kept_away("ben", ANNA, author_answers=True) == ()
    assert kept_away("ben", ANNA, author_answers=False) == ("ben", "anna")
    assert kept_away("anna", ANNA, author_answers=False) == ("anna",)
    assert kept_away(None, SERVICE, author_answers=False) == ()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"eyes": 3}, "eyes: must be a whole number from 1 to 2"),
        ({"eyes": True}, "eyes: must be a whole number from 1 to 2"),
        ({"second_look": "maybe"}, "second_look: must be one of blind, shown"),
        ({"author_answers": "no"}, "author_answers: must be true or false"),
        (
            {"rules": [{"name": "big", "when": "true", "then": "human", "eyes": 0}]},
            "rules[0]: eyes must be a whole number from 1 to 2",
        ),
    ],
)
def test_what_a_policy_may_not_say(more: dict[str, Any], told: str) -> None:
    with pytest.raises(PolicyInvalid) as caught:
        Policy.from_dict({"question": "kind", **more})
    assert caught.value.facts["problems"] == [told]


def test_a_rule_says_how_many_must_agree() -> None:
    document = {"question": "kind", "rules": [{"name": "big", "when": "true", "then": "human", "eyes": 2}]}
    policy = Policy.from_dict(document)
    assert Policy.from_dict(policy.to_dict()) == policy
    rules = [(rule, Condition.compile(rule.when, frozenset({"item"}))) for rule in policy.rules]
    standing = Standing(state="auto", threshold=0.5, certificate_open=False, certify_share=0.0)
    routed = route(standing, rules, None, {"item": {}}, lambda score: score, lambda: 0.5)
    assert (routed.route, routed.eyes) == ("human", 2)
