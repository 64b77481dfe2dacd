"""The runs of a project: one row per job, so that everybody sees what works, how far it is and why it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handrail.cycle.train import store
from handrail.cycle.train.events import RunEnded, RunStarted
from handrail.cycle.train.model import ENDED, Run, RunHasEnded, RunNotFound, RunState
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock, micros
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.storage import UnitOfWork


class Runs:
    """Keeps the runs. A run is asked for in a transaction; the job is started after that, under the run's id."""

    def __init__(self, journal: Journal, clock: Clock, ids: Ids) -> None:
        self._journal = journal
        self._clock = clock
        self._ids = ids

    def ask(
        self,
        uow: UnitOfWork,
        actor: Actor,
        scope: Scope,
        *,
        workflow: str,
        question: str,
        args: Mapping[str, Any],
        run_id: str | None = None,
    ) -> Run:
        """Note that a run is wanted and return it, queued. With a `run_id` that is known nothing new is made."""
        if run_id is not None and (known := store.get_run(uow, scope, run_id)) is not None:
            return known
        now = self._clock.now()
        made = Run(
            id=run_id or self._ids.new(),
            project_id=scope.project_id,
            workflow=workflow,
            question=question,
            state="queued",
            progress=0.0,
            step="",
            args=dict(args),
            result={},
            error="",
            created_at=now,
            created_by=actor.id,
            changed_at=now,
        )
        store.insert_run(uow, made)
        said = RunStarted(run_id=made.id, workflow=workflow, question=question, args=dict(args))
        self._journal.append(uow, actor, scope.project_id, said)
        return made

    def get(self, uow: UnitOfWork, scope: Scope, run_id: str) -> Run:
        """Return one run; raises RunNotFound."""
        found = store.get_run(uow, scope, run_id)
        if found is None:
            raise RunNotFound("No such run in this project.", run_id=run_id)
        return found

    def under_way(self, uow: UnitOfWork, scope: Scope, workflow: str, question: str) -> Run | None:
        """Return the oldest run of this kind and question that has not ended, or None."""
        return store.run_under_way(uow, scope, workflow, question)

    def check_wanted(self, uow: UnitOfWork, scope: Scope, run_id: str) -> None:
        """Raise RunHasEnded when somebody cancelled the run meanwhile: no further step may begin."""
        found = self.get(uow, scope, run_id)
        if found.state in ENDED:
            raise RunHasEnded(f"The run has ended already: {found.state}.", run_id=run_id)

    def newest(self, uow: UnitOfWork, scope: Scope, limit: int = 50) -> list[Run]:
        """Return the newest runs first."""
        return store.newest_runs(uow, scope, limit)

    def unfinished(self, uow: UnitOfWork) -> list[Run]:
        """Return the runs of every project that have not ended, oldest first: the server starts them again."""
        return store.open_runs(uow)

    def report(self, uow: UnitOfWork, scope: Scope, run_id: str, fraction: float, step: str) -> None:
        """Keep how far a run is (0 to 1) and what it does, unless it has ended."""
        store.report_run(uow, scope, run_id, fraction, step, micros(self._clock.now()))

    def end(
        self,
        uow: UnitOfWork,
        actor: Actor,
        scope: Scope,
        run_id: str,
        state: RunState,
        *,
        result: Mapping[str, Any] | None = None,
        error: str = "",
    ) -> Run:
        """End a run as done, failed or cancelled and return it; one that has ended stays as it is."""
        ended = store.end_run(uow, scope, run_id, state, result or {}, error, micros(self._clock.now()))
        found = self.get(uow, scope, run_id)
        if ended:
            said = RunEnded(run_id=run_id, workflow=found.workflow, state=state, error=error)
            self._journal.append(uow, actor, scope.project_id, said)
        return found

    def cancel(self, uow: UnitOfWork, actor: Actor, scope: Scope, run_id: str) -> Run:
        """Cancel a run that has not ended; the caller then cancels the job. Raises RunNotFound, RunHasEnded."""
        found = self.get(uow, scope, run_id)
        if found.state in ENDED:
            raise RunHasEnded(f"The run has ended already: {found.state}.", run_id=run_id)
        return self.end(uow, actor, scope, run_id, "cancelled")
