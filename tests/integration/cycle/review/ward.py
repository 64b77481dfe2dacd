"""A clinic in which a model decides, people answer and the brake holds, tied together as the server ties it."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from handrail.app import _tie
from handrail.cycle.annotate import Annotate
from handrail.cycle.govern import Govern
from handrail.cycle.govern.lineage import Lineage
from handrail.cycle.govern.recalling import Recalling
from handrail.cycle.monitor import Monitor
from handrail.cycle.review import Review
from handrail.cycle.review.certificates.row import CertificateRow
from handrail.cycle.review.model import Decision, Request
from handrail.cycle.review.policy import Policy
from handrail.cycle.review.service import Oversight
from handrail.cycle.tasks import Answer, Answered, Task
from handrail.cycle.train import ModelVersion
from handrail.cycle.train.model import NewModel
from handrail.foundation.actors import Actor
from handrail.foundation.clock import Clock, FixedClock
from handrail.foundation.ids import Ids
from handrail.foundation.journal.checkpoint import Signer
from handrail.foundation.journal.proofs import Prover
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import open_storage
from tests.integration.cycle.breast_mass import MACHINE, PERSON, QUESTION, Clinic, cases

OTHER = {"malignant": "benign", "benign": "malignant"}
UNSURE = (273, 321, 330, 432)
"""Cases whose score lies under the threshold of `Ward.automatic`; of 260 to 459 all others lie above."""
TRAIN = 60
"""Cases that a shared model learned from: the first model from 0 on, the second from TRAIN on."""


def doctor(name: str) -> Actor:
    return Actor(kind="person", id=f"p-{name}", name=f"Dr. {name}", permissions=frozenset({"*"}))


ANNA, BEN, CARA = doctor("Anna"), doctor("Ben"), doctor("Cara")


@dataclass(frozen=True)
class Trained:
    """A model that was trained once for the whole test run, with the bytes of its files."""

    made: NewModel
    artefact: bytes
    out_of_fold: bytes


@cache
def trained(number: int) -> Trained:
    """Train on 60 cases, for real, once."""
    clock = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))
    with tempfile.TemporaryDirectory() as folder:
        home, randomness = Path(folder), Randomness(seed=number)
        storage = open_storage(f"sqlite:///{home / 'handrail.db'}")
        clinic = Clinic.open(storage, clock, Ids(clock, randomness), randomness, home)
        try:
            clinic.label(clinic.bring(TRAIN * number, TRAIN), "train")
            model = clinic.train.fit(PERSON, clinic.scope, clinic.commit(), question=QUESTION)
            names = NewModel.__dataclass_fields__
            made = NewModel(**{name: getattr(model, name) for name in names})
            return Trained(made, clinic.blobs.get(model.digest), clinic.blobs.get(model.out_of_fold))
        finally:
            clinic.compute.close()
            storage.close()


class Ward:
    """The stages from annotating to governing over a clinic, and the people who work there."""

    def __init__(self, clinic: Clinic, clock: Clock, ids: Ids, randomness: Randomness, home: Path) -> None:
        self.clinic, self.clock = clinic, clock
        self.storage, self.scope, self.tasks = clinic.storage, clinic.scope, clinic.tasks
        below = (clinic.storage, clinic.journal, clock, ids, randomness, clinic.datasets, clinic.tasks)
        self.annotate = Annotate(*below)
        self.review = Review(*below, self.annotate, clinic.train, clinic.blobs)
        self.monitor = Monitor(clinic.storage, clinic.journal, clock, ids, clinic.datasets, self.review)
        (home / "keys").mkdir(exist_ok=True)
        self.prover = Prover(clinic.storage, clinic.journal, clock, Signer.of_home(home / "keys"))
        lineage = Lineage(clinic.datasets, clinic.train, self.review)
        self.recalling = Recalling(clinic.storage, clinic.datasets, clinic.tasks, self.annotate, lineage)
        self.govern = Govern(
            clinic.storage,
            clinic.journal,
            self.prover,
            clock,
            clinic.datasets,
            clinic.tasks,
            clinic.train,
            self.review,
        )
        _tie(clinic.tasks, self.annotate, self.review, clinic.evaluate)

    # Setting up

    def policy(self, *, loosens: bool = False, **more: Any) -> str:
        return self.review.activate_policy(PERSON, self.scope, Policy(question=QUESTION, **more), loosens=loosens)

    def model(self, number: int = 0) -> ModelVersion:
        """Keep a shared model as a candidate, with the commit of its rows."""
        items = self.clinic.bring(TRAIN * number, TRAIN)
        self.clinic.label(items, "train")
        found = trained(number)
        for content, digest in ((found.artefact, found.made.digest), (found.out_of_fold, found.made.out_of_fold)):
            assert self.clinic.blobs.put(content) == digest
        rows = self.clinic.blobs.put(json.dumps(items).encode())
        made = replace(found.made, commit_id=self.clinic.commit(), rows=rows)
        return self.storage.write(lambda uow: self.clinic.train._keep(uow, PERSON, self.scope, made))

    def promote(self, model: ModelVersion) -> None:
        """Make a model the champion and take it into use, as the loop does after a signature."""
        self.storage.write(lambda uow: self.clinic.train.set_champion(uow, PERSON, self.scope, model.id))
        self.storage.write(lambda uow: self.review.promoted(uow, PERSON, self.scope, model.id))

    def champion(self, number: int = 0) -> ModelVersion:
        made = self.model(number)
        self.promote(made)
        return made

    def certified(self, *, labels: int = 40, alpha: float = 0.1, pool: int = 140, start: int = 120) -> CertificateRow:
        """Bring a pool, let people label what is drawn from it, and return what the labels say."""
        self.clinic.bring(start, pool)
        planned = self.review.plan_certificate(PERSON, self.scope, labels=labels, alpha=alpha)
        self.label_drawn()
        return self.review.complete_certificate(PERSON, self.scope, planned.id)

    def automatic(self, **more: Any) -> CertificateRow:
        """Put a policy, a model and a certificate into force."""
        self.policy(**more)
        self.champion()
        found = self.certified()
        assert found.status == "certified", found.document
        return found

    # People

    def label_drawn(self, *, wrong: int = 0) -> int:
        """Answer every open label task from the record, the first `wrong` of them with the other value."""
        done = 0
        for one in self.open_tasks("label"):
            assert one.item_id is not None
            value = self.clinic.truth[one.item_id]
            self.answer(one.id, OTHER[value] if done < wrong else value, "label")
            done += 1
        return done

    def open_tasks(self, *kinds: str) -> list[Task]:
        page = self.storage.read(lambda uow: self.tasks.open_tasks(uow, self.scope, None, 1000, kinds or None))
        return list(page.items)

    def answer(self, task_id: str, value: Any, verb: Any, who: Actor = ANNA, reason: str = "") -> Answer:
        given = Answered(value, verb, reason)
        return self.storage.write(lambda uow: self.tasks.answer(uow, who, self.scope, task_id, given))

    def expire(self) -> int:
        now = self.clock.now()
        return self.storage.write(lambda uow: self.tasks.expire(uow, now))

    # Deciding

    def request(self, case: int, key: str | None = None, **more: Any) -> Request:
        data, _ = cases()[1][case]
        values = {"external_id": f"case-{case:04}", "data": data, "idempotency_key": key or f"key-{case}"}
        return Request(**{**values, **more})

    async def decide(self, case: int, key: str | None = None, **more: Any) -> Decision:
        made = await self.review.decide(MACHINE, self.scope, self.request(case, key, **more))
        self.clinic.truth.setdefault(made.item_id, cases()[1][case][1])
        return made

    # Looking

    def oversight(self) -> Oversight:
        found = self.storage.read(lambda uow: self.review.oversight(uow, self.scope))
        assert found is not None
        return found

    def state(self) -> str:
        return self.oversight().control.state

    def decision(self, decision_id: str) -> Decision:
        return self.storage.read(lambda uow: self.review.decision(uow, self.scope, decision_id))

    def decisions(self) -> list[Decision]:
        return self.storage.read(lambda uow: self.review.decisions(uow, self.scope, limit=10_000))

    def task(self, task_id: str | None) -> Task:
        assert task_id is not None
        return self.storage.read(lambda uow: self.tasks.task(uow, self.scope, task_id))

    def labels(self) -> dict[str, Any]:
        """Return the current label of each item."""
        found = self.storage.read(lambda uow: self.clinic.datasets.labels(uow, self.scope, question=QUESTION))
        return {one.item_id: one for one in found}

    def entries(self, verb: str) -> list[dict[str, Any]]:
        return self.clinic.entries(verb)
