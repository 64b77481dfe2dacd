"""Statements compiled once: the right SQL with the right values, and never those of another statement."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    bindparam,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from handrail.foundation.storage import PerDialect, metadata, upsert
from handrail.foundation.storage.compiled import Compiler
from tools.first_migration import load_tables

TABLE = Table("thing", MetaData(), Column("name", Text), Column("kind", Text), Column("amount", BigInteger))
DIALECTS = {
    "sqlite": sqlite.dialect(paramstyle="qmark"),
    "postgresql": postgresql.dialect(paramstyle="numeric_dollar"),  # type: ignore[no-untyped-call]
}


@pytest.fixture(params=list(DIALECTS))
def compiler(request: pytest.FixtureRequest) -> Compiler:
    return Compiler(DIALECTS[request.param])


def _bound(compiler: Compiler, statement: Any, **values: Any) -> tuple[str, list[Any]]:
    compiled, arguments = compiler.bound(statement, values)
    assert list(compiled.arguments(values)) == list(arguments)
    return " ".join(compiled.sql.split()), list(arguments)


def test_values_stand_where_their_names_do(compiler: Compiler) -> None:
    statement = update(TABLE).where(TABLE.c.name == bindparam("of")).values(kind=bindparam("to"), amount=bindparam("a"))
    for _ in range(3):
        assert _bound(compiler, statement, of="n", a=1, to="k")[1] == ["k", 1, "n"]
        assert _bound(compiler, statement, to="k2", of="n2", a=2)[1] == ["k2", 2, "n2"], "in whatever order they come"


def test_as_many_names_but_others_are_another_statement(compiler: Compiler) -> None:
    statement = insert(TABLE)
    for _ in range(3):
        sql, arguments = _bound(compiler, statement, name="n", amount=1)
        assert ("(name, amount)" in sql, arguments) == (True, ["n", 1])
        sql, arguments = _bound(compiler, statement, name="n", kind="k")
        assert ("(name, kind)" in sql, arguments) == (True, ["n", "k"])
        assert _bound(compiler, statement, name="n", kind="k", amount=2)[1] == ["n", "k", 2]


def test_a_name_that_stands_twice_is_bound_twice(compiler: Compiler) -> None:
    statement = select(TABLE.c.name).where((TABLE.c.name == bindparam("x")) | (TABLE.c.kind == bindparam("x")))
    for value in ("a", "b"):
        compiled, arguments = compiler.bound(statement, {"x": value})
        assert len(arguments) == len(compiled.names)
        assert set(arguments) == {value}


def test_a_value_of_the_statement_itself_stays(compiler: Compiler) -> None:
    statement = select(TABLE.c.name).where(TABLE.c.kind == "fixed", TABLE.c.amount > bindparam("least"))
    for least in (1, 2):
        assert _bound(compiler, statement, least=least)[1] == ["fixed", least]


def test_lists_of_every_length(compiler: Compiler) -> None:
    statement = (
        select(TABLE.c.name)
        .where(TABLE.c.name.in_(bindparam("names", expanding=True)), TABLE.c.kind == bindparam("kind"))
        .where(TABLE.c.amount < bindparam("most"))
    )
    for names in (["a"], ["a", "b"], [], ["c"], ["d", "e"], [], ["x"] * 300, ("t",)):
        sql, arguments = _bound(compiler, statement, names=names, kind="k", most=3)
        if "?" not in sql:  # numbered places: a list comes last
            arguments = [*arguments[2:], *arguments[:2]]
        assert arguments == [*names, "k", 3], sql


def test_more_shapes_than_are_kept_still_work(compiler: Compiler) -> None:
    statement = select(TABLE.c.name).where(TABLE.c.name.in_(bindparam("names", expanding=True)))
    for length in [*range(1, 400), 3, 399]:
        assert _bound(compiler, statement, names=["v"] * length)[1] == ["v"] * length
    assert sum(len(shapes) for shapes in compiler._cache.values()) <= 300


def test_a_statement_is_compiled_once_and_forgotten_with_it(compiler: Compiler) -> None:
    kept = insert(TABLE)
    first = compiler.compiled(kept, {"name": "a"})
    assert compiler.compiled(kept, {"name": "b"}) is first
    for number in range(3000):
        # A new statement soon stands where an old one stood in memory; it must never get the other's SQL.
        statement = select(TABLE.c.name, literal(number)).where(TABLE.c.name == bindparam(f"p{number % 3}"))
        sql, arguments = _bound(compiler, statement, **{f"p{number % 3}": number})
        assert arguments in ([number, number], [str(number), number]), sql
        del statement
    gc.collect()
    assert len(compiler._cache) < 50
    assert compiler.compiled(kept, {"name": "c"}) is first


def test_a_missing_value_is_told(compiler: Compiler) -> None:
    statement = select(TABLE.c.name).where(TABLE.c.name == bindparam("of"), TABLE.c.kind == bindparam("kind"))
    _bound(compiler, statement, of="a", kind="b")
    with pytest.raises(KeyError):
        compiler.compiled(statement, {"of": "a", "kind": "b"}).arguments({"of": "a"})
    with pytest.raises(Exception, match="kind"):
        compiler.bound(statement, {"of": "a"})
    with pytest.raises(Exception, match="kind"):
        compiler.bound(statement, {"of": "a", "kinds": "b"})


def test_what_may_change_something_is_known(compiler: Compiler) -> None:
    reads = {
        select(TABLE): True,
        text("  select 1"): True,
        insert(TABLE): False,
        update(TABLE).values(name="x"): False,
        upsert(TABLE, key=["name"], set=["amount"]): False,
        text("WITH x AS (SELECT 1) DELETE FROM thing"): False,
        text("SELECTED"): False,
        PerDialect(text("DELETE FROM thing"), text("DELETE FROM thing")): False,
    }
    for statement, expected in reads.items():
        values = {"name": "a", "amount": 1} if getattr(statement, "is_insert", False) else {}
        if isinstance(statement, PerDialect) and statement.sqlite is not statement.postgresql:
            values = {"name": "a", "amount": 1} if hasattr(statement.sqlite, "table") else {}
        assert compiler.compiled(statement, values).reads is expected, str(statement)


def test_every_column_holds_what_the_drivers_take_as_it_is() -> None:
    """Values go to the driver and come back without a processor, so no other kind of column may be declared."""
    load_tables()
    kinds = {(table.name, column.name): column.type for table in metadata.tables.values() for column in table.c}
    assert len(kinds) > 200
    allowed = (BigInteger, Integer, Double, String, Text, LargeBinary)
    assert {place: kind for place, kind in kinds.items() if type(kind) not in allowed} == {}
