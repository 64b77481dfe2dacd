"""A project with the breast-mass data, its services, and people who answer from the record."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, select

from handrail.cycle.datasets import Datasets, Field, NewItem, NewLabel, Question, Schema
from handrail.cycle.evaluate import Evaluate
from handrail.cycle.feedback import Feedback
from handrail.cycle.tasks import Tasks
from handrail.cycle.train import Train
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.blobs import Blobs
from handrail.foundation.clock import Clock
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.journal.store import entry, payload
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import Storage
from handrail.foundation.work.compute import Compute

QUESTION = "diagnosis"
PERSON = Actor(kind="simulated", id="dr-1", name="Dr. One", permissions=frozenset({"*"}))
MACHINE = Actor(kind="machine", id="token-1", name="service", permissions=frozenset({"*"}))


@cache
def cases() -> tuple[tuple[str, ...], tuple[tuple[dict[str, float], str], ...]]:
    """Return the field names and every case with its recorded diagnosis, in a fixed random order."""
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    names = tuple(str(name) for name in data.feature_names)
    made = [
        (dict(zip(names, map(float, row), strict=True)), "malignant" if value == 0 else "benign")
        for row, value in zip(data.data, data.target, strict=True)
    ]
    random.Random(7).shuffle(made)
    return names, tuple(made)


@dataclass
class Clinic:
    """The services of one home and the project in it."""

    storage: Storage
    journal: Journal
    datasets: Datasets
    tasks: Tasks
    train: Train
    evaluate: Evaluate
    feedback: Feedback
    compute: Compute
    blobs: Blobs
    scope: Scope
    truth: dict[str, str]

    @classmethod
    def open(
        cls, storage: Storage, clock: Clock, ids: Ids, randomness: Randomness, home: Path, *, name: str = "clinic"
    ) -> Clinic:
        """Open the services over a home; the project is made when it is not there."""
        journal = Journal(clock, ids, randomness)
        blobs = Blobs(home / "blobs")
        compute = Compute(workers=1, memory_limit_mb=1500, timeout_s=120)
        datasets = Datasets(storage, journal, clock, ids, randomness, home / "datasets")
        tasks = Tasks(journal, clock, ids, datasets)
        train = Train(storage, journal, clock, ids, blobs, compute, datasets)
        evaluate = Evaluate(storage, journal, clock, ids, datasets, train, tasks)
        tasks.on_answer("sign_off", evaluate.on_sign_off)
        feedback = Feedback(storage, journal, clock, datasets)
        known = [one for one in storage.read(datasets.projects) if one.name == name]
        if known:
            project = known[0]
        else:
            fields = tuple(Field(name=field, type="number") for field in cases()[0])
            question = Question(name=QUESTION, type="choice", choices=("malignant", "benign"))
            schema = Schema(fields, (question,))
            project = storage.write(lambda uow: datasets.create_project(uow, PERSON, name, schema))
        return cls(storage, journal, datasets, tasks, train, evaluate, feedback, compute, blobs, Scope(project.id), {})

    def bring(self, start: int, count: int) -> list[str]:
        """Put cases in and return the ids of their items."""
        chosen = cases()[1][start : start + count]
        new = [NewItem(external_id=f"case-{start + place:04}", data=data) for place, (data, _) in enumerate(chosen)]
        made = self.storage.write(lambda uow: self.datasets.put_items(uow, PERSON, self.scope, new))
        for item, (_, diagnosis) in zip(made, chosen, strict=True):
            self.truth[item.id] = diagnosis
        return [item.id for item in made]

    def label(self, items: list[str], purpose: Any, *, wrong: int = 0) -> None:
        """Give each item its recorded diagnosis, the first `wrong` of them the other one."""
        other = {"malignant": "benign", "benign": "malignant"}

        def unit(uow: Any) -> None:
            for place, item in enumerate(items):
                value = other[self.truth[item]] if place < wrong else self.truth[item]
                new = NewLabel(
                    item_id=item, question=QUESTION, value=value, source="draw", purpose=purpose, probability=0.5
                )
                self.datasets.put_label(uow, PERSON, self.scope, new)

        self.storage.write(unit)

    def commit(self, message: str = "labels") -> str:
        """Commit what waits and return the commit's id."""
        made = self.datasets.commit(PERSON, self.scope, message)
        assert made is not None
        return made.id

    def entries(self, verb: str) -> list[dict[str, Any]]:
        """Return objects and payload of the journal's entries of a verb, oldest first."""
        query = (
            select(entry.c.objects, payload.c.content)
            .join(payload, payload.c.entry_id == entry.c.id)
            .where(entry.c.verb == bindparam("by_verb"))
            .order_by(entry.c.seq)
        )
        rows = self.storage.read(lambda uow: uow.run(query, by_verb=verb).all())
        return [json.loads(objects) | json.loads(content) for objects, content in rows]
