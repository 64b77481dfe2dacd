"""A real server in a process of its own."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

START_S = 30
STOP_S = 15
_PORTS = (15_000, 32_000)  # outgoing connections start at 32768 on Linux, at 49152 elsewhere


@dataclass(frozen=True)
class Running:
    """A server that answers: its address, its process and what it prints."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def output(self) -> str:
        """Return everything it has printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")


def free_port() -> int:
    """Return a port that nobody uses at the moment.

    It lies below those that the system gives to outgoing connections: a client under load would take it before the
    server, which needs a second or two until it listens.
    """
    draw = random.SystemRandom()
    for _ in range(100):
        port = draw.randrange(*_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError(f"no port from {_PORTS[0]} to {_PORTS[1]} is free")


@contextmanager
def serving(
    command: Sequence[str], home: Path, *, environment: Mapping[str, str] | None = None, expect_clean_end: bool = True
) -> Iterator[Running]:
    """Run `COMMAND serve --home HOME --port N` until the block ends; it must answer soon and end when it is told to."""
    port = free_port()
    log = home.parent / f"{home.name}.server.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*command, "serve", "--home", str(home), "--port", str(port)],
            cwd=home.parent,
            env=dict(os.environ if environment is None else environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    running = Running(f"http://127.0.0.1:{port}", process, log)
    try:
        _wait_until_it_answers(running)
        yield running
    finally:
        _end(running)
    if expect_clean_end:
        assert process.returncode in (0, -signal.SIGTERM, 128 + signal.SIGTERM), running.output()


def _wait_until_it_answers(running: Running) -> None:
    ends = time.monotonic() + START_S
    while time.monotonic() < ends:
        assert running.process.poll() is None, f"the server ended: {running.output()}"
        try:
            if httpx.get(running.url, trust_env=False, timeout=2).status_code < 500:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"the server does not answer after {START_S} s: {running.output()}")


def _end(running: Running) -> None:
    if running.process.poll() is None:
        running.process.send_signal(signal.SIGTERM)
        try:
            running.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(running.process.pid, signal.SIGKILL)
            running.process.wait()
            raise AssertionError(f"the server does not end within {STOP_S} s: {running.output()}") from None
