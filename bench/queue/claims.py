"""Claims from a queue of 10,000 and of 1,000,000 open tasks: CPU of one claim, five tasks each, for 64 people at once.

The limit is the one statement that any queue in SQLite needs, run bare with sqlite3 in groups of 64 on the same
database. PostgreSQL (CPU of our process alone, 8 connections) and HTTP (CPU of the server's process) come beside it.
No task may go to two people.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bench.queue.filled import BATCH, Queue, limit_ms
from bench.report import Line
from bench.stopwatch import cpu_of
from handrail.cycle.tasks import Task
from handrail.foundation.actors import Actor, Scope
from tools.postgres import server
from tools.serving import free_port

SMALL, LARGE = 10_000, 1_000_000
CLAIMS, CALLERS = 640, 64
ONE_CALLER, OVER_HTTP, CONNECTIONS, RUNS = 200, 3200, 32, 5


@dataclass
class Taken:
    """What a run of claims took: CPU milliseconds for each, seconds of wall time each, and the tasks."""

    cpu_ms: float = 0.0
    waited: list[float] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)

    @property
    def p99_ms(self) -> float:
        """99 of 100 claims waited no longer, milliseconds."""
        return sorted(self.waited)[int(0.99 * (len(self.waited) - 1))] * 1000

    @property
    def twice(self) -> int:
        """Tasks that went to two people."""
        return len(self.tasks) - len(set(self.tasks))


def person(number: int) -> Actor:
    """Return one of the people."""
    return Actor(kind="simulated", id=f"person-{number}", name=f"Person {number}")


def in_process(queue: Queue, scope: Scope, callers: int, claims: int) -> Taken:
    """Let callers on one event loop claim at the same time."""
    taken = Taken()

    async def one(number: int) -> None:
        who = person(number)
        for _ in range(claims // callers):
            began = time.perf_counter()
            got = await queue.storage.awrite(lambda uow: queue.tasks.claim(uow, who, scope, n=BATCH))
            _note(taken, began, got)

    async def everybody() -> None:
        await asyncio.gather(*[one(number) for number in range(callers)])

    asyncio.run(everybody())  # the first caches
    taken.waited.clear()
    began = time.process_time()
    asyncio.run(everybody())
    taken.cpu_ms = (time.process_time() - began) / claims * 1000
    return taken


def in_threads(queue: Queue, scope: Scope, callers: int, claims: int) -> Taken:
    """Let callers in threads claim at the same time."""
    taken = Taken()

    def one(number: int) -> None:
        who = person(number)
        for _ in range(claims // callers):
            began = time.perf_counter()
            _note(taken, began, queue.storage.write(lambda uow: queue.tasks.claim(uow, who, scope, n=BATCH)))

    def everybody() -> None:
        threads = [threading.Thread(target=one, args=(number,)) for number in range(callers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    everybody()
    taken.waited.clear()
    began = time.process_time()
    everybody()
    taken.cpu_ms = (time.process_time() - began) / claims * 1000
    return taken


def _note(taken: Taken, began: float, got: list[Task]) -> None:
    assert len(got) == BATCH
    taken.waited.append(time.perf_counter() - began)
    taken.tasks += [one.id for one in got]


def over_http(url: str, folder: Path, scope: Scope) -> Taken:
    """Claim over HTTP from a server in a process of its own, whose CPU time is what counts."""
    port = free_port()
    command = [sys.executable, "-m", "bench.queue.serve", url, str(folder), str(port)]
    with subprocess.Popen(command) as running:
        try:
            return asyncio.run(_claim_over_http(running.pid, port, scope))
        finally:
            running.terminate()


async def _claim_over_http(pid: int, port: int, scope: Scope) -> Taken:
    taken = Taken()
    address = f"http://127.0.0.1:{port}/api/v1/projects/{scope.project_id}/tasks/claim"
    limits = httpx.Limits(max_connections=CONNECTIONS)
    async with httpx.AsyncClient(limits=limits, timeout=60) as client:
        await _until_up(client, port)

        async def one(number: int) -> None:
            headers = {"Authorization": f"Bearer person-{number}"}
            for _ in range(OVER_HTTP // CONNECTIONS):
                began = time.perf_counter()
                answer = await client.post(address, json={"n": BATCH}, headers=headers)
                answer.raise_for_status()
                taken.waited.append(time.perf_counter() - began)
                taken.tasks += [each["id"] for each in answer.json()["items"]]

        async def everybody() -> None:
            await asyncio.gather(*[one(number) for number in range(CONNECTIONS)])

        await everybody()
        taken.waited.clear()
        began = cpu_of(pid)
        await everybody()
        taken.cpu_ms = (cpu_of(pid) - began) / OVER_HTTP * 1000
    return taken


async def _until_up(client: httpx.AsyncClient, port: int) -> None:
    for _ in range(300):
        try:
            await client.get(f"http://127.0.0.1:{port}/api/v1/health")
        except httpx.ConnectError:
            await asyncio.sleep(0.1)
        else:
            return
    raise RuntimeError("the server did not come up")


def sqlite_lines(folder: Path, run: Callable[[Queue, Scope, int, int], Taken]) -> list[Line]:
    """Measure SQLite in process and over HTTP."""
    lines: list[Line] = []
    url = f"sqlite:///{folder / 'handrail.db'}"
    queue = Queue(url, folder / "datasets")
    cpu: dict[int, float] = {}
    scopes = {count: queue.fill(count) for count in (SMALL, LARGE)}
    for count, scope in scopes.items():
        taken = run(queue, scope, CALLERS, CLAIMS)
        alone = run(queue, scope, 1, ONE_CALLER) if count == LARGE else None
        cpu[count] = taken.cpu_ms
        lines += [
            Line(f"{count:,} open, 64 callers: CPU of a claim", taken.cpu_ms, "ms", at_most=0.3),
            Line(f"{count:,} open, 64 callers: 99 of 100 wait at most", taken.p99_ms, "ms", at_most=100),
            Line(f"{count:,} open, 64 callers: tasks that went to two people", taken.twice, "", at_most=0),
        ]
        if alone is not None:
            lines.append(Line(f"{count:,} open, one caller: CPU of a claim", alone.cpu_ms, "ms"))
    queue.storage.close()
    for count, scope in scopes.items():
        bare = limit_ms(folder / "handrail.db", scope, 320)
        lines += [
            Line(f"{count:,} open: the bare statement (the limit), CPU", bare, "ms"),
            Line(f"{count:,} open: ours over the limit", cpu[count] / bare),
        ]
    lines.append(Line("1,000,000 open over 10,000 open, CPU", cpu[LARGE] / cpu[SMALL], "", at_most=2.5))
    # What else runs on the machine can double a server's CPU time for seconds; it never makes it less.
    served = [over_http(url, folder / "datasets", scopes[LARGE]) for _ in range(RUNS)]
    tasks = [task for one in served for task in one.tasks]
    lines += [
        Line(f"1,000,000 open over HTTP: CPU of a claim, quietest of {RUNS}", min(_cpus(served)), "ms", at_most=1.5),
        Line(f"1,000,000 open over HTTP: CPU of a claim, loudest of {RUNS}", max(_cpus(served)), "ms"),
        Line("1,000,000 open over HTTP: tasks that went to two people", len(tasks) - len(set(tasks)), "", at_most=0),
    ]
    return lines


def _cpus(runs: list[Taken]) -> list[float]:
    return [one.cpu_ms for one in runs]


def postgresql_lines(folder: Path) -> list[Line]:
    """Measure PostgreSQL, with callers in threads."""
    lines: list[Line] = []
    with server() as running:
        queue = Queue(running.create("claims"), folder / "datasets")
        for count in (SMALL, LARGE):
            scope = queue.fill(count)
            taken = in_threads(queue, scope, CALLERS, CLAIMS)
            lines += [
                Line(f"PostgreSQL, {count:,} open, 64 callers: our CPU of a claim", taken.cpu_ms, "ms"),
                Line(f"PostgreSQL, {count:,} open: 99 of 100 wait at most", taken.p99_ms, "ms", at_most=100),
                Line(f"PostgreSQL, {count:,} open: the longest wait", max(taken.waited) * 1000, "ms"),
                Line(f"PostgreSQL, {count:,} open: tasks that went to two people", taken.twice, "", at_most=0),
            ]
        queue.storage.close()
    return lines
