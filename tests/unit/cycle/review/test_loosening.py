"""What a new policy lowers and raises, read from the two documents."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.cycle.review.loosening import compare
from handrail.cycle.review.policy import Policy, Rule

OLD = Policy(
    question="fraud",
    rules=(
        Rule("large", "item.amount > 1000", "human"),
        Rule("sanctioned", "group.list == 'yes'", "block"),
    ),
)
LARGE, SANCTIONED = OLD.rules


def test_the_same_policy_lowers_and_raises_nothing() -> None:
    found = compare(OLD, OLD)
    assert (found.looser, found.tighter) == ((), ())


@pytest.mark.parametrize(
    ("name", "looser", "tighter"),
    [
        ("alpha", 0.1, 0.01),
        ("delta", 0.2, 0.05),
        ("audit_rate", 0.05, 0.2),
        ("brake_delta", 0.01, 0.1),
        ("brake_lifetime", 8000, 400),
        ("reviewer_error", 0.1, None),
    ],
)
def test_each_number_has_a_looser_side(name: str, looser: float, tighter: float | None) -> None:
    found = compare(OLD, replace(OLD, **{name: looser}))
    assert [one.partition(":")[0] for one in found.looser] == [name]
    assert not found.tighter
    if tighter is not None:
        found = compare(OLD, replace(OLD, **{name: tighter}))
        assert [one.partition(":")[0] for one in found.tighter] == [name]
        assert not found.looser


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ((SANCTIONED,), ["rule large: is gone"]),
        ((), ["rule large: is gone", "rule sanctioned: is gone"]),
        (
            (replace(LARGE, when="item.amount > 2000"), SANCTIONED),
            [
                "rule large: has another condition; what it no longer catches may become automatic",
                "rule sanctioned: large comes first now and sends to people what it blocked",
            ],
        ),
        ((LARGE, replace(SANCTIONED, then="human")), ["rule sanctioned: blocks no more, people decide"]),
        (
            (LARGE, Rule("early", "true", "human"), SANCTIONED),
            ["rule sanctioned: early comes first now and sends to people what it blocked"],
        ),
    ],
)
def test_what_a_rule_no_longer_catches_is_named(rules: tuple[Rule, ...], said: list[str]) -> None:
    assert list(compare(OLD, replace(OLD, rules=rules)).looser) == said


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ((replace(LARGE, name="big"), SANCTIONED), []),
        ((SANCTIONED, LARGE), []),
        ((LARGE, SANCTIONED, Rule("new", "item.country == 'XX'", "human")), ["rule new: is new"]),
        ((replace(LARGE, then="block"), SANCTIONED), ["rule large: blocks what people decided"]),
    ],
)
def test_tightening_rules_is_not_looser(rules: tuple[Rule, ...], said: list[str]) -> None:
    found = compare(OLD, replace(OLD, rules=rules))
    assert (list(found.looser), list(found.tighter)) == ([], said)


RULES = st.lists(
    st.builds(Rule, st.sampled_from("abc"), st.sampled_from(["p", "q", "r"]), st.sampled_from(["human", "block"])),
    max_size=4,
).map(tuple)
ORDER = {"auto": 0, "human": 1, "blocked": 2}


@given(RULES, RULES, st.sets(st.sampled_from(["p", "q", "r"])))
def test_rules_that_are_not_called_looser_never_let_more_through(
    old: tuple[Rule, ...], new: tuple[Rule, ...], true: set[str]
) -> None:
    """Whatever the conditions mean: with no lowered rule, every item goes at least as strict a way as before."""

    def way(rules: tuple[Rule, ...]) -> str:
        caught = next((rule for rule in rules if rule.when in true), None)
        return "auto" if caught is None else {"human": "human", "block": "blocked"}[caught.then]

    if not compare(replace(OLD, rules=old), replace(OLD, rules=new)).looser:
        assert ORDER[way(new)] >= ORDER[way(old)]
