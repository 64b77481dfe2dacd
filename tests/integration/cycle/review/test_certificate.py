"""The life of a certificate on both databases: planned, labelled by lot, issued or refused, ended with its model."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from handrail.cycle.annotate.model import TooFewItems
from handrail.cycle.datasets import NewLabel
from handrail.cycle.review import store
from handrail.cycle.review.certificates.row import CertificateRow, CertifyItem
from handrail.cycle.review.model import CertificateNotFound, LabelsMissing, NoModel, WrongState
from handrail.foundation.actors import Actor
from tests.integration.cycle.breast_mass import PERSON, QUESTION
from tests.integration.cycle.review.ward import ANNA, BEN, UNSURE, Ward


def plan(ward: Ward, labels: int = 40, alpha: float = 0.1, **more: Any) -> CertificateRow:
    return ward.review.plan_certificate(PERSON, ward.scope, labels=labels, alpha=alpha, **more)


def certificate(ward: Ward, certificate_id: str) -> CertificateRow:
    found = ward.storage.read(lambda uow: ward.review.certificates(uow, ward.scope))
    return next(one for one in found if one.id == certificate_id)


def drawn(ward: Ward, certificate_id: str) -> list[CertifyItem]:
    return ward.storage.read(lambda uow: store.drawn_items(uow, ward.scope, certificate_id))


def test_there_is_nothing_to_certify_without_a_model(ward: Ward) -> None:
    with pytest.raises(WrongState):
        plan(ward)
    ward.policy()
    with pytest.raises(NoModel):
        plan(ward)
    assert ward.entries("review.certificate_planned") == []
    with pytest.raises(CertificateNotFound):
        ward.review.complete_certificate(PERSON, ward.scope, "none")


async def test_from_plan_to_automation(ward: Ward) -> None:
    ward.policy()
    model = ward.champion()
    ward.clinic.bring(120, 140)
    planned = plan(ward)
    assert (planned.status, planned.labels_planned, planned.labels_drawn) == ("planned", 40, 40)
    assert (planned.model_id, planned.model_digest) == (model.id, model.digest)
    assert ward.state() == "certifying"
    items = drawn(ward, planned.id)
    assert len({one.item_id for one in items}) == 40
    assert {one.probability for one in items} == {40 / 140}, "the probability of the draw is with every item"
    assert all(task.blind and not task.payload for task in ward.open_tasks("label"))
    with pytest.raises(LabelsMissing) as caught:
        ward.review.complete_certificate(PERSON, ward.scope, planned.id)
    assert caught.value.facts["missing"] == 40

    assert ward.label_drawn() == 40
    assert [one["certificate"] for one in ward.entries("review.certificate_ready")] == [planned.id]
    issued = ward.review.complete_certificate(PERSON, ward.scope, planned.id)
    assert (issued.status, ward.state()) == ("certified", "auto")
    found = ward.storage.read(
        lambda uow: ward.clinic.datasets.items_by_id(uow, ward.scope, [one.item_id for one in items])
    )
    predicted = ward.clinic.train.predictor(model).predict([found[one.item_id].data for one in items])
    assert [one.predicted for one in items] == [one.value for one in predicted]
    truth = [ward.clinic.truth[one.item_id] for one in items]
    assert issued.document["errors"] == sum(one.value != true for one, true in zip(predicted, truth, strict=True))
    assert issued.document["upper"] <= 0.1
    assert ward.review.complete_certificate(PERSON, ward.scope, planned.id) == issued, "again changes nothing"
    assert len(ward.entries("review.certificate_issued")) == 1
    assert (await ward.decide(260)).certificate_id == issued.id


async def test_a_draw_of_the_whole_archive_certifies_too(ward: Ward) -> None:
    """Nothing is left to tell what traffic looks like; without an answer the loop would ask for ever."""
    ward.policy()
    ward.champion()
    ward.clinic.bring(120, 60)
    planned = plan(ward, labels=60)
    assert {one.probability for one in drawn(ward, planned.id)} == {1.0}
    assert ward.label_drawn() == 60
    issued = ward.review.complete_certificate(PERSON, ward.scope, planned.id)
    assert (issued.status, ward.state()) == ("certified", "auto")
    assert (await ward.decide(260)).certificate_id == issued.id


def test_labels_that_speak_against_the_model_refuse_and_say_what_is_missing(ward: Ward) -> None:
    ward.policy()
    ward.champion()
    ward.clinic.bring(120, 140)
    planned = plan(ward)
    ward.label_drawn(wrong=25)
    refused = ward.review.complete_certificate(PERSON, ward.scope, planned.id)
    assert (refused.status, refused.threshold, ward.state()) == ("refused", None, "shadow")
    assert refused.document["needed"] > 0
    assert [one["needed"] for one in ward.entries("review.certificate_refused")] == [refused.document["needed"]]
    again = plan(ward)
    assert {one.item_id for one in drawn(ward, again.id)}.isdisjoint(one.item_id for one in drawn(ward, planned.id))


def test_a_wish_that_no_outcome_could_meet_is_refused_at_once(ward: Ward) -> None:
    ward.policy()
    ward.champion()
    ward.clinic.bring(120, 60)
    row = plan(ward, 30, 0.02, delta=0.1)
    assert (row.status, row.document["needed"]) == ("refused", 114 - 30)
    assert (ward.state(), ward.open_tasks("label")) == ("shadow", [])


def test_a_draw_that_cannot_be_made_leaves_no_plan(ward: Ward) -> None:
    ward.policy()
    ward.champion()
    ward.clinic.bring(120, 30)
    with pytest.raises(TooFewItems):
        plan(ward)
    assert ward.storage.read(lambda uow: ward.review.certificates(uow, ward.scope)) == []
    assert (ward.state(), ward.entries("review.certificate_planned")) == ("shadow", [])
    ward.clinic.bring(150, 100)
    assert plan(ward).status == "planned", "and the next one goes on"


def test_one_plan_at_a_time(ward: Ward) -> None:
    ward.policy()
    ward.champion()
    ward.clinic.bring(120, 140)
    plan(ward)
    with pytest.raises(WrongState):
        plan(ward)
    with pytest.raises(WrongState):
        plan(ward, source="stream")
    assert len(ward.open_tasks("label")) == 40, "nothing was drawn for the second wish"


async def test_only_looks_of_ones_own_at_drawn_items_certify(ward: Ward) -> None:
    """Neither a label that somebody sets nor a review with the model's answer in sight counts."""
    ward.policy()
    ward.champion()
    ward.clinic.bring(120, 140)
    planned = plan(ward)
    items = [one.item_id for one in drawn(ward, planned.id)]
    tasks = {task.item_id: task for task in ward.open_tasks("label")}
    found = ward.storage.read(lambda uow: ward.clinic.datasets.item(uow, ward.scope, items[0]))
    reviewed = await ward.decide(int(found.external_id.removeprefix("case-")))
    assert reviewed.item_id == items[0]
    task = ward.task(reviewed.task_id)
    assert task.prediction is not None
    ward.answer(task.id, None, "approve")
    new = NewLabel(
        item_id=items[1], question=QUESTION, value="benign", source="review", purpose="feedback", probability=None
    )
    ward.storage.write(lambda uow: ward.clinic.datasets.put_label(uow, PERSON, ward.scope, new))
    assert [one.value for one in drawn(ward, planned.id)] == [None] * 40

    ward.answer(tasks[items[0]].id, ward.clinic.truth[items[0]], "label", BEN)
    assert [one.value for one in drawn(ward, planned.id)][:2] == [ward.clinic.truth[items[0]], None]
    label = ward.labels()[items[0]]
    assert (label.purpose, label.source, label.probability) == ("certify", "draw", 40 / 140)


async def test_a_certificate_from_the_stream_draws_with_its_share_and_then_stops(ward: Ward) -> None:
    ward.policy(certify_share=0.5)
    ward.champion()
    ward.clinic.bring(120, 140)
    planned = plan(ward, alpha=0.2, source="stream")
    made = await asyncio.gather(*(ward.decide(case) for case in range(260, 400)))
    why = Counter(one.reasons[0] for one in made)
    assert why["drawn at random to certify the model"] == 40
    assert why["no certificate is in force"] == 140 - 40 - why["the model is being certified"]
    for one in made:
        taken = one.reasons[0] == "drawn at random to certify the model"
        assert (one.certificate_id == planned.id) == taken
        assert one.audit_probability == (0.0 if one.reasons[0] == "no certificate is in force" else 0.5)
        assert ward.task(one.task_id).blind == taken
        assert one.status == "pending"
    assert {one.probability for one in drawn(ward, planned.id)} == {0.5}
    for task in ward.open_tasks("review"):
        if task.blind:
            assert task.item_id is not None
            ward.answer(task.id, ward.clinic.truth[task.item_id], "label")
    issued = ward.review.complete_certificate(PERSON, ward.scope, planned.id)
    assert (issued.status, ward.state()) == ("certified", "auto")
    purposes = Counter(one.purpose for one in ward.labels().values() if one.source == "review")
    assert purposes == {"certify": 40}


async def test_an_item_that_comes_twice_is_drawn_once(ward: Ward) -> None:
    ward.policy()
    ward.champion()
    ward.clinic.bring(120, 140)
    planned = plan(ward, 25, source="stream", lazy=False)
    first = await ward.decide(260, "one")
    second = await ward.decide(260, "two")
    assert (second.route, second.reasons) == ("human", ("drawn before to certify the model",))
    assert second.certificate_id is None
    assert [one.item_id for one in drawn(ward, planned.id)] == [first.item_id]
    many = await asyncio.gather(*(ward.decide(261, f"same {place}") for place in range(12)))
    assert sum(one.certificate_id == planned.id for one in many) == 1


async def test_a_certificate_dies_with_its_model(ward: Ward) -> None:
    certificate_id = ward.automatic().id
    other = ward.model(1)
    assert other.digest != certificate(ward, certificate_id).model_digest
    ward.promote(other)
    ended = certificate(ward, certificate_id)
    assert (ended.status, ended.ended_why, ward.state()) == ("ended", "another model was promoted", "shadow")
    made = await ward.decide(260)
    assert (made.route, made.model_id) == ("human", other.id)
    ward.promote(other)
    assert len(ward.entries("review.certificate_ended")) == 1, "again changes nothing"


async def test_a_plan_dies_with_its_model_and_late_labels_change_nothing(ward: Ward) -> None:
    ward.policy()
    ward.champion()
    ward.clinic.bring(120, 140)
    planned = plan(ward)
    ward.promote(ward.model(1))
    assert certificate(ward, planned.id).status == "ended"
    ward.label_drawn()
    assert ward.entries("review.certificate_ready") == []
    assert ward.review.complete_certificate(PERSON, ward.scope, planned.id).status == "ended"
    assert ward.state() == "shadow"


async def test_a_looser_policy_does_not_touch_a_certificate_in_force(ward: Ward) -> None:
    row = ward.automatic()
    ward.policy(alpha=0.5, delta=0.5, loosens=True)
    now = ward.oversight()
    assert now.certificate is not None
    assert (now.certificate.id, now.certificate.alpha, now.certificate.threshold) == (row.id, row.alpha, row.threshold)
    assert (await ward.decide(UNSURE[0])).route == "human"


def test_only_a_person_plans_again_after_the_brake(ward: Ward) -> None:
    ward.automatic()
    ward.storage.write(lambda uow: ward.review._steering.change(uow, Actor.rule("brake"), ward.scope, "braked", "test"))
    wish: dict[str, Any] = {"labels": 40, "alpha": 0.1, "source": "stream"}
    with pytest.raises(Exception, match="Only a person") as caught:
        ward.review.plan_certificate(Actor.rule("loop"), ward.scope, **wish)
    assert caught.value.code == "review.not_a_person"  # type: ignore[attr-defined]
    assert ward.review.plan_certificate(ANNA, ward.scope, **wish).status == "planned"
    assert ward.state() == "certifying"


async def test_a_new_certificate_takes_the_place_of_the_old_one(ward: Ward) -> None:
    old = ward.automatic()
    ward.clinic.bring(300, 100)
    planned = plan(ward, alpha=0.2)
    assert ward.state() == "auto", "the old one holds until the new one speaks"
    assert (await ward.decide(260)).certificate_id == old.id
    ward.label_drawn()
    new = ward.review.complete_certificate(PERSON, ward.scope, planned.id)
    assert new.status == "certified"
    assert certificate(ward, old.id).ended_why == "a newer one took its place"
    assert {(await ward.decide(case)).certificate_id for case in range(261, 281)} - {None} == {new.id}


async def test_what_was_looked_at_never_certifies_again(ward: Ward) -> None:
    ward.policy()
    ward.champion()
    ward.clinic.bring(120, 140)
    first = plan(ward)
    ward.label_drawn(wrong=25)
    refused = ward.review.complete_certificate(PERSON, ward.scope, first.id)
    second = plan(ward)
    ward.label_drawn()
    made = ward.review.complete_certificate(PERSON, ward.scope, second.id)
    assert made.document["training"] == refused.document["training"] + 40, "spent labels join the design's evidence"
    assert made.document["labels"] == 40
