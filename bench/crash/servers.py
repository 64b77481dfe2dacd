"""Servers of one home or of one database, killed at random moments and started again, some with a wrong clock."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from tests.chaos.deciding_home import DecidingHome
from tools.serving import Running, serving

_ROOT = Path(__file__).resolve().parents[2]


class Server:
    """One server of a home. `skews`: seconds by which its clock may be off, drawn anew at each start."""

    def __init__(self, home: DecidingHome, draw: random.Random, skews: Sequence[float]) -> None:
        self.home = home
        self.starts = self.kills = 0
        self.skewed: set[float] = set()
        self._draw, self._skews = draw, skews
        self._serving: AbstractContextManager[Running] | None = None
        self._running: Running | None = None
        self._dying = asyncio.Lock()

    @property
    def url(self) -> str | None:
        """Its address, None while it is down."""
        return None if self._running is None else self._running.url

    async def start(self) -> None:
        """Start it, and wait until it answers."""
        skew = self._draw.choice(self._skews)
        self.skewed.add(skew)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HANDRAIL_")}
        environment = {**kept, "PYTHONPATH": os.pathsep.join((str(_ROOT / "src"), str(_ROOT)))}
        if self.home.database_url is not None:
            environment["HANDRAIL_DATABASE_URL"] = self.home.database_url
        command = (sys.executable, "-m", "bench.crash.skewed", str(skew))
        self._serving = serving(command, self.home.folder, environment=environment, expect_clean_end=False)
        self._running = await asyncio.to_thread(self._serving.__enter__)
        self.starts += 1

    async def kill(self) -> None:
        """Kill it with signal 9."""
        if self._running is not None:
            self._running.process.kill()
            self.kills += 1
        await self.end()

    async def die_and_come_back(self) -> None:
        """Kill it and start it again; who asks for that while it happens waits, and then it dies once more."""
        async with self._dying:
            await self.kill()
            await self.start()

    async def end(self) -> None:
        """End it in order, where it still runs."""
        running, self._running = self._running, None
        if running is not None and self._serving is not None:
            await asyncio.to_thread(self._serving.__exit__, None, None, None)

    async def live(self, lives_s: tuple[float, float], over: asyncio.Event) -> None:
        """Start, live for a random time, die, and again, until it is over; then it runs once more."""
        await self.start()
        while not over.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), self._draw.uniform(*lives_s))
            if not over.is_set():
                await self.die_and_come_back()
