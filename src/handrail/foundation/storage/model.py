"""What the rest of the system sees of a database."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeVar

from handrail.foundation.storage.statements import RowInsert, Statement

T = TypeVar("T")
Dialect = Literal["sqlite", "postgresql"]


class Result(Protocol):
    """Rows of one statement, as tuples in the order of its columns."""

    rowcount: int

    def all(self) -> list[tuple[Any, ...]]:
        """Return every row."""
        ...

    def first(self) -> tuple[Any, ...] | None:
        """Return the first row or None."""
        ...

    def one(self) -> tuple[Any, ...]:
        """Return the only row; raises Broken when there is none or more than one."""
        ...

    def scalar(self) -> Any:
        """Return the first column of the first row, or None when there is no row."""
        ...


class UnitOfWork(Protocol):
    """All changes of one verb: kept together or not at all.

    A unit may be run twice (when the transaction that held it was lost), so it must have no side effect outside it.
    """

    dialect: Dialect

    @abstractmethod
    def run(self, statement: Statement, **values: Any) -> Result:
        """Execute now and return the rows; `values` are bound by name."""

    @abstractmethod
    def add(self, statement: Statement, **values: Any) -> None:
        """Execute a write whose result nobody needs, at the latest when the unit ends."""

    @abstractmethod
    def later(self, row: RowInsert, values: tuple[Any, ...]) -> None:
        """Insert a row that stands for itself: in any order among other such rows, with the like of other units.

        Whatever runs afterwards sees it, only `glance` may not. A row that is refused fails its unit when it ends.
        """

    @abstractmethod
    def tally(self, statement: Statement, key: Mapping[str, Any], **amounts: int) -> None:
        """Add to counts: an upsert that adds `amounts` to the row of `key`, together with those of other units.

        Seen like the rows of `later`.
        """

    @abstractmethod
    def glance(self, statement: Statement, **values: Any) -> Result:
        """Execute like `run`, without making way for the rows of `later`: for what does not touch their tables.

        Or for what need not see those of other units: a key that one of them holds too is a Duplicate at the end.
        """

    @abstractmethod
    def add_all(self, statement: Statement, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute one write for each row."""


class Storage(Protocol):
    """One database. Writes are durable when the call returns; readers see committed units only."""

    dialect: Dialect
    url: str

    @abstractmethod
    def write(self, unit: Callable[[UnitOfWork], T]) -> T:
        """Run `unit` in a transaction and return its value once it is durable; blocks the calling thread."""

    @abstractmethod
    async def awrite(self, unit: Callable[[UnitOfWork], T]) -> T:
        """Run `unit` in a transaction and return its value once it is durable; for event-loop callers."""

    @abstractmethod
    async def awrite_each(self, units: Sequence[Callable[[UnitOfWork], T]]) -> list[T | Exception]:
        """Run each unit as `awrite` would, and return the value or the failure of each, in the order of the units.

        One that fails spoils no other; in which order they run is not said. Raises what is no Exception.
        """

    @abstractmethod
    def read(self, unit: Callable[[UnitOfWork], T]) -> T:
        """Run `unit` on one consistent state; a write in it is refused."""

    @abstractmethod
    async def aread(self, unit: Callable[[UnitOfWork], T]) -> T:
        """Run `unit` on one consistent state without blocking the event loop."""

    @abstractmethod
    def close(self) -> None:
        """Finish what waits and release the database."""
