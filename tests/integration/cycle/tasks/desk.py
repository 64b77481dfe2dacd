"""One project with its queue on one database, as the tests of tasks and annotating use it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, func, select

from handrail.cycle.annotate import Annotate
from handrail.cycle.datasets import Datasets, Field, NewItem, Question, Schema
from handrail.cycle.tasks import Answer, Answered, NewTask, Task, Tasks, store
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import Storage

QUESTION = "kind"
SCHEMA = Schema(
    fields=(Field(name="size", type="number"),),
    questions=(
        Question(name=QUESTION, type="choice", choices=("a", "b")),
        Question(name="grade", type="number", min=1, max=3),
    ),
)
RULE = Actor.rule("test")
MACHINE = Actor(kind="machine", id="m-1", name="Service")


def person(name: str) -> Actor:
    return Actor(kind="person", id=name, name=name.title())


ANNA, BEN, CARA = person("anna"), person("ben"), person("cara")


class Desk:
    """A project, its items and its queue."""

    def __init__(self, storage: Storage, clock: Clock, folder: Path, *, name: str = "desk", seed: int = 7) -> None:
        randomness = Randomness(seed=seed)
        ids = Ids(clock, randomness)
        self.storage, self.clock = storage, clock
        self.journal = Journal(clock, ids, randomness)
        self.datasets = Datasets(storage, self.journal, clock, ids, randomness, folder)
        self.tasks = Tasks(self.journal, clock, ids, self.datasets)
        self.annotate = Annotate(storage, self.journal, clock, ids, randomness, self.datasets, self.tasks)
        self.tasks.on_answer("label", self.annotate.on_label)
        project = storage.write(lambda uow: self.datasets.create_project(uow, RULE, name, SCHEMA))
        self.scope = Scope(project.id)

    def bring(self, count: int, prefix: str = "case") -> list[str]:
        """Put items in and return their ids."""
        new = [NewItem(external_id=f"{prefix}-{number}", data={"size": float(number)}) for number in range(count)]
        made = self.storage.write(lambda uow: self.datasets.put_items(uow, RULE, self.scope, new))
        return [one.id for one in made]

    def open(self, **more: Any) -> Task:
        new = NewTask(**{"kind": "review", "question": QUESTION, **more})
        return self.storage.write(lambda uow: self.tasks.open(uow, RULE, self.scope, new))

    def claim(self, who: Actor, n: int = 1, **more: Any) -> list[Task]:
        return self.storage.write(lambda uow: self.tasks.claim(uow, who, self.scope, n=n, **more))

    def answer(self, who: Actor, task_id: str, value: Any = "a", verb: Any = "label", **more: Any) -> Answer:
        given = Answered(value, verb, **more)
        return self.storage.write(lambda uow: self.tasks.answer(uow, who, self.scope, task_id, given))

    def task(self, task_id: str) -> Task:
        return self.storage.read(lambda uow: self.tasks.task(uow, self.scope, task_id))

    def counts(self) -> dict[str, dict[str, int]]:
        return self.storage.read(lambda uow: self.tasks.counts(uow, self.scope))  # type: ignore[return-value]

    def counted_again(self) -> dict[str, dict[str, int]]:
        """Return what counting every task gives."""
        table = store.task
        query = (
            select(table.c.kind, table.c.status, func.count())
            .where(table.c.project_id == bindparam("project"))
            .group_by(table.c.kind, table.c.status)
        )
        found: dict[str, dict[str, int]] = {}
        for kind, status, number in self.storage.read(lambda uow: uow.run(query, project=self.scope.project_id).all()):
            found.setdefault(kind, {})[store.STATUSES[status]] = number
        return found
