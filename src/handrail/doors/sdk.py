"""The Python door. Today it opens a home in this process; the same calls over HTTP come with the server.

with handrail.connect("handrail-data") as client:
    client.create_project("triage", schema)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, Self

from handrail import app
from handrail.cycle.annotate import Draw
from handrail.cycle.datasets import Commit, NewItem, Project, Schema
from handrail.cycle.monitor import Alarm
from handrail.cycle.review import Decision, Policy, Request
from handrail.cycle.tasks import Answer, Answered, Task
from handrail.cycle.tasks.model import Verb
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import SystemClock
from handrail.foundation.errors import Broken, Forbidden, HandrailError
from handrail.foundation.home import Home
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.journal.checkpoint import Signer
from handrail.foundation.journal.proofs import Prover, Verified
from handrail.foundation.randomness import Randomness
from handrail.foundation.settings import load
from handrail.foundation.storage import open_storage

_LOCAL = Actor(kind="machine", id="local", name="this computer", permissions=frozenset({"*"}))


class NotADemonstration(Forbidden):
    """Simulated people act in demonstration homes only."""

    code = "identity.not_a_demonstration"


class DidNotSettle(Broken):
    """What was started did not end in time."""

    code = "client.did_not_settle"


def connect(home: str | Path, *, demo: bool | None = None, seed: int | None = None) -> Client:
    """Open a home folder in this process and return a client that acts as this computer (a machine, never a person).

    `demo` marks a new home as a demonstration. `seed` makes every random draw repeat, in demonstrations only.
    Raises HomeInUse while another process has it, SettingsRefused, NotADemonstration.
    """
    settings = load(home=Path(home), demo=demo)
    if seed is not None and not settings.demo:
        raise NotADemonstration("Draws are seeded in demonstrations only.", hint="Leave seed out.")
    stack = ExitStack()
    system = stack.enter_context(app.running(settings, seed=seed))
    return Client(system, stack, _LOCAL, None)


class Client:
    """The verbs of Handrail for one actor, in one project once `in_project` chose it."""

    def __init__(self, system: app.Handrail, stack: ExitStack, actor: Actor, project: Project | None) -> None:
        self._system = system
        self._stack = stack
        self._actor = actor
        self._project = project

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the jobs and let another process own the home."""
        self._stack.close()

    def as_simulated(self, name: str) -> Client:
        """Return a client that acts as a simulated person, marked as one wherever it shows.

        Raises NotADemonstration in any other home.
        """
        if not self._system.identity.is_demo:
            raise NotADemonstration("Simulated people act in demonstration homes only.")
        actor = Actor(kind="simulated", id=f"simulated-{name}", name=name, permissions=frozenset({"*"}))
        return Client(self._system, self._stack, actor, self._project)

    def in_project(self, name: str) -> Client:
        """Return a client for a project, by name or id; raises ProjectNotFound."""
        project = self._system.storage.read(lambda uow: self._system.datasets.project(uow, name))
        return Client(self._system, self._stack, self._actor, project)

    @property
    def _scope(self) -> Scope:
        if self._project is None:
            raise Broken("No project was chosen.", hint="Call in_project first.")
        return Scope(self._project.id)

    # Data

    def projects(self) -> list[Project]:
        """Return every project."""
        return self._system.storage.read(self._system.datasets.projects)

    def create_project(self, name: str, schema: Schema, description: str = "") -> Client:
        """Make a project and return a client for it."""
        made = self._system.storage.write(
            lambda uow: self._system.datasets.create_project(uow, self._actor, name, schema, description)
        )
        return Client(self._system, self._stack, self._actor, made)

    def add_items(self, items: Sequence[NewItem], origin: str) -> list[str]:
        """Put items in, all or none, and return their ids."""
        made = self._system.storage.write(
            lambda uow: self._system.datasets.add_items(uow, self._actor, self._scope, items, origin)
        )
        return [one.id for one in made]

    def names(self, item_ids: Iterable[str]) -> dict[str, str]:
        """Return item id -> external id."""
        found = self._system.storage.read(
            lambda uow: self._system.datasets.items_by_id(uow, self._scope, list(item_ids))
        )
        return {key: one.external_id for key, one in found.items()}

    def labelled_names(self, question: str) -> set[str]:
        """Return the external ids of the items that have a label."""
        found = self._system.storage.read(lambda uow: self._system.datasets.labels(uow, self._scope, question=question))
        return set(self.names([one.item_id for one in found]).values())

    def commits(self) -> list[Commit]:
        """Return the commits of main, newest first."""
        return self._system.storage.read(lambda uow: self._system.datasets.log(uow, self._scope, "main"))

    # People's work

    def draw(self, n: int, *, question: str, purpose: Literal["train", "certify", "holdout"]) -> list[Draw]:
        """Draw items at random for labels, with logged probability."""
        reason = "drawn at random for a look of your own"
        return self._system.annotate.draw(
            self._actor, self._scope, question=question, n=n, purpose=purpose, reason=reason
        )

    def claim(self, n: int = 1, *, kinds: Sequence[str] | None = None) -> list[Task]:
        """Claim up to 5 tasks."""
        return self._system.storage.write(
            lambda uow: self._system.tasks.claim(uow, self._actor, self._scope, n=n, kinds=kinds)
        )

    def answer(self, task_id: str, value: Any, verb: Verb, reason: str = "") -> Answer:
        """Answer a task; what the answer causes is done when this returns."""
        given = Answered(value, verb, reason)
        return self._system.storage.write(
            lambda uow: self._system.tasks.answer(uow, self._actor, self._scope, task_id, given)
        )

    def task_counts(self) -> dict[str, dict[str, int]]:
        """Return kind -> status -> number of tasks."""
        found = self._system.storage.read(lambda uow: self._system.tasks.counts(uow, self._scope))
        return {kind: {str(status): number for status, number in one.items()} for kind, one in found.items()}

    # Models

    def retrain(self, question: str, *, note: str = "", seed: int = 0) -> str:
        """Start a training run (commit, fit, evaluate, compare, propose) and return its id."""
        return self._system.pipelines.retrain(self._actor, self._scope, question, note=note, seed=seed).id

    def models(self) -> list[dict[str, Any]]:
        """Return the model versions, oldest first."""
        found = self._system.storage.read(lambda uow: self._system.train.models(uow, self._scope))
        return [
            {"id": one.id, "number": one.number, "state": one.state, "digest": one.digest, "commit": one.commit_id}
            for one in found
        ]

    def proposals(self) -> list[dict[str, Any]]:
        """Return what was proposed for promotion, oldest first, with the comparison that was shown."""
        found = self._system.storage.read(lambda uow: self._system.evaluate.proposals(uow, self._scope))
        return [{"state": one.state, "model_id": one.model_id, "document": one.document} for one in found]

    # Review

    def set_policy(self, document: Mapping[str, Any]) -> str:
        """Check a policy document and put it into force."""
        return self._system.review.activate_policy(self._actor, self._scope, Policy.from_dict(document))

    def plan_certificate(
        self, labels: int, *, source: Literal["archive", "stream"] = "archive", alpha: float | None = None
    ) -> dict[str, Any]:
        """Ask for a certificate for the champion and return its plan, or its refusal."""
        row = self._system.review.plan_certificate(self._actor, self._scope, labels=labels, source=source, alpha=alpha)
        return {"id": row.id, "status": row.status, "alpha": row.alpha, **row.document}

    def certificates(self) -> list[dict[str, Any]]:
        """Return every certificate, oldest first."""
        found = self._system.storage.read(lambda uow: self._system.review.certificates(uow, self._scope))
        return [
            {
                "id": one.id,
                "number": one.number,
                "model_id": one.model_id,
                "status": one.status,
                "alpha": one.alpha,
                "delta": one.delta,
                "threshold": one.threshold,
                "labels": one.document.get("labels", one.labels_drawn),
                "errors": one.document.get("errors", 0),
                "needed": one.document.get("needed"),
                "ended_why": one.ended_why,
                "issued": one.issued_at is not None and one.threshold is not None,
            }
            for one in found
        ]

    def state(self) -> str:
        """Return the state of automation."""
        found = self._system.storage.read(lambda uow: self._system.review.oversight(uow, self._scope))
        return "shadow" if found is None else found.control.state

    def decide(self, request: Request) -> Decision:
        """Decide one item."""
        return asyncio.run(self._system.review.decide(self._actor, self._scope, request))

    def decide_many(self, requests: Sequence[Request]) -> list[Decision]:
        """Decide many items; raises the first error."""
        made = asyncio.run(self._system.review.decide_many(self._actor, self._scope, requests))
        for one in made:
            if isinstance(one, HandrailError):
                raise one
        return [one for one in made if isinstance(one, Decision)]

    def decisions(self) -> list[Decision]:
        """Return every decision, newest first."""
        found: list[Decision] = []
        before: str | None = None
        while True:
            page = self._system.storage.read(
                lambda uow: self._system.review.decisions(uow, self._scope, before=before, limit=200)  # noqa: B023
            )
            found += page
            if len(page) < 200:
                return found
            before = page[-1].id

    def tallies(self) -> dict[int, dict[str, int]]:
        """Return day -> route -> number of decisions."""
        return self._system.storage.read(lambda uow: self._system.review.tallies(uow, self._scope))

    def automatic_error(self) -> dict[str, Any] | None:
        """Return the error of automatic decisions as the audits show it, with its interval."""
        found = self._system.storage.read(lambda uow: self._system.review.audit_estimate(uow, self._scope))
        return None if found is None else found.to_dict()

    # Watching

    def watch(self, day: int) -> list[Alarm]:
        """Profile a day that is over and return the alarms it raised."""
        return self._system.monitor.watch(self._actor, self._scope, day)

    def alarms(self) -> list[Alarm]:
        """Return every alarm, newest first."""
        return self._system.storage.read(lambda uow: self._system.monitor.alarms(uow, self._scope))

    def campaigns(self) -> list[dict[str, Any]]:
        """Return every campaign, newest first."""
        found = self._system.storage.read(lambda uow: self._system.annotate.campaigns(uow, self._scope))
        return [
            {"id": one.id, "reason": one.reason, "target": one.target, "answered": one.answered, "state": one.state}
            for one in found
        ]

    def dossier(self, decision_id: str) -> dict[str, Any]:
        """Return everything about one decision, with proofs that can be checked offline."""
        return self._system.govern.dossier(self._scope, decision_id).to_dict()

    # The whole system

    def settle(self, timeout_s: float = 120.0) -> None:
        """Wait until every fact was acted on and every run ended; raises DidNotSettle."""
        end = time.monotonic() + timeout_s
        while True:
            self._system.loop.tick()
            if self._system.loop.settled():
                return
            if time.monotonic() > end:
                raise DidNotSettle(f"Runs were still under way after {timeout_s:.0f} s.")
            time.sleep(0.05)

    def verify_journal(self) -> Verified:
        """Sign a checkpoint and check the whole journal."""
        self._system.prover.checkpoint()
        return self._system.prover.verify()


def verify_home(home: Path | None) -> Verified:
    """Check the journal of a home without starting its jobs; raises HomeInUse, SettingsRefused."""
    settings = load(home=home)
    with Home(settings.home) as owned:
        storage = open_storage(settings.database)
        try:
            clock, randomness = SystemClock(), Randomness()
            journal = Journal(clock, Ids(clock, randomness), randomness)
            return Prover(storage, journal, clock, Signer.of_home(owned.keys)).verify()
        finally:
            storage.close()
