"""Long files and functions are found, and exceptions are dated, needed and never over the hard limit."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tools.sizes import judge
from tools.tree import Source


def _function(lines: int, *, docstring: int = 0) -> Source:
    doc = ['    """Say.', *["    more"] * (docstring - 2), '    """'] if docstring else []
    text = "\n".join(["def long() -> None:", *doc, *["    pass"] * (lines - 1)])
    return Source("src/handrail/long.py", "handrail.long", text)


def _file(lines: int) -> Source:
    return Source("src/handrail/long.py", "handrail.long", "x = 1\n" * lines)


def _exception(place: str, **changes: Any) -> dict[str, Any]:
    return {"size": [{"place": place, "since": date(2026, 1, 1), "reason": "a table", **changes}]}


@pytest.mark.parametrize(("lines", "found"), [(50, 0), (51, 1), (80, 1), (81, 1)])
def test_a_long_function_is_found(lines: int, found: int) -> None:
    assert len(judge([_function(lines)], [], {})) == found


def test_a_docstring_does_not_make_a_function_long() -> None:
    assert judge([_function(50, docstring=20)], [], {}) == []


@pytest.mark.parametrize(("lines", "found"), [(400, 0), (401, 1), (601, 1)])
def test_a_long_file_is_found(lines: int, found: int) -> None:
    assert len(judge([_file(lines)], [], {})) == found


def test_a_long_page_of_the_web_ui_is_found() -> None:
    page = Source("web/src/Page.tsx", "", "const x = 1;\n" * 401)
    assert [finding.path for finding in judge([], [page], {})] == ["web/src/Page.tsx"]


def test_an_exception_covers_what_is_over_the_first_limit() -> None:
    assert judge([_function(60)], [], _exception("src/handrail/long.py::long")) == []


def test_no_exception_covers_what_is_over_the_hard_limit() -> None:
    findings = judge([_function(81)], [], _exception("src/handrail/long.py::long"))
    assert ["hard limit" in finding.sentence for finding in findings] == [True]


def test_an_exception_that_nothing_needs_is_found() -> None:
    findings = judge([_function(50)], [], _exception("src/handrail/long.py::long"))
    assert ["not needed" in finding.sentence for finding in findings] == [True]


def test_an_exception_without_a_date_is_found() -> None:
    findings = judge([_function(60)], [], _exception("src/handrail/long.py::long", since="soon"))
    assert len(findings) == 1


def test_methods_and_inner_functions_are_named_by_where_they_are() -> None:
    body = "\n".join(["        def inner(self) -> None:", *["            pass"] * 60])
    source = Source("src/a.py", "a", f"class Outer:\n    def method(self) -> None:\n{body}")
    findings = judge([source], [], {})
    assert [finding.sentence.split()[2] for finding in findings] == ["Outer.method", "Outer.method.inner"]
