"""How SQLite finds the next tasks: by the index of the queue and by id, never by walking over a project's tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import sqlite as sqlite_dialect

from handrail.cycle.tasks.store import queue, rows, staffing
from handrail.foundation.clock import FixedClock
from handrail.foundation.storage import Storage, open_storage
from handrail.foundation.storage.compiled import Compiler
from handrail.foundation.storage.sqlite_unit import connect
from tests.integration.cycle.tasks.desk import Desk

_VALUES = {"actor": "anna", "most": 5, "skills": '["", "lead"]', "now": 1, "until": 2}
_KINDS = {"kinds": '["review"]'}


@pytest.fixture
def sqlite(tmp_path: Path) -> Storage:
    return open_storage(f"sqlite:///{tmp_path / 'handrail.db'}")


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        (queue._CLAIM, _VALUES),
        (queue._CLAIM_BY_KIND, _VALUES | _KINDS),
        (queue._PEEK, _VALUES),
        (queue._PEEK_BY_KIND, _VALUES | _KINDS),
    ],
    ids=["claim", "claim by kind", "peek", "peek by kind"],
)
def test_the_front_of_the_queue_is_found_without_a_walk(
    sqlite: Storage, clock: FixedClock, tmp_path: Path, statement: queue.PerDialect, values: dict[str, object]
) -> None:
    """Any other index that starts with the project makes a claim as slow as the project is large."""
    desk = Desk(sqlite, clock, tmp_path / "datasets")
    explain = text(f"EXPLAIN QUERY PLAN {statement.sqlite}")
    rows = sqlite.read(lambda uow: uow.run(explain, project=desk.scope.project_id, **values).all())
    on_tasks = [row[3] for row in rows if " task" in row[3] or row[3].split()[1] in {"t", "q"}]
    assert [step for step in on_tasks if "task_queue" not in step and "(id=?)" not in step] == []
    assert sum("task_queue" in step for step in on_tasks) == 1


@pytest.mark.parametrize(
    "statement", [rows._HELD_BY, rows._FIRST_HELD, staffing._HELD], ids=["held", "first held", "how many"]
)
def test_what_a_person_holds_is_found_by_the_person(
    sqlite: Storage, clock: FixedClock, tmp_path: Path, statement: Any
) -> None:
    """By project or by time it would cost each answer as much as everybody together has claimed."""
    desk = Desk(sqlite, clock, tmp_path / "datasets")
    values = {"project": desk.scope.project_id, "actor": "anna", "now": 1}
    compiled, arguments = Compiler(sqlite_dialect.dialect(paramstyle="qmark")).bound(statement, values)
    found = connect(str(tmp_path / "handrail.db"), read_only=True)
    steps = [row[3] for row in found.execute(f"EXPLAIN QUERY PLAN {compiled.sql}", arguments)]
    found.close()
    assert [step for step in steps if "task_held" in step], steps
