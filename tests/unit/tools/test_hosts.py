"""Registries in locks and folders of a machine are found."""

from __future__ import annotations

import pytest

from tools.hosts import judge


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("requirements/core.txt", "--extra-index-url https://example.org/simple"),
        ("web/.npmrc", "registry=https://example.org"),
        ("web/package-lock.json", '      "resolved": "https://example.org/react.tgz",'),
        ("pyproject.toml", 'url = "https://pypi.org/simple"'),
        ("docs/index.md", "cd /home/anna/handrail"),
        ("tests/unit/test_x.py", 'PATH = "/root/data"'),
        ("Makefile", "PIP := pip --find-links file:///opt/wheels"),
    ],
)
def test_a_host_or_a_folder_is_found(path: str, line: str) -> None:
    assert len(judge(path, f"first\n{line}\n")) >= 1


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("requirements/core.txt", "numpy==2.4.6"),
        ("web/.npmrc", "omit-lockfile-registry-resolved=true"),
        ("web/package-lock.json", '        "url": "https://example.org/sponsors"'),
        ("src/handrail/app.py", "from handrail.foundation/work/jobs"),
        ("docs/index.md", "see https://example.org/root/page"),
        ("Makefile", "rm -rf $(HOME)/root"),
    ],
)
def test_other_lines_are_fine(path: str, line: str) -> None:
    assert judge(path, line) == []
