"""The lock files are exact, hold what the package needs, and no more than the core may have."""

from __future__ import annotations

import importlib.metadata
import re

from packaging.requirements import Requirement

from tools.locks import NODE, core_requirements, normal
from tools.tree import ROOT

MOST_CORE_PACKAGES = 65


def _pins(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith(("#", "-r "))]
    assert all(re.fullmatch(r"[a-z0-9-]+==[A-Za-z0-9.]+", line) for line in lines)
    return dict(line.split("==") for line in lines)


def test_every_core_dependency_is_locked_inside_its_range() -> None:
    pins = _pins("core")
    for text in core_requirements():
        wanted = Requirement(text)
        assert wanted.specifier.contains(pins[normal(wanted.name)]), text


def test_the_core_stays_small() -> None:
    assert len(_pins("core")) <= MOST_CORE_PACKAGES


def test_altair_and_authlib_are_not_in_the_core() -> None:
    assert {"altair", "authlib"}.isdisjoint(_pins("core"))


def test_no_package_is_locked_twice() -> None:
    core, build, dev = _pins("core"), _pins("build"), _pins("dev")
    assert not set(core) & set(build)
    assert not (set(core) | set(build)) & set(dev)


def test_what_is_installed_here_is_what_is_locked() -> None:
    for name, version in (_pins("core") | _pins("build") | _pins("dev")).items():
        assert importlib.metadata.version(name) == version


def test_node_is_pinned() -> None:
    assert set(NODE) <= set(_pins("node"))
