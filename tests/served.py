"""A whole application for tests of the HTTP plumbing: identity, two projects, and a small stage of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Column, MetaData, String, Table, create_engine, func, insert, select
from starlette.requests import Request

from handrail.foundation.clock import Clock
from handrail.foundation.errors import Busy, Conflict
from handrail.foundation.http import (
    PUBLIC,
    After,
    In,
    Limit,
    Once,
    Page,
    Reach,
    Routes,
    Who,
    application,
    reach,
    received,
)
from handrail.foundation.identity import Identity, Passwords
from handrail.foundation.identity.routes import routes as identity_routes
from handrail.foundation.identity.service import SignedIn
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import Storage, UnitOfWork

# Not on the system's metadata: the table belongs to these tests only.
_tables = MetaData()
thing = Table(
    "test_thing",
    _tables,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(36), nullable=False),
    Column("name", String(200), nullable=False),
)
_INSERT = insert(thing)
_COUNT = select(func.count()).select_from(thing)
PROJECTS = {"p1": "p1", "first": "p1", "p2": "p2", "second": "p2"}
PASSWORD = "four quiet green doors"


class ThingIn(BaseModel):
    """A thing to make."""

    model_config = ConfigDict(extra="forbid")
    name: str
    amount: float = 0.0
    parts: list[dict[str, float]] = []


class ThingOut(BaseModel):
    """A thing that was made."""

    id: str
    name: str
    project_id: str


class Length(BaseModel):
    """How much was received."""

    length: int


class Taken(Conflict):
    """The name is in use."""

    code = "things.taken"


def things(storage: Storage, ids: Ids, uploads: Path) -> Routes:
    """Return the routes of a small stage."""
    routes = Routes("things", prefix="/projects/{project}/things")

    def add(uow: UnitOfWork, project_id: str, name: str) -> ThingOut:
        if name == "taken":
            raise Taken("The name is in use.", hint="Take another one.", name=name)
        if name == "break":
            raise ZeroDivisionError("an internal secret")
        if name == "busy":
            raise Busy("Come back.", retry_after_s=7)
        made = ThingOut(id=ids.new(), name=name, project_id=project_id)
        uow.add(_INSERT, id=made.id, project_id=project_id, name=name)
        return made

    @routes.get("", permission="things.read")
    async def list_things(scope: In, who: Who, limit: Limit = 50, after: After = None) -> Page[ThingOut]:
        """List nothing."""
        return Page(items=[ThingOut(id=who.id, name=f"{limit}{after or ''}", project_id=scope.project_id)])

    @routes.post("", permission="things.make", status=201)
    async def make_once(body: ThingIn, scope: In, once: Once) -> ThingOut:
        """Make a thing in one unit."""
        return await once.write(lambda uow: add(uow, scope.project_id, body.name))

    @routes.post("/slow", permission="things.make", status=201)
    def make_slow(body: ThingIn, scope: In) -> ThingOut:
        """Make a thing in a thread."""
        return storage.write(lambda uow: add(uow, scope.project_id, body.name))

    @routes.post("/own", permission="things.make", own_key=True)
    async def make_own(body: ThingIn, scope: In) -> ThingOut:
        """Make a thing, whatever the key."""
        return await storage.awrite(lambda uow: add(uow, scope.project_id, body.name))

    @routes.post("/upload", permission="things.make", own_key=True)
    async def upload(request: Request, scope: In) -> Length:
        """Receive a file of at most 1000 bytes."""
        async with received(request, 1000, uploads) as path:
            return Length(length=path.stat().st_size)

    @routes.post("/empty", permission="things.make", own_key=True)
    async def empty(scope: In) -> Length:
        """Take no body."""
        return Length(length=0)

    @routes.delete("/{thing_id}", permission="things.remove")
    async def remove(thing_id: str, scope: In) -> None:
        """Remove nothing."""

    return routes


def public() -> Routes:
    """Return a route for anybody."""
    routes = Routes("open")

    @routes.post("/anybody", permission=PUBLIC, own_key=True)
    async def anybody(body: ThingIn) -> Length:
        """Tell a length."""
        return Length(length=len(body.name))

    return routes


class Served:
    """The application with an owner who is not signed in yet."""

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        folder: Path,
        *,
        at: Reach | None = None,
        ui: Path | None = None,
        routes: Sequence[Routes] = (),
        bare: Callable[[FastAPI], None] | None = None,
    ) -> None:
        randomness = Randomness(7)
        ids = Ids(clock, randomness)
        journal = Journal(clock, ids, randomness)
        passwords = Passwords(memory_kib=8, passes=1, lanes=1)
        self.storage = storage
        self.folder = folder
        self.reach = at or reach(host="127.0.0.1", port=8731)
        self.identity = Identity(storage, journal, clock, ids, randomness, passwords=passwords)
        self.identity.prepare()
        self.api = application(
            [identity_routes(self.identity, self.reach, PROJECTS.get), things(storage, ids, folder), public(), *routes],
            gate=self.identity,
            storage=storage,
            clock=clock,
            find_project=lambda uow, name: PROJECTS.get(name),
            reach=self.reach,
            ui=ui,
            version="1.2.3",
        )

    def client(self, base: str = "http://localhost:8731", **options: Any) -> httpx.AsyncClient:
        """Return a browser without cookies."""
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.api), base_url=base, **options)

    def machine(self, role: str = "owner", projects: frozenset[str] | None = None) -> httpx.AsyncClient:
        """Return a client with a token."""
        _, secret = self.identity.tokens.make(self.identity.local(), "test", role, projects=projects)
        return self.client(headers={"Authorization": f"Bearer {secret}"})

    async def owner(self) -> SignedIn:
        """Sign the first person up."""
        link = self.identity.first_link()
        assert link is not None
        return await self.identity.join(link, "Ann Berg", "ann@example.org", PASSWORD)

    def count(self) -> int:
        """Return how many things there are."""
        return int(self.storage.read(lambda uow: uow.run(_COUNT).scalar()))


def create_tables(url: str) -> None:
    """Make the table of the small stage."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    _tables.create_all(engine)
    engine.dispose()
