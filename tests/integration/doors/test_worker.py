"""A worker carries out what a server was asked for: two processes, one PostgreSQL database, one home."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from handrail.app import NeedsSharedDatabase, running
from handrail.doors.worker import work
from handrail.foundation.home import running_server
from handrail.foundation.settings import Settings, SettingsRefused, load
from tests.integration.cycle.breast_mass import QUESTION
from tests.integration.lived_in import Lived, live
from tools.postgres import Server
from tools.serving import serving

COMMAND = [sys.executable, "-c", "from handrail.doors.cli import main; main()"]
ANSWER_S = 30


@contextmanager
def worker(home: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run `handrail worker` until the block ends."""
    log = home.parent / "worker.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*COMMAND, "worker", "--home", str(home)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)


@contextmanager
def client(home: Path) -> Iterator[httpx.Client]:
    """Speak to the server of a home as this computer."""
    found = running_server(home)
    assert found is not None
    headers = {"Authorization": f"Bearer {found.token}"}
    with httpx.Client(base_url=f"{found.url}/api/v1/projects/clinic", headers=headers, trust_env=False) as made:
        yield made


def until(look: Any, wanted: str) -> Any:
    """Ask until the state is as wanted; a state that cannot become that any more fails at once."""
    ends = time.monotonic() + ANSWER_S
    while (found := look())["state"] != wanted:
        assert found["state"] in ("queued", "running"), found
        assert time.monotonic() < ends, found
        time.sleep(0.1)
    return found


@pytest.fixture
def clinic(postgres_server: Server, tmp_path: Path) -> Iterator[tuple[Path, dict[str, str], Lived]]:
    url = postgres_server.create("worker")
    home = tmp_path / "home"
    with running(Settings.model_validate({"home": home, "demo": True, "database_url": url})) as system:
        lived = live(system, model=False)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HANDRAIL_")}
    yield home, {**kept, "HANDRAIL_DATABASE_URL": url}, lived
    postgres_server.drop("worker")


def test_a_worker_carries_out_the_run_that_a_server_without_jobs_was_asked_for(
    clinic: tuple[Path, dict[str, str], Lived],
) -> None:
    home, environment, _ = clinic
    no_jobs = {**environment, "HANDRAIL_WORKER": "false"}
    with serving(COMMAND, home, environment=no_jobs) as server, client(home) as caller:
        asked = caller.post("/runs", json={"question": QUESTION}).raise_for_status().json()

        def look() -> Any:
            found: Any = caller.get(f"/runs/{asked['id']}").raise_for_status().json()
            return found

        time.sleep(1.5)
        assert look()["state"] == "queued", server.output()
        with worker(home, environment) as process:
            done = until(look, "done")
            model = caller.get(f"/models/{done['result']['model_id']}").raise_for_status().json()
            assert model["state"] == "candidate"
            assert list((home / "workers").glob("worker-*/lock"))
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0, (home.parent / "worker.log").read_text()
            assert time.monotonic() - began < 8
        assert not list((home / "workers").iterdir())

        # Without a worker a run waits, and can be given up.
        second = caller.post("/runs", json={"question": QUESTION}).raise_for_status().json()
        time.sleep(1.0)
        assert caller.get(f"/runs/{second['id']}").json()["state"] == "queued"
        assert caller.post(f"/runs/{second['id']}/cancel").raise_for_status().json()["state"] == "cancelled"


def test_a_worker_refuses_a_sqlite_home(tmp_path: Path) -> None:
    with pytest.raises(NeedsSharedDatabase) as refused:
        work(Settings(home=tmp_path / "home"), print)
    assert refused.value.hint
    assert not (tmp_path / "home" / "lock").exists()


def test_a_sqlite_home_cannot_leave_its_jobs_to_others(tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused, match="HANDRAIL_WORKER"):
        load(home=tmp_path / "home", worker=False)
