"""The order of the tree: every entry gets one place, and who reads forward misses none and meets none twice."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from handrail.foundation.storage import UnitOfWork
from tests.integration.foundation.journal.log import Log

_NOW = text("SELECT 1")


class _Slow:
    """A writer that has its entry in the database and commits when told."""

    def __init__(self, log: Log, number: int) -> None:
        self._there, self._end = threading.Event(), threading.Event()
        self.entry_id = ""

        def unit(uow: UnitOfWork) -> None:
            self.entry_id = log.appending(number)(uow)
            uow.run(_NOW)  # sends what waits: now the entry has its number
            self._there.set()
            self._end.wait(30)

        self._thread = threading.Thread(target=log.storage.write, args=(unit,))
        self._thread.start()
        assert self._there.wait(10)

    def commit(self) -> str:
        """Let it commit and return the id of its entry."""
        self._end.set()
        self._thread.join(30)
        return self.entry_id


@pytest.mark.parametrize("storage_url", ["postgresql"], indirect=True)
def test_a_slow_transaction_is_waited_for(log: Log) -> None:
    slow = _Slow(log, 1)
    quick = log.fill(3, first=2)
    assert log.integrate() == 0, "something may still come before them"
    assert log.read() == []
    assert log.storage.read(log.journal.unplaced) == 3
    first = slow.commit()
    assert log.integrate() == 4
    assert [one.entry_id for one in log.read()] == [first, *quick]


@pytest.mark.parametrize("storage_url", ["postgresql"], indirect=True)
def test_what_was_committed_before_it_began_is_not_held_up(log: Log) -> None:
    before = log.fill(2)
    slow = _Slow(log, 2)
    after = log.fill(2, first=3)
    assert log.integrate() == 2
    assert [one.entry_id for one in log.read()] == before
    assert log.prover.verify().ok
    assert [one.entry_id for one in _all_after(log, slow)] == [*before, slow.entry_id, *after]


def _all_after(log: Log, slow: _Slow) -> list[Any]:
    slow.commit()
    log.integrate()
    return log.read()


@pytest.mark.parametrize("storage_url", ["postgresql"], indirect=True)
def test_a_rolled_back_transaction_leaves_no_gap(log: Log) -> None:
    def fails(uow: UnitOfWork) -> None:
        log.appending(0)(uow)
        uow.run(_NOW)
        raise LookupError

    first = log.fill(1)
    for _ in range(3):
        with pytest.raises(LookupError):
            log.storage.write(fails)
    second = log.fill(1, first=2)
    log.integrate()
    assert [(one.index, one.entry_id) for one in log.read()] == [(0, *first), (1, *second)]
    assert log.execute("SELECT max(seq) - min(seq) FROM journal_entry") == [(4,)], "the numbers have gaps, places none"


def test_under_load_nothing_is_lost_or_read_twice(log: Log) -> None:
    """Writers whose transactions last differently, two sequencers, and a reader that only ever goes forward."""
    writers, each = 6, 25
    ends = threading.Event()
    wrote: list[str] = []
    read: list[tuple[int, str]] = []

    def write(seed: int) -> None:
        draw = random.Random(seed)
        for number in range(each):
            wait = draw.choice((0, 0, 0.001, 0.02))

            def unit(uow: UnitOfWork, number: int = number, wait: float = wait) -> str:
                entry_id = log.appending(number)(uow)
                uow.run(_NOW)
                if log.storage.dialect == "postgresql":
                    time.sleep(wait)
                return entry_id

            wrote.append(log.storage.write(unit))

    def sequence() -> None:
        while not ends.is_set():
            log.integrate()

    def follow() -> None:
        while True:
            last = ends.is_set()
            found = log.read(after=read[-1][0] if read else -1, most=7)
            read.extend((one.index, one.entry_id) for one in found)
            if last and not found:
                return

    with ThreadPoolExecutor(writers + 3) as threads:
        others = [threads.submit(sequence), threads.submit(sequence), threads.submit(follow)]
        for one in [threads.submit(write, seed) for seed in range(writers)]:
            one.result(60)
        while log.storage.read(log.journal.unplaced):
            time.sleep(0.01)
        ends.set()
        for one in others:
            one.result(30)
    assert [index for index, _ in read] == list(range(writers * each))
    assert sorted(entry_id for _, entry_id in read) == sorted(wrote)
    assert log.prover.verify().ok


def test_a_batch_that_is_larger_than_one_turn(log: Log) -> None:
    ids = log.fill(2345)
    assert log.integrate() == 2345
    assert [one.entry_id for one in log.read(most=5000)] == ids
    found = log.prover.verify()
    assert (found.ok, found.entries, found.waiting) == (True, 2345, 0)


@pytest.mark.parametrize("storage_url", ["postgresql"], indirect=True)
def test_a_database_restored_into_a_server_with_lower_transaction_numbers(log: Log) -> None:
    first = log.fill(5)
    log.integrate()
    waiting = log.fill(3, first=5)
    log.disarm()
    log.execute("UPDATE journal_entry SET xid = CAST(CAST(CAST(xid AS text) AS bigint) + 1000000000 AS text)::xid8")
    assert log.storage.read(log.journal.unplaced) == 3
    new = log.fill(4, first=8)
    log.integrate()
    newer = log.fill(2, first=12)
    log.integrate()
    found = [one.entry_id for one in log.read()]
    assert found[:5] == first
    assert sorted(found) == sorted([*first, *waiting, *new, *newer])
    assert found[-2:] == newer
    assert log.storage.read(log.journal.unplaced) == 0
    assert log.prover.verify().ok
