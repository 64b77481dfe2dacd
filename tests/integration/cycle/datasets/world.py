"""One project on one database, as the tests of datasets use it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handrail.cycle.datasets import Datasets, Field, NewItem, NewLabel, Project, Question, Schema
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import FixedClock
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import Storage

SCHEMA = Schema(
    fields=(
        Field(name="area", type="number", title="Area", unit="mm²", low=100, high=900, min=0),
        Field(name="note", type="text", required=False),
        Field(name="ward", type="category", values=("north", "south"), required=False),
        Field(name="seen", type="time", required=False),
        Field(name="urgent", type="boolean", required=False),
    ),
    questions=(
        Question(name="diagnosis", type="choice", choices=("benign", "malignant")),
        Question(name="grade", type="number", min=1, max=3),
        Question(name="remark", type="text"),
    ),
)
ANNA = Actor(kind="person", id="p-anna", name="Anna")


@dataclass
class World:
    """One project on one database, with shorthand for what tests do again and again."""

    storage: Storage
    datasets: Datasets
    clock: FixedClock
    folder: Path
    project: Project

    @property
    def scope(self) -> Scope:
        return Scope(self.project.id)

    @property
    def files(self) -> Path:
        return self.folder / self.project.id

    def put(self, *areas: float, prefix: str = "case") -> list[Any]:
        items = [NewItem(external_id=f"{prefix}-{area:g}", data={"area": area}) for area in areas]
        return self.storage.write(lambda uow: self.datasets.put_items(uow, ANNA, self.scope, items))

    def label(self, item_id: str, value: Any, question: str = "diagnosis", **more: Any) -> Any:
        given = {"source": "review", "purpose": "train", **more}
        new = NewLabel(item_id=item_id, question=question, value=value, **given)
        return self.storage.write(lambda uow: self.datasets.put_label(uow, ANNA, self.scope, new))


def make(storage: Storage, clock: FixedClock, folder: Path, name: str = "breast", schema: Schema = SCHEMA) -> World:
    randomness = Randomness(seed=7)
    ids = Ids(clock, randomness)
    datasets = Datasets(storage, Journal(clock, ids, randomness), clock, ids, randomness, folder)
    project = storage.write(lambda uow: datasets.create_project(uow, ANNA, name, schema, "Breast mass"))
    return World(storage, datasets, clock, folder, project)
