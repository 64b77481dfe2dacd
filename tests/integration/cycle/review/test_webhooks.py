"""Web hooks: signed, in order, at least once, with pauses, given up after three days; on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from handrail.cycle.review.outgoing.delivering import Deliveries
from handrail.cycle.review.outgoing.webhooks import TooManyWebhooks, WebhookNotFound
from handrail.cycle.review.store import Webhook
from handrail.foundation.clock import FixedClock
from handrail.foundation.errors import Invalid
from handrail.foundation.fetch import Rules
from tests.integration.cycle.breast_mass import PERSON
from tests.integration.cycle.review.receiver import Receiver, receiving
from tests.integration.cycle.review.test_consume import take
from tests.integration.cycle.review.test_reverse import reverse
from tests.integration.cycle.review.ward import Ward
from tests.integration.cycle.review.ward_client import client, ok, refused

SURE = 260
LOOPBACK = ("127.0.0.0/8",)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def deliveries(ward: Ward, *, hosts: tuple[str, ...] = ("127.0.0.1",), networks: Any = LOOPBACK) -> Deliveries:
    return Deliveries(ward.storage, ward.clinic.journal, ward.clock, Rules(hosts=hosts, networks=networks))


def add(ward: Ward, url: str, events: tuple[str, ...] = ("decision.decided", "decision.reversed")) -> Webhook:
    ward.clinic.journal.integrate(ward.storage)
    return ward.storage.write(lambda uow: ward.review.webhooks.add(uow, PERSON, ward.scope, url, events))


async def send(ward: Ward, sender: Deliveries | None = None) -> int:
    ward.clinic.journal.integrate(ward.storage)
    return await asyncio.to_thread((sender or deliveries(ward)).tick)


def state(ward: Ward) -> Webhook:
    (found,) = ward.storage.read(lambda uow: ward.review.webhooks.all(uow, ward.scope))
    return found


async def test_what_is_settled_is_told_in_order_and_signed(ward: Ward, receiver: Receiver, clock: FixedClock) -> None:
    ward.automatic(audit_rate=1.0)
    await ward.decide(SURE, "before")
    hook = add(ward, receiver.url, ("decision.decided", "decision.expired", "decision.reversed"))
    automatic = await ward.decide(SURE, "auto")
    ward.storage.write(lambda uow: ward.review._steering.change(uow, PERSON, ward.scope, "braked", "test"))
    people = await ward.decide(SURE + 1, "people")
    late = await ward.decide(SURE + 2, "late", deadline_s=60.0, on_deadline="deny")
    ward.answer(str(people.task_id), "benign", "label")
    clock.advance(seconds=61)
    ward.expire()
    take(ward, automatic)
    reverse(ward, automatic, reason="the wrong patient")
    assert await send(ward) == 4
    assert await send(ward) == 0
    told = [(one["type"], one["data"]["decision_id"], one["data"]["status"]) for one in receiver.documents()]
    assert told == [
        ("decision.decided", automatic.id, "auto"),
        ("decision.decided", people.id, "decided"),
        ("decision.expired", late.id, "expired"),
        ("decision.reversed", automatic.id, "reversed"),
    ]
    assert [one["data"]["by"].partition(":")[0] for one in receiver.documents()] == [
        "policy", "person", "deadline", "person",
    ]  # fmt: skip
    assert receiver.documents()[3]["data"]["acknowledge_by"] is not None
    assert "audit" not in str(receiver.documents()), "whether somebody checks is not told"
    for headers, body in receiver.got:
        now = datetime.now(UTC)
        verifier = Verifier(hook.secret)
        stated = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        expected = verifier.sign(headers["webhook-id"], stated, body.decode())
        assert headers["webhook-signature"] == expected
        fresh = {**headers, "webhook-timestamp": str(int(now.timestamp()))}
        fresh["webhook-signature"] = verifier.sign(headers["webhook-id"], now, body.decode())
        assert verifier.verify(body, fresh)["id"] == headers["webhook-id"]
        with pytest.raises(WebhookVerificationError):
            verifier.verify(body + b" ", fresh)


async def test_a_failing_receiver_is_asked_again_and_nothing_overtakes(
    ward: Ward, receiver: Receiver, clock: FixedClock
) -> None:
    ward.automatic()
    add(ward, receiver.url)
    for place in range(3):
        await ward.decide(SURE + place)
    receiver.status = 503
    assert await send(ward) == 0
    first = receiver.ids()
    assert len(first) == 1
    assert (state(ward).tries, state(ward).last_error, state(ward).disabled_at) == (1, "It answered 503", None)
    assert await send(ward) == 0
    assert receiver.ids() == first, "it pauses"
    clock.advance(seconds=2.1)
    await send(ward)
    assert (receiver.ids(), state(ward).tries) == (first * 2, 2)
    clock.advance(seconds=2.1)
    await send(ward)
    assert len(receiver.got) == 2, "the pause doubles"
    receiver.status = 200
    clock.advance(seconds=2.1)
    assert await send(ward) == 3
    assert receiver.ids()[2:] == [first[0], *receiver.ids()[3:]]
    assert len(set(receiver.ids())) == 3
    assert (state(ward).tries, state(ward).failing_since, state(ward).last_error) == (0, None, "")


async def test_it_is_given_up_after_three_days_and_goes_on_where_it_stopped(
    ward: Ward, receiver: Receiver, clock: FixedClock
) -> None:
    ward.automatic()
    hook = add(ward, receiver.url)
    await ward.decide(SURE)
    receiver.status = 500
    for _ in range(100):
        await send(ward)
        clock.advance(seconds=3601)
    assert state(ward).disabled_at is not None
    (told,) = ward.entries("review.webhook_disabled")
    assert (told["webhook"], told["why"]) == (hook.id, "It answered 500")
    tried = len(receiver.got)
    assert 70 < tried < 100
    await ward.decide(SURE + 1)
    receiver.status = 200
    assert await send(ward) == 0
    async with client(ward) as service:
        (shown,) = ok(await service.get("/webhooks"))
        assert (shown["status"], shown["last_error"], "secret" in shown) == ("disabled", "It answered 500", False)
        assert ok(await service.post(f"/webhooks/{hook.id}/enable"))["status"] == "working"
    assert await send(ward) == 2


async def test_a_receiver_that_is_gone_is_given_up_at_once(ward: Ward, receiver: Receiver) -> None:
    ward.automatic()
    add(ward, receiver.url)
    await ward.decide(SURE)
    receiver.status = 410
    await send(ward)
    assert state(ward).disabled_at is not None


@pytest.mark.parametrize(
    ("hosts", "networks", "url", "code"),
    [
        ((), LOOPBACK, None, "fetch.host_not_allowed"),
        (("127.0.0.1",), (), None, "fetch.dangerous_address"),
        (("*",), (), None, "fetch.dangerous_address"),
        (("*",), LOOPBACK, "http://8.8.8.8/x", "fetch.bad_url"),
        (("*",), LOOPBACK, "http://service.example/x", "fetch.bad_url"),
        (("*",), LOOPBACK, "http://169.254.169.254/latest", "fetch.dangerous_address"),
    ],
)
async def test_only_what_the_settings_name_is_reached(
    ward: Ward, receiver: Receiver, hosts: tuple[str, ...], networks: Any, url: str | None, code: str
) -> None:
    ward.automatic()
    add(ward, url or receiver.url)
    await ward.decide(SURE)
    assert await send(ward, deliveries(ward, hosts=hosts, networks=networks)) == 0
    assert receiver.got == []
    assert code in state(ward).last_error


async def test_two_processes_send_each_fact_once(ward: Ward, receiver: Receiver) -> None:
    ward.automatic()
    add(ward, receiver.url)
    await ward.decide(SURE)
    ward.clinic.journal.integrate(ward.storage)
    one, other = deliveries(ward), deliveries(ward)
    (seen,) = other._due()
    assert await asyncio.to_thread(one.tick) == 1
    assert other._turn(seen) == 0, "what another one sends is left to it"
    assert len(receiver.got) == 1


async def test_over_http(ward: Ward) -> None:
    ward.policy()
    async with client(ward) as service, client(ward, "reader") as reader:
        made = ok(await service.post("/webhooks", json={"url": "https://service.example/h"}), 201)
        assert made["secret"].startswith("whsec_")
        assert made["events"] == ["decision.decided", "decision.expired", "decision.reversed"]
        assert made["secret"] not in str(ward.entries("review.webhook_added"))
        for url in ("ftp://a/b", "https://", "https://u:p@a/b", "https://a b/", "x"):
            refused(await service.post("/webhooks", json={"url": url}), 422, "request.invalid")
        assert (await reader.post("/webhooks", json={"url": "https://a.example/"})).status_code == 403
        assert (await reader.delete(f"/webhooks/{made['id']}")).status_code == 403
        assert (await service.delete(f"/webhooks/{made['id']}")).status_code == 204
        refused(await service.delete(f"/webhooks/{made['id']}"), 404, "review.webhook_not_found")
        assert ok(await service.get("/webhooks")) == []


def test_rules_of_web_hooks(ward: Ward) -> None:
    with pytest.raises(Invalid):
        add(ward, "https://a.example/", ())
    with pytest.raises(Invalid):
        add(ward, "https://a.example/", ("everything",))
    for _ in range(10):
        add(ward, "https://a.example/")
    with pytest.raises(TooManyWebhooks):
        add(ward, "https://a.example/")
    with pytest.raises(WebhookNotFound):
        ward.storage.write(lambda uow: ward.review.webhooks.enable(uow, PERSON, ward.scope, "no"))
