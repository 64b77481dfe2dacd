"""The brake of one group on both databases: it goes to people at once, others go on, only a person reopens it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from handrail.cycle.datasets.model import ItemDiffers
from handrail.cycle.review import brake, store
from handrail.cycle.review.auditing import ring_replayed
from handrail.cycle.review.brake import BrakeState
from handrail.cycle.review.certificates.row import CertificateRow
from handrail.cycle.review.groups import Group
from handrail.cycle.review.model import Decision, NotAPerson
from tests.integration.cycle.breast_mass import MACHINE
from tests.integration.cycle.review.test_brake import audits, certificate, check
from tests.integration.cycle.review.ward import ANNA, BEN, PERSON, Ward

NORTH, SOUTH = Group("site=north", 0.1), Group("site=south", 0.1)
GROUPS = (NORTH, SOUTH)


def automatic(ward: Ward, **more: Any) -> CertificateRow:
    return ward.automatic(**{"groups": GROUPS, "audit_rate": 1.0, "brake_lifetime": 100, **more})


async def cases(ward: Ward, count: int, site: str | None, start: int = 260) -> list[Decision]:
    group = {} if site is None else {"site": site}
    own = {None: "", "north": "n", "south": "s", "west": "w"}[site]
    keys = [(260 + (start - 260 + place) % 200, f"{own}{start + place}") for place in range(count)]
    ask = [ward.decide(case, key, group=group, external_id=key) for case, key in keys]
    return list(await asyncio.gather(*ask))


async def mixed(ward: Ward, count: int) -> None:
    """Decide right and wrong cases of both groups in turn, so that the evidence of the south grows alone."""
    for place in range(count):
        for own, site in (("n", "north"), ("s", "south")):
            case = 260 + place
            await ward.decide(case, f"{own}-{place}", group={"site": site}, external_id=f"{own}-{place}")


def state(ward: Ward, row: CertificateRow) -> BrakeState:
    found = certificate(ward, row.id).brake
    assert found is not None
    return BrakeState.from_dict(found)


def site_of(ward: Ward, decision_id: str | None) -> str:
    one = ward.decision(str(decision_id))
    return ward.storage.read(lambda uow: ward.clinic.datasets.item(uow, ward.scope, one.item_id)).group["site"]


def check_all(ward: Ward, bad: str = "south") -> int:
    """Answer audits in order, those of one site as wrong, until something stops; return how many it took."""
    for number, task in enumerate(audits(ward), start=1):
        check(ward, task, wrong=site_of(ward, task.decision_id) == bad)
        if ward.entries("review.group_braked") or ward.state() == "braked":
            return number
    raise AssertionError("nothing stopped")


def rebuilt(ward: Ward, row: CertificateRow, until: str) -> dict[str, Any]:
    """Return the brake as the audits and the journalled stop give it, from the very beginning."""
    begun = brake.start(
        alpha=row.alpha,
        delta=0.05,
        lifetime=100,
        reviewer_error=0.0,
        group_levels=certificate(ward, row.id).document["group_levels"],
    )
    kept = state(ward, row)
    told = ward.entries("review.group_braked")
    stops = {(name, one["after"]) for one in told for name in one["groups"]}
    assert {(one.name, one.after) for one in kept.stopped} == stops
    gone = {one.name for one in kept.stopped}
    begun = BrakeState.from_dict(
        begun.to_dict()
        | {
            "groups": [one for one in begun.to_dict()["groups"] if one["name"] not in gone],
            "stopped": kept.to_dict()["stopped"],
        }
    )
    ring = ward.storage.read(lambda uow: store.from_beginning(uow, ward.scope, row.id, until))
    return ring_replayed(begun, ring)[0].to_dict()


async def test_one_group_stops_and_the_other_goes_on(ward: Ward) -> None:
    row = automatic(ward)
    await mixed(ward, 40)
    number = check_all(ward)
    assert ward.state() in ("auto", "warned")
    assert certificate(ward, row.id).status == "certified"
    (told,) = ward.entries("review.group_braked")
    assert (told["groups"], told["certificate"]) == (["site=south"], row.id)
    assert told["why"].startswith(f"audit {number} took the e-value to ")
    assert told["e_value"] >= 20
    (south,) = state(ward, row).stopped
    assert (south.name, south.wrong) == ("site=south", south.audits)
    for one in await cases(ward, 5, "south", 400):
        assert (one.route, one.by_kind, one.reasons) == ("human", "brake", ("the brake holds the group site=south",))
    north = await cases(ward, 5, "north", 400)
    assert [one.route for one in north] == ["auto"] * 5
    assert all(one.certificate_id == row.id for one in north)
    (unsaid,) = await cases(ward, 1, None, 400)
    assert (unsaid.route, unsaid.by_kind) == ("human", "brake")
    assert unsaid.reasons == ("the brake holds site=south, and the item does not say its site",)
    (other,) = await cases(ward, 1, "west", 400)
    assert other.route == "auto", "the whole certificate speaks about the sites that it does not name too"


async def test_the_rest_begins_again_and_may_still_be_stopped(ward: Ward) -> None:
    row = automatic(ward)
    await mixed(ward, 40)
    check_all(ward)
    begun = state(ward, row)
    assert begun.evidence == 0.0
    assert [one.name for one in begun.groups] == ["site=north"]
    late = audits(ward)
    for task in late[:4]:
        check(ward, task, wrong=False)
    assert state(ward, row).evidence == 0.0, "audits drawn before the stop say nothing about the rest"
    assert state(ward, row).audits == begun.audits + 4
    assert rebuilt(ward, row, str(late[3].decision_id)) == certificate(ward, row.id).brake
    for task in late[4:]:
        check(ward, task, wrong=site_of(ward, task.decision_id) == "south")
    assert ward.state() in ("auto", "warned"), "late verdicts on the stopped group stop nobody else"
    await cases(ward, 40, "west", 300)
    for task in audits(ward):
        check(ward, task, wrong=True)
        if ward.state() == "braked":
            break
    assert certificate(ward, row.id).status == "ended"
    assert certificate(ward, row.id).ended_why.startswith("braked: ")
    (west,) = await cases(ward, 1, "west", 420)
    assert west.reasons == ("the brake holds automation",)


async def test_what_all_groups_share_stops_the_whole(ward: Ward) -> None:
    row = automatic(ward)
    await mixed(ward, 40)
    for task in audits(ward):
        check(ward, task, wrong=True)
        if ward.state() == "braked":
            break
    assert ward.state() == "braked"
    assert ward.entries("review.group_braked") == []
    assert certificate(ward, row.id).status == "ended"


async def test_the_stop_is_in_the_unit_of_the_verdict(ward: Ward) -> None:
    """Callers decide without pause while audits stop the south: none of its decisions is automatic after the stop."""
    automatic(ward)
    await mixed(ward, 40)
    over = asyncio.Event()

    async def caller(name: int) -> int:
        done = 0
        while not over.is_set():
            site = ("north", "south")[done % 2]
            key = f"c{name}-{done}"
            await ward.decide(260 + done % 200, key, group={"site": site}, external_id=key)
            done += 1
        return done

    callers = [asyncio.create_task(caller(name)) for name in range(4)]
    await asyncio.to_thread(check_all, ward)
    await asyncio.sleep(0.3)
    over.set()
    assert all(await asyncio.gather(*callers))
    ward.clinic.journal.integrate(ward.storage)
    order = ward.storage.read(lambda uow: ward.clinic.journal.read_after(uow, -1, 1_000_000))
    stop = next(one.index for one in order if one.verb == "review.group_braked")
    after = [one for one in order if one.verb == "review.decided" and one.index > stop]
    sites = {(site_of(ward, one.objects["decision"]), one.payload["route"]) for one in after}
    assert ("south", "auto") not in sites
    assert ("north", "auto") in sites


async def test_only_a_person_reopens_a_group_and_with_a_new_certificate(ward: Ward) -> None:
    old = automatic(ward)
    await mixed(ward, 40)
    check_all(ward)
    ward.clinic.bring(460, 60)
    with pytest.raises(NotAPerson):
        ward.review.plan_certificate(MACHINE, ward.scope, labels=40, alpha=0.1)
    planned = ward.review.plan_certificate(PERSON, ward.scope, labels=40, alpha=0.1)
    assert (await cases(ward, 1, "south", 410))[0].by_kind == "brake", "a plan alone opens nothing"
    ward.label_drawn()
    new = ward.review.complete_certificate(PERSON, ward.scope, planned.id)
    assert new.status == "certified", new.document
    assert certificate(ward, old.id).ended_why == "a newer one took its place"
    assert (await cases(ward, 1, "south", 430))[0].route == "auto"
    assert state(ward, new).stopped == ()


async def test_an_item_does_not_leave_its_group_by_coming_again(ward: Ward) -> None:
    automatic(ward)
    await mixed(ward, 40)
    check_all(ward)
    one = await ward.decide(300, "first", group={"site": "south"}, external_id="again")
    assert one.by_kind == "brake"
    with pytest.raises(ItemDiffers):
        await ward.decide(300, "second", group={"site": "north"}, external_id="again")
    unsaid = await ward.decide(300, "third", group={}, external_id="again")
    assert (unsaid.route, unsaid.by_kind, unsaid.item_id) == ("human", "brake", one.item_id)
    same = await ward.decide(300, "fourth", group={"site": "south", "ward": "7"}, external_id="again")
    assert (same.by_kind, same.item_id) == ("brake", one.item_id)


async def test_a_stopped_group_stays_stopped_after_a_person_stopped_and_restarted(ward: Ward) -> None:
    row = automatic(ward)
    await mixed(ward, 40)
    ward.storage.write(lambda uow: ward.review.stop(uow, ANNA, ward.scope, "a look at the scanner"))
    check_all(ward)
    assert ward.state() == "stopped"
    ward.storage.write(lambda uow: ward.review.restart(uow, BEN, ward.scope, "the scanner works"))
    assert [one.name for one in state(ward, row).stopped] == ["site=south"]
    assert (await cases(ward, 1, "south", 410))[0].by_kind == "brake"
    assert (await cases(ward, 1, "north", 410))[0].route == "auto"


async def test_audits_of_an_ended_certificate_stop_no_group(ward: Ward) -> None:
    automatic(ward)
    await mixed(ward, 40)
    ward.promote(ward.model(1))
    for task in audits(ward):
        check(ward, task, wrong=site_of(ward, task.decision_id) == "south")
    assert ward.entries("review.group_braked") == []
