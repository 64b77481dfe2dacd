"""A home that decides, with a person who is signed in, and as many copies of it as a run needs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from handrail.app import running
from tests.chaos.deciding_home import DecidingHome, prepare
from tools.postgres import Server

_NAME = "deciding"


@dataclass(frozen=True)
class Place:
    """A home and the secret of a person's session in it."""

    home: DecidingHome
    session: str


@contextmanager
def prepared(folder: Path, postgres: Server | None) -> Iterator[Place]:
    """Train, promote and certify once, and sign a person up; every run gets a copy."""
    url = None if postgres is None else postgres.create(_NAME)
    home = prepare(folder / "prepared", url)
    with running(home.settings()) as system:
        link = system.identity.first_link()
        assert link is not None
        signed = asyncio.run(system.identity.join(link, "Ann Berg", "ann@example.org", "four quiet green doors"))
    yield Place(home, signed.secret)
    if postgres is not None:
        postgres.drop(_NAME)


@contextmanager
def copied(place: Place, folder: Path, postgres: Server | None, servers: int) -> Iterator[list[Place]]:
    """Give one home for each server: copies of the folder, over one copy of the database."""
    if postgres is None:
        assert servers == 1, "one process owns a SQLite home"
        yield [replace(place, home=place.home.copy(folder / "home", None))]
        return
    url = postgres.create(folder.name, template=_NAME)
    yield [replace(place, home=place.home.copy(folder / f"home-{number}", url)) for number in range(servers)]
    postgres.drop(folder.name)
