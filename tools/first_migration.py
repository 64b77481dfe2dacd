"""Writes the first migration from the tables that the code declares: `python -m tools.first_migration`.

Only until the first release: from then on a step never changes, and each change of a table is a step of its own.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, Literal

from alembic.autogenerate import render_python_code
from alembic.operations import ops
from sqlalchemy import String

from handrail.foundation.storage import metadata

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "src/handrail/foundation/storage/migrations/first.py"
_AFTERWARDS = (
    'commit_order(op, "journal_entry", "seq")',
    'append_only(op, "journal_entry", ["seq"], ["id"])',
    'append_only(op, "journal_payload", erasable=True)',
    'append_only(op, "journal_leaf", ["idx"], ["seq"])',
    'append_only(op, "journal_node", ["level", "idx"])',
    'append_only(op, "journal_checkpoint", ["size"])',
)
_HEAD = '''"""The first step: every table of version 0.1. Written by tools/first_migration.py."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

from handrail.foundation.storage.migrations.guards import TEXT, append_only, commit_order


def upgrade(op: Operations) -> None:
    """Make the tables, and keep the journal append-only."""
'''


def load_tables() -> None:
    """Import every module that declares tables."""
    for path in sorted((ROOT / "src/handrail").rglob("store*")):
        if path.name == "store.py" or (path.is_dir() and path.name == "store"):
            parts = path.relative_to(ROOT / "src").with_suffix("").parts
            importlib.import_module(".".join(parts))


def text() -> str:
    """Return the module's text."""
    load_tables()
    made: list[ops.MigrateOperation] = []
    for table in sorted(metadata.tables.values(), key=lambda one: one.name):
        made.append(ops.CreateTableOp.from_table(table))
        made += [ops.CreateIndexOp.from_index(index) for index in sorted(table.indexes, key=lambda one: str(one.name))]
    body = textwrap.dedent("    " + render_python_code(ops.UpgradeOps(made), render_item=_render).strip())
    lines = [line for line in body.split("\n") if "###" not in line]
    indented = ["    " + line.strip("\n") if line.strip() else "" for line in [*lines, *_AFTERWARDS]]
    return _HEAD + "\n".join(indented) + "\n"


def _render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write every text type as the one that sorts alike on both databases."""
    return "TEXT" if kind == "type" and isinstance(item, String) else False


def main() -> int:
    """Write the step."""
    TARGET.write_text(text(), encoding="utf-8")
    subprocess.run([sys.executable, "-m", "ruff", "format", "-q", str(TARGET)], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
