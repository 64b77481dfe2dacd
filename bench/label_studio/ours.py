"""Handrail on a real server in a process of its own: people sign in, files go in and out over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.decide.clinic import settings
from bench.http.run import HANDRAIL
from bench.label_studio.texts import CHOICES, Text
from handrail.app import Handrail, running
from handrail.cycle.datasets import Field, Question, Schema
from handrail.foundation.http import Reach
from handrail.foundation.http.guard import csrf_of
from handrail.foundation.identity import Grant
from tools.serving import serving

QUESTION = "sentiment"
_PASSWORD = "a long enough password of the bench"
_SCHEMA = Schema(
    fields=(Field(name="text", type="text"),),
    questions=(Question(name=QUESTION, type="choice", choices=CHOICES),),
)


@dataclass(frozen=True)
class Ours:
    """A running Handrail: a client, an admin's and some people's sessions, and the process whose CPU counts."""

    client: httpx.Client
    url: str
    port: int
    lead: dict[str, str]
    people: tuple[dict[str, str], ...]
    pid: int

    def project(self, name: str) -> str:
        """Make a project with one text and one choice among three."""
        body = {"name": name, "schema": _SCHEMA.to_dict()}
        return str(self._asked("POST", "/projects", json=body)["id"])

    def take(self, project: str, found: Sequence[Text], *, answered: bool) -> dict[str, Any]:
        """Import texts, each with its recorded label or bare, in one request, and return the report."""
        lines = (
            json.dumps(
                {"external_id": one.doc, "data": {"text": one.text}}
                | ({"labels": {QUESTION: one.answer}} if answered else {})
            )
            for one in found
        )
        made: dict[str, Any] = self._asked(
            "POST", f"/projects/{project}/items/import?format=jsonl", content="\n".join(lines).encode()
        )
        return made

    def draw(self, project: str, count: int) -> None:
        """Open label tasks."""
        self._asked("POST", f"/projects/{project}/draws", json={"question": QUESTION, "n": count, "purpose": "train"})

    def next_task(self, project: str, person: int = 0, client: httpx.Client | None = None) -> str:
        """Return the task that it hands out next."""
        body = {"n": 1}
        got = self._asked("POST", f"/projects/{project}/tasks/claim", self.people[person], client, json=body)
        return str(got["items"][0]["id"])

    def submit(self, project: str, task: str, answer: str, person: int = 0, client: httpx.Client | None = None) -> None:
        """Answer a task."""
        body = {"verb": "label", "value": answer}
        self._asked("POST", f"/projects/{project}/tasks/{task}/answer", self.people[person], client, json=body)

    def export(self, project: str) -> tuple[int, int]:
        """Read everything as it streams in, and return how many rows there are and how many have a label."""
        rows = labelled = 0
        path = f"{self.url}/api/v1/projects/{project}/items/export?format=jsonl"
        with self.client.stream("GET", path, headers=self.lead, timeout=1200) as sent:
            sent.raise_for_status()
            for line in sent.iter_lines():
                rows += 1
                labelled += '"labels":{"' in line
        return rows, labelled

    def _asked(
        self, method: str, path: str, who: dict[str, str] | None = None, client: httpx.Client | None = None, **body: Any
    ) -> Any:
        sent = (client or self.client).request(
            method, f"{self.url}/api/v1{path}", headers=who or self.lead, timeout=1200, **body
        )
        if sent.is_error:
            raise RuntimeError(f"{path}: {sent.status_code} {sent.text[:500]}")
        return sent.json()


@contextmanager
def serving_ours(folder: Path, people: int) -> Iterator[Ours]:
    """Run Handrail on an empty home with people who may answer, until the block ends."""
    home = folder / "handrail"
    with running(settings(home), seed=7) as system:
        sessions = [asyncio.run(_person(system, number)) for number in range(people + 1)]
    with serving(HANDRAIL, home) as served, httpx.Client(trust_env=False) as client:
        port = int(served.url.rpartition(":")[2])
        who = [
            {"Cookie": f"{Reach(port=port).cookie}={one}", "X-CSRF-Token": csrf_of(one), "Origin": served.url}
            for one in sessions
        ]
        yield Ours(client, served.url, port, who[0], tuple(who[1:]), served.process.pid)


async def _person(system: Handrail, number: int) -> str:
    role = "owner" if number == 0 else "reviewer"
    name, email = f"Person {number}", f"person{number}@bench.example"
    _, link = system.identity.people.add(system.identity.local(), name, email, Grant(role, None))
    return (await system.identity.join(link, name, email, _PASSWORD)).secret
