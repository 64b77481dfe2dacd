"""Clients that ask a server for decisions over many connections, and remember what they were told."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.chaos.deciding_home import ARCHIVE
from tests.integration.cycle.breast_mass import cases

CLIENTS = 24
BATCH = 8
WARM = 20  # new answers after a start
_REPLAY = 200
_SHARES = {"single": 0.6, "twice": 0.2, "again": 0.1, "batch": 0.1}
_TOLD = ("id", "item_id", "route", "value", "task_id", "score", "created_at")


@dataclass
class Ward:
    """What was asked under which key, what was answered, and every answer that should not have been."""

    project_id: str
    token: str
    asked: dict[str, dict[str, Any]] = field(default_factory=dict)
    told: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    warm: asyncio.Event = field(default_factory=asyncio.Event)
    draw: random.Random = field(default_factory=random.Random)
    _told_before: int = 0
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    async def ask_until_it_dies(self, url: str) -> None:
        """Ask over many connections at once until the server no longer answers; what nobody answered is asked first.

        `warm` is set when answers have come for a while.
        """
        self._told_before = len(self.told)
        unheard = [key for key in self.asked if key not in self.told]
        async with self._client(url) as client:
            await asyncio.gather(*(self._work(client, unheard) for _ in range(CLIENTS)))

    async def ask_everything_again(self, url: str) -> None:
        """Repeat every request that was ever made, whether it was answered or not."""
        async with self._client(url) as client:
            keys = list(self.asked)
            for start in range(0, len(keys), _REPLAY):
                await self._batch(client, keys[start : start + _REPLAY])

    def _client(self, url: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=f"{url}/api/v1/projects/{self.project_id}",
            headers={"Authorization": f"Bearer {self.token}"},
            limits=httpx.Limits(max_connections=2 * CLIENTS),
            timeout=30,
            trust_env=False,
        )

    async def _work(self, client: httpx.AsyncClient, unheard: list[str]) -> None:
        try:
            while True:
                await self._one_turn(client, unheard)
        except httpx.TransportError:
            return  # the server is gone; what it was asked last may have been done or not

    async def _one_turn(self, client: httpx.AsyncClient, unheard: list[str]) -> None:
        if unheard:
            await self._single(client, unheard.pop())
            return
        what = self.draw.choices(list(_SHARES), list(_SHARES.values()))[0]
        if what == "batch":
            await self._batch(client, [self._new() for _ in range(BATCH)])
        elif what == "again" and self.told:
            await self._single(client, self.draw.choice(list(self.told)))
        elif what == "twice":
            key = self._new()
            both = (self._single(client, key), self._single(client, key))
            for outcome in await asyncio.gather(*both, return_exceptions=True):
                if outcome is not None:
                    raise outcome
        else:
            await self._single(client, self._new())

    def _new(self) -> str:
        """Make a new request and return its key."""
        number = next(self._numbers)
        data = cases()[1][ARCHIVE + number % (len(cases()[1]) - ARCHIVE)][0]
        key = f"key-{number}"
        self.asked[key] = {"external_id": f"arrived-{number}", "data": data, "idempotency_key": key}
        return key

    async def _single(self, client: httpx.AsyncClient, key: str) -> None:
        answer = await client.post("/decisions", json=self.asked[key])
        if answer.status_code == 200:
            self._hear(key, answer.json())
        else:
            self.wrong.append(f"{key}: {answer.status_code} {answer.text}")

    async def _batch(self, client: httpx.AsyncClient, keys: list[str]) -> None:
        lines = "".join(json.dumps(self.asked[key]) + "\n" for key in keys)
        answer = await client.post("/decisions/batch", content=lines)
        if answer.status_code != 200:
            self.wrong.append(f"{keys}: {answer.status_code} {answer.text}")
            return
        for key, line in zip(keys, answer.text.splitlines(), strict=True):
            self._hear(key, json.loads(line))

    def _hear(self, key: str, answer: dict[str, Any]) -> None:
        if "error" in answer:
            self.wrong.append(f"{key}: {answer}")
            return
        heard = tuple(answer[name] for name in _TOLD)
        if self.told.setdefault(key, heard) != heard:
            self.wrong.append(f"{key}: told {self.told[key]}, then {heard}")
        if len(self.told) - self._told_before >= WARM:
            self.warm.set()
