"""Licences are judged by SPDX expression, at run time without any GPL."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from tools.licences import Package, judge, npm_packages, satisfied
from tools.tree import ROOT

IDS = {"MIT", "Apache-2.0", "BSD-3-Clause", "GPL-3.0-only WITH GCC-exception-3.1"}


@pytest.mark.parametrize(
    ("expression", "fine"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("GPL-3.0-only OR Apache-2.0 AND MIT", True),
        ("GPL-3.0-only AND (MIT OR Apache-2.0)", False),
        ("(MIT OR GPL-3.0-only) AND BSD-3-Clause", True),
        ("GPL-3.0-only WITH GCC-exception-3.1", True),
        ("GPL-3.0-only WITH Other-exception", False),
        ("MIT AND", False),
        ("(MIT", False),
        ("MIT Apache-2.0", False),
        ("", False),
    ],
)
def test_an_expression_is_met_by_what_is_allowed(expression: str, fine: bool) -> None:
    assert satisfied(expression, IDS) is fine


def _judge(packages: list[Package], **by_name: dict[str, str]) -> list[str]:
    return [finding.sentence for finding in judge("here", packages, {"ids": ["MIT"]}, by_name)]


def test_a_package_under_gpl_is_found() -> None:
    assert _judge([Package("one", "MIT"), Package("two", "AGPL-3.0-or-later")]) == [
        "here: two is under AGPL-3.0-or-later, which is not allowed"
    ]


def test_a_package_that_says_nothing_is_found() -> None:
    assert len(_judge([Package("one", "")])) == 1


def test_a_package_may_be_allowed_by_name() -> None:
    entry = {"licence": "LGPL-3.0-only", "reason": "a driver"}
    assert _judge([Package("one", "LGPL-3.0-only")], one=entry) == []
    assert len(_judge([], one=entry)) == 1
    assert len(_judge([Package("one", "LGPL-3.0-only")], one={"licence": "LGPL-3.0-only"})) == 1


def test_npm_packages_that_only_build_are_judged_apart() -> None:
    lock: dict[str, Any] = {
        "packages": {
            "": {"name": "ours"},
            "node_modules/react": {"license": "MIT"},
            "node_modules/@x/vite": {"license": "MPL-2.0", "dev": True},
            "node_modules/react/node_modules/inner": {},
        }
    }
    shipped, building = npm_packages(lock)
    assert shipped == [Package("react", "MIT"), Package("inner", "")]
    assert building == [Package("@x/vite", "MPL-2.0")]


def test_no_gpl_identifier_is_allowed_at_run_time() -> None:
    allowed = tomllib.loads((ROOT / "tools" / "licences.toml").read_text(encoding="utf-8"))
    named = [*allowed["runtime"]["ids"], *allowed["development"]["ids"]]
    named += [entry["licence"] for section in ("python", "npm") for entry in allowed[section].values()]
    assert [name for name in named if name.startswith(("GPL", "AGPL", "SSPL"))] == []
