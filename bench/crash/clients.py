"""Writers, people and those who act on decisions: all at once, over every server, through every crash."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from bench.crash.heard import Heard
from bench.crash.home import Place
from bench.crash.servers import Server
from handrail.foundation.http import csrf_of
from tests.chaos.deciding_home import ARCHIVE
from tests.integration.cycle.breast_mass import cases

BATCH = 100
FEW = 8  # so many unheard keys are asked again one by one
_AGAIN = 200  # keys in one request when everything is asked again
_TRIES = 200
_SHARES = {"single": 0.45, "twice": 0.2, "again": 0.1, "batch": 0.25}
_WHEN_LATE = ("deny", "deny", "default", "escalate", "hold")
# What a person may hear whose task was settled by somebody else, or by its deadline.
_TOO_LATE = frozenset(
    {
        "review.already_decided",
        "tasks.already_answered",
        "tasks.claim_over",
        "tasks.claimed_by_other",
        "tasks.closed",
        "tasks.not_found",
    }
)
_NOT_TAKEN = frozenset(
    {"review.consumed", "review.still_pending", "review.blocked", "review.expired", "review.reversed"}
)


def truth(name: str) -> str:
    """Return the recorded diagnosis of an item by its external id."""
    return case(int(name.rpartition("-")[2]))[1]


def case(number: int) -> tuple[dict[str, float], str]:
    """Return the data and the diagnosis of the arrival with this number."""
    arrivals = cases()[1][ARCHIVE:]
    return arrivals[number % len(arrivals)]


class Clients:
    """Everybody who talks to the servers of one project; what they hear is in `heard`."""

    def __init__(self, place: Place, servers: Sequence[Server], draw: random.Random, target: int = 0) -> None:
        self.heard = Heard()
        self.servers, self.draw = servers, draw
        self._place, self._target = place, target
        self._numbers = itertools.count()
        self._unheard: list[str] = []
        self._path = f"/api/v1/projects/{place.home.project_id}"
        self._client = httpx.AsyncClient(
            limits=httpx.Limits(max_connections=400, max_keepalive_connections=100), timeout=30, trust_env=False
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    # Calls

    async def call(
        self, path: str, body: Any = None, *, person: bool = False, server: int | None = None, get: bool = False
    ) -> httpx.Response | None:
        """Ask one of the servers; None when it died or is down: then nobody knows whether it was done."""
        up = [one.url for one in self.servers if one.url is not None]
        url = (self.draw.choice(up) if up else None) if server is None else self.servers[server].url
        if url is None:
            await asyncio.sleep(0.05)
            return None
        headers = {"Authorization": f"Bearer {self._place.home.token}"}
        if person:
            secret = self._place.session
            port = url.rpartition(":")[2]
            headers = {"Cookie": f"handrail_session_{port}={secret}", "X-CSRF-Token": csrf_of(secret)}
        more = {"content": body} if isinstance(body, str) else {"json": body}
        try:
            sent = self._client.get if get else self._client.post
            answer = await sent(url + self._path + path, headers=headers, **({} if get else more))
        except httpx.TransportError:
            return None
        if answer.status_code in (429, 503):
            self.heard.refused[f"{answer.status_code}"] += 1
            await asyncio.sleep(0.1)
            return None
        return answer

    # Decisions

    async def up(self) -> None:
        """Wait until a server runs: what is asked while none does would only be asked again."""
        while all(one.url is None for one in self.servers):  # noqa: ASYNC110  any of several, each dying and coming back
            await asyncio.sleep(0.05)

    async def write(self, kills: int) -> None:
        """Ask for new decisions, in every way at once, until as many as wanted were and servers died so often."""
        while len(self.heard.asked) < self._target or sum(one.kills for one in self.servers) < kills:
            await self.up()
            if self._unheard:
                many = len(self._unheard) > FEW
                keys = [self._unheard.pop() for _ in range(min(BATCH, len(self._unheard)) if many else 1)]
                await (self.batch(keys) if many else self.single(keys[0]))
                continue
            what = self.draw.choices(list(_SHARES), list(_SHARES.values()))[0]
            if what == "batch":
                await self.batch([self.new() for _ in range(BATCH)])
            elif what == "again" and self.heard.told:
                await self.single(self.draw.choice(list(self.heard.asked)))
            elif what == "twice":
                key = self.new()
                await asyncio.gather(self.single(key), self.single(key))
            else:
                await self.single(self.new())

    def new(self, wanted: Callable[[int], bool] | None = None, *, hurry: float = 0.3) -> str:
        """Make a new request and return its key; a part of them, `hurry`, has a deadline."""
        number = next(n for n in self._numbers if wanted is None or wanted(n))
        key = f"key-{number}"
        made: dict[str, Any] = {"external_id": f"arrived-{number}", "data": case(number)[0], "idempotency_key": key}
        if self.draw.random() < hurry:
            made |= {"deadline_s": round(self.draw.uniform(0.2, 8), 2), "on_deadline": self.draw.choice(_WHEN_LATE)}
            if made["on_deadline"] == "default":
                made["default"] = "benign"
        self.heard.asked[key] = made
        return key

    async def single(self, key: str, server: int | None = None) -> dict[str, Any] | None:
        """Ask for one decision; what nobody heard is asked again later."""
        began = time.monotonic()
        answer = await self.call("/decisions", self.heard.asked[key], server=server)
        if answer is None:
            self._unheard.append(key)
            return None
        if answer.status_code != 200:
            self.heard.unexpected(key, answer.status_code, answer.text)
            return None
        made: dict[str, Any] = answer.json()
        self.heard.decision(key, made, began, time.monotonic())
        return made

    async def batch(self, keys: list[str]) -> None:
        """Ask for many decisions in one request."""
        began = time.monotonic()
        lines = "".join(json.dumps(self.heard.asked[key]) + "\n" for key in keys)
        answer = await self.call("/decisions/batch", lines)
        heard = [] if answer is None else answer.text.splitlines()
        if answer is not None and (answer.status_code != 200 or len(heard) != len(keys)):
            self.heard.unexpected(f"{len(keys)} keys", answer.status_code, answer.text)
        for key, line in itertools.zip_longest(keys, heard):
            if line is None:
                self._unheard.append(key)
            elif "error" in (made := json.loads(line)):
                self.heard.unexpected(key, 200, line)
            else:
                self.heard.decision(key, made, began, time.monotonic())

    async def ask_everything_again(self) -> None:
        """Repeat every request that was ever made, on servers that stay up."""
        keys = list(self.heard.asked)
        for start in range(0, len(keys), _AGAIN):
            await self.batch(keys[start : start + _AGAIN])
        left, self._unheard = self._unheard, []
        for key in left:
            for _ in range(_TRIES):
                if await self.single(key) is not None:
                    break

    async def act(self, over: asyncio.Event) -> None:
        """Ask for one decision after the other and let two callers try to act on it at the same moment."""
        while not over.is_set():
            await self.up()
            key = self.new()
            made = await self.single(key)
            if made is not None and made["status"] in ("auto", "decided"):
                await asyncio.gather(*(self._consume(made["id"], f"caller {number} of {key}") for number in (1, 2)))
            await asyncio.sleep(self.draw.uniform(0.0, 0.1))

    async def _consume(self, decision_id: str, caller: str) -> None:
        answer = await self.call(f"/decisions/{decision_id}/consume", {"caller": caller})
        if answer is None:
            return
        if answer.status_code == 200:
            self.heard.receipt(decision_id, caller)
        else:
            self._refused(f"consume {decision_id}", answer)

    # People

    async def review(self, over: asyncio.Event, *, wrongly: bool = False) -> None:
        """Claim tasks and answer them after a while, as people do; `wrongly`: the opposite of the record."""
        while not over.is_set():
            answer = await self.call("/tasks/claim", {"n": 5}, person=True)
            if answer is None:
                continue
            if answer.status_code != 200:
                self.heard.unexpected("claim", answer.status_code, answer.text)
                return
            tasks = answer.json()["items"]
            for task in tasks:
                said = truth(task["item"]["name"])
                await self.answer(task["id"], other(said) if wrongly else said, blind=task["blind"])
            await asyncio.sleep(self.draw.uniform(0.0, 0.1) if tasks else 0.1)

    async def race(self, over: asyncio.Event) -> None:
        """Ask with a deadline, and let two people answer differently just when it passes."""
        large = [n for n in range(len(cases()[1]) - ARCHIVE) if case(n)[0]["mean radius"] > 15.0]
        while not over.is_set():
            await self.up()
            key = self.new(lambda n: n % (len(cases()[1]) - ARCHIVE) in large, hurry=0.0)
            deadline = round(self.draw.uniform(0.3, 1.5), 2)
            self.heard.asked[key] |= {"deadline_s": deadline, "on_deadline": "deny"}
            began = time.monotonic()
            made = await self.single(key)
            if made is None or made["task_id"] is None:
                continue
            task = made["task_id"]
            claimed = await self.call(f"/tasks/{task}/claim", person=True)
            if claimed is not None and claimed.status_code != 200:
                self._refused(f"claim {task}", claimed)
            late = self.draw.gauss(0.0, 0.4)
            await asyncio.sleep(max(0.0, began + deadline + late - time.monotonic()))
            await asyncio.gather(*(self.answer(task, value, blind=False) for value in ("benign", "malignant")))
            await self.single(key)

    async def answer(self, task_id: str, value: str, *, blind: bool) -> None:
        """Answer a task; a refusal is an answer too."""
        given = {"value": value, "verb": "label" if blind else "correct"}
        answer = await self.call(f"/tasks/{task_id}/answer", given, person=True)
        if answer is None:
            return
        if answer.status_code == 200:
            self.heard.answer(task_id, value)
        else:
            self._refused(f"answer {task_id}", answer)

    def _refused(self, what: str, answer: httpx.Response) -> None:
        code = str(answer.json().get("code", ""))
        if answer.status_code < 500 and code in _TOO_LATE | _NOT_TAKEN:
            self.heard.refused[code] += 1
        else:
            self.heard.unexpected(what, answer.status_code, answer.text)


def other(value: str) -> str:
    """Return the other diagnosis."""
    return "benign" if value == "malignant" else "malignant"
