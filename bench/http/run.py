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
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.decide.clinic import prepare, request, settings
from bench.http.connection import Connection, post
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


@dataclass(frozen=True)
class Place:
    """Where to send: a server's address, and the process whose CPU counts."""

    port: int
    path: str
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


def prepared(place: Place, name: str, count: int, each: int) -> list[bytes]:
    """Return requests of one decision, or of `each` decisions as JSON lines, ready to be sent."""
    if each == 1:
        contents, path, kind = [body(name, number) for number in range(count)], "/decisions", "application/json"
    else:
        contents = ["\n".join(body(f"{name} {number}", one) for one in range(each)) for number in range(count)]
        path, kind = "/decisions/batch", "application/x-ndjson"
    return [post(place.port, place.path + path, place.token, content, kind) for content in contents]


async def send(place: Place, name: str, count: int, connections: int, each: int) -> Taken:
    """Send `count` requests of `each` decisions over some connections, one after the other on each."""
    waited: list[float] = []
    requests = prepared(place, name, count, each)
    lines = [await Connection.open(place.port) for _ in range(connections)]

    async def one(number: int) -> None:
        for content in requests[number::connections]:
            began = time.perf_counter()
            answers = (await lines[number].send(content)).splitlines()
            waited.append((time.perf_counter() - began) * 1000)
            assert len(answers) == each
            assert all(json.loads(answer)["route"] in ("auto", "human") for answer in answers)

    began = cpu_of(place.pid)
    await asyncio.gather(*[one(number) for number in range(connections)])
    await asyncio.sleep(LAG_S)
    taken = cpu_of(place.pid) - began
    for line in lines:
        await line.close()
    return Taken(taken / (count * each) * 1000, waited)


def measured(place: Place, name: str, count: int, connections: int, each: int = 1) -> Taken:
    """Return the median of some turns, after one that fills caches."""
    asyncio.run(send(place, f"{name} first", max(count // 10, connections), connections, each))
    turns = [asyncio.run(send(place, f"{name} {turn}", count, connections, each)) for turn in range(TURNS)]
    return Taken(median(one.cpu_ms for one in turns), [wait for one in turns for wait in one.waited])


def main() -> int:
    """Measure and report."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="handrail-bench-"))) / "home"
        with running(settings(home), seed=7) as system:
            project = prepare(system).project_id
            _, token = system.identity.tokens.make(system.identity.local(), "bench", "machine")
        served = stack.enter_context(serving(HANDRAIL, home))
        port = int(served.url.rpartition(":")[2])
        place = Place(port, f"/api/v1/projects/{project}", served.process.pid, token)
        together = measured(place, "together", SINGLES, CONNECTIONS)
        alone = measured(place, "alone", ALONE, 1)
        batches = measured(place, "batch", BATCHES, 4, BATCH)
        port, pid = stack.enter_context(serving_nothing())
        peer = Place(port, "", pid, token)
        nothing = measured(peer, "nothing", SINGLES, CONNECTIONS)
        nothing_alone = measured(peer, "nothing", ALONE, 1)
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
