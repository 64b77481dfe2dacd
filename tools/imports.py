"""Imports: none hidden in functions without need, none in a circle, none that makes the server start slowly."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from tools.tree import ROOT, Finding, Source, Tree, rules

# Slow to import (a second and 100 MB together), so they are imported where they are used.
SCIENTIFIC = frozenset({"joblib", "numpy", "pyarrow", "safetensors", "scipy", "skops", "sklearn", "threadpoolctl"})
_LIGHT_FILES = frozenset({"app", "events", "model", "routes", "service", "store"})


def check(root: Path = ROOT) -> list[Finding]:
    """Check where imports stand, that they have no circle, and what the server loads at its start."""
    tree = Tree.read(root)
    return lazy(tree, core_packages(root), rules(root)) + circles(tree) + weight(tree) + usecases(tree)


def core_packages(root: Path) -> frozenset[str]:
    """Return the names under which the core dependencies are imported, scientific ones apart."""
    with (root / "pyproject.toml").open("rb") as file:
        stated = tomllib.load(file)["project"]["dependencies"]
    named = {Requirement(text).name.lower().replace("-", "_") for text in stated}
    imported = {
        "argon2_cffi": "argon2",
        "common_expression_language": "cel",
        "pyyaml": "yaml",
        "scikit_learn": "sklearn",
    }
    return frozenset(imported.get(name, name) for name in named) | {"starlette", "click"}


def lazy(tree: Tree, core: frozenset[str], allowed: Mapping[str, Any]) -> list[Finding]:
    """Return imports inside functions that neither the scientific stack nor an extra asks for."""
    exceptions = {(entry["path"], entry["target"]) for entry in allowed.get("lazy", [])}
    heavy = _heavy(tree)
    findings = []
    for source in tree.sources.values():
        if source.module.startswith("handrail.doors"):
            continue
        for one in source.imports:
            top = one.target.partition(".")[0]
            if not one.lazy or (source.path, one.target) in exceptions:
                continue
            inner = tree.resolve(one.target)
            fine = inner in heavy if inner is not None else top in SCIENTIFIC or _is_extra(top, core)
            if not fine:
                sentence = f"{one.target} is imported inside a function; only doors, extras and science may be"
                findings.append(Finding(source.path, one.line, "lazy-import", sentence))
    return findings


def _is_extra(top: str, core: frozenset[str]) -> bool:
    return top != "handrail" and top not in core and top not in sys.stdlib_module_names


def _heavy(tree: Tree) -> frozenset[str]:
    """Return the modules that load the scientific stack when they are imported."""
    return frozenset(name for name in tree.sources if _reaches(tree, name) is not None)


def _loads(tree: Tree, source: Source) -> list[str]:
    """Return the modules of ours that load with this one: what it imports and the packages around those."""
    names = [target for target, _ in tree.inner(source, lazy=False)]
    parents = {name.rpartition(".")[0] for name in [*names, source.module]}
    return [*names, *(name for name in parents if name in tree.sources and name != source.module)]


def _reaches(tree: Tree, start: str) -> list[str] | None:
    """Return the way from a module to the scientific stack over imports that run at import, or None."""
    came: dict[str, str] = {start: ""}
    waiting = [start]
    while waiting:
        name = waiting.pop(0)
        source = tree.sources[name]
        for one in source.imports:
            if not one.lazy and one.target.partition(".")[0] in SCIENTIFIC:
                way = [one.target]
                while name:
                    way.insert(0, name)
                    name = came[name]
                return way
        for target in _loads(tree, source):
            if target not in came:
                came[target] = name
                waiting.append(target)
    return None


def weight(tree: Tree) -> list[Finding]:
    """Return modules that the server needs at its start and that load the scientific stack."""
    findings = []
    for name, source in tree.sources.items():
        file = name.rpartition(".")[2]
        serves = name == "handrail.app" or name.startswith("handrail.doors")
        if not (serves or (name.startswith("handrail.cycle.") and file in _LIGHT_FILES)):
            continue
        way = _reaches(tree, name)
        if way is not None:
            sentence = f"importing it loads {way[-1]} ({' -> '.join(way)}); import that where it computes"
            findings.append(Finding(source.path, 0, "heavy-import", sentence))
    return findings


def circles(tree: Tree) -> list[Finding]:
    """Return every set of modules that import each other in a circle, imports inside functions included."""
    findings = []
    for circle in _components(tree):
        first = tree.sources[circle[0]]
        findings.append(Finding(first.path, 0, "import-circle", f"imported in a circle: {', '.join(circle)}"))
    return findings


def _components(tree: Tree) -> list[list[str]]:
    """Return the strongly connected sets of more than one module (Tarjan 1972, without recursion)."""
    edges = {name: [target for target, _ in tree.inner(source, lazy=True)] for name, source in tree.sources.items()}
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    open_names: list[str] = []
    found = []
    for start in edges:
        if start in order:
            continue
        work = [(start, iter(edges[start]))]
        order[start] = low[start] = len(order)
        open_names.append(start)
        while work:
            name, targets = work[-1]
            following = next(targets, None)
            if following is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == order[name]:
                    place = open_names.index(name)
                    if len(open_names) - place > 1:
                        found.append(sorted(open_names[place:]))
                    del open_names[place:]
            elif following not in order:
                order[following] = low[following] = len(order)
                open_names.append(following)
                work.append((following, iter(edges[following])))
            elif following in open_names:
                low[name] = min(low[name], order[following])
    return found


def usecases(tree: Tree) -> list[Finding]:
    """Return imports of use cases that go past the public package: they are written as a user would write them."""
    findings = []
    for name, source in tree.sources.items():
        if not name.startswith("handrail.usecases"):
            continue
        for one in source.imports:
            inner = tree.resolve(one.target)
            if inner is not None and inner != "handrail" and not inner.startswith("handrail.usecases"):
                sentence = f"a use case imports {inner}; it may touch `handrail.connect` and what that returns"
                findings.append(Finding(source.path, one.line, "usecase", sentence))
    return findings
