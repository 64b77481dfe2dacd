"""The PostgreSQL server of the tests ends with the run that started it, however that run ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

_RUN = """
import sys
from tools.postgres import server
with server(durable=False) as running:
    print(running.pid, flush=True)
    sys.stdin.read()
"""


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_server_stops_when_the_run_is_killed() -> None:
    run = subprocess.Popen([sys.executable, "-c", _RUN], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert run.stdin is not None
    assert run.stdout is not None
    with run.stdin, run.stdout:
        pid = int(run.stdout.readline())
        assert _alive(pid)
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
    ends = time.monotonic() + 15
    while _alive(pid) and time.monotonic() < ends:
        time.sleep(0.05)
    assert not _alive(pid)
