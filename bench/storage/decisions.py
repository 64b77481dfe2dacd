"""The rows of one decision that waits for a person, written as decide() writes them: decision, task, journal, payload.

The item, the sign-in and the model are not part of it; bench/decide measures the whole.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from handrail.cycle.datasets import Datasets, Field, NewItem, Question, Schema
from handrail.cycle.review import Decision, Given, store
from handrail.cycle.review.events import Decided
from handrail.cycle.tasks import NewTask, Task, Tasks
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.canonical import encode
from handrail.foundation.clock import SystemClock
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import Storage, UnitOfWork, open_storage
from handrail.foundation.storage.sqlite import connect

SCHEMA = Schema(
    fields=tuple(Field(name=f"feature {number}", type="number") for number in range(30)),
    questions=(Question(name="diagnosis", type="choice", choices=("benign", "malignant")),),
)
SERVICE = Actor(kind="machine", id="0190cccc-0000-7000-8000-000000000000", name="clinic service")
GIVEN = Given(
    "benign",
    0.7134225,
    {"benign": 0.7134225, "malignant": 0.2865775},
    tuple((f"feature {number}", 0.123456789 / (number + 1)) for number in range(5)),
)
REASON = "the score 0.713 is under the certified threshold 0.954"
DAY = 20260301
GROUP = 64
TABLES = ("decision", "task", "journal_entry", "journal_payload")
_KEPT_COUNT = (
    "INSERT INTO task_count (project_id, kind, skill, status, tasks, slot) VALUES (?, 'review', '', 0, ?, 0)"
    " ON CONFLICT (project_id, kind, skill, status, slot) DO UPDATE SET tasks = task_count.tasks + excluded.tasks"
)


class Decisions:
    """The services over one database, and a project with one item."""

    def __init__(self, url: str, folder: Path) -> None:
        self.clock, randomness = SystemClock(), Randomness(seed=7)
        self.ids = Ids(self.clock, randomness)
        self.journal = Journal(self.clock, self.ids, randomness)
        self.storage: Storage = open_storage(url)
        datasets = Datasets(self.storage, self.journal, self.clock, self.ids, randomness, folder)
        self.tasks = Tasks(self.journal, self.clock, self.ids, datasets)
        project = self.storage.write(lambda uow: datasets.create_project(uow, SERVICE, "clinic", SCHEMA))
        self.scope = Scope(project.id)
        data = {f"feature {number}": number / 7 for number in range(30)}
        new = NewItem(external_id="case-1", data=data)
        self.item = self.storage.write(lambda uow: datasets.put_items(uow, SERVICE, self.scope, [new]))[0].id
        self.policy, self.model = self.ids.new(), self.ids.new()

    def units(self, name: str, count: int) -> list[Callable[[UnitOfWork], None]]:
        """Return the units of work of decisions; what routing has made by then is ready in each."""
        return [self._unit(f"{name}-{number}") for number in range(count)]

    def _unit(self, key: str) -> Callable[[UnitOfWork], None]:
        prediction = GIVEN.to_dict()
        new = NewTask(
            kind="review",
            question="diagnosis",
            item_id=self.item,
            decision_id=self.ids.new(),
            payload={"prediction": prediction},
            reason=REASON,
        )

        def record(uow: UnitOfWork) -> None:
            text = encode(prediction)
            task = self.tasks.open(uow, SERVICE, self.scope, new, payload=f'{{"prediction":{text}}}')
            made = self._decision(task, prediction)
            store.insert_decision(
                uow, self.scope, made, key=key, request_hash="0" * 64, day=DAY, prediction=text, state="auto"
            )
            self.journal.append(uow, SERVICE, self.scope.project_id, Decided.of(made, DAY))

        return record

    def _decision(self, task: Task, prediction: dict[str, Any]) -> Decision:
        assert task.decision_id is not None
        return Decision(
            id=task.decision_id,
            project_id=self.scope.project_id,
            item_id=self.item,
            question="diagnosis",
            status="pending",
            route="human",
            value=None,
            by_kind="policy",
            by_id=self.policy,
            score=GIVEN.score,
            prediction=prediction,
            reasons=(REASON,),
            certificate_id=None,
            policy_id=self.policy,
            model_id=self.model,
            commit_id="0" * 64,
            audit_probability=0.0,
            audited=False,
            task_id=task.id,
            created_at=self.clock.now(),
            decided_at=None,
            expires_at=None,
            on_deadline="hold",
        )


async def by_callers(storage: Storage, callers: int, units: Sequence[Callable[[UnitOfWork], Any]]) -> None:
    """Let callers on this event loop each write their share of the units, one after the other."""

    async def one(number: int) -> None:
        for unit in units[number::callers]:
            await storage.awrite(unit)

    await asyncio.gather(*[one(number) for number in range(callers)])


def by_threads(storage: Storage, callers: int, units: Sequence[Callable[[UnitOfWork], Any]]) -> None:
    """The same with callers in threads."""

    def one(number: int) -> None:
        for unit in units[number::callers]:
            storage.write(unit)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Bare:
    """Plain sqlite3 on a database of the same tables, indexes, triggers and settings: the limit."""

    def __init__(self, path: Path) -> None:
        open_storage(f"sqlite:///{path}").close()
        self._connection: sqlite3.Connection = connect(str(path))

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def write(self, rows: Sequence[tuple[tuple[Any, ...], ...]], columns: Sequence[Sequence[str]]) -> None:
        """Insert the rows of decisions, one of each table, in transactions of 64 decisions."""
        sql = [
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
            for table, names in zip(TABLES, columns, strict=True)
        ]
        execute = self._connection.execute
        project = rows[0][0][columns[0].index("project_id")]
        for start in range(0, len(rows), GROUP):
            execute("BEGIN IMMEDIATE")
            group = rows[start : start + GROUP]
            for each in group:
                for statement, row in zip(sql, each, strict=True):
                    execute(statement, row)
            execute(_KEPT_COUNT, (project, len(group)))
            execute("COMMIT")


def rows_of(path: Path, last: int) -> tuple[list[tuple[tuple[Any, ...], ...]], list[list[str]]]:
    """Return the rows of the last decisions, one of each table, and the columns of the tables."""
    connection = connect(str(path), read_only=True)
    names = [
        [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[1] != "seq"] for table in TABLES
    ]
    tables: list[list[tuple[Any, ...]]] = []
    for table, columns in zip(TABLES, names, strict=True):
        order = "entry_id" if table == "journal_payload" else "id"
        read = f"SELECT {', '.join(columns)} FROM {table} ORDER BY {order} DESC LIMIT {last}"
        tables.append(connection.execute(read).fetchall()[::-1])
    connection.close()
    assert all(len(rows) == last for rows in tables)
    return list(zip(*tables, strict=True)), names
