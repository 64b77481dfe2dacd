"""What is told of audits: how they stand, how near the brake is, and the last block with what is overdue."""

from __future__ import annotations

import pytest

from handrail.cycle.review import audit_figures, brake
from handrail.cycle.review.audit_figures import Counted, counted
from handrail.cycle.review.audit_terms import Draw
from handrail.cycle.review.model import AuditRow

STATE = brake.start(alpha=0.05, delta=0.05, lifetime=4000)
LATE, OPEN = 5, 50


def audits(*wrong: bool | None, due: int = LATE) -> list[AuditRow]:
    return [
        AuditRow(f"d{place:04}", "c", Draw(0.1, 0.1), True, (), one, False, 0, due) for place, one in enumerate(wrong)
    ]


def test_every_audit_is_answered_open_or_overdue() -> None:
    found = counted([*audits(True, False, False, None), *audits(None, None, due=OPEN)], now=10)
    assert found == Counted(drawn=6, answered=3, open=2, overdue=1, wrong=1)
    assert counted([], now=10) == Counted(0, 0, 0, 0, 0)


def test_the_block_ends_before_what_may_still_be_answered() -> None:
    rows = [*audits(*[False] * 20, None), *audits(None, due=OPEN), *audits(False)]
    assert audit_figures.block_of(rows, now=10) == (0, 21)
    assert audit_figures.block_of(audits(*[False] * 1200), now=10) == (500, 500)


def test_what_is_overdue_is_wrong_in_the_upper_limit_alone() -> None:
    some = audits(*[False] * 480, *[None] * 20)
    found = audit_figures.error(STATE, some, 0, None)
    right, wrong = (audit_figures.error(STATE, audits(*[False] * 480, *[said] * 20), 0, None) for said in (False, True))
    assert (found.low, found.high, found.overdue, found.value) == (right.low, wrong.high, 20, 0.0)
    assert wrong.high > right.high


def test_the_bound_of_misses_widens_the_upper_limit() -> None:
    rows = audits(*[False] * 480, *[True] * 20)
    plain, missed, never = (audit_figures.error(STATE, rows, 0, one) for one in (None, 0.2, 1.0))
    assert missed.high == pytest.approx(plain.high / 0.8)
    assert (missed.low, never.high) == (plain.low, 1.0)


def test_the_distance_is_what_letting_wrong_audits_come_shows() -> None:
    found = audit_figures.distance(STATE)
    assert found.wrong_in_a_row is not None
    assert (found.brakes_at, found.e_value, found.n, found.level) == (20.0, 0.0, 0, "auto")
    before = brake.replay(STATE, [(True, 1.0)] * (found.wrong_in_a_row - 1))
    assert not before.braked
    assert brake.update(before, True).braked
    assert audit_figures.wrong_in_a_row(before) == 1
    done = audit_figures.distance(brake.update(before, True))
    assert (done.wrong_in_a_row, done.level) == (0, "braked")
    assert "it has braked" in done.said
    assert f"{found.wrong_in_a_row} wrong audits in a row would brake" in found.said


def test_where_no_number_of_wrong_audits_brakes_that_is_said() -> None:
    deaf = brake.start(alpha=0.5, delta=0.0001, lifetime=1_000_000, reviewer_error=0.9)
    found = audit_figures.distance(deaf)
    assert found.wrong_in_a_row is None
    assert "would brake" not in found.said
