"""The composition root: settings in, objects out. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from handrail.cycle.annotate import Annotate
from handrail.cycle.annotate.conflicts import is_conflict
from handrail.cycle.annotate.overlapping import is_overlap
from handrail.cycle.datasets import Datasets
from handrail.cycle.evaluate import Evaluate, People
from handrail.cycle.evaluate.jobs import Pipelines
from handrail.cycle.feedback import Feedback
from handrail.cycle.govern import Govern
from handrail.cycle.govern.lineage import Lineage
from handrail.cycle.govern.recalling import Recalling
from handrail.cycle.loop import Loop
from handrail.cycle.monitor import Monitor
from handrail.cycle.review import Review
from handrail.cycle.review.outgoing.delivering import Deliveries
from handrail.cycle.tasks import Answer, Task, Tasks
from handrail.cycle.tasks.service import OnAnswer
from handrail.cycle.tasks.working.service import Working
from handrail.cycle.train import Train
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.blobs import Blobs
from handrail.foundation.clock import Clock, SystemClock
from handrail.foundation.errors import Conflict
from handrail.foundation.fetch import Rules
from handrail.foundation.home import Home
from handrail.foundation.identity import Identity
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.journal.checkpoint import Signer
from handrail.foundation.journal.proofs import Prover
from handrail.foundation.randomness import Randomness
from handrail.foundation.settings import Settings
from handrail.foundation.storage import Storage, UnitOfWork, open_storage
from handrail.foundation.work.compute import Compute
from handrail.foundation.work.jobs import Jobs
from handrail.foundation.work.workplace import workplace


@dataclass(frozen=True)
class Handrail:
    """Every object of one running system."""

    settings: Settings
    home: Home
    clock: Clock
    storage: Storage
    journal: Journal
    prover: Prover
    identity: Identity
    jobs: Jobs
    datasets: Datasets
    tasks: Tasks
    working: Working
    annotate: Annotate
    train: Train
    review: Review
    feedback: Feedback
    evaluate: Evaluate
    pipelines: Pipelines
    people: People
    monitor: Monitor
    govern: Govern
    loop: Loop
    deliveries: Deliveries

    @cached_property
    def recalling(self) -> Recalling:
        """Recalls of labels, and the lineage that they follow."""
        lineage = Lineage(self.datasets, self.train, self.review)
        return Recalling(self.storage, self.datasets, self.tasks, self.annotate, lineage)


class NeedsSharedDatabase(Conflict):
    """A worker was started for a SQLite home, which one process owns."""

    code = "work.needs_shared_database"


@contextmanager
def running(settings: Settings, *, seed: int | None = None) -> Iterator[Handrail]:
    """Own the home, build everything, run the jobs unless workers do, and take all of it down at the end.

    With a `seed` every random draw repeats; for demonstrations and tests only.
    """
    with (
        Home(settings.home) as home,
        _up(settings, home, home.folder / "scratch", works=settings.worker, seed=seed) as made,
    ):
        yield made


@contextmanager
def working(settings: Settings) -> Iterator[Handrail]:
    """Build everything beside the server that owns the home, to run jobs only; raises NeedsSharedDatabase."""
    if settings.uses_sqlite:
        raise NeedsSharedDatabase(
            "A worker needs PostgreSQL: one process owns a SQLite home, and its server runs the jobs.",
            hint="Leave the worker out, or set HANDRAIL_DATABASE_URL (handrail store move copies what is there).",
        )
    home = Home(settings.home)
    home.create()
    with workplace(home.folder / "workers") as place, _up(settings, home, place / "scratch", beside=True) as made:
        yield made


@contextmanager
def _up(
    settings: Settings,
    home: Home,
    scratch: Path,
    *,
    works: bool = True,
    beside: bool = False,
    seed: int | None = None,
) -> Iterator[Handrail]:
    storage = open_storage(settings.database)
    compute = Compute(workers=settings.compute_workers, memory_limit_mb=settings.compute_memory_mb, scratch=scratch)
    jobs = Jobs(_jobs_url(settings, home), clock=SystemClock(), works=works)
    try:
        jobs.configure()
        made = build(settings, home, storage, compute, jobs, seed=seed)
        if not beside:
            made.identity.prepare(demo=settings.demo)
        made.pipelines.register()
        jobs.launch()
        made.pipelines.resume()
        yield made
        made.identity.close()
    finally:
        compute.close()
        jobs.destroy(forget_functions=True)
        storage.close()


def build(
    settings: Settings, home: Home, storage: Storage, compute: Compute, jobs: Jobs, *, seed: int | None = None
) -> Handrail:
    """Put the objects together and tie the stages' handlers to the tasks they opened."""
    clock, randomness = SystemClock(), Randomness(seed)
    ids, blobs = Ids(clock, randomness), Blobs(home.blobs)
    journal = Journal(clock, ids, randomness)
    datasets = Datasets(storage, journal, clock, ids, randomness, home.datasets)
    tasks, feedback = Tasks(journal, clock, ids, datasets), Feedback(storage, journal, clock, datasets)
    train = Train(storage, journal, clock, ids, blobs, compute, datasets)
    annotate = Annotate(storage, journal, clock, ids, randomness, datasets, tasks)
    review = Review(storage, journal, clock, ids, randomness, datasets, tasks, annotate, train, blobs)
    evaluate = Evaluate(storage, journal, clock, ids, datasets, train, tasks)
    pipelines = Pipelines(jobs, storage, feedback, train, evaluate)
    monitor = Monitor(storage, journal, clock, ids, datasets, review)
    prover = Prover(storage, journal, clock, Signer.of_home(home.keys))
    _tie(tasks, annotate, review, evaluate)
    return Handrail(
        settings=settings,
        home=home,
        clock=clock,
        storage=storage,
        journal=journal,
        prover=prover,
        identity=Identity(storage, journal, clock, ids, randomness, session_hours=settings.session_hours),
        jobs=jobs,
        datasets=datasets,
        tasks=tasks,
        working=Working(journal, clock, ids, datasets, tasks.withdraw),
        annotate=annotate,
        train=train,
        review=review,
        feedback=feedback,
        evaluate=evaluate,
        pipelines=pipelines,
        people=People(datasets, tasks, review),
        monitor=monitor,
        govern=Govern(storage, journal, prover, clock, datasets, tasks, train, review),
        loop=Loop(storage, journal, clock, datasets, tasks, annotate, review, feedback, pipelines, monitor),
        deliveries=Deliveries(storage, journal, clock, _outside(settings)),
    )


def _tie(tasks: Tasks, annotate: Annotate, review: Review, evaluate: Evaluate) -> None:
    """Let each stage act on the answers to the tasks that it opened."""
    tasks.on_answer("label", annotate.on_label)
    annotate.on_certify_label = review.certifying.labelled
    tasks.on_answer("review", review.verdicts.on_review)
    tasks.on_answer("audit", review.verdicts.on_audit)
    tasks.before_answer("audit", review.verdicts.before_audit)
    tasks.on_answer("sign_off", evaluate.on_sign_off)
    tasks.on_expire("review", review.verdicts.on_expired)
    tasks.on_answer("adjudicate", _adjudicated(annotate, review))
    tasks.on_expire("adjudicate", review.verdicts.on_expired)


def _adjudicated(annotate: Annotate, review: Review) -> OnAnswer:
    """Give an answer to an adjudicate task to who opened it: a merge, overlapping answers, or two people's verdicts."""

    def heard(uow: UnitOfWork, actor: Actor, scope: Scope, task: Task, answer: Answer) -> None:
        if is_conflict(task):
            to = annotate.conflicts.on_answer
        else:
            to = annotate.on_adjudicated if is_overlap(task) else review.verdicts.on_review
        to(uow, actor, scope, task, answer)

    return heard


def _outside(settings: Settings) -> Rules:
    return Rules(hosts=settings.outgoing_hosts, networks=settings.outgoing_networks)


def _jobs_url(settings: Settings, home: Home) -> str:
    return f"sqlite:///{home.folder / 'jobs.db'}" if settings.uses_sqlite else settings.database
