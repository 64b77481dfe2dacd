"""A decision is used once, by one caller, for the action that was decided on; on both databases."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from handrail.cycle.review.execution import (
    ActionDiffers,
    Consumed,
    Receipt,
    StillPending,
    WasBlocked,
    WasExpired,
    WasReversed,
)
from handrail.cycle.review.model import Decision, DecisionNotFound, KeyReused
from handrail.cycle.review.policy import Rule
from handrail.foundation.actors import Actor
from handrail.foundation.clock import FixedClock
from handrail.foundation.errors import Conflict, HandrailError, Invalid
from tests.integration.cycle.breast_mass import MACHINE
from tests.integration.cycle.review.test_routes import asked
from tests.integration.cycle.review.ward import OTHER, Ward
from tests.integration.cycle.review.ward_client import client, ok, refused

SURE = 260
TWIN = Actor(kind="machine", id="m-twin", name="Another machine", permissions=frozenset({"*"}))


def take(ward: Ward, one: Decision, caller: str = "run-1", action: str | None = None, who: Actor = MACHINE) -> Receipt:
    return ward.storage.write(
        lambda uow: ward.review.consuming.consume(uow, who, ward.scope, one.id, caller=caller, action_hash=action)
    )


async def test_one_caller_gets_it_and_gets_it_again(ward: Ward, clock: FixedClock) -> None:
    ward.automatic()
    made = await ward.decide(SURE)
    first = take(ward, made)
    clock.advance(seconds=60)
    assert take(ward, made) == first
    assert (first.value, first.caller, first.actor_id) == (made.value, "run-1", MACHINE.id)
    for caller, who in (("run-2", MACHINE), ("run-1", TWIN)):
        with pytest.raises(Consumed):
            take(ward, made, caller, who=who)
    assert ward.decision(made.id).consumed_at == first.consumed_at
    (told,) = ward.entries("review.consumed")
    assert (told["decision"], told["caller"], told["value"]) == (made.id, "run-1", made.value)


async def test_of_many_at_once_one_gets_it(ward: Ward) -> None:
    ward.automatic()
    made = await ward.decide(SURE)

    def attempt(number: int) -> str:
        try:
            return take(ward, made, f"run-{number}").caller
        except Consumed:
            return ""

    got = [one for one in await asyncio.gather(*(asyncio.to_thread(attempt, n) for n in range(16))) if one]
    assert len(got) == 1
    assert [one["caller"] for one in ward.entries("review.consumed")] == got


async def test_the_action_is_the_one_that_was_decided_on(ward: Ward) -> None:
    ward.automatic()
    made = await ward.decide(SURE, "k", action_hash="sha256:aa")
    for other in ("sha256:bb", None):
        with pytest.raises(ActionDiffers):
            take(ward, made, action=other)
    assert ward.decision(made.id).consumed_at is None
    assert take(ward, made, action="sha256:aa").action_hash == "sha256:aa"
    with pytest.raises(ActionDiffers):
        take(ward, made, action="sha256:bb")
    with pytest.raises(KeyReused):
        await ward.decide(SURE, "k", action_hash="sha256:bb")
    edited = await ward.decide(SURE, "k2", action_hash="sha256:bb")
    assert edited.id != made.id, "an edited action needs a decision of its own"
    unbound = await ward.decide(SURE, "k3")
    assert take(ward, unbound, action="sha256:cc").action_hash == "sha256:cc"
    with pytest.raises(ActionDiffers):
        take(ward, unbound, action="sha256:dd")


async def test_what_is_not_settled_or_taken_back_is_refused_each_with_its_own_code(
    ward: Ward, clock: FixedClock
) -> None:
    rule = Rule(name="large", when="item['mean area'] > 100000.0", then="block")
    ward.automatic(rules=(rule,), audit_rate=1.0)
    data = {**ward.request(SURE).data, "mean area": 200_000.0}
    blocked = await ward.decide(SURE, "blocked", external_id="other", data=data)
    taken_back, used = await ward.decide(SURE, "audited"), await ward.decide(SURE + 1, "used")
    receipt = take(ward, used)
    for task in ward.open_tasks("audit"):
        one = ward.decision(str(task.decision_id))
        ward.answer(task.id, OTHER[one.value], "label")
    ward.storage.write(lambda uow: ward.review._steering.change(uow, MACHINE, ward.scope, "braked", "test"))
    waiting = await ward.decide(SURE + 2, "waits")
    late = await ward.decide(SURE + 3, "late", deadline_s=60.0, on_deadline="deny")
    refusedone = await ward.decide(SURE + 4, "refused")
    ward.answer(str(refusedone.task_id), None, "reject")
    clock.advance(seconds=61)
    ward.expire()
    expected: list[tuple[Decision, type[HandrailError], str]] = [
        (waiting, StillPending, "review.still_pending"),
        (blocked, WasBlocked, "review.blocked"),
        (refusedone, WasBlocked, "review.blocked"),
        (late, WasExpired, "review.expired"),
        (taken_back, WasReversed, "review.reversed"),
        (used, WasReversed, "review.reversed"),
    ]
    for one, kind, code in expected:
        with pytest.raises(kind) as caught:
            take(ward, one)
        assert (caught.value.code, caught.value.status) == (code, 409)
    assert receipt.decision_id == used.id
    assert len(ward.entries("review.consumed")) == 1


async def test_a_person_s_decision_is_used_too_and_bad_names_are_refused(ward: Ward) -> None:
    ward.policy()
    made = await ward.decide(SURE)
    ward.answer(str(made.task_id), "benign", "label")
    for caller, action in (("", None), ("a\x00", None), ("x" * 201, None), ("run", "two words")):
        with pytest.raises(Invalid):
            take(ward, made, caller, action)
    assert take(ward, made).value == "benign"
    with pytest.raises(DecisionNotFound):
        ward.storage.write(
            lambda uow: ward.review.consuming.consume(uow, MACHINE, ward.scope, "no", caller="c", action_hash=None)
        )


async def test_over_http(ward: Ward) -> None:
    ward.automatic()
    async with client(ward) as service, client(ward, "reader") as reader:
        made = ok(await service.post("/decisions", json=asked(SURE, action_hash="aa")))
        place = f"/decisions/{made['id']}/consume"
        refused(await service.post(place, json={"caller": "r"}), 409, "review.action_differs")
        receipt: dict[str, Any] = ok(await service.post(place, json={"caller": "r", "action_hash": "aa"}))
        assert (receipt["decision_id"], receipt["value"], receipt["caller"]) == (made["id"], made["value"], "r")
        assert ok(await service.post(place, json={"caller": "r", "action_hash": "aa"})) == receipt
        refused(await service.post(place, json={"caller": "s", "action_hash": "aa"}), 409, "review.consumed")
        assert ok(await service.get(f"/decisions/{made['id']}"))["consumed_at"] == receipt["consumed_at"]
        refused(await reader.post(place, json={"caller": "r"}), 403, "identity.permission_missing")
        refused(await service.post("/decisions/none/consume", json={"caller": "r"}), 404, "review.decision_not_found")


def test_every_refusal_is_a_conflict() -> None:
    kinds = (Consumed, ActionDiffers, StillPending, WasBlocked, WasExpired, WasReversed)
    assert all(issubclass(one, Conflict) for one in kinds)
    assert len({one.code for one in kinds}) == len(kinds)
