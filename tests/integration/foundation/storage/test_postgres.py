"""PostgreSQL's own ways to fail: lost connections, deadlocks, a connection lost in the middle of COMMIT."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from handrail.foundation.storage import UnitOfWork, open_storage, postgres_wire
from handrail.foundation.storage.failures import Duplicate, OutcomeUnknown, StorageFailed, TryAgain, Unavailable
from handrail.foundation.storage.postgres import PostgresStorage
from tests.conftest import _Prepared
from tests.integration.foundation.storage.ledger import ADD, AMOUNT, AMOUNT_LOCKED, COUNT, OPEN, amount, names, opened
from tools.postgres import Server

_END_MINE = text("SELECT pg_terminate_backend(pg_backend_pid())")
_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = 'handrail'"
)
_END_AT_COMMIT = """
CREATE FUNCTION ends() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER ends AFTER INSERT ON test_account DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (NEW.name = 'ends') EXECUTE FUNCTION ends()
"""


@pytest.fixture
def database(postgres_server: Server, _prepared: _Prepared) -> Iterator[str]:
    name, url = _prepared.postgresql(postgres_server)
    yield url
    postgres_server.drop(name)


@pytest.fixture
def storage(database: str) -> Iterator[PostgresStorage]:
    opened_storage = open_storage(database)
    assert isinstance(opened_storage, PostgresStorage)
    yield opened_storage
    opened_storage.close()


def _execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def test_a_connection_that_was_lost_meanwhile_is_opened_again(storage: PostgresStorage) -> None:
    storage.write(opened("a"))
    for name in ("b", "c"):
        _execute(storage.url, _OTHERS)
        time.sleep(0.05)
        storage.write(opened(name))
    _execute(storage.url, _OTHERS)
    assert names(storage) == ["a", "b", "c"]


@pytest.mark.parametrize("verb", ["write", "read"])
def test_a_unit_whose_connection_is_lost_is_run_again(storage: PostgresStorage, verb: str) -> None:
    tried: list[int] = []

    def unit(uow: UnitOfWork) -> str:
        tried.append(uow.run(COUNT).scalar())
        if verb == "write":
            uow.run(OPEN, name="once", amount=0)
        if len(tried) < 3:
            uow.run(_END_MINE)
        return "done"

    assert getattr(storage, verb)(unit) == "done"
    assert tried == [0, 0, 0]
    assert names(storage) == (["once"] if verb == "write" else [])


def test_a_database_that_keeps_going_away_is_unavailable(storage: PostgresStorage) -> None:
    tried: list[int] = []

    def unit(uow: UnitOfWork) -> None:
        tried.append(1)
        uow.run(OPEN, name="never", amount=0)
        uow.run(_END_MINE)

    with pytest.raises(Unavailable) as caught:
        storage.write(unit)
    assert caught.value.hint
    assert len(tried) == 3
    assert storage.write(opened("after")) == "after"
    assert names(storage) == ["after"]


def test_a_connection_lost_in_commit_is_never_called_done_or_undone(storage: PostgresStorage) -> None:
    _execute(storage.url, _END_AT_COMMIT)
    tried: list[int] = []

    def unit(uow: UnitOfWork) -> str:
        tried.append(1)
        return opened("ends")(uow)

    with pytest.raises(OutcomeUnknown):
        storage.write(unit)
    assert tried == [1], "to run it again could do it twice"
    assert storage.write(opened("after")) == "after"


def test_of_two_units_in_a_deadlock_both_are_done(storage: PostgresStorage) -> None:
    storage.write(opened("a"))
    storage.write(opened("b"))
    meet = threading.Barrier(2, timeout=10)
    tried = {"ab": 0, "ba": 0}

    def unit(order: str) -> Any:
        def run(uow: UnitOfWork) -> None:
            tried[order] += 1
            uow.run(ADD, of=order[0], more=1)
            if tried[order] == 1:
                meet.wait()
            uow.run(ADD, of=order[1], more=10)

        return run

    with ThreadPoolExecutor(2) as threads:
        for one in [threads.submit(storage.write, unit(order)) for order in tried]:
            one.result(30)
    won, lost = sorted(tried.values())
    # Whoever lost lets go and begins anew at once, and may meet the other one again before that one wakes up.
    assert won == 1
    assert lost >= 2
    assert (amount(storage, "a"), amount(storage, "b")) == (11, 11)


def test_what_a_unit_decides_on_is_locked_by_its_read(storage: PostgresStorage) -> None:
    storage.write(opened("a"))

    def unit(uow: UnitOfWork) -> None:
        now = uow.run(AMOUNT_LOCKED, of="a").scalar()
        uow.run(text("UPDATE test_account SET amount = :now"), now=now + 1)

    with ThreadPoolExecutor(16) as threads:
        for one in [threads.submit(storage.write, unit) for _ in range(200)]:
            one.result(30)
    assert amount(storage, "a") == 200


def test_a_lock_that_is_never_given_up_is_told(storage: PostgresStorage) -> None:
    storage.write(opened("a"))

    def unit(uow: UnitOfWork) -> None:
        uow.run(text("SET LOCAL lock_timeout = 100"))
        uow.run(ADD, of="a", more=1)

    with psycopg.connect(storage.url) as other:
        other.execute("UPDATE test_account SET amount = 5")
        with pytest.raises(TryAgain):
            storage.write(unit)
        other.rollback()
    storage.write(unit)
    assert amount(storage, "a") == 1


def test_more_callers_than_connections_wait_for_their_turn(database: str) -> None:
    storage = PostgresStorage(database, connections=2)
    with ThreadPoolExecutor(20) as threads:
        told = [threads.submit(storage.write, opened(f"a{number:02}")) for number in range(60)]
        assert [one.result(30) for one in told] == names(storage)
    storage.close()


def test_lost_connections_under_load_lose_and_double_nothing(storage: PostgresStorage) -> None:
    """Every acknowledged unit is there, every refused one is not; only where COMMIT was cut off nobody can say."""
    storage.write(opened("sum"))
    ends = threading.Event()
    outcomes: dict[str, str] = {}

    def call(worker: int) -> None:
        number = 0
        while not ends.is_set():
            name = f"{worker}-{number}"
            number += 1

            def unit(uow: UnitOfWork, name: str = name) -> int:
                uow.add(OPEN, name=name, amount=0)
                uow.run(ADD, of="sum", more=1)
                return int(uow.run(AMOUNT, of="sum").scalar())

            try:
                storage.write(unit)
                outcomes[name] = "done"
            except OutcomeUnknown:
                outcomes[name] = "unknown"
            except Unavailable:
                outcomes[name] = "refused"

    workers = [threading.Thread(target=call, args=(number,)) for number in range(6)]
    for worker in workers:
        worker.start()
    for _ in range(15):
        time.sleep(0.06)
        _execute(storage.url, _OTHERS)
    ends.set()
    for worker in workers:
        worker.join(30)
        assert not worker.is_alive()
    there = set(names(storage)) - {"sum"}
    by = {what: {name for name, one in outcomes.items() if one == what} for what in ("done", "unknown", "refused")}
    assert len(by["done"]) > 50
    assert by["done"] <= there <= by["done"] | by["unknown"]
    assert amount(storage, "sum") == len(there)


def test_a_rolled_back_unit_leaves_the_connection_fit_for_use(database: str) -> None:
    storage = PostgresStorage(database, connections=1)
    for number in range(5):

        def unit(uow: UnitOfWork, number: int = number) -> None:
            uow.run(OPEN, name=f"a{number}", amount=0)
            raise LookupError

        with pytest.raises(LookupError):
            storage.write(unit)
        with pytest.raises(LookupError):
            storage.read(unit_that_fails)
        assert storage.write(opened(f"b{number}")) == f"b{number}"
    assert names(storage) == [f"b{number}" for number in range(5)]
    storage.close()


def unit_that_fails(uow: UnitOfWork) -> None:
    uow.run(COUNT)
    raise LookupError


def test_a_statement_that_could_not_be_prepared_can_be_later(database: str) -> None:
    storage = PostgresStorage(database, connections=1)
    later = text("SELECT count(*) FROM later")
    for _ in range(2):
        with pytest.raises(StorageFailed, match="42P01"):
            storage.read(lambda uow: uow.run(later).scalar())
    with pytest.raises(StorageFailed):
        storage.write(lambda uow: [uow.add(OPEN, name="lost", amount=0), uow.run(later), uow.run(COUNT)])
    _execute(database, "CREATE TABLE later (name text)")
    assert storage.read(lambda uow: uow.run(later).scalar()) == 0
    assert storage.write(opened("kept")) == "kept", "prepared behind the failure, it was never prepared"
    assert storage.read(lambda uow: uow.run(COUNT).scalar()) == 1
    storage.close()


def test_more_statements_than_are_kept_prepared(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_wire, "_MOST_PREPARED", 5)
    storage = PostgresStorage(database, connections=1)
    for turn in range(3):
        for number in range(20):
            statement = text(f"SELECT {number} + :more")
            assert storage.read(lambda uow: uow.run(statement, more=turn).scalar()) == number + turn  # noqa: B023
    assert storage.write(opened("a")) == "a"
    assert names(storage) == ["a"]
    assert storage.read(lambda uow: uow.run(text("SELECT count(*) FROM pg_prepared_statements")).scalar()) <= 5
    storage.close()


def test_a_unit_of_very_many_writes(storage: PostgresStorage) -> None:
    """More than either side buffers: neither may wait for the other for ever."""
    rows = [{"name": f"{number:05}", "amount": number, "seal": bytes(2000)} for number in range(5000)]
    storage.write(lambda uow: uow.add_all(OPEN, rows))
    assert storage.read(lambda uow: uow.run(COUNT).scalar()) == 5000
    with pytest.raises(Duplicate):
        storage.write(lambda uow: uow.add_all(OPEN, [{**row, "name": f"x{row['name']}"} for row in rows] + rows[-1:]))
    assert storage.read(lambda uow: uow.run(COUNT).scalar()) == 5000


def test_nobody_is_overtaken_at_the_connections(database: str) -> None:
    """Callers that ask again at once get no more than those that wait: all of them were given as many turns."""
    storage = PostgresStorage(database, connections=2)
    turns = [0] * 12
    ends = threading.Event()

    def call(number: int) -> None:
        while not ends.is_set():
            storage.read(lambda uow: uow.run(COUNT).scalar())
            turns[number] += 1

    callers = [threading.Thread(target=call, args=(number,)) for number in range(len(turns))]
    for caller in callers:
        caller.start()
    time.sleep(0.5)
    ends.set()
    for caller in callers:
        caller.join(30)
    storage.close()
    assert min(turns) > 10
    assert max(turns) - min(turns) <= 0.2 * max(turns) + 2


async def test_a_caller_who_is_cancelled_leaves_the_connection_to_others(database: str) -> None:
    storage = PostgresStorage(database, connections=1)
    may_end = threading.Event()

    def slow(uow: UnitOfWork) -> None:
        uow.run(OPEN, name="slow", amount=0)
        may_end.wait(30)

    running = asyncio.ensure_future(storage.awrite(slow))
    waiting = asyncio.ensure_future(storage.awrite(opened("never")))
    await asyncio.sleep(0.05)
    running.cancel()
    waiting.cancel()
    may_end.set()
    assert await storage.awrite(opened("next")) == "next"
    assert names(storage) == ["next", "slow"], "what ran was kept, what waited never began"
    storage.close()
