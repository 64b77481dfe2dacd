"""A journal with entries of a test's own kind, its prover, and a way into the tables that no guard watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import Connection, create_engine, text

from handrail.foundation.actors import Actor
from handrail.foundation.clock import Clock
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Event, Journal, Recorded
from handrail.foundation.journal.checkpoint import Signer
from handrail.foundation.journal.proofs import Prover
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import Storage, UnitOfWork

PERSON = Actor(kind="person", id="p-1", name='Ann "Ä" Berg\n\u2028')
RULE = Actor.rule("brake")
TABLES = ("entry", "payload", "leaf", "node", "checkpoint", "object", "cursor")


@dataclass(frozen=True, kw_only=True)
class Counted(Event):
    """Something was counted."""

    verb: ClassVar[str] = "test.counted"
    decision_id: str
    other_id: str | None = None
    number: int
    note: str = ""


class Log:
    """The journal of a database."""

    def __init__(self, storage: Storage, clock: Clock, ids: Ids, randomness: Randomness, keys: Path) -> None:
        self.storage = storage
        self.journal = Journal(clock, ids, randomness)
        self.prover = Prover(storage, self.journal, clock, Signer.of_home(keys))

    def appending(self, number: int, *, note: str = "") -> Callable[[UnitOfWork], str]:
        """Return a unit that records one entry and returns its id."""
        actor = RULE if number % 5 == 4 else PERSON
        project = None if number % 7 == 6 else f"project-{number % 2}"
        event = Counted(
            decision_id=f"t-{number}", other_id=f"o-{number}" if number % 3 else None, number=number, note=note
        )
        return lambda uow: self.journal.append(uow, actor, project, event)

    def fill(self, count: int, first: int = 0) -> list[str]:
        """Record `count` entries and return their ids."""
        units = [self.appending(number) for number in range(first, first + count)]
        return self.storage.write(lambda uow: [unit(uow) for unit in units])

    def integrate(self) -> int:
        """Give everything that waits its place."""
        return self.journal.integrate(self.storage)

    def read(self, after: int = -1, most: int = 1000) -> list[Recorded]:
        """Return entries in the order of the tree."""
        return self.storage.read(lambda uow: self.journal.read_after(uow, after, most))

    @contextmanager
    def opened(self) -> Iterator[Connection]:
        """Open the database beside the system, in a transaction that is kept."""
        engine = create_engine(self.storage.url.replace("postgresql://", "postgresql+psycopg://", 1))
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()

    def execute(self, statement: str, **values: Any) -> Any:
        """Execute a statement beside the system."""
        with self.opened() as connection:
            result = connection.execute(text(statement), values)
            return result.all() if result.returns_rows else None

    def disarm(self) -> None:
        """Take the guards away, as somebody could who owns the database."""
        with self.opened() as connection:
            if self.storage.dialect == "postgresql":
                for table in TABLES:
                    connection.execute(text(f"ALTER TABLE journal_{table} DISABLE TRIGGER ALL"))
                return
            guards = connection.execute(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'journal_%'")
            )
            for (name,) in guards.all():
                connection.execute(text(f"DROP TRIGGER {name}"))
