"""The `storage` fixture gives every test an empty database of its own."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table, Text, bindparam, insert, select

from handrail.foundation.storage import Storage, UnitOfWork, metadata

_note = Table(
    "fixture_note", metadata, Column("number", BigInteger, primary_key=True), Column("text", Text), info={"test": True}
)
_INSERT = insert(_note)
_BY_NUMBER = select(_note.c.text).where(_note.c.number == bindparam("number"))


def _write(uow: UnitOfWork) -> None:
    uow.add(_INSERT, number=1, text="one")


def test_a_first_write(storage: Storage) -> None:
    storage.write(_write)
    assert storage.read(lambda uow: uow.run(_BY_NUMBER, number=1).scalar()) == "one"


def test_the_next_test_sees_none_of_it(storage: Storage) -> None:
    assert storage.read(lambda uow: uow.run(_BY_NUMBER, number=1).first()) is None
