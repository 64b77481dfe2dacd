"""The routes of review over the real application, on both databases."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.integration.cycle.breast_mass import QUESTION, cases
from tests.integration.cycle.review.ward import ANNA, UNSURE, Ward
from tests.integration.cycle.review.ward_client import client, ok, refused


def asked(case: int, key: str | None = None, **more: Any) -> dict[str, Any]:
    body = {"external_id": f"case-{case:04}", "data": cases()[1][case][0], "idempotency_key": key or f"key-{case}"}
    return {**body, **more}


async def test_a_decision_from_question_to_answer(ward: Ward) -> None:
    ward.automatic()
    async with client(ward) as service, client(ward, "anna") as anna:
        made = ok(await service.post("/decisions", json=asked(UNSURE[0])))
        assert (made["status"], made["route"], made["by"].partition(":")[0]) == ("pending", "human", "policy")
        assert ok(await service.post("/decisions", json=asked(UNSURE[0]))) == made
        refused(await service.post("/decisions", json=asked(UNSURE[1], f"key-{UNSURE[0]}")), 409, "review.key_reused")
        assert ok(await service.get(f"/decisions/{made['id']}")) == made

        waiting = asyncio.create_task(service.get(f"/decisions/{made['id']}", params={"wait_s": 20}))
        said = {"verb": "label", "value": "benign"}
        ok(await anna.post(f"/tasks/{made['task_id']}/answer", json=said))
        settled = ok(await asyncio.wait_for(waiting, 10))
        assert (settled["status"], settled["value"], settled["by"]) == ("decided", "benign", "person:p-Anna")

        automatic = ok(await service.post("/decisions", json=asked(260)))
        assert (automatic["status"], automatic["task_id"]) == ("auto", None)
        page = ok(await service.get("/decisions", params={"limit": 1}))
        assert [one["id"] for one in page["items"]] == [automatic["id"]]
        rest = ok(await service.get("/decisions", params={"before": page["next"]}))
        assert [one["id"] for one in rest["items"]] == [made["id"]]
        refused(await service.get("/decisions/none"), 404, "review.decision_not_found")


async def test_whether_an_audit_was_drawn_is_not_told(ward: Ward) -> None:
    ward.automatic(audit_rate=0.5)
    async with client(ward) as service:
        made = [ok(await service.post("/decisions", json=asked(case))) for case in range(260, 273)]
    assert {one.audited for one in ward.decisions()} == {True, False}
    assert {(one["task_id"], "audited" in one, one["route"]) for one in made} == {(None, False, "auto")}


async def test_a_batch_answers_each_line_and_keeps_the_good_ones(ward: Ward) -> None:
    ward.automatic()
    lines: list[bytes] = [
        json.dumps(asked(260)).encode(),
        b"{not json",
        json.dumps(asked(261, surprise=1)).encode(),
        json.dumps({**asked(262), "data": {"mean area": "large"}}).encode(),
        json.dumps(asked(UNSURE[0])).encode(),
        json.dumps({**asked(263), "observed_at": "2026-01-01T10:00:00"}).encode(),
        json.dumps(asked(264)).replace(str(cases()[1][264][0]["mean area"]), "NaN").encode(),
        b"\xff\xfe",
        json.dumps(asked(265, "key-260")).encode(),
        json.dumps(asked(266, prediction={"value": "benign", "score": 0.5, "scores": {"benign": 1}})).encode(),
        json.dumps(asked(267, prediction={"value": "benign", "score": 7})).encode(),
        b'{"external_id":' + b"[" * 5000,
    ]
    async with client(ward) as service:
        answer = await service.post("/decisions/batch", content=b"\n".join(lines) + b"\n\n")
        assert answer.headers["content-type"].startswith("application/x-ndjson")
        out = [json.loads(line) for line in answer.text.splitlines()]
        again = await service.post("/decisions/batch", content=b"\n".join(lines))
        assert [json.loads(line).get("id") for line in again.text.splitlines()] == [one.get("id") for one in out]
        many = b"\n".join([lines[0]] * 1501)
        assert len((await service.post("/decisions/batch", content=many)).text.splitlines()) == 1501
        assert (await service.post("/decisions/batch", content=b"")).text == ""
    assert [one["error"]["code"] if "error" in one else one["route"] for one in out] == [
        "auto",
        "request.invalid",
        "request.invalid",
        "datasets.item_invalid",
        "human",
        "request.invalid",
        "datasets.item_invalid",
        "request.invalid",
        "review.key_reused",
        "human",
        "request.invalid",
        "request.invalid",
    ]
    assert all(f"Line {place + 1}" in one["error"]["detail"] for place, one in enumerate(out) if "error" in one)
    assert len(ward.decisions()) == 3


async def test_policy_certificate_stop_and_restart(ward: Ward) -> None:
    async with client(ward) as service, client(ward, "anna") as anna, client(ward, "ben") as ben:
        assert ok(await service.get("/oversight")) is None
        refused(await service.post("/decisions", json=asked(260)), 409, "review.wrong_state")
        refused(await service.post("/certificates", json={"labels": 40}), 409, "review.wrong_state")
        first = ok(await service.put("/policy", json={"question": QUESTION}))
        second = ok(await service.put("/policy?loosens=true", json={"question": QUESTION, "alpha": 0.1}))
        assert (first["version"], second["version"], second["document"]["alpha"]) == (1, 2, 0.1)
        refused(await service.post("/certificates", json={"labels": 40}), 409, "review.no_model")
        ward.champion()
        no = ok(await service.post("/certificates", json={"labels": 10, "alpha": 0.02}), 201)
        assert (no["status"], no["needed"]) == ("refused", 104)
        ward.clinic.bring(120, 140)
        planned = ok(await service.post("/certificates", json={"labels": 40}), 201)
        assert (planned["status"], planned["labels_drawn"], planned["alpha"]) == ("planned", 40, 0.1)
        assert ok(await service.get("/oversight"))["planned"]["id"] == planned["id"]
        ward.label_drawn()
        ward.review.complete_certificate(ANNA, ward.scope, planned["id"])
        now = ok(await service.get("/oversight"))
        assert (now["state"], now["certificate"]["id"], now["policy_version"]) == ("auto", planned["id"], 2)
        assert [one["status"] for one in ok(await service.get("/certificates"))] == ["refused", "certified"]
        assert ok(await service.get("/automatic-error")) is None

        refused(await service.post("/stop", json={"why": "test"}), 403, "review.not_a_person")
        assert ok(await anna.post("/stop", json={"why": "strange"}))["state"] == "stopped"
        refused(await anna.post("/restart", json={"why": "mended"}), 403, "review.same_person")
        assert ok(await ben.post("/restart", json={"why": "mended"}))["state"] == "auto"


async def test_who_may_only_read_changes_nothing(ward: Ward) -> None:
    ward.policy()
    async with client(ward, "reader") as reader:
        for method, path, body in (
            ("POST", "/decisions", asked(260)),
            ("PUT", "/policy", {"question": QUESTION}),
            ("POST", "/certificates", {"labels": 40}),
            ("POST", "/stop", {"why": "test"}),
            ("POST", "/restart", {"why": "test"}),
        ):
            assert (await reader.request(method, path, json=body)).status_code == 403, path
        assert (await reader.post("/decisions/batch", content=b"{}")).status_code == 403
        assert ok(await reader.get("/decisions"))["items"] == []
        assert ok(await reader.get("/tallies")) == {"days": {}}
