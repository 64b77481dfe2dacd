"""SQLAlchemy Core is the language, the driver does the work: each statement is compiled once, then run raw.

Core per statement costs about four times the driver (bench/storage). Only columns whose values the driver takes as
they are (text, whole numbers, floats, bytes) may be declared, so no bind or result processor is ever needed; a test
walks `metadata` and holds this.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any
from weakref import ref

from sqlalchemy.engine.interfaces import Dialect as CoreDialect
from sqlalchemy.sql.elements import ClauseElement

from handrail.foundation.storage.statements import PerDialect, RowInsert, Statement

_MOST_SHAPES = 256  # of one statement: lists of every length would fill the memory


@dataclass(frozen=True, slots=True)
class Compiled:
    """SQL text, the names of its parameters in order, and the values written into the statement itself.

    `parts` are the names of a list's single values, with the list's name and the place in it. `pick` takes the
    arguments out of the values, where there are no literals and parts. `reads` is True for what changes nothing.
    """

    sql: str
    names: tuple[str, ...]
    literals: Mapping[str, Any]
    parts: Mapping[str, tuple[str, int]]
    pick: Callable[[Mapping[str, Any]], Sequence[Any]] | None
    reads: bool

    def arguments(self, values: Mapping[str, Any]) -> Sequence[Any]:
        """Return the driver's arguments; a name that has no value raises KeyError."""
        if self.pick is not None:
            return self.pick(values)
        given = {**self.literals, **values}
        for name, (whole, place) in self.parts.items():
            given[name] = values[whole][place]
        return [given[name] for name in self.names]


class Compiler:
    """Compiles for one dialect and remembers, for as long as the statement object lives."""

    def __init__(self, dialect: CoreDialect) -> None:
        self._dialect = dialect
        # By the id of a statement, which is forgotten when the statement goes: a WeakKeyDictionary costs more to ask.
        self._cache: dict[int, dict[tuple[Any, ...], Compiled]] = {}
        self._alive: dict[int, ref[Statement]] = {}
        self._usual: dict[int, Compiled] = {}
        self._rows: dict[RowInsert, str] = {}  # they live as long as their module

    def bound(self, statement: Statement, values: Mapping[str, Any]) -> tuple[Compiled, Sequence[Any]]:
        """Return `statement` compiled for these values, and the driver's arguments."""
        usual = self._usual.get(id(statement))
        if usual is not None and usual.pick is not None and len(values) == len(usual.names):
            try:
                return usual, usual.pick(values)
            except KeyError:
                pass  # as many names as usual, but others
        found = self.compiled(statement, values)
        if found.pick is not None and len(set(found.names)) == len(found.names) == len(values):
            self._usual[id(statement)] = found
        return found, found.arguments(values)

    def row(self, row: RowInsert) -> str:
        """Return the SQL text of an insert; its parameters stand in the order of its names."""
        text = self._rows.get(row)
        if text is None:
            text = self._rows[row] = self._insert_of(row)
        return text

    def compiled(self, statement: Statement, values: Mapping[str, Any]) -> Compiled:
        """Return `statement` compiled for these value names; a list is bound by an expanding bindparam."""
        by_names = self._cache.get(id(statement))
        if by_names is None:
            by_names = self._remember(statement)
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

    def _insert_of(self, row: RowInsert) -> str:
        quoted = self._dialect.identifier_preparer
        columns = ", ".join(quoted.quote(name) for name in row.names)
        on_sqlite = self._dialect.name == "sqlite"
        places = ", ".join("?" if on_sqlite else f"${number}" for number in range(1, len(row.names) + 1))
        return f"INSERT INTO {quoted.format_table(row.table)} ({columns}) VALUES ({places})"  # noqa: S608 - our names

    def _remember(self, statement: Statement) -> dict[tuple[Any, ...], Compiled]:
        key = id(statement)

        def forget(_: ref[Statement]) -> None:
            self._cache.pop(key, None)
            self._alive.pop(key, None)
            self._usual.pop(key, None)

        made = self._cache[key] = {}
        self._alive[key] = ref(statement, forget)
        return made

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
        pick = itemgetter(*names) if len(names) > 1 and not literals and not parts else None  # of one, no tuple
        reads = state.statement.lstrip()[:7].upper() == "SELECT "
        return Compiled(state.statement, names, literals, parts, pick, reads)


def _is(clause: ClauseElement, flag: str) -> bool:
    return bool(getattr(clause, flag, False))
