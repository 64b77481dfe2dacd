"""Units of work: kept whole or not at all, the same on both databases."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from handrail.foundation.errors import Broken
from handrail.foundation.storage import Storage, UnitOfWork, open_storage
from handrail.foundation.storage.failures import (
    Duplicate,
    ReferenceBroken,
    StorageFailed,
    Unavailable,
    UnknownDatabase,
    ValueRefused,
)
from tests.integration.foundation.storage.ledger import (
    ADD,
    AMOUNT,
    COUNT,
    LINE,
    MORE,
    NAMES,
    OPEN,
    OPENED,
    PROMISE,
    WHOLE,
    amount,
    names,
    opened,
    until,
)


def test_values_come_back_as_they_went_in(storage: Storage) -> None:
    row = ("ä\n'\"日本😀", -(2**63), 0.1 + 0.2, bytes(range(256)))
    made = dict(zip(("name", "amount", "share", "seal"), row, strict=True))
    storage.write(lambda uow: uow.run(OPEN, **made))
    storage.write(lambda uow: uow.run(OPEN, name="", amount=2**63 - 1, share=None, seal=b""))
    assert storage.read(lambda uow: uow.run(WHOLE, of=row[0]).one()) == row
    assert storage.read(lambda uow: uow.run(WHOLE, of="").one()) == ("", 2**63 - 1, None, b"")
    for value in (1e-308, float("inf"), 5e-324, 1.7976931348623157e308):
        storage.write(lambda uow, value=value: uow.run(OPEN, name=str(value), amount=0, share=value))  # type: ignore[misc]
        assert storage.read(lambda uow, value=value: uow.run(WHOLE, of=str(value)).one()[2]) == value  # type: ignore[misc]


def test_a_result_tells_rows_and_their_number(storage: Storage) -> None:
    storage.write(lambda uow: uow.add_all(OPEN, [{"name": name, "amount": 1} for name in "abc"]))

    def unit(uow: UnitOfWork) -> None:
        assert uow.run(ADD, of="a", more=4).rowcount == 1
        assert uow.run(ADD, of="nobody", more=4).rowcount == 0
        assert uow.run(AMOUNT, of="a").scalar() == 5, "a unit sees what it wrote"
        assert uow.run(AMOUNT, of="nobody").scalar() is None
        assert uow.run(AMOUNT, of="nobody").first() is None
        assert uow.run(NAMES).all() == [("a",), ("b",), ("c",)]
        with pytest.raises(Broken):
            uow.run(NAMES).one()

    storage.write(unit)
    assert amount(storage, "a") == 5


def test_writes_that_wait_are_seen_by_what_follows(storage: Storage) -> None:
    def unit(uow: UnitOfWork) -> Any:
        uow.add(OPEN, name="a", amount=1)
        uow.add(ADD, of="a", more=1)
        uow.add_all(ADD, [{"of": "a", "more": more} for more in (10, 100)])
        uow.add_all(ADD, [])
        return uow.run(AMOUNT, of="a").scalar()

    assert storage.write(unit) == 112
    assert amount(storage, "a") == 112


def test_rows_that_stand_for_themselves_are_seen_by_what_follows(storage: Storage) -> None:
    def unit(uow: UnitOfWork) -> None:
        uow.later(OPENED, ("a", 1))
        uow.later(OPENED, ("b", 1))
        uow.add(ADD, of="b", more=4)
        assert uow.run(AMOUNT, of="b").scalar() == 5
        assert uow.glance(AMOUNT, of="a").scalar() == 1
        uow.later(OPENED, ("c", 1))
        uow.add_all(ADD, [{"of": "c", "more": 2}])
        uow.later(OPENED, ("d", 1))

    storage.write(unit)
    assert [amount(storage, name) for name in "abcd"] == [1, 5, 3, 1]


def test_counts_add_up_and_are_seen_by_what_follows(storage: Storage) -> None:
    def unit(uow: UnitOfWork) -> None:
        uow.later(OPENED, ("a", 1))
        for more in (2, 3, -1):
            uow.tally(MORE, {"name": "a"}, amount=more)
            uow.tally(MORE, {"name": "b"}, amount=10 * more)
        assert uow.run(AMOUNT, of="a").scalar() == 5
        assert uow.run(AMOUNT, of="b").scalar() == 40
        uow.tally(MORE, {"name": "b"}, amount=2)

    storage.write(unit)
    assert [amount(storage, name) for name in "ab"] == [5, 42]


def test_counts_of_a_unit_that_fails_are_not_kept(storage: Storage) -> None:
    def unit(uow: UnitOfWork) -> None:
        uow.tally(MORE, {"name": "a"}, amount=1)
        raise LookupError("own")

    with pytest.raises(LookupError):
        storage.write(unit)
    storage.write(lambda uow: uow.tally(MORE, {"name": "a"}, amount=5))
    assert amount(storage, "a") == 5
    with pytest.raises(ValueRefused):
        storage.write(lambda uow: uow.tally(MORE, {"name": "zero \0"}, amount=1))
    assert names(storage) == ["a"]


@pytest.mark.parametrize("wrong", ["a", "zero \0"])
def test_a_refused_row_that_stands_for_itself_takes_the_unit_with_it(storage: Storage, wrong: str) -> None:
    storage.write(opened("a"))

    def unit(uow: UnitOfWork) -> None:
        uow.later(OPENED, ("b", 1))
        uow.later(OPENED, (wrong, 1))

    with pytest.raises((Duplicate, ValueRefused)):
        storage.write(unit)
    assert names(storage) == ["a"]


def test_a_failing_unit_leaves_nothing(storage: Storage) -> None:
    def unit(uow: UnitOfWork) -> None:
        opened("a")(uow)
        uow.run(OPEN, name="b", amount=1)
        raise LookupError("the caller's own")

    with pytest.raises(LookupError, match="own"):
        storage.write(unit)
    assert names(storage) == []
    assert storage.write(opened("a")) == "a"


@pytest.mark.parametrize("how", ["run", "add", "add_all"])
def test_a_failure_that_the_unit_swallows_is_still_one(storage: Storage, how: str) -> None:
    storage.write(opened("a"))

    def unit(uow: UnitOfWork) -> str:
        uow.run(OPEN, name="before", amount=0)
        try:
            if how == "run":
                uow.run(OPEN, name="a", amount=0)
            elif how == "add":
                uow.add(OPEN, name="a", amount=0)
                uow.run(COUNT)
            else:
                uow.add_all(OPEN, [{"name": "a", "amount": 0}])
                uow.run(COUNT)
        except Duplicate:
            for go_on in (lambda: uow.run(COUNT), lambda: opened("after")(uow) and uow.run(COUNT)):
                with pytest.raises(Duplicate):
                    go_on()
        return "as if nothing had happened"

    with pytest.raises(Duplicate):
        storage.write(unit)
    assert names(storage) == ["a"]


def _duplicate(uow: UnitOfWork) -> None:
    uow.add(OPEN, name="there", amount=0)


def _reference(uow: UnitOfWork) -> None:
    uow.add(LINE, account="nobody", number=1)


def _promise(uow: UnitOfWork) -> None:
    uow.add(PROMISE, name="p", account="nobody")


def _delete(uow: UnitOfWork) -> None:
    uow.run(text("DELETE FROM test_account WHERE name = 'there'"))


def _lone_surrogate(uow: UnitOfWork) -> None:
    uow.add(OPEN, name="\ud800", amount=0)


def _zero_character(uow: UnitOfWork) -> None:
    uow.add(OPEN, name="a\0b", amount=0)


def _too_large(uow: UnitOfWork) -> None:
    uow.add(OPEN, name="large", amount=2**63)


def _null(uow: UnitOfWork) -> None:
    uow.add(OPEN, name="null", amount=None)


def _no_table(uow: UnitOfWork) -> None:
    uow.run(text("SELECT 1 FROM no_such_table"))


@pytest.mark.parametrize(
    ("unit", "kind"),
    [
        (_duplicate, Duplicate),
        (_reference, ReferenceBroken),
        (_promise, ReferenceBroken),
        (_delete, ReferenceBroken),
        (_lone_surrogate, ValueRefused),
        (_zero_character, ValueRefused),
        (_too_large, ValueRefused),
        (_null, StorageFailed),
        (_no_table, StorageFailed),
    ],
)
def test_both_databases_fail_in_the_same_words(
    storage: Storage, unit: Callable[[UnitOfWork], None], kind: type[Exception]
) -> None:
    storage.write(opened("there"))
    storage.write(lambda uow: uow.add(LINE, account="there", number=1))
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which kind is the question
        storage.write(unit)
    assert type(caught.value) is kind, caught.value
    if isinstance(caught.value, Duplicate):
        assert caught.value.facts == {"table": "test_account", "columns": "name"}
    storage.write(opened("after"))
    assert names(storage) == ["after", "there"]


def test_a_unit_may_not_open_another_one(storage: Storage) -> None:
    for outer in (storage.write, storage.read):
        for inner in (storage.write, storage.read):
            with pytest.raises(RuntimeError, match="may not open another one"):
                outer(lambda _, inner=inner: inner(opened("nested")))  # type: ignore[misc]
    assert names(storage) == []


async def test_nor_from_an_event_loop(storage: Storage) -> None:
    def unit(_: UnitOfWork) -> None:
        storage.write(opened("nested"))

    with pytest.raises(RuntimeError, match="may not open another one"):
        await storage.awrite(unit)
    with pytest.raises(RuntimeError, match="may not open another one"):
        await storage.aread(unit)


def test_a_read_cannot_write(storage: Storage) -> None:
    def swallowed(uow: UnitOfWork) -> None:
        with pytest.raises(StorageFailed):
            uow.run(OPEN, name="sly", amount=0)

    for unit in (lambda uow: uow.run(OPEN, name="sly", amount=0), swallowed):
        with pytest.raises(StorageFailed):
            storage.read(unit)
    assert names(storage) == []


def test_a_read_sees_one_state(storage: Storage) -> None:
    storage.write(opened("first"))

    def unit(uow: UnitOfWork) -> list[Any]:
        seen = [uow.run(COUNT).scalar()]
        writer = threading.Thread(target=storage.write, args=(opened("second"),))
        writer.start()
        writer.join(10)
        assert not writer.is_alive(), "a reader holds nobody up"
        return [*seen, uow.run(COUNT).scalar()]

    assert storage.read(unit) == [1, 1]
    assert storage.read(lambda uow: uow.run(COUNT).scalar()) == 2


async def test_event_loop_callers(storage: Storage) -> None:
    done = await asyncio.gather(*(storage.awrite(opened(f"a{number:02}")) for number in range(40)))
    assert names(storage) == list(done)
    assert await storage.aread(lambda uow: uow.run(COUNT).scalar()) == 40
    outcomes = await asyncio.gather(
        *(storage.awrite(opened(name)) for name in ("b1", "a07", "b2")), return_exceptions=True
    )
    assert [type(one) for one in outcomes] == [str, Duplicate, str]
    assert names(storage) == [*done, "b1", "b2"]


async def test_several_units_each_keep_or_fail_for_themselves(storage: Storage) -> None:
    storage.write(lambda uow: uow.add(OPEN, name="taken", amount=1))
    wanted = ["a", "taken", "b", *[f"more {number}" for number in range(600)]]  # more than one group

    def open_one(name: str, uow: UnitOfWork) -> str:
        uow.add(OPEN, name=name, amount=1)
        return name

    made = await storage.awrite_each([partial(open_one, name) for name in wanted])
    assert [one for one in made if isinstance(one, Exception)] == [made[1]]
    assert isinstance(made[1], Duplicate)
    assert [one for place, one in enumerate(made) if place != 1] == [name for name in wanted if name != "taken"]
    assert storage.read(lambda uow: uow.run(COUNT).scalar()) == len(wanted)
    assert await storage.awrite_each([]) == []


def test_closing_finishes_what_waits_and_then_refuses(storage_url: str) -> None:
    storage = open_storage(storage_url)
    entered, release, told = threading.Event(), threading.Event(), []

    def write(number: int) -> None:
        def unit(uow: UnitOfWork) -> str:
            if number == 0:
                entered.set()
                release.wait(10)
            return opened(f"n{number}")(uow)

        told.append(storage.write(unit))

    first = threading.Thread(target=write, args=(0,))
    first.start()
    assert entered.wait(10)
    others = [threading.Thread(target=write, args=(number,)) for number in range(1, 6)]
    for one in others:
        one.start()
    until(lambda: len(told) == 5 or len(getattr(storage, "_queue", ())) == 5)
    closing = threading.Thread(target=storage.close)
    closing.start()
    closing.join(0.2)
    assert closing.is_alive(), "it waits for what runs"
    with pytest.raises(Unavailable):
        storage.write(opened("late"))
    release.set()
    for thread in (first, *others, closing):
        thread.join(10)
        assert not thread.is_alive()
    assert sorted(told) == [f"n{number}" for number in range(6)]
    again = open_storage(storage_url)
    assert names(again) == sorted(told)
    again.close()


async def test_everybody_hears_that_it_is_closed(storage_url: str) -> None:
    storage = open_storage(storage_url)
    await storage.awrite(opened("a"))
    assert await storage.aread(lambda uow: uow.run(COUNT).scalar()) == 1
    storage.close()
    storage.close()
    for call in (storage.write, storage.read):
        with pytest.raises(Unavailable):
            call(lambda uow: uow.run(COUNT).scalar())
    for acall in (storage.awrite, storage.aread):
        with pytest.raises(Unavailable):
            await acall(lambda uow: uow.run(COUNT).scalar())


@pytest.mark.parametrize("url", ["", "mysql://localhost/x", "sqlite://", "handrail.db", "postgres:/x"])
def test_an_unknown_database_is_refused(url: str) -> None:
    with pytest.raises(UnknownDatabase):
        open_storage(url)


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        open_storage("postgresql://nobody@127.0.0.1:1/none")
