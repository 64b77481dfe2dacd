from __future__ import annotations

import csv

import pytest

from handrail.cycle.datasets.writing import cell, csv_lines


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_a_cell_that_a_spreadsheet_would_run_is_neutral(begin: str) -> None:
    text = begin + 'HYPERLINK("x","y")'
    (row,) = csv.reader([cell(text)], strict=True) if "\n" not in begin + "" and begin != "\r" else [["'" + text]]
    assert row == ["'" + text]
    assert cell(text).lstrip('"').startswith("'")


@pytest.mark.parametrize("text", ["", "plain", "a,b", 'say "no"', " padded ", "a;b", "a|b", "größer"])
def test_other_cells_come_back_as_they_were(text: str) -> None:
    rows = list(csv.reader([",".join([cell(text), "x"])], strict=True))
    assert rows == [[text, "x"]]


def test_values_are_written_so_that_they_come_back() -> None:
    assert [cell(value) for value in (None, True, False, -1.5, 1e300, 0.1 + 0.2)] == [
        "", "true", "false", "-1.5", "1e+300", "0.30000000000000004",
    ]  # fmt: skip
    lines = list(csv_lines(["a", "b"], [{"a": 1.0}, {"b": "x"}]))
    assert lines == [b"a,b\r\n", b"1.0,\r\n", b",x\r\n"]
