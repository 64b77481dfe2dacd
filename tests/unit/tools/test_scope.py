"""A statement that forgets the project is found, however it is put together."""

from __future__ import annotations

import pytest

from tools.scope import judge
from tools.tree import Source, Tree

TABLES = """
from sqlalchemy import Column, Table, Text, bindparam, delete, exists, func, select, text, update
from handrail.foundation.storage import metadata
task = Table("task", metadata, Column("id", Text, primary_key=True), Column("project_id", Text))
answer = Table("answer", metadata, Column("task_id", Text), Column("project_id", Text))
instance = Table("instance", metadata, Column("id", Text))
IN_PROJECT = task.c.project_id == bindparam("project_id")
OTHER = answer.c.project_id == bindparam("project_id")
COLUMNS = (task.c.id, task.c.project_id)
def mine(statement):
    return task.c.project_id == bindparam("project_id")
"""


def _found(text: str) -> int:
    source = Source("src/handrail/cycle/tasks/store.py", "handrail.cycle.tasks.store", TABLES + text)
    return len(judge(Tree({source.module: source})))


@pytest.mark.parametrize(
    "text",
    [
        "A = select(task.c.id)",
        "A = select(task.c.project_id)",
        "A = select(*COLUMNS).order_by(task.c.id)",
        "A = select(func.count()).select_from(task)",
        "A = update(task).values(id='x')",
        "A = update(task).where(task.c.id == 'x').values(project_id='y')",
        "A = delete(task).where(task.c.id == bindparam('by_id'))",
        "A = task.delete()",
        "A = task.select().where(task.c.id == 'x')",
        "A = select(instance.c.id).join(task, task.c.id == instance.c.id)",
        "other = task.alias()\nA = select(other.c.id)",
        "def read(uow):\n    return uow.run(select(task.c.id).where(task.c.id == 'x'))",
        "def read(uow):\n    query = select(task.c.id)\n    query = query.where(task.c.id == 'x')\n    return query",
        "A = select(task.c.id)\nB = A.where(IN_PROJECT)\ndef read(uow):\n    return uow.run(A)",
        "A = select(task.c.id).where(task.c.id.in_(select(answer.c.task_id).where(answer.c.project_id == 'p')))",
        "A = select(task.c.id).where(IN_PROJECT, task.c.id.in_(select(answer.c.task_id)))",
        "A = text('SELECT id FROM task WHERE id = 1')",
        "A = text('UPDATE task SET id = 1')",
    ],
)
def test_a_statement_without_the_project_is_found(text: str) -> None:
    assert _found(text) == 1


@pytest.mark.parametrize(
    "text",
    [
        "A = select(task.c.id).where(task.c.project_id == bindparam('project_id'))",
        "A = select(*COLUMNS).where(IN_PROJECT)",
        "A = select(task.c.id).where(mine(task))",
        "A = select(task.c['id']).where(task.c['project_id'] == 'p')",
        "A = update(task).where(IN_PROJECT, task.c.id == 'x').values(id='y')",
        "A = delete(task).where(IN_PROJECT)",
        "A = select(instance.c.id)",
        "A = select(task.c.id)\nB = A.where(IN_PROJECT)",
        "def read(uow):\n    query = select(task.c.id)\n    query = query.where(IN_PROJECT)\n    return query",
        "A = select(task.c.id).where(IN_PROJECT).with_for_update()\nB = A.limit(5)",
        "A = select(task.c.id).where(IN_PROJECT, task.c.id.in_(select(answer.c.task_id).where(OTHER)))",
        "A = select(task.c.id)  # every project: leases end for all of them",
        "# every project: leases end for all of them\nA = select(task.c.id)",
        "A = text('SELECT id FROM task WHERE project_id = 1')",
        "A = text('CREATE TRIGGER no_delete BEFORE DELETE ON task BEGIN SELECT id FROM task; END')",
        "A = text('SELECT 1')",
    ],
)
def test_a_statement_with_the_project_is_fine(text: str) -> None:
    assert _found(text) == 0


def test_a_reason_is_needed() -> None:
    assert _found("A = select(task.c.id)  # every project:") == 1


def test_tables_are_known_across_the_files_of_a_store() -> None:
    tables = Source("src/store/tables.py", "handrail.cycle.tasks.store.tables", TABLES)
    text = "from sqlalchemy import select\nfrom handrail.cycle.tasks.store.tables import task\nA = select(task.c.id)"
    reading = Source("src/store/reading.py", "handrail.cycle.tasks.store.reading", text)
    assert [finding.path for finding in judge(Tree({one.module: one for one in (tables, reading)}))] == [
        "src/store/reading.py"
    ]
