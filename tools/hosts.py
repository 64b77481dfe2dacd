"""Locks and settings name no registry, and no file names a folder of somebody's machine."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from tools.tree import ROOT, Finding

RULE = "host"
_SKIPPED = frozenset(
    {".git", ".venv", ".cache", "node_modules", "ui_dist", "__pycache__", "handrail-data", "dist", "build", "results"}
)
_TEXT = frozenset(
    {"", ".cfg", ".css", ".html", ".ini", ".js", ".json", ".md", ".mjs", ".py", ".sh", ".toml", ".ts", ".tsx", ".txt"}
    | {".yaml", ".yml"}
)
_REGISTRY = re.compile(
    r"--(extra-)?index-url|--find-links|\bindex-url\s*=|\bfind-links\s*=|\bregistry\s*=|"
    r"files\.pythonhosted|pypi\.org/simple|registry\.npmjs|registry\.yarnpkg|\"resolved\"\s*:\s*\"(https?|file)"
)
_MACHINE = re.compile(
    r"(?<![\w.~$)}*-])/(root|home/\w+|Users/\w+|work/main|work/shared)\b|file:///(home|opt|root|tmp|work)\b"
)
_OWN = ("tools/hosts.py", "tests/unit/tools/test_hosts.py")


def check(root: Path = ROOT) -> list[Finding]:
    """Check every text file of the repository."""
    return [finding for path in _files(root) for finding in judge(path, (root / path).read_text(encoding="utf-8"))]


def judge(path: str, text: str) -> list[Finding]:
    """Return the lines of one file that name a registry (locks, settings) or a machine's folder (any file)."""
    findings = []
    settings = _is_setting(path)
    for number, line in enumerate(text.splitlines(), 1):
        if settings and (match := _REGISTRY.search(line)):
            findings.append(Finding(path, number, RULE, f"a registry is named ({match[0]}); the machine knows its own"))
        if match := _MACHINE.search(line):
            findings.append(Finding(path, number, RULE, f"a folder of one machine is named ({match[0]})"))
    return findings


def _is_setting(path: str) -> bool:
    name = path.rpartition("/")[2]
    return path.startswith(("requirements/", ".ci/", "tools/")) or name in (
        ".npmrc",
        "Makefile",
        "package-lock.json",
        "package.json",
        "pyproject.toml",
    )


def _files(root: Path) -> Iterable[str]:
    waiting = [root]
    while waiting:
        for path in sorted(waiting.pop().iterdir()):
            if path.is_dir():
                if path.name not in _SKIPPED and not path.is_symlink():
                    waiting.append(path)
            elif path.suffix in _TEXT and path.relative_to(root).as_posix() not in _OWN:
                yield path.relative_to(root).as_posix()
