"""Certificates per group on both databases: each its own draw and threshold at delta / G, refused alone, made again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from handrail.cycle.datasets import NewItem
from handrail.cycle.review import planning_groups, store
from handrail.cycle.review.certificates.row import CertificateRow, CertifyItem
from handrail.cycle.review.groups import Group
from tests.integration.cycle.breast_mass import PERSON, cases
from tests.integration.cycle.review.test_brake import audits, certificate, check
from tests.integration.cycle.review.ward import OTHER, Ward
from tests.integration.cycle.review.ward_client import client, ok

SITES = ("north", "south", "west")
GROUPS = tuple(Group(f"site={site}", 0.1) for site in SITES)
LABELS = 45


def bring(ward: Ward, start: int, count: int, site: str) -> None:
    chosen = cases()[1][start : start + count]
    new = [
        NewItem(external_id=f"{site}-{start + at}", data=one, group={"site": site})
        for at, (one, _) in enumerate(chosen)
    ]
    made = ward.storage.write(lambda uow: ward.clinic.datasets.put_items(uow, PERSON, ward.scope, new))
    for item, (_, diagnosis) in zip(made, chosen, strict=True):
        ward.clinic.truth[item.id] = diagnosis


def ready(ward: Ward, **more: Any) -> None:
    """Put a policy and a champion into force, with 100 items of the north, 100 of the south and ten of the west."""
    ward.policy(**{"groups": GROUPS, "groups_apart": True, "delta": 0.3, "audit_rate": 1.0, **more})
    ward.champion()
    bring(ward, 120, 100, "north")
    bring(ward, 220, 100, "south")
    bring(ward, 320, 10, "west")


def plan(ward: Ward, **wish: Any) -> CertificateRow:
    return ward.review.plan_certificate(PERSON, ward.scope, **{"labels": LABELS, **wish})


def drawn(ward: Ward, row: CertificateRow) -> list[CertifyItem]:
    return ward.storage.read(lambda uow: store.drawn_items(uow, ward.scope, row.id))


def speak(ward: Ward, row: CertificateRow, *, bad: str = "") -> CertificateRow:
    """Label what is drawn as the model said, that of one group the other way round, and let the labels speak."""
    said = {one.item_id: one for one in drawn(ward, row)}
    for task in ward.open_tasks("label", "review"):
        if task.item_id in said and task.blind:
            one = said[task.item_id]
            ward.answer(task.id, OTHER[one.predicted] if one.group == bad else one.predicted, "label")
    return ward.review.complete_certificate(PERSON, ward.scope, row.id)


def parts(row: CertificateRow) -> dict[str, dict[str, Any]]:
    return {one["group"]: one for one in row.document["groups"]}


async def decide(ward: Ward, case: int, site: str | None, key: str = "") -> Any:
    name = f"{key}{site}-{case}"
    return await ward.decide(case, name, group={} if site is None else {"site": site}, external_id=name)


def test_the_design_of_each_group_is_fixed_and_journalled_before_labels(ward: Ward) -> None:
    ready(ward)
    planned = plan(ward)
    (told,) = ward.entries("review.certificate_planned")
    assert told["groups"] == planned.document["groups"]
    assert (told["design_hash"], told["delta"]) == (planning_groups.digest(told["groups"]), 0.3)
    made = parts(planned)
    assert [one["delta"] for one in made.values()] == pytest.approx([0.1] * 3)
    assert [one["status"] for one in made.values()] == ["planned", "planned", "refused"]
    assert (made["site=west"]["labels"], made["site=west"]["needed"]) == (0, 22)
    found = drawn(ward, planned)
    assert planned.labels_planned == planned.labels_drawn == 2 * LABELS == len(found)
    assert sorted(one.position for one in found) == list(range(2 * LABELS))
    for name in ("site=north", "site=south"):
        own = [one for one in found if one.group == name]
        grounds = ward.review.certifying._planning.grounds(planned)
        among = grounds.above(made[name]["region"], name)
        assert len(own) == LABELS == made[name]["design"]["frame"]["labels"]
        assert {one.item_id for one in own} <= set(among)
        assert {one.probability for one in own} == {LABELS / len(among)}


async def test_each_group_has_its_own_threshold_and_a_refused_one_goes_to_people(ward: Ward) -> None:
    ready(ward)
    made = speak(ward, plan(ward), bad="site=south")
    assert (made.status, made.threshold, ward.state()) == ("certified", None, "auto")
    found = parts(made)
    assert [found[f"site={site}"]["status"] for site in SITES] == ["certified", "refused", "refused"]
    assert found["site=south"]["errors"] == LABELS
    assert made.document["needed"] == found["site=south"]["needed"] + found["site=west"]["needed"]
    assert made.document["group_levels"] == {"site=north": 0.1}
    north = await decide(ward, 400, "north")
    assert (north.route, north.certificate_id) == ("auto", made.id)
    needed = found["site=south"]["needed"]
    south = await decide(ward, 400, "south")
    assert south.reasons == (f"the group site=south is not certified: at least {needed} labels are still needed",)
    west = await decide(ward, 400, "west")
    assert west.reasons == ("the group site=west is not certified: at least 22 labels are still needed",)
    for site in ("east", None):
        one = await decide(ward, 400, site)
        assert (one.route, one.reasons) == ("human", ("the item is in none of the groups that were certified",))


def test_it_is_made_again_bit_for_bit_from_what_was_kept(ward: Ward) -> None:
    ready(ward)
    planned = plan(ward)
    made = speak(ward, planned)
    (told,) = ward.entries("review.certificate_planned")
    grounds = ward.review.certifying._planning.grounds(made)
    again = planning_groups.answered(told["groups"], grounds, drawn(ward, made))
    kept = made.document
    assert {name: kept[name] for name in again} == again
    assert parts(made)["site=north"]["design_hash"] == told["groups"][0]["design_hash"]


def test_where_no_group_can_be_certified_all_is_refused_at_once(ward: Ward) -> None:
    ready(ward)
    made = plan(ward, labels=12)
    assert (made.status, ward.state(), drawn(ward, made)) == ("refused", "shadow", [])
    assert made.document["needed"] == 3 * 22


async def test_the_stream_draws_for_each_group_until_its_labels_are_full(ward: Ward) -> None:
    ready(ward, certify_share=1.0)
    row = plan(ward, labels=25, source="stream", lazy=False)
    assert row.labels_planned == 75
    north = await asyncio.gather(*(decide(ward, 330 + at, "north") for at in range(40)))
    assert sum(one.certificate_id == row.id for one in north) == 25
    over = [one for one in north if one.certificate_id is None]
    assert {one.reasons for one in over} == {("the model is being certified from other groups of items",)}
    assert {one.audit_probability for one in over} == {0.0}
    assert (await decide(ward, 400, "east")).certificate_id is None
    for site in ("south", "west"):
        await asyncio.gather(*(decide(ward, 330 + at, site) for at in range(40)))
    counts = ward.storage.read(lambda uow: store.drawn_by_group(uow, ward.scope, row.id))
    assert counts == {f"site={site}": 25 for site in SITES}
    made = speak(ward, row, bad="site=west")
    assert [one["status"] for one in parts(made).values()] == ["certified", "certified", "refused"]
    assert (await decide(ward, 420, "south", "after")).route == "auto"


async def test_the_last_certified_group_takes_the_whole_with_it(ward: Ward) -> None:
    ready(ward, brake_lifetime=100)
    row = speak(ward, plan(ward))
    for site, wanted in (("south", "certified"), ("north", "ended")):
        for at in range(40):
            for other in ("north", "south") if site == "south" else ("north",):
                await decide(ward, 330 + at, other, site)
        for task in audits(ward):
            one = ward.decision(str(task.decision_id))
            item = ward.storage.read(lambda uow: ward.clinic.datasets.item(uow, ward.scope, one.item_id))  # noqa: B023
            check(ward, task, wrong=item.group["site"] == site)
            if len(ward.entries("review.group_braked")) == 1 and site == "south":
                break
            if ward.state() == "braked":
                break
        assert certificate(ward, row.id).status == wanted
    (told,) = ward.entries("review.group_braked")
    assert told["groups"] == ["site=south"]
    assert ward.state() == "braked"


async def test_a_threshold_for_all_says_which_part_of_each_group_it_lets_through(ward: Ward) -> None:
    ready(ward, groups_apart=False, delta=0.1, alpha=0.1)
    row = speak(ward, plan(ward), bad="none")
    grounds = ward.review.certifying._planning.grounds(row)
    assert row.status == "certified"
    assert row.threshold is not None
    async with client(ward) as service:
        (seen,) = ok(await service.get("/certificates"))
    assert [one["state"] for one in seen["groups"]] == ["auto"] * 3
    for one in seen["groups"]:
        own = grounds.of(one["group"])
        assert len(own) in (100, 10)
        assert one["coverage"] == sum(score >= row.threshold for score in own) / len(own)
        assert (one["audits"], one["wrong"], one["spent"]) == (0, 0, None)


async def test_callers_see_each_group_and_what_was_spent(ward: Ward) -> None:
    ready(ward)
    row = speak(ward, plan(ward), bad="site=south")
    made = await decide(ward, 400, "north")
    async with client(ward) as service:
        (seen,) = ok(await service.get("/certificates"))
        spent = ok(await service.get("/certificates/spent"))
    assert [(one["group"], one["status"]) for one in seen["groups"]] == [
        ("site=north", "certified"),
        ("site=south", "refused"),
        ("site=west", "refused"),
    ]
    assert [one["state"] for one in seen["groups"]] == ["auto", "human", "human"]
    assert [one["spent"] for one in seen["groups"]] == pytest.approx([0.1, 0.1, 0.0])
    assert seen["groups"][0]["threshold"] == parts(row)["site=north"]["threshold"]
    assert seen["groups"][0]["coverage"] == parts(row)["site=north"]["coverage"]
    assert spent["certificates"][0]["groups"] == pytest.approx({"site=north": 0.1, "site=south": 0.1, "site=west": 0.0})
    assert spent["delta"] == spent["models"][row.model_id] == pytest.approx(0.2)
    assert spent["brake_delta"] == 0.05
    dossier = ward.govern.dossier(ward.scope, made.id)
    assert dossier.certificate is not None
    assert dossier.certificate["group"] == {
        "name": "site=north",
        "apart": True,
        "threshold": parts(row)["site=north"]["threshold"],
        "stopped": False,
    }
