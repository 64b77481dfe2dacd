"""Certificates on a terminal: each group with what became of it, and what all of them spent."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from handrail.cycle.review import brake
from handrail.cycle.review.certificates.row import CertificateRow
from handrail.cycle.review.routes import CertificateOut, SpendingOut
from handrail.cycle.review.spending import spending
from handrail.doors.cli.certificate_text import group_tables, spent_lines
from tests.unit.cycle.review.test_groups import APART, ROW, WATCHED, stopped


def shown(*what: object) -> list[list[str]]:
    """Return the words of each line, columns apart."""
    out = Console(file=StringIO(), width=200, highlight=False)
    for one in what:
        out.print(one)
    assert isinstance(out.file, StringIO)
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in out.file.getvalue().splitlines()]


def tables(*rows: CertificateRow) -> list[list[str]]:
    plain = [replace(one, document={"mode": "closed"} | one.document) for one in rows]
    return shown(*group_tables([CertificateOut.of(one) for one in plain]))


def test_groups_apart_are_shown_with_what_they_got_and_what_they_need() -> None:
    title, head, first, second = tables(APART)
    assert title == ["Groups of certificate 1"]
    assert head == ["group", "state", "why", "alpha", "threshold", "labels", "needed", "spent"]
    assert first == ["site=a", "automatic", "certified apart", "0.05", "0.700", "45", "–", "0.05"]
    why = "no labels drawn: too few to certify it"
    assert second == ["site=b", "people decide", why, "0.05", "–", "0", "9", "0"]


def test_a_group_that_the_brake_holds_says_so() -> None:
    row = stopped(APART, "site=a")
    assert tables(row)[2][1:3] == ["braked, people decide", "the brake stopped it"]


def test_a_group_that_labels_spoke_against_says_how_many_were_wrong() -> None:
    parts = [dict(one) for one in APART.document["groups"]]
    parts[1] |= {"labels": 45, "errors": 6}
    row = replace(APART, document=APART.document | {"groups": parts})
    assert tables(row)[3][2] == "its labels do not certify it, 6 wrong"


def test_watched_groups_share_one_threshold_and_show_their_audits() -> None:
    row = replace(WATCHED, brake=brake.start(alpha=0.05, group_levels={"site=a": 0.05, "site=b": 0.02}).to_dict())
    _, head, first, second = tables(row)
    assert head == ["group", "state", "why", "alpha", "threshold", "audits"]
    assert first[2:] == ["one threshold for all, watched by the brake", "0.05", "0.800", "0, 0 wrong"]
    assert second[3] == "0.02"


def test_certificates_without_groups_and_ended_ones_have_no_table() -> None:
    assert tables(ROW, replace(APART, status="ended")) == []


@pytest.mark.parametrize(
    ("count", "said"),
    [(2, "The chance that any certificate was wrong when it was issued is at most that."),
     (10, "A bound of 1 or more says nothing.")],
)  # fmt: skip
def test_what_was_spent_is_told_each_and_in_sum(count: int, said: str) -> None:
    lines = shown(*spent_lines(SpendingOut.of(spending([APART, *[ROW] * count]))))
    assert lines[2][:4] == ["1", "m", "0.05", "site=a 0.05, site=b 0"]
    assert lines[3][:3] == ["1", "m", "0.1"]
    assert [f"All: {0.05 + 0.1 * count:.4g}. {said}"] in lines
    assert lines[-1][0].startswith("Brakes: 0. ")
