"""A share to automate for groups apart, on both databases: each is labelled until it is certified or cannot be."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from handrail.cycle.review import store
from handrail.cycle.review.certificates import UntilPlan
from handrail.cycle.review.certificates.row import CertificateRow
from tests.integration.cycle.breast_mass import PERSON
from tests.integration.cycle.review.test_certificate_groups import SITES, decide, drawn, parts, plan, ready, speak
from tests.integration.cycle.review.ward import Ward

SHARE = 0.6


def until(ward: Ward, **wish: Any) -> CertificateRow:
    return plan(ward, labels=None, automate=SHARE, **wish)


def statuses(row: CertificateRow) -> list[str]:
    return [one["status"] for one in parts(row).values()]


def test_each_group_gets_a_plan_of_its_own_at_its_part_of_delta(ward: Ward) -> None:
    ready(ward)
    row = until(ward)
    assert statuses(row) == ["planned", "planned", "refused"]
    made = parts(row)
    for name in ("site=north", "site=south"):
        fixed = UntilPlan.from_dict(made[name]["design"])
        assert (fixed.delta, fixed.alpha) == (pytest.approx(0.1), 0.1)
        assert fixed.coverage == pytest.approx(SHARE, abs=0.02)
        own = [one for one in drawn(ward, row) if one.group == name]
        assert len(own) == made[name]["labels"] == fixed.counts[0]
        assert all(one.score >= fixed.threshold for one in own)
    assert made["site=west"]["needed"] >= UntilPlan.from_dict(made["site=north"]["design"]).counts[0]
    assert row.labels_planned == len(drawn(ward, row))
    (told,) = ward.entries("review.certificate_planned")
    assert (told["mode"], told["automate"], told["groups"]) == ("until", SHARE, row.document["groups"])


async def test_a_group_is_certified_and_another_refused_in_one_turn(ward: Ward) -> None:
    ready(ward)
    row = until(ward)
    first = parts(row)
    made = speak(ward, row, bad="site=south")
    # All wrong is more than any plan bears, and all right is certified at the first look: both end in one turn.
    assert made.status == "certified"
    assert statuses(made) == ["certified", "refused", "refused"]
    assert parts(made)["site=north"]["threshold"] == first["site=north"]["region"]
    assert parts(made)["site=south"]["errors"] == first["site=south"]["labels"]
    assert made.document["group_levels"] == {"site=north": 0.1}
    north, south = await decide(ward, 400, "north"), await decide(ward, 400, "south")
    assert (north.route, south.route) == ("auto", "human")


def wrong_in(ward: Ward, row: CertificateRow, site: str, number: int) -> CertificateRow:
    """Label what is drawn, `number` of a group's items wrongly, and look."""
    items = [one for one in drawn(ward, row) if one.group == site and one.value is None][:number]
    said = {one.item_id: one for one in drawn(ward, row)}
    other = {"benign": "malignant", "malignant": "benign"}
    for task in ward.open_tasks("label", "review"):
        if task.item_id in said and task.blind:
            one = said[task.item_id]
            wrong = any(one.item_id == each.item_id for each in items)
            ward.answer(task.id, other[one.predicted] if wrong else one.predicted, "label")
    return ward.review.complete_certificate(PERSON, ward.scope, row.id)


def test_more_labels_are_asked_for_the_group_that_needs_them_alone(ward: Ward) -> None:
    ready(ward)
    row = until(ward)
    bears = UntilPlan.from_dict(parts(row)["site=south"]["design"]).first_errors
    going = wrong_in(ward, row, "site=south", bears + 1)
    assert (going.status, ward.state()) == ("planned", "certifying")
    assert statuses(going) == ["certified", "planned", "refused"]
    counts = UntilPlan.from_dict(parts(going)["site=south"]["design"]).counts
    assert parts(going)["site=south"]["labels"] == counts[1]
    assert going.labels_planned == parts(row)["site=north"]["labels"] + counts[1]
    assert ward.review.complete_certificate(PERSON, ward.scope, row.id) == going, "nothing happens until they are in"
    assert going.document["progress"]["labels"] == row.labels_planned
    assert going.document["progress"]["errors"] == bears + 1
    assert going.document["progress"]["chance"] == 1.0  # of one group it is known
    made = going
    while made.status == "planned":
        made = wrong_in(ward, made, "site=south", 0)
    assert statuses(made) == ["certified", "certified", "refused"]
    items = drawn(ward, row)
    assert sorted(one.position for one in items) == list(range(len(items)))
    assert sum(one.group == "site=north" for one in items) == parts(row)["site=north"]["labels"]
    assert made.document["labels"] == len(items) == made.labels_planned


def test_a_group_whose_items_run_out_ends_and_the_others_stay(ward: Ward) -> None:
    ready(ward)
    row = until(ward)
    plan_of_south = UntilPlan.from_dict(parts(row)["site=south"]["design"])
    made = wrong_in(ward, row, "site=south", plan_of_south.first_errors + 1)
    while made.status == "planned":
        made = wrong_in(ward, made, "site=south", 1)  # one more than the plan bears at each look
    assert statuses(made) == ["certified", "refused", "refused"]
    south = parts(made)["site=south"]
    assert parts(row)["site=south"]["labels"] < south["labels"] < plan_of_south.counts[-1]
    assert south["errors"] <= plan_of_south.first_errors + len(plan_of_south.counts) - 1, "it could have gone on"
    assert south["needed"] > 0
    assert made.document["threshold"] is None


async def test_the_stream_draws_for_each_group_up_to_its_look(ward: Ward) -> None:
    ready(ward, certify_share=1.0)
    row = until(ward, source="stream")
    assert statuses(row) == ["planned"] * 3
    case, made = 330, row
    while made.status == "planned" and case < 560:
        for site in SITES:
            await asyncio.gather(*(decide(ward, one, site) for one in range(case, case + 10)))
        case += 10
        if len(drawn(ward, row)) == made.labels_planned:
            made = speak(ward, made, bad="none")
    assert statuses(made) == ["certified"] * 3
    counts = ward.storage.read(lambda uow: store.drawn_by_group(uow, ward.scope, row.id))
    assert counts == {name: one["labels"] for name, one in parts(made).items()}


def test_a_policy_may_ask_for_it_by_itself(ward: Ward) -> None:
    ready(ward, certify_automate=SHARE)
    model = ward.storage.read(lambda uow: ward.review.oversight(uow, ward.scope))
    assert model is not None
    assert model.control.model_id is not None
    ward.review.plan_certificate_once(
        PERSON, ward.scope, model_id=model.control.model_id, labels=None, automate=model.policy.certify_automate
    )
    (row,) = ward.storage.read(lambda uow: ward.review.certificates(uow, ward.scope))
    assert (row.source, row.document["mode"], len(parts(row))) == ("stream", "until", 3)
