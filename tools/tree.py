"""The sources as parsed modules: read once, looked at by every check."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Finding:
    """A broken rule at a place; `line` 0 means the file as a whole."""

    path: str
    line: int
    rule: str
    sentence: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.sentence} [{self.rule}]"


@dataclass(frozen=True)
class Import:
    """One imported name: the module it most likely means, and where it stands."""

    target: str
    line: int
    lazy: bool
    """Inside a function: it runs when the function does."""


@dataclass(frozen=True)
class Source:
    """One Python file; `module` is its dotted name, empty for a file outside a package."""

    path: str
    module: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed file."""
        return ast.parse(self.text, self.path)

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the file."""
        return self.text.splitlines()

    @property
    def is_package(self) -> bool:
        """True for an `__init__.py`."""
        return self.path.endswith("__init__.py")

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """Everything it imports, without what only a type checker reads."""
        return tuple(_imports(self.tree.body, lazy=False))


def _imports(body: Iterable[ast.AST], *, lazy: bool) -> Iterator[Import]:
    for node in body:
        if isinstance(node, ast.Import):
            for name in node.names:
                yield Import(name.name, node.lineno, lazy)
        elif isinstance(node, ast.ImportFrom):
            for name in node.names:
                yield Import(f"{node.module}.{name.name}", node.lineno, lazy)
        elif isinstance(node, ast.If) and _only_for_types(node.test):
            yield from _imports(node.orelse, lazy=lazy)
        else:
            inside = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(ast.iter_child_nodes(node), lazy=inside)


def _only_for_types(test: ast.expr) -> bool:
    return isinstance(test, ast.Name | ast.Attribute) and ast.unparse(test).endswith("TYPE_CHECKING")


class Tree:
    """The modules of one package under `root`/src, by dotted name."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self.sources = dict(sources)

    @classmethod
    def read(cls, root: Path = ROOT) -> Tree:
        """Read every module of src/handrail."""
        found = {}
        for path in sorted((root / "src").rglob("*.py")):
            source = read_source(path, root)
            found[source.module] = source
        return cls(found)

    def resolve(self, target: str) -> str | None:
        """Return the module of ours that an import names: `a.b.C` is `a.b` unless there is a module `a.b.C`."""
        for name in (target, target.rpartition(".")[0]):
            if name in self.sources:
                return name
        return None

    def inner(self, source: Source, *, lazy: bool) -> list[tuple[str, Import]]:
        """Return (module of ours, import) for each import of ours; `lazy` includes those inside functions."""
        found = []
        for one in source.imports:
            target = self.resolve(one.target)
            if target is not None and target != source.module and (lazy or not one.lazy):
                found.append((target, one))
        return found


def read_source(path: Path, root: Path = ROOT) -> Source:
    """Read one file; the module name starts below src/ when the file is there."""
    place = path.relative_to(root)
    parts = list(place.with_suffix("").parts)
    if parts[0] == "src":
        parts = parts[1:]
    if parts[-1] == "__init__":
        parts = parts[:-1]
    return Source(place.as_posix(), ".".join(parts), path.read_text(encoding="utf-8"))


def python_files(root: Path, *folders: str) -> list[Source]:
    """Read every Python file below the folders of `root` that exist."""
    found = []
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            if not {"node_modules", "ui_dist", "__pycache__"} & set(path.parts):
                found.append(read_source(path, root))
    return found


def rules(root: Path = ROOT) -> dict[str, Any]:
    """Return tools/rules.toml: what is allowed by name."""
    with (root / "tools" / "rules.toml").open("rb") as file:
        return tomllib.load(file)
