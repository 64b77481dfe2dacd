"""decide() on both databases: which way an item goes and why, keys, bad input, many callers at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.cycle.datasets import NewItem
from handrail.cycle.datasets.schema import AnswerInvalid, ItemInvalid
from handrail.cycle.review.model import Decision, Given, KeyReused, WrongState
from handrail.cycle.review.policy import Rule
from handrail.foundation.errors import HandrailError, Invalid
from tests.integration.cycle.breast_mass import MACHINE, QUESTION, cases
from tests.integration.cycle.review.ward import ANNA, PERSON, UNSURE, Ward

SURE = 260


async def test_each_route_says_why_and_leaves_what_it_needs(ward: Ward) -> None:
    large = Rule(name="large", when="item['mean area'] > 100000.0", then="block", reason="no such mass")
    certificate = ward.automatic(audit_rate=0.3, rules=(large,))
    threshold = certificate.threshold
    assert threshold is not None
    sure, unsure = await ward.decide(SURE), await ward.decide(UNSURE[0])
    data = {**cases()[1][262][0], "mean area": 200_000.0}
    blocked = await ward.review.decide(MACHINE, ward.scope, replace(ward.request(262), data=data))

    assert (sure.route, sure.status, sure.by_kind, sure.certificate_id) == ("auto", "auto", "policy", certificate.id)
    assert sure.prediction is not None
    assert sure.value == sure.prediction["value"]
    assert sure.score is not None
    assert sure.score >= threshold
    assert 0.0 < sure.audit_probability <= 1.0
    assert sure.reasons[0].startswith("the score ")
    assert sure.reasons[0].endswith(f"the certified threshold {threshold:.3f}")

    assert (unsure.route, unsure.status, unsure.value, unsure.certificate_id) == ("human", "pending", None, None)
    assert unsure.score is not None
    assert unsure.score < threshold
    assert "under the certified threshold" in unsure.reasons[0]
    task = ward.task(unsure.task_id)
    assert (task.kind, task.item_id, task.decision_id, task.blind) == ("review", unsure.item_id, unsure.id, False)
    assert task.prediction == unsure.prediction

    assert (blocked.route, blocked.status, blocked.task_id) == ("blocked", "blocked", None)
    assert (blocked.by_kind, blocked.by_id, blocked.reasons) == ("rule", "large", ("rule large: no such mass",))

    assert [ward.decision(one.id) for one in (sure, unsure, blocked)] == [sure, unsure, blocked]
    told = {one["decision"]: one for one in ward.entries("review.decided")}
    for one in (sure, unsure, blocked):
        written = told[one.id]
        assert (written["route"], written["reasons"]) == (one.route, list(one.reasons))
        assert written["audit_probability"] == one.audit_probability


async def test_without_a_policy_nothing_is_decided(ward: Ward) -> None:
    with pytest.raises(WrongState):
        await ward.decide(SURE)
    assert ward.decisions() == []


async def test_without_model_or_certificate_a_person_decides(ward: Ward) -> None:
    ward.policy()
    first = await ward.decide(SURE)
    assert (first.route, first.reasons, first.prediction) == ("human", ("no model answers this question yet",), None)
    ward.champion()
    second = await ward.decide(SURE + 1)
    assert (second.route, second.reasons) == ("human", ("no certificate is in force",))
    assert second.prediction is not None


async def test_a_prediction_that_the_caller_brings_is_never_automated(ward: Ward) -> None:
    ward.automatic()
    made = await ward.decide(SURE, prediction=Given("benign", 1.0, {"benign": 1.0}))
    assert (made.route, made.model_id, made.reasons) == ("human", None, ("no certificate is in force",))
    assert made.prediction is not None
    assert made.prediction["value"] == "benign"


@pytest.mark.parametrize(
    ("when", "why"),
    [
        ("item.no_such_field > 1.0", "a field is missing"),
        ("item['mean area'] > 'large'", ""),
        ("1 / 0 == 1", "it divides by zero"),
        ("prediction.score", "it gives a float, not true or false"),
    ],
)
async def test_a_rule_that_cannot_be_read_sends_to_a_person(ward: Ward, when: str, why: str) -> None:
    ward.automatic(rules=(Rule(name="odd", when=when, then="block"),))
    made = await ward.decide(SURE)
    assert (made.route, made.by_kind, made.by_id) == ("human", "rule", "odd")
    assert made.reasons[0].startswith("rule odd could not be evaluated")
    assert why in made.reasons[0]


async def test_the_same_request_again_is_the_same_decision(ward: Ward) -> None:
    ward.automatic()
    first = await ward.decide(SURE, "a key")
    before = len(ward.entries("review.decided"))
    assert await ward.decide(SURE, "a key") == first
    with pytest.raises(KeyReused) as caught:
        await ward.decide(SURE + 1, "a key")
    assert (caught.value.status, caught.value.code) == (409, "review.key_reused")
    assert caught.value.facts == {"decision_id": first.id}
    for changed in ({"subject": "somebody"}, {"deadline_s": 5.0}, {"group": {"sex": "f"}}):
        with pytest.raises(KeyReused):
            await ward.decide(SURE, "a key", **changed)
    assert len(ward.entries("review.decided")) == before
    assert [one.id for one in ward.decisions()] == [first.id]


async def test_numbers_that_mean_the_same_are_the_same_request(ward: Ward) -> None:
    ward.policy()
    data = {**cases()[1][SURE][0], "mean area": 500}
    first = await ward.decide(SURE, "k", data=data)
    assert (await ward.decide(SURE, "k", data={**data, "mean area": 500.0})).id == first.id


async def test_many_callers_with_few_keys_get_one_decision_for_each(ward: Ward) -> None:
    ward.automatic(audit_rate=1.0)
    asked = [SURE + place % 12 for place in range(96)]
    made = await asyncio.gather(*(ward.decide(case) for case in asked))
    kept = {one.id for one in ward.decisions()}
    assert {one.id for one in made} == kept
    assert len(kept) == 12
    assert len(ward.entries("review.decided")) == 12
    assert len(ward.open_tasks("audit", "review")) == 12


async def test_many_callers_with_the_same_item_share_it(ward: Ward) -> None:
    ward.policy()
    made = await asyncio.gather(*(ward.decide(SURE, f"key {place}") for place in range(24)))
    assert len({one.id for one in made}) == 24
    assert len({one.item_id for one in made}) == 1


async def test_an_item_of_the_archive_keeps_its_own_time(ward: Ward) -> None:
    ward.policy()
    (item,) = ward.clinic.bring(SURE, 1)
    now = datetime(2026, 3, 1, tzinfo=UTC)
    made = await ward.decide(SURE, observed_at=now)
    assert made.item_id == item
    written = {**cases()[1][SURE][0], "mean area": int(cases()[1][SURE][0]["mean area"])}
    new = [NewItem(external_id="whole", data=written)]
    known = ward.storage.write(lambda uow: ward.clinic.datasets.put_items(uow, PERSON, ward.scope, new))[0]
    again = await ward.decide(SURE, "whole", external_id="whole", data=written, observed_at=now)
    assert again.item_id == known.id
    differs = ward.request(SURE, "other", external_id="whole")
    with pytest.raises(HandrailError) as caught:
        await ward.review.decide(MACHINE, ward.scope, replace(differs, data={**written, "mean area": 1.0}))
    assert caught.value.status == 409


BAD: list[tuple[dict[str, Any], type[HandrailError]]] = [
    ({"data": {}}, ItemInvalid),
    ({"data": {"mean area": "large"}}, ItemInvalid),
    ({"data": []}, ItemInvalid),
    ({"external_id": ""}, ItemInvalid),
    ({"external_id": "a\x00b"}, ItemInvalid),
    ({"external_id": "half \ud800"}, ItemInvalid),
    ({"subject": "x" * 10_000}, ItemInvalid),
    ({"group": {"sex": "\x00"}}, ItemInvalid),
    ({"idempotency_key": "a\x00b"}, Invalid),
    ({"idempotency_key": "half \ud800"}, Invalid),
    ({"idempotency_key": "x" * 201}, Invalid),
    ({"observed_at": datetime(2026, 1, 1)}, ItemInvalid),  # noqa: DTZ001 - a time without a zone is the point
    ({"deadline_s": float("nan")}, Invalid),
    ({"deadline_s": -1.0}, Invalid),
    ({"prediction": Given("purple", 0.9)}, AnswerInvalid),
    ({"prediction": Given(None, 0.9)}, AnswerInvalid),
    ({"prediction": Given({"a": object()}, 0.9)}, AnswerInvalid),
]


async def test_bad_requests_are_refused_with_a_code_and_leave_nothing(ward: Ward) -> None:
    ward.policy()
    before = ward.storage.read(lambda uow: ward.clinic.datasets.last_seq(uow, ward.scope))
    for more, kind in BAD:
        if "data" in more:
            whole = {**cases()[1][SURE][0], **more["data"]} if more["data"] else more["data"]
            more = {**more, "data": whole}
        with pytest.raises(kind) as caught:
            await ward.decide(SURE, **more)
        assert caught.value.status == 422, more
        assert caught.value.code in ("datasets.item_invalid", "datasets.answer_invalid", "request.invalid"), more
    assert ward.decisions() == []
    assert ward.open_tasks() == []
    assert ward.storage.read(lambda uow: ward.clinic.datasets.last_seq(uow, ward.scope)) == before


@pytest.mark.parametrize(
    ("score", "scores"),
    [(float("nan"), {}), (float("inf"), {}), (1.1, {}), ("0.5", {}), (0.5, {"a": float("nan")}), (0.5, {"a": "b"})],
)
def test_a_prediction_is_made_of_numbers(score: Any, scores: Any) -> None:
    with pytest.raises(Invalid):
        Given("benign", score, scores)


async def test_one_bad_request_of_a_batch_spoils_no_other(ward: Ward) -> None:
    ward.automatic()
    first = await ward.decide(SURE, "first")
    asked = [
        ward.request(261),
        replace(ward.request(262), data={"mean area": 1.0}),
        replace(ward.request(263), idempotency_key="first"),
        ward.request(SURE, "first"),
        replace(ward.request(264), prediction=Given("purple", 0.5)),
        ward.request(265, "twice"),
        ward.request(265, "twice"),
        ward.request(UNSURE[0]),
    ]
    made = await ward.review.decide_many(MACHINE, ward.scope, asked)
    codes = [one.code if isinstance(one, HandrailError) else one.route for one in made]
    assert codes == [
        "auto",
        "datasets.item_invalid",
        "review.key_reused",
        "auto",
        "datasets.answer_invalid",
        "auto",
        "auto",
        "human",
    ]
    assert made[3] == first
    assert made[5] == made[6]
    assert len(ward.decisions()) == 4


async def test_a_batch_and_single_calls_decide_alike(ward: Ward) -> None:
    ward.automatic()
    asked = [ward.request(case, f"batch {case}") for case in (*range(260, 280), *UNSURE)]
    many = await ward.review.decide_many(MACHINE, ward.scope, asked)
    for one, request in zip(many, asked, strict=True):
        assert isinstance(one, Decision)
        alone = await ward.review.decide(MACHINE, ward.scope, replace(request, idempotency_key="x" + one.id))
        assert (alone.route, alone.value, alone.reasons) == (one.route, one.value, one.reasons)
        assert alone.score == pytest.approx(one.score)


async def test_the_question_of_the_policy_is_the_one_that_is_asked(ward: Ward) -> None:
    ward.policy()
    made = await ward.decide(SURE)
    assert made.question == QUESTION
    ward.answer(str(made.task_id), "benign", "label", ANNA)
    assert ward.decision(made.id).value == "benign"
