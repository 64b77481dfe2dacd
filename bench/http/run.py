"""Decides new cases over HTTP, by a machine's token, on a real server in a process of its own.

What counts is the CPU of the server's whole process, from /proc: sign-in, checks, decide() with the model, the durable
transaction, the answer, and beside it the loop that follows the journal (tree, tallies), until it has caught up. The
peer is a server of the same framework that answers the same requests with a fixed decision and keeps nothing.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx

from bench.decide.clinic import prepare, request, settings
from bench.http.nothing import serving_nothing
from bench.report import Line, report
from bench.stopwatch import cpu_of
from handrail.app import running
from tools.serving import serving

HANDRAIL = [str(Path(sys.executable).with_name("handrail"))]
SINGLES, CONNECTIONS = 1500, 64
ALONE = 400
BATCHES, BATCH = 40, 100
TURNS = 3
LAG_S = 1.0

Post = Callable[[httpx.AsyncClient, str, int], Awaitable[None]]


@dataclass(frozen=True)
class Place:
    """Where to send: a server's project, and the process whose CPU counts."""

    url: str
    pid: int
    token: str


@dataclass
class Taken:
    """CPU milliseconds of the server for each decision, and how long requests waited in milliseconds."""

    cpu_ms: float
    waited: list[float]

    @property
    def p99_ms(self) -> float:
        """99 of 100 requests waited no longer."""
        return sorted(self.waited)[int(0.99 * (len(self.waited) - 1))]


def body(name: str, number: int) -> str:
    """Return the JSON of one item to decide."""
    wanted = request(name, number)
    given = {"external_id": wanted.external_id, "data": wanted.data, "idempotency_key": wanted.idempotency_key}
    return json.dumps(given, separators=(",", ":"))


async def single(client: httpx.AsyncClient, name: str, number: int) -> None:
    """Have one item decided."""
    headers = {"Content-Type": "application/json"}
    answer = await client.post("/decisions", content=body(name, number), headers=headers)
    answer.raise_for_status()
    assert answer.json()["route"] in ("auto", "human")


async def batch(client: httpx.AsyncClient, name: str, number: int) -> None:
    """Have a hundred items decided in one request."""
    lines = "\n".join(body(name, number * BATCH + place) for place in range(BATCH))
    headers = {"Content-Type": "application/x-ndjson"}
    answer = await client.post("/decisions/batch", content=lines, headers=headers)
    answer.raise_for_status()
    decided = [json.loads(line) for line in answer.text.splitlines()]
    assert len(decided) == BATCH
    assert all(one["route"] in ("auto", "human") for one in decided)


async def send(place: Place, post: Post, name: str, count: int, connections: int, each: int) -> Taken:
    """Send `count` requests of `each` decisions over some connections; the first of each only opens it."""
    waited: list[float] = []
    limits = httpx.Limits(max_connections=connections)
    headers = {"Authorization": f"Bearer {place.token}"}
    async with httpx.AsyncClient(base_url=place.url, headers=headers, limits=limits, timeout=60) as client:

        async def one(number: int) -> None:
            for turn in range(number, count, connections):
                began = time.perf_counter()
                await post(client, name, turn)
                waited.append((time.perf_counter() - began) * 1000)

        began = cpu_of(place.pid)
        await asyncio.gather(*[one(number) for number in range(connections)])
        await asyncio.sleep(LAG_S)
        taken = cpu_of(place.pid) - began
    return Taken(taken / (count * each) * 1000, waited)


def measured(place: Place, post: Post, name: str, count: int, connections: int, each: int = 1) -> Taken:
    """Return the median of some turns, after one that fills caches."""
    asyncio.run(send(place, post, f"{name} first", max(count // 10, 1), connections, each))
    turns = [asyncio.run(send(place, post, f"{name} {turn}", count, connections, each)) for turn in range(TURNS)]
    return Taken(median(one.cpu_ms for one in turns), [wait for one in turns for wait in one.waited])


def main() -> int:
    """Measure and report."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="handrail-bench-"))) / "home"
        with running(settings(home)) as system:
            project = prepare(system).project_id
            _, token = system.identity.tokens.make(system.identity.local(), "bench", "machine")
        served = stack.enter_context(serving(HANDRAIL, home))
        place = Place(f"{served.url}/api/v1/projects/{project}", served.process.pid, token)
        together = measured(place, single, "together", SINGLES, CONNECTIONS)
        alone = measured(place, single, "alone", ALONE, 1)
        batches = measured(place, batch, "batch", BATCHES, 4, BATCH)
        peer = Place(*stack.enter_context(serving_nothing()), token)
        nothing = measured(peer, single, "nothing", SINGLES, CONNECTIONS)
        nothing_alone = measured(peer, single, "nothing", ALONE, 1)
    bare = "FastAPI that keeps nothing: {:.2f}"
    lines = [
        Line("64 connections: CPU of a decision", together.cpu_ms, "ms", at_most=1.5, peer=bare.format(nothing.cpu_ms)),
        Line("one connection: CPU of a decision", alone.cpu_ms, "ms", peer=bare.format(nothing_alone.cpu_ms)),
        Line("batches of 100: CPU of a decision", batches.cpu_ms, "ms", at_most=0.3),
        Line("64 connections: 99 of 100 wait at most", together.p99_ms, "ms"),
        Line("one connection: 99 of 100 wait at most", alone.p99_ms, "ms"),
        Line("batches of 100: 99 of 100 wait at most", batches.p99_ms, "ms"),
    ]
    return report("http", lines, facts={"requests a turn": SINGLES, "batches a turn": BATCHES, "turns": TURNS})


if __name__ == "__main__":
    sys.exit(main())
