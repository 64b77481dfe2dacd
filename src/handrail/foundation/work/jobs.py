"""Durable jobs: a job that was started is finished, across crashes and restarts, each finished step run once.

The engine is DBOS, on a SQLite file of its own or on PostgreSQL, with its vendor's services switched off: nothing here
talks to anything but that database. A job is a function `job(run, args)` that does everything through
`run.step(...)`. A step may be started again after a crash, so it must do no harm the second time; the job function
itself is replayed, so it must do the same steps in the same order for the same step results.
"""

from __future__ import annotations

import logging
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID
from dbos._utils import GlobalParams

from handrail.foundation.clock import Clock, micros
from handrail.foundation.errors import Broken, HandrailError, Invalid, NotFound
from handrail.foundation.work.compute import Stopped
from handrail.foundation.work.store import WorkStore, open_engine

if TYPE_CHECKING:
    from sqlalchemy import Engine

JobState = Literal["queued", "running", "done", "failed", "cancelled"]
APPLICATION_VERSION = "handrail-1"
"""Changes only when the order of the steps of a job changes: the engine resumes jobs of the same version only."""

_STATES: dict[str, JobState] = {
    "ENQUEUED": "queued", "DELAYED": "queued", "PENDING": "running", "SUCCESS": "done", "ERROR": "failed",
    "CANCELLED": "cancelled", "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "failed",
}  # fmt: skip
_BEAT_S = 5.0
_DEAD_S = 30.0
_REPORT_S = 0.5
_ASK_S = 1.0


class JobUnknown(NotFound):
    """No job has this id."""

    code = "work.unknown_job"


class NoSuchWorkflow(Invalid):
    """Nothing is registered under this name."""

    code = "work.no_such_workflow"


class VendorSetting(Broken):
    """The environment asks the job engine to report to its vendor."""

    code = "work.vendor_setting"


class NotRunning(Broken):
    """The jobs have not been launched, or have been stopped."""

    code = "work.not_running"


@dataclass(frozen=True)
class Job:
    """One job as the outside sees it; `fraction` from 0 to 1, `note` in words, `error` a sentence when it failed."""

    id: str
    workflow: str
    state: JobState
    args: Mapping[str, Any]
    result: Any
    error: str
    fraction: float
    note: str
    started_at: datetime
    changed_at: datetime


class JobRun:
    """What a job function is given: its id, its steps, its progress."""

    def __init__(self, jobs: Jobs, job_id: str, cancel: threading.Event) -> None:
        self.id = job_id
        self._jobs = jobs
        self._cancel = cancel
        self._next_ask = 0.0
        self._next_report = 0.0

    def step(self, name: str, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Run `function` once and remember what it returned (JSON); a replay returns what is remembered."""
        self._jobs.check_going()
        return DBOS.run_step({"name": name}, function, *args, **kwargs)

    def progress(self, fraction: float, note: str) -> None:
        """Say how far the job is; kept at most twice a second, safe to call from a step."""
        now = time.monotonic()
        if now >= self._next_report or fraction >= 1.0:
            self._next_report = now + _REPORT_S
            self._jobs.report(self.id, fraction, note)

    def cancelled(self) -> bool:
        """Return whether somebody cancelled the job, here or in another process; for `Compute.run(cancelled=...)`."""
        now = time.monotonic()
        if not self._cancel.is_set() and now >= self._next_ask:
            self._next_ask = now + _ASK_S
            if self._jobs.job(self.id).state == "cancelled":
                self._cancel.set()
        return self._cancel.is_set()


JobFunction = Callable[[JobRun, dict[str, Any]], Any]


class Jobs:
    """The durable jobs of one process: register functions, launch, start jobs, destroy at the end.

    `url`: `sqlite:///…/jobs.db` (one process) or `postgresql://…` (several; work of a dead one is taken over).
    `executor_id` names this process: on PostgreSQL it must be new at every start, on SQLite the same; leave it out and
    it is. With `works` false this process sees and cancels jobs and runs none; others must be there to do it, so that
    is for PostgreSQL. One instance per process.
    """

    def __init__(
        self, url: str, *, clock: Clock, executor_id: str | None = None, threads: int = 8, works: bool = True
    ) -> None:
        self.works = works
        self._clock = clock
        self._shared = not url.startswith("sqlite")
        self._executor_id = executor_id or (secrets.token_hex(8) if self._shared else "local")
        self._threads = threads
        self._url = url
        self._functions: dict[str, Callable[[dict[str, Any]], Any]] = {}
        self._cancels: dict[str, threading.Event] = {}
        self._lock = threading.Lock()
        self._active = 0
        self._stopping = threading.Event()
        self._launched = False
        self._engine: Engine | None = None
        self._beating: threading.Thread | None = None

    def configure(self) -> None:
        """Prepare the engine; jobs are registered after this and before `launch`. Raises VendorSetting."""
        if GlobalParams.dbos_cloud:
            raise VendorSetting(
                "The environment variable DBOS__CLOUD makes the job engine report to its vendor.",
                hint="Unset it. Handrail sends nothing anywhere.",
            )
        quiet_engine()
        self._engine = open_engine(self._url)
        self._store = WorkStore(self._engine)
        DBOS(config=self.config())

    def config(self) -> DBOSConfig:
        """Return every setting the engine is given. None of them names a service of its vendor."""
        return DBOSConfig(
            name="handrail",
            system_database_url=self._url,
            system_database_engine=self._engine,
            application_version=APPLICATION_VERSION,
            executor_id=self._executor_id,
            # The default is pickle: whoever can write the job database could run code here.
            serializer=DBOSPortableJSONSerializer(),
            max_executor_threads=self._threads,
            enable_otlp=False,
            log_level="WARNING",
            notification_listener_polling_interval_sec=1.0,
        )

    def register(self, name: str, function: JobFunction) -> None:
        """Name a job function; call between `configure` and `launch`."""

        def run(args: dict[str, Any]) -> Any:
            return self._run(function, args)

        # Without a limit on restarts: a job may live through any number of them.
        self._functions[name] = DBOS.workflow(name=name, max_recovery_attempts=None)(run)

    def launch(self) -> None:
        """Begin to work: jobs that a crash or a stop interrupted go on."""
        self._store.create()
        if self._shared and self.works:
            # Before the engine: from here on a crash of ours is seen by the others.
            self._store.beat(self._executor_id)
        DBOS.launch()
        self._launched = True
        if self._shared and self.works:
            self._beating = threading.Thread(target=self._beat, daemon=True, name="handrail-lease")
            self._beating.start()

    def destroy(self, *, wait_s: float = 10.0, forget_functions: bool = False) -> None:
        """Stop: no further step begins, steps in flight have `wait_s` to end; what is unfinished goes on next time.

        Close the compute pool first, so that heavy steps end. `forget_functions` is for tests.
        """
        self._stopping.set()
        deadline = time.monotonic() + wait_s
        while self._active and time.monotonic() < deadline:
            time.sleep(0.02)
        if self._beating is not None:
            self._beating.join(_BEAT_S)
        DBOS.destroy(destroy_registry=forget_functions)
        if self._launched and self._shared:
            self._store.let_go(self._executor_id)
        self._launched = False
        if self._engine is not None:
            self._engine.dispose()

    def start(self, workflow: str, job_id: str, args: Mapping[str, Any]) -> str:
        """Start a job and return its id; starting the same id again changes nothing. `args` are JSON."""
        self.check_going()
        if not self.works:
            raise NotRunning("This process runs no jobs.", hint="Start a worker: handrail worker")
        function = self._functions.get(workflow)
        if function is None:
            raise NoSuchWorkflow(f"No job is registered under the name {workflow}.", workflow=workflow)
        with SetWorkflowID(job_id):
            DBOS.start_workflow(function, dict(args))
        return job_id

    def job(self, job_id: str) -> Job:
        """Return one job; raises JobUnknown."""
        found = self._jobs(workflow_ids=[job_id])
        if not found:
            raise JobUnknown("No job has this id.", job_id=job_id)
        return found[0]

    def knows(self, job_id: str) -> bool:
        """Return whether a job of this id was ever started."""
        return bool(self._jobs(workflow_ids=[job_id]))

    def jobs(self, *, workflow: str | None = None, limit: int = 50) -> list[Job]:
        """Return the newest jobs first, of one name or of all."""
        return self._jobs(name=workflow, limit=limit, sort_desc=True)

    def cancel(self, job_id: str) -> None:
        """Cancel a job: its heavy step is killed, no further step begins. Finished jobs stay as they are."""
        if self.job(job_id).state in ("queued", "running"):
            DBOS.cancel_workflow(job_id)
            with self._lock:
                event = self._cancels.get(job_id)
            if event is not None:
                event.set()

    def wait(self, job_id: str, *, timeout_s: float) -> Job:
        """Return the job once it has ended, or as it is when the time is over; blocks."""
        deadline = time.monotonic() + timeout_s
        while True:
            found = self.job(job_id)
            if found.state not in ("queued", "running") or time.monotonic() >= deadline:
                return found
            time.sleep(0.05)

    def report(self, job_id: str, fraction: float, note: str) -> None:
        """Keep the progress of a job."""
        self._store.report(job_id, fraction, note, micros(self._clock.now()))

    def check_going(self) -> None:
        """Raise Stopped inside a job when this process is going down, NotRunning outside of one."""
        if self._stopping.is_set() and DBOS.workflow_id is not None:
            raise Stopped
        if self._stopping.is_set() or not self._launched:
            raise NotRunning("Jobs do not run in this process at the moment.")

    def take_over(self, older_than_s: float = _DEAD_S) -> int:
        """Take over the jobs of processes that gave no sign of life for that long; return how many processes."""
        with self._store.taking_over() as connection:
            if connection is None:
                return 0
            dead = [name for name in self._store.dead(connection, older_than_s) if name != self._executor_id]
            for executor_id in dead:
                # Handing over first and forgetting second: a crash in between repeats it, and repeating is harmless.
                DBOS._recover_pending_workflows([executor_id])
                self._store.forget(connection, executor_id)
            return len(dead)

    def _run(self, function: JobFunction, args: dict[str, Any]) -> Any:
        job_id = str(DBOS.workflow_id)
        with self._lock:
            event = self._cancels.setdefault(job_id, threading.Event())
            self._active += 1
        try:
            return function(JobRun(self, job_id, event), args)
        finally:
            with self._lock:
                self._active -= 1
                self._cancels.pop(job_id, None)

    def _jobs(self, **wanted: Any) -> list[Job]:
        if not self._launched:
            raise NotRunning("Jobs do not run in this process at the moment.")
        found = DBOS.list_workflows(**wanted)
        progress = self._store.progress([status.workflow_id for status in found])
        return [_job(status, progress.get(status.workflow_id)) for status in found]

    def _beat(self) -> None:
        while not self._stopping.wait(_BEAT_S):
            try:
                self._store.beat(self._executor_id)
                self.take_over()
            except Exception as error:  # noqa: BLE001  the edge of a thread that must not die of a lost connection
                logging.getLogger("handrail.work").warning("The sign of life could not be written: %s", error)


def working_on(url: str) -> list[str]:
    """Return the processes that run the jobs of a database at the moment; [] on SQLite, which one process owns."""
    if url.startswith("sqlite"):
        return []
    engine = open_engine(url)
    try:
        store = WorkStore(engine)
        store.create()
        return store.alive(_DEAD_S)
    finally:
        engine.dispose()


def _job(status: Any, progress: tuple[float, str, int] | None) -> Job:
    state = _STATES[status.status]
    fraction, note, _ = progress or (0.0, "", 0)
    held = status.input or {}
    args = (held.get("args") or held.get("positionalArgs") or [{}])[0]
    return Job(
        id=status.workflow_id,
        workflow=status.name,
        state=state,
        args=args,
        result=status.output,
        error=_sentence(status.error) if status.error is not None else "",
        fraction=1.0 if state == "done" else fraction,
        note=note,
        started_at=_moment(status.created_at),
        changed_at=_moment(status.updated_at),
    )


def _sentence(error: Any) -> str:
    return error.sentence if isinstance(error, HandrailError) else str(getattr(error, "message", error))


def _moment(milliseconds: int | None) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds or 0)


class _OurWords(logging.Handler):
    """Passes on what the engine complains about, without its adverts, trace dumps and passwords."""

    _NOISE = re.compile(
        r"SQLite is for|console\.dbos\.dev|Conductor|not the latest version|was cancelled|no longer owned",
        re.IGNORECASE,
    )
    _PASSWORD = re.compile(r"(://[^:/@\s]*:)[^@\s]*@")

    def emit(self, record: logging.LogRecord) -> None:
        """Hand a record to our own logger."""
        cause = record.exc_info[1] if record.exc_info else None
        words = record.getMessage() if cause is None else f"{record.getMessage()} {cause}"
        if not self._NOISE.search(words) and not isinstance(cause, Stopped):
            logging.getLogger("handrail.work").log(record.levelno, "%s", self._PASSWORD.sub(r"\1…@", words))


def quiet_engine() -> None:
    """Give the engine's logger our handler: the engine adds its own, and its adverts, only where there is none."""
    logger = logging.getLogger("dbos")
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    logger.handlers = [_OurWords()]
