"""Names that say nothing are found; a stage holds the fixed files, listed verbs and pure algorithms."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.names import classes, readmes, stages, words
from tools.tree import Source, Tree


@pytest.mark.parametrize(
    "path",
    [
        "src/handrail/utils.py",
        "src/handrail/helpers/words.py",
        "web/src/common/a.ts",
        "src/x/user_manager.py",
        "a/misc.md",
    ],
)
def test_a_name_that_says_nothing_is_found(path: str) -> None:
    assert len(words([path])) == 1


@pytest.mark.parametrize("path", ["src/handrail/bases.py", "src/handrail/foundation/clock.py", "web/src/commons.ts"])
def test_a_name_that_says_something_is_fine(path: str) -> None:
    assert words([path]) == []


def test_a_class_named_for_nothing_is_found() -> None:
    source = Source("src/a.py", "a", "class TaskManager:\n    pass\nclass Tasks:\n    pass\n")
    assert [finding.line for finding in classes([source])] == [1]


def _tree(**files: str) -> Tree:
    named = {f"handrail.cycle.review.{name}": text for name, text in files.items()}
    named |= {"handrail": "", "handrail.cycle": "", "handrail.cycle.review": "", "handrail.foundation.storage": ""}
    return Tree({name: Source(f"src/{name.replace('.', '/')}.py", name, text) for name, text in named.items()})


def test_fixed_names_may_import_anything() -> None:
    assert stages(_tree(service="import asyncio", store="import sqlalchemy"), {}) == []


def test_a_pure_algorithm_may_have_its_own_name() -> None:
    assert stages(_tree(certificate="import math\nimport numpy as np\nfrom scipy import stats"), {}) == []


@pytest.mark.parametrize(
    "text",
    [
        "import asyncio",
        "import sqlalchemy",
        "import time",
        "from handrail.foundation.storage import UnitOfWork",
        "import cel_x",
    ],
)
def test_an_impure_file_is_found(text: str) -> None:
    assert len(stages(_tree(decide=text), {})) == 1


def test_a_listed_verb_is_fine() -> None:
    assert stages(_tree(decide="import asyncio"), {"verbs": {"review": ["decide"]}}) == []


def test_a_listed_verb_that_is_gone_is_found() -> None:
    assert len(stages(_tree(), {"verbs": {"review": ["decide"]}})) == 1


def test_impurity_is_found_behind_another_module() -> None:
    tree = _tree(certificate="from handrail.cycle.review.drawing import draw", drawing="import socket")
    assert sorted(finding.path for finding in stages(tree, {})) == [
        "src/handrail/cycle/review/certificate.py",
        "src/handrail/cycle/review/drawing.py",
    ]


def test_a_stage_needs_a_short_readme(tmp_path: Path) -> None:
    stage = tmp_path / "src" / "handrail" / "cycle" / "review"
    stage.mkdir(parents=True)
    (stage / "__init__.py").touch()
    assert len(readmes(tmp_path)) == 1
    (stage / "README.md").write_text("line\n" * 20)
    assert readmes(tmp_path) == []
    (stage / "README.md").write_text("line\n" * 41)
    assert len(readmes(tmp_path)) == 1
