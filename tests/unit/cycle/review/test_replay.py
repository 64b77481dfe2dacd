"""Replaying recorded decisions through a policy: where they go, and what is known of the errors."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handrail.cycle.review.audit_draw import AuditPlan
from handrail.cycle.review.condition import Condition
from handrail.cycle.review.error_estimate import estimate
from handrail.cycle.review.model import Given
from handrail.cycle.review.policy import Rule
from handrail.cycle.review.replay import Past, Replay, Truth
from handrail.cycle.review.routing import CONDITION_VARIABLES, FOREIGN, Standing, condition_values, route

IN_FORCE = Standing(state="auto", threshold=0.9, certificate_open=False, certify_share=1.0)
PLAN = AuditPlan.from_training([0.9], [0.0], recent_scores=[0.9], rate=0.1, null=0.05, phi=1.0)
UNDRAWN = Truth("undrawn")


def rule(when: str, then: Any = "human", name: str = "r") -> tuple[Rule, Condition]:
    return Rule(name, when, then), Condition.compile(when, CONDITION_VARIABLES)


def past(score: float = 0.95, truth: Truth = UNDRAWN, **more: Any) -> Past:
    values = {
        "day": 20261101,
        "recorded": "auto",
        "state": "auto",
        "data": {"amount": 10},
        "group": {},
        "prediction": Given("ok", score),
        "standing": IN_FORCE,
        "plan": PLAN,
        "truth": truth,
    }
    return Past(**{**values, **more})


def replayed(decisions: list[Past], *rules: tuple[Rule, Condition], rate: float = 0.1) -> Any:
    one = Replay(rules, rate)
    for decision in decisions:
        one.add(decision)
    return one.result()


def test_each_way_is_counted_by_day_and_in_total() -> None:
    made = replayed(
        [past(), past(0.5), past(data={"amount": 2000}), past(day=20261102), past(data={"amount": 99_999})],
        rule("item.amount > 50000", "block", "huge"),
        rule("item.amount > 1000", "human", "large"),
        rate=0.2,
    )
    total = made.total
    assert (total.automatic, total.people, total.blocked, dict(total.rules)) == (2, 2, 1, {"huge": 1, "large": 1})
    assert total.audits == pytest.approx(0.4)
    assert total.tasks == pytest.approx(2.4)
    assert total.automation == pytest.approx(0.4)
    assert {day: one.decisions for day, one in made.days.items()} == {20261101: 4, 20261102: 1}
    assert made.moves == {("auto", "auto"): 2, ("auto", "human"): 2, ("auto", "blocked"): 1}


def test_a_replay_stays_in_the_state_of_its_day() -> None:
    stopped = past(state="stopped", standing=Standing("stopped", 0.9, False, 1.0))
    warned = past(state="warned", standing=Standing("warned", 0.9, False, 1.0))
    assert replayed([stopped, past(standing=FOREIGN), past(prediction=None)]).total.people == 3
    assert replayed([warned]).total.audits == pytest.approx(0.2)
    assert replayed([warned], rule("state == 'warned'")).total.people == 1
    assert replayed([past()], rule("state == 'warned'")).total.people == 0


def test_audits_speak_for_what_was_not_drawn() -> None:
    drawn = [past(truth=Truth("audit", place < 2, 0.1)) for place in range(40)]
    errors = replayed(drawn + [past() for _ in range(360)]).errors
    assert errors.share.method == "clopper-pearson"
    assert errors.share.value == pytest.approx(0.05)
    assert errors.share.low < 0.05 < errors.share.high
    assert (errors.audits, errors.undrawn, errors.unknown) == (40, 360, "")
    assert errors.expected[0] == pytest.approx(20.0)


def test_verdicts_and_audits_are_weighted_by_how_likely_the_look_was() -> None:
    decisions = [past(truth=Truth("audit", place < 1, 0.1)) for place in range(10)]
    decisions += [past() for _ in range(90)]
    decisions += [past(truth=Truth("verdict", place < 10), recorded="human") for place in range(100)]
    share = replayed(decisions).errors.share
    assert share.value == pytest.approx((1 / 0.1 + 10) / 200)
    assert (share.method, share.n) == ("clopper-pearson and clopper-pearson", 110)


def test_each_kind_of_answer_speaks_for_its_own_part_of_the_decisions() -> None:
    """100 audits at 2 % among 900 automatic ones, and 100 verdicts of which half are wrong."""
    decisions = [past(truth=Truth("audit", place < 2, 0.1)) for place in range(100)]
    decisions += [past() for _ in range(800)]
    decisions += [past(truth=Truth("verdict", place < 50), recorded="human") for place in range(100)]
    share = replayed(decisions).errors.share
    assert share.value == pytest.approx(0.9 * 0.02 + 0.1 * 0.5)
    assert 0.9 * 0.02 < share.low + 0.9 * 0.02 < share.value < share.high < 0.2


def test_the_limits_cover_the_error_of_the_traffic_as_often_as_they_say() -> None:
    import random

    lot = random.Random(3)
    rates = {"auto": 0.03, "human": 0.3}
    misses = 0
    for _ in range(200):
        decisions = []
        for _ in range(300):
            then: Any = "human" if lot.random() < 0.3 else "auto"
            wrong, chance = lot.random() < rates[then], lot.choice([0.2, 0.6])
            drawn = Truth("audit", wrong, chance) if lot.random() < chance else UNDRAWN
            decisions.append(past(truth=drawn if then == "auto" else Truth("verdict", wrong), recorded=then))
        made = replayed(decisions)
        part = made.moves["human", "auto"] / 300
        share = made.errors.share
        misses += not share.low <= part * rates["human"] + (1 - part) * rates["auto"] <= share.high
    assert misses <= 10  # 5 percent of 200, and these intervals are wide


@pytest.mark.parametrize(
    ("decisions", "why"),
    [
        ([], "nothing would have been automatic"),
        ([past(0.1)], "nothing would have been automatic"),
        ([past()], "no audit of one of them has been answered"),
        ([past(), past(truth=Truth("verdict"), recorded="human")], "1 of 2 were automatic then, and no audit"),
        ([past(truth=Truth("verdict_open"), recorded="human")], "no person has answered for any of the 1"),
        ([past(truth=Truth("unseen"), recorded="blocked")], "no person has answered for any of the 1"),
    ],
)
def test_where_nobody_looked_there_is_no_figure(decisions: list[Past], why: str) -> None:
    errors = replayed(decisions).errors
    assert (errors.share, errors.expected) == (None, None)
    assert why in errors.unknown


def test_what_is_open_widens_the_limits_both_ways() -> None:
    seen = [past(truth=Truth("verdict", place < 3), recorded="human") for place in range(100)]
    sure = replayed(seen).errors.share
    half = replayed(seen + [past(truth=Truth("unseen"), recorded="blocked")] * 100).errors.share
    assert half.value == sure.value
    assert half.high > 0.5 > sure.high
    assert half.low < sure.low


def test_an_open_audit_counts_against_both_limits() -> None:
    audits = [past(truth=Truth("audit", place < 1, 0.2)) for place in range(50)]
    sure = replayed(audits).errors.share
    waiting = replayed(audits + [past(truth=Truth("audit_open", probability=0.2))] * 20).errors
    assert waiting.share.low < sure.low
    assert waiting.share.high > 0.25 > sure.high
    assert waiting.open == 20
    alone = replayed([past(truth=Truth("audit_open", probability=0.2))]).errors
    assert "no audit of one of them" in alone.unknown


def test_only_what_would_be_automatic_counts_as_an_error() -> None:
    wrong = past(truth=Truth("verdict", True), recorded="human", data={"amount": 5000})
    right = past(truth=Truth("verdict", False), recorded="human")
    assert replayed([wrong, right]).errors.share.value == 0.5
    assert replayed([wrong, right], rule("item.amount > 1000")).errors.share.value == 0.0


TRUTHS = st.one_of(
    st.builds(Truth, st.just("audit"), st.booleans(), st.sampled_from([0.05, 0.1, 0.5])),
    st.builds(Truth, st.just("verdict"), st.booleans()),
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(TRUTHS, st.sampled_from([0.5, 0.95]), st.sampled_from([10, 5000])), max_size=30))
def test_a_replay_routes_as_live_and_estimates_as_the_audits_do(drawn: list[Any]) -> None:
    rules = (rule("item.amount > 1000"),)
    decisions = [past(score, truth, data={"amount": amount}) for truth, score, amount in drawn]
    made = replayed(decisions, *rules)
    known = []
    for one in decisions:
        values = condition_values(one.state, one.data, one.group, one.prediction)
        live = route(one.standing, rules, one.prediction, values, lambda _: 0.1, lambda: 1.0)
        if live.route == "auto":
            known.append((one.truth.wrong, one.truth.probability))
    assert made.total.automatic == len(known)
    if known and len({one.truth.basis for one in decisions}) == 1:
        expected = estimate(known)
        share = made.errors.share
        assert (share.value, share.low, share.high) == pytest.approx((expected.value, expected.low, expected.high))
    elif known:
        assert made.errors.share.low <= made.errors.share.value <= made.errors.share.high
    else:
        assert made.errors.share is None
