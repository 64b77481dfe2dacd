"""Every query on a table of a project names the project: no store may read or change another project's rows.

A table is a project's when its definition has a `project_id` column. Each `select`, `update` or `delete` on such a
table must put a condition on `project_id`. Names are followed inside a module: column lists, conditions and statements
that are built in steps. A statement that is about every project on purpose says so in a comment:
`# every project: REASON`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tools.tree import ROOT, Finding, Source, Tree

RULE = "scope"
COLUMN = "project_id"
_STARTS = frozenset({"select", "update", "delete"})
_CONDITIONS = frozenset({"where", "filter", "filter_by", "having", "join", "outerjoin", "join_from", "select_from"})
_ON_PURPOSE = re.compile(r"#\s*every project:\s*\S")
_STEPS = 6  # names that stand for names that stand for names: deep enough, and no circle


@dataclass
class _Module:
    source: Source
    tables: dict[str, str]
    """Name in this module -> SQL name, of the tables of a project."""
    named: dict[str, list[ast.AST]] = field(default_factory=dict)
    """Name -> what it stands for: assigned expressions, and the bodies of functions."""
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)


def check(root: Path = ROOT) -> list[Finding]:
    """Check every store of the cycle."""
    return judge(Tree.read(root))


def judge(tree: Tree) -> list[Finding]:
    """Return every statement on a project's table that does not name the project."""
    stores = [source for source in tree.sources.values() if _is_store(source.module)]
    defined = {source.module: _definitions(source) for source in stores}
    findings: list[Finding] = []
    for source in stores:
        module = _Module(source, _visible(tree, source, defined))
        for node in ast.walk(source.tree):
            for child in ast.iter_child_nodes(node):
                module.parents[child] = node
            _remember(module, node)
        findings += _judge(module)
    return findings


def _is_store(name: str) -> bool:
    return re.match(r"handrail\.cycle\.\w+\.store(\.|$)", name) is not None


def _definitions(source: Source) -> dict[str, str]:
    """Return name -> SQL name of the project's tables that this file defines."""
    found: dict[str, str] = {}
    for node in source.tree.body:
        value = getattr(node, "value", None)
        if not isinstance(value, ast.Call) or _called(value) != "Table" or not value.args:
            continue
        has = any(isinstance(one, ast.Constant) and one.value == COLUMN for one in ast.walk(value))
        name = value.args[0]
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if has and isinstance(name, ast.Constant):
            found |= {target.id: str(name.value) for target in targets if isinstance(target, ast.Name)}
    return found


def _visible(tree: Tree, source: Source, defined: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    tables = dict(defined[source.module])
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ImportFrom):
            continue
        for name in node.names:
            for module in (str(node.module), tree.resolve(str(node.module)) or ""):
                if name.name in defined.get(module, {}):
                    tables[name.asname or name.name] = defined[module][name.name]
    return tables


def _remember(module: _Module, node: ast.AST) -> None:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name):
                module.named.setdefault(target.id, []).append(node.value)
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        module.named.setdefault(node.target.id, []).append(node.value)
    elif isinstance(node, ast.FunctionDef):
        module.named.setdefault(node.name, []).extend(node.body)


def _judge(module: _Module) -> Iterator[Finding]:
    for node in ast.walk(module.source.tree):
        if not isinstance(node, ast.Call):
            continue
        if _called(node) == "text":
            yield from _judge_text(module, node)
        if not _starts(module, node):
            continue
        whole = _chain(module, node)
        tables = sorted(_tables(module, whole))
        if not tables or _said(module, whole) or _scoped(module, whole) or _scoped_later(module, whole):
            continue
        sentence = (
            f"the statement on {', '.join(tables)} has no condition on {COLUMN} (or say: # every project: REASON)"
        )
        yield Finding(module.source.path, node.lineno, RULE, sentence)


def _judge_text(module: _Module, node: ast.Call) -> Iterator[Finding]:
    words = " ".join(str(one.value) for one in ast.walk(node) if isinstance(one, ast.Constant))
    if re.match(r"\s*create\b", words, re.IGNORECASE) or re.search(rf"\b{COLUMN}\b", words) or _said(module, node):
        return
    for table in sorted(set(module.tables.values())):
        if re.search(rf"\b(from|join|update|into)\s+{table}\b", words, re.IGNORECASE):
            yield Finding(module.source.path, node.lineno, RULE, f"SQL text on {table} does not name {COLUMN}")


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Name):
        return node.func.id
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def _starts(module: _Module, node: ast.Call) -> bool:
    """True for `select(..)`, `sqlalchemy.select(..)` and `table.select()`."""
    if _called(node) not in _STARTS:
        return False
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
        return node.func.value.id in module.tables or node.func.value.id in ("sa", "sqlalchemy")
    return isinstance(node.func, ast.Name)


def _chain(module: _Module, node: ast.AST) -> ast.AST:
    """Return the whole of `select(..).where(..).order_by(..)` around its start."""
    while True:
        above = module.parents.get(node)
        if not (isinstance(above, ast.Attribute) and above.value is node):
            return node
        call = module.parents.get(above)
        if not (isinstance(call, ast.Call) and call.func is above):
            return node
        node = call


def _own(module: _Module, node: ast.AST, *, top: bool = True, steps: int = _STEPS) -> Iterator[ast.AST]:
    """Yield the parts of a statement without its inner statements; names are replaced by what they stand for."""
    if not top and _is_statement(module, node):
        return
    yield node
    if isinstance(node, ast.Name) and steps and node.id not in module.tables:
        for value in module.named.get(node.id, []):
            yield from _own(module, value, top=False, steps=steps - 1)
    on_chain = isinstance(node, ast.Call | ast.Attribute) and top
    for child in ast.iter_child_nodes(node):
        base = on_chain and child is (node.func if isinstance(node, ast.Call) else getattr(node, "value", None))
        yield from _own(module, child, top=base, steps=steps)


def _is_statement(module: _Module, node: ast.AST) -> bool:
    """True for a whole inner statement, `select(..)` with whatever is chained to it."""
    while isinstance(node, ast.Call):
        if _starts(module, node):
            return True
        node = node.func.value if isinstance(node.func, ast.Attribute) else node.func
    return False


def _tables(module: _Module, whole: ast.AST) -> set[str]:
    return {
        module.tables[one.id] for one in _own(module, whole) if isinstance(one, ast.Name) and one.id in module.tables
    }


def _scoped(module: _Module, whole: ast.AST) -> bool:
    """True when a condition of the chain is about the project."""
    node = whole
    while isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in _CONDITIONS:
            if any(word.arg == COLUMN for word in node.keywords):
                return True
            parts = (part for given in node.args for part in _own(module, given, top=False))
            if any(_names_project(part) for part in parts):
                return True
        node = node.func.value if isinstance(node.func, ast.Attribute) else ast.Pass()
    return False


def _names_project(part: ast.AST) -> bool:
    if isinstance(part, ast.Attribute):
        return part.attr == COLUMN
    return isinstance(part, ast.Subscript) and isinstance(part.slice, ast.Constant) and part.slice.value == COLUMN


def _scoped_later(module: _Module, whole: ast.AST) -> bool:
    """True when the statement is only a beginning with a name, and each use of that name adds the project."""
    above = module.parents.get(whole)
    targets: list[ast.expr] = []
    if isinstance(above, ast.Assign):
        targets = above.targets
    elif isinstance(above, ast.AnnAssign):
        targets = [above.target]
    names = {target.id for target in targets if isinstance(target, ast.Name)}
    uses = [
        node
        for node in ast.walk(module.source.tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names
    ]
    scoped = [_scoped(module, _chain(module, use)) for use in uses]
    if isinstance(module.parents.get(above) if above else None, ast.Module):
        return bool(scoped) and all(scoped)
    # Inside a function the same name is used again and again while the statement grows: one step must add it.
    return any(scoped)


def _said(module: _Module, node: ast.AST) -> bool:
    first = getattr(node, "lineno", 1)
    last = getattr(node, "end_lineno", first)
    above = module.parents.get(node)
    first = min(first, getattr(above, "lineno", first)) if isinstance(above, ast.Assign | ast.AnnAssign) else first
    return any(_ON_PURPOSE.search(line) for line in module.source.lines[max(first - 2, 0) : last])
