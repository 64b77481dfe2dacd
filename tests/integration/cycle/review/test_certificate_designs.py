"""What is fixed before the first label: the region, the plan until certified, and everything a certificate needs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from handrail.cycle.annotate.model import TooFewItems
from handrail.cycle.review import store
from handrail.cycle.review.certificates import Certificate, CertificateInvalid, Design, certify_designed
from handrail.cycle.review.certificates.row import CertificateRow, CertifyItem
from tests.integration.cycle.breast_mass import PERSON
from tests.integration.cycle.review.ward import OTHER, Ward


def plan(ward: Ward, **wish: Any) -> CertificateRow:
    return ward.review.plan_certificate(PERSON, ward.scope, **{"alpha": 0.1, **wish})


def certificate(ward: Ward, certificate_id: str) -> CertificateRow:
    return ward.storage.read(lambda uow: ward.review.certifying.get(uow, ward.scope, certificate_id))


def drawn(ward: Ward, certificate_id: str) -> list[CertifyItem]:
    return ward.storage.read(lambda uow: store.drawn_items(uow, ward.scope, certificate_id))


def look(ward: Ward, certificate_id: str, *, wrong: int = 0) -> CertificateRow:
    """Label what is drawn, the first `wrong` against the model's answer, and let the labels speak."""
    said = {one.item_id: one.predicted for one in drawn(ward, certificate_id)}
    for place, task in enumerate(ward.open_tasks("label", "review")):
        if task.item_id in said and task.blind:
            predicted = said[task.item_id]
            ward.answer(task.id, OTHER[predicted] if place < wrong else predicted, "label")
    return ward.review.complete_certificate(PERSON, ward.scope, certificate_id)


@pytest.fixture
def ready(ward: Ward) -> Ward:
    """A champion, and 300 items that nobody has labelled."""
    ward.policy()
    ward.champion()
    ward.clinic.bring(120, 300)
    return ward


def test_a_certificate_can_be_made_again_from_what_was_kept(ready: Ward) -> None:
    planned = plan(ready, labels=60)
    (entry,) = ready.entries("review.certificate_planned")
    made = look(ready, planned.id)
    grounds = ready.review.certifying._planning.grounds(made)
    design = Design.from_dict(planned.document["design"])
    assert (design.digest(), planned.id) == (planned.document["design_hash"], entry["certificate"])
    items = drawn(ready, planned.id)
    again = certify_designed(
        design,
        [one.score for one in items],
        [one.error for one in items],
        unlabelled=grounds.unlabelled,
        training=grounds.training,
    )
    beside = ("grounds", "audit_plan", "second_opinion", "reviewers")
    kept = {name: value for name, value in made.document.items() if name not in beside}
    assert Certificate.from_dict(kept) == again
    assert len(grounds.unlabelled) == 300, "the items of the draw belong to the traffic: no label was known then"


def test_labels_that_arrive_for_other_items_do_not_change_the_design(ready: Ward) -> None:
    planned = plan(ready, labels=60)
    inside = {one.item_id for one in drawn(ready, planned.id)}
    other = next(item for item in ready.clinic.truth if item not in inside and item not in ready.labels())
    ready.clinic.label([other], "train")
    assert look(ready, planned.id).document["unlabelled"] == 300


def test_labels_are_drawn_where_they_are_worth_most(ward: Ward) -> None:
    """A model that is often unsure: at 2 % no label is spent on what will never run alone."""
    ward.policy()
    ward.champion()
    ward.clinic.bring(120, 300)
    planned = plan(ward, labels=120, alpha=0.02)
    region = planned.document["region"]
    assert region is not None
    items = drawn(ward, planned.id)
    assert all(one.score >= region for one in items)
    grounds = ward.review.certifying._planning.grounds(planned)
    assert {one.probability for one in items} == {120 / len(grounds.above(region))}, "the chance within the region"
    made = look(ward, planned.id)
    assert made.status == "certified"
    assert made.threshold is not None
    assert made.threshold >= region
    everywhere = plan(ward, labels=60, alpha=0.1, lazy=False)
    assert everywhere.document["region"] is None


async def test_the_stream_is_drawn_from_in_the_region_only(ward: Ward) -> None:
    ward.policy(certify_share=1.0)
    ward.champion()
    ward.clinic.bring(120, 140)
    planned = plan(ward, labels=114, alpha=0.02, source="stream")
    region = planned.document["region"]
    assert region is not None
    made = await asyncio.gather(*(ward.decide(case) for case in range(260, 400)))
    for one in made:
        assert one.score is not None
        if one.score < region:
            assert (one.certificate_id, one.audit_probability) == (None, 0.0)
            assert "under the region" in one.reasons[0]
    taken = [one for one in made if one.certificate_id == planned.id]
    assert len(taken) == sum(one.score is not None and one.score >= region for one in made), "the share is 1"
    assert 50 < len(taken) < 114
    assert {one.item_id for one in taken} == {one.item_id for one in drawn(ward, planned.id)}


def test_until_certified_asks_for_labels_in_turns(ready: Ward) -> None:
    planned = plan(ready, automate=0.6, alpha=0.05)
    first = planned.labels_planned
    assert planned.document["mode"] == "until"
    assert planned.document["progress"]["labels"] == 0
    assert planned.document["progress"]["expected_more"] > 0
    threshold = planned.document["region"]
    going = look(ready, planned.id, wrong=planned.document["design"]["first_errors"] + 1)
    assert (going.status, ready.state()) == ("planned", "certifying")
    assert going.labels_planned > first
    assert going.document["progress"]["labels"] == first
    again = ready.review.complete_certificate(PERSON, ready.scope, planned.id)
    assert again == going, "nothing happens until the labels of the turn are in"
    made = look(ready, planned.id)
    while made.status == "planned":
        made = look(ready, planned.id)
    assert (made.status, made.threshold, ready.state()) == ("certified", threshold, "auto")
    items = drawn(ready, planned.id)
    assert [one.position for one in items] == list(range(made.labels_planned))
    assert len({one.item_id for one in items}) == made.document["labels"] == made.document["at"]
    assert all(one.score >= threshold for one in items)
    assert made.document["coverage"] == pytest.approx(0.6, abs=0.01)
    assert made.document["automate"] == 0.6


def test_until_refused_says_what_another_plan_would_need(ready: Ward) -> None:
    planned = plan(ready, automate=0.3, alpha=0.1)
    made = certificate(ready, planned.id)
    while made.status == "planned":
        made = look(ready, planned.id, wrong=1000)
    assert (made.status, made.threshold, ready.state()) == ("refused", None, "shadow")
    assert made.document["needed"] > 0
    assert made.document["labels"] == made.document["errors"]


def test_until_ends_when_nothing_is_left_above_the_threshold(ward: Ward) -> None:
    ward.policy()
    ward.champion()
    ward.clinic.bring(120, 60)
    planned = plan(ward, automate=0.9, alpha=0.1)
    made = look(ward, planned.id, wrong=4)
    while made.status == "planned":
        made = look(ward, planned.id, wrong=4)
    assert made.status == "refused"
    assert made.document["labels"] < planned.document["design"]["counts"][-1]
    assert made.document["needed"] > 0


def test_until_needs_items_above_its_threshold(ward: Ward) -> None:
    ward.policy()
    ward.champion()
    ward.clinic.bring(120, 30)
    with pytest.raises(TooFewItems):
        plan(ward, automate=0.5, alpha=0.05)
    assert ward.storage.read(lambda uow: ward.review.certificates(uow, ward.scope)) == []


async def test_until_certified_from_the_stream(ward: Ward) -> None:
    ward.policy(certify_share=1.0)
    ward.champion()
    ward.clinic.bring(120, 140)
    planned = plan(ward, automate=0.8, alpha=0.1, source="stream")
    case, made = 260, planned
    while made.status == "planned" and case < 560:
        decided = await asyncio.gather(*(ward.decide(one) for one in range(case, case + 10)))
        assert all(one.route == "human" for one in decided)
        case += 10
        if len(drawn(ward, planned.id)) == made.labels_planned:
            made = look(ward, planned.id)
    assert (made.status, ward.state()) == ("certified", "auto")
    assert all(one.score >= planned.document["region"] for one in drawn(ward, planned.id))


@pytest.mark.parametrize(
    "wish",
    [{}, {"labels": 40, "automate": 0.5}, {"automate": 0.0}, {"automate": 1.5}, {"labels": 40, "alpha": 0.5}],
)
def test_a_wish_that_means_nothing_is_refused(ready: Ward, wish: dict[str, Any]) -> None:
    with pytest.raises(CertificateInvalid):
        plan(ready, **wish)
    assert ready.entries("review.certificate_planned") == []
