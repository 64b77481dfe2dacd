"""The rules of a queue: what they may say, where a task climbs, how much room a person has."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.cycle.tasks.model import LEAD
from handrail.cycle.tasks.staffing import (
    NO_RULES,
    LimitReached,
    QueueRules,
    RulesInvalid,
    room_to_answer,
    room_to_hold,
    tired,
)


def test_a_document_and_back() -> None:
    document = {"most_held": 3, "chain": ["senior", "surgeon"], "skills": {"senior": ["anna", "ben", "anna"]}}
    rules = QueueRules.from_dict(document)
    assert QueueRules.from_dict(rules.to_dict()) == rules
    assert rules.skills == {"senior": ("anna", "ben")}
    assert QueueRules.from_dict({}) == NO_RULES
    assert (rules.limits_people, NO_RULES.limits_people, NO_RULES.rates) == (True, False, ())


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"most_held": 0}, "most_held: must be a whole number"),
        ({"most_a_day": 5001}, "most_a_day: must be a whole number"),
        ({"most_an_hour": True}, "most_an_hour: must be a whole number"),
        ({"most_an_hour": 1.5}, "most_an_hour: must be a whole number"),
        ({"climb_minutes": 0}, "climb_minutes: must be a whole number from 1 to 43200"),
        ({"climb_minutes": 43_201}, "climb_minutes: must be a whole number from 1 to 43200"),
        ({"surprise": 1}, "surprise: not a part"),
        ({"chain": "senior"}, "chain: must be a list"),
        ({"chain": ["a"] * 2}, "chain: a skill is there twice"),
        ({"chain": [LEAD]}, "chain: lead is the end"),
        ({"chain": [""]}, "chain: must be a list"),
        ({"skills": {LEAD: ["anna"]}}, "skills: lead is no name"),
        ({"skills": {"x": "anna"}}, "skills: x must be a list"),
        ({"skills": {"x": [1]}}, "skills: x must list ids"),
        ({"skills": ["x"]}, "skills: must be an object"),
    ],
)
def test_what_rules_may_not_say(document: dict[str, Any], told: str) -> None:
    with pytest.raises(RulesInvalid) as caught:
        QueueRules.from_dict(document)
    (problem,) = caught.value.facts["problems"]
    assert problem.startswith(told)


def test_a_task_climbs_the_chain_and_stays_with_leads() -> None:
    rules = QueueRules(chain=("senior", "surgeon"))
    climbed = [""]
    for _ in range(4):
        climbed.append(rules.next_skill(climbed[-1]))
    assert climbed == ["", "senior", "surgeon", LEAD, LEAD]
    assert NO_RULES.next_skill("") == LEAD
    assert rules.next_skill("a skill of its own") == "senior"


@given(st.lists(st.text("abc", min_size=1, max_size=3), unique=True, max_size=8), st.text("abc", max_size=3))
def test_every_chain_ends_with_leads(chain: list[str], skill: str) -> None:
    rules = QueueRules.from_dict({"chain": chain})
    for _ in range(len(chain) + 1):
        skill = rules.next_skill(skill)
    assert skill == LEAD


@given(st.integers(1, 20), st.integers(0, 30), st.integers(0, 30), st.integers(1, 5))
def test_room_never_goes_over_the_limit(most: int, answered: int, held: int, wanted: int) -> None:
    try:
        assert held + room_to_hold(QueueRules(most_held=most), held, wanted) <= most
    except LimitReached:
        assert held >= most
    try:
        found = room_to_answer(most, "hour", answered, held, wanted)
        assert found <= wanted
        assert found == 0 if answered >= most else answered + held + found <= most
    except LimitReached:
        assert answered < most <= answered + held


def test_the_refusal_says_when_the_limit_opens_again() -> None:
    refused = tired(40, "hour", datetime(2026, 1, 1, 14, 5, tzinfo=UTC))
    assert "You answered 40 tasks in the last hour" in refused.sentence
    assert "from 2026-01-01 14:05:00 UTC" in refused.sentence
    assert refused.facts["opens_at"] == "2026-01-01T14:05:00+00:00"
