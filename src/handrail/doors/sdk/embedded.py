"""A home opened in this process: the same application that a server serves, called without a network."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Callable
from contextlib import ExitStack

import httpx
from fastapi import FastAPI

from handrail import app
from handrail.doors.api import create, reacting
from handrail.foundation.errors import Forbidden
from handrail.foundation.http import reach
from handrail.foundation.settings import Settings

ADDRESS = "http://127.0.0.1"


class NotADemonstration(Forbidden):
    """Draws are seeded in demonstration homes only."""

    code = "client.not_a_demonstration"


class Embedded:
    """A home that this process owns; its caller acts as this computer (a machine, never a person).

    Without a `seed` the loop reacts to the journal in a thread, as in a server. With one every random draw repeats,
    and the loop reacts only when it is told to (`tick`), so that two runs are the same.
    """

    def __init__(self, settings: Settings, *, seed: int | None = None) -> None:
        if seed is not None and not settings.demo:
            raise NotADemonstration(
                "Draws are seeded in demonstrations only.", hint="Leave seed out, or say demo=True as well."
            )
        self._stack = ExitStack()
        try:
            system = self._stack.enter_context(app.running(settings, seed=seed))
            self.api: FastAPI = create(system, reach(host="127.0.0.1", port=0))
            self.token = "hr_" + secrets.token_urlsafe(32)
            system.identity.trust_local(self.token)
            self.tick: Callable[[], object] | None = None
            if seed is None:
                self._stack.enter_context(reacting(system))
            else:
                self.tick = system.loop.tick
        except BaseException:
            self._stack.close()
            raise

    def close(self) -> None:
        """Stop the jobs and let another process own the home."""
        self._stack.close()


class InProcess(httpx.BaseTransport):
    """Carries the calls of a blocking client to an application that runs in a thread of its own."""

    def __init__(self, api: FastAPI) -> None:
        self._asgi = httpx.ASGITransport(app=api)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="handrail-embedded", daemon=True)
        self._thread.start()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the application's answer."""
        request.read()
        return asyncio.run_coroutine_threadsafe(self._answer(request), self._loop).result()

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        response = await self._asgi.handle_async_request(request)
        content = await response.aread()
        return httpx.Response(response.status_code, headers=response.headers, content=content)

    def end(self) -> None:
        """End the thread. (`close` is called by each client that shares this transport.)"""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
