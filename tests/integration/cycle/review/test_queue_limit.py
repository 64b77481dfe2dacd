"""The limit of waiting reviews on both databases: nothing is automated for it, and answers make room again."""

from __future__ import annotations

from datetime import timedelta

from handrail.cycle.review.policy import Policy
from tests.integration.cycle.review.ward import MACHINE, UNSURE, Ward


async def test_what_is_over_the_limit_is_blocked_until_people_catch_up(ward: Ward) -> None:
    ward.automatic(queue_limit=2, over_queue="block")
    first, second, third = [await ward.decide(case) for case in UNSURE[:3]]
    assert [one.status for one in (first, second, third)] == ["pending", "pending", "blocked"]
    assert "2 reviews wait for people, the policy allows 2" in third.reasons[1]
    assert third.by_kind == "policy"
    assert third.task_id is None
    assert (await ward.decide(260)).route == "auto"
    ward.answer(str(first.task_id), "benign", "label")
    assert (await ward.decide(UNSURE[3])).status == "pending"


async def test_what_is_over_the_limit_expires_at_the_policys_deadline(ward: Ward) -> None:
    ward.automatic(queue_limit=1, queue_deadline_s=600)
    first, second = await ward.decide(UNSURE[0]), await ward.decide(UNSURE[1], deadline_s=7200, on_deadline="deny")
    assert (first.expires_at, first.on_deadline) == (None, "hold")
    assert second.expires_at == ward.clock.now() + timedelta(seconds=600)
    assert second.on_deadline == "deny"
    ward.clock.advance(seconds=601)
    ward.expire()
    assert [ward.decision(one.id).status for one in (first, second)] == ["pending", "expired"]


async def test_a_batch_counts_its_own(ward: Ward) -> None:
    ward.automatic(queue_limit=2, over_queue="block")
    made = await ward.review.decide_many(MACHINE, ward.scope, [ward.request(case) for case in (*UNSURE, 260)])
    assert [one.route for one in made] == ["human", "human", "blocked", "blocked", "auto"]  # type: ignore[union-attr]


async def test_a_trial_says_that_the_limit_is_not_replayed(ward: Ward) -> None:
    ward.automatic()
    await ward.decide(UNSURE[0])
    policy = Policy.from_dict({"question": ward.oversight().policy.question, "queue_limit": 5})
    trial = ward.review.try_policy(ward.scope, policy)
    assert any("queue limit is not replayed" in one for one in trial.unknown)
