"""Eight writers, a brake in between, and kill -9 around it: what is decided automatically after the brake's commit."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from bench.crash.clients import Clients, case
from bench.crash.home import Place
from bench.crash.servers import Server

WRITERS, AUDITORS = 8, 3
LONGEST_S, AFTER_S = 60.0, 1.5


@dataclass(frozen=True)
class Told:
    """What the writers were told: automatic decisions before the brake was heard of, and after; kills in between."""

    braked: bool
    before: int
    after: int
    kills: int


async def brake_round(place: Place, servers: Sequence[Server], draw: random.Random) -> tuple[Clients, Told]:
    """Play one round: auditors call every automatic answer wrong until the brake falls, and servers are killed."""
    clients = Clients(place, servers, draw)
    over, braked = asyncio.Event(), asyncio.Event()
    routes: list[tuple[float, str]] = []
    try:
        async with asyncio.TaskGroup() as group:
            await asyncio.gather(*(one.start() for one in servers))
            for _ in range(WRITERS):
                group.create_task(_write(clients, over, routes))
            for _ in range(AUDITORS):
                group.create_task(clients.review(over, wrongly=True))
            group.create_task(_watch(clients, over, braked))
            # One server dies on the way, at a random moment; one dies the moment the brake is heard of.
            early = group.create_task(_kill_and_start(servers[0], draw.uniform(0.5, 4.0)))
            with suppress(TimeoutError):
                await asyncio.wait_for(braked.wait(), LONGEST_S)
            heard = time.monotonic()
            await (servers[-1] if servers[-1].url is not None else servers[0]).die_and_come_back()
            await early
            await asyncio.sleep(AFTER_S)
            over.set()
        await clients.ask_everything_again()
    finally:
        await asyncio.gather(*(one.end() for one in servers))
        await clients.close()
    automatic = [began for began, route in routes if route == "auto"]
    after = sum(began > heard for began in automatic)
    kills = sum(one.kills for one in servers)
    return clients, Told(braked.is_set(), len(automatic) - after, after, kills)


async def _write(clients: Clients, over: asyncio.Event, routes: list[tuple[float, str]]) -> None:
    """Ask for one decision after the other, about small masses: those are automatic under the certificate."""
    while not over.is_set():
        await clients.up()
        key = clients.new(lambda number: case(number)[0]["mean radius"] <= 15.0, hurry=0.0)
        began = time.monotonic()
        made = await clients.single(key)
        if made is not None:
            routes.append((began, made["route"]))
        await asyncio.sleep(0.01)


async def _watch(clients: Clients, over: asyncio.Event, braked: asyncio.Event) -> None:
    while not over.is_set():
        answer = await clients.call("/oversight", get=True, person=True)
        if answer is not None and answer.status_code == 200 and answer.json()["state"] == "braked":
            braked.set()
            return
        await asyncio.sleep(0.02)


async def _kill_and_start(server: Server, after_s: float) -> None:
    await asyncio.sleep(after_s)
    await server.die_and_come_back()
