"""The order of routing: rules, stop and brake, certificate, audit draw, else a person."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.cycle.review.condition import Condition
from handrail.cycle.review.model import Given
from handrail.cycle.review.policy import Policy, PolicyInvalid, Rule
from handrail.cycle.review.routing import Queue, Standing, route

SURE = Given(value="benign", score=0.99)
UNSURE = Given(value="benign", score=0.60)
IN_FORCE = Standing(state="auto", threshold=0.9, certificate_open=False, certify_share=1.0)


def go(
    standing: Standing = IN_FORCE, prediction: Given | None = SURE, rules=(), draw: float = 0.5, chance: float = 0.1
):
    variables = {"item": {"age": 80}, "prediction": {"score": 0.99}, "group": {}}
    return route(standing, rules, prediction, variables, lambda _: chance, lambda: draw)


def rule(when: str, then: str) -> tuple[Rule, Condition]:
    return Rule("r1", when, then), Condition.compile(when, {"item", "prediction", "group"})  # type: ignore[arg-type]


def test_what_the_certificate_covers_is_automatic_and_its_audit_chance_is_logged() -> None:
    made = go()
    assert (made.route, made.audited, made.audit_probability) == ("auto", False, 0.1)
    assert go(draw=0.05).audited


@pytest.mark.parametrize("state", ["shadow", "certifying", "braked", "stopped"])
def test_nothing_is_automatic_in_any_other_state(state: str) -> None:
    standing = Standing(state=state, threshold=0.9, certificate_open=False, certify_share=1.0)  # type: ignore[arg-type]
    assert go(standing).route == "human"


def test_a_score_under_the_threshold_goes_to_a_person() -> None:
    assert go(prediction=UNSURE).route == "human"


def test_without_a_model_a_person_decides() -> None:
    assert go(prediction=None).route == "human"


def test_rules_come_before_everything() -> None:
    assert go(rules=[rule("item.age > 70", "human")]).route == "human"
    assert go(rules=[rule("item.age > 70", "block")]).route == "blocked"
    assert go(rules=[rule("item.age > 90", "block")]).route == "auto"


def test_a_rule_that_cannot_be_read_never_automates() -> None:
    made = go(rules=[rule("item.weight > 70", "block")])
    assert made.route == "human"
    assert "could not be evaluated" in made.reasons[0]


def test_nothing_is_drawn_under_the_region_of_a_certificate() -> None:
    standing = Standing(
        state="certifying", threshold=None, certificate_open=True, certify_share=1.0, certify_region=0.8
    )
    under = go(standing, prediction=UNSURE, draw=0.0)
    assert (under.route, under.certifying, under.audit_probability) == ("human", False, 0.0)
    inside = go(standing, prediction=Given(value="benign", score=0.8), draw=0.0)
    assert (inside.certifying, inside.audit_probability) == (True, 1.0)


def test_an_open_certificate_draws_with_its_logged_share() -> None:
    standing = Standing(state="certifying", threshold=None, certificate_open=True, certify_share=0.4)
    drawn, passed = go(standing, draw=0.3), go(standing, draw=0.5)
    assert (drawn.route, drawn.certifying, drawn.audit_probability) == ("human", True, 0.4)
    assert (passed.route, passed.certifying) == ("human", False)


def test_a_policy_lists_every_problem_at_once() -> None:
    with pytest.raises(PolicyInvalid) as caught:
        Policy.from_dict(
            {"question": "", "alpha": 2, "colour": 1, "rules": [{"name": "a", "when": "true", "then": "x"}]}
        )
    assert len(caught.value.facts["problems"]) == 4


def test_a_policy_survives_its_document() -> None:
    policy = Policy(question="kind", rules=(Rule("r", "item.a > 1", "block"),), certify_labels=50)
    assert Policy.from_dict(policy.to_dict()) == policy


FULL = Queue(waiting=5, limit=5, over="block", deadline_s=600)


def test_over_the_queue_limit_what_would_wait_is_blocked_and_the_reason_says_so() -> None:
    made = go(replace(IN_FORCE, queue=FULL), prediction=UNSURE)
    assert (made.route, made.by, len(made.reasons)) == ("blocked", "policy", 2)
    assert made.reasons[1] == "5 reviews wait for people, the policy allows 5: blocked"
    assert go(replace(IN_FORCE, queue=FULL), rules=[rule("item.age > 70", "human")]).route == "blocked"
    assert go(replace(IN_FORCE, queue=replace(FULL, waiting=4)), prediction=UNSURE).route == "human"


def test_over_the_queue_limit_what_would_wait_expires_sooner() -> None:
    made = go(replace(IN_FORCE, queue=replace(FULL, over="deadline")), prediction=UNSURE)
    assert (made.route, made.deadline_s) == ("human", 600)
    assert "expires in 600 seconds" in made.reasons[1]


def test_a_draw_to_certify_passes_a_full_queue() -> None:
    drawing = Standing(state="certifying", threshold=None, certificate_open=True, certify_share=0.4, queue=FULL)
    assert (go(drawing, draw=0.3).route, go(drawing, draw=0.3).certifying) == ("human", True)
    assert go(drawing, draw=0.5).route == "blocked"


@given(
    st.sampled_from(["shadow", "certifying", "auto", "warned", "braked", "stopped"]),
    st.floats(0, 1),
    st.booleans(),
    st.floats(0, 1, exclude_max=True),
    st.integers(0, 20),
    st.sampled_from(["block", "deadline"]),
)
def test_a_full_queue_never_makes_anything_automatic(
    state: Any, score: float, drawing: bool, draw: float, waiting: int, over: Any
) -> None:
    standing = Standing(state, 0.9, drawing, 0.5)
    free = go(standing, prediction=Given("benign", score), draw=draw)
    full = go(replace(standing, queue=Queue(waiting, 10, over, 60)), prediction=Given("benign", score), draw=draw)
    assert (full.route == "auto") == (free.route == "auto")
    assert (full.audited, full.certifying, full.audit_probability) == (
        free.audited,
        free.certifying,
        free.audit_probability,
    )
