"""The stream of events: what it tells and what not, where it goes on, how many there are, how it ends."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from handrail.cycle.review.outgoing.streaming import Streams, TooManyStreams, place_of
from handrail.foundation.errors import Invalid
from tests.integration.cycle.breast_mass import PERSON
from tests.integration.cycle.review.test_reverse import reverse
from tests.integration.cycle.review.ward import Ward
from tests.integration.cycle.review.ward_client import client, ok, refused

SURE = 260


async def here() -> bool:
    return False


def told(content: str) -> list[tuple[int, str, dict[str, Any]]]:
    found = []
    for block in content.split("\n\n"):
        parts = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line and not line.startswith(":"))
        if "data" in parts:
            found.append((int(parts["id"]), parts["event"], json.loads(parts["data"])))
    return found


async def events(service: httpx.AsyncClient, ward: Ward, **more: Any) -> list[tuple[int, str, dict[str, Any]]]:
    ward.clinic.journal.integrate(ward.storage)
    answer = await service.get("/events", **more)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    return told(answer.text)


async def test_it_tells_what_changes_and_goes_on_where_one_was(ward: Ward) -> None:
    ward.automatic(audit_rate=1.0)
    async with client(ward) as service:
        start = await events(service, ward, params={"after": "0"})
        assert ("automation.changed", "auto") in [(kind, data.get("new")) for _, kind, data in start]
        last = str(start[-1][0])
        automatic = await ward.decide(SURE)
        ward.storage.write(lambda uow: ward.review._steering.change(uow, PERSON, ward.scope, "braked", "test"))
        people = await ward.decide(SURE + 1)
        ward.answer(str(people.task_id), "benign", "label")
        reverse(ward, automatic)
        got = await events(service, ward, headers={"Last-Event-ID": last})
        assert [(kind, data.get("decision_id")) for _, kind, data in got] == [
            ("decision.decided", automatic.id),
            ("automation.changed", None),
            ("decision.pending", people.id),
            ("decision.decided", people.id),
            ("decision.reversed", automatic.id),
        ]
        assert await events(service, ward, params={"after": str(got[1][0])}) == got[2:]
        assert await events(service, ward) == [], "without an id it tells what comes from now on"
        refused(await service.get("/events", headers={"Last-Event-ID": "soon"}), 422, "request.invalid")


async def test_it_gives_no_check_away(ward: Ward) -> None:
    """Of decisions with and without an audit the same is told, and no answer, so a blind look stays blind."""
    ward.automatic(audit_rate=0.5)
    async with client(ward) as service:
        start = str((await events(service, ward, params={"after": "0"}))[-1][0])
        made = [await ward.decide(case) for case in range(SURE, SURE + 12)]
        got = await events(service, ward, params={"after": start})
    assert {one.audited for one in made} == {True, False}
    assert [data["decision_id"] for _, _, data in got] == [one.id for one in made]
    assert {tuple(sorted(data)) for _, _, data in got} == {("decision_id", "status", "timestamp")}


async def test_who_waits_hears_at_once(ward: Ward) -> None:
    ward.policy()
    async with client(ward) as service:
        ward.clinic.journal.integrate(ward.storage)
        waiting = asyncio.create_task(service.get("/events", params={"wait_s": 30}))
        await asyncio.sleep(0.2)
        made = await ward.decide(SURE)
        ward.clinic.journal.integrate(ward.storage)
        answer = await asyncio.wait_for(waiting, 10)
    assert [(kind, data["decision_id"]) for _, kind, data in told(answer.text)] == [("decision.pending", made.id)]


async def test_a_live_stream_beats_and_ends_with_its_reader_or_the_server(ward: Ward) -> None:
    ward.policy()
    streams = Streams(ward.storage, ward.clinic.journal, most=2, look_s=0.02, heartbeat_s=0.05, longest_s=30.0)
    left = asyncio.Event()

    async def gone() -> bool:
        return left.is_set()

    last = await streams.begin(None)
    first = streams.follow(ward.scope, last, gone=gone)
    assert await anext(first) == b"retry: 2000\n\n"
    assert b": still here" in await asyncio.wait_for(anext(first), 5)
    second = streams.follow(ward.scope, last, gone=here)
    assert await anext(second) == b"retry: 2000\n\n"
    assert streams.open == 2
    with pytest.raises(TooManyStreams):
        await streams.begin(None)
    left.set()
    assert all([b"still here" in one async for one in first])
    assert streams.open == 1
    streams.close()
    rest = asyncio.create_task(_all(second))
    assert all(b"still here" in one for one in await asyncio.wait_for(rest, 5))
    assert streams.open == 0


async def _all(parts: Any) -> list[bytes]:
    return [one async for one in parts]


async def test_who_may_not_read_hears_nothing(ward: Ward) -> None:
    ward.policy()
    async with client(ward, "reader") as reader, client(ward, "nobody") as nobody:
        assert (await reader.get("/events")).status_code == 200
        refused(await nobody.get("/events"), 401, "identity.unknown_token")
        assert ok(await reader.get("/webhooks")) == []


@pytest.mark.parametrize("text", ["", "-1", "1.5", "x", "9" * 19, "\u0661"])
def test_an_id_is_a_place(text: str) -> None:
    with pytest.raises(Invalid):
        place_of(text)
