"""Files are named for what they hold, and a stage has the same files as every other stage."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from tools.purity import impure
from tools.tree import ROOT, Finding, Source, Tree, python_files, rules

RULE = "name"
SAYS_NOTHING = frozenset({"util", "utils", "helper", "helpers", "common", "manager", "base", "misc"})
FIXED = frozenset({"__init__", "model", "events", "store", "service", "routes", "jobs"})
_CLASS_ENDS = re.compile(r"(Manager|Helper|Helpers|Util|Utils|Misc|Common)$")
_README_LINES = 40


def check(root: Path = ROOT) -> list[Finding]:
    """Check the names of our own files, folders and classes, and the shape of every stage."""
    paths = [path.relative_to(root).as_posix() for path in _own_files(root)]
    tree = Tree.read(root)
    findings = words(paths) + classes(python_files(root, "src", "tools"))
    return findings + stages(tree, rules(root)) + readmes(root)


def _own_files(root: Path) -> Iterable[Path]:
    for folder in ("src", "tools", "tests", "bench", "web/src"):
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and not {"__pycache__", "ui_dist", "node_modules", "results"} & set(path.parts):
                yield path


def words(paths: Iterable[str]) -> list[Finding]:
    """Return every file or folder whose name says nothing about what is in it."""
    findings = []
    for path in paths:
        for part in PurePosixPath(path).parts:
            said = set(re.split(r"[_\-.]", part.lower()))
            if said & SAYS_NOTHING:
                sentence = f"the name {part!r} says nothing about what is in it; name it for what it does"
                findings.append(Finding(path, 0, RULE, sentence))
    return findings


def classes(sources: Iterable[Source]) -> list[Finding]:
    """Return every class whose name ends in a word that says nothing."""
    findings = []
    for source in sources:
        for number, line in enumerate(source.lines, 1):
            match = re.match(r"\s*class (\w+)", line)
            if match and _CLASS_ENDS.search(match[1]):
                findings.append(
                    Finding(source.path, number, RULE, f"the class {match[1]} is not named for what it does")
                )
    return findings


def stages(tree: Tree, allowed: Mapping[str, Any]) -> list[Finding]:
    """Return files of a stage that are neither one of the fixed names, nor a listed verb, nor a pure algorithm."""
    verbs: Mapping[str, list[str]] = allowed.get("verbs", {})
    findings = []
    seen = set()
    for name, source in tree.sources.items():
        parts = name.split(".")
        if parts[:2] != ["handrail", "cycle"] or len(parts) < 4:
            continue
        stage, file = parts[2], parts[3]
        if file in FIXED:
            continue
        if file in verbs.get(stage, []):
            seen.add((stage, file))
            continue
        for line, reason in islice(impure(tree, source, algorithm=True), 1):
            sentence = (
                f"{reason}: a file of a stage is one of {', '.join(sorted(FIXED - {'__init__'}))}, "
                f"a pure algorithm, or a verb listed in tools/rules.toml"
            )
            findings.append(Finding(source.path, line, RULE, sentence))
    for stage, files in verbs.items():
        for file in files:
            if (stage, file) not in seen:
                findings.append(Finding("tools/rules.toml", 0, RULE, f"the stage {stage} has no file {file}.py"))
    return findings


def readmes(root: Path) -> list[Finding]:
    """Return stages without a README, or with one too long to be read at once."""
    findings = []
    for folder in sorted((root / "src" / "handrail" / "cycle").glob("*/")):
        if not (folder / "__init__.py").is_file():
            continue
        readme = folder / "README.md"
        path = readme.relative_to(root).as_posix()
        if not readme.is_file():
            findings.append(Finding(path, 0, RULE, "the stage needs a README: purpose, states, events, invariants"))
        elif len(readme.read_text(encoding="utf-8").splitlines()) > _README_LINES:
            findings.append(Finding(path, 0, RULE, f"a stage's README has at most {_README_LINES} lines"))
    return findings
