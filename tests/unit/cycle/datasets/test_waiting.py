"""Rows wait in memory or in a file, and come back the same."""

from __future__ import annotations

import pytest

from handrail.cycle.datasets.waiting import WaitingRow, WaitingRows

ROWS = [
    WaitingRow(
        number + 1,
        {"id": f"i{number}", "salt": bytes([number, 255]), "data": f'{{"text":"nö {number}"}}', "subject": None},
        [("grade", 1.5), ("kind", "a\nb")][: number % 3],
    )
    for number in range(20)
]


@pytest.mark.parametrize("memory", [0, 40, 1000])
def test_rows_come_back_in_their_order_as_often_as_asked(memory: int) -> None:
    with WaitingRows(memory) as rows:
        for one in ROWS:
            rows.append(one)
        assert list(rows) == ROWS
        assert list(rows) == ROWS


def test_no_rows() -> None:
    with WaitingRows() as rows:
        assert list(rows) == []
