"""Where each group of a certificate stands, from plan to end, and what was audited and spent for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from handrail.cycle.review import brake, planning_groups
from handrail.cycle.review.certificates import Grounds
from handrail.cycle.review.certificates.row import CertificateRow
from handrail.cycle.review.group_standing import GroupStanding, standings
from tests.unit.cycle.review.test_groups import APART, ROW, WATCHED, stopped

LEVELS = {"site=a": 0.05, "site=b": 0.02}


def by_name(row: CertificateRow) -> dict[str, GroupStanding]:
    return {one.group: one for one in standings(row) or ()}


def states(row: CertificateRow) -> list[str]:
    return [one.state for one in standings(row) or ()]


def watched(**more: Any) -> CertificateRow:
    state = brake.start(alpha=0.05, lifetime=100, group_levels=LEVELS).to_dict()
    return replace(WATCHED, brake=state | more)


def evident(row: CertificateRow, name: str, wealth: float) -> CertificateRow:
    assert row.brake is not None
    groups = [
        one | ({"wealths": [wealth] * len(one["bets"]), "audits": 9, "wrong": 4} if one["name"] == name else {})
        for one in row.brake["groups"]
    ]
    return replace(row, brake=row.brake | {"groups": groups})


def test_without_groups_there_is_nothing_to_say() -> None:
    assert standings(ROW) is None


def test_a_group_that_was_refused_goes_to_people_and_spends_nothing_before_its_labels() -> None:
    found = by_name(APART)
    assert (found["site=a"].state, found["site=a"].threshold, found["site=a"].spent) == ("auto", 0.7, 0.05)
    assert (found["site=b"].state, found["site=b"].needed, found["site=b"].spent) == ("human", 9, 0.0)


def test_a_plan_collects_labels_for_the_groups_that_it_draws_for() -> None:
    parts = [dict(one) for one in APART.document["groups"]]
    parts[0] |= {"status": "planned", "threshold": None}
    assert states(replace(APART, status="planned", document={"groups": parts})) == ["planned", "human"]
    assert states(replace(WATCHED, status="planned", document={"group_levels": LEVELS})) == ["planned", "planned"]


def test_watched_groups_share_the_threshold_and_spend_nothing_of_their_own() -> None:
    row = replace(watched(), document=WATCHED.document | {"group_coverage": {"site=a": 0.5, "site=b": None}})
    found = by_name(row)
    assert [one.threshold for one in found.values()] == [0.8, 0.8]
    assert (found["site=a"].coverage, found["site=b"].coverage) == (0.5, None)
    assert (found["site=a"].spent, found["site=a"].delta, found["site=a"].status) == (None, None, None)
    assert (found["site=a"].audits, found["site=a"].wrong) == (0, 0)


def test_a_warning_names_the_groups_whose_own_evidence_reached_it() -> None:
    calm, near = watched(), evident(watched(warned=True), "site=b", 150.0)
    assert states(calm) == ["auto", "auto"]
    assert states(watched(warned=True)) == ["auto", "auto"]
    assert states(near) == ["auto", "warned"]
    assert (by_name(near)["site=b"].audits, by_name(near)["site=b"].wrong) == (9, 4)
    assert states(evident(watched(warned=False), "site=b", 150.0)) == ["auto", "auto"]


def test_the_brake_holds_one_group_or_all() -> None:
    one = stopped(APART, "site=a")
    assert states(one) == ["braked", "human"]
    assert (by_name(one)["site=a"].status, by_name(one)["site=a"].audits) == ("stopped", 1)
    assert states(replace(watched(braked=True), status="ended")) == ["braked", "braked"]
    assert states(replace(watched(), status="ended")) == ["ended", "ended"]


@pytest.mark.parametrize(("threshold", "share"), [(0.0, 1.0), (0.75, 0.5), (0.95, 0.0)])
def test_coverage_is_the_share_of_what_waits(threshold: float, share: float) -> None:
    grounds = Grounds(["1", "2", "3"], [0] * 3, [0.7, 0.9, 0.2], [0.5], [0], ["site=a", "site=a", ""])
    made = planning_groups.coverages(grounds, ["site=a", "site=b"], threshold)
    assert made == {"site=a": share, "site=b": None}
