"""Files and functions stay small enough to be read at once.

Over the first limit something needs a listed, dated exception; over the second one there is none.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from tools.tree import ROOT, Finding, Source, python_files, rules

FILE = (400, 600)
FUNCTION = (50, 80)
RULE = "size"


@dataclass(frozen=True)
class _Measured:
    place: str
    path: str
    line: int
    what: str
    lines: int
    limits: tuple[int, int]


def check(root: Path = ROOT) -> list[Finding]:
    """Measure Python and TypeScript files and every Python function."""
    # Migrations are written once by a tool and then never changed; nobody reads them at once.
    sources = [one for one in python_files(root, "src", "tools", "tests", "bench") if "/migrations/" not in one.path]
    texts = [
        Source(path.relative_to(root).as_posix(), "", path.read_text(encoding="utf-8"))
        for path in sorted((root / "web" / "src").rglob("*.ts*"))
        if not path.name.endswith(".d.ts")
    ]
    return judge(sources, texts, rules(root))


def judge(sources: Iterable[Source], texts: Iterable[Source], allowed: Mapping[str, Any]) -> list[Finding]:
    """Return what is too long and has no exception, and exceptions that nothing needs."""
    exceptions = {entry["place"]: entry for entry in allowed.get("size", [])}
    findings = []
    needed = set()
    for one in _measure(sources, texts):
        first, last = one.limits
        if one.lines <= first:
            continue
        if one.lines > last:
            sentence = f"{one.what} has {one.lines} lines; the hard limit is {last}, with no exception"
            findings.append(Finding(one.path, one.line, RULE, sentence))
        elif one.place not in exceptions:
            sentence = f"{one.what} has {one.lines} lines; the limit is {first} (exceptions: tools/rules.toml)"
            findings.append(Finding(one.path, one.line, RULE, sentence))
        needed.add(one.place)
    return findings + _bad_exceptions(exceptions, needed)


def _bad_exceptions(exceptions: Mapping[str, Mapping[str, Any]], needed: set[str]) -> list[Finding]:
    findings = []
    for place, entry in exceptions.items():
        if place not in needed:
            findings.append(Finding("tools/rules.toml", 0, RULE, f"the exception for {place} is not needed any more"))
        if not isinstance(entry.get("since"), date) or not entry.get("reason"):
            findings.append(Finding("tools/rules.toml", 0, RULE, f"the exception for {place} needs since and reason"))
    return findings


def _measure(sources: Iterable[Source], texts: Iterable[Source]) -> list[_Measured]:
    found = []
    for text in texts:
        found.append(_Measured(text.path, text.path, 0, "the file", len(text.lines), FILE))
    for source in sources:
        found.append(_Measured(source.path, source.path, 0, "the file", len(source.lines), FILE))
        for name, node in _functions(source.tree, ""):
            lines = _length(node)
            place = f"{source.path}::{name}"
            found.append(_Measured(place, source.path, node.lineno, f"the function {name}", lines, FUNCTION))
    return found


def _functions(node: ast.AST, prefix: str) -> list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    found: list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]] = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append((prefix + child.name, child))
            found += _functions(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.ClassDef):
            found += _functions(child, f"{prefix}{child.name}.")
        else:
            found += _functions(child, prefix)
    return found


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines from `def` to the end, without the docstring: saying what a function does is never too long."""
    assert node.end_lineno is not None
    total = node.end_lineno - node.lineno + 1
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        assert first.end_lineno is not None
        total -= first.end_lineno - first.lineno + 1
    return total
