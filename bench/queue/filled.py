"""A project whose queue holds many open tasks, made by one statement, and the claim in plain sqlite3 as the limit."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from sqlalchemy import text

from handrail.cycle.datasets import Datasets, Field, NewItem, Question, Schema
from handrail.cycle.tasks import NewTask, Tasks
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import SystemClock
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import PerDialect, Storage, open_storage
from handrail.foundation.storage.sqlite_unit import connect

SCHEMA = Schema(
    fields=tuple(Field(name=f"feature {number}", type="number") for number in range(30)),
    questions=(Question(name="diagnosis", type="choice", choices=("benign", "malignant")),),
)
RULE = Actor.rule("bench")
BATCH = 5
ITEMS = 100
GROUP = 64

# Copies of one task, with keys that grow as UUIDv7 do, in three priorities.
_COPY = """INSERT INTO task (id, project_id, kind, status, question, item_id, payload, priority, skill, reason, blind,
    not_by, opened_at, worth, raise_at,
    skipped, blind_first) SELECT {id}, task.project_id, kind, status, question, item.id, payload,
    {number} % 3, skill, reason, blind, not_by, opened_at + {number}, worth, raise_at + {number}, skipped,
    blind_first FROM task, {numbers}
    JOIN item ON item.seq = CAST(:item AS INTEGER) + {number} % {items} WHERE task.project_id = :project"""
_FILL = PerDialect(
    text(
        "WITH RECURSIVE n(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM n WHERE number < :last) "
        + _COPY.format(
            id="printf('%s-%04x-7%03x-8000-%012x', :prefix, number / 4096, number % 4096, number)",
            number="number",
            numbers="n",
            items=ITEMS,
        )
    ),
    text(
        _COPY.format(
            id="CAST(:prefix AS TEXT) || '-' || lpad(to_hex(number / 4096), 4, '0') || '-7' "
            "|| lpad(to_hex(number % 4096), 3, '0') || '-8000-' || lpad(to_hex(number), 12, '0')",
            number="number",
            numbers="generate_series(1, CAST(:last AS INTEGER)) AS n(number)",
            items=ITEMS,
        )
    ),
)
_COUNT = text("UPDATE task_count SET tasks = :number WHERE project_id = :project")

LIMIT = """UPDATE task SET status = 1, claimed_by = ?, claimed_until = ? WHERE id IN (
    SELECT id FROM task WHERE project_id = ? AND skill = '' AND status = 0 ORDER BY priority DESC, id LIMIT 5
) RETURNING id, kind, question, item_id, payload"""


class Queue:
    """The services over one database, and a project with `tasks` open tasks."""

    def __init__(self, url: str, folder: Path) -> None:
        self.clock, randomness = SystemClock(), Randomness(seed=7)
        ids = Ids(self.clock, randomness)
        journal = Journal(self.clock, ids, randomness)
        self.storage: Storage = open_storage(url)
        self.datasets = Datasets(self.storage, journal, self.clock, ids, randomness, folder)
        self.tasks = Tasks(journal, self.clock, ids, self.datasets)

    def fill(self, count: int) -> Scope:
        """Make a project with `count` open tasks about a hundred items."""
        name = f"queue-{count}"
        project = self.storage.write(lambda uow: self.datasets.create_project(uow, RULE, name, SCHEMA))
        scope = Scope(project.id)
        data = {f"feature {number}": number / 7 for number in range(30)}
        new = [NewItem(external_id=f"case-{number}", data=data) for number in range(ITEMS)]
        item, *_ = self.storage.write(lambda uow: self.datasets.put_items(uow, RULE, scope, new))
        prediction = {"value": "benign", "score": 0.71, "scores": {"benign": 0.71, "malignant": 0.29}, "top": []}
        first = NewTask(
            kind="review", question="diagnosis", item_id=item.id, payload={"prediction": prediction}, reason="low score"
        )
        self.storage.write(lambda uow: self.tasks.open(uow, RULE, scope, first))
        first_item = self.storage.read(lambda uow: self.datasets.last_seq(uow, scope)) - ITEMS + 1
        self.storage.write(
            lambda uow: uow.run(_FILL, project=scope.project_id, last=count - 1, prefix=f"{count:08x}", item=first_item)
        )
        self.storage.write(lambda uow: uow.run(_COUNT, project=scope.project_id, number=count))
        return scope


def limit_ms(path: Path, scope: Scope, claims: int) -> float:
    """Return CPU milliseconds of the bare statement, in transactions of 64, on the same database and settings."""
    connection: sqlite3.Connection = connect(str(path))
    began = time.process_time()
    for start in range(0, claims, GROUP):
        connection.execute("BEGIN IMMEDIATE")
        for number in range(start, min(start + GROUP, claims)):
            values = (f"limit-{number}", 1 << 52, scope.project_id)
            assert len(connection.execute(LIMIT, values).fetchall()) == BATCH
        connection.execute("COMMIT")
    taken = time.process_time() - began
    connection.close()
    return taken / claims * 1000
