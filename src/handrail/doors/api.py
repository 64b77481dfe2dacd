"""The HTTP door: every stage's routes in one application, with the loop running beside it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from fastapi import FastAPI

import handrail
from handrail.app import Handrail
from handrail.cycle.annotate import routes as annotate_routes
from handrail.cycle.datasets import routes as datasets_routes
from handrail.cycle.evaluate import routes as evaluate_routes
from handrail.cycle.govern import routes as govern_routes
from handrail.cycle.monitor import routes as monitor_routes
from handrail.cycle.review import routes as review_routes
from handrail.cycle.tasks import routes as tasks_routes
from handrail.cycle.tasks.working import routes as working_routes
from handrail.cycle.train import routes as train_routes
from handrail.doors import figures
from handrail.foundation.authorize import ProjectUnknown
from handrail.foundation.http import Reach, Waiting, application
from handrail.foundation.identity import routes as identity_routes
from handrail.foundation.journal import routes as journal_routes
from handrail.foundation.storage import UnitOfWork

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
UI = Path(handrail.__file__).parent / "ui_dist"


def create(system: Handrail, reach: Reach) -> FastAPI:
    """Return the application of a system; while it serves, the loop reacts to the journal in a thread."""

    def find_project(uow: UnitOfWork, name: str) -> str | None:
        try:
            return system.datasets.project(uow, name).id
        except ProjectUnknown:
            return None

    waiting = Waiting()
    return application(
        [
            identity_routes.routes(
                system.identity, reach, lambda name: system.storage.read(lambda uow: find_project(uow, name))
            ),
            datasets_routes.routes(system.storage, system.datasets),
            tasks_routes.routes(system.storage, system.tasks, system.datasets),
            working_routes.routes(system.storage, system.working),
            annotate_routes.routes(system.storage, system.annotate, system.datasets),
            train_routes.routes(system.storage, system.train),
            review_routes.routes(system.storage, system.review, waiting),
            evaluate_routes.routes(system.storage, system.datasets, system.evaluate, system.pipelines, system.people),
            monitor_routes.routes(system.storage, system.monitor),
            govern_routes.routes(system.govern, system.storage, system.recalling, system.datasets),
            journal_routes.routes(system.prover),
            figures.routes(system),
        ],
        gate=system.identity,
        storage=system.storage,
        clock=system.clock,
        find_project=find_project,
        reach=reach,
        ui=UI if (UI / "index.html").exists() else None,
        version=handrail.__version__,
        lifespan=_lifespan(system),
    )


@contextmanager
def reacting(system: Handrail) -> Iterator[None]:
    """Let the loop react to the journal, and web hooks be sent, in threads until the block ends."""
    threads = [
        threading.Thread(target=system.loop.run, name="handrail-loop", daemon=True),
        threading.Thread(target=system.deliveries.run, name="handrail-webhooks", daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        system.loop.stop()
        system.deliveries.stop()
        for thread in threads:
            thread.join(10.0)


def _lifespan(system: Handrail) -> Lifespan:
    @asynccontextmanager
    async def beside(_: FastAPI) -> AsyncIterator[None]:
        with ExitStack() as stack:
            stack.enter_context(reacting(system))
            try:
                yield
            finally:
                await asyncio.to_thread(stack.close)

    return beside
