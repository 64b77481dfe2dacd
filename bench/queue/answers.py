"""Answers of signed-in people over HTTP, while thousands of tasks are held: CPU of the server for each.

A real server in a process of its own. Reviews end a decision: answer, verdict, label, journal, in one transaction.
Labels are the plain kind. The peer is a server of the same framework that answers and keeps nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.decide.clinic import ARCHIVE, PERSON, QUESTION, cases, prepare, request, settings
from bench.http.connection import Connection, post
from bench.http.nothing import serving_nothing
from bench.http.run import HANDRAIL, SINGLES, Place, measured
from bench.report import Line
from bench.stopwatch import cpu_of
from handrail.app import Handrail, running
from handrail.cycle.datasets import NewItem
from handrail.cycle.review import Policy
from handrail.cycle.review.policy import Rule
from handrail.cycle.tasks import Task
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.identity import Grant
from tools.serving import serving

PEOPLE, EACH, TURNS = 32, 16, 4
HELD = 3000
_PASSWORD = "a long enough password of the bench"
_LAG_S = 1.0


@dataclass(frozen=True)
class Work:
    """A person's session, and the tasks that they hold."""

    session: str
    person: Actor
    tasks: list[Task]


def answer_lines(folder: Path) -> list[Line]:
    """Measure answers to reviews and to labels."""
    home = folder / "answers"
    with ExitStack() as stack:
        with running(settings(home), seed=7) as system:
            scope, everybody = _prepared(system)
        served = stack.enter_context(serving(HANDRAIL, home))
        port = int(served.url.rpartition(":")[2])
        path = f"/api/v1/projects/{scope.project_id}/tasks"
        cpu = {kind: _answered(served.process.pid, port, path, everybody, kind) for kind in ("review", "label")}
        bare_port, pid = stack.enter_context(serving_nothing())
        bare = measured(Place(bare_port, "", pid, "bench"), "nothing", SINGLES, PEOPLE).cpu_ms
    peer = f"FastAPI that keeps nothing: {bare:.2f}"
    return [
        Line("an answer to a review over HTTP: CPU", cpu["review"], "ms", at_most=1.5, peer=peer),
        Line("an answer to a label task over HTTP: CPU", cpu["label"], "ms", at_most=1.5, peer=peer),
    ]


def _prepared(system: Handrail) -> tuple[Scope, list[Work]]:
    """Make reviews and label tasks, let people sign up and hold theirs, and let others hold `HELD` more."""
    scope = prepare(system)
    every = Rule("every case", "true", "human")
    policy = Policy(question=QUESTION, alpha=0.1, delta=0.2, audit_rate=0.1, rules=(every,))
    system.review.activate_policy(PERSON, scope, policy, loosens=True)
    needed = (TURNS + 1) * PEOPLE * EACH
    requests = [request("review", number) for number in range(needed // 2 + HELD)]
    asyncio.run(system.review.decide_many(PERSON, scope, requests))
    new = [NewItem(external_id=f"label-{number}", data=cases()[number % ARCHIVE][0]) for number in range(needed // 2)]
    system.storage.write(lambda uow: system.datasets.put_items(uow, PERSON, scope, new))
    system.annotate.draw(PERSON, scope, question=QUESTION, n=needed // 2, purpose="train", reason="bench")
    people = [asyncio.run(_person(system, scope, number)) for number in range(PEOPLE)]
    half = needed // PEOPLE // 2
    work = [
        Work(
            session, person, [task for kind in ("review", "label") for task in _held(system, scope, person, kind, half)]
        )
        for session, person in people
    ]
    for number in range(HELD // 5):
        _held(system, scope, Actor(kind="simulated", id=f"other-{number}", name="Other"), "review", 5)
    system.loop.tick()
    return scope, work


async def _person(system: Handrail, scope: Scope, number: int) -> tuple[str, Actor]:
    name, email = f"Person {number}", f"person{number}@bench.example"
    _, link = system.identity.people.add(system.identity.local(), name, email, Grant("reviewer", scope.project_id))
    signed = await system.identity.join(link, name, email, _PASSWORD)
    return signed.secret, signed.actor


def _held(system: Handrail, scope: Scope, person: Actor, kind: str, count: int) -> list[Task]:
    """Let a person hold so many tasks of a kind."""
    found: list[Task] = []
    while len(found) < count:
        got = system.storage.write(lambda uow: system.tasks.claim(uow, person, scope, n=5, kinds=(kind,), lease_s=3600))
        assert got, "the queue is too short"
        found += got
    return found


def _answered(pid: int, port: int, path: str, everybody: Sequence[Work], kind: str) -> float:
    """Return the median over turns of CPU milliseconds for each answer."""
    per_turn = EACH // 2
    taken = []
    for turn in range(TURNS + 1):
        chosen = [
            (one, [task for task in one.tasks if task.kind == kind][turn * per_turn : (turn + 1) * per_turn])
            for one in everybody
        ]
        number = sum(len(tasks) for _, tasks in chosen)
        assert number, f"nobody holds a {kind} task any more"
        taken.append(asyncio.run(_send(pid, port, path, chosen)) / number * 1000)
    return median(taken[1:])


async def _send(pid: int, port: int, path: str, chosen: Sequence[tuple[Work, list[Task]]]) -> float:
    lines = [await Connection.open(port) for _ in chosen]

    async def one(line: Connection, work: Work, tasks: list[Task]) -> None:
        for task in tasks:
            verb = "approve" if task.kind == "review" else "label"
            shown = task.prediction
            content = json.dumps({"value": "benign" if shown is None else shown["value"], "verb": verb})
            await line.send(
                post(port, f"{path}/{task.id}/answer", "", content, "application/json", session=work.session)
            )

    began = cpu_of(pid)
    await asyncio.gather(*[one(line, *each) for line, each in zip(lines, chosen, strict=True)])
    await asyncio.sleep(_LAG_S)
    taken = cpu_of(pid) - began
    for line in lines:
        await line.close()
    return taken
