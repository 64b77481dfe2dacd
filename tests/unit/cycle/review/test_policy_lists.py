"""Lists in a policy: what they may hold, and which reasons of a verdict are fit."""

from __future__ import annotations

from typing import Any

import pytest

from handrail.cycle.review.policy import Policy, PolicyInvalid
from handrail.cycle.review.policy_lists import is_listed

REASONS = ("wrong model", "poor image")


def test_reasons_are_a_part_of_the_policy() -> None:
    policy = Policy.from_dict({"question": "kind", "reasons": list(REASONS)})
    assert policy.reasons == REASONS
    assert Policy.from_dict(policy.to_dict()) == policy


@pytest.mark.parametrize(
    "wrong", ["poor image", [""], ["a:b"], [" a"], ["a\n"], [1], [None], ["x" * 101], ["a", "a"], ["a"] * 101, 7]
)
def test_a_list_that_breaks_a_rule_is_refused(wrong: Any) -> None:
    with pytest.raises(PolicyInvalid) as caught:
        Policy.from_dict({"question": "kind", "reasons": wrong})
    assert all(one.startswith("reasons") for one in caught.value.facts["problems"])


@pytest.mark.parametrize(
    ("verb", "reason", "fit"),
    [
        ("correct", "poor image", True),
        ("correct", "poor image: the left half is missing", True),
        ("correct", "", False),
        ("correct", "because", False),
        ("reject", "poor imagery", False),
        ("skip_ai", "Poor image", False),
        ("approve", "", True),
        ("label", "because", True),
    ],
)
def test_who_does_not_agree_chooses_from_the_list(verb: str, reason: str, fit: bool) -> None:
    assert is_listed(verb, reason, REASONS) is fit
    assert is_listed(verb, reason, ())
