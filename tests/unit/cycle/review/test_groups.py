"""Groups in a policy, what a certificate says of each, what it spends, and who stops alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.cycle.review import brake, braking_groups
from handrail.cycle.review.audit_terms import Draw
from handrail.cycle.review.certificates.row import CertificateRow
from handrail.cycle.review.groups import MOST_GROUPS, Group, levels, own
from handrail.cycle.review.loosening import compare
from handrail.cycle.review.model import Given
from handrail.cycle.review.policy import Policy, PolicyInvalid
from handrail.cycle.review.routing import Drawing, Standing, route
from handrail.cycle.review.spending import spending

NOW = datetime(2026, 1, 1, tzinfo=UTC)
A, B = Group("site=a"), Group("site=b", 0.02)
ROW = CertificateRow(
    id="c", number=1, project_id="p", model_id="m", model_digest="d", question="q", alpha=0.05, delta=0.1,
    status="certified", source="archive", labels_planned=90, labels_drawn=90, frozen_seq=0,
    document={"threshold": 0.8}, brake=None, created_at=NOW, issued_at=NOW, ended_at=None, ended_why="",
)  # fmt: skip
PARTS = [
    {"group": "site=a", "alpha": 0.05, "delta": 0.05, "labels": 45, "threshold": 0.7, "status": "certified"},
    {"group": "site=b", "alpha": 0.05, "delta": 0.05, "labels": 0, "threshold": None, "status": "refused", "needed": 9},
]
APART = replace(ROW, document={"threshold": None, "groups": PARTS})
WATCHED = replace(ROW, document={"threshold": 0.8, "group_levels": {"site=a": 0.05, "site=b": 0.02}})


def problems(**more: Any) -> list[str]:
    with pytest.raises(PolicyInvalid) as caught:
        Policy.from_dict({"question": "kind", **more})
    return list(caught.value.facts["problems"])


def stopped(row: CertificateRow, name: str, after: str = "d5") -> CertificateRow:
    state = brake.start(alpha=0.05).to_dict()
    one = {"name": name, "after": after, "audits": 1, "wrong": 1, "evidence": 1.0}
    return replace(row, brake=state | {"stopped": [one]})


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"groups": "site=a"}, "must be a list"),
        ({"groups": [{"name": f"site={n}"} for n in range(MOST_GROUPS + 1)]}, "must be a list"),
        ({"groups": ["site=a"]}, "must be an object"),
        ({"groups": [{"name": "site"}]}, "attribute=value"),
        ({"groups": [{"name": "=a"}]}, "attribute=value"),
        ({"groups": [{"name": "site=a", "alpha": 0.5}]}, "alpha must be"),
        ({"groups": [{"name": "site=a", "alpha": True}]}, "alpha must be"),
        ({"groups": [{"name": "site=a", "size": 1}]}, "size is not a part"),
        ({"groups": [{"name": "site=a"}, {"name": "site=a"}]}, "the same name"),
        ({"groups": [{"name": "site=a"}, {"name": "age=old"}]}, "the same attribute"),
        ({"groups_apart": True}, "no groups to certify apart"),
        ({"groups_apart": "yes"}, "must be true or false"),
    ],
)
def test_what_is_wrong_with_groups_is_told(more: dict[str, Any], told: str) -> None:
    (found,) = problems(**more)
    assert told in found


def test_groups_survive_the_document_of_their_policy() -> None:
    policy = Policy(question="q", alpha=0.05, groups=(A, B), groups_apart=True)
    assert Policy.from_dict(policy.to_dict()) == policy
    assert levels(policy.groups, policy.alpha) == {"site=a": 0.05, "site=b": 0.02}


def test_an_item_is_in_the_group_that_its_attributes_name() -> None:
    assert own(("site=a",), {"age": "old", "site": "a"}) == "site=a"
    assert own(("site=a",), {"site": "b"}) == own(("site=a",), {}) == ""


def test_a_policy_that_watches_less_is_looser() -> None:
    old = Policy(question="q", groups=(A, B), groups_apart=True)
    assert compare(old, replace(old, groups_apart=False)).looser
    assert compare(old, replace(old, groups=(A,))).looser == ("groups: site=b is watched on its own no more",)
    raised = compare(old, replace(old, groups=(A, replace(B, alpha=0.1))))
    assert raised.looser == ("groups: the highest error of site=b goes from 0.02 to 0.1",)
    more = compare(replace(old, groups=(A,)), old)
    assert (more.looser, more.tighter) == ((), ("groups: site=b is watched on its own",))


def test_each_group_has_its_threshold_and_what_is_not_certified_has_none() -> None:
    assert APART.threshold is None
    assert APART.threshold_for({"site": "a"}) == 0.7
    assert [APART.threshold_for(one) for one in ({"site": "b"}, {"site": "c"}, {})] == [None] * 3
    assert ROW.groups is None
    assert [WATCHED.threshold_for(one) for one in ({"site": "a"}, {"site": "c"}, {})] == [0.8] * 3


def test_a_stopped_group_goes_to_people_and_so_does_who_does_not_say() -> None:
    row = stopped(WATCHED, "site=a")
    assert [row.threshold_for(one) for one in ({"site": "a"}, {})] == [None, None]
    assert row.threshold_for({"site": "b"}) == row.threshold_for({"site": "c"}) == 0.8
    groups = row.groups
    assert groups is not None
    assert groups.held({"site": "a"}, "d6") == ("the brake holds the group site=a", "brake")
    assert groups.held({"site": "a"}, "d5") is None, "the audited decision itself was made before the stop"


def go(standing: Standing, attributes: dict[str, str], score: float = 0.75, draw: float = 0.5) -> Any:
    return route(standing.of(attributes), (), Given("x", score), {}, lambda _: 0.1, lambda: draw)


def test_routing_takes_the_certificate_of_the_items_group() -> None:
    standing = Standing("auto", None, False, 1.0, groups=APART.groups)
    assert go(standing, {"site": "a"}).route == "auto"
    assert go(standing, {"site": "a"}, 0.69).route == "human"
    refused = go(standing, {"site": "b"})
    assert refused.reasons == ("the group site=b is not certified: at least 9 labels are still needed",)
    assert go(standing, {"site": "c"}).reasons == ("the item is in none of the groups that were certified",)
    held = go(replace(standing, groups=stopped(APART, "site=a").groups), {"site": "a"})
    assert (held.route, held.by) == ("human", "brake")
    assert go(replace(standing, state="braked"), {"site": "a"}).reasons == ("the brake holds automation",)


def test_each_group_is_drawn_in_its_own_region_until_it_is_full() -> None:
    drawing = {"site=a": Drawing(0.7, True), "site=b": Drawing(0.5, False)}
    standing = Standing("certifying", None, True, 0.4, drawing=drawing)
    drawn = go(standing, {"site": "a"}, draw=0.3)
    assert (drawn.certifying, drawn.audit_probability) == (True, 0.4)
    assert not go(standing, {"site": "a"}, 0.69, 0.3).certifying
    for other in ({"site": "b"}, {"site": "c"}, {}):
        made = go(standing, other, draw=0.3)
        assert (made.route, made.certifying, made.audit_probability) == ("human", False, 0.0)


def test_what_was_spent_adds_up() -> None:
    apart = replace(APART, id="c2", number=2, model_id="m2", brake={"delta": 0.05})
    unseen = replace(ROW, id="c3", number=3, status="refused", labels_drawn=0)
    planned = replace(ROW, id="c4", number=4, status="planned", labels_drawn=0)
    found = spending([ROW, apart, unseen, planned])
    assert [one.delta for one in found.certificates] == [0.1, 0.05, 0.0, 0.1]
    assert found.certificates[1].groups == {"site=a": 0.05, "site=b": 0.0}
    assert found.models == {"m": 0.2, "m2": 0.05}
    assert (found.delta, found.brake_delta) == (0.25, 0.05)
    assert [one.open for one in found.certificates] == [False, False, False, True]


def state_of(r: float, groups: dict[str, float]) -> brake.BrakeState:
    state = brake.start(alpha=0.05, delta=0.05, lifetime=100, group_levels=dict.fromkeys(groups, 0.05))
    moved = tuple(replace(one, wealths=(groups[one.name],) * len(one.bets)) for one in state.groups)
    return replace(state, wealths=(r,) * len(state.bets), groups=moved)


def test_named_groups_stop_alone_when_they_hold_nine_tenths() -> None:
    assert braking_groups.alone(state_of(200, {"a": 3000, "b": 100})) == ("a",)
    assert braking_groups.alone(state_of(400, {"a": 3000, "b": 100})) == (), "the rest holds more than a tenth"
    assert braking_groups.alone(state_of(0, {"a": 1999, "b": 0})) == (), "nobody reached lifetime over delta"
    assert braking_groups.alone(state_of(0, {"a": 2500, "b": 2500})) == ("a", "b")


def test_beginning_again_keeps_half_of_the_budget_for_the_groups() -> None:
    state = replace(state_of(100, {"a": 3000}), only_groups=("a",), braked=True)
    begun = braking_groups.begun_again(state, "d5")
    assert (begun.groups, begun.evidence, begun.braked) == ((), 0.0, False)
    assert (begun.stopped[0].name, begun.stopped[0].after) == ("a", "d5")
    assert begun.stopped[0].evidence == pytest.approx(3000)
    later = brake.update(begun, True, Draw(0.1, 0.1))
    assert later.e_value == pytest.approx(later.evidence / (2 * later.lifetime))
    muted = brake.update(begun, True, Draw(0.1, 0.1, whole=False))
    assert (muted.evidence, muted.audits) == (0.0, 1)


def test_the_last_certified_group_does_not_stop_alone() -> None:
    state = replace(state_of(0, {"site=a": 3000}), braked=True, only_groups=("site=a",))
    assert not braking_groups.stops_alone(APART, state)
    assert braking_groups.stops_alone(WATCHED, state), "items of no group go on"
