"""Rows of one statement, read at once so that no cursor outlives its transaction."""

from __future__ import annotations

from typing import Any

from handrail.foundation.errors import Broken


class Rows:
    """All rows of a result, as tuples."""

    __slots__ = ("_rows", "rowcount")

    def __init__(self, rows: list[tuple[Any, ...]], rowcount: int) -> None:
        self._rows = rows
        self.rowcount = rowcount

    def all(self) -> list[tuple[Any, ...]]:
        """Return every row."""
        return self._rows

    def first(self) -> tuple[Any, ...] | None:
        """Return the first row or None."""
        return self._rows[0] if self._rows else None

    def one(self) -> tuple[Any, ...]:
        """Return the only row; raises Broken when there is none or more than one."""
        if len(self._rows) != 1:
            raise Broken(f"One row was expected and {len(self._rows)} were found.")
        return self._rows[0]

    def scalar(self) -> Any:
        """Return the first column of the first row, or None when there is no row."""
        return self._rows[0][0] if self._rows else None
