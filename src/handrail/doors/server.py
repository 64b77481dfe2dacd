"""Serves one home until it is told to stop."""

from __future__ import annotations

import gc
import socket
import types
from collections.abc import Callable

import uvicorn

from handrail.app import running
from handrail.doors.api import create
from handrail.foundation.http import reach
from handrail.foundation.settings import Settings


def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Own the home, serve the API and the pages, and print the address and the one-time link when nobody is known."""
    with running(settings) as system, socket.create_server((settings.host, settings.port)) as listening:
        # Its connections inherit this. Without it the second half of an answer waits 40 ms for the client's receipt.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        port = int(listening.getsockname()[1])
        url = f"{'https' if settings.tls else 'http'}://{settings.host}:{port}{settings.prefix}"
        at = reach(
            host=settings.host,
            port=port,
            prefix=settings.prefix,
            public_url=settings.public_url,
            tls=settings.tls,
            names=settings.allowed_hosts,
        )
        system.identity.trust_local(system.home.announce(url))
        link = system.identity.first_link()
        say(f"Handrail serves {settings.home} at {url}")
        if link is not None:
            say(f"First person, once, within a day: {url}/setup?token={link}")
        config = uvicorn.Config(
            create(system, at),
            log_level="warning",
            access_log=False,
            server_header=False,
            ssl_certfile=settings.tls_cert,
            ssl_keyfile=settings.tls_key,
        )
        spare_the_collector()
        _Server(config, system.review.streams.close).run(sockets=[listening])


class _Server(uvicorn.Server):
    """A server that ends its streams when it is told to stop: it waits for every answer that is under way."""

    def __init__(self, config: uvicorn.Config, stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._stop = stop

    def handle_exit(self, sig: int, frame: types.FrameType | None) -> None:
        """Hear a signal."""
        self._stop()
        super().handle_exit(sig, frame)


def spare_the_collector() -> None:
    """Keep full garbage collections away from requests: over all that is loaded each takes 0.15 s, and nothing answers.

    Reference counts free nearly everything here; what is there when serving begins stays until the end.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
