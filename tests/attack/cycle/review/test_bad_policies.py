"""Policies, certificates and decisions made to harm, over HTTP: a clear stable code each time, and nothing changed."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest

from tests.integration.cycle.breast_mass import QUESTION, cases
from tests.integration.cycle.review.ward import Ward
from tests.integration.cycle.review.ward_client import client, ok, refused

INVALID = "review.policy_invalid"


def rule(**more: Any) -> dict[str, Any]:
    return {"question": QUESTION, "rules": [{"name": "one", "when": "true", "then": "human", **more}]}


def nested(depth: int) -> str:
    return '{"question": ' + '{"a":' * depth + "1" + "}" * depth + "}"


async def send(service: httpx.AsyncClient, body: str | bytes, path: str = "/policy", method: str = "PUT") -> Any:
    return await service.request(method, path, content=body, headers={"Content-Type": "application/json"})


POLICIES: list[dict[str, Any]] = [
    {},
    {"question": ""},
    {"question": 7},
    {"question": None},
    {"question": ["diagnosis"]},
    {"question": "none"},
    {"question": "x" * 100_000},
    {"question": QUESTION, "surprise": 1},
    {"question": QUESTION, "alpha": "0.05"},
    {"question": QUESTION, "alpha": None},
    {"question": QUESTION, "alpha": True},
    {"question": QUESTION, "alpha": 0},
    {"question": QUESTION, "alpha": -0.1},
    {"question": QUESTION, "alpha": 0.51},
    {"question": QUESTION, "alpha": 1e-300},
    {"question": QUESTION, "alpha": 1e-17},
    {"question": QUESTION, "delta": 1e-320},
    {"question": QUESTION, "audit_rate": 0},
    {"question": QUESTION, "audit_rate": 2},
    {"question": QUESTION, "reviewer_error": 0.9},
    {"question": QUESTION, "brake_lifetime": 10},
    {"question": QUESTION, "brake_lifetime": 1e9},
    {"question": QUESTION, "certify_labels": 2.0},
    {"question": QUESTION, "certify_labels": -1},
    {"question": QUESTION, "certify_automate": 1.5},
    {"question": QUESTION, "certify_automate": "0.5"},
    {"question": QUESTION, "certify_automate": 0.5, "certify_labels": 60},
    {"question": QUESTION, "certify_labels": 10**30},
    {"question": QUESTION, "certify_share": 0},
    {"question": QUESTION, "retrain_after": "20"},
    {"question": QUESTION, "rules": {}},
    {"question": QUESTION, "rules": "true"},
    {"question": QUESTION, "rules": [1]},
    {"question": QUESTION, "rules": [[]]},
    {"question": QUESTION, "rules": [{}]},
    {"question": QUESTION, "rules": [rule()["rules"][0]] * 2},
    {"question": QUESTION, "rules": [{**rule()["rules"][0], "name": f"r{place}"} for place in range(101)]},
    rule(surprise=1),
    rule(then="auto"),
    rule(then="approve"),
    rule(then=None),
    rule(when=True),
    rule(when=""),
    rule(when=None),
    rule(name=""),
    rule(name=7),
    rule(name="x" * 65),
    rule(name="a:b"),
    rule(name="line\nbreak"),
    rule(reason="x" * 1001),
    rule(reason=["a"]),
]

HOSTILE = [
    "item.",
    "((((",
    "(" * 5000 + "true" + ")" * 5000,
    "[" * 900 + "]" * 900,
    "x" * 1001,
    "'open",
    "secret == 1",
    "os.environ",
    "__import__('os')",
    "item.map(x, item.map(y, item.map(z, z)))",
    "[1,2].map(x, x)",
    "item.all(item, true)",
    "item.filter(a, item.filter(b, true)).size() > 0",
    "'aaaa'.matches('(a+)+$') && 'a'.matches('b') && 'a'.matches('c') && 'a'.matches('d') && 'a'.matches('e')",
    "true \u0007",
    "1 +",
    "prediction.score < 0.5 ? 'human' : ",
    "evil(1)",
]


async def test_bad_policies_are_refused_with_every_problem_and_change_nothing(ward: Ward) -> None:
    ward.policy()
    before = ward.oversight()
    async with client(ward) as service:
        for policy in POLICIES:
            problem = refused(await service.put("/policy", json=policy), 422, INVALID)
            assert problem["facts"]["problems"], policy
            assert all(len(one) < 1000 for one in problem["facts"]["problems"]), policy
    assert ward.oversight() == before
    assert len(ward.entries("review.policy_activated")) == 1


async def test_several_problems_are_told_together(ward: Ward) -> None:
    async with client(ward) as service:
        bad = {"question": "", "alpha": 9, "delta": "x", "surprise": 1, "rules": [{"then": "fly"}, 3]}
        told = refused(await service.put("/policy", json=bad), 422, INVALID)["facts"]["problems"]
    assert {one.partition(":")[0] for one in told} == {
        "surprise",
        "rules[0]",
        "rules[1]",
        "alpha",
        "delta",
        "question",
    }


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999"])
async def test_what_json_does_not_know_is_not_read(ward: Ward, word: str) -> None:
    ward.policy()
    async with client(ward) as service:
        answer = await send(service, f'{{"question": "{QUESTION}", "alpha": {word}}}')
        assert answer.status_code in (400, 422), answer.text
        assert answer.json()["code"] in (INVALID, "request.not_json", "request.invalid"), answer.text
    assert len(ward.entries("review.policy_activated")) == 1


async def test_bodies_that_are_no_policy_at_all(ward: Ward) -> None:
    bodies = [b"[]", b"1", b"null", b'"x"', b"{", b"\xff\xfe", nested(100_000).encode(), b'{"question":"a\\u0000b"}']
    bodies += [b'{"question":"\\ud800"}', b'{"alpha":' + b"9" * 5000 + b',"question":"diagnosis"}']
    async with client(ward) as service:
        for body in bodies:
            answer = await send(service, body)
            assert answer.status_code in (400, 413, 422), (body[:40], answer.text[:300])
            assert answer.json()["code"].partition(".")[0] in ("request", "review", "http"), (body[:40], answer.text)
            assert len(answer.text) < 20_000
    assert ward.storage.read(lambda uow: ward.review.oversight(uow, ward.scope)) is None


async def test_hostile_conditions_are_refused_in_time(ward: Ward) -> None:
    ward.policy()
    async with client(ward) as service:
        began = time.monotonic()
        for condition in HOSTILE:
            problem = refused(await service.put("/policy", json=rule(when=condition)), 422, INVALID)
            assert problem["facts"]["problems"][0].startswith("rule one"), condition
        assert time.monotonic() - began < 40
    assert len(ward.entries("review.policy_activated")) == 1


async def test_a_condition_that_is_heavy_only_on_some_items_sends_those_to_a_person(ward: Ward) -> None:
    async with client(ward) as service:
        ok(await service.put("/policy", json=rule(when="item.all(a, item.size() > 0 && a != '')", then="block")))
        body = {"external_id": "a", "idempotency_key": "a", "data": cases()[1][0][0]}
        began = time.monotonic()
        made = ok(await service.post("/decisions", json=body))
        assert made["route"] in ("human", "blocked")
        assert time.monotonic() - began < 5


async def test_the_longest_rule_name_still_decides(ward: Ward) -> None:
    async with client(ward) as service:
        name = "ä" * 64
        ok(await service.put("/policy", json=rule(name=name, reason="ö" * 1000)))
        body = {"external_id": "a", "idempotency_key": "a", "data": cases()[1][0][0]}
        assert ok(await service.post("/decisions", json=body))["by"] == f"rule:{name}"


# Certificates, the switch, decisions

CERTIFICATES: list[dict[str, Any]] = [
    {},
    {"labels": 0},
    {"labels": -5},
    {"labels": 1.5},
    {"labels": "many"},
    {"labels": 10**12},
    {"labels": 40, "alpha": 0},
    {"labels": 40, "alpha": 1},
    {"labels": 40, "alpha": 1e-17},
    {"labels": 40, "alpha": 1e-320},
    {"labels": 40, "delta": 1e-320},
    {"labels": 40, "delta": 0.9},
    {"labels": 40, "source": "deferred"},
    {"labels": 40, "surprise": 1},
]


async def test_bad_wishes_for_a_certificate_are_refused_at_once(ward: Ward) -> None:
    ward.policy()
    ward.champion()
    ward.clinic.bring(120, 60)
    before = ward.oversight()
    async with client(ward) as service:
        for wish in CERTIFICATES:
            began = time.monotonic()
            answer = await service.post("/certificates", json=wish)
            assert answer.status_code == 422, (wish, answer.text)
            assert answer.json()["code"] in ("request.invalid", "review.certificate_invalid"), (wish, answer.text)
            assert time.monotonic() - began < 3, wish
        refused(await service.post("/certificates", json={"labels": 61, "alpha": 0.1}), 409, "annotate.too_few_items")
    assert ward.oversight() == before
    assert ward.storage.read(lambda uow: ward.review.certificates(uow, ward.scope)) == []


DECISIONS: list[dict[str, Any]] = [
    {"external_id": ""},
    {"external_id": None},
    {"external_id": 7},
    {"external_id": "x" * 201},
    {"idempotency_key": ""},
    {"idempotency_key": "x" * 201},
    {"idempotency_key": ["k"]},
    {"data": None},
    {"data": []},
    {"data": {"surprise": 1.0}},
    {"data": "x"},
    {"group": {"sex": 1}},
    {"group": []},
    {"subject": "x" * 201},
    {"subject": 7},
    {"observed_at": "yesterday"},
    {"observed_at": "2026-01-01T10:00:00"},
    {"observed_at": 10**30},
    {"prediction": {}},
    {"prediction": {"value": "benign"}},
    {"prediction": {"value": "benign", "score": 1.5}},
    {"prediction": {"value": "benign", "score": "high"}},
    {"prediction": {"value": "purple", "score": 0.5}},
    {"prediction": {"value": None, "score": 0.5}},
    {"prediction": {"value": {"a": [1]}, "score": 0.5}},
    {"prediction": {"value": "benign", "score": 0.5, "scores": {"benign": "x"}}},
    {"prediction": {"value": "benign", "score": 0.5, "surprise": 1}},
    {"deadline_s": 0},
    {"deadline_s": -1},
    {"deadline_s": 1e12},
    {"on_deadline": "approve"},
    {"on_deadline": "auto"},
    {"surprise": 1},
    {"policy": {"alpha": 0.5}},
    {"route": "auto"},
]


async def test_bad_decisions_are_refused_and_leave_nothing(ward: Ward) -> None:
    ward.policy()
    good = {"external_id": "a", "idempotency_key": "a", "data": cases()[1][0][0]}
    async with client(ward) as service:
        for more in DECISIONS:
            answer = await service.post("/decisions", json={**good, **more})
            assert answer.status_code == 422, (more, answer.text)
            code = answer.json()["code"]
            assert code in ("request.invalid", "datasets.item_invalid", "datasets.answer_invalid"), (more, code)
        raw = json.dumps(good)
        for text in ("NaN", "Infinity", "1e999", '"\\u0000"', '"\\ud800"', "[" * 50_000):
            body = raw.replace(str(good["data"]["mean area"]), text, 1)  # type: ignore[index]
            answer = await send(service, body, "/decisions", "POST")
            assert answer.status_code in (400, 422), (text[:10], answer.text)
        for key in ("a\x00b", "half \ud800"):
            body = json.dumps({**good, "idempotency_key": key})
            assert (await send(service, body, "/decisions", "POST")).status_code in (400, 422), key
    assert ward.decisions() == []
    assert ward.open_tasks() == []
    assert ward.entries("datasets.items_added") == []


async def test_reasons_to_stop_are_texts(ward: Ward) -> None:
    ward.policy()
    async with client(ward, "anna") as anna:
        for why in ("", "xx", "x" * 2001, None, 7, ["because"]):
            assert (await anna.post("/stop", json={"why": why})).status_code == 422
        assert (await anna.post("/stop", json={"why": "good", "surprise": 1})).status_code == 422
        assert (await send(anna, b'{"why":"nul \\u0000 inside"}', "/stop", "POST")).status_code in (400, 422)
    assert ward.state() == "shadow"
