"""Models, events and algorithm modules compute: they reach no database, web, file, clock or process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from tools.tree import ROOT, Finding, Source, Tree

RULE = "pure"

# Of the standard library, what touches the world outside the process or makes it unrepeatable.
_WORLD = frozenset(
    {
        "asyncio", "concurrent", "ctypes", "ftplib", "glob", "http", "importlib", "io", "logging", "mmap",
        "multiprocessing", "os", "pathlib", "pickle", "platform", "random", "resource", "secrets", "select",
        "selectors", "shelve", "shutil", "signal", "smtplib", "socket", "sqlite3", "ssl", "subprocess", "tempfile",
        "threading", "time", "urllib", "uuid",
    }
)  # fmt: skip
_COMPUTES = frozenset({"cel", "numpy", "pyarrow", "scipy", "sklearn"})
_FOUNDATION = (
    "handrail.foundation.actors",
    "handrail.foundation.canonical",
    "handrail.foundation.errors",
    "handrail.foundation.frozen",
    "handrail.foundation.journal.event",
    "handrail.foundation.statistics",
)
_PURE_FILES = frozenset({"model", "events"})


def check(root: Path = ROOT) -> list[Finding]:
    """Check every model.py and events.py of the cycle, and foundation/statistics."""
    tree = Tree.read(root)
    findings = []
    for name, source in tree.sources.items():
        parts = name.split(".")
        model = parts[:2] == ["handrail", "cycle"] and len(parts) == 4 and parts[3] in _PURE_FILES
        if model or name.startswith("handrail.foundation.statistics"):
            for line, reason in impure(tree, source, algorithm=not model):
                findings.append(Finding(source.path, line, RULE, reason))
    return findings


def impure(
    tree: Tree, source: Source, *, algorithm: bool, _above: frozenset[str] = frozenset()
) -> Iterator[tuple[int, str]]:
    """Yield (line, reason) for every import that makes a module impure; an `algorithm` may use numpy and its kin."""
    above = _above | {source.module}
    for one in source.imports:
        top = one.target.partition(".")[0]
        if top in ("__future__", "typing_extensions"):
            continue
        if top == "handrail":
            inner = tree.resolve(one.target)
            if inner is None or inner in above:
                continue
            if not _pure_inside(tree, inner, algorithm=algorithm, above=above):
                yield one.line, f"imports {inner}, which is not pure"
        elif top in sys.stdlib_module_names:
            if top in _WORLD:
                yield one.line, f"imports {top}"
        elif not (algorithm and top in _COMPUTES):
            yield one.line, f"imports {top}"


def _pure_inside(tree: Tree, name: str, *, algorithm: bool, above: frozenset[str]) -> bool:
    if any(name == allowed or name.startswith(allowed + ".") for allowed in _FOUNDATION):
        return algorithm or not name.startswith("handrail.foundation.statistics")
    if not name.startswith("handrail.cycle."):
        # The journal's package names Event among others; that one is pure.
        return name == "handrail.foundation.journal"
    return not any(impure(tree, tree.sources[name], algorithm=algorithm, _above=above))
