"""What users of other oversight products complained about, one test for each, over HTTP on both databases."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from handrail.foundation.clock import FixedClock
from tests.integration.cycle.review.test_routes import asked
from tests.integration.cycle.review.ward import Ward
from tests.integration.cycle.review.ward_client import client, ok, refused

DELETE = "sha256:delete-customer-7"
OTHER = "sha256:delete-customer-8"


async def ask(service: httpx.AsyncClient, case: int = 260, key: str | None = None, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = ok(await service.post("/decisions", json=asked(case, key, **more)))
    return found


async def answer(person: httpx.AsyncClient, made: dict[str, Any], verb: str = "label", value: Any = "benign") -> None:
    ok(await person.post(f"/tasks/{made['task_id']}/answer", json={"verb": verb, "value": value}))


def over(ward: Ward, clock: FixedClock) -> None:
    clock.advance(seconds=61)
    ward.expire()


async def test_a_timeout_is_not_written_as_a_person_s_no(ward: Ward, clock: FixedClock) -> None:
    """agent-os #1564: a timeout was recorded as a human denial. Airflow #55053: it stayed pending on screen."""
    ward.policy()
    async with client(ward) as service, client(ward, "anna") as anna:
        late = await ask(service, deadline_s=60, on_deadline="deny")
        no = await ask(service, 261)
        await answer(anna, no, "reject", None)
        over(ward, clock)
        by_time = ok(await service.get(f"/decisions/{late['id']}"))
        by_person = ok(await service.get(f"/decisions/{no['id']}"))
    assert (by_time["status"], by_time["by"].partition(":")[0]) == ("expired", "deadline")
    assert (by_person["status"], by_person["by"]) == ("blocked", "person:p-Anna")
    assert [one["decision"] for one in ward.entries("review.deadline_passed")] == [late["id"]]
    assert [one["decision"] for one in ward.entries("review.verdict_given")] == [no["id"]]


async def test_nobody_carries_on_after_a_timeout(ward: Ward, clock: FixedClock) -> None:
    """hermes-agent #54110: the agent carried on after a timeout; goose cancels an elicitation and continues."""
    ward.policy()
    async with client(ward) as service:
        made = await ask(service, irreversible=True, deadline_s=60, action_hash=DELETE)
        place, body = f"/decisions/{made['id']}/consume", {"caller": "run", "action_hash": DELETE}
        refused(await service.post(place, json=body), 409, "review.still_pending")
        over(ward, clock)
        refused(await service.post(place, json=body), 409, "review.expired")
    assert ward.entries("review.consumed") == []


async def test_an_answer_after_the_runner_died_is_found_by_the_next_one(ward: Ward) -> None:
    """preloop PR 510: the person answered 27 s after the runner had died, for nobody."""
    ward.policy()
    async with client(ward) as runner, client(ward, "anna") as anna:
        made = await ask(runner, key="job-7", action_hash=DELETE)
        await runner.aclose()
        await answer(anna, made)
    async with client(ward) as following:
        found = await ask(following, key="job-7", action_hash=DELETE)
        assert (found["id"], found["status"], found["value"]) == (made["id"], "decided", "benign")
        assert ok(await following.get(f"/decisions/{made['id']}")) == found
        body = {"caller": "job-7", "action_hash": DELETE}
        assert ok(await following.post(f"/decisions/{made['id']}/consume", json=body))["value"] == "benign"


async def test_a_prior_decision_is_never_replayed(ward: Ward) -> None:
    """METR hawk PR 847: an earlier approval must not be used for a later call."""
    ward.policy()
    async with client(ward) as service, client(ward, "anna") as anna:
        made = await ask(service, action_hash=DELETE)
        await answer(anna, made)
        place = f"/decisions/{made['id']}/consume"
        ok(await service.post(place, json={"caller": "call-1", "action_hash": DELETE}))
        refused(await service.post(place, json={"caller": "call-2", "action_hash": DELETE}), 409, "review.consumed")
        again = await ask(service, key="call-2", action_hash=DELETE)
    assert again["id"] != made["id"]
    assert again["status"] == "pending", "the same item again is a question again"


async def test_an_approval_is_for_the_arguments_that_were_shown(ward: Ward) -> None:
    """Airflow #62872 asks to approve what a model wrote: what was edited afterwards was not approved."""
    ward.policy()
    async with client(ward) as service, client(ward, "anna") as anna:
        made = await ask(service, action_hash=DELETE)
        await answer(anna, made)
        place = f"/decisions/{made['id']}/consume"
        refused(await service.post(place, json={"caller": "c", "action_hash": OTHER}), 409, "review.action_differs")
        edited = asked(260, f"key-{260}", action_hash=OTHER)
        refused(await service.post("/decisions", json=edited), 409, "review.key_reused")
        ok(await service.post(place, json={"caller": "c", "action_hash": DELETE}))


async def test_of_many_runners_one_executes(ward: Ward) -> None:
    """ballerina-spec #1459: taking a decision must be atomic, or two workers execute it."""
    ward.automatic()
    async with client(ward) as service:
        made = await ask(service)
        place = f"/decisions/{made['id']}/consume"
        answers = await asyncio.gather(*(service.post(place, json={"caller": f"w-{n}"}) for n in range(12)))
    assert sorted(one.status_code for one in answers) == [200] + [409] * 11
    assert len(ward.entries("review.consumed")) == 1


async def test_nothing_waits_for_ever(ward: Ward, clock: FixedClock) -> None:
    """METR hawk PR 695: an approval waited for ever. LangGraph's interrupt knows no deadline."""
    ward.policy()
    async with client(ward) as service:
        for wait_s in ("56", "-1", "nan", "inf", "soon"):
            answered = await service.post("/decisions", params={"wait_s": wait_s}, json=asked(260))
            refused(answered, 422, "request.invalid")
        assert ward.decisions() == []
        began = asyncio.get_running_loop().time()
        made = ok(await service.post("/decisions", params={"wait_s": 0.3}, json=asked(260, deadline_s=60)))
        assert asyncio.get_running_loop().time() - began < 10
        assert made["status"] == "pending"
        denied = await ask(service, 261, deadline_s=60, on_deadline="deny")
        escalated = await ask(service, 262, deadline_s=60, on_deadline="escalate")
        over(ward, clock)
        assert ok(await service.get(f"/decisions/{denied['id']}"))["status"] == "expired"
        passed_on = ok(await service.get(f"/decisions/{escalated['id']}"))
    assert ward.task(passed_on["task_id"]).skill == "lead"


async def test_a_second_question_of_the_same_run_is_not_lost(ward: Ward) -> None:
    """langgraphjs #1298: the second interrupt died silently. LangGraph #6208: the node ran again after each one."""
    ward.policy()
    async with client(ward) as service, client(ward, "anna") as anna:
        first, second = await ask(service, 260, "run/1"), await ask(service, 261, "run/2")
        assert len(ward.open_tasks("review")) == 2
        await answer(anna, second, value="malignant")
        assert (await ask(service, 260, "run/1"))["status"] == "pending"
        await answer(anna, first)
        again = [await ask(service, 260, "run/1"), await ask(service, 261, "run/2")]
    assert [(one["id"], one["value"]) for one in again] == [(first["id"], "benign"), (second["id"], "malignant")]
    assert len(ward.decisions()) == 2
    assert ward.open_tasks() == []


async def test_a_dropped_connection_loses_no_wait(ward: Ward) -> None:
    """agent-dashboard #15: MCP clients drop long calls; asked for was a bounded wait with a durable resume."""
    ward.policy()
    async with client(ward) as service, client(ward, "anna") as anna:
        calling = asyncio.create_task(service.post("/decisions", params={"wait_s": 30}, json=asked(260, "k")))
        for _ in range(500):
            if ward.decisions():
                break
            await asyncio.sleep(0.02)
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        (kept,) = ward.decisions()
        waiting = asyncio.create_task(service.post("/decisions", params={"wait_s": 30}, json=asked(260, "k")))
        by_id = asyncio.create_task(service.get(f"/decisions/{kept.id}", params={"wait_s": 30}))
        await asyncio.sleep(0.1)
        await answer(anna, {"task_id": kept.task_id})
        found = [ok(one) for one in await asyncio.wait_for(asyncio.gather(waiting, by_id), 10)]
    assert {(one["id"], one["status"], one["value"]) for one in found} == {(kept.id, "decided", "benign")}


async def test_the_caller_cannot_approve_for_itself(ward: Ward) -> None:
    """google adk-python #1851: the model chose the tool that approved. Here a token never answers."""
    ward.policy()
    async with client(ward) as service:
        made = await ask(service)
        said = {"verb": "label", "value": "benign"}
        refused(await service.post(f"/tasks/{made['task_id']}/answer", json=said), 403, "tasks.not_a_person")
        refused(
            await service.post(f"/decisions/{made['id']}/consume", json={"caller": "c"}), 409, "review.still_pending"
        )
    assert ward.decision(made["id"]).status == "pending"
