"""The real application with a blind-first queue, and people who try to see the model's answer before they may."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import httpx

from handrail.app import Handrail
from handrail.cycle.datasets import Field, Question, Schema
from handrail.doors.api import create
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.http import reach
from handrail.foundation.http.guard import GuardedRoute
from handrail.foundation.identity.model import Grant

SCHEMA = Schema(fields=(Field(name="size", type="number"),), questions=(Question(name="finding", type="text"),))
ANSWER, SCORE = "zebra-crossing-4711", 0.83719
_ROUNDED = re.compile(rb"(?<![0-9])0\.837")  # no part of a time, as 12:00:20.837 is
"""The model's answer and score: nothing else in the home looks like them."""
ROLES = {"anna": "reviewer", "ben": "reviewer", "cara": "lead", "dora": "auditor"}


class Onlookers:
    """A project with a blind-first policy; each person is a simulated one with a role of the product."""

    def __init__(self, system: Handrail, name: str = "blind", **policy: Any) -> None:
        self.system = system
        self.api = create(system, reach(host="127.0.0.1", port=8731))
        self.routes = [route for route in self.api.routes if isinstance(route, GuardedRoute)]
        rule = Actor.rule("test")
        made = system.storage.write(lambda uow: system.datasets.create_project(uow, rule, name, SCHEMA))
        self.scope, self.place = Scope(made.id), f"/api/v1/projects/{made.id}"
        local = system.identity.local()
        self.secrets = {"owner": system.identity.tokens.make(local, "test", "owner")[1]}
        self.document = {"question": "finding", "blind_first": True, **policy}

    async def open(self) -> None:
        """Put the policy into force and make the people."""
        async with self.client("owner") as owner:
            (await owner.put(f"{self.place}/policy", json=self.document)).raise_for_status()
        identity, local = self.system.identity, self.system.identity.local()
        for name, role in ROLES.items():
            person = identity.people.add_simulated(local, name, Grant(role))
            self.secrets[name] = identity.tokens.make(local, name, role, simulated_id=person.id)[1]

    def client(self, who: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.api, raise_app_exceptions=True)
        headers = {"Authorization": f"Bearer {self.secrets[who]}"}
        return httpx.AsyncClient(transport=transport, base_url="http://localhost:8731", headers=headers)

    async def decide(self, number: int = 1) -> dict[str, str]:
        """Let the caller bring a prediction, and return the ids of what it made."""
        asked = {
            "external_id": f"case-{number}",
            "data": {"size": float(number)},
            "idempotency_key": f"k-{number}",
            "prediction": {"value": ANSWER, "score": SCORE, "scores": {ANSWER: SCORE}},
        }
        async with self.client("owner") as owner:
            made = (await owner.post(f"{self.place}/decisions", json=asked)).raise_for_status().json()
        assert (made["status"], made["prediction"]["value"]) == ("pending", ANSWER), "the caller gets what it asked for"
        return {"decision_id": made["id"], "task_id": made["task_id"], "item_id": made["item_id"]}

    async def seen_by(self, who: str, ids: dict[str, str]) -> list[str]:
        """Return the routes on which `who` finds the model's answer or score, of all that they can read."""
        found = []
        known = {**ids, "project": self.scope.project_id}
        async with self.client(who) as client:
            for entry in await self._entries(ids):
                answer = await client.get(f"/api/v1/journal/entries/{entry}/proof")
                found += [f"GET proof of {entry}"] * tells(answer)
            for route in self.routes:
                if route.declared.method != "GET":
                    continue
                path = re.sub(r"\{(\w+)\}", lambda match: known.get(match[1], "none"), route.path)
                answer = await client.get(path, params={"question": "finding", "version": "main"})
                found += [f"GET {route.path}"] * tells(answer)
        return found

    async def _entries(self, ids: dict[str, str]) -> list[str]:
        self.system.journal.integrate(self.system.storage)
        return self.system.storage.read(
            lambda uow: [
                one.entry_id
                for one in self.system.journal.about(uow, self.scope.project_id, "decision", ids["decision_id"])
            ]
        )


def tells(answer: httpx.Response) -> bool:
    """Return whether a response holds the model's answer or score, also inside an archive."""
    parts = [answer.content]
    if answer.headers.get("content-type") == "application/zip":
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            parts += [archive.read(name) for name in archive.namelist()]
    return any(ANSWER.encode() in part or _ROUNDED.search(part) is not None for part in parts)
