"""SQLAlchemy Core is the language, the driver does the work: each statement is compiled once, then run raw.

Core per statement costs about four times the driver (bench/storage). Only columns whose values the driver takes as
they are (text, whole numbers, floats, bytes) may be declared, so no bind or result processor is ever needed; a test
walks `metadata` and holds this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy.engine.interfaces import Dialect as CoreDialect
from sqlalchemy.sql.elements import ClauseElement

from handrail.foundation.storage.statements import PerDialect, Statement

_MOST_SHAPES = 256  # of one statement: lists of every length would fill the memory


@dataclass(frozen=True, slots=True)
class Compiled:
    """SQL text, the names of its parameters in order, and the values written into the statement itself.

    `parts` are the names of a list's single values, with the list's name and the place in it.
    """

    sql: str
    names: tuple[str, ...]
    literals: Mapping[str, Any]
    parts: Mapping[str, tuple[str, int]]

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """Return the driver's arguments; a name that has no value raises KeyError."""
        if not self.literals and not self.parts:
            return [values[name] for name in self.names]
        given = {**self.literals, **values}
        for name, (whole, place) in self.parts.items():
            given[name] = values[whole][place]
        return [given[name] for name in self.names]


class Compiler:
    """Compiles for one dialect and remembers, for as long as the statement object lives."""

    def __init__(self, dialect: CoreDialect) -> None:
        self._dialect = dialect
        self._cache: WeakKeyDictionary[Statement, dict[tuple[Any, ...], Compiled]] = WeakKeyDictionary()

    def compiled(self, statement: Statement, values: Mapping[str, Any]) -> Compiled:
        """Return `statement` compiled for these value names; a list is bound by an expanding bindparam."""
        by_names = self._cache.get(statement)
        if by_names is None:
            by_names = self._cache[statement] = {}
        found = by_names.get(tuple(values))
        if found is not None:
            return found
        lengths = tuple((name, len(value)) for name, value in values.items() if isinstance(value, (list, tuple)))
        if not lengths:
            found = by_names[tuple(values)] = self._compile(statement, values)
            return found
        shape = (*values, lengths)  # what lists become depends on how long they are
        found = by_names.get(shape)
        if found is None:
            found = self._compile(statement, values)
            if len(by_names) < _MOST_SHAPES:
                by_names[shape] = found
        return found

    def _compile(self, statement: Statement, values: Mapping[str, Any]) -> Compiled:
        clause: Any = statement
        if isinstance(statement, PerDialect):
            clause = statement.sqlite if self._dialect.name == "sqlite" else statement.postgresql
        options: dict[str, Any] = {}
        if _is(clause, "is_insert") or _is(clause, "is_update"):
            options["column_keys"] = list(values)
        if _is(clause, "is_insert") and not clause._returning:
            options["for_executemany"] = True  # else PostgreSQL sends every new key back
        made: Any = clause.compile(dialect=self._dialect, **options)
        state = made.construct_expanded_state(dict(values))
        names = tuple(state.positiontup or ())
        parts = {
            part: (whole, place)
            for whole, expanded in state.parameter_expansion.items()
            if whole in values
            for place, part in enumerate(expanded)
        }
        literals = {name: state.parameters[name] for name in names if name not in values and name not in parts}
        return Compiled(state.statement, names, literals, parts)


def _is(clause: ClauseElement, flag: str) -> bool:
    return bool(getattr(clause, flag, False))
