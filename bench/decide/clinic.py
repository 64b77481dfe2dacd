"""A home that decides: breast masses, a champion trained on a few, and a certificate that people's labels gave."""

from __future__ import annotations

import random
import time
from functools import cache
from pathlib import Path
from typing import Any

from sklearn.datasets import load_breast_cancer

from handrail.app import Handrail
from handrail.cycle.datasets import Field, NewItem, NewLabel, Question, Schema
from handrail.cycle.review import Policy, Request
from handrail.cycle.tasks import LEAD, Answered, Verb
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.settings import Settings
from handrail.foundation.storage import UnitOfWork

QUESTION = "diagnosis"
PERSON = Actor(kind="simulated", id="dr-1", name="Dr. One", permissions=frozenset({"*"}))
TRAIN, CERTIFY, ARCHIVE = 60, 60, 300
_SETTLE_S = 60


@cache
def cases() -> list[tuple[dict[str, float], str]]:
    """Return every case with its recorded diagnosis, in a fixed random order."""
    data = load_breast_cancer()
    made = [
        (dict(zip(map(str, data.feature_names), map(float, row), strict=True)), "benign" if value else "malignant")
        for row, value in zip(data.data, data.target, strict=True)
    ]
    random.Random(7).shuffle(made)
    return made


def request(name: str, number: int) -> Request:
    """Return a request about an item that has not been seen, one of the cases after the archive."""
    stream = cases()[ARCHIVE:]
    return Request(f"{name}-{number}", stream[number % len(stream)][0], f"{name}-{number}")


def settings(folder: Path) -> Settings:
    """Return the settings of a home in a folder."""
    return Settings(home=folder)


def prepare(system: Handrail) -> Scope:
    """Go through the cycle until automation is on, and return the project."""
    schema = Schema(
        tuple(Field(name=name, type="number") for name in cases()[0][0]),
        (Question(name=QUESTION, type="choice", choices=("malignant", "benign")),),
    )
    project = system.storage.write(lambda uow: system.datasets.create_project(uow, PERSON, "clinic", schema))
    scope = Scope(project.id)
    new = [NewItem(external_id=f"archive-{place}", data=data) for place, (data, _) in enumerate(cases()[:ARCHIVE])]
    items = system.storage.write(lambda uow: system.datasets.put_items(uow, PERSON, scope, new))
    truth = {item.id: diagnosis for item, (_, diagnosis) in zip(items, cases(), strict=False)}
    system.review.activate_policy(PERSON, scope, Policy(question=QUESTION, alpha=0.1, delta=0.2, audit_rate=0.1))
    system.storage.write(lambda uow: _label(system, uow, scope, dict(list(truth.items())[:TRAIN])))
    system.pipelines.retrain(PERSON, scope, QUESTION)
    _settle(system)
    _answer(system, scope, "sign", {})
    _settle(system)
    system.review.plan_certificate(PERSON, scope, labels=CERTIFY)
    _answer(system, scope, "label", truth)
    _settle(system)
    oversight = system.storage.read(lambda uow: system.review.oversight(uow, scope))
    assert oversight is not None
    assert oversight.control.state == "auto", oversight.control
    return scope


def _label(system: Handrail, uow: UnitOfWork, scope: Scope, values: dict[str, str]) -> None:
    for item, value in values.items():
        drawn: dict[str, Any] = {"source": "draw", "purpose": "train", "probability": 1.0}
        system.datasets.put_label(uow, PERSON, scope, NewLabel(item_id=item, question=QUESTION, value=value, **drawn))


def _answer(system: Handrail, scope: Scope, verb: Verb, truth: dict[str, str]) -> None:
    """Answer every open task that waits for this verb."""
    kinds = ("sign_off",) if verb == "sign" else ("label",)

    def unit(uow: UnitOfWork) -> int:
        claimed = system.tasks.claim(uow, PERSON, scope, n=5, kinds=kinds, skills=("", LEAD))
        for task in claimed:
            given = Answered(value=truth.get(str(task.item_id)), verb=verb)
            system.tasks.answer(uow, PERSON, scope, task.id, given)
        return len(claimed)

    while system.storage.write(unit):
        pass


def _settle(system: Handrail) -> None:
    """Let the loop react until nothing is left to do."""
    ends = time.monotonic() + _SETTLE_S
    while time.monotonic() < ends:
        if system.loop.tick() == 0 and system.loop.settled():
            return
        time.sleep(0.02)
    raise RuntimeError("the loop does not come to rest")
