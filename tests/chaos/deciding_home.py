"""A home whose server decides: breast masses, a trained champion under a certificate, and a machine's token."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from handrail.app import Handrail, running
from handrail.cycle.datasets import Field, NewItem, NewLabel, Question, Schema
from handrail.cycle.review.policy import Policy, Rule
from handrail.cycle.tasks.model import LEAD, Answered
from handrail.foundation.actors import Scope
from handrail.foundation.settings import Settings
from handrail.foundation.storage import UnitOfWork
from tests.integration.cycle.breast_mass import PERSON, QUESTION, cases

TRAIN, CERTIFY, ARCHIVE = 60, 60, 300
_SETTLE_S = 60


@dataclass(frozen=True)
class DecidingHome:
    """A home folder, its database when that is not in the folder, its project and a token that may decide."""

    folder: Path
    database_url: str | None
    project_id: str
    token: str

    def copy(self, folder: Path, database_url: str | None) -> DecidingHome:
        """Return the same home in another place, with the copy of its database that the caller made."""
        shutil.copytree(self.folder, folder)
        return DecidingHome(folder, database_url, self.project_id, self.token)

    def settings(self) -> Settings:
        """Return the settings of this home."""
        return Settings(home=self.folder, database_url=self.database_url)  # type: ignore[arg-type]  # pydantic wraps it


def prepare(folder: Path, database_url: str | None) -> DecidingHome:
    """Play the cycle up to a certificate: then a case is automatic unless it is unsure or large."""
    settings = Settings(home=folder, database_url=database_url)  # type: ignore[arg-type]
    with running(settings, seed=7) as system:
        scope = _project(system)
        _first_labels(system, scope)
        system.pipelines.retrain(PERSON, scope, QUESTION)
        _settle(system)
        _answer(system, scope, "sign", {})
        _certify(system, scope)
        oversight = system.storage.read(lambda uow: system.review.oversight(uow, scope))
        assert oversight is not None
        assert oversight.control.state == "auto", oversight
        _, token = system.identity.tokens.make(system.identity.local(), "ward", "machine")
    return DecidingHome(folder, database_url, scope.project_id, token)


def _project(system: Handrail) -> Scope:
    fields = tuple(Field(name=name, type="number") for name in cases()[0])
    question = Question(name=QUESTION, type="choice", choices=("malignant", "benign"))
    made = system.storage.write(
        lambda uow: system.datasets.create_project(uow, PERSON, "ward", Schema(fields, (question,)))
    )
    scope = Scope(made.id)
    new = [NewItem(external_id=f"archive-{place}", data=data) for place, (data, _) in enumerate(cases()[1][:ARCHIVE])]
    system.storage.write(lambda uow: system.datasets.put_items(uow, PERSON, scope, new))
    large = Rule(name="large", when='item["mean radius"] > 15.0', then="human", reason="a large mass")
    policy = Policy(question=QUESTION, alpha=0.1, delta=0.2, rules=(large,), audit_rate=0.2)
    system.review.activate_policy(PERSON, scope, policy)
    return scope


def _first_labels(system: Handrail, scope: Scope) -> None:
    truth = _truth(system, scope)

    def unit(uow: UnitOfWork) -> None:
        for item_id in list(truth)[:TRAIN]:
            new = NewLabel(
                item_id=item_id,
                question=QUESTION,
                value=truth[item_id],
                source="draw",
                purpose="train",
                probability=1.0,
            )
            system.datasets.put_label(uow, PERSON, scope, new)

    system.storage.write(unit)


def _certify(system: Handrail, scope: Scope) -> None:
    _settle(system)
    system.review.plan_certificate(PERSON, scope, labels=CERTIFY)
    _answer(system, scope, "label", _truth(system, scope))
    _settle(system)


def _truth(system: Handrail, scope: Scope) -> dict[str, str]:
    page = system.storage.read(lambda uow: system.datasets.items(uow, scope, limit=ARCHIVE))
    return {item.id: cases()[1][int(item.external_id.removeprefix("archive-"))][1] for item in page.items}


def _answer(system: Handrail, scope: Scope, verb: Literal["sign", "label"], truth: dict[str, str]) -> None:
    """Answer every task that waits for this verb."""

    def unit(uow: UnitOfWork) -> int:
        kinds = ("sign_off",) if verb == "sign" else ("label",)
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
    raise AssertionError("the loop does not come to rest")
