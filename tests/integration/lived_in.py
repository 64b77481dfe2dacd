"""A home in which something has happened: a model of real data, decisions, answers of people, a planned certificate."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from handrail.app import Handrail
from handrail.cycle.datasets import Field, NewItem, NewLabel, Question, Schema
from handrail.cycle.review.model import Request
from handrail.cycle.review.policy import Policy
from handrail.cycle.tasks import Answered, Verb
from handrail.foundation.actors import Actor, Scope
from tests.integration.cycle.breast_mass import QUESTION, cases

LEAD = Actor(kind="simulated", id="dr-1", name="Dr. One", permissions=frozenset({"*"}))
SERVICE = Actor(kind="machine", id="token-1", name="service", permissions=frozenset({"*"}))


@dataclass(frozen=True)
class Lived:
    """The project and what was decided in it."""

    scope: Scope
    decisions: tuple[str, ...]
    model: str


def live(system: Handrail, name: str = "clinic", *, decisions: int = 6, model: bool = True) -> Lived:
    """Label, commit, train, promote, decide, and let a simulated person answer half of what was sent to people."""
    fields, rows = cases()
    schema = Schema(
        tuple(Field(name=field, type="number") for field in fields),
        (Question(name=QUESTION, type="choice", choices=("malignant", "benign")),),
    )
    storage, datasets = system.storage, system.datasets
    project = storage.write(lambda uow: datasets.create_project(uow, LEAD, name, schema))
    scope = Scope(project.id)
    new = [NewItem(external_id=f"case-{place}", data=data) for place, (data, _) in enumerate(rows[:70])]
    items = storage.write(lambda uow: datasets.add_items(uow, LEAD, scope, new))

    for item, (_, value) in zip(items[:60], rows, strict=False):
        label = NewLabel(item.id, QUESTION, value, "draw", "train", probability=0.5)
        storage.write(lambda uow, label=label: datasets.put_label(uow, LEAD, scope, label))
    made = datasets.commit(LEAD, scope, "labels")
    assert made is not None
    model_id = ""
    if model:
        model_id = system.train.fit(LEAD, scope, made.id, question=QUESTION).id
        storage.write(lambda uow: system.train.set_champion(uow, LEAD, scope, model_id))
    system.review.activate_policy(LEAD, scope, Policy(question=QUESTION))
    if model:
        storage.write(lambda uow: system.review.promoted(uow, LEAD, scope, model_id))
        system.review.plan_certificate(LEAD, scope, labels=5)
    wanted = [Request(f"new-{place}", rows[100 + place][0], f"key-{place}") for place in range(decisions)]
    decided = asyncio.run(system.review.decide_many(SERVICE, scope, wanted))
    ids = tuple(one.id for one in decided if not isinstance(one, Exception))
    assert len(ids) == decisions, decided
    for task in storage.read(lambda uow: system.tasks.open_tasks(uow, scope, kinds=["review"])).items[: decisions // 2]:
        verb: Verb = "label" if task.blind or not model else "correct"
        given = Answered("benign", verb, "looks harmless")
        storage.write(lambda uow, task=task, given=given: system.tasks.answer(uow, LEAD, scope, task.id, given))
    return Lived(scope, ids, model_id)
