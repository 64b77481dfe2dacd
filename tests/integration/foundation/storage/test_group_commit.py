"""The one writer of SQLite: many units in few commits, and what a failure in one of them does to the others."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from handrail.foundation.storage import UnitOfWork, open_storage, sqlite
from handrail.foundation.storage.failures import Damaged, Duplicate, Full, ReferenceBroken
from handrail.foundation.storage.sqlite import SqliteStorage
from tests.conftest import _Prepared
from tests.integration.foundation.storage.ledger import (
    ADD,
    AMOUNT,
    COUNT,
    MORE,
    OPEN,
    OPENED,
    PROMISE,
    amount,
    held,
    names,
    opened,
    until,
)

CALLERS = 64


@pytest.fixture
def storage(tmp_path: Path, _prepared: _Prepared) -> Iterator[SqliteStorage]:
    opened_storage = open_storage(_prepared.sqlite(tmp_path / "handrail.db"))
    assert isinstance(opened_storage, SqliteStorage)
    yield opened_storage
    opened_storage.close()


def _commits(storage: SqliteStorage) -> list[str]:
    """Return a list that grows with every transaction the writer keeps."""
    seen: list[str] = []

    def saw(statement: str) -> None:
        if statement == "COMMIT":
            seen.append(statement)

    storage.write(lambda _: storage._connection.set_trace_callback(saw))
    return seen


def _waiting(storage: SqliteStorage, count: int) -> Callable[[], bool]:
    return lambda: len(storage._queue) == count


def _together(storage: SqliteStorage, units: list[Callable[[UnitOfWork], Any]]) -> list[Any]:
    """Run units in one group, in their order, and return what each caller heard."""

    async def all_of_them() -> list[Any]:
        with held(storage):
            callers = [asyncio.ensure_future(storage.awrite(unit)) for unit in units]
            await asyncio.sleep(0)
            assert len(storage._queue) == len(units)
        return await asyncio.gather(*callers, return_exceptions=True)

    return asyncio.run(all_of_them())


def test_waiting_threads_share_a_commit(storage: SqliteStorage) -> None:
    commits = _commits(storage)
    with ThreadPoolExecutor(CALLERS) as threads:
        with held(storage):
            told = [threads.submit(storage.write, opened(f"a{number:02}")) for number in range(CALLERS)]
            until(_waiting(storage, CALLERS))
        assert [one.result(10) for one in told] == names(storage)
    assert len(commits) <= 3


def test_callers_of_an_event_loop_share_commits_while_they_go_on(storage: SqliteStorage) -> None:
    commits, each = _commits(storage), 10

    async def caller(number: int) -> None:
        for turn in range(each):
            await storage.awrite(opened(f"{number}-{turn}"))

    async def all_of_them() -> None:
        await asyncio.gather(*(caller(number) for number in range(CALLERS)))

    asyncio.run(all_of_them())
    assert len(names(storage)) == CALLERS * each
    assert len(commits) <= CALLERS * each / 8


def _own_error(uow: UnitOfWork) -> None:
    uow.add(OPEN, name="own error", amount=0)
    raise LookupError("own")


def _own_error_before_it_wrote(uow: UnitOfWork) -> None:
    uow.run(COUNT)
    raise LookupError("own")


def _duplicate(uow: UnitOfWork) -> None:
    uow.add_all(OPEN, [{"name": name, "amount": 0} for name in ("beside", "there")])


def _later(*found: str) -> Callable[[UnitOfWork], None]:
    """Return a unit that puts accounts off."""

    def unit(uow: UnitOfWork) -> None:
        for name in found:
            uow.later(OPENED, (name, 0))

    return unit


def test_rows_that_were_put_off_go_in_together_before_anybody_looks(storage: SqliteStorage) -> None:
    def glances(uow: UnitOfWork) -> Any:
        return uow.glance(COUNT).scalar()

    def looks(uow: UnitOfWork) -> Any:
        return uow.run(COUNT).scalar()

    told = _together(storage, [_later("a"), glances, _later("b", "c"), looks, _later("d")])
    assert told == [None, 0, None, 3, None]
    assert names(storage) == ["a", "b", "c", "d"]


def test_a_row_that_was_put_off_and_is_refused_fails_its_own_unit(storage: SqliteStorage) -> None:
    storage.write(opened("there"))

    def also_fails(uow: UnitOfWork) -> None:
        uow.later(OPENED, ("gone", 0))
        raise LookupError("own")

    told = _together(storage, [_later("a"), _later("b", "there"), also_fails, _later("a"), _later("c")])
    assert [type(one) for one in told] == [type(None), Duplicate, LookupError, Duplicate, type(None)]
    assert names(storage) == ["a", "c", "there"]


def test_a_refused_row_of_another_unit_is_no_failure_of_who_looks(storage: SqliteStorage) -> None:
    storage.write(opened("there"))
    told = _together(storage, [_later("a"), _later("there"), lambda uow: uow.run(COUNT).scalar(), _later("b")])
    assert [type(one) for one in told] == [type(None), Duplicate, int, type(None)]
    assert told[2] == 2
    assert names(storage) == ["a", "b", "there"]


def test_counts_of_one_group_become_one_row_without_those_of_units_that_failed(storage: SqliteStorage) -> None:
    def counts(more: int) -> Callable[[UnitOfWork], None]:
        return lambda uow: uow.tally(MORE, {"name": "a"}, amount=more)

    def fails(uow: UnitOfWork) -> None:
        counts(1000)(uow)
        raise LookupError("own")

    def sees(uow: UnitOfWork) -> Any:
        return uow.run(AMOUNT, of="a").scalar()

    told = _together(storage, [counts(1), counts(2), fails, sees, counts(4)])
    assert [type(one) for one in told] == [type(None), type(None), LookupError, int, type(None)]
    assert told[3] == 3
    assert storage.read(sees) == 7


def _swallowed(uow: UnitOfWork) -> str:
    uow.add(OPEN, name="swallowed", amount=0)
    try:
        uow.add(OPEN, name="there", amount=0)
    except Duplicate:
        return "fine"
    raise AssertionError("not reached")


def _exits(uow: UnitOfWork) -> None:
    uow.add(OPEN, name="exits", amount=0)
    raise SystemExit(3)


def _breaks_its_promise(uow: UnitOfWork) -> None:
    uow.add(OPEN, name="promised", amount=0)
    uow.add(PROMISE, name="p", account="nobody")


_BAD: dict[Callable[[UnitOfWork], Any], type[BaseException]] = {
    _own_error: LookupError,
    _own_error_before_it_wrote: LookupError,
    _duplicate: Duplicate,
    _swallowed: Duplicate,
    _exits: SystemExit,
    _breaks_its_promise: ReferenceBroken,
}


@pytest.mark.parametrize("bad", [*([one] for one in _BAD), list(_BAD), [_duplicate, _own_error, _exits, _duplicate]])
def test_a_failing_unit_spoils_nobody(storage: SqliteStorage, bad: list[Callable[[UnitOfWork], Any]]) -> None:
    storage.write(opened("there"))
    units: list[Callable[[UnitOfWork], Any]] = [opened(f"a{number:02}") for number in range(CALLERS)]
    draw = random.Random(len(bad))
    for one in bad:
        units.insert(draw.randrange(len(units)), one)

    def deposit(uow: UnitOfWork) -> Any:
        uow.run(ADD, of="there", more=1)
        return uow.run(AMOUNT, of="there").scalar()

    units += [deposit] * 3
    # SystemExit would end asyncio.run, so every caller is a thread.
    outcomes: dict[int, Any] = {}

    def call(place: int) -> None:
        try:
            outcomes[place] = storage.write(units[place])
        except BaseException as error:  # noqa: BLE001
            outcomes[place] = error

    threads = []
    with held(storage):
        for place in range(len(units)):
            threads.append(threading.Thread(target=call, args=(place,)))
            threads[-1].start()
            until(_waiting(storage, place + 1))
    for thread in threads:
        thread.join(20)
    for place, unit in enumerate(units):
        if unit in _BAD:
            assert type(outcomes[place]) is _BAD[unit], unit
    assert [outcomes[place] for place, unit in enumerate(units) if unit is deposit] == [1, 2, 3]
    good = [outcomes[place] for place, unit in enumerate(units) if unit not in _BAD and unit is not deposit]
    assert good == [f"a{number:02}" for number in range(CALLERS)]
    assert names(storage) == [*good, "there"]
    assert amount(storage, "there") == 3, "a unit that is run again has its effect once"


def test_a_full_disk_acknowledges_nobody_wrongly(storage: SqliteStorage) -> None:
    """It ends the whole transaction, not the savepoint: the units before it in the group are gone with it."""
    pages = storage.write(lambda uow: uow.run(text("PRAGMA page_count")).scalar())
    storage.write(lambda uow: uow.run(text(f"PRAGMA max_page_count={pages + 20}")))

    def large(name: str) -> Callable[[UnitOfWork], str]:
        def unit(uow: UnitOfWork) -> str:
            uow.run(OPEN, name=name, amount=0, seal=bytes(3000))
            return name

        return unit

    told = _together(storage, [large(f"a{number:02}") for number in range(CALLERS)])
    kept = [one for one in told if isinstance(one, str)]
    assert kept
    assert {type(one) for one in told} == {str, Full}
    assert names(storage) == kept
    storage.write(lambda uow: uow.run(text("PRAGMA max_page_count=1000000")))
    assert storage.write(large("after")) == "after"
    assert names(storage) == [*kept, "after"]
    assert storage.read(lambda uow: uow.run(text("PRAGMA integrity_check")).all()) == [("ok",)]


def test_a_transaction_that_a_unit_ends_itself_is_nobodys_acknowledgement(storage: SqliteStorage) -> None:
    def ends_it(uow: UnitOfWork) -> str:
        uow.add(OPEN, name="ends", amount=0)
        uow.run(text("INSERT OR ROLLBACK INTO test_account (name, amount) VALUES ('there', 1)"))
        return "never"

    storage.write(opened("there"))
    told = _together(storage, [opened("a"), ends_it, opened("b")])
    assert told[0] == "a"
    assert told[2] == "b"
    assert isinstance(told[1], Duplicate)
    assert names(storage) == ["a", "b", "there"]


def test_a_caller_that_gives_up_before_its_turn_is_never_run(storage: SqliteStorage) -> None:
    async def callers() -> list[Any]:
        with held(storage):
            waiting = [asyncio.ensure_future(storage.awrite(opened(name))) for name in "abc"]
            await asyncio.sleep(0)
            waiting[1].cancel()
            await asyncio.sleep(0)
        return await asyncio.gather(*waiting, return_exceptions=True)

    told = asyncio.run(callers())
    assert [type(one) for one in told] == [str, asyncio.CancelledError, str]
    assert names(storage) == ["a", "c"]


def test_a_caller_of_several_that_gives_up_before_their_turn_is_never_run(storage: SqliteStorage) -> None:
    async def give_up() -> None:
        with held(storage), pytest.raises(TimeoutError):
            await asyncio.wait_for(storage.awrite_each([opened("x"), opened("y")]), 0.05)
        await storage.awrite(opened("z"))

    asyncio.run(give_up())
    assert names(storage) == ["z"]


def test_a_loop_that_is_closed_holds_nobody_up(storage: SqliteStorage) -> None:
    loop = asyncio.new_event_loop()
    with held(storage):
        left = loop.create_task(storage.awrite(opened("left")))
        loop.run_until_complete(asyncio.sleep(0))
        left.cancel()
        loop.run_until_complete(asyncio.gather(left, return_exceptions=True))
        waiting = loop.create_task(storage.awrite(opened("nobody hears")))
        loop.run_until_complete(asyncio.sleep(0))
        waiting._log_destroy_pending = False  # type: ignore[attr-defined]
        loop.close()
    assert storage.write(opened("next")) == "next"
    assert names(storage) == ["next", "nobody hears"]
    waiting.get_coro().close()  # type: ignore[union-attr]


def test_an_open_reader_bounds_the_log_only_while_it_reads(
    storage: SqliteStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_LOG_LIMIT", 1 << 20)
    monkeypatch.setattr(sqlite, "_LOOK_EVERY", 5)
    monkeypatch.setattr(sqlite, "_IDLE_S", 0.05)
    log = tmp_path / "handrail.db-wal"

    def busy(turns: int) -> int:
        largest = 0
        for _ in range(turns):
            storage.write(lambda uow: uow.run(text("UPDATE test_account SET seal = randomblob(60000)")))
            largest = max(largest, log.stat().st_size)
        return largest

    storage.write(opened("a"))
    busy(1)

    def reading(uow: UnitOfWork) -> int:
        before = uow.run(text("SELECT hex(seal) FROM test_account")).scalar()
        largest = busy_in_thread(60)
        assert uow.run(text("SELECT hex(seal) FROM test_account")).scalar() == before
        return largest

    def busy_in_thread(turns: int) -> int:
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(busy, turns).result(60)

    assert storage.read(reading) > 3 << 20, "the reader needs what the log holds"
    busy(10)
    assert busy(60) < 2 << 20, "a busy writer folds it back when nobody reads"
    until(lambda: log.stat().st_size == 0)


def test_two_owners_of_one_file_do_not_lose_each_others_work(storage: SqliteStorage) -> None:
    other = open_storage(storage.url)
    with ThreadPoolExecutor(8) as threads:
        made = [threads.submit((storage, other)[number % 2].write, opened(f"a{number:03}")) for number in range(100)]
        assert [one.result(20) for one in made] == names(other)
    other.close()


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"this is not a database, but long enough to be looked at" * 100)
    with pytest.raises(Damaged) as caught:
        open_storage(f"sqlite:///{tmp_path / 'x.db'}")
    assert caught.value.hint
