"""Hidden imports, circles, slow starts and use cases that reach too deep are found."""

from __future__ import annotations

import pytest

from tools.imports import circles, core_packages, lazy, usecases, weight
from tools.tree import ROOT, Source, Tree

CORE = frozenset({"fastapi", "sqlalchemy"})


def _tree(**files: str) -> Tree:
    """Each name is a module below handrail with `__` for a dot."""
    named = {"handrail": ""} | {f"handrail.{name.replace('__', '.')}": text for name, text in files.items()}
    return Tree({name: Source(f"src/{name.replace('.', '/')}.py", name, text) for name, text in named.items()})


def _inside(line: str) -> str:
    return f"def use() -> None:\n    {line}\n"


@pytest.mark.parametrize("line", ["import fastapi", "import json", "from sqlalchemy import select"])
def test_an_import_inside_a_function_is_found(line: str) -> None:
    assert len(lazy(_tree(app=_inside(line)), CORE, {})) == 1


@pytest.mark.parametrize("line", ["import numpy as np", "from sklearn import svm", "import torch"])
def test_science_and_extras_may_be_imported_inside_a_function(line: str) -> None:
    assert lazy(_tree(app=_inside(line)), CORE, {}) == []


def test_doors_may_import_where_they_like() -> None:
    assert lazy(_tree(doors__cli=_inside("import fastapi")), CORE, {}) == []


def test_a_heavy_module_of_ours_may_be_imported_inside_a_function() -> None:
    tree = _tree(app=_inside("from handrail.forest import fit"), forest="import sklearn")
    assert lazy(tree, CORE, {}) == []


def test_a_light_module_of_ours_may_not() -> None:
    tree = _tree(app=_inside("from handrail.forest import fit"), forest=_inside("import sklearn"))
    assert len(lazy(tree, CORE, {})) == 1


def test_a_listed_exception_is_fine() -> None:
    allowed = {"lazy": [{"path": "src/handrail/app.py", "target": "json", "reason": "a test"}]}
    assert lazy(_tree(app=_inside("import json")), CORE, allowed) == []


def test_what_only_a_type_checker_reads_does_not_count() -> None:
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import handrail.b\n"
    assert circles(_tree(a=text, b="import handrail.a")) == []


@pytest.mark.parametrize("back", ["from handrail.a import name", _inside("import handrail.a")])
def test_a_circle_is_found(back: str) -> None:
    findings = circles(_tree(a="from handrail.b import name", b="import handrail.c", c=back))
    assert ["handrail.a, handrail.b, handrail.c" in finding.sentence for finding in findings] == [True]


def test_a_diamond_is_no_circle() -> None:
    tree = _tree(a="import handrail.b\nimport handrail.c", b="import handrail.d", c="import handrail.d", d="")
    assert circles(tree) == []


def test_a_route_that_loads_science_at_import_is_found() -> None:
    tree = _tree(
        cycle__review__routes="from handrail.cycle.review.certificate import certify",
        cycle__review__certificate="import scipy",
    )
    assert ["certificate -> scipy" in finding.sentence for finding in weight(tree)] == [True]


def test_a_route_loads_the_package_around_what_it_imports() -> None:
    tree = _tree(app="from handrail.forest.leaves import name", forest="import numpy", forest__leaves="")
    assert [finding.path for finding in weight(tree)] == ["src/handrail/app.py"]


def test_a_route_that_waits_with_science_is_fine() -> None:
    tree = _tree(cycle__review__routes=_inside("import scipy"))
    assert weight(tree) == []


def test_a_use_case_stands_on_the_public_package() -> None:
    tree = _tree(usecases__medical="import handrail\nimport handrail.app", app="")
    assert [finding.line for finding in usecases(tree)] == [2]


def test_core_packages_are_named_as_they_are_imported() -> None:
    assert {"argon2", "cel", "fastapi", "sqlalchemy", "typer"} <= core_packages(ROOT)
