"""Writes decisions to PostgreSQL over 8 connections: CPU of our process for each, and how many a second.

The server runs on the same cores, durably (fsync, synchronous commit). The unit is that of bench/storage: decision,
task with the count of open tasks, journal entry and payload, in one transaction and one round trip. Callers are
threads, one for each connection, or 64 on one event loop. The peer is psycopg itself with the very same rows: a cursor,
a prepared statement for each row, one transaction for each decision, 8 threads.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from bench.report import Line, report
from bench.stopwatch import Stopwatch
from bench.storage.decisions import TABLES, Decisions, by_callers, by_threads
from handrail.foundation.storage import open_storage
from tools.postgres import server

CONNECTIONS, CALLERS = 8, 64
UNITS, TURNS = 3200, 5

Rows = list[tuple[tuple[Any, ...], ...]]
_KEPT_COUNT = (
    "INSERT INTO task_count (project_id, kind, skill, status, tasks, slot)"
    " VALUES (%s, 'review', '', 0, 1, pg_backend_pid() %% 16)"
    " ON CONFLICT (project_id, kind, skill, status, slot) DO UPDATE SET tasks = task_count.tasks + excluded.tasks"
)


def ours(decisions: Decisions, name: str, write: Callable[[Decisions, Sequence[Any]], None]) -> Stopwatch:
    """Record decisions."""
    ready = decisions.units(name, UNITS)
    with Stopwatch() as taken:
        write(decisions, ready)
    return taken


def in_threads(decisions: Decisions, units: Sequence[Any]) -> None:
    """Let 8 threads write."""
    by_threads(decisions.storage, CONNECTIONS, units)


def on_a_loop(decisions: Decisions, units: Sequence[Any]) -> None:
    """Let 64 callers on one event loop write."""
    asyncio.run(by_callers(decisions.storage, CALLERS, units))


def rows_of(url: str, last: int) -> tuple[Rows, list[list[str]]]:
    """Return the rows of the last decisions, one of each table, and the columns of the tables."""
    names, tables = [], []
    with psycopg.connect(url) as connection:
        for table in TABLES:
            order = "entry_id" if table == "journal_payload" else "id"
            cursor = connection.execute(f"SELECT * FROM {table} ORDER BY {order} DESC LIMIT {last}".encode())
            assert cursor.description is not None
            kept = [place for place, one in enumerate(cursor.description) if one.name not in ("seq", "xid")]
            names.append([cursor.description[place].name for place in kept])
            tables.append([tuple(row[place] for place in kept) for row in cursor.fetchall()][::-1])
    assert all(len(rows) == last for rows in tables)
    return list(zip(*tables, strict=True)), names


class Plain:
    """psycopg's own cursors on a database of the same tables."""

    def __init__(self, url: str) -> None:
        open_storage(url).close()
        self._connections = [psycopg.connect(url, prepare_threshold=0) for _ in range(CONNECTIONS)]

    def close(self) -> None:
        """End the connections."""
        for connection in self._connections:
            connection.close()

    def write(self, rows: Rows, columns: Sequence[Sequence[str]]) -> Stopwatch:
        """Insert the rows of decisions, each decision in a transaction."""
        sql = [
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))})".encode()
            for table, names in zip(TABLES, columns, strict=True)
        ]
        project = columns[0].index("project_id")

        def one(number: int) -> None:
            connection = self._connections[number]
            for each in rows[number::CONNECTIONS]:
                with connection.transaction():
                    cursor = connection.cursor()
                    for statement, row in zip(sql, each, strict=True):
                        cursor.execute(statement, row)
                    cursor.execute(_KEPT_COUNT.encode(), (each[0][project],))

        threads = [threading.Thread(target=one, args=(number,)) for number in range(CONNECTIONS)]
        with Stopwatch() as taken:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        return taken


def measured() -> tuple[list[Stopwatch], list[Stopwatch], list[Stopwatch]]:
    """Return what each turn took: ours in threads, the peer, ours on an event loop."""
    threads, plain, loop = [], [], []
    with tempfile.TemporaryDirectory(prefix="handrail-bench-") as folder, server() as running:
        url = running.create("decisions")
        decisions, peer = Decisions(url, Path(folder)), Plain(running.create("plain"))
        ours(decisions, "first caches", in_threads)
        for turn in range(TURNS):
            threads.append(ours(decisions, f"turn {turn}", in_threads))
            plain.append(peer.write(*rows_of(url, UNITS)))
            loop.append(ours(decisions, f"loop {turn}", on_a_loop))
        peer.close()
        decisions.storage.close()
    return threads, plain, loop


def main() -> int:
    """Measure and report."""
    turns = measured()
    cpu, plain_cpu, loop_cpu = (median(one.cpu for one in taken) / UNITS * 1000 for taken in turns)
    rate, plain_rate, loop_rate = (UNITS / median(one.wall for one in taken) for taken in turns)
    peer = f"psycopg's cursors: {plain_cpu:.3f}"
    plain = f"psycopg's cursors: {plain_rate:,.0f}"
    lines = [
        Line("8 threads: our CPU of a decision's rows", cpu, "ms", at_most=0.3, peer=peer),
        Line("8 threads: decisions", rate, "/s", at_least=3000, peer=plain),
        Line("64 callers on a loop: our CPU of a decision's rows", loop_cpu, "ms", at_most=0.3, peer=peer),
        Line("64 callers on a loop: decisions", loop_rate, "/s", peer=plain),
        Line("throughput over psycopg's cursors", rate / plain_rate),
    ]
    return report("postgres", lines, facts={"decisions a turn": UNITS, "turns": TURNS})


if __name__ == "__main__":
    sys.exit(main())
