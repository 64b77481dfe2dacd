"""The guard of the unit tests really guards."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest


def test_a_unit_test_cannot_connect() -> None:
    with socket.socket() as one, pytest.raises(RuntimeError, match="may not use a socket"):
        one.connect(("127.0.0.1", 9))


def test_a_unit_test_cannot_serve() -> None:
    with socket.socket() as one, pytest.raises(RuntimeError, match="may not use a socket"):
        one.bind(("127.0.0.1", 0))


def test_a_library_cannot_either() -> None:
    with pytest.raises(RuntimeError, match="may not use a socket"):
        httpx.get("http://127.0.0.1:9/", trust_env=False)


async def test_an_event_loop_still_works() -> None:
    await asyncio.sleep(0)
