"""Serves the routes of the tasks over a queue that is there: `python -m bench.queue.serve URL FOLDER PORT`."""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn

from bench.queue.filled import Queue
from handrail.cycle.tasks.routes import routes
from handrail.doors.server import spare_the_collector
from handrail.foundation.actors import Actor
from handrail.foundation.http import Reach, application


class EverybodyIsAPerson:
    """Lets every token in as the simulated person of that name: claims cost the same, sign-in is not measured here."""

    async def by_token(self, secret: str) -> Actor | None:
        """Return the person."""
        return Actor(kind="simulated", id=secret, name=secret, permissions=frozenset({"tasks.read", "tasks.answer"}))

    async def by_session(self, secret: str) -> Actor | None:
        """Return nobody."""
        return None


def main(url: str, folder: str, port: int) -> None:
    """Serve until ended."""
    queue = Queue(url, Path(folder))
    api = application(
        [routes(queue.storage, queue.tasks, queue.datasets)],
        gate=EverybodyIsAPerson(),
        storage=queue.storage,
        clock=queue.clock,
        find_project=lambda uow, name: queue.datasets.project(uow, name).id,
        reach=Reach(),
    )
    spare_the_collector()  # as `handrail serve` does
    uvicorn.run(api, host="127.0.0.1", port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
