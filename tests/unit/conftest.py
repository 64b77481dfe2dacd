"""Unit tests reach nothing outside their process."""

from __future__ import annotations

import socket
from typing import Any, NoReturn

import pytest


class SocketUsed(RuntimeError):
    """A unit test tried to reach or to serve the network."""


def _refuse(*_args: Any, **_kwargs: Any) -> NoReturn:
    raise SocketUsed("a unit test may not use a socket; put it into tests/integration or tests/e2e")


@pytest.fixture(autouse=True)
def _sockets_off(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("bind", "connect", "connect_ex", "sendto", "sendmsg"):
        monkeypatch.setattr(socket.socket, name, _refuse)
    monkeypatch.setattr(socket, "getaddrinfo", _refuse)
