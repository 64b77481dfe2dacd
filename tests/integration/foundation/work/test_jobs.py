from __future__ import annotations

import itertools
import json
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dbos import DBOSPortableJSONSerializer
from dbos._utils import GlobalParams
from sqlalchemy import create_engine, text

from handrail.foundation.clock import FixedClock
from handrail.foundation.errors import Conflict
from handrail.foundation.work.compute import Compute, Stopped
from handrail.foundation.work.jobs import (
    APPLICATION_VERSION,
    JobRun,
    Jobs,
    JobUnknown,
    NoSuchWorkflow,
    NotRunning,
    VendorSetting,
)

STEPS = "tests.integration.foundation.work.steps"


class Trace:
    """What happened, in order, across restarts of the jobs in one test."""

    def __init__(self) -> None:
        self.happened: list[str] = []
        self.hold = threading.Event()
        self.reached = threading.Event()
        self.compute = Compute(allowed=("tests.",))

    def note(self, word: str) -> str:
        self.happened.append(word)
        return word


class Harness:
    """Starts and stops the one instance of the jobs that a process may have."""

    def __init__(self, url: str, clock: FixedClock, out: Path) -> None:
        self.url = url
        self.clock = clock
        self.out = out
        self.trace = Trace()
        self.jobs: Jobs | None = None

    def up(self, executor_id: str = "local") -> Jobs:
        jobs = Jobs(self.url, clock=self.clock, executor_id=executor_id)
        jobs.configure()
        for name in ("three", "refused", "held", "heavy", "chatty"):
            jobs.register(name, getattr(self, name))
        jobs.launch()
        self.jobs = jobs
        return jobs

    def down(self) -> None:
        if self.jobs is not None:
            self.trace.compute.close()
            self.jobs.destroy(wait_s=5, forget_functions=True)
            self.jobs = None
            self.trace.compute = Compute(allowed=("tests.",))

    def three(self, run: JobRun, args: dict[str, Any]) -> dict[str, Any]:
        first = run.step("first", self.trace.note, f"a{args['n']}")
        run.progress(0.5, "half way")
        second = run.step("second", self.trace.note, "b")
        return {"said": [first, second]}

    def refused(self, run: JobRun, args: dict[str, Any]) -> None:
        def refuse() -> None:
            raise Conflict("This cannot be.", hint="Never.")

        run.step("refuse", refuse)

    def held(self, run: JobRun, args: dict[str, Any]) -> str:
        run.step("before", self.trace.note, "before")

        def wait() -> str:
            self.trace.reached.set()
            for _ in range(400):
                if self.trace.hold.is_set() or run.cancelled():
                    break
                time.sleep(0.05)
            return self.trace.note("waited")

        run.step("wait", wait)
        return str(run.step("after", self.trace.note, "after"))

    def heavy(self, run: JobRun, args: dict[str, Any]) -> Any:
        def fit() -> Any:
            self.trace.note("fit")
            self.trace.reached.set()
            return self.trace.compute.run(
                f"{STEPS}:sleep", {"seconds": args["seconds"]}, out=self.out, cancelled=run.cancelled
            ).result

        run.step("fit", fit)
        return run.step("after", self.trace.note, "after")

    def chatty(self, run: JobRun, args: dict[str, Any]) -> None:
        for number in range(1000):
            run.progress(number / 1000, f"row {number}")
        run.progress(1.0, "all rows")


_numbers = itertools.count()


@pytest.fixture(params=["sqlite", "postgresql"])
def harness(request: pytest.FixtureRequest, clock: FixedClock, tmp_path: Path) -> Iterator[Harness]:
    name = f"jobs_{next(_numbers)}"
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'jobs.db'}"
    else:
        url = request.getfixturevalue("postgres_server").create(name)
    made = Harness(url, clock, tmp_path)
    yield made
    made.trace.hold.set()
    made.down()
    if request.param == "postgresql":
        request.getfixturevalue("postgres_server").drop(name)


def test_a_job_runs_and_is_remembered(harness: Harness) -> None:
    jobs = harness.up()
    jobs.start("three", "job-1", {"n": 1})
    done = jobs.wait("job-1", timeout_s=20)
    assert (done.state, done.workflow, done.result, done.args) == ("done", "three", {"said": ["a1", "b"]}, {"n": 1})
    assert (done.fraction, done.note, done.error) == (1.0, "half way", "")
    jobs.start("three", "job-1", {"n": 2})
    assert jobs.wait("job-1", timeout_s=20).args == {"n": 1}
    assert harness.trace.happened == ["a1", "b"], "the same id is the same job"
    jobs.start("three", "job-2", {"n": 3})
    jobs.wait("job-2", timeout_s=20)
    assert [job.id for job in jobs.jobs(workflow="three")] == ["job-2", "job-1"]
    assert jobs.jobs(workflow="held") == []
    harness.down()
    assert harness.up("second").job("job-1").result == {"said": ["a1", "b"]}


def test_the_same_id_started_at_once_from_many_threads_runs_once(harness: Harness) -> None:
    jobs = harness.up()
    threads = [threading.Thread(target=jobs.start, args=("three", "job-1", {"n": 1})) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert jobs.wait("job-1", timeout_s=20).state == "done"
    assert harness.trace.happened == ["a1", "b"]


def test_a_failing_step_fails_the_job_with_its_sentence(harness: Harness) -> None:
    jobs = harness.up()
    jobs.start("refused", "job-1", {})
    failed = jobs.wait("job-1", timeout_s=20)
    assert (failed.state, failed.error, failed.result) == ("failed", "This cannot be.", None)


def test_unknown_names(harness: Harness) -> None:
    jobs = harness.up()
    with pytest.raises(JobUnknown):
        jobs.job("none")
    with pytest.raises(JobUnknown):
        jobs.cancel("none")
    with pytest.raises(NoSuchWorkflow):
        jobs.start("none", "job-1", {})
    harness.down()
    with pytest.raises(NotRunning):
        jobs.start("three", "job-1", {})
    with pytest.raises(NotRunning):
        jobs.job("job-1")


def test_cancel_ends_before_the_next_step(harness: Harness) -> None:
    jobs = harness.up()
    jobs.start("held", "job-1", {})
    assert harness.trace.reached.wait(10)
    jobs.cancel("job-1")
    assert jobs.wait("job-1", timeout_s=20).state == "cancelled"
    time.sleep(0.5)
    assert "after" not in harness.trace.happened
    jobs.cancel("job-1")


def test_cancel_kills_the_heavy_step(harness: Harness) -> None:
    jobs = harness.up()
    jobs.start("heavy", "job-1", {"seconds": 60})
    assert harness.trace.reached.wait(10)
    while not (harness.out / "pid").exists():
        time.sleep(0.05)
    jobs.cancel("job-1")
    pid = int((harness.out / "pid").read_text())
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists():
            break
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()
    assert jobs.wait("job-1", timeout_s=5).state == "cancelled"
    assert harness.trace.happened == ["fit"]


def test_a_stop_is_no_failure_and_the_heavy_step_runs_again_after_the_start(harness: Harness) -> None:
    jobs = harness.up("first")
    jobs.start("heavy", "job-1", {"seconds": 60})
    assert harness.trace.reached.wait(10)
    began = time.monotonic()
    harness.down()
    assert time.monotonic() - began < 8, "a stop does not wait for a heavy step"
    assert harness.trace.happened == ["fit"]
    (harness.out / "pid").unlink(missing_ok=True)
    jobs = harness.up("first" if harness.url.startswith("sqlite") else "second")
    if not harness.url.startswith("sqlite"):
        assert jobs.take_over() == 1
    assert jobs.job("job-1").state in ("running", "queued")
    for _ in range(200):
        if harness.trace.happened.count("fit") == 2:
            break
        time.sleep(0.05)
    assert harness.trace.happened == ["fit", "fit"]


def test_a_step_that_finished_is_not_run_again_after_a_stop(harness: Harness) -> None:
    jobs = harness.up("first")
    jobs.start("held", "job-1", {})
    assert harness.trace.reached.wait(10)
    threading.Timer(0.3, harness.trace.hold.set).start()
    harness.down()
    assert harness.trace.happened == ["before", "waited"], "the step in flight ended, the next one did not begin"
    jobs = harness.up("first" if harness.url.startswith("sqlite") else "second")
    jobs.take_over() if not harness.url.startswith("sqlite") else None
    assert jobs.wait("job-1", timeout_s=20).state == "done"
    assert harness.trace.happened == ["before", "waited", "after"]


def test_progress_is_thinned_and_the_last_report_counts(harness: Harness) -> None:
    jobs = harness.up()
    jobs.start("chatty", "job-1", {})
    done = jobs.wait("job-1", timeout_s=20)
    assert (done.state, done.note) == ("done", "all rows")


def test_what_lies_in_the_database_is_json(harness: Harness) -> None:
    jobs = harness.up()
    jobs.start("three", "job-1", {"n": 1})
    jobs.wait("job-1", timeout_s=20)
    schema = "" if harness.url.startswith("sqlite") else "dbos."
    engine = create_engine(harness.url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.connect() as connection:
        rows = connection.execute(text(f"SELECT output FROM {schema}operation_outputs ORDER BY function_id")).all()
        assert [json.loads(row[0]) for row in rows] == ["a1", "b"]
        if harness.url.startswith("sqlite"):
            assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
    engine.dispose()


def test_the_engine_is_given_no_setting_of_its_vendor(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = harness.up()
    config = jobs.config()
    assert set(config) == {
        "name", "system_database_url", "system_database_engine", "application_version", "executor_id", "serializer",
        "max_executor_threads", "enable_otlp", "log_level", "notification_listener_polling_interval_sec",
    }  # fmt: skip
    assert not [
        name for name in config if "conductor" in name or "enterprise" in name or "upgrade" in name or "shard" in name
    ]
    assert type(config["serializer"]) is DBOSPortableJSONSerializer
    assert (config["enable_otlp"], config["application_version"]) == (False, APPLICATION_VERSION)
    harness.down()
    monkeypatch.setattr(GlobalParams, "dbos_cloud", True)
    with pytest.raises(VendorSetting):
        Jobs(harness.url, clock=harness.clock).configure()


def test_the_engine_advertises_nothing_and_tells_no_password(
    harness: Harness, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        jobs = harness.up()
        jobs.start("held", "job-1", {})
        harness.trace.reached.wait(10)
        jobs.cancel("job-1")
        jobs.wait("job-1", timeout_s=10)
        time.sleep(0.5)
        logging.getLogger("dbos").error("cannot reach postgresql://me:secret@host/db")
        harness.down()
    words = [record.getMessage() for record in caplog.records if record.name == "handrail.work"]
    assert words == ["cannot reach postgresql://me:…@host/db"]
    assert [record.name for record in caplog.records if record.name.startswith("dbos")] == []
    assert "dbos" not in "".join(capfd.readouterr()).lower()


@pytest.mark.parametrize("harness", ["postgresql"], indirect=True)
def test_work_of_a_dead_process_is_taken_over_and_of_a_live_one_is_not(harness: Harness) -> None:
    jobs = harness.up("first")
    jobs.start("heavy", "job-1", {"seconds": 60})
    assert harness.trace.reached.wait(10)
    harness.down()
    jobs = harness.up("second")
    engine = create_engine(harness.url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE handrail_work.work_lease SET beat = extract(epoch FROM now()) - 10 WHERE executor_id = 'first'"
            )
        )
    assert jobs.take_over(older_than_s=30) == 0
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE handrail_work.work_lease SET beat = extract(epoch FROM now()) - 31 WHERE executor_id = 'first'"
            )
        )
    assert jobs.take_over(older_than_s=30) == 1
    assert jobs.take_over(older_than_s=0) == 0, "nobody takes over from itself"
    for _ in range(200):
        if harness.trace.happened.count("fit") == 2:
            break
        time.sleep(0.05)
    assert harness.trace.happened == ["fit", "fit"]
    engine.dispose()


def test_stopped_is_what_a_step_raises_when_the_server_goes_down() -> None:
    assert issubclass(Stopped, BaseException)
    assert not issubclass(Stopped, Exception)
